//! The methods that put something new into a chat, or take it out.

use serde_json::{Value, json};

use super::chat::{Kind, State, Status};
use super::files;
use super::html::{self, Entity};
use super::limits::{self, CAPTION_UNITS, DELETE_WITHIN, Refusal, Reply, TEXT_UNITS, units};
use super::message::{Author, MediaKind, Message};
use super::request::Params;
use super::shape;

pub fn send_message(state: &mut State, params: &Params) -> Reply {
    let mut message = addressed(state, params, "text messages", 1)?;
    (message.text, message.entities) = text(params)?;
    message.keyboard = keyboard(params)?;
    let sent = state.place(message);
    Ok(shape::message(state, &sent))
}

pub fn send_media(state: &mut State, params: &Params, kind: MediaKind) -> Reply {
    let mut message = addressed(state, params, &kind.plural(), 1)?;
    (message.text, message.entities) = caption(params)?;
    message.keyboard = keyboard(params)?;
    message.media = Some(files::given(state, params, kind.word(), kind)?);
    let sent = state.place(message);
    Ok(shape::message(state, &sent))
}

pub fn send_media_group(state: &mut State, params: &Params) -> Reply {
    let items = params
        .json("media")
        .and_then(|media| media.as_array().cloned());
    let items = items.ok_or_else(|| Refusal::bad("can't parse media JSON object"))?;
    if !(2..=10).contains(&items.len()) {
        return Err(Refusal::bad("wrong number of media in the album"));
    }
    let blank = addressed(state, params, "photos", items.len())?;
    let mut album = Vec::new();
    for item in &items {
        let item = params.inner(item);
        let kind = media_kind(&item)?;
        let mut message = blank.clone();
        (message.text, message.entities) = caption(&item)?;
        message.media = Some(files::given(state, &item, "media", kind)?);
        album.push((kind, message));
    }
    let is_document = |(kind, _): &(MediaKind, Message)| *kind == MediaKind::Document;
    if album.iter().any(is_document) && !album.iter().all(is_document) {
        return Err(Refusal::bad(
            "document can't be mixed with other media types",
        ));
    }
    let name = format!("{}", 13_000_000_000_000_000 + state.next());
    let mut sent = Vec::new();
    for (_, mut message) in album {
        message.album = Some(name.clone());
        let message = state.place(message);
        sent.push(shape::message(state, &message));
    }
    Ok(json!(sent))
}

pub fn delete_message(state: &mut State, params: &Params) -> Reply {
    let now = state.seconds();
    let id = params.integer("message_id").unwrap_or(0);
    let chat = state.open_chat(chat_id(params)?)?;
    let missing = || Refusal::bad("message to delete not found");
    let message = chat.messages.get(&id).ok_or_else(missing)?;
    let is_old = now - message.date > DELETE_WITHIN.as_secs() as i64;
    let is_foreign = !message.is_from_bot() && !chat.bot.is_admin();
    if is_old || is_foreign {
        return Err(Refusal::bad("message can't be deleted"));
    }
    chat.messages.remove(&id);
    Ok(json!(true))
}

pub fn chat_id(params: &Params) -> Result<i64, Refusal> {
    let missing = || match params.text("chat_id") {
        Some(_) => Refusal::bad("chat not found"),
        None => Refusal::bad("chat_id is empty"),
    };
    params.chat().ok_or_else(missing)
}

/// An empty message of the bot to the chat, topic and message that the parameters name.
fn addressed(
    state: &mut State,
    params: &Params,
    what: &str,
    count: usize,
) -> Result<Message, Refusal> {
    let (now, is_strict) = (state.now(), state.strict_pace);
    let id = chat_id(params)?;
    let chat = state.open_chat(id)?;
    if chat.kind == Kind::Channel && !chat.bot.is_admin() {
        return Err(Refusal::bad(
            "need administrator rights in the channel chat",
        ));
    }
    if chat.bot == Status::Restricted || chat.forbidden.contains(what) {
        return Err(Refusal::bad(format!(
            "not enough rights to send {what} to the chat"
        )));
    }
    let thread = params.integer("message_thread_id");
    if thread.is_some_and(|thread| !chat.topics.contains_key(&thread)) {
        return Err(Refusal::bad("message thread not found"));
    }
    let reply = params.json("reply_parameters").unwrap_or_default();
    let reply_to = reply["message_id"]
        .as_i64()
        .or(params.integer("reply_to_message_id"));
    let is_there = reply_to.is_none_or(|id| chat.messages.contains_key(&id));
    let may_miss = reply["allow_sending_without_reply"] == json!(true)
        || params.is_true("allow_sending_without_reply");
    if !is_there && !may_miss {
        return Err(Refusal::bad("message to be replied not found"));
    }
    if is_strict {
        limits::pace(chat, count, now)?;
    }
    let mut message = state.blank(id, Author::Bot);
    message.thread = thread;
    message.reply_to = reply_to.filter(|_| is_there);
    message.silent = params.is_true("disable_notification");
    Ok(message)
}

pub fn keyboard(params: &Params) -> Result<super::message::Keyboard, Refusal> {
    match params.json("reply_markup") {
        Some(markup) => limits::keyboard(&markup),
        None => Ok(Default::default()),
    }
}

/// What an `InputMedia` says it is.
pub fn media_kind(item: &Params) -> Result<MediaKind, Refusal> {
    let word = item.text("type").unwrap_or_default();
    MediaKind::from_word(&word).ok_or_else(|| {
        Refusal::bad(format!(
            "can't parse InputMedia: type \"{word}\" is unsupported"
        ))
    })
}

pub fn text(params: &Params) -> Result<(String, Vec<Entity>), Refusal> {
    let (text, entities) = formatted(params, "text", "entities")?;
    if text.is_empty() {
        return Err(Refusal::bad("message text is empty"));
    }
    if units(&text) > TEXT_UNITS {
        return Err(Refusal::bad("message is too long"));
    }
    Ok((text, entities))
}

pub fn caption(params: &Params) -> Result<(String, Vec<Entity>), Refusal> {
    let (text, entities) = formatted(params, "caption", "caption_entities")?;
    if units(&text) > CAPTION_UNITS {
        return Err(Refusal::bad("message caption is too long"));
    }
    Ok((text, entities))
}

fn formatted(
    params: &Params,
    field: &str,
    entities: &str,
) -> Result<(String, Vec<Entity>), Refusal> {
    let source = params.text(field).unwrap_or_default();
    match params
        .text("parse_mode")
        .unwrap_or_default()
        .to_lowercase()
        .as_str()
    {
        "html" => {
            html::parse(&source).map_err(|why| Refusal::bad(format!("can't parse entities: {why}")))
        }
        "" => {
            let given = params.json(entities).unwrap_or_default();
            let given = given.as_array().map(Vec::as_slice).unwrap_or_default();
            let read: Option<Vec<Entity>> = given.iter().map(Entity::from_json).collect();
            let read = read.ok_or_else(|| Refusal::bad("can't parse MessageEntity"))?;
            Ok(html::trimmed(source, read))
        }
        // The old Markdown modes are not played: they break on names, so the product must not use them.
        _ => Err(Refusal::bad("unsupported parse_mode")),
    }
}

pub fn leave_chat(state: &mut State, params: &Params) -> Reply {
    state.open_chat(chat_id(params)?)?.bot = Status::Left;
    Ok(Value::Bool(true))
}
