//! What each kind of text must be like, and the complaint if it is not.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use reqwest::Url;
use secrecy::SecretString;

use super::file::{Raw, Written};
use super::nearest::nearest;
use super::problem::Problem;
use crate::domain::framing::{Color, Fit};
use crate::system::secret::redact;

/// The longest name a team may have, in characters.
const LONGEST_NAME: usize = 100;
/// The longest secret that Telegram shows with its calls, in characters.
const LONGEST_SECRET: usize = 256;

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

/// Telegram calls over TLS only. Loopback never leaves the machine, and is where a Bot API server of one's own may be.
pub(super) fn webhook_url(text: &str) -> Result<Url, Complaint> {
    let complain = |reason: &str| {
        Err(Complaint::new(
            reason,
            "write the `https://host/path` that Telegram shall call, or remove it to have the box ask Telegram",
        ))
    };
    match Url::parse(text) {
        Err(_) => complain("it is no valid URL"),
        Ok(url) if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) => {
            complain("it must begin with `https://`: Telegram calls no other address")
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            complain("it must not hold a user or a password")
        }
        Ok(url)
            if url.query().is_some() || url.fragment().is_some() || redact(text, &[]) != text =>
        {
            complain("it must be an address and nothing else; what is secret is `webhook_secret`")
        }
        Ok(url) => Ok(url),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// A secret is never quoted, so the complaint is the same whatever is wrong with it.
pub(super) fn webhook_secret(text: &str) -> Result<SecretString, Complaint> {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if (1..=LONGEST_SECRET).contains(&text.len()) && text.bytes().all(is_known) {
        return Ok(SecretString::from(text));
    }
    Err(Complaint::new(
        format!("Telegram takes 1 to {LONGEST_SECRET} letters, digits, `_` and `-`"),
        "write those of `openssl rand -hex 32`",
    ))
}

pub(super) fn address(text: &str) -> Result<SocketAddr, Complaint> {
    text.parse().map_err(|_| {
        Complaint::new(
            "it is no address with a port",
            "write `127.0.0.1:8443`, or `0.0.0.0:8443` to be reached from other machines",
        )
    })
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
