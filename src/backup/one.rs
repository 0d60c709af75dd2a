//! One backup: a file in the folder of them, by its name; or one that somebody named, whatever it is called.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ENDING, Error, Manifest, STAMP, archive};
use crate::system::beneath::Folder;
use crate::system::named::open_named;
use crate::system::owner::Owner;

/// How what `age` encrypted begins (age-encryption.org/v1, "header").
const SEALED: &[u8; 19] = b"age-encryption.org/";

/// Why a backup was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// As every night.
    Nightly,
    /// Somebody asked for it.
    Manual,
    /// The schema was about to be brought to a newer version.
    Upgrade,
}

impl Reason {
    const ALL: [Self; 3] = [Self::Nightly, Self::Manual, Self::Upgrade];

    /// As it stands in a name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nightly => "nightly",
            Self::Manual => "manual",
            Self::Upgrade => "upgrade",
        }
    }
}

/// A backup in the folder.
#[derive(Clone, Debug, Serialize)]
pub struct Backup {
    /// What it is called: the file without its ending.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// When it was made.
    pub made_at: Timestamp,
    /// Why.
    pub reason: Reason,
    /// What it takes, in bytes.
    pub size_bytes: u64,
    /// The file itself, where somebody named one that lies anywhere; else it is opened where it lies.
    #[serde(skip)]
    pub(super) opened: Option<Arc<File>>,
}

impl Backup {
    /// The backup in this file, of so many bytes, whose name ends so. Whether it is whole is not known.
    pub(super) fn called(path: PathBuf, ending: &str, size_bytes: u64) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_suffix(ending)?.to_owned();
        let (stamp, reason) = name.split_once('_')?;
        let reason = reason.split('_').next()?;
        Some(Self {
            made_at: jiff::civil::DateTime::strptime(STAMP, stamp)
                .and_then(|at| at.to_zoned(jiff::tz::TimeZone::UTC))
                .ok()?
                .timestamp(),
            reason: Reason::ALL.into_iter().find(|one| one.name() == reason)?,
            size_bytes,
            opened: None,
            name,
            path,
        })
    }

    /// The backup in this file, whatever it is called and wherever it lies.
    pub(super) fn named(path: &Path) -> Result<Self, Error> {
        let file = open_named(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Error::NotThere(path.display().to_string()),
            ErrorKind::PermissionDenied => Error::broken(path, &"this user may not read it"),
            _ => Error::broken(path, &error),
        })?;
        let mut beginning = [0; SEALED.len()];
        let is_sealed = file.read_at(&mut beginning, 0).is_ok() && beginning == *SEALED;
        match is_sealed {
            true => Err(Error::broken(
                path,
                &"it is encrypted; `--key KEYFILE` opens it",
            )),
            false => Self::of(file, path, path),
        }
    }

    /// The backup in an open file, which is called so, and shown as what lies at `shown`.
    pub(super) fn of(file: File, path: &Path, shown: &Path) -> Result<Self, Error> {
        let manifest = archive::manifest(&file, shown)?;
        let size = file
            .metadata()
            .map_err(|error| Error::broken(shown, &error))?;
        let name = shown.file_name().unwrap_or_default().to_string_lossy();
        Ok(Self {
            name: name
                .trim_end_matches(".age")
                .trim_end_matches(ENDING)
                .to_owned(),
            path: path.to_owned(),
            made_at: manifest.made_at,
            reason: manifest.reason,
            size_bytes: size.len(),
            opened: Some(Arc::new(file)),
        })
    }

    /// What it holds, as it says itself.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn manifest(&self) -> Result<Manifest, Error> {
        archive::manifest(&self.open()?, &self.path)
    }

    /// Opens it. In the folder of the backups others may write, so no link is followed there, and root is nobody special.
    pub(super) fn open(&self) -> Result<File, Error> {
        let broken = |error| Error::broken(&self.path, &error);
        if let Some(file) = &self.opened {
            return file.try_clone().map_err(broken);
        }
        let (folder, name) = (self.path.parent(), self.path.file_name());
        let open = || {
            let folder = Folder::root(folder.unwrap_or(Path::new("/")))?;
            folder.open_file(name.unwrap_or_default())
        };
        Owner::of(&self.path)
            .and_then(|owner| owner.work(open)?)
            .map_err(broken)
    }
}
