//! What the Bot API refuses, and in which words.
//!
//! The figures are those of Bot API 10.3; the sentences are the server's own where they are known, because clients
//! tell errors apart by them.

use std::time::Duration;

use imagesize::ImageType;
use serde_json::{Value, json};

use super::chat::{Chat, Kind};
use super::message::{Action, Button, Keyboard};

pub const TEXT_UNITS: usize = 4096;
pub const CAPTION_UNITS: usize = 1024;
pub const CALLBACK_DATA_BYTES: usize = 64;
pub const COPY_TEXT_CHARS: usize = 256;
pub const ANSWER_CHARS: usize = 200;
pub const BUTTONS: usize = 100;
pub const PHOTO_BYTES: usize = 10 << 20;
pub const UPLOAD_BYTES: usize = 50 << 20;
pub const DOWNLOAD_BYTES: usize = 20 << 20;
pub const PHOTO_SIDES: usize = 10_000;
pub const PHOTO_RATIO: usize = 20;
pub const POLL_SECONDS: i64 = 50;
/// How long a press waits to be fetched, and how long it may be answered.
pub const PRESS_LIFE: Duration = Duration::from_secs(150);
/// How long everything else waits to be fetched.
pub const MESSAGE_LIFE: Duration = Duration::from_secs(86_400);
pub const DELETE_WITHIN: Duration = Duration::from_secs(48 * 3600);

/// An answer with `"ok": false`.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    pub code: u16,
    pub description: String,
    pub parameters: Option<Value>,
}

/// What a method answers.
pub type Reply = Result<Value, Refusal>;

impl Refusal {
    fn new(code: u16, description: impl Into<String>) -> Self {
        Self {
            code,
            description: description.into(),
            parameters: None,
        }
    }

    pub fn bad(what: impl AsRef<str>) -> Self {
        Self::new(400, format!("Bad Request: {}", what.as_ref()))
    }

    pub fn forbidden(what: impl AsRef<str>) -> Self {
        Self::new(403, format!("Forbidden: {}", what.as_ref()))
    }

    pub fn unauthorized() -> Self {
        Self::new(401, "Unauthorized")
    }

    pub fn unknown_method() -> Self {
        Self::new(404, "Not Found: method not found")
    }

    pub fn not_found() -> Self {
        Self::new(404, "Not Found")
    }

    pub fn too_large() -> Self {
        Self::new(413, "Request Entity Too Large")
    }

    pub fn conflict() -> Self {
        Self::new(
            409,
            "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
        )
    }

    pub fn webhook_is_active() -> Self {
        Self::new(
            409,
            "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
        )
    }

    pub fn too_many(seconds: u64) -> Self {
        Self {
            parameters: Some(json!({ "retry_after": seconds })),
            ..Self::new(429, format!("Too Many Requests: retry after {seconds}"))
        }
    }

    pub fn migrated(to: i64) -> Self {
        Self {
            parameters: Some(json!({ "migrate_to_chat_id": to })),
            ..Self::bad("group chat was upgraded to a supergroup chat")
        }
    }

    pub fn kicked(kind: Kind) -> Self {
        match kind {
            Kind::Private => Self::forbidden("bot was blocked by the user"),
            _ => Self::forbidden(format!("bot was kicked from the {} chat", kind.word())),
        }
    }

    /// Whether only a mistake in the caller's own code can bring this about.
    pub fn is_callers_mistake(&self) -> bool {
        const MISTAKES: [&str; 9] = [
            "can't parse",
            "BUTTON_",
            "too long",
            "MESSAGE_TOO_LONG",
            "is empty",
            "PHOTO_INVALID_DIMENSIONS",
            "unsupported parse_mode",
            "Too Large",
            "method not found",
        ];
        MISTAKES
            .iter()
            .any(|words| self.description.contains(words))
    }

    pub fn body(&self) -> Value {
        let mut body =
            json!({ "ok": false, "error_code": self.code, "description": self.description });
        if let Some(parameters) = &self.parameters {
            body["parameters"] = parameters.clone();
        }
        body
    }
}

/// Telegram counts in UTF-16 code units.
pub fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Reads `reply_markup`; only inline keyboards are kept, the other kinds are let through and forgotten.
pub fn keyboard(markup: &Value) -> Result<Keyboard, Refusal> {
    let broken = || Refusal::bad("can't parse reply keyboard markup JSON object");
    let markup = markup.as_object().ok_or_else(broken)?;
    let Some(rows) = markup.get("inline_keyboard") else {
        return Ok(Keyboard::new());
    };
    let mut keyboard = Keyboard::new();
    for row in rows.as_array().ok_or_else(broken)? {
        let buttons = row.as_array().ok_or_else(broken)?;
        let buttons: Vec<Button> = buttons.iter().map(button).collect::<Result<_, _>>()?;
        if !buttons.is_empty() {
            keyboard.push(buttons);
        }
    }
    if keyboard.iter().map(Vec::len).sum::<usize>() > BUTTONS {
        return Err(Refusal::bad("reply markup is too long"));
    }
    Ok(keyboard)
}

fn button(button: &Value) -> Result<Button, Refusal> {
    const ACTIONS: [&str; 11] = [
        "callback_data",
        "url",
        "copy_text",
        "disabled",
        "web_app",
        "login_url",
        "switch_inline_query",
        "switch_inline_query_current_chat",
        "switch_inline_query_chosen_chat",
        "callback_game",
        "pay",
    ];
    let broken = |why: &str| Refusal::bad(format!("can't parse inline keyboard button: {why}"));
    let fields = button
        .as_object()
        .ok_or_else(|| broken("InlineKeyboardButton must be an Object"))?;
    let text = fields.get("text").and_then(Value::as_str).unwrap_or("");
    if text.is_empty() {
        return Err(broken("Button text must be non-empty"));
    }
    let mut present = ACTIONS
        .into_iter()
        .filter(|name| fields.contains_key(*name));
    let (Some(name), None) = (present.next(), present.next()) else {
        return Err(broken("a button must have exactly one action"));
    };
    let style = fields.get("style").and_then(Value::as_str);
    if style
        .is_some_and(|style| !["default", "primary", "danger", "success", "link"].contains(&style))
    {
        return Err(Refusal::bad("invalid button style specified"));
    }
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let action = match name {
        "callback_data" => {
            let data = word(&fields[name]);
            if !(1..=CALLBACK_DATA_BYTES).contains(&data.len()) {
                return Err(Refusal::bad("BUTTON_DATA_INVALID"));
            }
            Action::Callback(data)
        }
        "url" => {
            let url = word(&fields[name]);
            let known = ["http://", "https://", "tg://"]
                .iter()
                .any(|scheme| url.len() > scheme.len() && url.starts_with(scheme));
            if !known || url.contains(char::is_whitespace) {
                return Err(Refusal::bad("BUTTON_URL_INVALID"));
            }
            Action::Url(url)
        }
        "copy_text" => {
            let copied = word(&fields[name]["text"]);
            if !(1..=COPY_TEXT_CHARS).contains(&copied.chars().count()) {
                return Err(Refusal::bad("BUTTON_COPY_TEXT_INVALID"));
            }
            Action::Copy(copied)
        }
        "disabled" => Action::Disabled,
        other => Action::Other(other.to_owned(), fields[other].clone()),
    };
    Ok(Button {
        text: text.to_owned(),
        action,
        style: style.map(str::to_owned),
    })
}

/// The width and height of a photo that may be sent as such.
pub fn photo(bytes: &[u8]) -> Result<(u32, u32), Refusal> {
    let unreadable = || Refusal::bad("IMAGE_PROCESS_FAILED");
    if bytes.len() > PHOTO_BYTES {
        return Err(Refusal::bad(format!(
            "file of size {} bytes is too big for a photo; the maximum size is {PHOTO_BYTES} bytes",
            bytes.len()
        )));
    }
    match imagesize::image_type(bytes).map_err(|_| unreadable())? {
        ImageType::Jpeg | ImageType::Png | ImageType::Gif | ImageType::Webp | ImageType::Bmp => {}
        _ => return Err(unreadable()),
    }
    let size = imagesize::blob_size(bytes).map_err(|_| unreadable())?;
    let (short, long) = (size.width.min(size.height), size.width.max(size.height));
    if short == 0 {
        return Err(unreadable());
    }
    if short + long > PHOTO_SIDES || long > short * PHOTO_RATIO {
        return Err(Refusal::bad("PHOTO_INVALID_DIMENSIONS"));
    }
    Ok((size.width as u32, size.height as u32))
}

/// Strict pace: one message a second in a chat, twenty a minute in a group or channel.
pub fn pace(chat: &mut Chat, messages: usize, now: Duration) -> Result<(), Refusal> {
    const MINUTE: Duration = Duration::from_secs(60);
    while chat
        .sent
        .front()
        .is_some_and(|sent| now.saturating_sub(*sent) >= MINUTE)
    {
        chat.sent.pop_front();
    }
    let wait = |until: Duration| Refusal::too_many(until.saturating_sub(now).as_secs() + 1);
    if let Some(last) = chat.sent.back()
        && now.saturating_sub(*last) < Duration::from_secs(1)
    {
        return Err(wait(*last + Duration::from_secs(1)));
    }
    if chat.kind != Kind::Private && chat.sent.len() + messages > 20 {
        let first = chat.sent.front().copied().unwrap_or(now);
        return Err(wait(first + MINUTE));
    }
    chat.sent.extend(std::iter::repeat_n(now, messages));
    Ok(())
}
