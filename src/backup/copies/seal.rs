//! A backup on its way out, encrypted; and one that came back, opened again.

use std::fs::{self, File};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::age::{self, AgeError};
use crate::backup::{self, Backup, Backups, MOST_IN_MEMORY_BYTES, archive};
use crate::system::background::{CutOff, background};

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
    /// Where it is until then.
    pub path: PathBuf,
    /// How large it is, in bytes.
    pub size_bytes: u64,
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
            let scratch = backups.scratch(from.size_bytes)?;
            let path = scratch.path().join(file);
            let into = create(&path)?;
            let from = File::open(&from.path);
            let from = from.map_err(|error| backup::Error::folder(&backups.folder, &error))?;
            Ok::<_, backup::Error>((scratch, path, from, into))
        });
        let (scratch, path, from, into) = begun.await??;
        let measured = into.try_clone();
        age::encrypt(recipients, from, into).await?;
        let measured = measured.and_then(|file| file.metadata());
        Ok(Sealed {
            name,
            size_bytes: measured
                .map_err(|error| backup::Error::folder(&path, &error))?
                .len(),
            path,
            _scratch: scratch,
        })
    }

    /// Opens a copy with the private key in a file; `-` has the key read from stdin. The copy may be called anything.
    ///
    /// # Errors
    /// If `age` is missing, the key does not open it, it is no copy of a backup, or there is no space for it.
    pub async fn open_sealed(&self, copy: &Path, key: &Path) -> Result<Opened, SealError> {
        let size = fs::metadata(copy).map_err(|_| {
            let copy = copy.display().to_string();
            backup::Error::NotThere(copy)
        })?;
        if size.len() > MOST_IN_MEMORY_BYTES {
            self.make_folder()?;
        }
        let scratch = self.scratch(size.len())?;
        let path = scratch.path().join("copy.tar.gz");
        age::decrypt(key, copy, create(&path)?).await?;
        let manifest = archive::manifest(&path).map_err(|error| match error {
            backup::Error::Broken { why, .. } => backup::Error::broken(copy, &why),
            other => other,
        })?;
        let name = copy.file_stem().unwrap_or_default().to_string_lossy();
        let backup = Backup {
            name: name.trim_end_matches(backup::ENDING).to_owned(),
            made_at: manifest.made_at,
            reason: manifest.reason,
            size_bytes: fs::metadata(&path).map_or(0, |file| file.len()),
            path,
        };
        Ok(Opened {
            backup,
            _scratch: scratch,
        })
    }
}

fn create(path: &Path) -> Result<File, backup::Error> {
    File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| backup::Error::folder(path, &error))
}
