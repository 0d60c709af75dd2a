//! The bot's voice: what it says, at the pace that Telegram wants. What is talk is said aside: it was decided and is on record
//! before, whether it arrives or not.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use teloxide::payloads::{
    EditMessageText, EditMessageTextSetters, SendMessage, SendMessageSetters,
};
use teloxide::prelude::Requester;
use teloxide::requests::{HasPayload, JsonRequest, Payload};
use teloxide::types::{
    CallbackQuery, ChatId, InlineKeyboardMarkup, Message, MessageId, ParseMode, ThreadId,
};

use super::attachments::Attachments;
use super::client::{Client, SMALL_CALL};
use super::message::plain;
use super::pace::{Pace, Urgency};
use crate::domain::story::MessageRef;
use crate::domain::team::Place;
use crate::flow::outlet::Trouble;
use crate::system::aside::aside;

/// Where something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The chat.
    pub chat: i64,
    /// The topic in it.
    pub thread: Option<ThreadId>,
}

impl Spot {
    /// Where a message stands.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        Self {
            chat: message.chat.id.0,
            thread: message.thread_id.filter(|_| message.is_topic_message),
        }
    }

    /// Where a button was pressed, on this message.
    #[must_use]
    pub fn of_press(query: &CallbackQuery, message: MessageRef) -> Self {
        let nowhere = Self {
            chat: message.chat,
            thread: None,
        };
        query.regular_message().map_or(nowhere, Self::of)
    }
}

impl From<Spot> for Place {
    fn from(spot: Spot) -> Self {
        Self {
            chat: spot.chat,
            thread: spot.thread.map(|ThreadId(message)| message.0),
        }
    }
}

/// The topic of a place, as Telegram wants it.
pub(super) fn topic(place: Place) -> Option<ThreadId> {
    place.thread.map(|thread| ThreadId(MessageId(thread)))
}

/// One bot, and how much it may say. Clones share it.
#[derive(Clone)]
pub struct Voice {
    /// The bot.
    pub client: Client,
    /// Its pace.
    pub pace: Arc<Pace>,
}

impl Voice {
    /// The voice of a bot that has said nothing yet.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            client,
            pace: Arc::default(),
        }
    }

    /// A message in HTML, to be sent there.
    pub fn message(
        &self,
        place: impl Into<Place>,
        html: impl Into<String>,
    ) -> JsonRequest<SendMessage> {
        let place = place.into();
        let request = self.client.bot.send_message(ChatId(place.chat), html);
        let mut request = request.parse_mode(ParseMode::Html);
        request.message_thread_id = topic(place);
        request
    }

    /// Another text for a message, in HTML.
    pub fn rewording(
        &self,
        message: MessageRef,
        html: impl Into<String>,
    ) -> JsonRequest<EditMessageText> {
        let (chat, id) = (ChatId(message.chat), MessageId(message.message));
        let request = self.client.bot.edit_message_text(chat, id, html);
        request.parse_mode(ParseMode::Html)
    }

    /// Makes a call that a chat sees, when its turn comes.
    ///
    /// # Errors
    /// The trouble, by what to do next.
    pub async fn call<P>(
        &self,
        chat: i64,
        urgency: Urgency,
        limit: Duration,
        request: impl HasPayload<Payload = P>,
    ) -> Result<P::Output, Trouble>
    where
        P: Payload<Output: DeserializeOwned> + Serialize,
    {
        self.upload(chat, urgency, limit, request, Attachments::default())
            .await
    }

    /// Makes a call with files that a chat sees, when its turn comes.
    ///
    /// # Errors
    /// The trouble, by what to do next.
    pub async fn upload<P>(
        &self,
        chat: i64,
        urgency: Urgency,
        limit: Duration,
        request: impl HasPayload<Payload = P>,
        files: Attachments,
    ) -> Result<P::Output, Trouble>
    where
        P: Payload<Output: DeserializeOwned> + Serialize,
    {
        self.pace.pass(chat, urgency).await?;
        let answer = self.client.upload(limit, request, files).await;
        answer.map_err(|failure| self.noted(chat, failure.trouble()))
    }

    /// Telegram's wish for patience holds for the whole chat.
    pub fn noted(&self, chat: i64, trouble: Trouble) -> Trouble {
        if let Trouble::Later(wait) = trouble {
            self.pace.close(chat, wait);
        }
        trouble
    }

    /// Makes a small call that a chat sees, and goes on.
    pub fn aside<P, R>(&self, chat: i64, request: R)
    where
        R: HasPayload<Payload = P> + Send + 'static,
        P: Payload<Output: DeserializeOwned> + Serialize,
    {
        let voice = self.clone();
        aside(async move {
            let said = voice.call(chat, Urgency::Now, SMALL_CALL, request).await;
            if let Err(trouble) = said {
                tracing::warn!("something was not said: {}", trouble.reason());
            }
        });
    }

    /// Says something in plain words.
    pub fn say(&self, spot: Spot, text: &str) {
        self.show(spot, plain(text), InlineKeyboardMarkup::default());
    }

    /// Says something in HTML, with buttons below it.
    pub fn show(&self, spot: Spot, text: String, buttons: InlineKeyboardMarkup) {
        let mut request = self.message(spot, text);
        if !buttons.inline_keyboard.is_empty() {
            request = request.reply_markup(buttons);
        }
        self.aside(spot.chat, request);
    }
}
