//! Backups of the records: each a file that any `tar` opens, made beside the service, and read back before it counts. A folder
//! of them is all there is to know, so they are there when the database is not.

mod archive;
pub mod copies;
mod error;
mod folder;
mod restore;
mod retention;

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

pub use archive::Manifest;
pub use error::Error;
pub use restore::Restored;

use folder::{DRAFT, clear_up, list_in};

use crate::store::{self, place::Place, snapshot};
use crate::system::named::text_of;
use crate::system::replace::replace;

/// What the name of every backup ends with.
const ENDING: &str = ".tar.gz";
/// The file beside the backups that tells that a service has worked with the database.
const TRACE: &str = ".storyline-database";
/// More than it holds, in bytes.
const MOST_TRACE_BYTES: u64 = 64 * 1024;
/// How the time is written in a name: it sorts, and is safe in any shell.
const STAMP: &str = "%Y-%m-%dT%H%M%SZ";
/// A larger database is unpacked beside the backups and not in the memory where temporary files may be, in bytes.
const MOST_IN_MEMORY_BYTES: u64 = 32_000_000;

/// How long a backup from before an upgrade does for another try.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);

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
}

impl Backup {
    /// The backup in this file, by its name. Whether it is whole is not known.
    fn at(path: PathBuf) -> Option<Self> {
        Self::called(path, ENDING)
    }

    /// The backup in this file, whose name ends so.
    fn called(path: PathBuf, ending: &str) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_suffix(ending)?.to_owned();
        let (stamp, reason) = name.split_once('_')?;
        let reason = reason.split('_').next()?;
        Some(Self {
            made_at: jiff::civil::DateTime::strptime(STAMP, stamp)
                .and_then(|at| at.to_zoned(jiff::tz::TimeZone::UTC))
                .ok()?
                .timestamp(),
            reason: Reason::ALL.into_iter().find(|one| one.name() == reason)?,
            size_bytes: fs::metadata(&path).ok()?.len(),
            name,
            path,
        })
    }

    /// What it holds, as it says itself.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn manifest(&self) -> Result<Manifest, Error> {
        archive::manifest(&self.path)
    }
}

/// The backups of a SQLite database.
#[derive(Clone, Debug)]
pub struct Backups {
    /// Where they are.
    folder: PathBuf,
    /// What they are of.
    database: PathBuf,
    /// The file of settings, which goes with each, if there is one.
    settings: Option<PathBuf>,
    /// How long they are kept, in days.
    keep_days: u32,
}

impl Backups {
    /// Those in `folder`, of `database`.
    #[must_use]
    pub fn new(
        folder: PathBuf,
        database: PathBuf,
        settings: Option<PathBuf>,
        keep_days: u32,
    ) -> Self {
        Self {
            folder,
            database,
            settings,
            keep_days,
        }
    }

    /// Where they are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What they are of.
    #[must_use]
    pub fn database(&self) -> &Path {
        &self.database
    }

    /// Makes one, reads it back, and only then lets it count. Whoever works with the database goes on meanwhile.
    ///
    /// # Errors
    /// If the database is damaged or cannot be read, the folder cannot be written, or what was written is not what was read.
    pub fn create(&self, reason: Reason, now: Timestamp) -> Result<Backup, Error> {
        self.make_folder()?;
        let scratch = self.scratch(self.database_bytes())?;
        let copy = scratch.path().join("storyline.db");
        let content = snapshot::copy(&self.database, &copy)?;
        let manifest = Manifest::of(&copy, content, reason, now)?;

        let draft = tempfile::Builder::new()
            .prefix(DRAFT)
            .tempfile_in(&self.folder)
            .map_err(|error| Error::folder(&self.folder, &error))?;
        archive::write(draft.as_file(), &manifest, &copy, self.settings.as_deref())
            .map_err(|error| Error::folder(&self.folder, &error))?;
        drop(scratch);
        self.read_back(draft.path())?;
        self.give(draft.path())?;
        let path = self.free_name(reason, now);
        draft
            .persist_noclobber(&path)
            .map_err(|error| error.error)
            .and_then(|_| File::open(&self.folder)?.sync_all())
            .map_err(|error| Error::folder(&self.folder, &error))?;
        Backup::at(path.clone()).ok_or_else(|| Error::broken(&path, &"it is gone again"))
    }

    /// The one from before an upgrade, from this schema. If that fails it is tried again and again: what was made within the
    /// hour does, and the last three stay.
    ///
    /// # Errors
    /// Those of [`Self::create`].
    pub fn before_upgrade(&self, schema: i64, now: Timestamp) -> Result<Backup, Error> {
        let is_such = |backup: &Backup| {
            let manifest = || {
                backup
                    .manifest()
                    .is_ok_and(|it| it.schema == schema.unsigned_abs())
            };
            backup.reason == Reason::Upgrade && manifest()
        };
        let mut such: Vec<Backup> = self.list()?.into_iter().filter(is_such).collect();
        if let Some(newest) = such.first() {
            let age = now.duration_since(newest.made_at);
            if !age.is_negative() && age < AGAIN && self.verify(newest).is_ok() {
                return Ok(such.swap_remove(0));
            }
        }
        let made = self.create(Reason::Upgrade, now)?;
        for old in such.iter().skip(2) {
            fs::remove_file(&old.path).map_err(|error| Error::folder(&self.folder, &error))?;
        }
        Ok(made)
    }

    /// Unpacks a backup into scratch, looks through every page of it and counts its rows.
    ///
    /// # Errors
    /// If it is not what it was when it was made.
    pub fn verify(&self, backup: &Backup) -> Result<Manifest, Error> {
        self.read_back(&backup.path)
    }

    fn read_back(&self, path: &Path) -> Result<Manifest, Error> {
        let manifest = archive::manifest(path)?;
        let scratch = self.scratch(manifest.database_bytes)?;
        unpack(path, &manifest, &scratch.path().join("storyline.db"))?;
        Ok(manifest)
    }

    /// All there are, the newest first. What is called otherwise is none of ours.
    ///
    /// # Errors
    /// If the folder cannot be read; one that is not there holds none.
    pub fn list(&self) -> Result<Vec<Backup>, Error> {
        list_in(&self.folder, ENDING).map_err(|error| Error::folder(&self.folder, &error))
    }

    /// The backup of this name (`latest` is the newest) or at this path.
    ///
    /// # Errors
    /// If there is none.
    pub fn find(&self, name: &str) -> Result<Backup, Error> {
        let mut all = self.list()?;
        let bare = name.strip_suffix(ENDING).unwrap_or(name);
        let at = match name {
            "latest" => (!all.is_empty()).then_some(0),
            _ => all.iter().position(|backup| backup.name == bare),
        };
        match at {
            Some(at) => Ok(all.swap_remove(at)),
            None if name.contains('/') => {
                Backup::at(name.into()).ok_or_else(|| Error::NotThere(name.to_owned()))
            }
            None => Err(Error::NotThere(name.to_owned())),
        }
    }

    /// Removes those that are not to be kept any longer, and what was left of any that was never finished; tells how many went.
    ///
    /// # Errors
    /// If one cannot be removed.
    pub fn thin_out(&self, now: Timestamp) -> Result<usize, Error> {
        let all = self.list()?;
        let spare = retention::spare(&all, self.keep_days, now);
        for backup in &spare {
            fs::remove_file(&backup.path).map_err(|error| Error::folder(&self.folder, &error))?;
        }
        clear_up(&self.folder, now);
        clear_up(self.data(), now);
        Ok(spare.len())
    }

    /// The folder of the database.
    fn data(&self) -> &Path {
        self.database.parent().unwrap_or(Path::new("/"))
    }

    fn database_bytes(&self) -> u64 {
        fs::metadata(&self.database).map_or(0, |file| file.len())
    }

    fn free_name(&self, reason: Reason, now: Timestamp) -> PathBuf {
        let stem = format!("{}_{}", now.strftime(STAMP), reason.name());
        let name = |number: u32| match number {
            1 => self.folder.join(format!("{stem}{ENDING}")),
            _ => self.folder.join(format!("{stem}_{number}{ENDING}")),
        };
        let free = (1..).map(name).find(|path| !path.exists());
        free.unwrap_or_else(|| name(1))
    }

    /// A folder for what is needed for a moment: in memory where temporary files are, unless it is too much for that.
    fn scratch(&self, bytes: u64) -> Result<TempDir, Error> {
        match bytes > MOST_IN_MEMORY_BYTES {
            true => self.scratch_in(&self.folder),
            false => self.scratch_in(&std::env::temp_dir()),
        }
    }

    /// One that nobody else looks into. Should it be left there, the service can remove it.
    fn scratch_in(&self, parent: &Path) -> Result<TempDir, Error> {
        let scratch = tempfile::Builder::new()
            .prefix(DRAFT)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(parent)
            .map_err(|error| Error::folder(parent, &error))?;
        self.give(scratch.path())?;
        Ok(scratch)
    }

    fn make_folder(&self) -> Result<(), Error> {
        let is_new = !self.folder.exists();
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)
            .map_err(|error| Error::folder(&self.folder, &error))?;
        if is_new {
            self.give(&self.folder)?;
        }
        Ok(())
    }

    /// Gives what root made to whoever the database belongs to: it would be of no use to the service else.
    fn give(&self, path: &Path) -> Result<(), Error> {
        if !rustix::process::geteuid().is_root() {
            return Ok(());
        }
        let like = match self.database.exists() {
            true => &self.database,
            false => self.data(),
        };
        let same_owner = || {
            let (like, is) = (fs::metadata(like)?, fs::metadata(path)?);
            if (like.uid(), like.gid()) == (is.uid(), is.gid()) {
                return Ok(());
            }
            match std::os::unix::fs::chown(path, Some(like.uid()), Some(like.gid())) {
                // A stick or a share may know no owners.
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Ok(()),
                given => given,
            }
        };
        same_owner().map_err(|error| Error::folder(path, &error))
    }

    /// Leaves a trace beside the backups, by which a database that is gone is told from one that never was, even where nothing
    /// is left in its folder. Where that cannot be written, the first backup tells why.
    pub fn leave_trace(&self) {
        let path = self.trace();
        if path.symlink_metadata().is_ok() {
            return;
        }
        let text = format!(
            "A service works with {}. Where this file is and that database is not, it makes no new one in silence. To begin \
             anew on purpose, delete both this file and {}.\n",
            self.database.display(),
            self.place().lock().display()
        );
        let left = self.make_folder().and_then(|()| {
            let wrote = replace(&path, text.as_bytes(), 0o640);
            wrote.map_err(|error| Error::folder(&path, &error))
        });
        if let Err(error) = left {
            tracing::debug!("no trace is left of the database: {error}");
        }
    }

    /// A database that a service has worked with, and that is gone or empty, is a loss to be told of.
    ///
    /// # Errors
    /// If it is such a one.
    pub fn must_not_be_lost(&self) -> Result<(), store::Error> {
        let (place, trace) = (self.place(), self.trace());
        if place.is_there() {
            return Ok(());
        }
        place.must_not_be_lost()?;
        // The same folder may have been another box's, or this one's with another database.
        let told = text_of(&trace, MOST_TRACE_BYTES).unwrap_or_default();
        if !told.contains(&self.database.display().to_string()) {
            return Ok(());
        }
        Err(store::Error::Damaged(format!(
            "{place} was there and is gone, or empty; restore a backup. To begin anew on purpose, delete {}",
            trace.display()
        )))
    }

    fn trace(&self) -> PathBuf {
        self.folder.join(TRACE)
    }

    fn place(&self) -> Place {
        Place::new(&self.database)
    }
}

/// Unpacks the database of the backup at `path`, looks through every page of it, and counts its rows.
fn unpack(path: &Path, manifest: &Manifest, target: &Path) -> Result<(), Error> {
    archive::unpack(path, manifest, target)?;
    let found = snapshot::examine(target).map_err(|error| Error::broken(path, &error))?;
    manifest
        .must_be(&found)
        .map_err(|why| Error::broken(path, &why))
}

#[cfg(test)]
mod tests;
