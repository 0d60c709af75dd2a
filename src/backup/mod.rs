//! Backups of the records: each a file that any `tar` opens, made beside the service, and read back before it counts. A folder
//! of them is all there is to know, so they are there when the database is not.

mod archive;
pub mod copies;
mod error;
mod folder;
mod one;
mod restore;
mod retention;
mod trace;

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

pub use archive::Manifest;
pub use error::Error;
pub use one::{Backup, Reason};
pub use restore::Restored;

use archive::MOST_SETTINGS_BYTES;
use folder::{DRAFT, clear_up, held, list_in};

use crate::store::{self, foreign, place::Place, snapshot};
use crate::system::beneath::Folder;
use crate::system::named::text_of;
use crate::system::owner::Owner;

/// What the name of every backup ends with.
const ENDING: &str = ".tar.gz";
/// How the time is written in a name: it sorts, and is safe in any shell.
const STAMP: &str = "%Y-%m-%dT%H%M%SZ";
/// A larger database is unpacked beside the backups and not in the memory where temporary files may be, in bytes.
const MOST_IN_MEMORY_BYTES: u64 = 32_000_000;

/// How long a backup from before an upgrade does for another try.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);

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
        // Read as whoever asks: root's file may be root's alone.
        let settings = match &self.settings {
            Some(path) => Some(
                text_of(path, MOST_SETTINGS_BYTES).map_err(|error| Error::folder(path, &error))?,
            ),
            None => None,
        };
        self.as_owner(|| self.create_with(settings.as_deref(), reason, now))
    }

    fn create_with(
        &self,
        settings: Option<&str>,
        reason: Reason,
        now: Timestamp,
    ) -> Result<Backup, Error> {
        let failed = |error: io::Error| Error::folder(&self.folder, &error);
        let folder = self.make_folder()?;
        let scratch = self.scratch(self.database_bytes())?;
        let copy = scratch.path().join("storyline.db");
        let content = snapshot::copy(&self.database, &copy)?;
        let manifest = Manifest::of(&copy, content, reason, now)?;

        let mut draft = folder.scratch(DRAFT, "", 0o600).map_err(failed)?;
        archive::write(draft.file(), &manifest, &copy, settings).map_err(failed)?;
        drop(scratch);
        self.read_back(draft.file(), &self.folder.join(draft.name()), Whose::Own)?;
        let size_bytes = draft.file().metadata().map_err(failed)?.len();
        let stem = format!("{}_{}", now.strftime(STAMP), reason.name());
        let mut name = format!("{stem}{ENDING}");
        for number in 2.. {
            match draft.place_new(&folder, &name) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    name = format!("{stem}_{number}{ENDING}");
                }
                placed => {
                    placed.and_then(|()| folder.sync()).map_err(failed)?;
                    break;
                }
            }
        }
        let path = self.folder.join(name);
        Backup::called(path.clone(), ENDING, size_bytes)
            .ok_or_else(|| Error::broken(&path, &"it is gone again"))
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
        self.as_owner(|| self.remove(such.iter().skip(2)))?;
        Ok(made)
    }

    /// Unpacks a backup into scratch, looks whether it is one of ours, through every page of it, and counts its rows.
    ///
    /// # Errors
    /// If it is not what it was when it was made.
    pub fn verify(&self, backup: &Backup) -> Result<Manifest, Error> {
        let file = backup.open()?;
        self.as_owner(|| self.read_back(&file, &backup.path, Whose::Anybodys))
    }

    fn read_back(&self, file: &File, path: &Path, whose: Whose) -> Result<Manifest, Error> {
        let manifest = archive::manifest(file, path)?;
        let scratch = self.scratch(manifest.database_bytes)?;
        let target = scratch.path().join("storyline.db");
        unpack(file, path, &manifest, &target, whose)?;
        Ok(manifest)
    }

    /// All there are, the newest first. What is called otherwise, or is no file, is none of ours.
    ///
    /// # Errors
    /// If the folder cannot be read; one that is not there holds none.
    pub fn list(&self) -> Result<Vec<Backup>, Error> {
        self.as_owner(|| {
            let listed = || match held(&self.folder)? {
                Some(folder) => list_in(&folder, &self.folder, ENDING),
                None => Ok(Vec::new()),
            };
            listed().map_err(|error| Error::folder(&self.folder, &error))
        })
    }

    /// The backup of this name (`latest` is the newest), or the one in the file at this path, whatever that is called.
    ///
    /// # Errors
    /// If there is none, or it is not one.
    pub fn find(&self, name: &str) -> Result<Backup, Error> {
        let path = Path::new(name);
        let is_elsewhere = name.contains('/') && path.parent() != Some(&self.folder);
        if is_elsewhere {
            return Backup::named(path);
        }
        let mut all = self.list()?;
        let bare = path.file_name().unwrap_or_default().to_string_lossy();
        let bare = bare.strip_suffix(ENDING).unwrap_or(&bare);
        let at = match name {
            "latest" => (!all.is_empty()).then_some(0),
            _ => all.iter().position(|backup| backup.name == bare),
        };
        match at {
            Some(at) => Ok(all.swap_remove(at)),
            None if name == "latest" => Err(Error::NotThere(name.to_owned())),
            None => Backup::named(path),
        }
    }

    /// Removes those that are not to be kept any longer, and what was left of any that was never finished; tells how many went.
    ///
    /// # Errors
    /// If one cannot be removed.
    pub fn thin_out(&self, now: Timestamp) -> Result<usize, Error> {
        let all = self.list()?;
        let spare = retention::spare(&all, self.keep_days, now);
        let gone = spare.len();
        self.as_owner(|| {
            self.remove(spare.into_iter())?;
            for path in [&self.folder, self.data()] {
                if let Ok(Some(folder)) = held(path) {
                    clear_up(&folder, now);
                }
            }
            Ok(gone)
        })
    }

    fn remove<'a>(&self, backups: impl Iterator<Item = &'a Backup>) -> Result<(), Error> {
        let remove = || {
            let folder = Folder::root(&self.folder)?;
            let mut names = backups.filter_map(|backup| backup.path.file_name());
            names.try_for_each(|name| folder.remove_file(name))
        };
        remove().map_err(|error: io::Error| Error::folder(&self.folder, &error))
    }

    /// The folder of the database.
    fn data(&self) -> &Path {
        self.database.parent().unwrap_or(Path::new("/"))
    }

    fn database_bytes(&self) -> u64 {
        self.place().bytes()
    }

    /// A folder for what is needed for a moment: in memory where temporary files are, unless it is too much for that.
    fn scratch(&self, bytes: u64) -> Result<TempDir, Error> {
        match bytes > MOST_IN_MEMORY_BYTES {
            true => self.scratch_in(&self.folder),
            // Root's own place for them may not be the service's.
            false => self
                .scratch_in(&std::env::temp_dir())
                .or_else(|_| self.scratch_in(self.data())),
        }
    }

    /// One that nobody else looks into. Should it be left there, the service can remove it.
    fn scratch_in(&self, parent: &Path) -> Result<TempDir, Error> {
        tempfile::Builder::new()
            .prefix(DRAFT)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(parent)
            .map_err(|error| Error::folder(parent, &error))
    }

    fn make_folder(&self) -> Result<Folder, Error> {
        let make = || {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&self.folder)?;
            Folder::root(&self.folder)
        };
        make().map_err(|error| Error::folder(&self.folder, &error))
    }

    /// Works there as whoever the database belongs to: what root makes would be of no use to the service else, and what is put
    /// in its way would lead root anywhere.
    fn as_owner<T: Send>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send,
    ) -> Result<T, Error> {
        let worked = Owner::of(&self.database).and_then(|owner| owner.work(work));
        worked.map_err(|error| Error::folder(self.data(), &error))?
    }

    fn place(&self) -> Place {
        Place::new(&self.database)
    }
}

/// Whose backup is read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// One that was made this moment.
    Own,
    /// One that lay somewhere, and may be anybody's by now.
    Anybodys,
}

/// Unpacks the database of a backup, looks through every page of it, and counts its rows. `path` is what the backup is called.
fn unpack(
    file: &File,
    path: &Path,
    manifest: &Manifest,
    target: &Path,
    whose: Whose,
) -> Result<(), Error> {
    archive::unpack(file, path, manifest, target)?;
    let broken = |error: store::Error| Error::broken(path, &error);
    // First of all: to look through it does what is written in it.
    if whose == Whose::Anybodys {
        foreign::must_be_ours(target).map_err(broken)?;
    }
    let found = snapshot::examine(target).map_err(broken)?;
    manifest
        .must_be(&found)
        .map_err(|why| Error::broken(path, &why))
}

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;
