//! Looks for the team's chat before the service is at work: hears what people do, and takes nothing of it. Telegram keeps all of
//! it for the service.

use std::time::Duration;

use teloxide::payloads::{DeleteWebhookSetters, GetUpdatesSetters};
use teloxide::prelude::Requester;
use teloxide::types::{Chat, Message, Update, UpdateKind, User};

use super::client::{Client, SMALL_CALL};
use super::receive::WANTED;
use super::trouble::{is_other_poller, is_webhook_set};
use crate::flow::outlet::Trouble;

/// How long Telegram holds a question open, in seconds; whoever asks has other things to look at.
const POLL: u32 = 5;
/// The pause before it is asked again, when all that it tells is known.
const PAUSE: Duration = Duration::from_secs(1);
/// The most that Telegram tells at a time. What comes after so many is told only when these are taken.
const MOST: usize = 100;

/// A chat in which something happened that the bot saw.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// The chat.
    pub chat: Chat,
    /// The topic in it, if it was in one.
    pub thread: Option<i32>,
    /// Who added the bot, or wrote to it in private; nobody where that is no person.
    pub by: Option<User>,
}

/// Why nothing is heard.
#[derive(Clone, Debug)]
pub enum Obstacle {
    /// Another program asks with the same token, and hears it instead.
    Rival,
    /// So much waits for the service that nothing new can be heard before it is taken.
    Backlog,
    /// Telegram is in trouble.
    Trouble(Trouble),
}

/// Somebody who looks for chats.
pub struct Scout {
    client: Client,
    /// The newest update that was told of.
    newest: Option<u32>,
}

impl Scout {
    /// One that has seen nothing yet; what happened while nobody asked is seen first.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            client,
            newest: None,
        }
    }

    /// Waits a few seconds for something to happen; returns what was not told before, oldest first.
    ///
    /// # Errors
    /// Why nothing can be heard.
    pub async fn look(&mut self) -> Result<Vec<Sighting>, Obstacle> {
        let request = self
            .client
            .bot
            .get_updates()
            .timeout(POLL)
            .allowed_updates(WANTED);
        let updates = match self.client.ask(SMALL_CALL, request).await {
            Ok(updates) => updates,
            Err(failure) if is_other_poller(&failure) => return Err(Obstacle::Rival),
            Err(failure) if is_webhook_set(&failure) => {
                // The service sets its own again.
                let delete = self.client.bot.delete_webhook().drop_pending_updates(false);
                let done = self.client.call(SMALL_CALL, delete).await;
                return done.map(|_| Vec::new()).map_err(Obstacle::Trouble);
            }
            Err(failure) => return Err(Obstacle::Trouble(failure.trouble())),
        };
        let count = updates.len();
        let newest = self.newest;
        let new: Vec<Update> = updates
            .into_iter()
            .filter(|update| newest.is_none_or(|newest| update.id.0 > newest))
            .collect();
        let Some(last) = new.last() else {
            if count >= MOST {
                return Err(Obstacle::Backlog);
            }
            if count > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            return Ok(Vec::new());
        };
        self.newest = Some(last.id.0);
        Ok(new.into_iter().filter_map(sighting).collect())
    }
}

fn sighting(update: Update) -> Option<Sighting> {
    match update.kind {
        UpdateKind::MyChatMember(change) => {
            change.new_chat_member.is_present().then_some(Sighting {
                thread: None,
                by: Some(change.from).filter(is_person),
                chat: change.chat,
            })
        }
        UpdateKind::Message(message) | UpdateKind::ChannelPost(message) => Some(written(message)),
        _ => None,
    }
}

fn written(message: Message) -> Sighting {
    Sighting {
        thread: message
            .thread_id
            .filter(|_| message.is_topic_message)
            .map(|thread| thread.0.0),
        by: message
            .from
            .filter(|from| message.chat.is_private() && is_person(from)),
        chat: message.chat,
    }
}

/// Groups and channels speak by users of Telegram's own, which are bots.
fn is_person(user: &User) -> bool {
    !user.is_bot && !user.is_telegram()
}
