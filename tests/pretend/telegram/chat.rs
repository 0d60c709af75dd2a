//! What the stand-in remembers: people, chats and what is in them, files, presses, calls.
//!
//! One `State` behind one lock. Everything here is plain data and plain functions; nothing waits.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::faults::Planned;
use super::limits::Refusal;
use super::message::{Author, Keyboard, Media, Message};
use super::updates::Queue;
use super::webhook::Webhook;

/// Who speaks for an administrator that hides behind the group.
pub const ANONYMOUS_ADMIN: i64 = 1_087_968_824;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Private,
    Group,
    Supergroup,
    Channel,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Kind::Private => "private",
            Kind::Group => "group",
            Kind::Supergroup => "supergroup",
            Kind::Channel => "channel",
        }
    }
}

/// How someone stands in a chat. The bot in a private chat is `Kicked` when it was blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Creator,
    Administrator,
    Member,
    Restricted,
    Left,
    Kicked,
}

impl Status {
    pub fn word(self) -> &'static str {
        match self {
            Status::Creator => "creator",
            Status::Administrator => "administrator",
            Status::Member => "member",
            Status::Restricted => "restricted",
            Status::Left => "left",
            Status::Kicked => "kicked",
        }
    }

    pub fn is_admin(self) -> bool {
        matches!(self, Status::Creator | Status::Administrator)
    }

    pub fn is_gone(self) -> bool {
        matches!(self, Status::Left | Status::Kicked)
    }
}

#[derive(Clone, Debug)]
pub struct Person {
    pub id: i64,
    pub first_name: String,
    pub username: Option<String>,
    pub is_bot: bool,
}

#[derive(Clone, Debug)]
pub struct Chat {
    pub id: i64,
    pub kind: Kind,
    pub title: String,
    /// Topics by thread id; a chat that has any is a forum.
    pub topics: BTreeMap<i64, String>,
    pub members: BTreeMap<i64, Status>,
    pub bot: Status,
    /// What the bot may not send here: "photos", "videos", "documents", "text messages".
    pub forbidden: BTreeSet<String>,
    /// Who is here is told to administrators only.
    pub hides_members: bool,
    pub messages: BTreeMap<i64, Message>,
    /// Messages too old for the server to show; a press on one carries no content.
    pub forgotten: BTreeSet<i64>,
    pub last_message_id: i64,
    pub migrated_to: Option<i64>,
    /// When the bot's latest messages were sent, for the strict pace.
    pub sent: VecDeque<Duration>,
}

impl Chat {
    pub fn new(id: i64, kind: Kind, title: &str) -> Self {
        Self {
            id,
            kind,
            title: title.to_owned(),
            topics: BTreeMap::new(),
            members: BTreeMap::new(),
            bot: match kind {
                Kind::Channel => Status::Administrator,
                _ => Status::Member,
            },
            forbidden: BTreeSet::new(),
            hides_members: false,
            messages: BTreeMap::new(),
            forgotten: BTreeSet::new(),
            last_message_id: 0,
            migrated_to: None,
            sent: VecDeque::new(),
        }
    }

    pub fn is_forum(&self) -> bool {
        !self.topics.is_empty()
    }

    pub fn status_of(&self, person: i64) -> Status {
        self.members.get(&person).copied().unwrap_or(Status::Left)
    }
}

/// One request to the Bot API.
#[derive(Clone, Debug)]
pub struct Call {
    /// As documented (`sendPhoto`), however it was written.
    pub method: String,
    /// Since 1970, by the stand-in's clock.
    pub at: Duration,
    /// The parameters; files stand as `{"file_name", "mime", "bytes": count}`.
    pub params: Value,
    pub chat: Option<i64>,
    /// "ok", "400 Bad Request: …", the fault that was played, or "…" while it lasts.
    pub outcome: String,
}

/// One answered press.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    pub query: String,
    pub person: i64,
    pub text: Option<String>,
    pub show_alert: bool,
}

/// A press on its way to an answer.
#[derive(Clone, Debug)]
pub struct Press {
    pub person: i64,
    pub made: Duration,
    pub answered: bool,
}

/// Everything the stand-in knows.
pub struct State {
    pub bot: Person,
    pub people: BTreeMap<i64, Person>,
    pub chats: BTreeMap<i64, Chat>,
    /// Every file id, sizes included.
    pub files: BTreeMap<String, Media>,
    pub updates: Queue,
    /// Polls are answered at once, as by a proxy that holds nothing open.
    pub polls_are_hasty: bool,
    /// Where updates are called in, instead of being asked for.
    pub webhook: Option<Webhook>,
    /// Answers of the webhook that will be lost on their way.
    pub webhook_answers_to_lose: usize,
    /// The webhook's address leads nowhere.
    pub webhook_is_astray: bool,
    pub presses: BTreeMap<String, Press>,
    pub answers: Vec<Answered>,
    pub calls: Vec<Call>,
    pub faults: Vec<Planned>,
    pub commands: Vec<(Value, String, Value)>,
    pub strict_pace: bool,
    /// Presses that will be lost on their way.
    pub presses_to_lose: usize,
    pub unexpected: Vec<String>,
    pub clock_ahead: Duration,
    pub counter: u64,
}

impl State {
    pub fn new(bot: Person) -> Self {
        Self {
            bot,
            people: BTreeMap::new(),
            chats: BTreeMap::new(),
            files: BTreeMap::new(),
            updates: Queue::default(),
            polls_are_hasty: false,
            webhook: None,
            webhook_answers_to_lose: 0,
            webhook_is_astray: false,
            presses: BTreeMap::new(),
            answers: Vec::new(),
            calls: Vec::new(),
            faults: Vec::new(),
            commands: Vec::new(),
            strict_pace: false,
            presses_to_lose: 0,
            unexpected: Vec::new(),
            clock_ahead: Duration::ZERO,
            counter: 0,
        }
    }

    /// Since 1970, by the stand-in's own clock.
    pub fn now(&self) -> Duration {
        let real = SystemTime::now().duration_since(UNIX_EPOCH);
        real.expect("the machine's clock is past 1970") + self.clock_ahead
    }

    pub fn seconds(&self) -> i64 {
        self.now().as_secs() as i64
    }

    /// A number never given before.
    pub fn next(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// A chat's messages, oldest first.
    pub fn messages(&self, chat: i64) -> Vec<&Message> {
        self.chats
            .get(&chat)
            .map(|chat| chat.messages.values().collect())
            .unwrap_or_default()
    }

    pub fn message(&self, chat: i64, id: i64) -> Option<&Message> {
        self.chats.get(&chat)?.messages.get(&id)
    }

    /// The chat a method speaks of, wherever it has gone.
    pub fn chat(&mut self, id: i64) -> Result<&mut Chat, Refusal> {
        let chat = self
            .chats
            .get_mut(&id)
            .ok_or_else(|| Refusal::bad("chat not found"))?;
        match chat.migrated_to {
            Some(to) => Err(Refusal::migrated(to)),
            None => Ok(chat),
        }
    }

    /// The chat, if the bot is in it and not thrown out.
    pub fn open_chat(&mut self, id: i64) -> Result<&mut Chat, Refusal> {
        let chat = self.chat(id)?;
        match (chat.bot, chat.kind) {
            (Status::Kicked, kind) => Err(Refusal::kicked(kind)),
            (Status::Left, Kind::Private) => Err(Refusal::forbidden(
                "bot can't initiate conversation with a user",
            )),
            (Status::Left, kind) => Err(Refusal::forbidden(format!(
                "bot is not a member of the {} chat",
                kind.word()
            ))),
            _ => Ok(chat),
        }
    }

    /// Puts a message into its chat, giving it its number.
    pub fn place(&mut self, mut message: Message) -> Message {
        let chat = self
            .chats
            .get_mut(&message.chat)
            .expect("the chat was looked up before");
        chat.last_message_id += 1;
        message.id = chat.last_message_id;
        chat.messages.insert(message.id, message.clone());
        message
    }

    /// A message without content yet, dated now.
    pub fn blank(&self, chat: i64, author: Author) -> Message {
        Message {
            id: 0,
            chat,
            author,
            date: self.seconds(),
            edited: None,
            thread: None,
            reply_to: None,
            text: String::new(),
            entities: Vec::new(),
            media: None,
            keyboard: Keyboard::new(),
            album: None,
            silent: false,
            service: None,
        }
    }
}
