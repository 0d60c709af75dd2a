//! The team's desk as an outlet: puts stories in the chat and has their messages follow the records.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use teloxide::ApiError;
use teloxide::payloads::{
    EditMessageCaptionSetters, EditMessageMediaSetters, EditMessageTextSetters,
    SendAnimationSetters, SendDocumentSetters, SendMessageSetters, SendPhotoSetters,
    SendVideoSetters,
};
use teloxide::prelude::Requester;
use teloxide::types::{ChatId, FileId, InputFile, Message, MessageId, ParseMode, ReplyParameters};

use super::attachments::Attachments;
use super::client::{SMALL_CALL, UPLOAD};
use super::message::{announcement, caption, keyboard, reminder};
use super::pace::Urgency;
use super::picture::{THUMBNAIL, file_of, input_media, uploaded};
use super::trouble::{Failure, is_no_text, is_text_for_good};
use super::voice::{Voice, topic};
use crate::domain::alert::Alert;
use crate::domain::messages::Messages;
use crate::domain::story::MessageRef;
use crate::domain::team::Place;
use crate::flow::album::Album;
use crate::flow::bulletin::Bulletin;
use crate::flow::outlet::{
    Answer, Card, Contents, Delivered, Document, Motion, Outlet, Picture, Trouble,
};

/// What an edit led to.
type Edited = Result<Message, Failure>;

/// The team's desk.
#[derive(Clone)]
pub struct Desk {
    pub(super) voice: Voice,
    messages: Arc<Messages>,
    /// Whether stories are announced: until the server refuses to put a picture into a text.
    announces: Arc<AtomicBool>,
    /// The owner's chat, which is told of alerts.
    pub(super) admin_chat: Option<i64>,
    /// The team's place, which is told where there is no owner's.
    pub(super) home: Arc<Mutex<Option<Place>>>,
}

impl Desk {
    /// A team's desk, with these texts, which announces stories or not; alerts go to this chat of the owner's.
    #[must_use]
    pub fn new(
        voice: Voice,
        messages: Messages,
        announces: bool,
        admin_chat: Option<i64>,
        home: Option<Place>,
    ) -> Self {
        Self {
            voice,
            messages: Arc::new(messages),
            announces: Arc::new(AtomicBool::new(announces)),
            admin_chat,
            home: Arc::new(Mutex::new(home)),
        }
    }

    /// By the picture's id first, if it was uploaded before; Telegram may have forgotten it.
    async fn send(&self, card: &Card, picture: &Picture) -> Result<Delivered, Trouble> {
        if let Some(id) = &picture.known {
            let known = InputFile::file_id(FileId(id.clone()));
            match self
                .send_file(card, picture, known, Attachments::default())
                .await
            {
                Err(Trouble::Never(reason)) => {
                    tracing::debug!("a file is uploaded again, since by its id: {reason}");
                }
                answer => return answer,
            }
        }
        let mut files = Attachments::default();
        let file = file_of(card, picture, &mut files);
        self.send_file(card, picture, file, files).await
    }

    async fn send_file(
        &self,
        card: &Card,
        picture: &Picture,
        file: InputFile,
        mut files: Attachments,
    ) -> Result<Delivered, Trouble> {
        let place = card.place.ok_or_else(no_chat)?;
        let chat = place.chat;
        self.voice.pace.pass(chat, Urgency::Story).await?;
        let caption = caption(card, &self.messages);
        let buttons = keyboard(card, &self.messages);
        let (client, to, thread) = (&self.voice.client, ChatId(chat), topic(place));
        let bot = &client.bot;
        let sent = match &picture.motion {
            Some(Motion::Video(video)) => {
                let mut request = bot
                    .send_video(to, file)
                    .width(video.width_px)
                    .height(video.height_px)
                    .duration(video.duration_s)
                    .thumbnail(files.bytes(THUMBNAIL, video.thumbnail.clone()))
                    .supports_streaming(true)
                    .caption(caption)
                    .parse_mode(ParseMode::Html)
                    .reply_markup(buttons);
                request.message_thread_id = thread;
                client.upload(UPLOAD, request, files).await
            }
            Some(Motion::Animation(_)) => {
                let mut request = bot
                    .send_animation(to, file)
                    .caption(caption)
                    .parse_mode(ParseMode::Html)
                    .reply_markup(buttons);
                request.message_thread_id = thread;
                client.upload(UPLOAD, request, files).await
            }
            None => {
                let mut request = bot
                    .send_photo(to, file)
                    .caption(caption)
                    .parse_mode(ParseMode::Html)
                    .reply_markup(buttons);
                request.message_thread_id = thread;
                client.upload(UPLOAD, request, files).await
            }
        };
        let (message, file_id) = match sent {
            Ok(message) => (message.id.0, uploaded(&message)),
            // It broke the call off by itself.
            Err(_) if picture.has_changed() => return Err(Trouble::Changed),
            Err(failure) => (self.accepted(chat, &failure)?, None),
        };
        let message = MessageRef { chat, message };
        Ok(Delivered { message, file_id })
    }

    async fn send_announcement(&self, card: &Card) -> Result<MessageRef, Trouble> {
        let place = card.place.ok_or_else(no_chat)?;
        let chat = place.chat;
        self.voice.pace.pass(chat, Urgency::Story).await?;
        let text = announcement(card, &self.messages);
        let request = self.voice.message(place, text);
        let message = match self.voice.client.ask(SMALL_CALL, request).await {
            Ok(message) => message.id.0,
            Err(failure) => self.accepted(chat, &failure)?,
        };
        Ok(MessageRef { chat, message })
    }

    /// The message that is there all the same, by a Telegram that is newer than the library.
    fn accepted(&self, chat: i64, failure: &Failure) -> Result<i32, Trouble> {
        let trouble = || self.voice.noted(chat, failure.trouble());
        failure.accepted().ok_or_else(trouble)
    }

    async fn send_original(
        &self,
        story: MessageRef,
        card: &Card,
        document: &Document,
    ) -> Result<Option<String>, Trouble> {
        let (name, mut files) = (document.name.clone(), Attachments::default());
        let file = match &document.contents {
            Contents::Bytes(bytes) => files.bytes(name, bytes.clone()),
            Contents::File(file) => files.held(name, file),
            Contents::Known(id) => InputFile::file_id(FileId(id.clone())),
        };
        let mut request = self
            .voice
            .client
            .bot
            .send_document(ChatId(story.chat), file)
            .disable_content_type_detection(true)
            .disable_notification(true)
            .reply_parameters(ReplyParameters::new(MessageId(story.message)));
        request.message_thread_id = topic(beside(story, card));
        let (chat, urgency) = (story.chat, Urgency::Later);
        let sent = self.voice.upload(chat, urgency, UPLOAD, request, files);
        match sent.await {
            Ok(message) => Ok(uploaded(&message)),
            // It broke the call off by itself.
            Err(_) if document.has_changed() => Err(Trouble::Changed),
            Err(trouble) => Err(trouble),
        }
    }

    async fn edit(&self, message: MessageRef, card: &Card) -> Result<(), Trouble> {
        self.voice.pace.pass(message.chat, Urgency::Now).await?;
        let request = self
            .voice
            .client
            .bot
            .edit_message_caption(ChatId(message.chat), MessageId(message.message))
            .caption(caption(card, &self.messages))
            .parse_mode(ParseMode::Html)
            .reply_markup(keyboard(card, &self.messages));
        let edited = self.voice.client.ask(SMALL_CALL, request).await;
        self.edited(message.chat, edited).map(drop)
    }

    /// An announcement may show its picture though nobody knows: the answer was lost.
    async fn edit_text(&self, message: MessageRef, card: &Card) -> Result<(), Trouble> {
        self.voice.pace.pass(message.chat, Urgency::Now).await?;
        let text = caption(card, &self.messages);
        let request = self
            .voice
            .rewording(message, text)
            .reply_markup(keyboard(card, &self.messages));
        let edited = self.voice.client.ask(SMALL_CALL, request).await;
        if let Err(failure) = &edited
            && is_no_text(failure)
        {
            return self.edit(message, card).await;
        }
        self.edited(message.chat, edited).map(drop)
    }

    async fn complete_announcement(
        &self,
        message: MessageRef,
        card: &Card,
        picture: &Picture,
    ) -> Result<Option<String>, Trouble> {
        let edited = self.put(Urgency::Picture, message, card, picture).await?;
        if let Err(failure) = &edited
            && is_text_for_good(failure)
        {
            if self.announces.swap(false, Ordering::Relaxed) {
                tracing::warn!(
                    "this server of the Bot API puts no picture into a text: stories are sent in one call from now on; \
                     `[telegram] announce = false` says so from the start"
                );
            }
            return Err(Trouble::StaysText);
        }
        self.edited(message.chat, edited)
    }

    /// Puts a picture into a message.
    async fn put(
        &self,
        urgency: Urgency,
        message: MessageRef,
        card: &Card,
        picture: &Picture,
    ) -> Result<Edited, Trouble> {
        self.voice.pace.pass(message.chat, urgency).await?;
        let mut files = Attachments::default();
        let media = input_media(card, picture, caption(card, &self.messages), &mut files);
        let request = self
            .voice
            .client
            .bot
            .edit_message_media(ChatId(message.chat), MessageId(message.message), media)
            .reply_markup(keyboard(card, &self.messages));
        match self.voice.client.upload(UPLOAD, request, files).await {
            Err(_) if picture.has_changed() => Err(Trouble::Changed),
            put => Ok(put),
        }
    }

    /// What came of an edit, which may be repeated; the id under which what it shows can be sent again.
    pub(super) fn edited(&self, chat: i64, edited: Edited) -> Result<Option<String>, Trouble> {
        match edited {
            Ok(message) => Ok(uploaded(&message)),
            Err(Failure::Refused(ApiError::MessageNotModified)) => Ok(None),
            Err(failure) => self.accepted(chat, &failure).map(|_| None),
        }
    }

    async fn send_reminder(&self, story: MessageRef, card: &Card) -> Result<MessageRef, Trouble> {
        let text = reminder(card, &self.messages);
        let request = self
            .voice
            .message(beside(story, card), text)
            .reply_parameters(ReplyParameters::new(MessageId(story.message)));
        let chat = story.chat;
        let sent = self.voice.call(chat, Urgency::Later, SMALL_CALL, request);
        let message = sent.await?.id.0;
        Ok(MessageRef { chat, message })
    }

    async fn take_out(&self, message: MessageRef) -> Result<(), Trouble> {
        let (chat, id) = (ChatId(message.chat), MessageId(message.message));
        let request = self.voice.client.bot.delete_message(chat, id);
        self.voice
            .call(message.chat, Urgency::Later, SMALL_CALL, request)
            .await
            .map(drop)
    }
}

impl Outlet for Desk {
    fn bot(&self) -> &str {
        self.voice.client.id()
    }

    fn announces(&self) -> bool {
        self.announces.load(Ordering::Relaxed)
    }

    fn greet(&self) -> Answer<'_, Result<(), Trouble>> {
        Box::pin(async move {
            let client = &self.voice.client;
            client.call(SMALL_CALL, client.bot.get_me()).await.map(drop)
        })
    }

    fn announce<'a>(&'a self, card: &'a Card) -> Answer<'a, Result<MessageRef, Trouble>> {
        Box::pin(self.send_announcement(card))
    }

    fn complete<'a>(
        &'a self,
        announcement: MessageRef,
        card: &'a Card,
        picture: &'a Picture,
    ) -> Answer<'a, Result<Option<String>, Trouble>> {
        Box::pin(self.complete_announcement(announcement, card, picture))
    }

    fn reword<'a>(
        &'a self,
        announcement: MessageRef,
        card: &'a Card,
    ) -> Answer<'a, Result<(), Trouble>> {
        Box::pin(self.edit_text(announcement, card))
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
        Box::pin(async move {
            match picture {
                Some(picture) => {
                    let put = self.put(Urgency::Now, message, card, picture).await?;
                    self.edited(message.chat, put).map(drop)
                }
                None => self.edit(message, card).await,
            }
        })
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

pub(super) fn no_chat() -> Trouble {
    Trouble::Owner("the team has no chat yet".to_owned())
}

/// Where an answer to a story's message stands: in its chat, whatever chat the team has by now.
fn beside(story: MessageRef, card: &Card) -> Place {
    let place = card.place.filter(|place| place.chat == story.chat);
    place.unwrap_or_else(|| story.chat.into())
}
