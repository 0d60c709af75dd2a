//! The team's desk as an outlet: puts stories in the chat and has their messages follow the records.

use std::sync::Arc;

use teloxide::payloads::{
    EditMessageCaptionSetters, EditMessageMediaSetters, SendAnimationSetters, SendDocumentSetters,
    SendMessageSetters, SendPhotoSetters, SendVideoSetters,
};
use teloxide::prelude::Requester;
use teloxide::types::{
    ChatId, InputFile, InputMedia, InputMediaAnimation, InputMediaPhoto, InputMediaVideo, Message,
    MessageId, ParseMode, ReplyParameters, ThreadId,
};
use teloxide::{ApiError, RequestError};
use tokio::time::error::Elapsed;

use super::Place;
use super::client::{Client, SMALL_CALL, UPLOAD};
use super::message::{alert, caption, keyboard, reminder};
use super::pace::{Pace, Urgency};
use crate::domain::alert::Alert;
use crate::domain::messages::Messages;
use crate::domain::story::MessageRef;
use crate::flow::outlet::{Answer, Card, Motion, Outlet, Picture, Trouble};

/// The team's desk.
#[derive(Clone)]
pub struct Desk {
    client: Client,
    place: Arc<Place>,
    pace: Arc<Pace>,
    messages: Arc<Messages>,
}

impl Desk {
    /// The desk in this place, with these texts.
    #[must_use]
    pub fn new(client: Client, place: Arc<Place>, pace: Arc<Pace>, messages: Messages) -> Self {
        Self {
            client,
            place,
            pace,
            messages: Arc::new(messages),
        }
    }

    async fn send(&self, card: &Card, picture: &Picture) -> Result<MessageRef, Trouble> {
        let chat = self.place.chat;
        self.pace.pass(chat, Urgency::Now).await?;
        let caption = caption(card, &self.messages, &self.place.timezone);
        let buttons = keyboard(card, &self.messages);
        let thread = self.place.thread.map(|id| ThreadId(MessageId(id)));
        let sent = match &picture.motion {
            Some(Motion::Video(video)) => {
                let mut request = self
                    .client
                    .bot
                    .send_video(ChatId(chat), InputFile::file(video.path.clone()))
                    .width(video.width_px)
                    .height(video.height_px)
                    .duration(video.duration_s)
                    .thumbnail(InputFile::memory(video.thumbnail.clone()))
                    .supports_streaming(true)
                    .caption(caption)
                    .parse_mode(ParseMode::Html)
                    .reply_markup(buttons);
                request.message_thread_id = thread;
                tokio::time::timeout(UPLOAD, request).await
            }
            Some(Motion::Animation(animation)) => {
                let file =
                    InputFile::memory(animation.bytes.clone()).file_name(animation.name.clone());
                let mut request = self
                    .client
                    .bot
                    .send_animation(ChatId(chat), file)
                    .caption(caption)
                    .parse_mode(ParseMode::Html)
                    .reply_markup(buttons);
                request.message_thread_id = thread;
                tokio::time::timeout(UPLOAD, request).await
            }
            None => {
                let mut request = self
                    .client
                    .bot
                    .send_photo(ChatId(chat), photo(card, picture))
                    .caption(caption)
                    .parse_mode(ParseMode::Html)
                    .reply_markup(buttons);
                request.message_thread_id = thread;
                tokio::time::timeout(UPLOAD, request).await
            }
        };
        let message = match sent {
            Ok(Ok(message)) => message.id.0,
            // Delivered all the same, by a Telegram that is newer than the library.
            Ok(Err(RequestError::InvalidJson { raw, .. })) if message_id(&raw).is_some() => {
                message_id(&raw).unwrap_or_default()
            }
            Ok(Err(error)) => return Err(self.noted(chat, self.client.trouble(&error))),
            Err(_) => {
                let seconds = UPLOAD.as_secs();
                return Err(Trouble::Unsure(format!("no answer in {seconds} s")));
            }
        };
        let message = MessageRef { chat, message };
        if let Some((name, bytes)) = &picture.document {
            self.send_original(message, name.clone(), bytes.clone());
        }
        Ok(message)
    }

    /// The original of a picture that is too much for a chat's photos, as a document under its story. One try: the story
    /// itself is there, and a second document would be worse than none.
    fn send_original(&self, story: MessageRef, name: String, bytes: Vec<u8>) {
        let desk = self.clone();
        let sending = async move {
            if desk.pace.pass(story.chat, Urgency::Later).await.is_err() {
                return;
            }
            let document = InputFile::memory(bytes).file_name(name.clone());
            let mut request = desk
                .client
                .bot
                .send_document(ChatId(story.chat), document)
                .disable_content_type_detection(true)
                .disable_notification(true)
                .reply_parameters(ReplyParameters::new(MessageId(story.message)));
            if let Some(thread) = desk.place.thread {
                request = request.message_thread_id(ThreadId(MessageId(thread)));
            }
            if let Err(trouble) = desk.client.call(UPLOAD, request).await {
                tracing::warn!("the original {name} was not sent: {}", trouble.reason());
            }
        };
        crate::system::aside::aside(sending);
    }

    async fn edit(&self, message: MessageRef, card: &Card) -> Result<(), Trouble> {
        self.pace.pass(message.chat, Urgency::Now).await?;
        let request = self
            .client
            .bot
            .edit_message_caption(ChatId(message.chat), MessageId(message.message))
            .caption(caption(card, &self.messages, &self.place.timezone))
            .parse_mode(ParseMode::Html)
            .reply_markup(keyboard(card, &self.messages));
        let edited = tokio::time::timeout(SMALL_CALL, request).await;
        self.edited(message.chat, edited)
    }

    async fn replace(
        &self,
        message: MessageRef,
        card: &Card,
        picture: &Picture,
    ) -> Result<(), Trouble> {
        self.pace.pass(message.chat, Urgency::Now).await?;
        let media = input_media(
            card,
            picture,
            caption(card, &self.messages, &self.place.timezone),
        );
        let request = self
            .client
            .bot
            .edit_message_media(ChatId(message.chat), MessageId(message.message), media)
            .reply_markup(keyboard(card, &self.messages));
        let edited = tokio::time::timeout(UPLOAD, request).await;
        self.edited(message.chat, edited)
    }

    /// What came of an edit, which may be repeated.
    fn edited(
        &self,
        chat: i64,
        edited: Result<Result<Message, RequestError>, Elapsed>,
    ) -> Result<(), Trouble> {
        match edited {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(RequestError::Api(ApiError::MessageNotModified))) => Ok(()),
            Ok(Err(RequestError::InvalidJson { raw, .. })) if message_id(&raw).is_some() => Ok(()),
            Ok(Err(error)) => Err(self.noted(chat, self.client.trouble(&error))),
            Err(_) => Err(Trouble::Unsure("no answer".to_owned())),
        }
    }

    async fn send_reminder(&self, story: MessageRef, card: &Card) -> Result<MessageRef, Trouble> {
        self.pace.pass(story.chat, Urgency::Later).await?;
        let text = reminder(card, &self.messages, &self.place.timezone);
        let mut request = self
            .client
            .bot
            .send_message(ChatId(story.chat), text)
            .parse_mode(ParseMode::Html)
            .reply_parameters(ReplyParameters::new(MessageId(story.message)));
        request.message_thread_id = self.place.thread.map(|id| ThreadId(MessageId(id)));
        match self.client.call(SMALL_CALL, request).await {
            Ok(message) => Ok(MessageRef {
                chat: story.chat,
                message: message.id.0,
            }),
            Err(trouble) => Err(self.noted(story.chat, trouble)),
        }
    }

    async fn take_out(&self, message: MessageRef) -> Result<(), Trouble> {
        self.pace.pass(message.chat, Urgency::Later).await?;
        let (chat, id) = (ChatId(message.chat), MessageId(message.message));
        let request = self.client.bot.delete_message(chat, id);
        match self.client.call(SMALL_CALL, request).await {
            Ok(_) => Ok(()),
            Err(trouble) => Err(self.noted(message.chat, trouble)),
        }
    }

    /// An owner who never wrote to the bot cannot be written to; then the team hears of it.
    async fn alarm(&self, told: &Alert) -> Result<(), Trouble> {
        match self.alarm_in(self.place.alert_chat, told).await {
            Err(Trouble::Owner(reason)) if self.place.alert_chat != self.place.chat => {
                tracing::warn!(
                    "the admin chat cannot be told: {reason}; the team's chat is told instead"
                );
                self.alarm_in(self.place.chat, told).await
            }
            answer => answer,
        }
    }

    async fn alarm_in(&self, chat: i64, told: &Alert) -> Result<(), Trouble> {
        self.pace.pass(chat, Urgency::Later).await?;
        let request = self
            .client
            .bot
            .send_message(ChatId(chat), alert(told))
            .parse_mode(ParseMode::Html);
        match self.client.call(SMALL_CALL, request).await {
            Ok(_) => Ok(()),
            Err(trouble) => Err(self.noted(chat, trouble)),
        }
    }

    /// Telegram's wish for patience holds for the whole chat.
    fn noted(&self, chat: i64, trouble: Trouble) -> Trouble {
        if let Trouble::Later(wait) = trouble {
            self.pace.close(chat, wait);
        }
        trouble
    }
}

impl Outlet for Desk {
    fn deliver<'a>(
        &'a self,
        card: &'a Card,
        picture: &'a Picture,
    ) -> Answer<'a, Result<MessageRef, Trouble>> {
        Box::pin(self.send(card, picture))
    }

    fn show<'a>(
        &'a self,
        message: MessageRef,
        card: &'a Card,
        picture: Option<&'a Picture>,
    ) -> Answer<'a, Result<(), Trouble>> {
        match picture {
            Some(picture) => Box::pin(self.replace(message, card, picture)),
            None => Box::pin(self.edit(message, card)),
        }
    }

    fn remind<'a>(
        &'a self,
        message: MessageRef,
        card: &'a Card,
    ) -> Answer<'a, Result<MessageRef, Trouble>> {
        Box::pin(self.send_reminder(message, card))
    }

    fn remove(&self, message: MessageRef) -> Answer<'_, Result<(), Trouble>> {
        Box::pin(self.take_out(message))
    }

    fn tell<'a>(&'a self, alert: &'a Alert) -> Answer<'a, Result<(), Trouble>> {
        Box::pin(self.alarm(alert))
    }
}

/// A picture in place of the one that a message shows.
fn input_media(card: &Card, picture: &Picture, caption: String) -> InputMedia {
    match &picture.motion {
        Some(Motion::Video(video)) => {
            let file = InputFile::file(video.path.clone());
            let mut media = InputMediaVideo::new(file)
                .thumbnail(InputFile::memory(video.thumbnail.clone()))
                .supports_streaming(true)
                .caption(caption)
                .parse_mode(ParseMode::Html);
            media.width = u16::try_from(video.width_px).ok();
            media.height = u16::try_from(video.height_px).ok();
            media.duration = u16::try_from(video.duration_s).ok();
            InputMedia::Video(media)
        }
        Some(Motion::Animation(animation)) => {
            let file = InputFile::memory(animation.bytes.clone()).file_name(animation.name.clone());
            let media = InputMediaAnimation::new(file)
                .caption(caption)
                .parse_mode(ParseMode::Html);
            InputMedia::Animation(media)
        }
        None => {
            let media = InputMediaPhoto::new(photo(card, picture))
                .caption(caption)
                .parse_mode(ParseMode::Html);
            InputMedia::Photo(media)
        }
    }
}

fn photo(card: &Card, picture: &Picture) -> InputFile {
    InputFile::memory(picture.jpeg.clone()).file_name(format!("story-{}.jpg", card.number))
}

/// The message's number in an answer that the library could not read, if the answer says that it went well.
fn message_id(raw: &str) -> Option<i32> {
    let answer: serde_json::Value = serde_json::from_str(raw).ok()?;
    if answer.get("ok")?.as_bool()? {
        i32::try_from(answer.get("result")?.get("message_id")?.as_i64()?).ok()
    } else {
        None
    }
}
