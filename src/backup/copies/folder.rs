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
use crate::system::beneath::{self, Kind};
use crate::system::owner::Owner;

/// How long it may take to write a copy.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// How long it may take to look whether the folder is there; a disk that sleeps has to wake.
const LOOK: Duration = Duration::from_secs(30);

/// A folder that copies go to. Clones are the same.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    /// Whoever this belongs to may write there; root does it as that user.
    database: PathBuf,
    keep_days: u32,
    /// A disk that hangs holds one thread, and not another one every hour.
    free: Arc<Semaphore>,
}

impl Folder {
    /// The folder at this path, in which copies of the backups of a database are kept for so many days.
    #[must_use]
    pub fn new(path: PathBuf, database: &Path, keep_days: u32) -> Self {
        Self {
            path,
            database: database.to_owned(),
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
        self.aside(LOOK, move || there(&path).map(drop)).await
    }

    /// Whether it is there, and no copy of this backup in it.
    pub async fn lacks(&self, backup: &str) -> bool {
        let (path, name) = (self.path.clone(), format!("{backup}{ENDING}"));
        let looked = self.aside(LOOK, move || {
            let folder = there(&path)?;
            Ok(!folder
                .stat(name)
                .is_ok_and(|found| found.kind == Kind::File))
        });
        looked.await.unwrap_or(false)
    }

    /// Puts a copy there, and removes those that are not to be kept any longer.
    ///
    /// # Errors
    /// If the folder is away, or cannot be written.
    pub async fn put(&self, sealed: &Sealed, now: Timestamp) -> Result<(), Unsent> {
        let (path, keep_days) = (self.path.clone(), self.keep_days);
        let name = sealed.name.clone();
        // Opened by whoever wrote it.
        let from = File::open(&sealed.path).map_err(|error| failed(&path, &error))?;
        self.aside(PATIENCE, move || {
            let folder = there(&path)?;
            if let Err(error) = thin_out(&folder, &path, keep_days, now) {
                tracing::warn!(task = "backup", "old copies cannot be removed: {error}");
            }
            write(&folder, &name, from).map_err(|error| failed(&path, &error))
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
        let (path, database) = (self.path.clone(), self.database.clone());
        let worked = background(move || {
            let done = Owner::of(&database).and_then(|owner| owner.work(work));
            drop(permit);
            done.map_err(|error| failed(&path, &error))?
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

fn there(path: &Path) -> Result<beneath::Folder, Unsent> {
    beneath::Folder::root(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotADirectory => Unsent::Failed(format!(
            "`{}` is no folder; set `[backup] copy_to` to one",
            path.display()
        )),
        io::ErrorKind::NotFound => Unsent::Away(format!(
            "there is no folder `{}`; plug the stick in, and if the folder is not on it yet, make it there",
            path.display()
        )),
        _ => failed(path, &error),
    })
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

fn write(folder: &beneath::Folder, name: &str, mut from: File) -> io::Result<()> {
    let mut draft = folder.scratch(DRAFT, "", 0o600)?;
    io::copy(&mut from, &mut draft.file())?;
    draft.file().sync_all()?;
    draft.place_over(folder, name)?;
    match folder.sync() {
        // Some shares know no such thing; the copy itself is on the disk.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

/// By the rule of the backups themselves.
fn thin_out(
    folder: &beneath::Folder,
    path: &Path,
    keep_days: u32,
    now: Timestamp,
) -> io::Result<()> {
    clear_up(folder, now);
    for copy in retention::spare(&list_in(folder, path, ENDING)?, keep_days, now) {
        folder.remove_file(copy.path.file_name().unwrap_or_default())?;
    }
    Ok(())
}
