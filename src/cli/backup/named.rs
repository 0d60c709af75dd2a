//! A backup that is named: of the folder, or a copy that left the box, which its private key opens.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::backup::copies::age::AgeError;
use crate::backup::copies::{Opened, SealError};
use crate::backup::{Backup, Backups};
use crate::cli::{Failure, told};

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
        // One that came from elsewhere may be called anything.
        let is_named = self.key.is_some() && Path::new(&self.name).exists();
        if !self.name.ends_with(ENCRYPTED) && !is_named {
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

impl From<SealError> for Failure {
    fn from(error: SealError) -> Self {
        let text = error.to_string();
        match error {
            SealError::Backup(error) => error.into(),
            SealError::Age(AgeError::Failed { why, .. }) if why.contains("identity") => {
                Self::Other(told(
                    text,
                    "the private key that `storyline backup key` showed opens what was encrypted for its public half, and nothing else does",
                ))
            }
            SealError::Age(_) | SealError::CutOff(_) => Self::plain(text),
        }
    }
}
