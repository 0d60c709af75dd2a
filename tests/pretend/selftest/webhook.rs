//! The webhook: called until it says 200, oldest first, and never beside a poll.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};

use crate::{ANN, SOON, a_team};

/// What a bot was called with: the secret, and the text of the message.
type Heard = Arc<Mutex<Vec<(String, String)>>>;

/// A bot that refuses the first call and takes the others.
async fn a_bot_that_is_called() -> (String, Heard) {
    async fn hear(State(heard): State<Heard>, headers: HeaderMap, body: String) -> StatusCode {
        let secret = &headers["X-Telegram-Bot-Api-Secret-Token"];
        let secret = secret.to_str().expect("a secret in letters").to_owned();
        let update: Value = serde_json::from_str(&body).expect("JSON");
        let text = update["message"]["text"].as_str().expect("a message");
        let mut heard = heard.lock().expect("nobody panicked");
        heard.push((secret, text.to_owned()));
        match heard.len() {
            1 => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::OK,
        }
    }
    let heard = Heard::default();
    let router = Router::new()
        .route("/calls", post(hear))
        .with_state(Arc::clone(&heard));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!(
        "http://{}/calls",
        listener.local_addr().expect("an address")
    );
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, heard)
}

#[tokio::test]
async fn updates_are_called_in_in_order_until_they_are_taken() {
    let (telegram, bot) = a_team().await;
    let (url, heard) = a_bot_that_is_called().await;
    telegram.say(ANN, ANN, "one");
    bot.ok("setWebhook", json!({ "url": url, "secret_token": "s-1" }))
        .await;
    telegram.say(ANN, ANN, "two");
    telegram
        .wait_for(|state| state.updates.is_empty().then_some(()), SOON)
        .await;
    let heard = heard.lock().expect("nobody panicked").clone();
    let expected = ["one", "one", "two"].map(|text| ("s-1".to_owned(), text.to_owned()));
    assert_eq!(heard, expected);
    let info = bot.ok("getWebhookInfo", json!({})).await;
    assert_eq!(info["url"], url);
    assert_eq!(info["pending_update_count"], 0);
    assert_eq!(
        info["last_error_message"],
        "Wrong response from the webhook: 503 Service Unavailable"
    );
}

#[tokio::test]
async fn a_poll_is_refused_while_a_webhook_is_set_and_what_waits_is_kept() {
    let (telegram, bot) = a_team().await;
    telegram.lead_webhook_astray(true);
    bot.ok("setWebhook", json!({ "url": "https://bot.example.com/" }))
        .await;
    telegram.say(ANN, ANN, "one");
    let refusal = bot.refused("getUpdates", json!({})).await;
    assert!(refusal.contains("while webhook is active"), "{refusal}");
    let info = bot.ok("getWebhookInfo", json!({})).await;
    assert_eq!(info["pending_update_count"], 1);
    bot.ok("deleteWebhook", json!({})).await;
    assert_eq!(bot.updates(json!({})).await.len(), 1);
}

#[tokio::test]
async fn an_address_or_a_secret_that_telegram_would_not_take_is_refused() {
    let (_telegram, bot) = a_team().await;
    for (params, words) in [
        (json!({ "url": "http://bot.example.com/" }), "HTTPS URL"),
        (json!({ "url": "nowhere" }), "invalid URL"),
        (
            json!({ "url": "https://b.example.com", "secret_token": "ü" }),
            "unallowed characters",
        ),
    ] {
        let refusal = bot.refused("setWebhook", params).await;
        assert!(refusal.contains(words), "{refusal}");
    }
}
