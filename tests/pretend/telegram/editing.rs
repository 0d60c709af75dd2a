//! The methods that change what is already there: edits, and the answer to a press.

use serde_json::{Value, json};

use super::chat::{Answered, State};
use super::files;
use super::limits::{ANSWER_CHARS, PRESS_LIFE, Refusal, Reply};
use super::message::Message;
use super::request::Params;
use super::sending::{caption, chat_id, keyboard, media_kind, text};
use super::shape;

pub fn edit_text(state: &mut State, params: &Params) -> Reply {
    let old = to_edit(state, params)?;
    if old.media.is_some() {
        return Err(Refusal::bad("there is no text in the message to edit"));
    }
    let mut new = old.clone();
    (new.text, new.entities) = text(params)?;
    new.keyboard = keyboard(params)?;
    settle(state, &old, new)
}

pub fn edit_caption(state: &mut State, params: &Params) -> Reply {
    let old = to_edit(state, params)?;
    if old.media.is_none() {
        return Err(Refusal::bad("there is no caption in the message to edit"));
    }
    let mut new = old.clone();
    (new.text, new.entities) = caption(params)?;
    new.keyboard = keyboard(params)?;
    settle(state, &old, new)
}

/// Also turns a text message into a picture or clip.
pub fn edit_media(state: &mut State, params: &Params) -> Reply {
    let old = to_edit(state, params)?;
    let item = params
        .json("media")
        .filter(Value::is_object)
        .ok_or_else(|| Refusal::bad("can't parse input media JSON object"))?;
    let item = params.inner(&item);
    let kind = media_kind(&item)?;
    let mut new = old.clone();
    (new.text, new.entities) = caption(&item)?;
    new.keyboard = keyboard(params)?;
    new.media = Some(files::given(state, &item, "media", kind)?);
    settle(state, &old, new)
}

pub fn edit_reply_markup(state: &mut State, params: &Params) -> Reply {
    let old = to_edit(state, params)?;
    let mut new = old.clone();
    new.keyboard = keyboard(params)?;
    settle(state, &old, new)
}

fn to_edit(state: &mut State, params: &Params) -> Result<Message, Refusal> {
    let id = params.integer("message_id").unwrap_or(0);
    let chat = state.open_chat(chat_id(params)?)?;
    let found = chat.messages.get(&id);
    let message = found.ok_or_else(|| Refusal::bad("message to edit not found"))?;
    match message.is_from_bot() {
        true => Ok(message.clone()),
        false => Err(Refusal::bad("message can't be edited")),
    }
}

fn settle(state: &mut State, old: &Message, mut new: Message) -> Reply {
    let file = |message: &Message| message.media.as_ref().map(|media| media.file_id.clone());
    let is_same = old.text == new.text
        && old.entities == new.entities
        && old.keyboard == new.keyboard
        && file(old) == file(&new);
    if is_same {
        return Err(Refusal::bad(
            "message is not modified: specified new message content and reply markup are exactly the same as a \
             current content and reply markup of the message",
        ));
    }
    new.edited = Some(state.seconds());
    let chat = state.chat(new.chat)?;
    chat.messages.insert(new.id, new.clone());
    Ok(shape::message(state, &new))
}

pub fn answer_callback_query(state: &mut State, params: &Params) -> Reply {
    let now = state.now();
    let query = params.text("callback_query_id").unwrap_or_default();
    let text = params.text("text").filter(|text| !text.is_empty());
    if text
        .as_ref()
        .is_some_and(|text| text.chars().count() > ANSWER_CHARS)
    {
        return Err(Refusal::bad("MESSAGE_TOO_LONG"));
    }
    let press = state
        .presses
        .get_mut(&query)
        .filter(|press| !press.answered && now.saturating_sub(press.made) < PRESS_LIFE);
    let Some(press) = press else {
        return Err(Refusal::bad(
            "query is too old and response timeout expired or query ID is invalid",
        ));
    };
    press.answered = true;
    let person = press.person;
    state.answers.push(Answered {
        query,
        person,
        text,
        show_alert: params.is_true("show_alert"),
    });
    Ok(json!(true))
}
