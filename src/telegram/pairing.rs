//! Chats come and go: the bot is added to one and offers to use it, is removed or loses its rights, or a group becomes a
//! supergroup with another number.

use std::sync::Arc;

use jiff::Timestamp;
use teloxide::payloads::SendMessageSetters;
use teloxide::prelude::Requester;
use teloxide::types::{
    Chat, ChatId, ChatMemberKind, ChatMemberUpdated, InlineKeyboardButton, InlineKeyboardMarkup,
    ParseMode,
};

use super::client::{Client, SMALL_CALL};
use super::members::person_id;
use super::message::plain;
use super::pace::{Pace, Urgency};
use super::panel::Wish;
use crate::domain::person::Deed;
use crate::domain::setting::Setting;
use crate::flow::{Error, Flow};
use crate::system::aside::aside;

/// Minds in which chats the bot is.
pub struct Pairing {
    client: Client,
    flow: Flow,
    pace: Arc<Pace>,
    /// The owner's chat, which is asked whether a new one is to be used.
    admin_chat: Option<i64>,
}

impl Pairing {
    /// Minds the chats of a team.
    #[must_use]
    pub fn new(client: Client, flow: Flow, pace: Arc<Pace>, admin_chat: Option<i64>) -> Self {
        Self {
            client,
            flow,
            pace,
            admin_chat,
        }
    }

    /// The bot stands otherwise in a chat than before.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn changed(
        &self,
        update: u32,
        change: &ChatMemberUpdated,
        now: Timestamp,
    ) -> Result<(), Error> {
        let chat = &change.chat;
        let settings = self.flow.settings().await?;
        if settings.chat == Some(chat.id.0) {
            let trouble = trouble(chat, &change.new_chat_member.kind, &change.from.full_name());
            return self.flow.chat_rights(trouble, now).await;
        }
        let was_there = change.old_chat_member.kind.is_present();
        let is_there = change.new_chat_member.kind.is_present();
        if chat.is_private() || was_there || !is_there {
            return Ok(());
        }
        // Anybody may add a bot to any group, and nobody may fill the owner's chat by it.
        let by = person_id(&change.from);
        let is_known = match self.flow.person(by).await? {
            Some(person) => Flow::may(&person, Deed::Settings),
            None => false,
        };
        let is_trusted = is_known || self.admin_chat == Some(by.0);
        if !self.flow.take_update(update, now).await? {
            return Ok(());
        }
        match self.admin_chat.filter(|_| is_trusted) {
            Some(owner) => self.offer(owner, chat, &settings.name, settings.chat.is_some()),
            None => tracing::info!(
                task = "poll",
                "the bot was added to {}; `storyline team set chat={}` has the team's stories go there",
                named(chat),
                chat.id
            ),
        }
        Ok(())
    }

    /// A group has become a supergroup, or has had another number all along.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn moved(&self, from: i64, to: i64, now: Timestamp) -> Result<(), Error> {
        self.flow.chat_moved(from, to, now).await
    }

    /// Asks the owner whether a chat is to be the team's.
    fn offer(&self, owner: i64, chat: &Chat, team: &str, has_another: bool) {
        let instead = if has_another {
            ", in place of the one that it has"
        } else {
            ""
        };
        let text = format!(
            "I was added to {}. Use this chat for the stories of {team}{instead}?",
            named(chat)
        );
        let wish = Wish::Set(Setting::Chat, chat.id.to_string());
        let buttons = InlineKeyboardMarkup::new([[
            InlineKeyboardButton::callback("✅ Use it", wish.encode()),
            InlineKeyboardButton::callback("✖ No", Wish::Close.encode()),
        ]]);
        let request = self
            .client
            .bot
            .send_message(ChatId(owner), plain(&text))
            .parse_mode(ParseMode::Html)
            .reply_markup(buttons);
        let (client, pace) = (self.client.clone(), Arc::clone(&self.pace));
        aside(async move {
            if pace.pass(owner, Urgency::Later).await.is_err() {
                return;
            }
            if let Err(trouble) = client.call(SMALL_CALL, request).await {
                tracing::warn!("the owner was not asked: {}", trouble.reason());
            }
        });
    }
}

fn named(chat: &Chat) -> String {
    let title = chat.title().unwrap_or("a chat without a name");
    format!("“{title}” ({})", chat.id)
}

/// Why the bot cannot work in the team's chat any more, if it cannot, and what to do.
fn trouble(chat: &Chat, now: &ChatMemberKind, by: &str) -> Option<String> {
    let name = named(chat);
    if !now.is_present() {
        return Some(format!(
            "The bot was removed from the team's chat {name} by {by}: nothing can be sent there. Add it again, or give the \
             team another chat."
        ));
    }
    let may_post = match now {
        ChatMemberKind::Restricted(restricted) => restricted.can_send_messages,
        _ if chat.is_channel() => now.can_post_messages(),
        _ => true,
    };
    (!may_post).then(|| {
        format!(
            "{by} took the bot's right to post in the team's chat {name}. Make it an admin that may post messages there."
        )
    })
}
