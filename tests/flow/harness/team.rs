//! The people around the box: what they do of their own accord, and what a test has them do.

use storyline::domain::audit::By;
use storyline::domain::category::Category;
use storyline::domain::outcome::Outcome;
use storyline::domain::person::{PersonId, Role};
use storyline::domain::story::MessageRef;
use storyline::flow::act::{Press, Pressed, Saw, Verb};
use storyline::flow::clock::Vouched;
use storyline::flow::outlet::{Awaiting, CardStatus};
use storyline::flow::settings::Changed;
use storyline::flow::steer::Commanded;

use super::{TheBox, at, three_a_day};
use crate::desk::Arrived;

pub(crate) const ANNA: PersonId = PersonId(7);
pub(crate) const BEN: PersonId = PersonId(8);

/// Anna, when she decides something.
pub(crate) fn anna() -> By {
    By {
        name: "Anna".to_owned(),
        person: Some(ANNA),
    }
}

/// A story has ended so, and nobody else was on it.
pub(crate) fn ended(outcome: Outcome) -> Pressed {
    Pressed::Ended {
        outcome,
        while_on_it: None,
    }
}

/// What the team does with a story as soon as it sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Team {
    Posts,
    Looks,
    /// Posts, skips, rejects and lets expire, by the story's number.
    IsMoody,
}

/// The first story is before a team that looks on: it was due at nine, and it is ten past.
pub(crate) fn first_story() -> (TheBox, Arrived) {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(60);
    the_box.team = Team::Looks;
    the_box.live_until(at("2027-03-01T09:10:00Z"));
    let arrived = the_box.arrived();
    assert_eq!(arrived.len(), 1);
    (the_box, arrived[0].clone())
}

impl TheBox {
    /// Puts a mix in force. A category that nobody knows is known by a picture that is gone right after.
    pub(crate) fn mix(&self, shares: &[(&str, u32)]) {
        let set = || {
            let shares = shares
                .iter()
                .map(|(name, percent)| (Category::new(name), percent * 10_000))
                .collect();
            self.run(self.flow().set_mix(shares, anna(), self.now))
                .unwrap()
        };
        if set() != Changed::Done {
            let paths = shares.iter().map(|(name, _)| format!("{name}/gone.jpg"));
            for (path, number) in paths.clone().zip(1 << 40..) {
                self.sees_file(&path, number);
            }
            assert_eq!(set(), Changed::Done);
            paths.for_each(|path| self.loses_file(&path));
        }
    }

    pub(super) fn team_acts(&mut self) {
        while self.answered < self.arrived().len() {
            let arrived = self.arrived()[self.answered].clone();
            self.answered += 1;
            let verb = match (self.team, arrived.card.number % 7) {
                (Team::Looks, _) | (Team::IsMoody, 0 | 1) => continue,
                (Team::IsMoody, 2) => Verb::Skip,
                (Team::IsMoody, 3) => Verb::ReallyReject,
                _ => Verb::Posted,
            };
            self.press(&arrived, verb);
        }
    }

    pub(crate) fn press(&mut self, on: &Arrived, verb: Verb) -> Pressed {
        let press = self.a_press(on.card.story, on.message, verb);
        let pressed = self.run(self.flow().press(press, self.now)).unwrap();
        if pressed == ended(Outcome::Posted) {
            self.pressed_posted.insert(on.card.number);
        }
        if let Pressed::PutOff(_) | Pressed::TakenBack(_) = pressed {
            *self.put_off.entry(on.card.number).or_default() += 1;
        }
        pressed
    }

    /// Ben, who is only a member, presses too.
    pub(crate) fn press_by_ben(&mut self, on: &Arrived, verb: Verb) -> Pressed {
        let (flow, name) = (self.flow(), "Ben".to_owned());
        self.run(flow.meet(BEN, name, None, Role::Member, self.now))
            .unwrap();
        let press = Press {
            person: BEN,
            ..self.a_press(on.card.story, on.message, verb)
        };
        self.run(self.flow().press(press, self.now)).unwrap()
    }

    pub(crate) fn a_press(
        &mut self,
        story: storyline::domain::ids::StoryId,
        message: MessageRef,
        verb: Verb,
    ) -> Press {
        self.updates += 1;
        let shown = self.desk.records().shown.get(&message).cloned();
        Press {
            update: self.updates,
            story,
            verb,
            person: ANNA,
            message,
            saw: Saw::after(shown.map_or(0, |card| card.swaps)),
        }
    }

    pub(crate) fn pause(&self) {
        self.run(self.flow().pause(None, anna(), self.now)).unwrap();
    }

    pub(crate) fn resume(&self) {
        self.run(self.flow().resume(None, anna(), self.now))
            .unwrap();
    }

    pub(crate) fn trust_clock(&self) -> bool {
        self.vouch().changed()
    }

    pub(crate) fn vouch(&self) -> Vouched {
        self.run(self.flow().trust_clock(anna(), self.now)).unwrap()
    }

    pub(crate) fn send_next(&mut self) -> Commanded {
        let commanded = self
            .run(self.flow().send_next(None, anna(), self.now))
            .unwrap();
        if let Commanded::Sending(number) = commanded {
            self.asked_for.insert(number);
        }
        commanded
    }

    /// What there is to tell of a story that awaits a press.
    pub(crate) fn awaiting(&self, story: &Arrived) -> Awaiting {
        match self.shown(story).status {
            CardStatus::Awaiting(awaiting) => awaiting,
            other => panic!("{other:?}"),
        }
    }

    /// Whether its message offers to take the outcome back.
    pub(crate) fn may_undo(&self, story: &Arrived) -> bool {
        matches!(
            self.shown(story).status,
            CardStatus::Ended { may_undo: true, .. }
        )
    }
}
