//! Where a SQLite database lies: its files, the lock by which a daemon claims it, and the sentences that name it.

use std::fmt;
use std::fs::{File, Metadata, TryLockError};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::ErrorCode;
use rustix::fs::OFlags;
use rustix::io::Errno;

use super::error::{Error, Result};
use super::watched::Identity;
use crate::system::storage::{self, Left, NO_FILES};

/// What SQLite keeps beside a database, by the ends of the names: what was written ahead, its index, and what undoes a change
/// that was cut off.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];
/// What shares its contents with the file of another name.
const SECOND: &str = "a second name of another file";
/// How a lock is opened: no link is followed, and no pipe waited for.
const ASIS: i32 = (OFlags::NOFOLLOW.bits() | OFlags::NONBLOCK.bits()) as i32;
/// How often a lock that is replaced at that very moment is tried anew.
const TRIES: u32 = 5;

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

    /// What was written ahead of the database, and its index.
    pub(super) fn log_and_index(&self) -> [PathBuf; 2] {
        ["-wal", "-shm"].map(|end| with(&self.path, end))
    }

    /// The file by whose lock a daemon claims the database. It stays when the daemon ends.
    pub(crate) fn lock(&self) -> PathBuf {
        with(&self.path, ".lock")
    }

    /// Claims the database, for as long as the file is held. `None` if somebody else has it.
    pub(crate) fn claim(&self) -> Result<Option<File>> {
        let name = self.lock();
        for _ in 0..TRIES {
            let opened = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .custom_flags(ASIS)
                .open(&name);
            let file = opened.map_err(|error| self.unopened(&error))?;
            self.must_be_a_lock(&file)?;
            match file.try_lock() {
                Ok(()) if self.is_the_lock(&file)? => return Ok(Some(file)),
                // Another was put in its place between the two.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(self.unlockable(&error)),
            }
        }
        Err(self.unlockable(&"another takes its place again and again"))
    }

    /// Whether this is still the file by which the database is claimed: whoever deletes or replaces it lets another daemon in.
    pub(super) fn is_the_lock(&self, claim: &File) -> Result<bool> {
        let look = || Ok(Identity::at(&self.lock())? == Some(Identity::of(&claim.metadata()?)));
        look().map_err(|error: io::Error| self.unlockable(&error))
    }

    /// Whether somebody has claimed the database. It leaves no trace.
    pub(crate) fn is_claimed(&self) -> Result<bool> {
        // Not made if it is not there: the daemon's user might not be able to open what another user has made.
        let opened = File::options()
            .read(true)
            .custom_flags(ASIS)
            .open(self.lock());
        let file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(self.unopened(&error)),
        };
        self.must_be_a_lock(&file)?;
        Ok(matches!(
            file.try_lock_shared(),
            Err(TryLockError::WouldBlock)
        ))
    }

    fn must_be_a_lock(&self, file: &File) -> Result<()> {
        let found = file.metadata().map_err(|error| self.unlockable(&error))?;
        match found.is_file() && found.nlink() == 1 {
            true => Ok(()),
            false => Err(self.unlockable(&"it is no file of its own; remove it")),
        }
    }

    /// What is told where the lock cannot be opened: a link is not followed there.
    fn unopened(&self, error: &io::Error) -> Error {
        match error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) {
            true => self.unlockable(&"it is a link; remove it"),
            false => self.unlockable(error),
        }
    }

    fn unlockable(&self, error: &dyn fmt::Display) -> Error {
        let lock = self.lock();
        Error::Unavailable(format!("cannot be locked at {}: {error}", lock.display()))
    }

    /// Nothing beside a database that SQLite would read may be a pipe, for which it would wait for ever, nor a second name of
    /// another file, which it would write over. (A link it does not follow.)
    pub(super) fn must_be_files(&self) -> Result<()> {
        for path in Self::files(&self.path) {
            let is_beside = path != self.path;
            let looked = match is_beside {
                true => std::fs::symlink_metadata(&path),
                false => std::fs::metadata(&path),
            };
            // What cannot be looked at cannot be opened either, which tells more.
            let Ok(found) = looked else { continue };
            if let Some(what) = kind(&found).or((is_beside && found.nlink() > 1).then_some(SECOND))
            {
                return Err(Error::Unavailable(format!(
                    "cannot be opened: {} is {what}, and a file of its own is needed; remove it",
                    path.display()
                )));
            }
        }
        Ok(())
    }

    /// A database that a daemon has worked with and that is gone, or empty, is a loss to be told of; SQLite would make a new
    /// one in silence.
    pub(crate) fn must_not_be_lost(&self) -> Result<()> {
        let lock = self.lock();
        if self.is_there() || std::fs::symlink_metadata(&lock).is_err() {
            return Ok(());
        }
        Err(Error::Damaged(format!(
            "{self} was there and is gone, or empty; restore a backup. To begin anew on \
             purpose, delete {} too",
            lock.display()
        )))
    }

    /// Whether there is a database that holds something.
    pub(crate) fn is_there(&self) -> bool {
        self.bytes() > 0
    }

    /// How long the file of the database is; 0 if there is none.
    pub(crate) fn bytes(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |file| file.len())
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
                "{self} cannot grow: {}; then it goes on by itself",
                storage::full(&self.path)
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
                "{self} gave an error: {error}; look at the disk: `df -h` and `df -i` tell whether it is full, `dmesg` whether it fails"
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
            match storage::left(folder) {
                Ok(Left {
                    files: Some(files),
                    is_read_only: false,
                    ..
                }) if files <= NO_FILES => storage::full(folder),
                _ => format!(
                    "this user may not write in {}, or its disk is read-only",
                    folder.display()
                ),
            }
        }
    }
}

/// What it is, if it is no file. A folder is told of by whoever opens it.
fn kind(found: &Metadata) -> Option<&'static str> {
    let kind = found.file_type();
    if kind.is_symlink() {
        Some("a link")
    } else if kind.is_fifo() {
        Some("a pipe")
    } else if kind.is_socket() || kind.is_block_device() || kind.is_char_device() {
        Some("a socket or a device")
    } else {
        None
    }
}

fn with(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
