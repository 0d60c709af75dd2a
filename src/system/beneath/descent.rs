//! The way down to a folder, over no link: in one call where the kernel knows how, else part by part.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags, openat, openat2, statat};
use rustix::io::Errno;

use super::parts::parts;
use super::{HELD, Kind, Stat, link, told};

/// How far a path may lead.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Resolve {
    /// Only down.
    Beneath,
    /// Up too, by dots that a person wrote.
    Dots,
}

/// Whether the kernel knows `openat2`; asked once.
static KNOWS_NOT_HOW: AtomicBool = AtomicBool::new(false);

/// The folder at this path, from here, over no link.
pub(super) fn walk_down(
    from: BorrowedFd<'_>,
    path: &OsStr,
    resolve: Resolve,
) -> io::Result<OwnedFd> {
    let bytes = path.as_bytes();
    let relative = match resolve {
        Resolve::Beneath => {
            drop(parts(path)?);
            path
        }
        Resolve::Dots => {
            let slashes = bytes.iter().take_while(|byte| **byte == b'/').count();
            OsStr::from_bytes(&bytes[slashes..])
        }
    };
    let relative = if relative.is_empty() {
        OsStr::new(".")
    } else {
        relative
    };
    if !KNOWS_NOT_HOW.load(Ordering::Relaxed) {
        let mut how = ResolveFlags::NO_SYMLINKS;
        if resolve == Resolve::Beneath {
            how |= ResolveFlags::BENEATH;
        }
        match openat2(from, relative, HELD, Mode::empty(), how) {
            Err(Errno::NOSYS) => KNOWS_NOT_HOW.store(true, Ordering::Relaxed),
            // What a container's filter of system calls says of one that it does not know.
            Err(Errno::PERM) => {}
            opened => return opened.map_err(told),
        }
    }
    step_down(from, relative)
}

/// The same, part by part.
pub(super) fn step_down(from: BorrowedFd<'_>, path: &OsStr) -> io::Result<OwnedFd> {
    let mut folder: Option<OwnedFd> = None;
    for part in path.as_bytes().split(|byte| *byte == b'/') {
        if part.is_empty() {
            continue;
        }
        let here = folder.as_ref().map_or(from, AsFd::as_fd);
        let opened = openat(here, part, HELD | OFlags::NOFOLLOW, Mode::empty());
        folder = Some(opened.map_err(|error| {
            // A link is no folder, and is told as what it is.
            let there = statat(here, part, AtFlags::SYMLINK_NOFOLLOW);
            match there.map(|stat| Stat::new(&stat).kind) {
                Ok(Kind::Link) => link(),
                _ => told(error),
            }
        })?);
    }
    folder.map_or_else(|| from.try_clone_to_owned(), Ok)
}
