//! Whether the files at a database's path are still those that the engine works with. SQLite goes on with a file that was
//! deleted or replaced as if nothing had happened, and all that it commits then is gone with the process.

use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::error::{Error, Result};
use super::place::Place;

/// Which file it is, whatever it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    pub(super) fn of(file: &Metadata) -> Self {
        Self {
            device: file.dev(),
            inode: file.ino(),
        }
    }

    /// That of the file at this path; `None` if there is none.
    pub(super) fn at(path: &Path) -> io::Result<Option<Self>> {
        Ok(look(path)?.map(|file| Self::of(&file)))
    }
}

fn look(path: &Path) -> io::Result<Option<Metadata>> {
    match std::fs::metadata(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// What happened to the files of an open database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// The database was deleted, moved away or replaced.
    Database,
    /// It was emptied, or cut off.
    Contents,
    /// What SQLite keeps beside it was.
    Beside,
}

impl Lost {
    /// What is to be said of it.
    pub(super) fn told(self, place: &Place) -> Error {
        Error::Lost(match self {
            Self::Database => format!(
                "{place} was deleted, moved away or replaced while it was worked with; put the file back, or restore a backup"
            ),
            Self::Contents => {
                format!("{place} was emptied or cut off while it was worked with; restore a backup")
            }
            Self::Beside => format!(
                "{place} lost a file beside it, `-wal` or `-shm`, while it was worked with; only Storyline and SQLite may \
                 touch them"
            ),
        })
    }
}

/// The files of an open database, as they were when they were last looked at.
#[derive(Debug)]
pub(super) struct Watched {
    database: Identity,
    /// In bytes.
    length: u64,
    /// What lies beside it; nothing, until it was seen.
    beside: [Option<Identity>; 2],
}

impl Watched {
    /// Those of the database that was just opened.
    pub(super) fn new(database: Identity) -> Self {
        Self {
            database,
            length: 0,
            beside: [None; 2],
        }
    }

    /// Looks whether they are still there. `is_whole` looks at a database that has become shorter.
    ///
    /// # Errors
    /// If its disk does not tell; what is wrong with the files themselves is no error.
    pub(super) fn look(
        &mut self,
        place: &Place,
        is_whole: impl FnOnce() -> bool,
    ) -> Result<Option<Lost>> {
        let untold =
            |error: io::Error| Error::Unavailable(format!("{place} cannot be looked at: {error}"));
        let Some(file) = look(&place.path).map_err(untold)? else {
            return Ok(Some(Lost::Database));
        };
        if Identity::of(&file) != self.database {
            return Ok(Some(Lost::Database));
        }
        // Somebody may have rewritten it with what it holds (`VACUUM`), which makes it shorter and takes nothing away.
        if file.len() == 0 || (file.len() < self.length && !is_whole()) {
            return Ok(Some(Lost::Contents));
        }
        self.length = file.len();
        for (known, path) in self.beside.iter_mut().zip(place.log_and_index()) {
            let found = Identity::at(&path).map_err(untold)?;
            if known.is_some() && *known != found {
                return Ok(Some(Lost::Beside));
            }
            *known = found;
        }
        Ok(None)
    }
}
