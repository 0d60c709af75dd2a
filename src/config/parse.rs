//! What the texts of a deployment must be like, and the complaint if one is not. Those of a team's settings are
//! [`crate::domain::written`]'s.

use std::net::{IpAddr, SocketAddr};

use reqwest::Url;
use secrecy::SecretString;

use super::file::{Raw, Written};
use super::problem::Problem;
use crate::domain::written::{Complaint, absolute};
use crate::system::network::{Authorities, Proxy};
use crate::system::secret::redact;
use crate::system::vault::Keys;

/// The longest secret that Telegram shows with its calls, in characters.
const LONGEST_SECRET: usize = 256;

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

/// How errors name it.
const PROXY: &str = "[network] proxy";

pub(super) fn proxy(text: &str) -> Result<Proxy, Complaint> {
    Proxy::parse(text, PROXY).map_err(|wrong| {
        Complaint::new(
            wrong.reason,
            "write `http://HOST:PORT`, `https://HOST:PORT` or `socks5://HOST:PORT`, with `USER:PASSWORD@` before the host if it wants them",
        )
    })
}

pub(super) fn authorities(text: &str) -> Result<Authorities, Complaint> {
    Authorities::read(&absolute(text)?).map_err(|wrong| {
        Complaint::new(
            wrong.to_string(),
            "write a file that holds the authority's certificate in PEM, and that the service's user may read",
        )
    })
}

/// Neither is a key.
pub(super) fn vault_key(text: &str) -> Result<SecretString, Complaint> {
    let secret = SecretString::from(text);
    match Keys::parse(&secret) {
        Ok(_) => Ok(secret),
        Err(error) => Err(Complaint::new(
            error.to_string(),
            "write those of `openssl rand -hex 32`",
        )),
    }
}

pub(super) fn address(text: &str) -> Result<SocketAddr, Complaint> {
    text.parse().map_err(|_| {
        Complaint::new(
            "it is no address with a port",
            "write `127.0.0.1:8443`, or `0.0.0.0:8443` to be reached from other machines",
        )
    })
}

/// Whether a text is made as the tokens of bots are: digits, a colon, and letters.
#[must_use]
pub fn looks_like_a_token(text: &str) -> bool {
    text.split_once(':').is_some_and(|(id, rest)| {
        let digits = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        digits && !rest.is_empty() && rest.bytes().all(letters)
    })
}

/// Only a warning: what tokens look like is Telegram's to decide.
pub(super) fn odd_token(written: &Written) -> Option<Problem> {
    let (Raw::Text(token) | Raw::Loose(token)) = &written.raw else {
        return None;
    };
    let token = token.trim();
    (!token.is_empty() && !looks_like_a_token(token)).then(|| {
        Problem::new(
            "telegram.token",
            "it does not look like a bot's token, which is digits, a colon, and letters",
            "copy it anew from @BotFather, without spaces or quotes around it",
        )
        .at(&written.origin)
    })
}
