//! The model: what a press must lead to. It is written from what people are promised, and asks nothing of the program.

use std::collections::HashSet;

use jiff::Timestamp;
use storyline::domain::ids::StoryId;
use storyline::domain::outcome::Outcome;
use storyline::domain::person::PersonId;
use storyline::domain::story::Claim;
use storyline::flow::act::{Pressed, Verb};

use super::records::{End, Ms, Open, Records};

pub(super) const SECOND: Ms = 1000;
pub(super) const MINUTE: Ms = 60 * SECOND;
pub(super) const HOUR: Ms = 60 * MINUTE;
pub(super) const DAY: Ms = 24 * HOUR;

/// Anna is an admin, Ben and Cleo are members, Dora is of another team.
pub(super) const NAMES: [(i64, &str); 4] = [(7, "Anna"), (8, "Ben"), (9, "Cleo"), (10, "Dora")];
const ADMIN: i64 = 7;

/// What a person saw when they pressed, as far as it matters.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sight {
    /// A button of the media after so many swaps.
    Button(i64),
    /// They wrote then; whether the message was an announcement, and whether the chat shows the media of now.
    Words {
        at: Ms,
        is_announcement: bool,
        shows_it: bool,
    },
}

/// A press, as the model needs it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tap {
    pub(super) update: u32,
    pub(super) story: StoryId,
    pub(super) verb: Verb,
    pub(super) person: i64,
    pub(super) sight: Sight,
}

/// What is decided in settings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) repost_days: i64,
    pub(super) skip_days: i64,
    pub(super) expire_hours: i64,
}

impl Rules {
    /// The lock that an end puts on its media.
    pub(super) fn lock(&self, outcome: &str, at: Ms) -> Option<(&'static str, Option<Ms>)> {
        match outcome {
            "posted" => Some(("recent_post", Some(at + self.repost_days * DAY))),
            "skipped" | "failed" => Some(("skip", Some(at + self.skip_days * DAY))),
            "rejected" => Some(("rejected", None)),
            _ => None,
        }
    }
}

/// How things were before an outcome that may be taken back.
#[derive(Clone, Debug)]
struct Before {
    story: Open,
    last_posted_at: Option<Ms>,
    lock: (String, String, Option<Ms>),
}

pub(super) struct Model {
    pub(super) records: Records,
    pub(super) rules: Rules,
    taken: HashSet<u32>,
    before: Vec<(StoryId, Before)>,
}

pub(super) fn name(person: i64) -> String {
    let known = NAMES.iter().find(|(id, _)| *id == person);
    known.unwrap().1.to_owned()
}

fn time(ms: Ms) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap()
}

/// Who is on it: a claim stands for a quarter of an hour.
pub(super) fn on_it(story: &Open, now: Ms) -> Option<(i64, Ms)> {
    story.claim.filter(|(_, at)| (now - at).abs() < 15 * MINUTE)
}

/// In two hours, or when the team's hours (nine to nine) begin again.
fn two_hours_on(now: Ms) -> Ms {
    let then = now + 2 * HOUR;
    let midnight = then.div_euclid(DAY) * DAY;
    match then - midnight {
        early if early < 9 * HOUR => midnight + 9 * HOUR,
        late if late >= 21 * HOUR => midnight + DAY + 9 * HOUR,
        _ => then,
    }
}

impl Model {
    pub(super) fn new(records: Records, rules: Rules) -> Self {
        Self {
            records,
            rules,
            taken: HashSet::new(),
            before: Vec::new(),
        }
    }

    /// What the answer to a press must be; the records are as they must be then. Of a swap only the media is left open.
    pub(super) fn press(&mut self, tap: Tap, now: Ms) -> Pressed {
        let Some((is_active, _)) = self.records.people.get(&tap.person) else {
            return Pressed::Stranger;
        };
        if !self.taken.insert(tap.update) {
            return Pressed::Repeated;
        }
        if !is_active {
            return Pressed::Deactivated;
        }
        match self.records.open.get(&tap.story).cloned() {
            Some(story) if tap.verb == Verb::SwapAhead => {
                if story.state != "planned" {
                    return Pressed::SentBefore;
                }
                self.swap_unless_stale(tap, story, now)
            }
            Some(story) => self.press_open(tap, story, now),
            None if tap.verb == Verb::Undo => self.take_back(tap, now),
            None => match (self.records.end_of(tap.story), tap.verb) {
                (Some(end), _) => Pressed::EndedBefore {
                    outcome: end.outcome.parse().unwrap(),
                    by: end.person.map(name),
                    by_asker: end.person == Some(tap.person),
                    at: time(end.at),
                },
                (None, Verb::SwapAhead) => Pressed::Redrawn,
                (None, _) => Pressed::Unknown,
            },
        }
    }

    fn press_open(&mut self, tap: Tap, mut story: Open, now: Ms) -> Pressed {
        if let Sight::Words {
            is_announcement: true,
            ..
        } = tap.sight
        {
            return Pressed::NotShown;
        }
        // Nobody can have seen it.
        if story.messages == 0 && matches!(story.state.as_str(), "planned" | "retrying") {
            return Pressed::Unknown;
        }
        // Who presses has it before them.
        if story.state != "awaiting" {
            story.state = "awaiting".to_owned();
            story.since = now;
            story.messages = story.messages.max(1);
            story.sent_at = story.sent_at.or(Some(now));
            self.records.open.insert(tap.story, story.clone());
        }
        let answer = match tap.verb {
            Verb::Claim => match on_it(&story, now) {
                Some((person, _)) if person == tap.person => {
                    story.claim = None;
                    Pressed::Released
                }
                Some((person, at)) => Pressed::ClaimedBefore(Claim {
                    person: PersonId(person),
                    name: name(person),
                    at: time(at),
                }),
                None => {
                    story.claim = Some((tap.person, now));
                    Pressed::Claimed
                }
            },
            Verb::Later => {
                let until = two_hours_on(now);
                if until - story.sent_at.unwrap_or(story.since) > 48 * HOUR {
                    Pressed::PutOffEnough
                } else {
                    story.later_at = Some(until);
                    story.claim = None;
                    Pressed::PutOff(time(until))
                }
            }
            Verb::Undo => Pressed::TooLate,
            Verb::Keep => {
                story.asked_at = None;
                Pressed::Kept
            }
            Verb::Swap => return self.swap_unless_stale(tap, story, now),
            _ if is_stale(tap, &story) => Pressed::SwappedBefore,
            Verb::Reject => {
                story.asked_at = Some(now);
                Pressed::Asking
            }
            Verb::Original => match story.original_at {
                Some(at) if (now - at).abs() < HOUR => Pressed::OriginalSentAt(time(at)),
                _ => {
                    story.original_at = Some(now);
                    Pressed::SendOriginal
                }
            },
            Verb::Posted => return self.end(tap, story, Outcome::Posted, now),
            Verb::Skip => return self.end(tap, story, Outcome::Skipped, now),
            Verb::ReallyReject => return self.end(tap, story, Outcome::Rejected, now),
            Verb::SwapAhead => unreachable!("is of the plan"),
        };
        self.records.open.insert(tap.story, story);
        answer
    }

    fn swap_unless_stale(&mut self, tap: Tap, mut story: Open, now: Ms) -> Pressed {
        if is_stale(tap, &story) {
            return Pressed::SwappedBefore;
        }
        let out = (story.media.clone(), "skip".to_owned(), Some(now + DAY));
        self.records.locks.push(out);
        self.records.locks.sort();
        story.swaps += 1;
        story.swapped_at = Some(now);
        (story.asked_at, story.original_at) = (None, None);
        self.records.open.insert(tap.story, story);
        Pressed::Swapped
    }

    fn end(&mut self, tap: Tap, story: Open, outcome: Outcome, now: Ms) -> Pressed {
        let others = on_it(&story, now).filter(|(person, _)| *person != tap.person);
        let (kind, until) = self.rules.lock(outcome.as_str(), now).unwrap();
        let lock = (story.media.clone(), kind.to_owned(), until);
        let last_posted_at = self.count(&story.media, outcome, tap.person, 1);
        if outcome == Outcome::Posted {
            self.records.counters.get_mut(&story.media).unwrap().2 = Some(now);
        }
        let records = &mut self.records;
        records.open.remove(&tap.story);
        records.history.insert(End {
            story: tap.story,
            part: records.next_part(tap.story),
            number: Some(story.number),
            media: Some(story.media.clone()),
            outcome: outcome.to_string(),
            person: Some(tap.person),
            at: now,
        });
        records.locks.push(lock.clone());
        records.locks.sort();
        records.undos.insert(tap.story, now + MINUTE);
        let before = Before {
            story,
            last_posted_at,
            lock,
        };
        self.before.retain(|(id, _)| *id != tap.story);
        self.before.push((tap.story, before));
        Pressed::Ended {
            outcome,
            while_on_it: others.map(|(person, _)| name(person)),
        }
    }

    /// Counts an outcome, or takes it back; tells when the media was posted last until now.
    fn count(&mut self, media: &str, outcome: Outcome, person: i64, by: i64) -> Option<Ms> {
        let credits = &mut self.records.people.get_mut(&person).unwrap().1;
        let counters = self.records.counters.entry(media.to_owned()).or_default();
        match outcome {
            Outcome::Posted => (counters.0, credits[0]) = (counters.0 + by, credits[0] + by),
            Outcome::Skipped => (counters.1, credits[1]) = (counters.1 + by, credits[1] + by),
            _ => credits[2] += by,
        }
        let last_posted_at = counters.2;
        if *counters == (0, 0, None) {
            self.records.counters.remove(media);
        }
        last_posted_at
    }

    fn take_back(&mut self, tap: Tap, now: Ms) -> Pressed {
        let records = &mut self.records;
        let (Some(end), Some(until)) = (
            records.end_of(tap.story).cloned(),
            records.undos.get(&tap.story).copied(),
        ) else {
            return Pressed::TooLate;
        };
        let by = end.person.unwrap();
        if by != tap.person && tap.person != ADMIN {
            return Pressed::OnlyTheirs(name(by));
        }
        if now > until || until - now > MINUTE {
            return Pressed::TooLate;
        }
        let before = self.before.iter().find(|(id, _)| *id == tap.story);
        let before = before.unwrap().1.clone();
        let same = |(_, other): &(&StoryId, &Open)| other.media == before.story.media;
        if let Some((id, other)) = records.open.iter().find(same) {
            if other.state != "planned" || other.is_wish || other.due_at <= now {
                return Pressed::TooLate;
            }
            let id = *id;
            records.open.remove(&id);
        }
        records.history.insert(End {
            part: end.part + 1,
            outcome: "withdrawn".to_owned(),
            person: Some(tap.person),
            at: now,
            ..end.clone()
        });
        records.undos.remove(&tap.story);
        let lock = records.locks.iter().position(|lock| *lock == before.lock);
        records.locks.remove(lock.unwrap());
        let reopened = Open {
            since: now,
            claim: None,
            later_at: None,
            asked_at: None,
            original_at: None,
            is_undone: true,
            ..before.story.clone()
        };
        records.open.insert(tap.story, reopened);
        let outcome: Outcome = end.outcome.parse().unwrap();
        let media = before.story.media;
        if outcome == Outcome::Posted {
            self.records.counters.get_mut(&media).unwrap().2 = before.last_posted_at;
        }
        self.count(&media, outcome, by, -1);
        Pressed::TakenBack(outcome)
    }
}

/// Whether a person saw another media than the story shows now.
fn is_stale(tap: Tap, story: &Open) -> bool {
    match tap.sight {
        // A button has eight bits for it.
        Sight::Button(swaps) => swaps.rem_euclid(256) != story.swaps.rem_euclid(256),
        Sight::Words { at, shows_it, .. } => {
            !shows_it || story.swapped_at.is_some_and(|swapped_at| swapped_at > at)
        }
    }
}
