//! What people hand in by the chat: a picture, a clip, or an album of them, which is to go into a folder of the library.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

use super::category::Category;
use super::ids::{HandInId, MediaId};
use super::person::PersonId;

/// The most that a bot can fetch of one file, in bytes.
pub const FETCHED_BYTES: u64 = 20 << 20;
/// The most that is taken from a server of the Bot API on this machine, in bytes; its own limit.
pub const LOCAL_BYTES: u64 = 2_000_000_000;
/// The most files of one person that wait to be fetched.
pub const MOST_WAITING: u64 = 100;
/// The folder that is offered as long as the library has none.
pub const FIRST_FOLDER: &str = "telegram";
/// How long the other pictures of an album are waited for, before it is asked where it is to go.
pub const ALBUM: SignedDuration = SignedDuration::from_secs(1);

/// A sending: one file, or an album.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandIn {
    /// Its row.
    pub id: HandInId,
    /// Who sent it, and may choose.
    pub person: PersonId,
    /// Their private chat.
    pub chat: i64,
    /// Telegram's name for the album, if it is one.
    pub album: Option<String>,
    /// When the first of it came.
    pub received_at: Timestamp,
    /// What its sender wants done with it.
    pub choice: Choice,
}

/// What is to be done with a sending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Its sender has not said.
    Open,
    /// It goes into this folder.
    Folder(Category),
    /// Nothing.
    Cancelled,
}

/// A file that was handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandedFile {
    /// The message that brought it.
    pub message: i32,
    /// The id under which it is fetched.
    pub file_id: String,
    /// What it seems to be.
    pub kind: Kind,
    /// What its sender calls it; photos have no names.
    pub name: Option<String>,
    /// Length in bytes; 0 if nobody told.
    pub size_bytes: u64,
    /// What its sender says of it.
    pub caption: Option<String>,
}

/// What a file seems to be, before anybody has looked into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A photo, which Telegram has made smaller.
    Photo,
    /// A picture as it is.
    Picture,
    /// A clip.
    Clip,
    /// A file of another kind.
    File,
}

impl Kind {
    /// The word for it, in rows and for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Photo => "photo",
            Self::Picture => "picture",
            Self::Clip => "clip",
            Self::File => "file",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Photo, Self::Picture, Self::Clip, Self::File]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("`{text}` is no kind of file"))
    }
}

/// What became of a file that was handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is to be fetched, once there is a folder for it.
    Waiting,
    /// It lies here in the library.
    Landed(String),
    /// The team has this content already.
    Known(MediaId),
    /// It cannot be taken, for this reason.
    Unfit(String),
}
