//! The settings of the second ways for alerts.

use reqwest::Url;

use super::Check;
use crate::config::keys::HEARTBEAT_MINUTES;
use crate::config::{Address, Alerts};
use crate::domain::written::{Complaint, truth, whole};

impl Check<'_> {
    pub(super) fn alerts(&mut self) -> Alerts {
        Alerts {
            webhook: self.optional("alerts.webhook_url", address),
            ntfy: self.optional("alerts.ntfy_url", topic),
            mail: self.optional("alerts.sendmail", mail),
            heartbeat: self.optional("alerts.heartbeat_url", address),
            heartbeat_minutes: self.required("alerts.heartbeat_minutes", |text| {
                whole(text, HEARTBEAT_MINUTES)
            }),
            heartbeat_fail: self.required("alerts.heartbeat_fail", truth),
        }
    }
}

/// What is wrong is not quoted: it is a secret.
fn address(text: &str) -> Result<Address, Complaint> {
    let remedy = "write the `https://…` that the service there gave you";
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
            Ok(Address::new(text, url))
        }
        Ok(_) => Err(Complaint::new("it must begin with `https://`", remedy)),
        Err(_) => Err(Complaint::new("it is no valid URL", remedy)),
    }
}

fn topic(text: &str) -> Result<Address, Complaint> {
    let address = address(text)?;
    let path = address.url().path().trim_matches('/');
    if path.is_empty() {
        return Err(Complaint::new(
            "it names no topic",
            "write `https://SERVER/TOPIC`, with a topic that nobody guesses",
        ));
    }
    Ok(address)
}

/// What a program gets as an argument must not look like an option, nor begin another header.
fn mail(text: &str) -> Result<String, Complaint> {
    let is_plain = |letter: char| letter.is_ascii_graphic() && !"<>()[],;:\\\"".contains(letter);
    let has_both = text
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    if has_both && !text.starts_with('-') && text.chars().all(is_plain) {
        return Ok(text.to_owned());
    }
    Err(Complaint::new(
        "it is no address of mail",
        "write one, `you@example.org`, without a name",
    ))
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Environment, Loaded, Problems};

    fn load(text: &str) -> Result<Loaded, Problems> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("storyline.toml");
        std::fs::write(&path, format!("[alerts]\n{text}")).unwrap();
        Config::load(Some(&path), &Environment::default())
    }

    #[test]
    fn every_way_can_be_set_and_no_address_is_shown() {
        let loaded = load(
            "webhook_url = \"https://u:canary@hooks.example.org/canary-of-the-hook?key=canary\"\nntfy_url = \"https://ntfy.example.org/canary-topic\"\n\
             sendmail = \"ann@example.org\"\nheartbeat_url = \"http://ping.example.org/canary-of-the-ping\"\n",
        );
        let loaded = loaded.unwrap();
        let alerts = &loaded.config.alerts;
        let hosts: Vec<&str> = alerts.addresses().map(|address| address.host()).collect();
        let all = ["hooks.example.org", "ntfy.example.org", "ping.example.org"];
        assert_eq!(hosts, all);
        assert_eq!(alerts.mail.as_deref(), Some("ann@example.org"));
        assert_eq!(
            (alerts.heartbeat_minutes, alerts.heartbeat_fail),
            (5, false)
        );
        assert!(!format!("{:?}", loaded.config).contains("canary"));
        assert!(!format!("{:?}", loaded.show()).contains("canary"));
        let held = loaded.config.held_secrets();
        let text = "https://ntfy.example.org/canary-topic failed, canary-of-the-ping too";
        let clean = crate::system::secret::redact(text, &held.iter().collect::<Vec<_>>());
        assert!(!clean.contains("canary"), "{clean}");
    }

    #[test]
    fn what_leads_nowhere_is_refused_and_not_quoted() {
        for (text, part) in [
            (
                "webhook_url = \"ftp://canary\"",
                "must begin with `https://`",
            ),
            ("heartbeat_url = \"canary\"", "no valid URL"),
            ("ntfy_url = \"https://ntfy.example.org\"", "names no topic"),
            ("sendmail = \"-oQ/tmp@canary\"", "no address of mail"),
            ("sendmail = \"a@b\\nBcc: c@d\"", "no address of mail"),
            ("sendmail = \"canary\"", "no address of mail"),
            ("heartbeat_minutes = 0", "heartbeat_minutes"),
        ] {
            let told = load(text).unwrap_err().to_string();
            assert!(told.contains(part), "{text}: {told}");
            if !text.starts_with("sendmail") {
                assert!(!told.contains("canary"), "{told}");
            }
        }
    }
}
