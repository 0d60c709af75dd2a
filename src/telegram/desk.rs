//! The team's desk as an outlet: puts stories in the chat and has their messages follow the records.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use teloxide::payloads::{
    EditMessageCaptionSetters, EditMessageMediaSetters, SendAnimationSetters, SendDocumentSetters,
    SendMessageSetters, SendPhotoSetters, SendVideoSetters,
};
use teloxide::prelude::Requester;
use teloxide::types::{
    ChatId, FileId, InputFile, InputMedia, InputMediaAnimation, InputMediaPhoto, InputMediaVideo,
    Message, MessageId, ParseMode, ReplyParameters, ThreadId,
};
use teloxide::{ApiError, RequestError};
use tokio::time::error::Elapsed;

use super::client::{Client, SMALL_CALL, UPLOAD};
use super::message::{alert, caption, keyboard, reminder};
use super::pace::{Pace, Urgency};
use super::voice::Voice;
use crate::domain::alert::Alert;
use crate::domain::messages::Messages;
use crate::domain::story::MessageRef;
use crate::domain::team::Place;
use crate::flow::album::Album;
use crate::flow::bulletin::Bulletin;
use crate::flow::outlet::{
    Answer, Card, Contents, Delivered, Document, Motion, Outlet, Picture, Trouble,
};

/// The team's desk.
#[derive(Clone)]
pub struct Desk {
    pub(super) client: Client,
    pub(super) pace: Arc<Pace>,
    messages: Arc<Messages>,
    /// The owner's chat, which is told of alerts.
    admin_chat: Option<i64>,
    /// The team's chat, which is told where there is no owner's.
    team_chat: Arc<Mutex<Option<i64>>>,
}

impl Desk {
    /// A team's desk, with these texts; alerts go to this chat of the owner's.
    #[must_use]
    pub fn new(
        voice: Voice,
        messages: Messages,
        admin_chat: Option<i64>,
        team_chat: Option<i64>,
    ) -> Self {
        Self {
            client: voice.client,
            pace: voice.pace,
            messages: Arc::new(messages),
            admin_chat,
            team_chat: Arc::new(Mutex::new(team_chat)),
        }
    }

    /// By the picture's id first, if it was uploaded before; Telegram may have forgotten it.
    async fn send(&self, card: &Card, picture: &Picture) -> Result<Delivered, Trouble> {
        if let Some(id) = &picture.known {
            let known = InputFile::file_id(FileId(id.clone()));
            match self.send_file(card, picture, known).await {
                Err(Trouble::Never(reason)) => {
                    tracing::debug!("a file is uploaded again, since by its id: {reason}");
                }
                answer => return answer,
            }
        }
        self.send_file(card, picture, file_of(card, picture)).await
    }

    async fn send_file(
        &self,
        card: &Card,
        picture: &Picture,
        file: InputFile,
    ) -> Result<Delivered, Trouble> {
        let place = card.place.ok_or_else(no_chat)?;
        let chat = place.chat;
        self.pace.pass(chat, Urgency::Story).await?;
        let caption = caption(card, &self.messages);
        let buttons = keyboard(card, &self.messages);
        let (bot, to, thread) = (&self.client.bot, ChatId(chat), topic(Some(place)));
        let sent = match &picture.motion {
            Some(Motion::Video(video)) => {
                let mut request = bot
                    .send_video(to, file)
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
            Some(Motion::Animation(_)) => {
                let mut request = bot
                    .send_animation(to, file)
                    .caption(caption)
                    .parse_mode(ParseMode::Html)
                    .reply_markup(buttons);
                request.message_thread_id = thread;
                tokio::time::timeout(UPLOAD, request).await
            }
            None => {
                let mut request = bot
                    .send_photo(to, file)
                    .caption(caption)
                    .parse_mode(ParseMode::Html)
                    .reply_markup(buttons);
                request.message_thread_id = thread;
                tokio::time::timeout(UPLOAD, request).await
            }
        };
        let (message, file_id) = match sent {
            Ok(Ok(message)) => (message.id.0, uploaded(&message)),
            // Delivered all the same, by a Telegram that is newer than the library.
            Ok(Err(RequestError::InvalidJson { raw, .. })) if message_id(&raw).is_some() => {
                (message_id(&raw).unwrap_or_default(), None)
            }
            Ok(Err(error)) => return Err(self.noted(chat, self.client.trouble(&error))),
            Err(_) => {
                let seconds = UPLOAD.as_secs();
                return Err(Trouble::Unsure(format!("no answer in {seconds} s")));
            }
        };
        let message = MessageRef { chat, message };
        Ok(Delivered { message, file_id })
    }

    async fn send_original(
        &self,
        story: MessageRef,
        card: &Card,
        document: &Document,
    ) -> Result<Option<String>, Trouble> {
        self.pace.pass(story.chat, Urgency::Later).await?;
        let name = document.name.clone();
        let file = match &document.contents {
            Contents::Bytes(bytes) => InputFile::memory(bytes.clone()).file_name(name),
            Contents::File(path) => InputFile::file(path.clone()).file_name(name),
            Contents::Known(id) => InputFile::file_id(FileId(id.clone())),
        };
        let mut request = self
            .client
            .bot
            .send_document(ChatId(story.chat), file)
            .disable_content_type_detection(true)
            .disable_notification(true)
            .reply_parameters(ReplyParameters::new(MessageId(story.message)));
        request.message_thread_id = topic(card.place.filter(|place| place.chat == story.chat));
        match self.client.call(UPLOAD, request).await {
            Ok(message) => Ok(uploaded(&message)),
            Err(trouble) => Err(self.noted(story.chat, trouble)),
        }
    }

    async fn edit(&self, message: MessageRef, card: &Card) -> Result<(), Trouble> {
        self.pace.pass(message.chat, Urgency::Now).await?;
        let request = self
            .client
            .bot
            .edit_message_caption(ChatId(message.chat), MessageId(message.message))
            .caption(caption(card, &self.messages))
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
        let media = input_media(card, picture, caption(card, &self.messages));
        let request = self
            .client
            .bot
            .edit_message_media(ChatId(message.chat), MessageId(message.message), media)
            .reply_markup(keyboard(card, &self.messages));
        let edited = tokio::time::timeout(UPLOAD, request).await;
        self.edited(message.chat, edited)
    }

    /// What came of an edit, which may be repeated.
    pub(super) fn edited(
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
        let text = reminder(card, &self.messages);
        let mut request = self
            .client
            .bot
            .send_message(ChatId(story.chat), text)
            .parse_mode(ParseMode::Html)
            .reply_parameters(ReplyParameters::new(MessageId(story.message)));
        request.message_thread_id = topic(card.place.filter(|place| place.chat == story.chat));
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
    async fn alarm(&self, told: &Alert, team: Option<Place>) -> Result<(), Trouble> {
        // While the records cannot be read, nobody knows the team's chat but who was there before.
        let team = match team {
            Some(place) => Some(*lock(&self.team_chat).insert(place.chat)),
            None => *lock(&self.team_chat),
        };
        let Some(chat) = self.admin_chat.or(team) else {
            return Err(no_chat());
        };
        match (self.alarm_in(chat, told).await, team) {
            (Err(Trouble::Owner(reason)), Some(team)) if team != chat => {
                tracing::warn!(
                    "the admin chat cannot be told: {reason}; the team's chat is told instead"
                );
                self.alarm_in(team, told).await
            }
            (answer, _) => answer,
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
    pub(super) fn noted(&self, chat: i64, trouble: Trouble) -> Trouble {
        if let Trouble::Later(wait) = trouble {
            self.pace.close(chat, wait);
        }
        trouble
    }
}

impl Outlet for Desk {
    fn bot(&self) -> &str {
        self.client.id()
    }

    fn deliver<'a>(
        &'a self,
        card: &'a Card,
        picture: &'a Picture,
    ) -> Answer<'a, Result<Delivered, Trouble>> {
        Box::pin(self.send(card, picture))
    }

    fn original<'a>(
        &'a self,
        message: MessageRef,
        card: &'a Card,
        document: &'a Document,
    ) -> Answer<'a, Result<Option<String>, Trouble>> {
        Box::pin(self.send_original(message, card, document))
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

    fn album<'a>(&'a self, album: &'a Album) -> Answer<'a, Result<Vec<Option<String>>, Trouble>> {
        Box::pin(self.send_album(album))
    }

    fn publish<'a>(
        &'a self,
        place: Place,
        bulletin: &'a Bulletin,
    ) -> Answer<'a, Result<MessageRef, Trouble>> {
        Box::pin(self.send_bulletin(place, bulletin))
    }

    fn revise<'a>(
        &'a self,
        message: MessageRef,
        bulletin: &'a Bulletin,
    ) -> Answer<'a, Result<(), Trouble>> {
        Box::pin(self.edit_bulletin(message, bulletin))
    }

    fn remove(&self, message: MessageRef) -> Answer<'_, Result<(), Trouble>> {
        Box::pin(self.take_out(message))
    }

    fn tell<'a>(
        &'a self,
        alert: &'a Alert,
        team: Option<Place>,
    ) -> Answer<'a, Result<(), Trouble>> {
        Box::pin(self.alarm(alert, team))
    }
}

fn lock(chat: &Mutex<Option<i64>>) -> MutexGuard<'_, Option<i64>> {
    chat.lock().unwrap_or_else(PoisonError::into_inner)
}

fn no_chat() -> Trouble {
    Trouble::Owner("the team has no chat yet".to_owned())
}

pub(super) fn topic(place: Option<Place>) -> Option<ThreadId> {
    let thread = place?.thread?;
    Some(ThreadId(MessageId(thread)))
}

/// A picture in place of the one that a message shows.
fn input_media(card: &Card, picture: &Picture, caption: String) -> InputMedia {
    let file = file_of(card, picture);
    match &picture.motion {
        Some(Motion::Video(video)) => {
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
        Some(Motion::Animation(_)) => {
            let media = InputMediaAnimation::new(file)
                .caption(caption)
                .parse_mode(ParseMode::Html);
            InputMedia::Animation(media)
        }
        None => {
            let media = InputMediaPhoto::new(file)
                .caption(caption)
                .parse_mode(ParseMode::Html);
            InputMedia::Photo(media)
        }
    }
}

/// What is uploaded of a picture.
fn file_of(card: &Card, picture: &Picture) -> InputFile {
    match &picture.motion {
        Some(Motion::Video(video)) => InputFile::file(video.path.clone()),
        Some(Motion::Animation(animation)) => {
            InputFile::memory(animation.bytes.clone()).file_name(animation.name.clone())
        }
        None => {
            InputFile::memory(picture.jpeg.clone()).file_name(format!("story-{}.jpg", card.number))
        }
    }
}

/// The id under which what a message shows can be sent again.
pub(super) fn uploaded(message: &Message) -> Option<String> {
    let photo = message.photo().and_then(|sizes| sizes.last());
    let file = photo
        .map(|photo| &photo.file)
        .or_else(|| message.video().map(|video| &video.file))
        .or_else(|| message.animation().map(|animation| &animation.file))
        .or_else(|| message.document().map(|document| &document.file));
    file.map(|file| file.id.0.clone())
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
