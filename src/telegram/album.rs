//! Albums: the button that asks for the pictures of what comes, and how they are sent.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use teloxide::payloads::{SendMediaGroupSetters, SendPhotoSetters};
use teloxide::prelude::Requester;
use teloxide::types::{
    ChatId, FileId, InlineKeyboardButton, InlineKeyboardMarkup, InputFile, InputMedia,
    InputMediaPhoto, ParseMode,
};

use super::attachments::Attachments;
use super::client::UPLOAD;
use super::commands::Command;
use super::desk::Desk;
use super::message::moment;
use super::pace::Urgency;
use super::panel::mark;
use super::picture::uploaded;
use super::voice::topic;
use crate::domain::messages::CAPTION_UNITS;
use crate::domain::person::{Deed, Person};
use crate::domain::team::Place;
use crate::domain::template::{escape, shortened};
use crate::flow::album::{Album, AlbumAsked, Exhibit};
use crate::flow::outlet::{Contents, Trouble};
use crate::flow::{Error, Flow};

/// What the button begins with; the version is raised when its meaning changes. The team's mark follows.
const PICTURES: &str = "album1:";

/// The mark of the team whose pictures a button asks for, if it does.
#[must_use]
pub fn team_of(data: &str) -> Option<&str> {
    data.strip_prefix(PICTURES)
}

/// The button below the answer to a command: below the queue, if it has something to show.
///
/// # Errors
/// If the store cannot be read.
pub async fn offer(
    flow: &Flow,
    command: Command,
    asker: Option<&Person>,
) -> Result<InlineKeyboardMarkup, Error> {
    let may_look = asker.is_none_or(|person| Flow::may(person, Deed::Look));
    if command == Command::Queue && may_look && flow.has_plan().await? {
        let button = InlineKeyboardButton::callback(
            "🖼 Show pictures",
            format!("{PICTURES}{}", mark(flow.team())),
        );
        return Ok(InlineKeyboardMarkup::new([[button]]));
    }
    Ok(InlineKeyboardMarkup::default())
}

/// Asks for an album in the name of a person, if they belong; returns the answer, as the phone shows it for a moment.
///
/// # Errors
/// If the store cannot be written.
pub async fn ask(
    flow: &Flow,
    asker: Option<&Person>,
    update: u32,
    place: Place,
    now: Timestamp,
) -> Result<&'static str, Error> {
    if !asker.is_some_and(|person| Flow::may(person, Deed::Look)) {
        return Ok("This is for the team of this chat only.");
    }
    Ok(match flow.ask_for_album(update, place, now).await? {
        AlbumAsked::Coming => "The pictures are on their way.",
        AlbumAsked::StandsAbove => "They stand above, or will in a moment.",
        AlbumAsked::NothingPlanned => "Nothing is planned any more.",
        AlbumAsked::Repeated => "",
    })
}

impl Desk {
    /// An album, or a photo if it is only one.
    pub(super) async fn send_album(&self, album: &Album) -> Result<Vec<Option<String>>, Trouble> {
        let (bot, place) = (&self.voice.client.bot, album.place);
        let (chat, thread) = (ChatId(place.chat), topic(place));
        for _ in &album.exhibits {
            // Telegram counts every picture.
            self.voice.pace.pass(place.chat, Urgency::Later).await?;
        }
        let (client, mut files) = (&self.voice.client, Attachments::default());
        let sent = if let [exhibit] = album.exhibits.as_slice() {
            let mut request = bot
                .send_photo(chat, file_of(exhibit, &mut files))
                .caption(caption(exhibit, &album.zone))
                .parse_mode(ParseMode::Html)
                .disable_notification(true);
            request.message_thread_id = thread;
            let sent = client.upload(UPLOAD, request, files).await;
            sent.map(|message| vec![message])
        } else {
            let photo = |exhibit: &Exhibit, files: &mut Attachments| {
                let photo = InputMediaPhoto::new(file_of(exhibit, files))
                    .caption(caption(exhibit, &album.zone))
                    .parse_mode(ParseMode::Html);
                InputMedia::Photo(photo)
            };
            let exhibits = album.exhibits.iter();
            let photos: Vec<_> = exhibits.map(|exhibit| photo(exhibit, &mut files)).collect();
            let mut request = bot
                .send_media_group(chat, photos)
                .disable_notification(true);
            request.message_thread_id = thread;
            client.upload(UPLOAD, request, files).await
        };
        let messages = sent.map_err(|failure| self.voice.noted(place.chat, failure.trouble()))?;
        Ok(messages.iter().map(uploaded).collect())
    }
}

fn file_of(exhibit: &Exhibit, files: &mut Attachments) -> InputFile {
    let name = format!("story-{}.jpg", exhibit.number);
    match &exhibit.contents {
        Contents::Bytes(jpeg) => files.bytes(name, jpeg.clone()),
        Contents::File(file) => files.held(name, file),
        Contents::Known(id) => InputFile::file_id(FileId(id.clone())),
    }
}

/// `#47 Sat 21 Nov, 13:05 · Summer tee`, as the queue has it.
fn caption(exhibit: &Exhibit, zone: &TimeZone) -> String {
    let text = format!(
        "#{} {} · {}",
        exhibit.number,
        moment(exhibit.due_at, zone),
        exhibit.media.display_name()
    );
    escape(&shortened(&text, CAPTION_UNITS))
}
