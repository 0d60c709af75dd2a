//! A person who presses "Posted", and what Telegram has heard of it.

use std::collections::BTreeSet;

use crate::pretend::telegram::{Action, PretendTelegram};
use crate::team::{ANN, TEAM, open, story};

pub(crate) struct Presses<'a> {
    pub(crate) telegram: &'a PretendTelegram,
    made: Vec<Press>,
    /// The messages that wait for what comes of a press.
    pressed: BTreeSet<i64>,
}

struct Press {
    query: String,
    story: String,
}

impl<'a> Presses<'a> {
    pub(crate) fn new(telegram: &'a PretendTelegram) -> Self {
        Self {
            telegram,
            made: Vec::new(),
            pressed: BTreeSet::new(),
        }
    }

    /// What still has buttons will be pressed again.
    pub(crate) fn begin_anew(&mut self) {
        self.pressed.clear();
    }

    /// Looks at the chat, and presses what may be pressed, sooner or later as chance will have it, and at times twice.
    pub(crate) fn press(&mut self, chance: u64) {
        if !chance.is_multiple_of(8) {
            return;
        }
        for message in open(self.telegram) {
            let Some(Action::Callback(data)) =
                message.button("Posted").map(|button| &button.action)
            else {
                continue;
            };
            let Some(story) = story(&message).filter(|_| self.pressed.insert(message.id)) else {
                continue;
            };
            for _ in 0..=usize::from(chance.is_multiple_of(32)) {
                self.made.push(Press {
                    query: self.telegram.press_raw(ANN, TEAM, message.id, data),
                    story: story.to_owned(),
                });
            }
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.made.len()
    }

    pub(crate) fn stories(&self) -> BTreeSet<String> {
        self.made.iter().map(|press| press.story.clone()).collect()
    }

    /// The stories with a press that Telegram will not deliver again: it was answered, or a poll confirmed it.
    pub(crate) fn acknowledged(&self) -> BTreeSet<String> {
        let answered = self.answered();
        let (confirmed, waiting) = self.made.split_at(self.confirmed());
        let answered = waiting
            .iter()
            .filter(|press| answered.contains(&press.query));
        let acknowledged = confirmed.iter().chain(answered);
        acknowledged.map(|press| press.story.clone()).collect()
    }

    /// Whether one was neither answered nor confirmed.
    pub(crate) fn are_on_their_way(&self) -> bool {
        let answered = self.answered();
        let mut waiting = self.made.iter().skip(self.confirmed());
        waiting.any(|press| !answered.contains(&press.query))
    }

    /// Whether nothing is left to press, and nothing on its way.
    pub(crate) fn are_done(&self) -> bool {
        open(self.telegram).is_empty() && !self.are_on_their_way()
    }

    fn answered(&self) -> BTreeSet<String> {
        let answers = self.telegram.answers();
        answers.into_iter().map(|answer| answer.query).collect()
    }

    /// How many of the first a poll confirmed: nothing but presses is ever delivered.
    fn confirmed(&self) -> usize {
        let first = self.telegram.handed_out().into_keys().next();
        let polls = self.telegram.calls_of("getUpdates");
        let next = polls
            .iter()
            .filter_map(|poll| poll.params["offset"].as_i64())
            .max();
        let confirmed = first.zip(next).map_or(0, |(first, next)| next - first);
        usize::try_from(confirmed).unwrap_or_default()
    }
}
