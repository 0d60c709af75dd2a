//! A model of the life of stories, and lives drawn at random that are led beside it: after every step the records are as the
//! model has them, and every press is answered as it says.

mod life;
mod ops;
mod records;
mod system;

use jiff::Timestamp;
use proptest::prelude::*;
use storyline::domain::ids::StoryId;
use storyline::domain::person::{PersonId, Role};
use storyline::domain::setting::Setting;
use storyline::domain::story::MessageRef;
use storyline::flow::act::{Press, Pressed, Saw, Verb};
use storyline::flow::steer::Commanded;

use self::life::{MINUTE, Model, NAMES, Rules, Sight, Tap};
use self::ops::{Op, ops};
use self::records::{Ms, Records};
use self::system::Stretch;
use crate::desk::CHAT;
use crate::harness::*;

/// A box and its model, led beside each other.
struct Life {
    the_box: TheBox,
    model: Model,
    /// Every story that ever was, the latest to be seen first.
    stories: Vec<StoryId>,
    last: Option<(Press, Tap)>,
    clock_is_in_doubt: bool,
}

impl Life {
    fn new() -> Self {
        let mut the_box = TheBox::with(three_a_day()).with_pictures(120);
        the_box.team = Team::Looks;
        for (id, name) in &NAMES[1..3] {
            let (id, name) = (PersonId(*id), (*name).to_owned());
            let flow = the_box.flow();
            let met = flow.meet(id, name, None, Role::Member, the_box.now);
            the_box.run(met).unwrap();
        }
        the_box.live_until(at("2027-03-01T09:05:00Z"));
        let settings = &the_box.settings;
        let rules = Rules {
            repost_days: settings.repost_ttl_days.into(),
            skip_days: settings.skip_ttl_days.into(),
            expire_hours: settings.expire_hours.into(),
        };
        let mut life = Self {
            model: Model::new(Records::read(&the_box.database()), rules),
            the_box,
            stories: Vec::new(),
            last: None,
            clock_is_in_doubt: false,
        };
        life.meets_stories();
        life
    }

    fn now(&self) -> Ms {
        self.the_box.now.as_millisecond()
    }

    fn read(&self) -> Records {
        Records::read(&self.the_box.database())
    }

    fn happens(&mut self, op: Op) {
        match op {
            Op::Lives(length) => {
                self.by_itself(|the_box| {
                    the_box.live_for(minutes(length));
                    // What is put right is put right one thing at a time.
                    for _ in 0..3 {
                        the_box.look();
                    }
                });
                self.stretch(self.now()).is_settled(&self.model.records);
                self.clock_is_in_doubt = false;
            }
            Op::Waits(length) => self.the_box.now += jiff::SignedDuration::from_secs(length),
            Op::IsOff(length, true) => {
                // After more than a day it is to be judged first.
                self.clock_is_in_doubt = true;
                self.by_itself(|the_box| the_box.stop_for(minutes(length)));
            }
            Op::IsOff(length, false) => {
                self.clock_is_in_doubt = true;
                self.by_itself(|the_box| the_box.be_off_for(minutes(length)));
            }
            Op::ClockJumps(by) => {
                self.the_box.now += minutes(by);
                self.clock_is_in_doubt = true;
            }
            Op::Network(network) => self.the_box.once(network),
            Op::AtPicture(network) => self.the_box.once_at_picture(network),
            Op::TakesOut(which) => {
                let rang = self.the_box.rang();
                if let Some(message) = rang.get(which % rang.len().max(1)) {
                    self.the_box.takes_out(message);
                }
            }
            Op::Taps(which, verb, person, before) => {
                let story = self.story(which);
                // A text has no buttons.
                let message = self.message(story);
                if self.the_box.desk.records().texts.contains(&message) {
                    return;
                }
                let swaps = self
                    .model
                    .records
                    .open
                    .get(&story)
                    .map_or(0, |story| story.swaps);
                let (seen, verb) = (swaps - before, Verb::ALL[verb]);
                let saw = Saw::Swaps(seen.to_le_bytes()[0]);
                self.press(story, verb, NAMES[person].0, (saw, Sight::Button(seen)));
            }
            Op::Says(which, verb, person, ago) => {
                let verbs = [
                    Verb::Posted,
                    Verb::Skip,
                    Verb::ReallyReject,
                    Verb::Claim,
                    Verb::Later,
                ];
                let (story, at) = (self.story(which), self.now() - ago * MINUTE);
                let saw = Saw::At(Timestamp::from_millisecond(at).unwrap());
                let sight = self.reads(story, at);
                self.press(story, verbs[verb], NAMES[person].0, (saw, sight));
            }
            Op::TapsAgain => {
                if let Some((press, tap)) = self.last {
                    self.takes(press, tap);
                }
            }
            Op::Pauses(is_paused) => self.pauses(is_paused),
            Op::SendsNext => self.sends_next(),
            Op::Cancels(which) => self.cancels(which),
            Op::Counts(person, active) => {
                let (id, flow) = (NAMES[person].0, self.the_box.flow());
                let set = flow.set_active(PersonId(id), active, anna(), self.the_box.now);
                self.the_box.run(set).unwrap();
                self.model.records.people.get_mut(&id).unwrap().0 = active;
            }
            Op::Sets(which, value) => self.sets(which, value),
        }
        self.compare();
    }

    fn story(&self, which: usize) -> StoryId {
        self.stories[which % self.stories.len()]
    }

    /// What the chat and the records tell of a story to somebody who writes.
    fn reads(&self, story: StoryId, at: Ms) -> Sight {
        let of = |rest: &str| {
            let sql = format!(
                "SELECT COUNT(*) FROM messages WHERE story_id = '{story}' AND kind = 'story' AND {rest}"
            );
            self.the_box.count(&sql) > 0
        };
        let swaps = self
            .model
            .records
            .open
            .get(&story)
            .map_or(0, |story| story.swaps);
        let MessageRef { chat, message } = self.message(story);
        Sight::Words {
            at,
            is_announcement: of(&format!(
                "is_announcement = 1 AND chat_id = {chat} AND message_id = {message}"
            )),
            shows_it: of(&format!("is_announcement = 0 AND swaps = {swaps}")),
        }
    }

    /// The latest message of a story; one that never was, if it has none.
    fn message(&self, story: StoryId) -> MessageRef {
        let rang = self.the_box.rang();
        let latest = rang.iter().rfind(|message| message.card.story == story);
        let place = self.stories.iter().rev().position(|known| *known == story);
        latest.map_or(
            MessageRef {
                chat: CHAT,
                message: 500_000 + i32::try_from(place.unwrap()).unwrap(),
            },
            |latest| latest.message,
        )
    }

    fn press(&mut self, story: StoryId, verb: Verb, person: i64, (saw, sight): (Saw, Sight)) {
        let press = Press {
            person: PersonId(person),
            saw,
            ..self.the_box.a_press(story, self.message(story), verb)
        };
        let tap = Tap {
            update: press.update,
            story,
            verb,
            person,
            sight,
        };
        self.last = Some((press, tap));
        self.takes(press, tap);
    }

    fn takes(&mut self, press: Press, tap: Tap) {
        let now = self.now();
        let before = self.model.records.open.get(&tap.story).cloned();
        let expected = self.model.press(tap, now);
        let answer = self
            .the_box
            .run(self.the_box.flow().press(press, self.the_box.now));
        assert_eq!(answer.unwrap(), expected, "{tap:?} on {before:?}");
        if expected == Pressed::Swapped {
            // Which one is the plan's business; that it is another, and of nobody else, is not.
            let media = self.read().open[&tap.story].media.clone();
            let is_taken = |open: &records::Open| open.media == media;
            assert!(
                !self.model.records.open.values().any(is_taken),
                "{media} is shown"
            );
            let due_at = before.map_or(now, |story| match story.state.as_str() {
                "planned" => story.due_at.max(now),
                _ => now,
            });
            assert!(!self.model.records.is_locked(&media, due_at), "{media}");
            self.model.records.open.get_mut(&tap.story).unwrap().media = media;
        }
    }

    fn pauses(&mut self, is_paused: bool) {
        let was_paused = self.model.records.is_paused;
        let (flow, now) = (self.the_box.flow(), self.the_box.now);
        let told = if is_paused {
            self.the_box.run(flow.pause(None, anna(), now))
        } else {
            // What fell into the pause ends with it.
            let before = self.model.records.clone();
            let told = self.the_box.run(flow.resume(None, anna(), now));
            let mut after = self.read();
            after.is_paused = was_paused;
            self.stretch(self.now()).allows(&before, &after);
            self.model.records = after;
            told
        };
        let expected = match was_paused == is_paused {
            true => Commanded::AlreadySo,
            false => Commanded::Done,
        };
        assert_eq!(told.unwrap(), expected);
        self.model.records.is_paused = is_paused;
    }

    fn sends_next(&mut self) {
        let now = self.now();
        let records = &self.model.records;
        // What is locked now may be planned for when it is not any more.
        let planned = records.open.iter().filter(|(_, story)| {
            story.state == "planned" && !story.is_wish && !records.is_locked(&story.media, now)
        });
        let next = planned.min_by_key(|(id, story)| (story.due_at, **id));
        let next = next.map(|(id, story)| (*id, u64::try_from(story.number).unwrap()));
        let told = self.the_box.send_next();
        if told == Commanded::ClockInDoubt {
            assert!(self.clock_is_in_doubt);
            return;
        }
        let Some((id, number)) = next else {
            return self.model.records = self.read();
        };
        assert_eq!(told, Commanded::Sending(number));
        let story = self.model.records.open.get_mut(&id).unwrap();
        (story.due_at, story.is_wish) = (now, true);
    }

    fn cancels(&mut self, which: usize) {
        let story = self.story(which);
        let Some(open) = self.model.records.open.remove(&story) else {
            return;
        };
        let number = u64::try_from(open.number).unwrap();
        let flow = self.the_box.flow();
        let cancel = flow.cancel(number, anna(), self.the_box.now);
        assert_eq!(self.the_box.run(cancel).unwrap(), Some(true));
        let end = records::End {
            story,
            part: self.model.records.next_part(story),
            number: Some(open.number),
            media: Some(open.media),
            outcome: "cancelled".to_owned(),
            person: None,
            at: self.now(),
        };
        self.model.records.history.insert(end);
    }

    fn sets(&mut self, which: usize, value: i64) {
        let rules = &mut self.model.rules;
        let (setting, decided) = [
            (Setting::RepostTtlDays, &mut rules.repost_days),
            (Setting::SkipTtlDays, &mut rules.skip_days),
            (Setting::ExpireHours, &mut rules.expire_hours),
        ]
        .into_iter()
        .nth(which)
        .unwrap();
        *decided = if setting == Setting::ExpireHours {
            value + 1
        } else {
            value
        };
        let flow = self.the_box.flow();
        let set = flow.set(setting, decided.to_string(), anna(), self.the_box.now);
        let changed = self.the_box.run(set).unwrap();
        assert!(
            !matches!(changed, storyline::flow::settings::Changed::Refused(_)),
            "{changed:?}"
        );
    }

    fn stretch(&self, from: Ms) -> Stretch {
        Stretch {
            from,
            to: self.now(),
            rules: self.model.rules,
        }
    }

    /// The box does what it does of its own accord.
    fn by_itself(&mut self, lives: impl FnOnce(&mut TheBox)) {
        let from = self.now();
        lives(&mut self.the_box);
        let after = self.read();
        self.stretch(from).allows(&self.model.records, &after);
        self.model.records = after;
        self.meets_stories();
    }

    fn meets_stories(&mut self) {
        let mut new: Vec<(Ms, StoryId)> = Vec::new();
        for (id, story) in &self.model.records.open {
            if story.state != "planned" || !self.stories.contains(id) {
                new.push((story.sent_at.unwrap_or(-story.due_at), *id));
            }
        }
        new.sort_unstable();
        self.stories
            .retain(|known| new.iter().all(|(_, id)| id != known));
        for (_, id) in new {
            self.stories.insert(0, id);
        }
    }

    /// The records are as the model has them, and hold what always must hold.
    fn compare(&self) {
        let records = self.read();
        assert_eq!(records, self.model.records);
        let mut media: Vec<_> = records.open.values().map(|story| &story.media).collect();
        media.sort_unstable();
        assert!(
            media.windows(2).all(|two| two[0] != two[1]),
            "a content is open twice"
        );
        for id in records.open.keys() {
            assert!(records.end_of(*id).is_none(), "{id} is open and has ended");
        }
        let rang = self.the_box.rang();
        let taken_out = self.the_box.desk.records().taken_out.clone();
        for story in &self.stories {
            let of_it = |message: &&crate::desk::Arrived| {
                message.card.story == *story && !taken_out.contains(&message.message)
            };
            let of_it: Vec<_> = rang.iter().filter(of_it).collect();
            assert!(of_it.len() <= 2, "{story} has a third message");
            assert!(of_it.iter().skip(1).all(|second| second.card.sent_again));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 2000, ..cases(12) })]

    #[test]
    fn whatever_is_done_the_records_are_as_the_model_has_them(
        ops in prop::collection::vec(ops(), 1..60),
    ) {
        let mut life = Life::new();
        for op in ops {
            life.happens(op);
        }
    }
}
