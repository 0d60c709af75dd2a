//! Turns what was written into settings, and says everything that is wrong with it at once: each problem with its reason
//! and what to do.

mod alerts;
mod copies;

use secrecy::SecretString;

use super::database::{DatabaseUrl, without_password};
use super::file::{Raw, Values, Written};
use super::keys::{self, CACHE_MB, KEEP_DAYS, Key, Kind, Secrecy};
use super::parse::{
    address, authorities, http_url, odd_token, proxy, vault_key, webhook_secret, webhook_url,
};
use super::places::{Kind as Own, Places, Wanted};
use super::problem::Problem;
use super::{Backup, Config, Database, Health, Library, Log, Secrets, Telegram};
use crate::domain::messages::Messages;
use crate::domain::setting::Setting;
use crate::domain::team::TeamSettings;
use crate::domain::written::{Complaint, absolute, chat, truth, whole};
use crate::system::network::Network;
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
    check.places(&config);
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
        let team = self.team();
        let url = self.required("database.url", DatabaseUrl::parse);
        let telegram = self.telegram();
        Config {
            library: self.library(&team),
            secrets: Secrets {
                key: self.optional("secrets.key", vault_key),
                file: url.folder().join("secret.key"),
                is_withheld: false,
            },
            database: Database { url },
            backup: Backup {
                folder: self.optional("backup.folder", absolute),
                keep_days: self.required("backup.keep_days", |text| whole(text, KEEP_DAYS)),
                settings: None,
                copies: self.copies(&telegram),
            },
            health: Health {
                listen: self.optional("health.listen", address),
            },
            network: Network::new(
                self.optional("network.proxy", proxy),
                self.optional("network.ca_file", authorities),
            ),
            alerts: self.alerts(),
            telegram,
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
                })
            }),
        }
    }

    fn library(&mut self, team: &TeamSettings) -> Library {
        Library {
            path: team.library.clone(),
            cache: self.required("library.cache", absolute),
            cache_mb: self
                .required("library.cache_mb", |text| whole(text, CACHE_MB))
                .into(),
        }
    }

    /// Whether the folders lie apart that must. The setting that was written is told, where two could be meant.
    fn places(&mut self, config: &Config) {
        let places = Places::of(config);
        let copies = &config.backup.copies.folder;
        for (wanted, key, path) in [
            (Wanted::Library, "library.path", Some(&config.library.path)),
            (
                Wanted::Backups,
                "backup.folder",
                config.backup.folder.as_ref(),
            ),
            (Wanted::Copies, "backup.copy_to", copies.as_ref()),
        ] {
            let Some(objection) = path.and_then(|path| places.objection(wanted, path)) else {
                continue;
            };
            let other = match objection.by {
                Own::Cache => "library.cache",
                Own::Database => "database.url",
                Own::Backups => "backup.folder",
                Own::Copies => "backup.copy_to",
                Own::State | Own::Settings | Own::Runtime => key,
            };
            let written = |key: &&str| self.values.contains_key(*key);
            let key = [key, other].into_iter().find(written).unwrap_or(key);
            let complaint = objection.complaint;
            let problem = Problem::new(key, complaint.reason, complaint.remedy);
            self.problems.push(match self.values.get(key) {
                Some(written) => problem.at(&written.origin),
                None => problem,
            });
        }
    }

    fn telegram(&mut self) -> Telegram {
        let telegram = Telegram {
            token: self.optional("telegram.token", |text| Ok(SecretString::from(text))),
            token_file: self.optional("telegram.token_file", absolute),
            admin_chat: self.optional("telegram.admin_chat", chat),
            api_url: self.required("telegram.api_url", http_url),
            api_files: self.optional("telegram.api_files", absolute),
            announce: self.required("telegram.announce", truth),
            webhook_url: self.optional(WEBHOOK_URL, webhook_url),
            webhook_listen: self.required("telegram.webhook_listen", address),
            webhook_secret: self.optional(WEBHOOK_SECRET, webhook_secret),
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

    fn team(&mut self) -> TeamSettings {
        let mut team = TeamSettings::default();
        for setting in Setting::ALL {
            self.required(&setting.key(), |text| setting.put(&mut team, text));
        }
        team
    }

    /// What always has a value: its key's default if it is not set, or wrong.
    fn required<T>(
        &mut self,
        path: &str,
        mut parse: impl FnMut(&str) -> Result<T, Complaint>,
    ) -> T {
        self.optional(path, &mut parse).unwrap_or_else(|| {
            parse(key(path).default).expect("the default of a required setting is valid")
        })
    }

    /// What need not be set; `None` if it is not, or wrong.
    fn optional<T>(
        &mut self,
        path: &str,
        parse: impl FnOnce(&str) -> Result<T, Complaint>,
    ) -> Option<T> {
        let (key, written) = (key(path), self.values.get(path)?);
        let value = match text(key, &written.raw) {
            Ok(text) if text.is_empty() && key.default.is_empty() => return None,
            Ok(text) => parse(&text),
            Err(complaint) => Err(complaint),
        };
        value
            .map_err(|complaint| self.complain(key, written, complaint))
            .ok()
    }

    fn complain(&mut self, key: &Key, written: &Written, complaint: Complaint) {
        let reason = redact(&complaint.reason, &[]);
        let mut problem = Problem::new(key.path(), reason, complaint.remedy).at(&written.origin);
        problem.value = shown(key, &written.raw);
        self.problems.push(problem);
    }
}

fn key(path: &str) -> &'static Key {
    keys::find(path).expect("only keys of the table are checked")
}

/// What was written, as a text, if it is of its key's kind.
fn text(key: &Key, raw: &Raw) -> Result<String, Complaint> {
    let is_number = |text: &str| text.trim().parse::<i64>().is_ok();
    match (key.kind, raw) {
        (Kind::Whole(_), Raw::Loose(text)) if !is_number(text) => Err(wrong_kind(key, raw)),
        // People know chats by `@name`, and are told where to find the number.
        (Kind::Id, Raw::Text(text)) if is_number(text) => Err(wrong_kind(key, raw)),
        (Kind::Text | Kind::Id, Raw::Text(text)) | (_, Raw::Loose(text)) => {
            Ok(text.trim().to_owned())
        }
        (Kind::Whole(_) | Kind::Id, Raw::Whole(number)) => Ok(number.to_string()),
        (Kind::Truth, Raw::Truth(truth)) => Ok(truth.to_string()),
        _ => Err(wrong_kind(key, raw)),
    }
}

/// What was written, as far as it may be shown.
fn shown(key: &Key, raw: &Raw) -> Option<String> {
    let text = match raw {
        Raw::Text(text) | Raw::Loose(text) => match key.secrecy {
            Secrecy::Secret => return None,
            // Of a proxy, the user is nobody's business either.
            Secrecy::HoldsPassword if key.section == "network" => without_user(text),
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
        Kind::Whole(_) | Kind::Id => "a whole number without quotes",
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
