//! Keeps secrets out of what people read. A secret that is held is a [`SecretString`], which does not print; this module
//! cleans texts that others wrote, the errors of HTTP clients above all, whose URLs carry the bot's token.

use secrecy::{ExposeSecret, SecretString};

/// What stands where a secret was.
pub const REDACTED: &str = "[redacted]";

/// The fewest digits in the first half of a bot token that is recognised by its shape.
const FEWEST_DIGITS: usize = 6;
/// The fewest characters in the second half of a bot token that is recognised by its shape.
const FEWEST_LETTERS: usize = 30;

/// What every private key of `age` begins with, in either case.
const PRIVATE_KEY: &str = "AGE-SECRET-KEY-";

/// The text without these secrets (in capitals or not, as in the name of a host), without private keys of `age`, and without anything shaped like a bot token (`123456:` and
/// thirty or more letters, digits, `_` or `-`; after `/bot`, as in a URL, of any length).
#[must_use]
pub fn redact(text: &str, secrets: &[&SecretString]) -> String {
    let mut clean = text.to_owned();
    for secret in secrets {
        let secret = secret.expose_secret();
        if !secret.is_empty() {
            clean = without(&clean, secret);
        }
    }
    without_tokens(&without_private_keys(&clean))
}

fn without(text: &str, secret: &str) -> String {
    // As many bytes as before, so that a place in one is the same place in the other.
    let (lower, secret) = (text.to_ascii_lowercase(), secret.to_ascii_lowercase());
    let mut clean = String::with_capacity(text.len());
    let mut kept = 0;
    for (start, found) in lower.match_indices(&secret) {
        clean.push_str(&text[kept..start]);
        clean.push_str(REDACTED);
        kept = start + found.len();
    }
    clean.push_str(&text[kept..]);
    clean
}

fn without_private_keys(text: &str) -> String {
    let upper = text.to_ascii_uppercase();
    let mut clean = String::with_capacity(text.len());
    let mut kept = 0;
    for (start, _) in upper.match_indices(PRIVATE_KEY) {
        // The rest of one that was passed already.
        if start >= kept {
            clean.push_str(&text[kept..start]);
            clean.push_str(REDACTED);
            kept = start + run(&text.as_bytes()[start..], is_token_byte);
        }
    }
    clean.push_str(&text[kept..]);
    clean
}

fn without_tokens(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut clean = String::with_capacity(text.len());
    let mut kept = 0;
    let mut at = 0;
    while at < bytes.len() {
        let digits = run(&bytes[at..], |byte| byte.is_ascii_digit());
        if digits == 0 {
            at += 1;
            continue;
        }
        let start = at;
        at += digits;
        let colon = colon_width(&bytes[at..]);
        if colon == 0 {
            continue;
        }
        let letters = run(&bytes[at + colon..], is_token_byte);
        let in_url = bytes[..start].ends_with(b"/bot") && letters > 0;
        if in_url || (digits >= FEWEST_DIGITS && letters >= FEWEST_LETTERS) {
            clean.push_str(&text[kept..start]);
            clean.push_str(REDACTED);
            at += colon + letters;
            kept = at;
        }
    }
    clean.push_str(&text[kept..]);
    clean
}

fn run(bytes: &[u8], belongs: impl Fn(&u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| belongs(byte)).count()
}

fn is_token_byte(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// The length of the colon that these bytes begin with, percent-encoded or not; 0 if there is none.
fn colon_width(bytes: &[u8]) -> usize {
    if bytes.starts_with(b":") {
        1
    } else if bytes.len() >= 3 && bytes[..3].eq_ignore_ascii_case(b"%3a") {
        3
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LETTERS: &str = "AAF-dS_kf83hGq0aLkdfh39sKDLw02jSldk";

    #[test]
    fn a_known_secret_leaves_wherever_it_stands() {
        let secret = SecretString::from("hunter2");
        let clean = redact("a=hunter2&b=hunter2", &[&secret]);
        assert_eq!(clean, "a=[redacted]&b=[redacted]");
        assert_eq!(redact("as it was", &[&SecretString::from("")]), "as it was");
        let secret = SecretString::from("ABc-Ü");
        assert_eq!(
            redact("„abC-Ü.example“", &[&secret]),
            "„[redacted].example“"
        );
    }

    #[test]
    fn a_token_leaves_by_its_shape_alone() {
        for (text, clean) in [
            (format!("123456789:{LETTERS}"), "[redacted]"),
            (format!("tökn „123456:{LETTERS}“ ü"), "tökn „[redacted]“ ü"),
            (
                format!("https://api.telegram.org/bot123456789:{LETTERS}/getMe failed"),
                "https://api.telegram.org/bot[redacted]/getMe failed",
            ),
            (format!("?t=123456789%3A{LETTERS}&x"), "?t=[redacted]&x"),
            ("http://127.0.0.1:80/bot1:x/getMe".to_owned(), {
                "http://127.0.0.1:80/bot[redacted]/getMe"
            }),
            (
                format!("1:2:123456:{LETTERS}:123456:{LETTERS}"),
                "1:2:[redacted]:[redacted]",
            ),
        ] {
            assert_eq!(redact(&text, &[]), clean);
        }
    }

    #[test]
    fn a_private_key_leaves_by_its_shape_alone() {
        for (text, clean) in [
            ("ä AGE-SECRET-KEY-1ABC, x", "ä [redacted], x"),
            ("\"age-secret-key-1abc\"", "\"[redacted]\""),
            (
                "AGE-SECRET-KEY-1A AGE-SECRET-KEY-AGE-SECRET-KEY-1B",
                "[redacted] [redacted]",
            ),
        ] {
            assert_eq!(redact(text, &[]), clean);
        }
    }

    #[test]
    fn an_ordinary_text_stays() {
        for text in [
            "",
            "at 12:30:45",
            "127.0.0.1:65535 refused",
            "123456:short",
            "12345678",
            "123456:",
            "ünïcödé 123456:ä",
        ] {
            assert_eq!(redact(text, &[]), text);
        }
    }
}
