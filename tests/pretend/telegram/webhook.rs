//! The webhook: updates are called in at an address of the bot's, oldest first, again and again until it says 200.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::Shared;
use super::chat::State;
use super::limits::{Refusal, Reply};
use super::request::Params;

/// The pause after the first call that failed; each further one doubles it. The server's own are longer.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// How long a call may take.
const CALL: Duration = Duration::from_secs(60);

/// Where updates are called in.
#[derive(Clone, Debug, PartialEq)]
pub struct Webhook {
    pub url: String,
    pub secret: String,
    pub max_connections: i64,
    /// When a call failed last, and why.
    pub last_error: Option<(i64, String)>,
}

pub fn set(state: &mut State, params: &Params) -> Reply {
    let url = params.text("url").unwrap_or_default();
    if url.is_empty() {
        return delete(state, params);
    }
    let parsed = reqwest::Url::parse(&url).map_err(|_| Refusal::bad("bad webhook: invalid URL"))?;
    let is_local = ["127.0.0.1", "localhost"].contains(&parsed.host_str().unwrap_or_default());
    if parsed.scheme() != "https" && !is_local {
        let text = "bad webhook: An HTTPS URL must be provided for webhook";
        return Err(Refusal::bad(text));
    }
    let secret = params.text("secret_token").unwrap_or_default();
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    if secret.len() > 256 || !secret.bytes().all(is_known) {
        return Err(Refusal::bad("secret token contains unallowed characters"));
    }
    if params.is_true("drop_pending_updates") {
        state.updates.clear();
    }
    state.updates.allow(params);
    state.webhook = Some(Webhook {
        url,
        secret,
        max_connections: params.integer("max_connections").unwrap_or(40),
        last_error: None,
    });
    Ok(json!(true))
}

pub fn delete(state: &mut State, params: &Params) -> Reply {
    if params.is_true("drop_pending_updates") {
        state.updates.clear();
    }
    state.webhook = None;
    Ok(json!(true))
}

pub fn get_info(state: &mut State) -> Reply {
    let now = state.now();
    let mut info = json!({
        "url": "",
        "has_custom_certificate": false,
        "pending_update_count": state.updates.len(now),
        "allowed_updates": state.updates.allowed(),
    });
    if let Some(webhook) = &state.webhook {
        info["url"] = json!(webhook.url);
        info["max_connections"] = json!(webhook.max_connections);
        if let Some((at, message)) = &webhook.last_error {
            info["last_error_date"] = json!(at);
            info["last_error_message"] = json!(message);
        }
    }
    Ok(info)
}

/// Calls in what waits, until dropped.
pub fn spawn(shared: Arc<Shared>) -> tokio::task::AbortHandle {
    tokio::spawn(call_in(shared)).abort_handle()
}

async fn call_in(shared: Arc<Shared>) {
    let client = reqwest::Client::new();
    let mut changed = shared.changed.subscribe();
    let mut pause = FIRST_PAUSE;
    loop {
        changed.borrow_and_update();
        let found = shared.look(waiting).filter(|_| shared.door.is_open());
        let Some((webhook, update)) = found else {
            if changed.changed().await.is_err() {
                return;
            }
            continue;
        };
        let called = if shared.look(|state| state.webhook_is_astray) {
            Err("Connection refused".to_owned())
        } else {
            post(&client, &webhook, &update).await
        };
        match called {
            Ok(()) if !shared.look(lose_answer) => {
                pause = FIRST_PAUSE;
                let next = update["update_id"].as_i64().unwrap_or_default() + 1;
                shared.act(|state| state.updates.confirm(next));
            }
            Ok(()) => {}
            Err(why) => {
                shared.act(|state| fail(state, &webhook.url, why));
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// The webhook and the oldest update that waits for it.
fn waiting(state: &mut State) -> Option<(Webhook, Value)> {
    let webhook = state.webhook.clone()?;
    let now = state.now();
    Some((webhook, state.updates.ready(now, 1).pop()?))
}

/// Whether this answer is lost on its way.
fn lose_answer(state: &mut State) -> bool {
    let lost = state.webhook_answers_to_lose > 0;
    state.webhook_answers_to_lose = state.webhook_answers_to_lose.saturating_sub(1);
    lost
}

fn fail(state: &mut State, url: &str, why: String) {
    let at = state.seconds();
    if let Some(webhook) = state.webhook.as_mut().filter(|webhook| webhook.url == url) {
        webhook.last_error = Some((at, why));
    }
}

/// Calls once; why it failed, in the server's words.
async fn post(client: &reqwest::Client, webhook: &Webhook, update: &Value) -> Result<(), String> {
    let mut request = client
        .post(&webhook.url)
        .header("content-type", "application/json")
        .body(update.to_string());
    if !webhook.secret.is_empty() {
        request = request.header("X-Telegram-Bot-Api-Secret-Token", &webhook.secret);
    }
    match timeout(CALL, request.send()).await {
        Err(_) => Err("Read timeout expired".to_owned()),
        Ok(Err(error)) if error.is_connect() => Err("Connection refused".to_owned()),
        Ok(Err(_)) => Err("Connection reset by peer".to_owned()),
        Ok(Ok(answer)) if answer.status().is_success() => Ok(()),
        Ok(Ok(answer)) => Err(format!(
            "Wrong response from the webhook: {}",
            answer.status()
        )),
    }
}
