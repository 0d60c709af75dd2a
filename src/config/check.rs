//! Turns what was written into settings, and says everything that is wrong with it at once: each problem with its reason
//! and what to do.

use secrecy::SecretString;

use super::database::{DatabaseUrl, without_password};
use super::file::{Raw, Values, Written};
use super::keys::{self, Key, Kind, Secrecy};
use super::parse::{address, http_url, odd_token, webhook_secret, webhook_url};
use super::problem::Problem;
use super::{Config, Database, Library, Log, Telegram};
use crate::domain::framing::Framing;
use crate::domain::messages::Messages;
use crate::domain::team::{TeamSettings, Window};
use crate::domain::written::{
    Complaint, absolute, color, fit, name, time, time_or_off, verbosity, zone,
};
use crate::system::secret::redact;

const WEBHOOK_URL: &str = "telegram.webhook_url";
const WEBHOOK_SECRET: &str = "telegram.webhook_secret";

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

/// All settings as they are unless set.
impl Default for Config {
    fn default() -> Self {
        check(&Values::new()).0
    }
}

struct Check<'a> {
    values: &'a Values,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn config(&mut self) -> Config {
        let library = self.library();
        let team = self.team(&library);
        Config {
            library,
            database: Database {
                url: self.required("database.url", DatabaseUrl::parse),
            },
            telegram: self.telegram(),
            team,
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
            messages: Messages::new(|text| {
                self.required(&format!("messages.{}", text.name()), |source| {
                    text.parse(source)
                        .map_err(|flaw| Complaint::new(flaw.reason, flaw.remedy))
                })
            }),
        }
    }

    fn library(&mut self) -> Library {
        let library = Library {
            path: self.required("library.path", absolute),
            cache: self.required("library.cache", absolute),
            cache_mb: self.number("library.cache_mb").unwrap_or(500),
        };
        if library.cache.starts_with(&library.path) {
            let problem = Problem::new(
                "library.cache",
                "it lies in the library, so what is kept there would be taken for new pictures",
                "write a folder outside of the library",
            );
            let written = ["library.cache", "library.path"]
                .iter()
                .find_map(|path| self.values.get(*path));
            self.problems.push(match written {
                Some(written) => problem.at(&written.origin),
                None => problem,
            });
        }
        library
    }

    fn telegram(&mut self) -> Telegram {
        let telegram = Telegram {
            token: self.text("telegram.token", |text| Ok(SecretString::from(text))),
            token_file: self.text("telegram.token_file", absolute),
            admin_chat: self.chat("telegram.admin_chat"),
            api_url: self.required("telegram.api_url", http_url),
            announce: self.truth("telegram.announce").unwrap_or(true),
            webhook_url: self.text(WEBHOOK_URL, webhook_url),
            webhook_listen: self.required("telegram.webhook_listen", address),
            webhook_secret: self.text(WEBHOOK_SECRET, webhook_secret),
        };
        let has_no_secret = telegram.webhook_secret.is_none()
            && self.problems.iter().all(|one| one.key != WEBHOOK_SECRET);
        if let Some(written) = self.values.get(WEBHOOK_URL)
            && telegram.webhook_url.is_some()
            && has_no_secret
        {
            let problem = Problem::new(
                WEBHOOK_SECRET,
                "it is missing, so anybody could call `webhook_url` in Telegram's name",
                "write 1 to 256 letters and digits, best those of `openssl rand -hex 32`",
            );
            self.problems.push(problem.at(&written.origin));
        }
        telegram
    }

    fn team(&mut self, library: &Library) -> TeamSettings {
        let default = TeamSettings::default();
        TeamSettings {
            name: self.required("team.name", name),
            chat: self.chat("telegram.chat"),
            thread: self.number("telegram.thread"),
            routes: self.text("routes.to", str::parse).unwrap_or_default(),
            library: library.path.clone(),
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
            remind_minutes: self
                .number("team.remind_minutes")
                .unwrap_or(default.remind_minutes),
            expire_hours: self
                .number("team.expire_hours")
                .unwrap_or(default.expire_hours),
            framing: Framing {
                fit: self.required("team.fit", fit),
                color: self.required("team.fit_color", color),
            },
            verbosity: self.required("team.verbosity", verbosity),
            digest: self.required("team.digest", time_or_off),
            weekly_summary: self
                .truth("team.weekly_summary")
                .unwrap_or(default.weekly_summary),
            dry_run: self.truth("team.dry_run").unwrap_or(default.dry_run),
        }
    }

    /// A text that always has a value: its key's default if it is not set, or wrong.
    fn required<T>(&mut self, path: &str, parse: impl Fn(&str) -> Result<T, Complaint>) -> T {
        self.text(path, &parse).unwrap_or_else(|| {
            parse(key(path).default).expect("the default of a required setting is valid")
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
                "open the chat in the web version of Telegram: its number is at the end of the address (that of a \
                 channel or group looks like -1001234567890)",
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

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
