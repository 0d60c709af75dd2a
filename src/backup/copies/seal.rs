//! A backup on its way out, encrypted; and one that came back, opened again.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::io::{FdFlags, fcntl_setfd};
use tempfile::TempDir;

use super::age::{self, AgeError};
use crate::backup::{self, Backup, Backups, MOST_IN_MEMORY_BYTES};
use crate::system::background::{CutOff, background};
use crate::system::named::open_named;

/// Why a backup could not be encrypted, or a copy not be opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The program that does it.
    #[error(transparent)]
    Age(#[from] AgeError),
    /// What is in it, or the disk.
    #[error(transparent)]
    Backup(#[from] backup::Error),
    /// There was no thread for it.
    #[error(transparent)]
    CutOff(#[from] CutOff),
}

/// A backup, encrypted. The file goes with this.
#[derive(Debug)]
pub struct Sealed {
    /// What it shall be called.
    pub name: String,
    /// Where it is read until then: the file that was written, whatever lies in its place by now.
    pub path: PathBuf,
    /// How large it is, in bytes.
    pub size_bytes: u64,
    _held: File,
    _scratch: TempDir,
}

/// What a copy holds. The file goes with this.
#[derive(Debug)]
pub struct Opened {
    /// The backup, as any other.
    pub backup: Backup,
    _scratch: TempDir,
}

impl Backups {
    /// Encrypts a backup.
    ///
    /// # Errors
    /// If `age` is missing or fails, or there is no space for it.
    pub async fn seal(&self, backup: &Backup, recipients: &[String]) -> Result<Sealed, SealError> {
        let (backups, from) = (self.clone(), backup.clone());
        let name = format!("{}{}", backup.name, super::ENDING);
        let file = name.clone();
        let begun = background(move || {
            let from = from.open()?;
            backups.as_owner(|| {
                let scratch = backups.scratch(from.metadata().map_or(0, |file| file.len()))?;
                let into = create(&scratch.path().join(file))?;
                Ok((scratch, from, into))
            })
        });
        let (scratch, from, into) = begun.await??;
        let lost = |error| backup::Error::folder(scratch.path(), &error);
        let held = into.try_clone().map_err(lost)?;
        age::encrypt(recipients, from, into).await?;
        Ok(Sealed {
            name,
            size_bytes: held.metadata().map_err(lost)?.len(),
            path: through(&held),
            _held: held,
            _scratch: scratch,
        })
    }

    /// Opens a copy with the private key in a file; `-` has the key read from stdin. The copy may be called anything.
    ///
    /// # Errors
    /// If `age` is missing, the key does not open it, it is no copy of a backup, or there is no space for it.
    pub async fn open_sealed(&self, copy: &Path, key: &Path) -> Result<Opened, SealError> {
        let unread = |path: &Path, error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => backup::Error::NotThere(path.display().to_string()),
            io::ErrorKind::PermissionDenied => {
                backup::Error::broken(path, &"this user may not read it")
            }
            _ => backup::Error::broken(path, &error),
        };
        let sealed = open_named(copy).map_err(|error| unread(copy, error))?;
        let from_stdin = key == Path::new("-");
        let opened = match from_stdin {
            true => None,
            false => Some(open_named(key).map_err(|error| AgeError::Key {
                path: key.to_owned(),
                why: error.to_string(),
            })?),
        };
        let size = sealed.metadata().map_or(0, |file| file.len());
        let (scratch, path, into) = self.as_owner(|| {
            if size > MOST_IN_MEMORY_BYTES {
                self.make_folder()?;
            }
            let scratch = self.scratch(size)?;
            let path = scratch.path().join("copy.tar.gz");
            let into = create(&path)?;
            Ok((scratch, path, into))
        })?;
        let held = into
            .try_clone()
            .map_err(|error| backup::Error::folder(&path, &error))?;
        let key = opened.as_ref().map_or(key.to_owned(), lent);
        age::decrypt(&key, &lent(&sealed), into).await?;
        Ok(Opened {
            backup: Backup::of(held, &path, copy)?,
            _scratch: scratch,
        })
    }
}

/// The path by which this process, and nobody else, reaches an open file.
fn through(file: &File) -> PathBuf {
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

/// The same for a program that is started now: it holds the file too.
fn lent(file: &File) -> PathBuf {
    // Where that fails the program says that there is no such file.
    let _ = fcntl_setfd(file, FdFlags::empty());
    through(file)
}

fn create(path: &Path) -> Result<File, backup::Error> {
    File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| backup::Error::folder(path, &error))
}
