//! What stands between the box and the emulator, and does no more than it must.
//!
//! * The box writes `SendPhoto`, the emulator knows `sendPhoto`; Telegram takes either.
//! * The emulator forgets the secret of a webhook: its calls go by way of here, where the secret is put back.
//! * The box speaks of a file as `attach://PART`, as the Bot API has it; the emulator looks for it in place.
//! * Its `getMe` lacks a field that the Bot API always has.
//!
//! `getChat` and `setMyCommands`, which it does not know, are let through, and so refused: the box works without.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post, put};
use reqwest::multipart::Form;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The largest thing that goes through.
const LARGEST: usize = 50 << 20;

/// The way to the emulator.
pub(crate) struct Front {
    /// What the box is told as the address of the Bot API.
    pub url: String,
    shared: Arc<Shared>,
}

struct Shared {
    url: String,
    emulator: String,
    http: reqwest::Client,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// Where the box is to be called, and with which secret.
    webhook: Option<(String, String)>,
    /// Methods that the emulator does not know.
    unknown: Vec<String>,
}

impl Front {
    pub(crate) async fn start(emulator: &str) -> Self {
        let (listener, url) = listen().await;
        let shared = Arc::new(Shared {
            url: url.clone(),
            emulator: emulator.to_owned(),
            http: reqwest::Client::new(),
            seen: Mutex::default(),
        });
        let router = Router::new()
            .route("/{bot}/{method}", post(call))
            .route("/called", post(called))
            .layer(DefaultBodyLimit::max(LARGEST))
            .with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, shared }
    }

    /// Methods that the box called and the emulator does not know.
    pub(crate) fn unknown_methods(&self) -> Vec<String> {
        let mut methods = self.shared.seen.lock().unwrap().unknown.clone();
        methods.sort();
        methods.dedup();
        methods
    }
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

/// The box calls the Bot API.
async fn call(
    State(shared): State<Arc<Shared>>,
    Path((bot, method)): Path<(String, String)>,
    request: Request,
) -> Response {
    let method = format!("{}{}", method[..1].to_lowercase(), &method[1..]);
    let kind = request.headers()[header::CONTENT_TYPE].clone();
    let out = shared
        .http
        .post(format!("{}/{bot}/{method}", shared.emulator));
    let is_form = kind.as_bytes().starts_with(b"multipart/form-data");
    let out = if method == "setWebhook" {
        // The Bot API takes a form or JSON.
        let said: BTreeMap<String, String> = if is_form {
            let text = |part: Part| String::from_utf8(part.bytes.to_vec()).unwrap();
            let named = parts(request).await.into_iter();
            named.map(|(name, part)| (name, text(part))).collect()
        } else {
            let body = to_bytes(request.into_body(), LARGEST).await.unwrap();
            let said: Value = serde_json::from_slice(&body).unwrap();
            let text = |name: &str| (name.to_owned(), said[name].as_str().unwrap().to_owned());
            [text("url"), text("secret_token")].into()
        };
        let webhook = (said["url"].clone(), said["secret_token"].clone());
        shared.seen.lock().unwrap().webhook = Some(webhook);
        let way = json!({ "url": format!("{}/called", shared.url) });
        out.header(header::CONTENT_TYPE, "application/json")
            .body(way.to_string())
    } else if is_form {
        out.multipart(with_files_in_place(parts(request).await))
    } else {
        let body = to_bytes(request.into_body(), LARGEST).await.unwrap();
        out.header(header::CONTENT_TYPE, kind).body(body)
    };
    let answer = out.send().await.unwrap();
    let status = answer.status();
    let mut body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    if status == StatusCode::NOT_FOUND {
        shared.seen.lock().unwrap().unknown.push(method.clone());
    }
    match method.as_str() {
        "getMe" => body["result"]["has_main_web_app"] = json!(false),
        "getWebhookInfo" => {
            let seen = shared.seen.lock().unwrap();
            let url = seen.webhook.as_ref().map(|(url, _)| url.clone());
            body["result"]["url"] = json!(url.unwrap_or_default());
        }
        _ => {}
    }
    (status, body.to_string()).into_response()
}

/// A part of a form.
struct Part {
    file_name: Option<String>,
    bytes: Bytes,
}

/// The parts of a form, as the box sends them.
async fn parts(request: Request) -> BTreeMap<String, Part> {
    let mut form = Multipart::from_request(request, &()).await.unwrap();
    let mut parts = BTreeMap::new();
    while let Some(field) = form.next_field().await.unwrap() {
        let name = field.name().unwrap_or_default().to_owned();
        let file_name = field.file_name().map(str::to_owned);
        let bytes = field.bytes().await.unwrap();
        parts.insert(name, Part { file_name, bytes });
    }
    parts
}

/// The same form, with each file where it is spoken of as `attach://PART`.
fn with_files_in_place(mut parts: BTreeMap<String, Part>) -> Form {
    let mut form = Form::new();
    let words: Vec<String> = parts
        .iter()
        .filter(|(_, part)| part.file_name.is_none())
        .map(|(name, _)| name.clone())
        .collect();
    for name in words {
        let text = String::from_utf8(parts[&name].bytes.to_vec()).unwrap();
        let file = text
            .strip_prefix("attach://")
            .and_then(|at| parts.remove(at));
        form = match file {
            Some(file) => {
                let part = reqwest::multipart::Part::stream(file.bytes);
                form.part(name, part.file_name(file.file_name.unwrap_or_default()))
            }
            None => form.text(name, text),
        };
    }
    form
}

/// The emulator calls the box.
async fn called(State(shared): State<Arc<Shared>>, body: Bytes) -> StatusCode {
    let webhook = shared.seen.lock().unwrap().webhook.clone();
    let (url, secret) = webhook.expect("the box has set its webhook");
    let request = shared
        .http
        .post(url)
        .header("X-Telegram-Bot-Api-Secret-Token", secret)
        .body(body);
    request
        .send()
        .await
        .map_or(StatusCode::BAD_GATEWAY, |answer| answer.status())
}

type Kept = Arc<Mutex<Vec<Bytes>>>;

async fn keep(State(kept): State<Kept>, body: Bytes) -> StatusCode {
    kept.lock().unwrap().push(body);
    StatusCode::OK
}

/// A shelf for what is uploaded: as much of S3 as the emulator uses.
pub(crate) struct Shelf {
    pub address: String,
    kept: Kept,
}

impl Shelf {
    pub(crate) async fn start() -> Self {
        let (listener, url) = listen().await;
        let kept = Kept::default();
        let router = Router::new()
            .route("/{bucket}", any(|| async { StatusCode::OK }))
            .route("/{bucket}/{*key}", put(keep))
            .layer(DefaultBodyLimit::max(LARGEST))
            .with_state(Arc::clone(&kept));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            address: url.trim_start_matches("http://").to_owned(),
            kept,
        }
    }

    /// What was uploaded.
    pub(crate) fn uploads(&self) -> Vec<Bytes> {
        self.kept.lock().unwrap().clone()
    }
}
