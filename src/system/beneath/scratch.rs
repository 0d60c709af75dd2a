//! A file that is being written, where others may write too: under a name that cannot be foretold, until it is whole and is
//! given its place.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind};

use data_encoding::HEXLOWER;
use rustix::rand::{GetRandomFlags, getrandom};

use super::{Folder, Stat};

/// A file that is being written. What is given no place goes.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: Folder,
    name: String,
    file: File,
    has_its_place: bool,
}

impl Scratch {
    pub(super) fn new(
        folder: Folder,
        beginning: &str,
        ending: &str,
        rights: u32,
    ) -> io::Result<Self> {
        let mut bytes = [0; 16];
        let filled = getrandom(&mut bytes, GetRandomFlags::empty())?;
        if filled != bytes.len() {
            return Err(ErrorKind::Interrupted.into());
        }
        let name = format!("{beginning}{}{ending}", HEXLOWER.encode(&bytes));
        Ok(Self {
            file: folder.create(&name, rights)?,
            folder,
            name,
            has_its_place: false,
        })
    }

    /// Its name in its folder.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The file, open for writing and reading.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Gives it a path in `to` where nothing is.
    ///
    /// # Errors
    /// Of the kind [`AlreadyExists`](ErrorKind::AlreadyExists) if anything is there; or if that cannot be done. It may be
    /// tried again then.
    pub(crate) fn place_new(&mut self, to: &Folder, path: impl AsRef<OsStr>) -> io::Result<()> {
        self.check(&self.folder, OsStr::new(&self.name))?;
        self.folder.rename_new(&self.name, to, path.as_ref())?;
        self.has_its_place = true;
        self.check(to, path.as_ref())
    }

    /// Gives it a path in `to`, in place of what is there.
    ///
    /// # Errors
    /// If that cannot be done.
    pub(crate) fn place_over(&mut self, to: &Folder, path: impl AsRef<OsStr>) -> io::Result<()> {
        self.check(&self.folder, OsStr::new(&self.name))?;
        self.folder.rename_over(&self.name, to, path.as_ref())?;
        self.has_its_place = true;
        self.check(to, path.as_ref())
    }

    /// That this name is this file's: somebody may have put another in its place.
    fn check(&self, folder: &Folder, path: &OsStr) -> io::Result<()> {
        if folder.stat(path)?.is_same_file(&Stat::of(&self.file)?) {
            return Ok(());
        }
        Err(io::Error::other(
            "somebody put another file in its place while it was written",
        ))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.has_its_place {
            return;
        }
        // Another's file in its place is not ours to remove.
        let removed = self
            .check(&self.folder, OsStr::new(&self.name))
            .and_then(|()| self.folder.remove_file(&self.name));
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                tracing::warn!("the unfinished file {} is left behind: {error}", self.name);
            }
            _ => {}
        }
    }
}
