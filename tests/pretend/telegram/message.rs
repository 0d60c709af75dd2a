//! A message as people see it: words, media, buttons.

use axum::body::Bytes;
use serde_json::Value;

use super::html::Entity;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    Bot,
    Person(i64),
    AnonymousAdmin,
    /// A post of the channel itself, by a person.
    Channel,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    Callback(String),
    Url(String),
    Copy(String),
    Disabled,
    /// A kind that the stand-in only passes on: its name and value.
    Other(String, Value),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Button {
    pub text: String,
    pub action: Action,
    pub style: Option<String>,
}

pub type Keyboard = Vec<Vec<Button>>;

#[derive(Clone, Debug)]
pub struct Message {
    pub id: i64,
    pub chat: i64,
    pub author: Author,
    /// Unix seconds, by the stand-in's clock.
    pub date: i64,
    pub edited: Option<i64>,
    /// The topic, in a forum.
    pub thread: Option<i64>,
    pub reply_to: Option<i64>,
    /// What people read: the text, or the caption of the media.
    pub text: String,
    pub entities: Vec<Entity>,
    pub media: Option<Media>,
    pub keyboard: Keyboard,
    pub album: Option<String>,
    pub silent: bool,
    /// Extra fields of a service message, such as `migrate_to_chat_id`.
    pub service: Option<Value>,
}

impl Message {
    /// The buttons' texts, row by row.
    pub fn labels(&self) -> Vec<Vec<&str>> {
        self.keyboard
            .iter()
            .map(|row| row.iter().map(|button| button.text.as_str()).collect())
            .collect()
    }

    pub fn buttons(&self) -> impl Iterator<Item = &Button> {
        self.keyboard.iter().flatten()
    }

    /// The button with exactly this text or callback data, else the only one whose text contains it.
    pub fn button(&self, wanted: &str) -> Option<&Button> {
        let exact = |button: &&Button| {
            button.text == wanted || button.action == Action::Callback(wanted.to_owned())
        };
        self.buttons().find(exact).or_else(|| {
            let mut similar = self.buttons().filter(|button| button.text.contains(wanted));
            similar.next().filter(|_| similar.next().is_none())
        })
    }

    pub fn is_from_bot(&self) -> bool {
        self.author == Author::Bot
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    Photo,
    Video,
    Animation,
    Document,
}

impl MediaKind {
    /// The name of the field and parameter.
    pub fn word(self) -> &'static str {
        match self {
            MediaKind::Photo => "photo",
            MediaKind::Video => "video",
            MediaKind::Animation => "animation",
            MediaKind::Document => "document",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Photo, Self::Video, Self::Animation, Self::Document]
            .into_iter()
            .find(|kind| kind.word() == word)
    }

    pub fn plural(self) -> String {
        format!("{}s", self.word())
    }
}

/// A picture, clip or file that the server keeps.
#[derive(Clone, Debug)]
pub struct Media {
    pub kind: MediaKind,
    /// As uploaded.
    pub bytes: Bytes,
    pub file_name: Option<String>,
    pub mime: Option<String>,
    pub width: u32,
    pub height: u32,
    pub duration: u32,
    pub file_id: String,
    pub unique_id: String,
    /// Path under `/file/bot<TOKEN>/`.
    pub path: String,
    /// The sizes of a photo, smallest first; empty for other kinds.
    pub sizes: Vec<Size>,
}

#[derive(Clone, Debug)]
pub struct Size {
    pub file_id: String,
    pub unique_id: String,
    pub width: u32,
    pub height: u32,
    pub bytes: usize,
}
