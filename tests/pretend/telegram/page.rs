//! The chat page: the same chats as a person would see them, and a few switches for trouble.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State as Shares};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::Shared;
use super::chat::{Chat, Kind, State};
use super::faults::Fault;
use super::message::{Action, Author, Media, Message};
use super::people::Pressed;

/// How long the page's question for news may stay open.
const PATIENCE: Duration = Duration::from_secs(20);
const OFFLINE: Duration = Duration::from_secs(60);

pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/", get(|| async { Html(include_str!("page.html")) }))
        .route("/pretend/state", get(state))
        .route("/pretend/file/{id}", get(file))
        .route("/pretend/press", post(press))
        .route("/pretend/say", post(say))
        .route("/pretend/fault", post(fault))
}

/// Everything there is to show, once it is newer than `since`.
async fn state(
    Shares(shared): Shares<Arc<Shared>>,
    Query(query): Query<HashMap<String, u64>>,
) -> Json<Value> {
    let since = query.get("since").copied().unwrap_or(0);
    let mut changed = shared.changed.subscribe();
    let newer = changed.wait_for(|version| *version > since);
    let _ = tokio::time::timeout(PATIENCE, newer).await;
    let version = *shared.changed.borrow();
    let is_online = shared.door.is_open();
    Json(shared.look(|state| {
        json!({
            "version": version,
            "online": is_online,
            "bot": state.bot.first_name,
            "people": state.people.values().map(|person| json!({
                "id": person.id,
                "name": person.first_name,
                "is_stranger": !state.chats.values().any(|chat| !chat.status_of(person.id).is_gone()),
            })).collect::<Vec<_>>(),
            "chats": state.chats.values().map(|chat| chat_shown(state, chat)).collect::<Vec<_>>(),
            "answers": state.answers.iter().map(|answer| json!({
                "query": answer.query,
                "text": answer.text,
                "is_alert": answer.show_alert,
            })).collect::<Vec<_>>(),
            "faults": state.faults.iter().map(|planned| json!({
                "what": planned.fault.to_string(),
                "method": planned.method,
                "left": planned.left,
            })).collect::<Vec<_>>(),
            "presses_to_lose": state.presses_to_lose,
            "calls": last_calls(state),
            "commands": state.commands.iter().flat_map(|(_, _, list)| list.as_array().cloned().unwrap_or_default())
                .collect::<Vec<_>>(),
        })
    }))
}

fn last_calls(state: &State) -> Vec<Value> {
    let told = state
        .calls
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, call)| call.method != "getUpdates");
    told.take(40)
        .map(|(number, call)| {
            json!({
                "number": number,
                "method": call.method,
                "at": call.at.as_millis() as u64,
                "params": call.params,
                "outcome": call.outcome,
            })
        })
        .collect()
}

fn chat_shown(state: &State, chat: &Chat) -> Value {
    json!({
        "id": chat.id,
        "title": chat.title,
        "kind": chat.kind.word(),
        "topics": chat.topics,
        "members": chat.members.iter().filter(|(_, status)| !status.is_gone()).map(|(id, _)| id).collect::<Vec<_>>(),
        "moved": chat.migrated_to,
        "messages": chat.messages.values().map(|message| message_shown(state, chat, message)).collect::<Vec<_>>(),
    })
}

fn message_shown(state: &State, chat: &Chat, message: &Message) -> Value {
    let (from, name) = match message.author {
        Author::Bot if chat.kind == Kind::Channel => ("bot", chat.title.clone()),
        Author::Bot => ("bot", state.bot.first_name.clone()),
        Author::Channel => ("channel", chat.title.clone()),
        Author::AnonymousAdmin => ("admin", chat.title.clone()),
        Author::Person(id) => {
            let name = state
                .people
                .get(&id)
                .map(|person| person.first_name.clone());
            ("person", name.unwrap_or_else(|| format!("User {id}")))
        }
    };
    let person = match message.author {
        Author::Person(id) => Some(id),
        _ => None,
    };
    let replied = message.reply_to.and_then(|id| chat.messages.get(&id));
    json!({
        "id": message.id,
        "from": from,
        "person": person,
        "name": name,
        "date": message.date,
        "edited": message.edited.is_some(),
        "topic": message.thread.and_then(|thread| chat.topics.get(&thread)),
        "text": message.text,
        "entities": message.entities.iter().map(|entity| entity.to_json()).collect::<Vec<_>>(),
        "media": message.media.as_ref().map(media_shown),
        "reply": replied.map(|message| json!({ "id": message.id, "text": message.text })),
        "service": message.service,
        "keyboard": message.keyboard.iter().map(|row| row.iter().map(|button| {
            let (kind, value) = match &button.action {
                Action::Callback(_) => ("callback", None),
                Action::Url(url) => ("url", Some(url.clone())),
                Action::Copy(text) => ("copy", Some(text.clone())),
                Action::Disabled | Action::Other(..) => ("disabled", None),
            };
            json!({ "text": button.text, "kind": kind, "value": value, "style": button.style })
        }).collect::<Vec<_>>()).collect::<Vec<_>>(),
    })
}

fn media_shown(media: &Media) -> Value {
    json!({
        "kind": media.kind.word(),
        "file": media.file_id,
        "name": media.file_name,
        "bytes": media.bytes.len(),
        "width": media.width,
        "height": media.height,
    })
}

async fn file(Shares(shared): Shares<Arc<Shared>>, Path(id): Path<String>) -> Response {
    let Some(media) = shared.look(|state| state.files.get(&id).cloned()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kind = match imagesize::image_type(&media.bytes) {
        Ok(imagesize::ImageType::Png) => "image/png",
        Ok(imagesize::ImageType::Webp) => "image/webp",
        Ok(imagesize::ImageType::Gif) => "image/gif",
        Ok(imagesize::ImageType::Jpeg) => "image/jpeg",
        _ => media.mime.as_deref().unwrap_or("application/octet-stream"),
    };
    let kind = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CACHE_CONTROL, "max-age=3600".into()),
    ];
    (kind, media.bytes).into_response()
}

async fn press(Shares(shared): Shares<Arc<Shared>>, Json(body): Json<Value>) -> Response {
    let number = |name: &str| body[name].as_i64().unwrap_or(0);
    let (person, chat, message) = (number("person"), number("chat"), number("message"));
    let action = shared.look(|state| {
        let row = state
            .message(chat, message)?
            .keyboard
            .get(number("row") as usize)?;
        Some(row.get(number("column") as usize)?.action.clone())
    });
    let Some(action) = action else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match shared.touch(person, chat, message, &action) {
        Pressed::Query(query) => Json(json!({ "query": query })).into_response(),
        _ => Json(json!({})).into_response(),
    }
}

async fn say(Shares(shared): Shares<Arc<Shared>>, Json(body): Json<Value>) -> StatusCode {
    let chat = body["chat"].as_i64().unwrap_or(0);
    let text = body["text"].as_str().unwrap_or("").trim();
    let kind = shared.look(|state| state.chats.get(&chat).map(|chat| chat.kind));
    let (Some(kind), false) = (kind, text.is_empty()) else {
        return StatusCode::BAD_REQUEST;
    };
    let author = match kind {
        Kind::Channel => Author::Channel,
        _ => Author::Person(body["person"].as_i64().unwrap_or(0)),
    };
    shared.write(author, chat, text, body["reply"].as_i64(), None);
    StatusCode::NO_CONTENT
}

async fn fault(Shares(shared): Shares<Arc<Shared>>, Json(body): Json<Value>) -> StatusCode {
    let html = "<html><body><h1>502 Bad Gateway</h1></body></html>".to_owned();
    let fault = match body["kind"].as_str().unwrap_or("") {
        "timeout" => Fault::TimeoutAfterAccepting,
        "retry" => Fault::RetryAfter(5),
        "error" => Fault::ServerError(502, html),
        "lose" => {
            shared.act(|state| state.presses_to_lose += 1);
            return StatusCode::NO_CONTENT;
        }
        "offline" => {
            shared.door.shut().await;
            shared.act(|_| ());
            tokio::spawn(async move {
                tokio::time::sleep(OFFLINE).await;
                shared.door.open().await;
                shared.act(|_| ());
            });
            return StatusCode::NO_CONTENT;
        }
        "online" => {
            shared.door.open().await;
            shared.act(|_| ());
            return StatusCode::NO_CONTENT;
        }
        "clear" => {
            shared.act(|state| {
                state.faults.clear();
                state.presses_to_lose = 0;
            });
            return StatusCode::NO_CONTENT;
        }
        _ => return StatusCode::BAD_REQUEST,
    };
    shared.act(|state| state.faults.push(fault.into()));
    StatusCode::NO_CONTENT
}
