//! Tests of the stand-ins themselves, from outside, over real HTTP.

#[path = "mod.rs"]
mod pretend;

#[path = "selftest/faults.rs"]
mod faults;
#[path = "selftest/messages.rs"]
mod messages;
#[path = "selftest/page.rs"]
mod page;
#[path = "selftest/places.rs"]
mod places;
#[path = "selftest/refusals.rs"]
mod refusals;
#[path = "selftest/teloxide.rs"]
mod teloxide;
#[path = "selftest/updates.rs"]
mod updates;
#[path = "selftest/webhook.rs"]
mod webhook;

use std::time::Duration;

use pretend::telegram::{PretendTelegram, Status};
use serde_json::{Value, json};

const TEAM: i64 = -1_001_000_000_001;
const DESK: i64 = -1_001_000_000_002;
const ANN: i64 = 11;
const BEN: i64 = 12;
const ZED: i64 = 99;
const SOON: Duration = Duration::from_secs(5);

/// A team supergroup with Ann and Ben, a channel, a private chat with Ann, and Zed, a stranger.
async fn a_team() -> (PretendTelegram, Client) {
    let telegram = PretendTelegram::start().await;
    telegram.person(ANN, "Ann");
    telegram.person(BEN, "Ben");
    telegram.person(ZED, "Zed");
    telegram.supergroup(TEAM, "Team stories");
    telegram.member(TEAM, ANN, Status::Administrator);
    telegram.member(TEAM, BEN, Status::Member);
    telegram.channel(DESK, "Desk");
    telegram.private_chat(ANN);
    let client = Client {
        base: format!("{}/bot{}", telegram.url(), telegram.token()),
        http: reqwest::Client::new(),
    };
    (telegram, client)
}

/// A bot of few words.
#[derive(Clone)]
struct Client {
    base: String,
    http: reqwest::Client,
}

impl Client {
    async fn call(&self, method: &str, params: Value) -> Value {
        let answer = self.try_call(method, params).await;
        answer.expect("an answer").json().await.expect("JSON")
    }

    async fn try_call(&self, method: &str, params: Value) -> reqwest::Result<reqwest::Response> {
        let request = self.http.post(format!("{}/{method}", self.base));
        request
            .header("content-type", "application/json")
            .body(params.to_string())
            .send()
            .await
    }

    /// Calls and returns the result.
    #[track_caller]
    fn ok(&self, method: &str, params: Value) -> impl Future<Output = Value> {
        let call = self.call(method, params);
        let place = std::panic::Location::caller();
        async move {
            let answer = call.await;
            assert_eq!(answer["ok"], true, "{place}: {answer}");
            answer["result"].clone()
        }
    }

    /// Calls and returns "code description".
    async fn refused(&self, method: &str, params: Value) -> String {
        let answer = self.call(method, params).await;
        assert_eq!(answer["ok"], false, "{answer}");
        let description = answer["description"].as_str().unwrap_or_default();
        format!("{} {description}", answer["error_code"])
    }

    async fn send_photo(&self, chat: i64, picture: Vec<u8>, fields: &[(&str, &str)]) -> Value {
        let part = reqwest::multipart::Part::stream(picture).file_name("picture.png");
        let mut form = reqwest::multipart::Form::new()
            .text("chat_id", chat.to_string())
            .part("photo", part);
        for (name, value) in fields {
            form = form.text((*name).to_owned(), (*value).to_owned());
        }
        let request = self.http.post(format!("{}/SENDPHOTO", self.base));
        let answer = request.multipart(form).send().await.expect("an answer");
        answer.json().await.expect("JSON")
    }

    async fn say(&self, chat: i64, text: &str) -> i64 {
        let params = json!({ "chat_id": chat, "text": text });
        let message = self.ok("sendMessage", params).await;
        message["message_id"].as_i64().expect("a message id")
    }

    /// Sends a message with buttons `(text, callback data)` in one row.
    async fn ask(&self, chat: i64, text: &str, buttons: &[(&str, &str)]) -> i64 {
        let buttons: Vec<Value> = buttons
            .iter()
            .map(|(text, data)| json!({ "text": text, "callback_data": data }))
            .collect();
        let params = json!({
            "chat_id": chat,
            "text": text,
            "reply_markup": { "inline_keyboard": [buttons] },
        });
        let message = self.ok("sendMessage", params).await;
        message["message_id"].as_i64().expect("a message id")
    }

    async fn updates(&self, params: Value) -> Vec<Value> {
        let updates = self.ok("getUpdates", params).await;
        updates.as_array().expect("a list").clone()
    }
}

/// A PNG of one colour.
fn picture(width: u32, height: u32) -> Vec<u8> {
    let image = image::RgbImage::from_pixel(width, height, image::Rgb([40, 120, 200]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image
        .write_to(&mut bytes, image::ImageFormat::Png)
        .expect("a picture can be written to memory");
    bytes.into_inner()
}
