//! What the owner decided: one struct a section, with values that are already parsed and checked. [`keys`] says what may be
//! set, [`load`] finds what is, [`check`] says everything that is wrong with it at once, [`edit`] writes into the file.

use std::net::SocketAddr;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use crate::domain::messages::Messages;
use crate::domain::team::TeamSettings;
use crate::system::logging::{Format, Levels};
use crate::system::network::Network;
use crate::system::vault::{Keys, VaultError};

mod alerts;
mod check;
mod copies;
mod database;
mod edit;
mod example;
mod file;
pub mod keys;
mod load;
mod parse;
mod places;
mod problem;
mod show;

pub use crate::system::environment::Environment;
pub use alerts::{Address, Alerts};
pub use copies::{Bucket, Copies};
pub use database::DatabaseUrl;
pub use edit::Draft;
pub use example::example;
pub use load::{DEFAULT_PATH, Loaded, credential_of, path_of};
pub use parse::looks_like_a_token;
pub use places::{Places, Wanted};
pub use problem::{Origin, Problem, Problems};
pub use show::Shown;

/// All settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder of pictures.
    pub library: Library,
    /// Where everything is remembered.
    pub database: Database,
    /// How secrets in it are encrypted.
    pub secrets: Secrets,
    /// Its backups.
    pub backup: Backup,
    /// Who may ask how the service is.
    pub health: Health,
    /// The way to servers outside.
    pub network: Network,
    /// Where alerts go beside the chat.
    pub alerts: Alerts,
    /// The bot and its chats.
    pub telegram: Telegram,
    /// What the box's own team decided first; what it decides later is in the records.
    pub team: TeamSettings,
    /// What is told, and where.
    pub log: Log,
    /// What the team reads.
    pub messages: Messages,
}

impl Config {
    /// All that must never be shown, to clean texts of it.
    #[must_use]
    pub fn held_secrets(&self) -> Vec<SecretString> {
        let key = self.secrets.key.iter().flat_map(|key| {
            let lines = key.expose_secret().lines();
            lines.map(SecretString::from).collect::<Vec<_>>()
        });
        [&self.telegram.token, &self.telegram.webhook_secret]
            .into_iter()
            .flatten()
            .cloned()
            .chain(self.backup.copies.secret_key.clone())
            .chain(self.network.held_secrets())
            .chain(self.alerts.addresses().flat_map(Address::secrets))
            .chain(key)
            .chain(self.database.url.password())
            .collect()
    }
}

/// The folder of pictures.
#[derive(Clone, Debug)]
pub struct Library {
    /// Its root, an absolute path.
    pub path: PathBuf,
    /// Where rendered pictures are kept, an absolute path outside of the root.
    pub cache: PathBuf,
    /// How much is kept there, in megabytes.
    pub cache_mb: u64,
}

/// Where everything is remembered.
#[derive(Clone, Debug)]
pub struct Database {
    /// What and where.
    pub url: DatabaseUrl,
}

/// How secrets in the database are encrypted.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// The key, or several, if it is given to the service.
    pub key: Option<SecretString>,
    /// The file in which it is kept if it is not.
    pub file: PathBuf,
    /// Whether the service may have been given one that is not this user's to read.
    pub is_withheld: bool,
}

impl Secrets {
    /// The keys at hand; `None` if there never was one.
    ///
    /// # Errors
    /// If what is there is no key, or cannot be read.
    pub fn keys(&self) -> Result<Option<Keys>, VaultError> {
        match &self.key {
            Some(key) => Keys::parse(key).map(Some),
            None => Keys::load(&self.file),
        }
    }
}

/// The backups of what is remembered.
#[derive(Clone, Debug)]
pub struct Backup {
    /// Where they are kept; unset, beside the database.
    pub folder: Option<PathBuf>,
    /// For how long, in days.
    pub keep_days: u32,
    /// The file that these settings were read from, which goes with each.
    pub settings: Option<PathBuf>,
    /// The copies that leave the box.
    pub copies: Copies,
}

/// Who may ask how the service is.
#[derive(Clone, Debug)]
pub struct Health {
    /// The address and port where it answers, besides its socket.
    pub listen: Option<SocketAddr>,
}

/// The bot and its chats.
#[derive(Clone, Debug)]
pub struct Telegram {
    /// The bot's token; without one the service indexes and says what is missing.
    pub token: Option<SecretString>,
    /// The file that the token is to be read from, if one was named.
    pub token_file: Option<PathBuf>,
    /// The chat for alerts; without one they go to the team's chat.
    pub admin_chat: Option<i64>,
    /// The server of the Bot API.
    pub api_url: reqwest::Url,
    /// The folder in which such a server on this machine keeps files.
    pub api_files: Option<PathBuf>,
    /// Whether a story that has to be uploaded is announced first.
    pub announce: bool,
    /// The public address that Telegram calls with what people do; without one, the box asks Telegram.
    pub webhook_url: Option<reqwest::Url>,
    /// Where such calls are taken.
    pub webhook_listen: SocketAddr,
    /// What Telegram shows with each of them; never missing where there is an address.
    pub webhook_secret: Option<SecretString>,
}

impl Telegram {
    /// How Telegram calls this box, if it does.
    #[must_use]
    pub fn webhook(&self) -> Option<Webhook> {
        let (url, secret) = self.webhook_url.clone().zip(self.webhook_secret.clone())?;
        Some(Webhook {
            url,
            listen: self.webhook_listen,
            secret,
        })
    }
}

/// How Telegram calls this box with what people do.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// The public address that Telegram calls.
    pub url: reqwest::Url,
    /// Where this box takes its calls.
    pub listen: SocketAddr,
    /// What Telegram shows with each call.
    pub secret: SecretString,
}

/// What is told, and where.
#[derive(Clone, Debug)]
pub struct Log {
    /// How much.
    pub level: Levels,
    /// In which form.
    pub format: Format,
}
