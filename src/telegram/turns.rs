//! Takes updates in their turns, strangers' last: of presses on stories by several people, nobody waits for anybody else's, so that all of them
//! wait for one write of the disk; everything else is taken alone.

use std::collections::BTreeSet;

use futures_util::TryStreamExt;
use futures_util::stream::FuturesUnordered;
use teloxide::types::{Update, UpdateKind};

use super::buttons::decode;
use super::receive::Receiver;
use crate::flow::Error;
use crate::system::supervisor::Pulse;

/// How often an update whose effect cannot be committed is tried, before it is given up.
const MOST_TRIES: u32 = 5;

impl Receiver {
    /// Takes these updates. `name` is the bot's own.
    ///
    /// # Errors
    /// If the effect of one could not be committed, so that it must come again; whatever was committed is not taken twice.
    pub(super) async fn take(
        &self,
        name: &str,
        updates: &[Update],
        pulse: &Pulse,
    ) -> Result<(), Error> {
        pulse.beat();
        let sorted = self.hearing.sort(name, updates, self.clock.now()).await?;
        let mut updates = sorted.as_slice();
        while !updates.is_empty() {
            let (together, rest) = updates.split_at(at_once(updates));
            // Begun in order, so that who came first is first on record.
            let takings = together
                .iter()
                .map(|update| self.take_one(name, update, pulse));
            takings
                .collect::<FuturesUnordered<_>>()
                .try_collect::<()>()
                .await?;
            updates = rest;
        }
        Ok(())
    }

    async fn take_one(&self, name: &str, update: &Update, pulse: &Pulse) -> Result<(), Error> {
        let id = update.id.0;
        for attempt in 1..=MOST_TRIES {
            pulse.beat();
            match self.hearing.take(name, update, self.clock.now()).await {
                Ok(()) => return Ok(()),
                Err(
                    error @ (Error::Unavailable(_)
                    | Error::Damaged(_)
                    | Error::Lost(_)
                    | Error::Busy(_)
                    | Error::Closed),
                ) => {
                    return Err(error);
                }
                Err(error) => tracing::error!(
                    task = self.task(),
                    attempt,
                    "update {id} could not be taken: {error}"
                ),
            }
        }
        // A poison update must not hold up all that come after it.
        tracing::error!(task = self.task(), "update {id} is given up");
        Ok(())
    }
}

/// How many of these updates may be taken at once: presses on stories, each by another person.
fn at_once(updates: &[&Update]) -> usize {
    let mut people = BTreeSet::new();
    let presses = updates.iter().take_while(|update| match &update.kind {
        UpdateKind::CallbackQuery(press) => {
            press
                .data
                .as_deref()
                .is_some_and(|data| decode(data).is_ok())
                && people.insert(press.from.id)
        }
        _ => false,
    });
    presses.count().max(1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::ids::StoryId;
    use crate::flow::act::Verb;
    use crate::telegram::buttons::encode;

    fn press(person: u64, data: &str) -> Update {
        let from = json!({"id": person, "is_bot": false, "first_name": "Anna"});
        let press = json!({"id": "1", "from": from, "chat_instance": "1", "data": data});
        update("callback_query", &press)
    }

    fn word() -> Update {
        let chat = json!({"id": -100, "type": "group", "title": "Team"});
        let message = json!({"message_id": 1, "date": 1, "chat": chat, "text": "/queue"});
        update("message", &message)
    }

    fn update(kind: &str, of: &serde_json::Value) -> Update {
        let json = format!(r#"{{"update_id":1,"{kind}":{of}}}"#);
        let update: Update = serde_json::from_str(&json).unwrap();
        assert!(!matches!(update.kind, UpdateKind::Error(_)), "{update:?}");
        update
    }

    #[test]
    fn presses_of_several_people_are_taken_at_once_and_everything_else_alone() {
        let story = encode(Verb::Posted, StoryId::from_bytes([7; 16]), 0);
        let on_story = |person| press(person, &story);
        let at_once = |updates: &[Update]| at_once(&updates.iter().collect::<Vec<_>>());
        assert_eq!(at_once(&[on_story(1), on_story(2), on_story(3)]), 3);
        // What one person does is done in the order in which they did it.
        assert_eq!(at_once(&[on_story(1), on_story(2), on_story(1)]), 2);
        assert_eq!(at_once(&[on_story(1), word(), on_story(2)]), 1);
        assert_eq!(at_once(&[word(), on_story(1), on_story(2)]), 1);
        // A panel asks for more than a story does.
        assert_eq!(at_once(&[on_story(1), press(2, "set2:0:p")]), 1);
        assert_eq!(at_once(&[press(1, "?"), press(2, "?")]), 1);
        assert_eq!(at_once(&[word()]), 1);
    }
}
