//! What a message shows is a projection of the records. Whoever changes a record only says so; this verb has the chat
//! follow, again and again, until it shows the truth or the message is gone.

use jiff::{SignedDuration, Timestamp};

use super::outlet::{Card, CardStatus, Outlet, Trouble};
use super::{Flow, Result};
use crate::domain::entry::{Entry, Snapshot};
use crate::domain::ids::StoryId;
use crate::domain::story::Story;
use crate::store::messages::Behind;
use crate::store::{Tx, history, media, messages, stories};

/// How many messages are taken up in one step; each may take a while, and the step is a sign of life.
const BATCH: u32 = 3;

/// The longest pause between two tries to change a message.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(30);

impl Flow {
    /// Has a few messages that are behind follow. Returns when to call again, if one is left.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub async fn follow(&self, outlet: &dyn Outlet, now: Timestamp) -> Result<Option<Timestamp>> {
        let team = self.team;
        let behind = self
            .store
            .read(move |tx| {
                let behind = messages::behind(tx, team, now, BATCH)?;
                behind
                    .into_iter()
                    .map(|behind| Ok((card(tx, behind.story)?, behind)))
                    .collect::<Result<Vec<_>>>()
            })
            .await?;
        if behind.is_empty() {
            return self
                .store
                .read(move |tx| messages::next_try(tx, team))
                .await;
        }
        for (card, behind) in behind {
            let shown = match &card {
                Some(card) => outlet.show(behind.message, card).await,
                None => Err(Trouble::Gone),
            };
            self.store
                .write(move |tx| note(tx, &behind, &shown, now))
                .await?;
        }
        Ok(Some(now)) // there may be more
    }

    /// What a story's message shows now.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn card(&self, story: StoryId) -> Result<Option<Card>> {
        self.store.read(move |tx| card(tx, story)).await
    }
}

fn note(
    tx: &mut dyn Tx,
    behind: &Behind,
    shown: &std::result::Result<(), Trouble>,
    now: Timestamp,
) -> Result<()> {
    let message = behind.message;
    let pause = match shown {
        Ok(()) => return messages::follow(tx, message, behind.wanted),
        // Nothing to mend: it is gone, or Telegram will never take it.
        Err(Trouble::Gone) => return messages::remove(tx, message),
        Err(Trouble::Never(reason)) => {
            tracing::warn!("message {} cannot be changed: {reason}", message.message);
            return messages::follow(tx, message, behind.wanted);
        }
        // Never at once, or this would be asked for ever.
        Err(Trouble::Later(after)) => SignedDuration::try_from(*after)
            .unwrap_or(SignedDuration::from_secs(60))
            .max(SignedDuration::from_secs(1)),
        Err(_) => {
            (SignedDuration::from_secs(5) * (1 << behind.failures.min(10))).min(LONGEST_PAUSE)
        }
    };
    let retry_at = now.checked_add(pause).unwrap_or(now);
    messages::fail(tx, message, behind.failures + 1, retry_at)
}

/// A story as its message should show it: from the queue, or from the history.
fn card(tx: &mut dyn Tx, id: StoryId) -> Result<Option<Card>> {
    if let Some(story) = stories::get(tx, id)? {
        let shown = media::get(tx, story.media)?;
        return Ok(Some(open_card(&story, Snapshot::of(&shown))));
    }
    Ok(history::of_story(tx, id)?.map(ended_card))
}

fn open_card(story: &Story, media: Snapshot) -> Card {
    Card {
        story: story.id,
        number: story.number,
        due_at: story.due_at,
        media,
        sent_again: story.delivery.messages > 1,
        status: if story.reject_asked_at.is_some() {
            CardStatus::AskingReject
        } else {
            CardStatus::Awaiting {
                offered_again_at: story.offered_again_at,
            }
        },
    }
}

fn ended_card(entry: Entry) -> Card {
    Card {
        story: entry.story,
        number: entry.number.unwrap_or_default(),
        due_at: entry.due_at,
        media: entry.snapshot,
        sent_again: false,
        status: CardStatus::Ended {
            outcome: entry.outcome,
            by: entry.person_name,
            at: entry.ended_at,
            took: entry
                .sent_at
                .map(|sent| entry.ended_at.duration_since(sent)),
            reason: entry.reason,
        },
    }
}
