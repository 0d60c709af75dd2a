//! The way back: a backup takes the place of the database, and what it replaces is kept beside it.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use super::{Backup, Backups, Error, Manifest, STAMP, Whose, archive, unpack};
use crate::store::place::Place;
use crate::system::beneath::{Folder, Kind};

/// What the database is called until it has its place.
const DATABASE: &str = "storyline.db";
/// The rights of a database where there was none.
const RIGHTS: u32 = 0o660;

/// What was restored.
#[derive(Clone, Debug, Serialize)]
pub struct Restored {
    /// What is there now.
    pub manifest: Manifest,
    /// Where the database is that was there before, if there was one.
    pub replaced: Option<PathBuf>,
}

impl Backups {
    /// Puts what a backup holds in the place of the database. What is there goes aside, if `force` allows it.
    ///
    /// # Errors
    /// If a service works with the database, there is one and `force` is not set, or the backup is of no use; nothing is
    /// changed then.
    pub fn restore(&self, backup: &Backup, force: bool, now: Timestamp) -> Result<Restored, Error> {
        // Opened as whoever asks: it may lie where the service sees nothing.
        let file = backup.open()?;
        self.as_owner(|| self.put_back(&file, &backup.path, force, now))
    }

    fn put_back(
        &self,
        file: &File,
        path: &Path,
        force: bool,
        now: Timestamp,
    ) -> Result<Restored, Error> {
        let place = self.place();
        if place.is_there() && !force {
            return Err(Error::Exists(self.database.clone()));
        }
        if place.is_claimed()? {
            return Err(Error::InUse(self.database.clone()));
        }
        let failed = |error: io::Error| Error::folder(&self.database, &error);
        // What is of no use leaves nothing behind: it is unpacked before anything is touched.
        let manifest = archive::manifest(file, path)?;
        let scratch = self.scratch_in(self.data())?;
        let draft = scratch.path().join(DATABASE);
        unpack(file, path, &manifest, &draft, Whose::Anybodys)?;

        let data = Folder::root(self.data()).map_err(failed)?;
        let within = scratch.path().file_name().unwrap_or_default();
        let within = data.folder(within).map_err(failed)?;
        // The group's commands work with it too, as with the one before.
        let name = self.database.file_name().unwrap_or_default();
        let rights = data
            .stat(name)
            // A link's own say nothing.
            .ok()
            .filter(|before| before.kind == Kind::File)
            .map_or(RIGHTS, |before| before.rights & 0o777);
        within
            .open_file(DATABASE)
            .and_then(|draft| draft.set_permissions(Permissions::from_mode(rights)))
            .map_err(failed)?;
        // Held until all is done: no service begins to work with what is about to be replaced.
        let Some(_claim) = place.claim()? else {
            return Err(Error::InUse(self.database.clone()));
        };
        let replaced = self.set_aside(&data, now).map_err(failed)?;
        within
            .rename_over(DATABASE, &data, name)
            .and_then(|()| data.sync())
            .map_err(failed)?;
        Ok(Restored { manifest, replaced })
    }

    /// Renames the database and what belongs to it; tells what it is called now, if there was one. Nothing of it may stay: what
    /// lies beside a database is taken for its own.
    fn set_aside(&self, data: &Folder, now: Timestamp) -> io::Result<Option<PathBuf>> {
        let aside = |number: u32| {
            let mut name = self.database.as_os_str().to_owned();
            name.push(format!(".replaced-{}-{number}", now.strftime(STAMP)));
            PathBuf::from(name)
        };
        let is_free = |path: &PathBuf| {
            Place::files(path).all(|path| data.stat(path.file_name().unwrap_or_default()).is_err())
        };
        let Some(aside) = (1..).map(aside).find(is_free) else {
            return Ok(None);
        };
        let mut moved: Vec<(PathBuf, PathBuf)> = Vec::new();
        // The database first: without what was written ahead of it, it would be an older one, and nobody would notice.
        for (from, to) in Place::files(&self.database).zip(Place::files(&aside)) {
            match rename(data, &from, &to) {
                Ok(()) => moved.push((from, to)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    // All or nothing.
                    for (from, to) in moved.iter().rev() {
                        rename(data, to, from)?;
                    }
                    return Err(error);
                }
            }
        }
        // What was left beside one that is gone is put aside too, and is no database.
        let was_there = moved.iter().any(|(from, _)| *from == self.database);
        Ok(was_there.then_some(aside))
    }
}

fn rename(folder: &Folder, from: &Path, to: &Path) -> io::Result<()> {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_owned();
    folder.rename_new(name(from), folder, name(to))
}
