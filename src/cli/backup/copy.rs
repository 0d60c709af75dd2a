//! `storyline backup copy`: sends the newest backup off the box now. And the way back: a copy is opened by its private key.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::appliance::copies::{Copies, Sent};
use crate::appliance::open_teams;
use crate::backup::copies::age::AgeError;
use crate::backup::copies::{Opened, SealError};
use crate::backup::{Backup, Backups};
use crate::cli::print::{Print, say};
use crate::cli::{Failure, missing_database, told};
use crate::config::Config;
use crate::system::clock::Clock;
use crate::telegram::client::Client;
use crate::telegram::voice::Voice;

/// What the name of an encrypted copy ends with.
const ENCRYPTED: &str = ".age";

#[derive(Debug, Args)]
pub(in crate::cli) struct Named {
    /// Its name in the list, `latest`, or the path of its file; of a copy that was encrypted, `FILE.age`
    #[arg(value_name = "BACKUP")]
    name: String,
    /// The file with the private key that opens an encrypted copy; `-` reads it from stdin, so that it is on no disk
    #[arg(long, value_name = "KEYFILE")]
    key: Option<PathBuf>,
}

/// What was named: a backup, or a copy that was opened.
pub(super) enum Found {
    Backup(Backup),
    Copy(Opened),
}

impl Found {
    pub(super) fn backup(&self) -> &Backup {
        match self {
            Self::Backup(backup) => backup,
            Self::Copy(opened) => &opened.backup,
        }
    }
}

impl Named {
    pub(super) async fn find(&self, backups: &Backups) -> Result<Found, Failure> {
        if !self.name.ends_with(ENCRYPTED) {
            return Ok(Found::Backup(backups.find(&self.name)?));
        }
        let key = self.key.as_deref().ok_or_else(|| {
            Failure::Usage(told(
                format!("`{}` is encrypted, and opened by its private key alone", self.name),
                "put the key that `storyline backup key` showed into a file, and name it: `--key KEYFILE`",
            ))
        })?;
        let opened = backups.open_sealed(Path::new(&self.name), key).await?;
        Ok(Found::Copy(opened))
    }
}

pub(super) async fn run(print: Print, config: &Config) -> Result<(), Failure> {
    if let Some(missing) = missing_database(config) {
        return Err(Failure::Unavailable(missing));
    }
    if config.backup.copies.destinations().is_empty() {
        return Err(Failure::Other(told(
            "no place is set that copies go to",
            "set `copy_to`, `s3_url` or `copy_to_chat` below `[backup]`; `storyline config example` tells of them",
        )));
    }
    let now = Clock::system().now();
    let teams = open_teams(config, now).await?;
    let telegram = &config.telegram;
    let client = telegram
        .token
        .clone()
        .map(|token| Client::new(token, telegram.api_url.clone()))
        .transpose()
        .map_err(|error| Failure::plain(error.without_url().to_string()))?;
    let copies = Copies::new(config, teams.own().clone(), client.map(Voice::new));
    let newest = match &copies {
        Some(copies) => copies.newest(now).await,
        None => None,
    };
    let (Some(copies), Some(newest)) = (copies, newest) else {
        return Err(Failure::NotFound(told(
            "there is no backup yet",
            "`storyline backup create` makes one",
        )));
    };
    let sent = copies.send_everywhere(&newest, now).await?;
    report(print, &newest, &sent)
}

fn report(print: Print, backup: &Backup, sent: &[Sent]) -> Result<(), Failure> {
    if print.is_json() {
        print.json(sent)?;
    }
    for one in sent {
        let place = format!("{} {}", one.destination, one.to);
        match &one.error {
            _ if print.is_json() => {}
            None => say(&format!("{place}: {} is there", backup.name)),
            Some(error) => say(&format!("{place}: {error}")),
        }
    }
    match sent.iter().filter(|one| one.error.is_some()).count() {
        0 => Ok(()),
        failed => Err(Failure::plain(format!(
            "{failed} of {} copies did not get there",
            sent.len()
        ))),
    }
}

impl From<SealError> for Failure {
    fn from(error: SealError) -> Self {
        let text = error.to_string();
        match error {
            SealError::Backup(error) => error.into(),
            SealError::Age(AgeError::Failed { .. }) => Self::Other(told(
                text,
                "the private key that `storyline backup key` showed opens what was encrypted for its public half, and nothing else does",
            )),
            SealError::Age(_) | SealError::CutOff(_) => Self::plain(text),
        }
    }
}
