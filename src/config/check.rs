//! Turns what was written into settings, and says everything that is wrong with it at once: each problem with its reason
//! and what to do.

use std::path::PathBuf;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use reqwest::Url;
use secrecy::SecretString;

use super::database::{DatabaseUrl, without_password};
use super::file::{Raw, Values, Written};
use super::keys::{self, Key, Kind, Secrecy};
use super::nearest::nearest;
use super::problem::Problem;
use super::{Config, Database, Library, Log, Telegram};
use crate::domain::team::{TeamSettings, Window};
use crate::system::secret::redact;

/// The longest name a team may have, in characters.
const LONGEST_NAME: usize = 100;

/// What is wrong with a value, and what to do.
#[derive(Debug)]
pub(super) struct Complaint {
    reason: String,
    remedy: String,
}

impl Complaint {
    pub(super) fn new(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            remedy: remedy.into(),
        }
    }
}

/// The settings, with the default in place of each value that a problem names, all problems, and warnings.
pub(super) fn check(values: &Values) -> (Config, Vec<Problem>, Vec<Problem>) {
    let mut check = Check {
        values,
        problems: Vec::new(),
    };
    let config = check.config();
    let token = values.get("telegram.token");
    let warnings = token.and_then(odd_token).into_iter().collect();
    (config, check.problems, warnings)
}

struct Check<'a> {
    values: &'a Values,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn config(&mut self) -> Config {
        Config {
            library: Library {
                path: self.required("library.path", absolute),
            },
            database: Database {
                url: self.required("database.url", DatabaseUrl::parse),
            },
            telegram: Telegram {
                token: self.text("telegram.token", |text| Ok(SecretString::from(text))),
                token_file: self.text("telegram.token_file", absolute),
                chat: self.chat("telegram.chat"),
                thread: self.number("telegram.thread"),
                admin_chat: self.chat("telegram.admin_chat"),
                api_url: self.required("telegram.api_url", http_url),
            },
            team: self.team(),
            log: Log {
                level: self.required("log.level", |text| {
                    text.parse().map_err(|error| {
                        Complaint::new(
                            format!("{error}"),
                            "write `info`, or `info,storyline=debug`",
                        )
                    })
                }),
                format: self.required("log.format", |text| {
                    text.parse()
                        .map_err(|error| Complaint::new(format!("{error}"), "write `auto`"))
                }),
            },
        }
    }

    fn team(&mut self) -> TeamSettings {
        let default = TeamSettings::default();
        TeamSettings {
            name: self.required("team.name", name),
            timezone: self.required("team.timezone", zone),
            posts_per_day: self
                .number("team.posts_per_day")
                .unwrap_or(default.posts_per_day),
            window: Window {
                start: self.required("team.window_start", time),
                end: self.required("team.window_end", time),
            },
            jitter_minutes: self
                .number("team.jitter_minutes")
                .unwrap_or(default.jitter_minutes),
            horizon_days: self
                .number("team.horizon_days")
                .unwrap_or(default.horizon_days),
            late_minutes: self
                .number("team.late_minutes")
                .unwrap_or(default.late_minutes),
            repost_ttl_days: self
                .number("team.repost_ttl_days")
                .unwrap_or(default.repost_ttl_days),
            skip_ttl_days: self
                .number("team.skip_ttl_days")
                .unwrap_or(default.skip_ttl_days),
            dry_run: self.truth("team.dry_run").unwrap_or(default.dry_run),
        }
    }

    /// A text that always has a value: its key's default if it is not set, or wrong.
    fn required<T>(&mut self, path: &str, parse: impl Fn(&str) -> Result<T, Complaint>) -> T {
        self.text(path, &parse).unwrap_or_else(|| {
            parse(key(path).default)
                .ok()
                .expect("the default of a required setting is valid")
        })
    }

    /// A text; `None` if it is not set, or wrong.
    fn text<T>(&mut self, path: &str, parse: impl Fn(&str) -> Result<T, Complaint>) -> Option<T> {
        let written = self.values.get(path)?;
        let (Raw::Text(text) | Raw::Loose(text)) = &written.raw else {
            return self.complain(path, written, wrong_kind(key(path), &written.raw));
        };
        let text = text.trim();
        if text.is_empty() && key(path).default.is_empty() {
            return None;
        }
        match parse(text) {
            Ok(value) => Some(value),
            Err(complaint) => self.complain(path, written, complaint),
        }
    }

    /// A whole number within its key's bounds; `None` if it is not set, or wrong.
    fn number<T: TryFrom<i64>>(&mut self, path: &str) -> Option<T> {
        let written = self.values.get(path)?;
        let key = key(path);
        let number = match &written.raw {
            Raw::Whole(number) => Some(*number),
            Raw::Loose(text) => text.trim().parse().ok(),
            _ => None,
        };
        let Some(number) = number else {
            return self.complain(path, written, wrong_kind(key, &written.raw));
        };
        let (least, most) = match key.kind {
            Kind::Whole { least, most, .. } => (least, most),
            Kind::Text | Kind::Truth => (i64::MIN, i64::MAX),
        };
        match T::try_from(number) {
            Ok(value) if (least..=most).contains(&number) => Some(value),
            _ => {
                let bounds = if most >= i64::from(i32::MAX) {
                    format!("{least} or more")
                } else {
                    format!("{least} to {most}")
                };
                let remedy = format!("write a whole number, such as {}", key.shown());
                self.complain(
                    path,
                    written,
                    Complaint::new(format!("it must be {bounds}"), remedy),
                )
            }
        }
    }

    /// The number of a chat. People know chats by `@name` and look for the number in vain.
    fn chat(&mut self, path: &str) -> Option<i64> {
        let written = self.values.get(path)?;
        let named = match &written.raw {
            Raw::Text(text) | Raw::Loose(text) => text.trim().parse::<i64>().is_err(),
            Raw::Whole(number) => *number == 0,
            Raw::Truth(_) | Raw::Other(_) => false,
        };
        if named {
            let complaint = Complaint::new(
                "a chat is known by its number, not by its name",
                "add the bot to the chat and run `storyline setup`, which finds the number by itself \
                 (that of a channel or group looks like -1001234567890)",
            );
            return self.complain(path, written, complaint);
        }
        self.number(path)
    }

    fn truth(&mut self, path: &str) -> Option<bool> {
        let written = self.values.get(path)?;
        let truth = match &written.raw {
            Raw::Truth(truth) => Some(*truth),
            Raw::Loose(text) => match text.trim().to_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Some(true),
                "false" | "no" | "off" | "0" => Some(false),
                _ => None,
            },
            _ => None,
        };
        truth.or_else(|| self.complain(path, written, wrong_kind(key(path), &written.raw)))
    }

    fn complain<T>(&mut self, path: &str, written: &Written, complaint: Complaint) -> Option<T> {
        let reason = redact(&complaint.reason, &[]);
        let mut problem = Problem::new(path, reason, complaint.remedy).at(&written.origin);
        problem.value = shown(key(path), &written.raw);
        self.problems.push(problem);
        None
    }
}

fn key(path: &str) -> &'static Key {
    keys::find(path).expect("only keys of the table are checked")
}

/// What was written, as far as it may be shown.
fn shown(key: &Key, raw: &Raw) -> Option<String> {
    let text = match raw {
        Raw::Text(text) | Raw::Loose(text) => match key.secrecy {
            Secrecy::Secret => return None,
            Secrecy::HoldsPassword => without_password(text),
            Secrecy::Open => without_user(&redact(text, &[])),
        },
        Raw::Whole(_) | Raw::Truth(_) if key.secrecy != Secrecy::Open => return None,
        Raw::Whole(number) => return Some(number.to_string()),
        Raw::Truth(truth) => return Some(truth.to_string()),
        Raw::Other(_) => return None,
    };
    let short: String = text.chars().take(80).collect();
    Some(format!("{short:?}"))
}

/// The text without what stands before the `@` of a URL.
fn without_user(text: &str) -> String {
    match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://***@{host}"),
        _ => text.to_owned(),
    }
}

fn wrong_kind(key: &Key, raw: &Raw) -> Complaint {
    let is = match raw {
        Raw::Text(_) | Raw::Loose(_) => "text",
        Raw::Whole(_) => "a number",
        Raw::Truth(_) => "true or false",
        Raw::Other(name) => name,
    };
    let must = match key.kind {
        Kind::Text => "a text in quotes",
        Kind::Whole { .. } => "a whole number without quotes",
        Kind::Truth => "true or false without quotes",
    };
    Complaint::new(
        format!("it is {is} and must be {must}"),
        format!("write `{}`", key.line(key.shown())),
    )
}

fn absolute(text: &str) -> Result<PathBuf, Complaint> {
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

fn http_url(text: &str) -> Result<Url, Complaint> {
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

fn name(text: &str) -> Result<String, Complaint> {
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

fn time(text: &str) -> Result<Time, Complaint> {
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

fn zone(text: &str) -> Result<TimeZone, Complaint> {
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
fn odd_token(written: &Written) -> Option<Problem> {
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

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
