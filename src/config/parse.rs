//! What the texts of a deployment must be like, and the complaint if one is not. Those of a team's settings are
//! [`crate::domain::written`]'s.

use reqwest::Url;

use super::file::{Raw, Written};
use super::problem::Problem;
use crate::domain::written::Complaint;
use crate::system::secret::redact;

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
