//! The way back: a backup takes the place of the database, and what it replaces is kept beside it.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;

use super::{Backup, Backups, Error, Manifest, STAMP, archive, unpack};
use crate::store::place::Place;

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
        let place = self.place();
        let exists = fs::metadata(&self.database).is_ok_and(|file| file.len() > 0);
        if exists && !force {
            return Err(Error::Exists(self.database.clone()));
        }
        if place.is_claimed()? {
            return Err(Error::InUse(self.database.clone()));
        }
        let failed = |error: std::io::Error| Error::folder(&self.database, &error);
        // What is of no use leaves nothing behind: it is unpacked before anything is touched.
        let manifest = archive::manifest(&backup.path)?;
        let scratch = self.scratch_in(self.data())?;
        let draft = scratch.path().join("storyline.db");
        unpack(&backup.path, &manifest, &draft)?;
        // The group's commands work with it too, as with the one before.
        let mode = fs::metadata(&self.database).map_or(0o660, |file| file.permissions().mode());
        fs::set_permissions(&draft, Permissions::from_mode(mode & 0o777)).map_err(failed)?;
        self.give(&draft)?;
        // Held until all is done: no service begins to work with what is about to be replaced.
        let Some(_claim) = place.claim()? else {
            return Err(Error::InUse(self.database.clone()));
        };
        self.give(&place.lock())?;
        let replaced = self.set_aside(now).map_err(failed)?;
        fs::rename(&draft, &self.database).map_err(failed)?;
        File::open(self.data())
            .and_then(|folder| folder.sync_all())
            .map_err(failed)?;
        Ok(Restored { manifest, replaced })
    }

    /// Renames the database and what belongs to it; tells what it is called now, if there was one.
    fn set_aside(&self, now: Timestamp) -> std::io::Result<Option<PathBuf>> {
        let name = |number: u32| {
            let mut name = self.database.as_os_str().to_owned();
            name.push(format!(".replaced-{}-{number}", now.strftime(STAMP)));
            PathBuf::from(name)
        };
        let Some(aside) = (1..).map(name).find(|path| !path.exists()) else {
            return Ok(None);
        };
        let mut moved = 0;
        // The database first: without what was written ahead of it, it would be an older one, and nobody would notice.
        for (from, to) in Place::files(&self.database).zip(Place::files(&aside)) {
            match fs::rename(&from, &to) {
                Ok(()) => moved += 1,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok((moved > 0).then_some(aside))
    }
}
