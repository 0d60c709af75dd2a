//! What the flow asks of the world outside: to show a story, to change what is shown, and to tell an alert. The trait lives
//! with the flow, its consumer; the edges that fulfil it look here, so nothing goes in a circle.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::album::Album;
use super::bulletin::Bulletin;
use super::held::Held;
use crate::domain::alert::Alert;
use crate::domain::entry::Snapshot;
use crate::domain::ids::StoryId;
use crate::domain::media::Media;
use crate::domain::outcome::Outcome;
use crate::domain::story::{Claim, Later, MessageRef};
use crate::domain::team::Place;

/// Where stories go.
pub trait Outlet: Send + Sync {
    /// Who sends: what one bot has uploaded is another's no business.
    fn bot(&self) -> &str;

    /// Whether what is to be uploaded is announced first. Else it is sent in one call, whose answer is easily lost.
    fn announces(&self) -> bool;

    /// Asks the server something that may be asked as often as one likes: whether it works.
    fn greet(&self) -> Answer<'_, Result<(), Trouble>>;

    /// Says in a few words that a story is coming, in a message of its own. The attempt is on record before this is called.
    fn announce<'a>(&'a self, card: &'a Card) -> Answer<'a, Result<MessageRef, Trouble>>;

    /// Puts a story into its announcement; tells the id under which its picture can be sent again. It may be repeated.
    fn complete<'a>(
        &'a self,
        announcement: MessageRef,
        card: &'a Card,
        picture: &'a Picture,
    ) -> Answer<'a, Result<Option<String>, Trouble>>;

    /// Has an announcement tell this card in words: its story ended before the picture came.
    fn reword<'a>(
        &'a self,
        announcement: MessageRef,
        card: &'a Card,
    ) -> Answer<'a, Result<(), Trouble>>;

    /// Puts a story before the team at once. The attempt is on record before this is called.
    fn deliver<'a>(
        &'a self,
        card: &'a Card,
        picture: &'a Picture,
    ) -> Answer<'a, Result<Delivered, Trouble>>;

    /// Sends a story's original under its message; tells the id under which it can be sent again.
    fn original<'a>(
        &'a self,
        message: MessageRef,
        card: &'a Card,
        document: &'a Document,
    ) -> Answer<'a, Result<Option<String>, Trouble>>;

    /// Has a message show this card; and this picture, if it shows another one.
    fn show<'a>(
        &'a self,
        message: MessageRef,
        card: &'a Card,
        picture: Option<&'a Picture>,
    ) -> Answer<'a, Result<(), Trouble>>;

    /// Reminds the team of a story that waits, under its message.
    fn remind<'a>(
        &'a self,
        message: MessageRef,
        card: &'a Card,
    ) -> Answer<'a, Result<MessageRef, Trouble>>;

    /// Shows pictures together, quietly; tells of each the id under which it can be sent again.
    fn album<'a>(&'a self, album: &'a Album) -> Answer<'a, Result<Vec<Option<String>>, Trouble>>;

    /// Tells the team something of the box's own accord.
    fn publish<'a>(
        &'a self,
        place: Place,
        bulletin: &'a Bulletin,
    ) -> Answer<'a, Result<MessageRef, Trouble>>;

    /// Has such a message tell this.
    fn revise<'a>(
        &'a self,
        message: MessageRef,
        bulletin: &'a Bulletin,
    ) -> Answer<'a, Result<(), Trouble>>;

    /// Takes a message out of the chat.
    fn remove(&self, message: MessageRef) -> Answer<'_, Result<(), Trouble>>;

    /// Tells the owner of a team's alert, or that it is over. Without an owner's chat the team's hears of it.
    fn tell<'a>(&'a self, alert: &'a Alert, team: Option<Place>)
    -> Answer<'a, Result<(), Trouble>>;
}

/// An answer that takes a while.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Why the world outside did not do it, named by what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It asks for patience: nothing happened, ask again after so long.
    Later(Duration),
    /// Nothing left the box: no network, no name, no connection.
    Unreachable(String),
    /// It left, and no answer came back: it may have happened.
    Unsure(String),
    /// It was refused and always will be, for this story.
    Never(String),
    /// It was refused for a reason that the owner must mend, with any story: token, chat, rights.
    Owner(String),
    /// The chat has this number now; nothing happened.
    Moved(i64),
    /// The message it was about is not there any more.
    Gone,
    /// The message is a text and stays one: its picture needs a message of its own.
    StaysText,
    /// Its file was found to be another while it was sent, and the call was broken off: nothing happened.
    Changed,
}

impl Trouble {
    /// Whether it surely did not happen, and may yet.
    #[must_use]
    pub fn is_to_be_repeated(&self) -> bool {
        match self {
            Self::Later(_)
            | Self::Unreachable(_)
            | Self::Owner(_)
            | Self::Moved(_)
            | Self::Changed => true,
            Self::Unsure(_) | Self::Never(_) | Self::Gone | Self::StaysText => false,
        }
    }

    /// What happened, in plain words.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Later(after) => format!("Telegram asks for patience: {}", patience(*after)),
            Self::Unreachable(reason)
            | Self::Unsure(reason)
            | Self::Never(reason)
            | Self::Owner(reason) => reason.clone(),
            Self::Moved(chat) => format!("the group became a supergroup, {chat}"),
            Self::Gone => "the message is gone".to_owned(),
            Self::StaysText => "the announcement takes no picture".to_owned(),
            Self::Changed => {
                "its file was changed while it was sent, so it was not sent".to_owned()
            }
        }
    }
}

/// `90 s`, `40 min`, `5 h`.
fn patience(wait: Duration) -> String {
    match wait.as_secs() {
        seconds @ 0..=119 => format!("{seconds} s"),
        seconds @ 120..=7_199 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{} h", seconds.div_ceil(3600)),
    }
}

/// All that a message tells of a story: a projection of the records, and of nothing else.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// The story.
    pub story: StoryId,
    /// How people call it.
    pub number: u64,
    /// When it was due.
    pub due_at: Timestamp,
    /// The media as it is, or as it was when the story ended.
    pub media: Snapshot,
    /// Whether an earlier message may show the same story, because its answer was lost.
    pub sent_again: bool,
    /// After how many swaps this media is shown.
    pub swaps: u32,
    /// What is to be shown with it.
    pub status: CardStatus,
    /// Where it goes; nothing as long as the team has no chat.
    pub place: Option<Place>,
    /// The zone in which its times are shown.
    pub zone: TimeZone,
    /// How much is told of the media.
    pub detail: Detail,
}

/// How much a message tells of a media.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// What is needed to post it.
    Brief,
    /// Tags and category too.
    #[default]
    Normal,
    /// All that is known of it.
    Full(Facts),
}

/// What else is known of a media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Width as seen, in pixels.
    pub width_px: u32,
    /// Height as seen, in pixels.
    pub height_px: u32,
    /// How often it was posted.
    pub posted_count: u32,
    /// When it last was.
    pub last_posted_at: Option<Timestamp>,
}

/// Where a story is, as far as its message goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardStatus {
    /// A press is awaited.
    Awaiting(Awaiting),
    /// The question "really reject?" stands.
    AskingReject,
    /// It has ended.
    Ended {
        /// How.
        outcome: Outcome,
        /// By whom.
        by: Option<String>,
        /// When.
        at: Timestamp,
        /// How long it was before the team.
        took: Option<SignedDuration>,
        /// Why, where the outcome alone does not say.
        reason: Option<String>,
        /// Whether it may be taken back just now.
        may_undo: bool,
    },
}

/// What there is to tell of a story that awaits a press.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Awaiting {
    /// When the box came back from an absence and offered it again.
    pub offered_again_at: Option<Timestamp>,
    /// Who is on it.
    pub claim: Option<Claim>,
    /// When it comes up again, if it was put off.
    pub later: Option<Later>,
    /// Who took its outcome back.
    pub undone_by: Option<String>,
    /// Since when it waits.
    pub since: Option<Timestamp>,
    /// Whether it may be put off.
    pub may_put_off: bool,
    /// Whether the message shows all that its original would.
    pub shows_all: bool,
}

/// A story as it is shown in a chat.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// A JPEG; of a clip, one of its frames.
    pub jpeg: Vec<u8>,
    /// What is shown in its place, if it moves and a chat can play it.
    pub motion: Option<Motion>,
    /// Whether the original is too much for a chat's photos, so that it is to be sent as a document too.
    pub shows_less: bool,
    /// The id under which this bot has uploaded it before.
    pub known: Option<String>,
}

impl Picture {
    /// The form in which a chat shows it.
    #[must_use]
    pub fn form(&self) -> Form {
        match self.motion {
            None => Form::Photo,
            Some(Motion::Video(_)) => Form::Video,
            Some(Motion::Animation(_)) => Form::Animation,
        }
    }

    /// Whether it was found to be another while it was sent, so that it was not.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        matches!(&self.motion, Some(Motion::Video(video)) if video.file.has_changed())
    }
}

/// The form in which a content is uploaded; an id is good for that form only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A photo.
    Photo,
    /// A video.
    Video,
    /// An animation.
    Animation,
    /// A file.
    Document,
}

impl Form {
    /// The word for it, in rows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Photo => "photo",
            Self::Video => "video",
            Self::Animation => "animation",
            Self::Document => "document",
        }
    }
}

/// A story that has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// Its message.
    pub message: MessageRef,
    /// The id under which its picture can be sent again.
    pub file_id: Option<String>,
}

/// A file to be sent as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What it is called.
    pub name: String,
    /// What is in it.
    pub contents: Contents,
}

impl Document {
    /// Whether it was found to be another while it was sent, so that it was not.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        matches!(&self.contents, Contents::File(file) if file.has_changed())
    }
}

/// Where the bytes of a document are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Here.
    Bytes(Vec<u8>),
    /// In this file; it is read while it is sent.
    File(Held),
    /// At Telegram, under this id.
    Known(String),
}

/// What a chat can play.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Motion {
    /// A clip.
    Video(Video),
    /// A picture of several frames.
    Animation(Animation),
}

/// A picture that moves, as a chat plays it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Animation {
    /// What the file is called.
    pub name: String,
    /// What it is, as `image/gif`.
    pub media_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A clip that a chat can play.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Video {
    /// What the file is called.
    pub name: String,
    /// Its file; it is read while it is sent.
    pub file: Held,
    /// Width as seen, in pixels.
    pub width_px: u32,
    /// Height as seen, in pixels.
    pub height_px: u32,
    /// How long it plays, in whole seconds.
    pub duration_s: u32,
    /// A small JPEG of one of its frames, to be seen until it plays.
    pub thumbnail: Vec<u8>,
}

/// Why there is no picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoPicture {
    /// The library's disk seems to be away, or failed just now; nothing may be concluded of the file.
    Away(String),
    /// The file is not there.
    Missing,
    /// The file is not what it was when it was indexed.
    Changed,
    /// It cannot be made into a picture, in plain words.
    Flawed(String),
}

/// Takes out the original of a media, after making sure that it is still the same.
pub type Archive = Arc<dyn Fn(Media) -> Answer<'static, Result<Document, NoPicture>> + Send + Sync>;

/// Makes the picture of a media, reading its file anew and making sure that it is still the same. It may take a while.
pub type Studio = Arc<dyn Fn(Media) -> Answer<'static, Result<Picture, NoPicture>> + Send + Sync>;
