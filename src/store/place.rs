//! Where a SQLite database lies: its files, the lock by which a daemon claims it, and the sentences that name it.

use std::fmt;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::ErrorCode;

use super::error::{Error, Result};

/// What SQLite keeps beside a database, by the ends of the names.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// Where a database is.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    /// How long a writer waits for another.
    pub(super) patience: Duration,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)
    }
}

impl Place {
    pub(crate) fn new(path: &Path) -> Self {
        Self::patient(path, super::PATIENCE)
    }

    pub(super) fn patient(path: &Path, patience: Duration) -> Self {
        Self {
            path: path.to_owned(),
            patience,
        }
    }

    /// The files that a database of this path consists of: itself, and what SQLite keeps beside it.
    pub(crate) fn files(path: &Path) -> impl Iterator<Item = PathBuf> {
        let beside = BESIDE.iter().map(|end| with(path, end));
        std::iter::once(path.to_owned()).chain(beside)
    }

    /// The file by whose lock a daemon claims the database. It stays when the daemon ends.
    pub(crate) fn lock(&self) -> PathBuf {
        with(&self.path, ".lock")
    }

    /// Claims the database, for as long as the file is held. `None` if somebody else has it.
    pub(crate) fn claim(&self) -> Result<Option<File>> {
        let name = self.lock();
        let unavailable = |error: &dyn fmt::Display| {
            Error::Unavailable(format!("cannot be locked at {}: {error}", name.display()))
        };
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&name)
            .map_err(|error| unavailable(&error))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(unavailable(&error)),
        }
    }

    /// Whether somebody has claimed the database. It leaves no trace.
    pub(crate) fn is_claimed(&self) -> Result<bool> {
        let name = self.lock();
        // Not made if it is not there: the daemon's user might not be able to open what another user has made.
        let file = match File::open(&name) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => {
                return Err(Error::Unavailable(format!(
                    "has a lock that cannot be read at {}: {error}",
                    name.display()
                )));
            }
        };
        Ok(matches!(
            file.try_lock_shared(),
            Err(TryLockError::WouldBlock)
        ))
    }

    /// A database that a daemon has worked with and that is gone, or empty, is a loss to be told of; SQLite would make a new
    /// one in silence.
    pub(super) fn must_not_be_lost(&self) -> Result<()> {
        let is_there = std::fs::metadata(&self.path).is_ok_and(|file| file.len() > 0);
        let lock = self.lock();
        if is_there || !lock.exists() {
            return Ok(());
        }
        Err(Error::Damaged(format!(
            "{self} was there and is gone, or empty; restore a backup. To begin anew on \
             purpose, delete {} too",
            lock.display()
        )))
    }

    pub(super) fn explain(&self, error: &rusqlite::Error) -> Error {
        Error::Unavailable(match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                return Error::Busy(format!(
                    "another process has been writing to {self} for {} seconds",
                    self.patience.as_secs_f32()
                ));
            }
            Some(ErrorCode::ConstraintViolation) => return Error::Refused(error.to_string()),
            Some(ErrorCode::DiskFull) => format!(
                "{self} cannot grow: the disk is full; free some space and it goes on by itself"
            ),
            Some(ErrorCode::ReadOnly) => {
                format!("{self} cannot be written: the disk or the file is read-only ({error})")
            }
            Some(ErrorCode::DatabaseCorrupt) => return self.damaged(error),
            Some(ErrorCode::NotADatabase) => {
                return Error::Damaged(format!(
                    "{self} is no database, or damaged from its first byte on; if the path is right, keep the file and \
                     restore a backup"
                ));
            }
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                format!("{self} cannot be opened: {}", self.why_not_opened())
            }
            _ => format!(
                "{self} gave an error: {error}; look at the disk: `df -h` tells whether it is full, `dmesg` whether it fails"
            ),
        })
    }

    /// What is to be done about a damaged database.
    pub(super) fn damaged(&self, how: &dyn fmt::Display) -> Error {
        Error::Damaged(format!(
            "{self} is damaged ({how}); stop the service, keep the file, and restore a backup"
        ))
    }

    fn why_not_opened(&self) -> String {
        let folder = self.path.parent().unwrap_or(&self.path);
        if self.path.is_dir() {
            "it is a folder, and a file is needed".to_owned()
        } else if !folder.is_dir() {
            format!("there is no folder {}", folder.display())
        } else {
            format!(
                "this user may not write in {}, or its disk is read-only",
                folder.display()
            )
        }
    }
}

fn with(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
