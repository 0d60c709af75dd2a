//! A story that is uploaded goes out in two steps: a few words that notify the team, and the picture in the same message. The
//! first is small, so its answer is hardly ever lost; the second may be repeated. Nobody sees a story twice.

use jiff::Timestamp;

use super::outlet::{Card, Delivered, Outlet, Picture, Trouble};
use super::{Flow, Result};
use crate::domain::story::{MessageRef, Story};
use crate::store::messages::{Kind, NewMessage};
use crate::store::{messages, stories, teams};

impl Flow {
    /// Puts a story before the team: into its announcement, if there is one or is to be one, else at once.
    pub(super) async fn send(
        &self,
        outlet: &dyn Outlet,
        story: &Story,
        announcement: Option<MessageRef>,
        (card, picture): (&Card, &Picture),
        now: Timestamp,
    ) -> Result<std::result::Result<Delivered, Trouble>> {
        let message = match announcement {
            Some(message) => message,
            // By its id it is as small as the announcement would be.
            None if picture.known.is_some() || !outlet.announces() => {
                return Ok(outlet.deliver(card, picture).await);
            }
            None => match outlet.announce(card).await {
                Ok(message) => {
                    self.note_announced(story, message, now).await?;
                    message
                }
                Err(trouble) => return Ok(Err(trouble)),
            },
        };
        match outlet.complete(message, card, picture).await {
            Ok(file_id) => Ok(Ok(Delivered { message, file_id })),
            Err(Trouble::StaysText) => match outlet.remove(message).await {
                Ok(()) | Err(Trouble::Gone) => {
                    self.note_taken_out(story, message).await?;
                    Ok(outlet.deliver(card, picture).await)
                }
                Err(trouble) => Ok(Err(trouble)),
            },
            Err(trouble) => Ok(Err(trouble)),
        }
    }

    /// Writes that a story is announced. From here on its picture goes into this message.
    async fn note_announced(
        &self,
        story: &Story,
        message: MessageRef,
        now: Timestamp,
    ) -> Result<()> {
        let story = story.clone();
        self.time.note_sent(story.id);
        self.store
            .write_durably(move |tx| {
                let messages = story.delivery.messages + 1;
                let is_open = stories::count_messages(tx, &story, messages)?;
                let new = NewMessage {
                    message,
                    kind: Kind::Announcement,
                    attempt: story.delivery.attempt,
                    swaps: story.swaps,
                    is_behind: !is_open,
                };
                messages::add(tx, story.team, story.id, &new, now)?;
                // The team has heard of it: that counts for the spacing.
                teams::note_sent(tx, story.team, now)
            })
            .await
    }

    /// Writes that an announcement is not in the chat any more.
    async fn note_taken_out(&self, story: &Story, message: MessageRef) -> Result<()> {
        let id = story.id;
        self.store
            .write_durably(move |tx| {
                messages::remove(tx, message)?;
                if let Some(story) = stories::get(tx, id)? {
                    let messages = story.delivery.messages.saturating_sub(1);
                    stories::count_messages(tx, &story, messages)?;
                }
                Ok(())
            })
            .await
    }
}
