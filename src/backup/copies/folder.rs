//! A folder on a stick, another disk or a share. It is never made: where it is not, there is only the empty place that the stick
//! would take, on the card that the copy shall outlive.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{ENDING, Sealed, Unsent};
use crate::backup::folder::{DRAFT, clear_up, list_in};
use crate::backup::{Error, retention};
use crate::system::background::background;

/// How long it may take to write a copy.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// How long it may take to look whether the folder is there; a disk that sleeps has to wake.
const LOOK: Duration = Duration::from_secs(30);

/// A folder that copies go to. Clones are the same.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    keep_days: u32,
    /// A disk that hangs holds one thread, and not another one every hour.
    free: Arc<Semaphore>,
}

impl Folder {
    /// The folder at this path, in which copies are kept for so many days.
    #[must_use]
    pub fn new(path: PathBuf, keep_days: u32) -> Self {
        Self {
            path,
            keep_days,
            free: Arc::new(Semaphore::new(1)),
        }
    }

    /// Looks whether it is there.
    ///
    /// # Errors
    /// If it is not, or its disk does not answer.
    pub async fn must_be_there(&self) -> Result<(), Unsent> {
        let path = self.path.clone();
        self.aside(LOOK, move || there(&path)).await
    }

    /// Whether it is there, and no copy of this backup in it.
    pub async fn lacks(&self, backup: &str) -> bool {
        let (path, name) = (self.path.clone(), format!("{backup}{ENDING}"));
        let looked = self.aside(LOOK, move || {
            there(&path)?;
            Ok(!path.join(name).exists())
        });
        looked.await.unwrap_or(false)
    }

    /// Puts a copy there, and removes those that are not to be kept any longer.
    ///
    /// # Errors
    /// If the folder is away, or cannot be written.
    pub async fn put(&self, sealed: &Sealed, now: Timestamp) -> Result<(), Unsent> {
        let (path, keep_days) = (self.path.clone(), self.keep_days);
        let (name, from) = (sealed.name.clone(), sealed.path.clone());
        self.aside(PATIENCE, move || {
            there(&path)?;
            if let Err(error) = thin_out(&path, keep_days, now) {
                tracing::warn!(task = "backup", "old copies cannot be removed: {error}");
            }
            write(&path, &name, &from).map_err(|error| failed(&path, &error))
        })
        .await
    }

    /// Works on the disk on a thread of its own, one at a time.
    async fn aside<T: Send + 'static>(
        &self,
        patience: Duration,
        work: impl FnOnce() -> Result<T, Unsent> + Send + 'static,
    ) -> Result<T, Unsent> {
        let hangs = || {
            let path = self.path.display();
            Unsent::Failed(format!(
                "the disk of `{path}` does not answer; look at its cable or its network"
            ))
        };
        let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() else {
            return Err(hangs());
        };
        let worked = background(move || {
            let done = work();
            drop(permit);
            done
        });
        timeout(patience, worked).await.map_err(|_| hangs())??
    }
}

/// Whether two places are on the same disk, and are lost together.
///
/// # Errors
/// If one of them is not there.
pub fn share_a_disk(one: &Path, other: &Path) -> io::Result<bool> {
    Ok(fs::metadata(one)?.dev() == fs::metadata(other)?.dev())
}

fn there(path: &Path) -> Result<(), Unsent> {
    match fs::metadata(path) {
        Ok(file) if file.is_dir() => Ok(()),
        Ok(_) => Err(Unsent::Failed(format!(
            "`{}` is no folder; set `[backup] copy_to` to one",
            path.display()
        ))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Unsent::Away(format!(
            "there is no folder `{}`; plug the stick in, and if the folder is not on it yet, make it there",
            path.display()
        ))),
        Err(error) => Err(failed(path, &error)),
    }
}

fn failed(path: &Path, error: &io::Error) -> Unsent {
    let remedy = match error.kind() {
        io::ErrorKind::PermissionDenied => "; let the user `storyline` write there",
        io::ErrorKind::ReadOnlyFilesystem => "; `copy_to` in the settings tells how it is opened",
        io::ErrorKind::StorageFull => "; a lower `[backup] keep_days` needs less",
        _ => "",
    };
    Unsent::Failed(format!("{}{remedy}", Error::folder(path, error)))
}

fn write(folder: &Path, name: &str, from: &Path) -> io::Result<()> {
    let mut draft = tempfile::Builder::new().prefix(DRAFT).tempfile_in(folder)?;
    io::copy(&mut File::open(from)?, &mut draft)?;
    draft.as_file().sync_all()?;
    draft
        .persist(folder.join(name))
        .map_err(|error| error.error)?;
    match File::open(folder)?.sync_all() {
        // Some shares know no such thing; the copy itself is on the disk.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

/// By the rule of the backups themselves.
fn thin_out(folder: &Path, keep_days: u32, now: Timestamp) -> io::Result<()> {
    clear_up(folder, now);
    for copy in retention::spare(&list_in(folder, ENDING)?, keep_days, now) {
        fs::remove_file(&copy.path)?;
    }
    Ok(())
}
