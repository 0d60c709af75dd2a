//! What the owner decided: one struct a section, with values that are already parsed and checked. [`keys`] says what may be
//! set, [`load`] finds what is, [`check`] says everything that is wrong with it at once, [`edit`] writes into the file.

use std::net::SocketAddr;
use std::path::PathBuf;

use secrecy::SecretString;

use crate::domain::messages::Messages;
use crate::domain::team::TeamSettings;
use crate::system::logging::{Format, Levels};

mod check;
mod database;
mod edit;
mod example;
mod file;
pub mod keys;
mod load;
mod parse;
mod problem;
mod show;

pub use crate::system::environment::Environment;
pub use database::DatabaseUrl;
pub use edit::Draft;
pub use example::example;
pub use load::{DEFAULT_PATH, Loaded, credential_of, path_of};
pub use parse::looks_like_a_token;
pub use problem::{Origin, Problem, Problems};
pub use show::Shown;

/// All settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder of pictures.
    pub library: Library,
    /// Where everything is remembered.
    pub database: Database,
    /// The bot and its chats.
    pub telegram: Telegram,
    /// What the box's own team decided first; what it decides later is in the records.
    pub team: TeamSettings,
    /// What is told, and where.
    pub log: Log,
    /// What the team reads.
    pub messages: Messages,
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
