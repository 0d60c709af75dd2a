//! What is set, and where, for `config show`; secrets only as set or not.

use secrecy::SecretString;
use serde::Serialize;

use super::keys::{KEYS, Key};
use super::problem::Origin;
use super::{Config, Loaded};
use crate::domain::messages::Text;
use crate::domain::setting::Setting;

/// One setting as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Section and name.
    pub key: String,
    /// What it is; `None` if it is not set. Of a secret, only that it is set.
    pub value: Option<String>,
    /// Where it was set.
    pub origin: String,
}

impl Loaded {
    /// All settings, in the order of the example.
    #[must_use]
    pub fn show(&self) -> Vec<Shown> {
        KEYS.iter().map(|key| self.shown(key)).collect()
    }

    fn shown(&self, key: &Key) -> Shown {
        let path = key.path();
        let origin = self.origins.get(&path).unwrap_or(&Origin::Default);
        Shown {
            value: value(&self.config, &path, origin),
            origin: origin.to_string(),
            key: path,
        }
    }
}

fn value(config: &Config, path: &str, origin: &Origin) -> Option<String> {
    let Config {
        library,
        database,
        secrets,
        backup,
        health,
        network,
        alerts,
        telegram,
        team,
        log,
        messages,
    } = config;
    let secret = |secret: &SecretString| {
        let _ = secret;
        format!("set, from {origin}")
    };
    if let Some(setting) = Setting::ALL.into_iter().find(|it| it.key() == path) {
        return Some(setting.shown(team)).filter(|shown| !shown.is_empty());
    }
    Some(match path {
        "library.cache" => library.cache.display().to_string(),
        "library.cache_mb" => library.cache_mb.to_string(),
        "database.url" => database.url.to_string(),
        "secrets.key" => secrets.key.as_ref().map(secret)?,
        "backup.folder" => backup.folder.as_ref()?.display().to_string(),
        "backup.keep_days" => backup.keep_days.to_string(),
        "backup.encrypt_for" => {
            Some(backup.copies.recipients.join("\n")).filter(|it| !it.is_empty())?
        }
        "backup.copy_to" => backup.copies.folder.as_ref()?.display().to_string(),
        "backup.copy_to_chat" => backup.copies.chat.is_some().to_string(),
        "backup.s3_url" => backup.copies.bucket.as_ref()?.url.to_string(),
        "backup.s3_region" => backup.copies.region.clone(),
        "backup.s3_access_key" => backup.copies.bucket.as_ref()?.access_key.clone(),
        "backup.s3_secret_key" => backup.copies.secret_key.as_ref().map(secret)?,
        "health.listen" => health.listen?.to_string(),
        "network.proxy" => network.proxy()?.to_string(),
        "network.ca_file" => network.authorities()?.path().display().to_string(),
        "alerts.webhook_url" => alerts.webhook.as_ref().map(|it| secret(it.text()))?,
        "alerts.ntfy_url" => alerts.ntfy.as_ref().map(|it| secret(it.text()))?,
        "alerts.sendmail" => alerts.mail.clone()?,
        "alerts.heartbeat_url" => alerts.heartbeat.as_ref().map(|it| secret(it.text()))?,
        "alerts.heartbeat_minutes" => alerts.heartbeat_minutes.to_string(),
        "alerts.heartbeat_fail" => alerts.heartbeat_fail.to_string(),
        "telegram.token" => telegram.token.as_ref().map(secret)?,
        "telegram.token_file" => telegram.token_file.as_ref()?.display().to_string(),
        "telegram.admin_chat" => telegram.admin_chat?.to_string(),
        "telegram.api_url" => telegram.api_url.to_string(),
        "telegram.api_files" => telegram.api_files.as_ref()?.display().to_string(),
        "telegram.announce" => telegram.announce.to_string(),
        "telegram.webhook_url" => telegram.webhook_url.as_ref()?.to_string(),
        "telegram.webhook_listen" => telegram.webhook_listen.to_string(),
        "telegram.webhook_secret" => telegram.webhook_secret.as_ref().map(secret)?,
        "log.level" => log.level.to_string(),
        "log.format" => log.format.as_str().to_owned(),
        other => {
            let name = other.strip_prefix("messages.")?;
            let text = Text::ALL.into_iter().find(|text| text.name() == name)?;
            messages.get(text).source().to_owned()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;
    use crate::config::keys::Secrecy;

    const KEY: &str = "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f";

    const ADDRESS: &str = "https://example.org/canary";

    const RECIPIENT: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

    const CA_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/tls/ca.pem");

    /// Every setting by its variable, at its default or sample.
    fn everything() -> Environment {
        KEYS.iter()
            .filter(|key| key.name != "token_file")
            .map(|key| (key.environment_name(), key.shown()))
            .chain([
                ("STORYLINE_NETWORK_CA_FILE".to_owned(), CA_FILE),
                ("STORYLINE_TELEGRAM_TOKEN".to_owned(), "1:canary"),
                ("STORYLINE_SECRETS_KEY".to_owned(), KEY),
                ("STORYLINE_TELEGRAM_WEBHOOK_SECRET".to_owned(), "canary"),
                ("STORYLINE_BACKUP_S3_SECRET_KEY".to_owned(), "canary"),
                ("STORYLINE_BACKUP_ENCRYPT_FOR".to_owned(), RECIPIENT),
                ("STORYLINE_ALERTS_WEBHOOK_URL".to_owned(), ADDRESS),
                ("STORYLINE_ALERTS_NTFY_URL".to_owned(), ADDRESS),
                ("STORYLINE_ALERTS_HEARTBEAT_URL".to_owned(), ADDRESS),
            ])
            .collect()
    }

    fn load(environment: &Environment) -> Loaded {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("storyline.toml");
        std::fs::write(&path, "").unwrap();
        Config::load(Some(&path), environment).unwrap()
    }

    #[test]
    fn every_setting_is_shown_as_it_was_set() {
        let shown = load(&everything()).show();
        assert_eq!(shown.len(), KEYS.len());
        for (shown, key) in shown.iter().zip(KEYS) {
            if key.secrecy == Secrecy::Secret {
                let told = format!("set, from ${}", key.environment_name());
                assert_eq!(shown.value, Some(told));
            } else if key.name == "token_file" {
                assert_eq!((shown.value.as_deref(), &*shown.origin), (None, "default"));
            } else {
                let value = shown.value.as_deref().unwrap_or("nothing");
                let set = match key.name {
                    "encrypt_for" => RECIPIENT,
                    "ca_file" => CA_FILE,
                    _ => key.shown(),
                };
                assert_eq!(value.trim_end_matches('/'), set, "{}", shown.key);
                assert_eq!(shown.origin, format!("${}", key.environment_name()));
            }
        }
    }

    #[test]
    fn what_is_not_set_has_no_value_and_the_rest_its_default() {
        for (shown, key) in load(&Environment::default()).show().iter().zip(KEYS) {
            assert_eq!(
                shown.value.is_none(),
                key.default.is_empty(),
                "{}",
                shown.key
            );
            assert_eq!(shown.origin, "default");
        }
    }
}
