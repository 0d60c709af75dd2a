//! What tells, beside the backups, that there was a database: where nothing is left of it, a new one would be made in silence.

use std::path::PathBuf;

use super::{Backups, Error};
use crate::store;
use crate::system::named::text_of;
use crate::system::replace::replace;

/// The file beside the backups that tells that a service has worked with the database.
const TRACE: &str = ".storyline-database";
/// More than it holds, in bytes.
const MOST_TRACE_BYTES: u64 = 64 * 1024;

impl Backups {
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
        let left = self.as_owner(|| {
            self.make_folder()?;
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
        let read =
            || text_of(&trace, MOST_TRACE_BYTES).map_err(|error| Error::folder(&trace, &error));
        let told = self.as_owner(read).unwrap_or_default();
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
}
