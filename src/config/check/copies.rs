//! The settings of copies that leave the box: each by itself, and then whether what goes together is there.

use reqwest::Url;
use secrecy::SecretString;

use super::Check;
use crate::config::problem::Problem;
use crate::config::{Bucket, Copies, Telegram};
use crate::domain::written::{Complaint, absolute, truth};
use crate::system::secret::redact;

const ENCRYPT_FOR: &str = "backup.encrypt_for";
const FOLDER: &str = "backup.copy_to";
const CHAT: &str = "backup.copy_to_chat";
const URL: &str = "backup.s3_url";
const ACCESS_KEY: &str = "backup.s3_access_key";
const SECRET_KEY: &str = "backup.s3_secret_key";

/// The fewest characters of a public key of `age`.
const FEWEST_LETTERS: usize = 58;

impl Check<'_> {
    pub(super) fn copies(&mut self, telegram: &Telegram) -> Copies {
        let recipients = self.optional(ENCRYPT_FOR, recipients).unwrap_or_default();
        let folder = self.optional(FOLDER, absolute);
        let to_chat = self.required(CHAT, truth);
        let url = self.optional(URL, bucket_url);
        let region = self.required("backup.s3_region", region);
        let access_key = self.optional(ACCESS_KEY, |text| Ok(text.to_owned()));
        let secret_key = self.optional(SECRET_KEY, |text| Ok(SecretString::from(text)));

        let set = [
            (FOLDER, folder.is_some()),
            (CHAT, to_chat),
            (URL, url.is_some()),
        ];
        if let Some((first, _)) = set.into_iter().find(|(_, is_set)| *is_set)
            && recipients.is_empty()
        {
            self.missing(
                ENCRYPT_FOR,
                first,
                "it is missing, and what leaves the box must be encrypted",
                "`storyline backup key` makes a key, and writes its public half here",
            );
        }
        if to_chat && telegram.admin_chat.is_none() {
            self.missing(
                "telegram.admin_chat",
                CHAT,
                "it is missing, and no other chat is sent a copy of the records",
                "write the number of your own chat with the bot, or set `[backup] copy_to_chat = false`",
            );
        }
        if url.is_some() {
            for (key, is_set) in [
                (ACCESS_KEY, access_key.is_some()),
                (SECRET_KEY, secret_key.is_some()),
            ] {
                if !is_set {
                    let reason =
                        "it is missing, and nobody may put files into the bucket without it";
                    let remedy = "make an access key that may put files there; both halves are told when it is made";
                    self.missing(key, URL, reason, remedy);
                }
            }
        }
        Copies {
            recipients,
            folder,
            chat: telegram.admin_chat.filter(|_| to_chat),
            bucket: url
                .zip(access_key)
                .map(|(url, access_key)| Bucket { url, access_key }),
            region,
            secret_key,
        }
    }

    /// Something that another setting needs; told where that one stands, unless what is there is wrong anyway.
    fn missing(&mut self, key: &str, needed_by: &str, reason: &str, remedy: &str) {
        if self.problems.iter().any(|problem| problem.key == key) {
            return;
        }
        let problem = Problem::new(key, reason, remedy);
        self.problems.push(match self.values.get(needed_by) {
            Some(written) => problem.at(&written.origin),
            None => problem,
        });
    }
}

/// What is wrong is not quoted here: a private key may be among it.
fn recipients(text: &str) -> Result<Vec<String>, Complaint> {
    let remedy =
        "write the public key that `storyline backup key` told, `age1…`; of several, a line each";
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let is_lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            let is_age = line.starts_with("age1")
                && line.len() >= FEWEST_LETTERS
                && line.bytes().all(is_lower);
            if is_age || line.starts_with("ssh-ed25519 ") || line.starts_with("ssh-rsa ") {
                Ok(line.to_owned())
            } else if line.to_ascii_uppercase().starts_with("AGE-SECRET-KEY-") {
                Err(Complaint::new(
                    "it is a private key, which must not be on the box: whoever takes the box could open every copy",
                    "make another one by `storyline backup key`, and write its public half (`age1…`)",
                ))
            } else {
                Err(Complaint::new("it is no public key of `age` or SSH", remedy))
            }
        })
        .collect()
}

fn bucket_url(text: &str) -> Result<Url, Complaint> {
    let complain = |reason: &str| {
        Err(Complaint::new(
            reason,
            "write `https://SERVER/BUCKET`, or `https://SERVER/BUCKET/FOLDER`",
        ))
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/".contains(&byte);
    match Url::parse(text) {
        Err(_) => complain("it is no valid URL"),
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            complain("it must begin with `https://`")
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => complain(
            "it must not hold a user or a password; there are `s3_access_key` and `s3_secret_key`",
        ),
        Ok(url)
            if url.query().is_some() || url.fragment().is_some() || redact(text, &[]) != text =>
        {
            complain("it must be an address and nothing else")
        }
        Ok(url) if url.path().trim_matches('/').is_empty() => complain("it names no bucket"),
        Ok(url) if url.path().contains("//") || !url.path().bytes().all(is_plain) => {
            complain("bucket and folder may hold letters, digits, `-`, `.`, `_` and `/`")
        }
        Ok(url) => Ok(url),
    }
}

fn region(text: &str) -> Result<String, Complaint> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !text.is_empty() && text.bytes().all(is_plain) {
        return Ok(text.to_owned());
    }
    Err(Complaint::new(
        "a region is made of letters, digits and `-`",
        "write it as the bucket's provider does, for example `eu-central-1`",
    ))
}

#[cfg(test)]
#[path = "copies_tests.rs"]
mod tests;
