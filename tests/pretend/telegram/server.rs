//! The Bot API over HTTP: routes, the way of a call, and which method does what.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, Request, State as Shares};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Router, serve};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout_at};

use super::chat::{Call, Kind, State};
use super::faults::{self, Fault};
use super::limits::{DOWNLOAD_BYTES, POLL_SECONDS, Refusal, Reply};
use super::listener::{Cord, Port};
use super::message::MediaKind;
use super::request::Params;
use super::{Shared, asking, editing, files, page, sending, webhook};

const METHODS: [&str; 28] = [
    "getMe",
    "getUpdates",
    "getWebhookInfo",
    "setWebhook",
    "deleteWebhook",
    "sendMessage",
    "sendPhoto",
    "sendVideo",
    "sendAnimation",
    "sendDocument",
    "sendMediaGroup",
    "sendChatAction",
    "editMessageText",
    "editMessageCaption",
    "editMessageMedia",
    "editMessageReplyMarkup",
    "answerCallbackQuery",
    "deleteMessage",
    "getChat",
    "getChatMember",
    "getChatMemberCount",
    "getChatAdministrators",
    "leaveChat",
    "setMyCommands",
    "getMyCommands",
    "deleteMyCommands",
    "getFile",
    "logOut",
];

/// What the way to a file is called among the methods.
const DOWNLOAD: &str = "download";

/// Serves the API, the files and the page on a port, until dropped.
pub fn spawn(port: Port, shared: Arc<Shared>) -> tokio::task::AbortHandle {
    let router = Router::new()
        .route("/{bot}/{method}", any(call))
        .route("/file/{bot}/{*path}", get(download))
        .merge(page::routes())
        .fallback(|| async { answer(Err(Refusal::not_found())) })
        .layer(DefaultBodyLimit::disable())
        .with_state(shared);
    let service = router.into_make_service_with_connect_info::<Cord>();
    tokio::spawn(async move { serve(port, service).await }).abort_handle()
}

async fn call(
    Shares(shared): Shares<Arc<Shared>>,
    ConnectInfo(cord): ConnectInfo<Cord>,
    Path((bot, written)): Path<(String, String)>,
    request: Request,
) -> Response {
    if bot.strip_prefix("bot") != Some(&shared.token) {
        shared.act(|state| state.unexpected.push(format!("{written}: a wrong token")));
        return answer(Err(Refusal::unauthorized()));
    }
    let known = METHODS
        .iter()
        .find(|name| name.eq_ignore_ascii_case(&written));
    let method = known.map_or(written.as_str(), |name| name);
    let params = match Params::read(request).await {
        Ok(params) => params,
        Err(refusal) => {
            shared.act(|state| {
                state
                    .unexpected
                    .push(format!("{method}: {}", refusal.description))
            });
            return answer(Err(refusal));
        }
    };
    let (number, fault) = shared.act(|state| {
        state.calls.push(Call {
            method: method.to_owned(),
            at: state.now(),
            params: params.described(),
            chat: params.chat(),
            outcome: "…".to_owned(),
        });
        (
            state.calls.len() - 1,
            faults::take(&mut state.faults, method, params.chat()),
        )
    });
    let reply = match &fault {
        Some(fault) if !fault.has_effect() => Err(refusal_of(&shared, fault, &params)),
        _ if method == "getUpdates" => get_updates(&shared, &params).await,
        _ => shared.act(|state| perform(state, method, &params)),
    };
    shared.act(|state| {
        let outcome = match (&fault, &reply) {
            (Some(fault), _) => fault.to_string(),
            (None, Ok(_)) => "ok".to_owned(),
            (None, Err(refusal)) => format!("{} {}", refusal.code, refusal.description),
        };
        if fault.is_none()
            && let Err(refusal) = &reply
            && refusal.is_callers_mistake()
        {
            state.unexpected.push(format!("{method}: {outcome}"));
        }
        state.calls[number].outcome = outcome;
    });
    deliver(reply, fault, &cord).await
}

/// What the server says when a fault keeps the call from taking effect.
fn refusal_of(shared: &Shared, fault: &Fault, params: &Params) -> Refusal {
    let kind = shared.look(|state| {
        let chat = params.chat().and_then(|id| state.chats.get(&id));
        chat.map_or(Kind::Supergroup, |chat| chat.kind)
    });
    match fault {
        Fault::RetryAfter(seconds) => Refusal::too_many(*seconds),
        Fault::Conflict => Refusal::conflict(),
        Fault::Unauthorized => Refusal::unauthorized(),
        _ => Refusal::kicked(kind),
    }
}

/// Hands the answer over, or does not.
async fn deliver(reply: Reply, fault: Option<Fault>, cord: &Cord) -> Response {
    match fault {
        Some(Fault::TimeoutAfterAccepting) => std::future::pending().await,
        Some(Fault::DropAfterAccepting | Fault::DropBefore) => {
            // The connection is gone before this answer can be written.
            cord.cut();
            StatusCode::NO_CONTENT.into_response()
        }
        Some(Fault::ServerError(code, html) | Fault::ServerErrorAfterAccepting(code, html)) => {
            let code = StatusCode::from_u16(code).expect("a fault carries a valid HTTP status");
            (code, [(header::CONTENT_TYPE, "text/html")], html).into_response()
        }
        Some(Fault::HalfAnswer) => {
            let body = body_of(&reply).to_string();
            let half: String = body.chars().take(body.chars().count() / 2).collect();
            ([(header::CONTENT_TYPE, "application/json")], half).into_response()
        }
        Some(Fault::CutAnswer) => cut_in_half(body_of(&reply).to_string().into(), cord),
        Some(Fault::Slow(time)) => {
            sleep(time).await;
            answer(reply)
        }
        Some(Fault::RetryAfter(_) | Fault::Conflict | Fault::Unauthorized | Fault::Kicked)
        | None => answer(reply),
    }
}

/// Half of an answer; then the connection breaks.
fn cut_in_half(body: Bytes, cord: &Cord) -> Response {
    let length = body.len();
    let half = body.slice(..length / 2);
    let cord = cord.clone();
    let cut = stream::once(async move {
        sleep(Duration::from_millis(50)).await; // lets the first half leave
        cord.cut();
        Ok::<_, Infallible>(Bytes::new())
    });
    let parts = futures_util::StreamExt::chain(stream::iter([Ok(half)]), cut);
    ([(header::CONTENT_LENGTH, length)], Body::from_stream(parts)).into_response()
}

fn body_of(reply: &Reply) -> Value {
    match reply {
        Ok(result) => json!({ "ok": true, "result": result }),
        Err(refusal) => refusal.body(),
    }
}

fn answer(reply: Reply) -> Response {
    let code = reply.as_ref().err().map_or(200, |refusal| refusal.code);
    let code = StatusCode::from_u16(code).expect("refusals carry valid HTTP statuses");
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (code, kind, body_of(&reply).to_string()).into_response()
}

fn perform(state: &mut State, method: &str, params: &Params) -> Reply {
    match method {
        "getMe" => asking::get_me(state),
        "getWebhookInfo" => webhook::get_info(state),
        "setWebhook" => webhook::set(state, params),
        "deleteWebhook" => webhook::delete(state, params),
        "sendMessage" => sending::send_message(state, params),
        "sendPhoto" => sending::send_media(state, params, MediaKind::Photo),
        "sendVideo" => sending::send_media(state, params, MediaKind::Video),
        "sendAnimation" => sending::send_media(state, params, MediaKind::Animation),
        "sendDocument" => sending::send_media(state, params, MediaKind::Document),
        "sendMediaGroup" => sending::send_media_group(state, params),
        "sendChatAction" => state
            .open_chat(sending::chat_id(params)?)
            .map(|_| json!(true)),
        "editMessageText" => editing::edit_text(state, params),
        "editMessageCaption" => editing::edit_caption(state, params),
        "editMessageMedia" => editing::edit_media(state, params),
        "editMessageReplyMarkup" => editing::edit_reply_markup(state, params),
        "answerCallbackQuery" => editing::answer_callback_query(state, params),
        "deleteMessage" => sending::delete_message(state, params),
        "getChat" => asking::get_chat(state, params),
        "getChatMember" => asking::get_chat_member(state, params),
        "getChatMemberCount" => asking::get_chat_member_count(state, params),
        "getChatAdministrators" => asking::get_chat_administrators(state, params),
        "leaveChat" => sending::leave_chat(state, params),
        "setMyCommands" => asking::set_my_commands(state, params),
        "getMyCommands" => asking::get_my_commands(state, params),
        "deleteMyCommands" => asking::delete_my_commands(state, params),
        "getFile" => files::get_file(state, params),
        "logOut" => Ok(json!(true)),
        _ => Err(Refusal::unknown_method()),
    }
}

/// The long poll. The newest poll wins; an older one that still waits ends with 409.
async fn get_updates(shared: &Shared, params: &Params) -> Reply {
    let limit = params.integer("limit").unwrap_or(100).clamp(1, 100) as usize;
    let timeout = params
        .integer("timeout")
        .unwrap_or(0)
        .clamp(0, POLL_SECONDS);
    let until = Instant::now() + Duration::from_secs(timeout as u64);
    let mut changed = shared.changed.subscribe();
    let mine = shared.act(|state| {
        if state.webhook.is_some() {
            return Err(Refusal::webhook_is_active());
        }
        state.updates.allow(params);
        state.updates.confirm(params.integer("offset").unwrap_or(0));
        state.updates.poll += 1;
        Ok(state.updates.poll)
    })?;
    loop {
        changed.borrow_and_update();
        let ready = shared.look(|state| {
            let now = state.now();
            let is_newest = state.updates.poll == mine && state.webhook.is_none();
            is_newest.then(|| state.updates.ready(now, limit))
        });
        let ready = ready.ok_or_else(Refusal::conflict)?;
        let is_hasty = shared.look(|state| state.polls_are_hasty);
        if !ready.is_empty() || is_hasty || Instant::now() >= until {
            return Ok(json!(ready));
        }
        let _ = timeout_at(until, changed.changed()).await;
    }
}

/// Hands a file out; for faults and among the calls it is a method called `download`.
async fn download(
    Shares(shared): Shares<Arc<Shared>>,
    ConnectInfo(cord): ConnectInfo<Cord>,
    Path((bot, path)): Path<(String, String)>,
) -> Response {
    if bot.strip_prefix("bot") != Some(&shared.token) {
        return answer(Err(Refusal::unauthorized()));
    }
    let (bytes, fault) = shared.act(|state| {
        let media = state.files.values().find(|media| media.path == path);
        let bytes = media.map(|media| media.bytes.clone());
        let fault = faults::take(&mut state.faults, DOWNLOAD, None);
        state.calls.push(Call {
            method: DOWNLOAD.to_owned(),
            at: state.now(),
            params: json!({ "path": path }),
            chat: None,
            outcome: fault.as_ref().map_or("ok".to_owned(), ToString::to_string),
        });
        (bytes, fault)
    });
    match (bytes, fault) {
        (Some(bytes), Some(Fault::CutAnswer)) => cut_in_half(bytes, &cord),
        (_, Some(fault)) => deliver(Err(Refusal::not_found()), Some(fault), &cord).await,
        (Some(bytes), None) if bytes.len() <= DOWNLOAD_BYTES => bytes.into_response(),
        _ => answer(Err(Refusal::not_found())),
    }
}
