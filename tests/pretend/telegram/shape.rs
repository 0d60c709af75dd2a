//! The Bot API's JSON: how people, chats and messages look on the wire.

use serde_json::{Map, Value, json};

use super::chat::{ANONYMOUS_ADMIN, Chat, Kind, Person, State, Status};
use super::message::{Action, Author, Media, MediaKind, Message};

pub fn user(person: &Person) -> Value {
    let mut user =
        json!({ "id": person.id, "is_bot": person.is_bot, "first_name": person.first_name });
    if let Some(name) = &person.username {
        user["username"] = json!(name);
    }
    if !person.is_bot {
        user["language_code"] = json!("en");
    }
    user
}

/// A person by id; someone never introduced is still shown.
pub fn user_by_id(state: &State, id: i64) -> Value {
    if id == ANONYMOUS_ADMIN {
        return json!({ "id": id, "is_bot": true, "first_name": "Group", "username": "GroupAnonymousBot" });
    }
    if id == state.bot.id {
        return user(&state.bot);
    }
    state
        .people
        .get(&id)
        .map(user)
        .unwrap_or_else(|| json!({ "id": id, "is_bot": false, "first_name": format!("User {id}") }))
}

pub fn chat(state: &State, chat: &Chat) -> Value {
    let mut shape = json!({ "id": chat.id, "type": chat.kind.word() });
    match chat.kind {
        Kind::Private => {
            let person = user_by_id(state, chat.id);
            shape["first_name"] = person["first_name"].clone();
            if let Some(name) = person.get("username") {
                shape["username"] = name.clone();
            }
        }
        _ => shape["title"] = json!(chat.title),
    }
    if chat.is_forum() {
        shape["is_forum"] = json!(true);
    }
    shape
}

/// A message as the bot sees it.
pub fn message(state: &State, message: &Message) -> Value {
    let mut shape = without_reply(state, message);
    if let Some(replied) = message
        .reply_to
        .and_then(|id| state.message(message.chat, id))
    {
        shape["reply_to_message"] = without_reply(state, replied);
    }
    shape
}

fn without_reply(state: &State, message: &Message) -> Value {
    let Some(place) = state.chats.get(&message.chat) else {
        return Value::Null;
    };
    let mut shape = Map::new();
    let place = chat(state, place);
    shape.insert("message_id".into(), json!(message.id));
    shape.insert("date".into(), json!(message.date));
    shape.insert("chat".into(), place.clone());
    match message.author {
        Author::Channel => {
            shape.insert("sender_chat".into(), place);
        }
        Author::Bot if place["type"] == "channel" => {
            shape.insert("sender_chat".into(), place);
        }
        Author::Bot => {
            shape.insert("from".into(), user(&state.bot));
        }
        Author::Person(id) => {
            shape.insert("from".into(), user_by_id(state, id));
        }
        Author::AnonymousAdmin => {
            shape.insert("from".into(), user_by_id(state, ANONYMOUS_ADMIN));
            shape.insert("sender_chat".into(), place);
        }
    }
    if let Some(thread) = message.thread {
        shape.insert("message_thread_id".into(), json!(thread));
        shape.insert("is_topic_message".into(), json!(true));
    }
    if let Some(edited) = message.edited {
        shape.insert("edit_date".into(), json!(edited));
    }
    if let Some(album) = &message.album {
        shape.insert("media_group_id".into(), json!(album));
    }
    if let Some(Value::Object(service)) = &message.service {
        shape.extend(service.clone());
        return Value::Object(shape);
    }
    let (text, entities) = match &message.media {
        None => ("text", "entities"),
        Some(media) => {
            shape.extend(media_fields(media));
            ("caption", "caption_entities")
        }
    };
    if !message.text.is_empty() || message.media.is_none() {
        shape.insert(text.into(), json!(message.text));
    }
    if !message.entities.is_empty() {
        let shapes: Vec<Value> = message
            .entities
            .iter()
            .map(|entity| entity.to_json())
            .collect();
        shape.insert(entities.into(), json!(shapes));
    }
    if !message.keyboard.is_empty() {
        shape.insert("reply_markup".into(), keyboard(message));
    }
    Value::Object(shape)
}

fn media_fields(media: &Media) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut file = json!({
        "file_id": media.file_id,
        "file_unique_id": media.unique_id,
        "file_size": media.bytes.len(),
    });
    if let Some(name) = &media.file_name {
        file["file_name"] = json!(name);
    }
    if let Some(mime) = &media.mime {
        file["mime_type"] = json!(mime);
    }
    match media.kind {
        MediaKind::Photo => {
            let sizes = media.sizes.iter().map(|size| {
                json!({
                    "file_id": size.file_id,
                    "file_unique_id": size.unique_id,
                    "file_size": size.bytes,
                    "width": size.width,
                    "height": size.height,
                })
            });
            fields.insert("photo".into(), sizes.collect());
        }
        MediaKind::Document => {
            fields.insert("document".into(), file);
        }
        MediaKind::Video | MediaKind::Animation => {
            if media.kind == MediaKind::Animation {
                fields.insert("document".into(), file.clone());
            }
            file["width"] = json!(media.width);
            file["height"] = json!(media.height);
            file["duration"] = json!(media.duration);
            fields.insert(media.kind.word().into(), file);
        }
    }
    fields
}

fn keyboard(message: &Message) -> Value {
    let button = |button: &super::message::Button| {
        let mut shape = json!({ "text": button.text });
        match &button.action {
            Action::Callback(data) => shape["callback_data"] = json!(data),
            Action::Url(url) => shape["url"] = json!(url),
            Action::Copy(text) => shape["copy_text"] = json!({ "text": text }),
            Action::Disabled => shape["disabled"] = json!({}),
            Action::Other(name, value) => shape[name.as_str()] = value.clone(),
        }
        if let Some(style) = &button.style {
            shape["style"] = json!(style);
        }
        shape
    };
    let rows = message.keyboard.iter();
    let rows: Vec<Vec<Value>> = rows.map(|row| row.iter().map(button).collect()).collect();
    json!({ "inline_keyboard": rows })
}

/// A `ChatMember`.
pub fn member(state: &State, chat: &Chat, id: i64, status: Status) -> Value {
    let mut shape = json!({ "user": user_by_id(state, id), "status": status.word() });
    let mut all = |names: &[&str], value: bool| {
        for name in names {
            shape[*name] = json!(value);
        }
    };
    match status {
        Status::Creator => all(&["is_anonymous"], false),
        Status::Administrator => {
            all(
                &["is_anonymous", "can_be_edited", "can_promote_members"],
                false,
            );
            all(
                &[
                    "can_manage_chat",
                    "can_change_info",
                    "can_delete_messages",
                    "can_invite_users",
                    "can_restrict_members",
                    "can_manage_video_chats",
                    "can_post_stories",
                    "can_edit_stories",
                    "can_delete_stories",
                ],
                true,
            );
            match chat.kind {
                Kind::Channel => all(&["can_post_messages", "can_edit_messages"], true),
                _ => all(&["can_pin_messages", "can_manage_topics"], true),
            }
        }
        Status::Restricted => {
            all(&["is_member"], true);
            all(
                &[
                    "can_send_messages",
                    "can_send_audios",
                    "can_send_documents",
                    "can_send_photos",
                    "can_send_videos",
                    "can_send_video_notes",
                    "can_send_voice_notes",
                    "can_send_polls",
                    "can_send_other_messages",
                    "can_add_web_page_previews",
                    "can_change_info",
                    "can_invite_users",
                    "can_pin_messages",
                    "can_manage_topics",
                ],
                false,
            );
            shape["until_date"] = json!(0);
        }
        Status::Kicked => shape["until_date"] = json!(0),
        Status::Member | Status::Left => {}
    }
    shape
}
