//! The one way into folders that others may write: the library, a stick, the cache, the service's own folders as root sees
//! them. Whoever may write there may put a link in any place at any moment.
//!
//! So a folder is held open, and all else is reached beneath it: no part of a path is followed if it is a link, no `..` leads
//! out, and nothing waits for a pipe's other end. A new file gets a name that was not there, and a [`Scratch`] one that nobody
//! can foretell. What was opened stays the same file, whatever is put in its place: whoever examines a file and then sends it
//! keeps it open in between.
//!
//! The kernel does most of it in one call (`openat2`, since Linux 5.6); where it is missing, the parts are opened one by one.

mod descent;
mod parts;
mod scratch;
mod stat;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, RawDir, RenameFlags, fstat, linkat, mkdirat, openat, renameat,
    renameat_with, statat, unlinkat,
};
use rustix::io::Errno;

use descent::{Resolve, walk_down};
pub(crate) use parts::split;
use parts::{parts, split_os};
pub(crate) use scratch::Scratch;
pub(crate) use stat::{Kind, Stat};

/// How much of a folder is read at once, in bytes: some hundred names.
const PIECE_BYTES: usize = 32 * 1024;
/// How a folder is held: to reach what is in it, the right to pass is enough.
const HELD: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// A folder that is held open. Its path is never asked for again: renamed, it is the same folder.
#[derive(Debug)]
pub(crate) struct Folder(OwnedFd);

/// A link where none is followed.
#[derive(Debug, thiserror::Error)]
#[error("it is a link, or lies behind one; links are not followed here")]
struct Link;

/// Whether an error says that a link was in the way.
pub(crate) fn is_link(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Link>())
}

impl Folder {
    /// The folder that an owner chose. Links in this path are the owner's, and are followed.
    ///
    /// # Errors
    /// If it is not there, is no folder, or may not be passed.
    pub(crate) fn root(path: &Path) -> io::Result<Self> {
        Ok(Self(openat(CWD, path, HELD, Mode::empty())?))
    }

    /// The folder at a path of which any part may be somebody else's, as on a stick: none may be a link.
    ///
    /// # Errors
    /// As those of [`root`](Self::root), or if a part is a link; see [`is_link`].
    pub(crate) fn root_without_links(path: &Path) -> io::Result<Self> {
        let from = if path.is_absolute() { "/" } else { "." };
        let start = openat(CWD, from, HELD, Mode::empty())?;
        let bytes = path.as_os_str().as_bytes();
        // A person may say `../pictures`; without links, that means what it says.
        walk_down(start.as_fd(), OsStr::from_bytes(bytes), Resolve::Dots).map(Self)
    }

    /// The same folder, held once more.
    ///
    /// # Errors
    /// If the process holds too many files.
    pub(crate) fn again(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    /// The folder at this path beneath (`memes/2025`; empty for this one).
    ///
    /// # Errors
    /// If it is not there or is no folder, or a part is a link; see [`is_link`].
    pub(crate) fn folder(&self, path: impl AsRef<OsStr>) -> io::Result<Self> {
        let path = path.as_ref();
        if path.is_empty() {
            return self.again();
        }
        walk_down(self.0.as_fd(), path, Resolve::Beneath).map(Self)
    }

    /// The same, made with these rights where a part of it is missing.
    ///
    /// # Errors
    /// As those of [`folder`](Self::folder), or if it cannot be made.
    pub(crate) fn create_folder(&self, path: impl AsRef<OsStr>, rights: u32) -> io::Result<Self> {
        let path = path.as_ref();
        match self.folder(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            found => return found,
        }
        let mut folder = self.again()?;
        for part in parts(path)? {
            match mkdirat(&folder.0, part, Mode::from_raw_mode(rights)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            folder = folder.folder(part)?;
        }
        Ok(folder)
    }

    /// What is known of what is at this path, which is not followed if it is a link.
    ///
    /// # Errors
    /// If nothing is there, or a part on the way is a link.
    pub(crate) fn stat(&self, path: impl AsRef<OsStr>) -> io::Result<Stat> {
        let (place, name) = self.place(path.as_ref())?;
        Ok(Stat::new(&statat(
            place.fd(),
            name,
            AtFlags::SYMLINK_NOFOLLOW,
        )?))
    }

    /// What is known of this folder itself.
    ///
    /// # Errors
    /// If its disk does not tell.
    pub(crate) fn stat_itself(&self) -> io::Result<Stat> {
        Ok(Stat::new(&fstat(&self.0)?))
    }

    /// Opens what is at this path for reading, whatever it is: a pipe too, without waiting for its other end.
    ///
    /// # Errors
    /// If nothing is there, it may not be read, or it is a link or behind one.
    pub(crate) fn open(&self, path: impl AsRef<OsStr>) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK;
        self.open_with(path.as_ref(), flags, 0)
    }

    /// Opens the file at this path for reading. What is no file (a pipe, a device, a folder) is not even touched: opening it
    /// may do something.
    ///
    /// # Errors
    /// As those of [`open`](Self::open); of the kind [`InvalidInput`](ErrorKind::InvalidInput) if it is no file.
    pub(crate) fn open_file(&self, path: impl AsRef<OsStr>) -> io::Result<File> {
        let (place, name) = self.place(path.as_ref())?;
        let before = statat(place.fd(), name, AtFlags::SYMLINK_NOFOLLOW)?;
        match Stat::new(&before).kind {
            Kind::File => {}
            Kind::Link => return Err(link()),
            Kind::Folder | Kind::Other => return Err(no_file()),
        }
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(place.fd(), name, flags, Mode::empty()).map_err(told)?;
        // Another may have taken its place since.
        if Stat::new(&fstat(&file)?).kind != Kind::File {
            return Err(no_file());
        }
        Ok(file.into())
    }

    /// Makes a file that was not there, with these rights, for writing and reading.
    ///
    /// # Errors
    /// Of the kind [`AlreadyExists`](ErrorKind::AlreadyExists) if anything is there, a link that leads nowhere too; or if it
    /// cannot be made.
    pub(crate) fn create(&self, path: impl AsRef<OsStr>, rights: u32) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
        self.open_with(path.as_ref(), flags, rights)
    }

    /// Makes a file with these rights, under a name of this beginning and ending that nobody can foretell. It goes when it is
    /// dropped, unless it was given a place.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) fn scratch(
        &self,
        beginning: &str,
        ending: &str,
        rights: u32,
    ) -> io::Result<Scratch> {
        Scratch::new(self.again()?, beginning, ending, rights)
    }

    /// Gives what is at this path another one, in `to`, and replaces nothing there.
    ///
    /// # Errors
    /// Of the kind [`AlreadyExists`](ErrorKind::AlreadyExists) if anything is there; or if it cannot be renamed.
    pub(crate) fn rename_new(
        &self,
        path: impl AsRef<OsStr>,
        to: &Self,
        new_path: impl AsRef<OsStr>,
    ) -> io::Result<()> {
        let (from, name) = self.place(path.as_ref())?;
        let (to, new_name) = to.place(new_path.as_ref())?;
        let (from, to) = (from.fd(), to.fd());
        match renameat_with(from, name, to, new_name, RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            renamed => return Ok(renamed?),
        }
        // This file system does not know how. A second name replaces nothing either.
        match linkat(from, name, to, new_name, AtFlags::empty()) {
            Ok(()) => return Ok(unlinkat(from, name, AtFlags::empty())?),
            Err(Errno::EXIST) => return Err(Errno::EXIST.into()),
            Err(_) => {}
        }
        // It knows no second names; then nothing was there a moment ago.
        match statat(to, new_name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Err(Errno::EXIST.into()),
            Err(Errno::NOENT) => Ok(renameat(from, name, to, new_name)?),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives what is at this path another one, in `to`, in place of what is there. A link there is replaced, not followed.
    ///
    /// # Errors
    /// If it cannot be renamed.
    pub(crate) fn rename_over(
        &self,
        path: impl AsRef<OsStr>,
        to: &Self,
        new_path: impl AsRef<OsStr>,
    ) -> io::Result<()> {
        let (from, name) = self.place(path.as_ref())?;
        let (to, new_name) = to.place(new_path.as_ref())?;
        Ok(renameat(from.fd(), name, to.fd(), new_name)?)
    }

    /// Removes the file at this path; of a link, the link.
    ///
    /// # Errors
    /// If it is not there, is a folder, or cannot be removed.
    pub(crate) fn remove_file(&self, path: impl AsRef<OsStr>) -> io::Result<()> {
        let (place, name) = self.place(path.as_ref())?;
        Ok(unlinkat(place.fd(), name, AtFlags::empty())?)
    }

    /// Removes the folder at this path, if nothing is in it.
    ///
    /// # Errors
    /// If it is not there, is no folder, is not empty, or cannot be removed.
    pub(crate) fn remove_folder(&self, path: impl AsRef<OsStr>) -> io::Result<()> {
        let (place, name) = self.place(path.as_ref())?;
        Ok(unlinkat(place.fd(), name, AtFlags::REMOVEDIR)?)
    }

    /// Tells what is in this folder, name by name, until it is told to stop. However many there are, it takes the same memory.
    ///
    /// # Errors
    /// If it may not be read, or its disk fails.
    pub(crate) fn each(
        &self,
        mut tell: impl FnMut(&OsStr, Kind) -> ControlFlow<()>,
    ) -> io::Result<()> {
        let folder = openat(&self.0, ".", LISTED, Mode::empty())?;
        let mut buffer = Vec::with_capacity(PIECE_BYTES);
        let mut entries = RawDir::new(&folder, buffer.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let kind = match Kind::told(entry.file_type()) {
                Some(kind) => kind,
                // Some file systems do not tell; and what went away in between is not there.
                None => match statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(stat) => Stat::new(&stat).kind,
                    Err(Errno::NOENT) => continue,
                    Err(error) => return Err(error.into()),
                },
            };
            if tell(OsStr::from_bytes(name.to_bytes()), kind).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The names in this folder, in no order, and no more than so many.
    ///
    /// # Errors
    /// As those of [`each`](Self::each).
    pub(crate) fn names(&self, most: usize) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        self.each(|name, _| {
            if names.len() == most {
                return ControlFlow::Break(());
            }
            names.push(name.to_owned());
            ControlFlow::Continue(())
        })?;
        Ok(names)
    }

    /// Whether nothing at all is in this folder.
    ///
    /// # Errors
    /// As those of [`each`](Self::each).
    pub(crate) fn is_empty(&self) -> io::Result<bool> {
        Ok(self.names(1)?.is_empty())
    }

    /// Brings the names in this folder to the disk.
    ///
    /// # Errors
    /// If its disk fails, or it may not be read.
    pub(crate) fn sync(&self) -> io::Result<()> {
        File::from(openat(&self.0, ".", LISTED, Mode::empty())?).sync_all()
    }

    /// The folder that holds what is at this path, and the name of it there.
    fn place<'a>(&self, path: &'a OsStr) -> io::Result<(Place<'_>, &'a OsStr)> {
        let (folder, name) = split_os(path);
        if parts(name)?.next().is_none() {
            return Err(ErrorKind::NotFound.into());
        }
        let place = match folder {
            None => Place::Here(self.0.as_fd()),
            Some(folder) => Place::Beneath(self.folder(folder)?),
        };
        Ok((place, name))
    }

    fn open_with(&self, path: &OsStr, flags: OFlags, rights: u32) -> io::Result<File> {
        let (place, name) = self.place(path)?;
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(place.fd(), name, flags, Mode::from_raw_mode(rights));
        Ok(file.map_err(told)?.into())
    }
}

/// How a folder is opened to be listed.
const LISTED: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

/// A folder that was held already, or is held for this call.
enum Place<'a> {
    Here(BorrowedFd<'a>),
    Beneath(Folder),
}

impl Place<'_> {
    fn fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Here(fd) => *fd,
            Self::Beneath(folder) => folder.0.as_fd(),
        }
    }
}

fn told(error: Errno) -> io::Error {
    if error == Errno::LOOP {
        link()
    } else {
        error.into()
    }
}

fn link() -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, Link)
}

fn no_file() -> io::Error {
    let reason = "it is a folder, pipe, socket or device, not a file";
    io::Error::new(ErrorKind::InvalidInput, reason)
}

#[cfg(test)]
mod tests;
