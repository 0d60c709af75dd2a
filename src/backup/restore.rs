//! The way back: a backup takes the place of the database, and what it replaces is kept beside it.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use super::{Backup, Backups, Error, Manifest, STAMP, archive};
use crate::store::place::Place;
use crate::store::snapshot;

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
        // Held until all is done: no service begins to work with what is about to be replaced.
        let Some(_claim) = place.claim()? else {
            return Err(Error::InUse(self.database.clone()));
        };
        self.give(&place.lock())?;
        let failed = |error: std::io::Error| Error::folder(&self.database, &error);
        let draft = self.database.with_extension("restored");
        remove(&draft).map_err(failed)?;
        let manifest = match unpacked(backup, &draft) {
            Ok(manifest) => manifest,
            Err(error) => {
                remove(&draft).map_err(failed)?;
                return Err(error);
            }
        };
        // The group's commands work with it too, as with the one before.
        let mode = fs::metadata(&self.database).map_or(0o660, |file| file.permissions().mode());
        fs::set_permissions(&draft, Permissions::from_mode(mode & 0o777)).map_err(failed)?;
        self.give(&draft)?;
        let replaced = self.set_aside(now).map_err(failed)?;
        fs::rename(&draft, &self.database).map_err(failed)?;
        remove(&draft).map_err(failed)?;
        let folder = self.database.parent().unwrap_or(Path::new("/"));
        File::open(folder)
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

/// What a backup holds, unpacked and looked through.
fn unpacked(backup: &Backup, draft: &Path) -> Result<Manifest, Error> {
    archive::unpack(&backup.path, draft)?;
    let manifest = backup.manifest()?;
    let broken = |why: &dyn std::fmt::Display| Error::broken(&backup.path, why);
    let found = snapshot::examine(draft).map_err(|error| broken(&error))?;
    manifest.must_be(&found).map_err(|why| broken(&why))?;
    Ok(manifest)
}

/// Removes a scratch database and what SQLite left beside it.
fn remove(path: &Path) -> std::io::Result<()> {
    for file in Place::files(path) {
        match fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
