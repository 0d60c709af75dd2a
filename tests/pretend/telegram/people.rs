//! Pretend people and what they do with their thumbs.

use axum::body::Bytes;
use serde_json::json;

use super::chat::{Kind, Press, State, Status};
use super::files;
use super::html::Entity;
use super::limits::units;
use super::message::{Action, Author, MediaKind, Message};
use super::world::chat_of;
use super::{PretendTelegram, Shared, shape};

/// What came of touching a button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pressed {
    /// The bot is told, under this query id.
    Query(String),
    /// The phone copied this text; the bot hears nothing.
    Copied(String),
    /// The phone opened this address; the bot hears nothing.
    Opened(String),
    /// The button does nothing that the stand-in plays.
    Nothing,
}

impl PretendTelegram {
    /// Touches a button, named by its text, a part of it that no other has, or its callback data.
    #[track_caller]
    pub fn press(&self, person: i64, chat: i64, message_id: i64, button: &str) -> Pressed {
        let action = self.shared.look(|state| {
            let message = state.message(chat, message_id);
            message
                .and_then(|message| message.button(button))
                .map(|button| button.action.clone())
        });
        match action {
            Some(action) => self.shared.touch(person, chat, message_id, &action),
            None => panic!(
                "message {message_id} of chat {chat} has no single button “{button}”\n{}",
                self.dump()
            ),
        }
    }

    /// Sends callback data whether or not such a button exists, as a forged client could. Returns the query id.
    pub fn press_raw(&self, person: i64, chat: i64, message_id: i64, data: &str) -> String {
        self.shared
            .act(|state| query(state, person, chat, message_id, data))
    }

    /// Writes a message; returns its id.
    pub fn say(&self, person: i64, chat: i64, text: &str) -> i64 {
        self.shared
            .write(Author::Person(person), chat, text, None, None)
    }

    /// Writes in a forum's topic.
    pub fn say_in_topic(&self, person: i64, chat: i64, thread: i64, text: &str) -> i64 {
        self.shared
            .write(Author::Person(person), chat, text, None, Some(thread))
    }

    /// Writes as an administrator who hides behind the group.
    pub fn say_anonymously(&self, chat: i64, text: &str) -> i64 {
        self.shared
            .write(Author::AnonymousAdmin, chat, text, None, None)
    }

    /// Answers a message; returns the answer's id.
    pub fn reply(&self, person: i64, chat: i64, message_id: i64, text: &str) -> i64 {
        self.shared
            .write(Author::Person(person), chat, text, Some(message_id), None)
    }

    /// Posts in a channel; nobody can tell who it was.
    pub fn post_in_channel(&self, chat: i64, text: &str) -> i64 {
        self.shared.write(Author::Channel, chat, text, None, None)
    }

    /// Sends a picture, clip or file; returns the message's id. A photo's shape is read from its bytes.
    pub fn send_file(
        &self,
        person: i64,
        chat: i64,
        kind: MediaKind,
        name: &str,
        bytes: impl Into<Bytes>,
        caption: &str,
    ) -> i64 {
        self.shared.act(|state| {
            let message = with_file(state, (person, chat), kind, name, bytes.into(), caption);
            arrive(state, message)
        })
    }

    /// Sends several at once, each with its kind, name, bytes and caption.
    pub fn send_album(
        &self,
        person: i64,
        chat: i64,
        files: impl IntoIterator<Item = (MediaKind, &'static str, Vec<u8>, &'static str)>,
    ) -> Vec<i64> {
        self.shared.act(|state| {
            let album = format!("{}", 13_000_000_000_000_000 + state.next());
            let mut sent = Vec::new();
            for (kind, name, bytes, caption) in files {
                let from = (person, chat);
                let mut message = with_file(state, from, kind, name, bytes.into(), caption);
                message.album = Some(album.clone());
                sent.push(arrive(state, message));
            }
            sent
        })
    }
}

impl Shared {
    pub(super) fn touch(
        &self,
        person: i64,
        chat: i64,
        message_id: i64,
        action: &Action,
    ) -> Pressed {
        match action {
            Action::Callback(data) => {
                Pressed::Query(self.act(|state| query(state, person, chat, message_id, data)))
            }
            Action::Copy(text) => Pressed::Copied(text.clone()),
            Action::Url(url) => Pressed::Opened(url.clone()),
            Action::Disabled | Action::Other(..) => Pressed::Nothing,
        }
    }

    pub(super) fn write(
        &self,
        author: Author,
        chat: i64,
        text: &str,
        reply_to: Option<i64>,
        thread: Option<i64>,
    ) -> i64 {
        self.act(|state| {
            let mut message = state.blank(chat, author);
            message.text = text.to_owned();
            message.entities = commands_in(text);
            message.reply_to = reply_to;
            let replied = reply_to.and_then(|id| state.message(chat, id));
            message.thread = thread.or_else(|| replied.and_then(|message| message.thread));
            arrive(state, message)
        })
    }
}

fn with_file(
    state: &mut State,
    (person, chat): (i64, i64),
    kind: MediaKind,
    name: &str,
    bytes: Bytes,
    caption: &str,
) -> Message {
    let size = imagesize::blob_size(&bytes)
        .map_or((320, 320), |size| (size.width as u32, size.height as u32));
    let media = files::stored(state, kind, bytes, Some(name), mime_of(name), size);
    let mut message = state.blank(chat, Author::Person(person));
    message.media = Some(media);
    message.text = caption.to_owned();
    message
}

fn query(state: &mut State, person: i64, chat: i64, message_id: i64, data: &str) -> String {
    let now = state.now();
    let id = format!("{}", 4_000_000_000_000_000_000 + state.next());
    let place = chat_of(state, chat).clone();
    let seen = state.message(chat, message_id);
    let seen = seen.filter(|_| !place.forgotten.contains(&message_id));
    let message = match seen {
        Some(message) => shape::message(state, message),
        None => json!({ "chat": shape::chat(state, &place), "message_id": message_id, "date": 0 }),
    };
    let body = json!({
        "id": id,
        "from": shape::user_by_id(state, person),
        "message": message,
        "chat_instance": format!("{}", 900_000 - chat),
        "data": data,
    });
    let press = Press {
        person,
        made: now,
        answered: false,
    };
    if state.presses_to_lose > 0 {
        state.presses_to_lose -= 1;
    } else {
        state.presses.insert(id.clone(), press);
        state.updates.push(now, "callback_query", body);
    }
    id
}

/// Puts a person's message into its chat, and before the bot if it may see it.
pub fn arrive(state: &mut State, message: Message) -> i64 {
    let now = state.now();
    chat_of(state, message.chat);
    let message = state.place(message);
    if is_seen_by_bot(state, &message) {
        let kind = match state.chats[&message.chat].kind {
            Kind::Channel => "channel_post",
            _ => "message",
        };
        let body = shape::message(state, &message);
        state.updates.push(now, kind, body);
    }
    message.id
}

/// Privacy mode: in a group a mere member sees commands, mentions, and answers to itself.
fn is_seen_by_bot(state: &State, message: &Message) -> bool {
    let chat = &state.chats[&message.chat];
    let name = state.bot.username.as_deref().unwrap_or_default();
    let is_for_bot = || {
        let replied = message.reply_to.and_then(|id| chat.messages.get(&id));
        let command = message
            .entities
            .iter()
            .any(|entity| entity.kind == "bot_command");
        let other = message.text.split_whitespace().next().is_some_and(|word| {
            word.starts_with('/')
                && word
                    .split_once('@')
                    .is_some_and(|(_, bot)| !bot.eq_ignore_ascii_case(name))
        });
        (command && !other)
            || message.text.contains(&format!("@{name}"))
            || replied.is_some_and(Message::is_from_bot)
    };
    match (chat.kind, chat.bot) {
        (_, Status::Left | Status::Kicked) => false,
        (Kind::Private | Kind::Channel, _) => true,
        (_, status) => status.is_admin() || message.service.is_some() || is_for_bot(),
    }
}

fn commands_in(text: &str) -> Vec<Entity> {
    let mut found = Vec::new();
    let mut at = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let command = word.trim_end();
        let name = command.strip_prefix('/').unwrap_or_default();
        let is_known = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '@';
        if !name.is_empty() && name.chars().all(is_known) {
            found.push(Entity::new("bot_command", at, units(command)));
        }
        at += units(word);
    }
    found
}

fn mime_of(name: &str) -> Option<&'static str> {
    let (_, ending) = name.rsplit_once('.')?;
    Some(match ending.to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "heic" => "image/heic",
        "mp4" => "video/mp4",
        "mov" => "video/quicktime",
        "txt" => "text/plain",
        _ => return None,
    })
}
