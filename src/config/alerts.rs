//! The second ways for alerts, and the heartbeat. Whoever has such an address may write there, so none is shown.

use std::fmt;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use crate::domain::way::Way;

/// The second ways for alerts, and the heartbeat.
#[derive(Clone, Debug)]
pub struct Alerts {
    /// The address that is called with JSON.
    pub webhook: Option<Address>,
    /// The topic of ntfy.
    pub ntfy: Option<Address>,
    /// To whom a mail goes.
    pub mail: Option<String>,
    /// The address that is called while all is well.
    pub heartbeat: Option<Address>,
    /// How often, in minutes.
    pub heartbeat_minutes: u32,
    /// Whether it is told of an illness, too.
    pub heartbeat_fail: bool,
}

/// An address that is a secret; only its host may be shown.
#[derive(Clone)]
pub struct Address {
    text: SecretString,
    url: Url,
}

impl Address {
    pub(super) fn new(text: &str, url: Url) -> Self {
        let text = SecretString::from(text);
        Self { text, url }
    }

    /// As it is called.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &SecretString {
        &self.text
    }

    /// The host that it leads to: all of it that may be shown.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or("nowhere")
    }

    /// What must not be shown, in the forms in which it may be met.
    pub(super) fn secrets(&self) -> Vec<SecretString> {
        let path = self.url.path().trim_matches('/');
        let mut secrets = vec![self.text.clone(), self.url.as_str().into()];
        // A short one is a word that others use.
        if path.len() >= 8 {
            secrets.push(path.into());
        }
        secrets.retain(|secret| !secret.expose_secret().is_empty());
        secrets
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an address at {}", self.host())
    }
}

impl Alerts {
    /// The ways that are set, and where each leads, with nothing secret in it.
    #[must_use]
    pub fn ways(&self) -> Vec<(Way, String)> {
        let host = |address: &Option<Address>| Some(address.as_ref()?.host().to_owned());
        [
            (Way::Webhook, host(&self.webhook)),
            (Way::Ntfy, host(&self.ntfy)),
            (Way::Mail, self.mail.clone()),
            (Way::Heartbeat, host(&self.heartbeat)),
        ]
        .into_iter()
        .filter_map(|(way, to)| Some((way, to?)))
        .collect()
    }

    /// All addresses, which are secrets.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &Address> {
        [&self.webhook, &self.ntfy, &self.heartbeat]
            .into_iter()
            .flatten()
    }
}
