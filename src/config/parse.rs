//! What each kind of text must be like, and the complaint if it is not.

use std::path::PathBuf;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use reqwest::Url;

use super::file::{Raw, Written};
use super::nearest::nearest;
use super::problem::Problem;
use crate::domain::framing::{Color, Fit};
use crate::system::secret::redact;

/// The longest name a team may have, in characters.
const LONGEST_NAME: usize = 100;

/// What is wrong with a value, and what to do.
#[derive(Debug)]
pub(super) struct Complaint {
    pub(super) reason: String,
    pub(super) remedy: String,
}

impl Complaint {
    pub(super) fn new(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            remedy: remedy.into(),
        }
    }
}

pub(super) fn absolute(text: &str) -> Result<PathBuf, Complaint> {
    let path = PathBuf::from(text);
    if path.is_absolute() {
        Ok(path)
    } else {
        Err(Complaint::new(
            "the path must be absolute",
            "write the whole path, from `/` on",
        ))
    }
}

pub(super) fn fit(text: &str) -> Result<Fit, Complaint> {
    text.parse()
        .map_err(|reason: String| Complaint::new(reason, "write `blur`"))
}

pub(super) fn color(text: &str) -> Result<Color, Complaint> {
    text.parse().map_err(|reason: String| {
        Complaint::new(
            reason,
            "write six hexadecimal digits, such as `\"#1a2b3c\"`",
        )
    })
}

pub(super) fn http_url(text: &str) -> Result<Url, Complaint> {
    let complain = |reason: &str| {
        Err(Complaint::new(
            reason,
            "write `https://api.telegram.org`, or the `http://host:port` of your own server",
        ))
    };
    match Url::parse(text) {
        Err(_) => complain("it is no valid URL"),
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            complain("it must begin with `https://` or `http://`")
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            complain("it must not hold a user or a password")
        }
        Ok(url)
            if url.query().is_some() || url.fragment().is_some() || redact(text, &[]) != text =>
        {
            complain("it must be the address of the server and nothing else")
        }
        Ok(url) => Ok(url),
    }
}

pub(super) fn name(text: &str) -> Result<String, Complaint> {
    match text.chars().count() {
        0 => Err(Complaint::new(
            "the team needs a name",
            "write `name = \"Our team\"`",
        )),
        length if length > LONGEST_NAME => Err(Complaint::new(
            format!("it has {length} characters"),
            format!("at most {LONGEST_NAME} are allowed"),
        )),
        _ => Ok(text.to_owned()),
    }
}

pub(super) fn time(text: &str) -> Result<Time, Complaint> {
    let digits = |text: &str, longest| {
        let all_digits = text.bytes().all(|byte| byte.is_ascii_digit());
        (all_digits && text.len() <= longest).then(|| text.parse::<i8>().ok())?
    };
    text.split_once(':')
        .filter(|(_, minute)| minute.len() == 2)
        .and_then(|(hour, minute)| Some((digits(hour, 2)?, digits(minute, 2)?)))
        .map(|time| if time == (24, 0) { (0, 0) } else { time })
        .and_then(|(hour, minute)| Time::new(hour, minute, 0, 0).ok())
        .ok_or_else(|| {
            Complaint::new(
                "it is no time of day",
                "write hour and minute, such as `\"09:30\"`",
            )
        })
}

pub(super) fn zone(text: &str) -> Result<TimeZone, Complaint> {
    TimeZone::get(text).map_err(|_| {
        let remedy = near_zone(text).map_or_else(
            || "write the name of a place, such as `Europe/Berlin`; `timedatectl list-timezones` has all".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        Complaint::new("there is no such time zone", remedy)
    })
}

/// The zone that was probably meant: a name nearly as written, or that of a place nearly so called.
fn near_zone(text: &str) -> Option<String> {
    let names: Vec<String> = jiff::tz::db()
        .available()
        .map(|name| name.to_string())
        .collect();
    let place = |name: &str| name.rsplit('/').next().unwrap_or(name).to_lowercase();
    let written = text.replace(' ', "_");
    let same_place = || names.iter().find(|name| place(name) == place(&written));
    nearest(&written, names.iter().map(String::as_str))
        .filter(|_| written.contains('/'))
        .or_else(|| same_place().map(String::as_str))
        .or_else(|| nearest(&written, names.iter().map(String::as_str)))
        .map(str::to_owned)
}

/// Only a warning: what tokens look like is Telegram's to decide.
pub(super) fn odd_token(written: &Written) -> Option<Problem> {
    let (Raw::Text(token) | Raw::Loose(token)) = &written.raw else {
        return None;
    };
    let token = token.trim();
    let looks_right = token.split_once(':').is_some_and(|(id, rest)| {
        let digits = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        digits && !rest.is_empty() && rest.bytes().all(letters)
    });
    (!token.is_empty() && !looks_right).then(|| {
        Problem::new(
            "telegram.token",
            "it does not look like a bot's token, which is digits, a colon, and letters",
            "copy it anew from @BotFather, without spaces or quotes around it",
        )
        .at(&written.origin)
    })
}
