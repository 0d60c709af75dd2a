//! Reaches files beneath the library's root part by part, so that no link, wherever in the path, leads out of it.

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, openat};

use crate::domain::media::FileStat;

/// A folder beneath the root, held open. It need not be readable: to reach a file, the right to pass is enough.
#[derive(Debug)]
pub(super) struct Folder(OwnedFd);

impl Folder {
    /// The library's root; it may itself be a link.
    pub(super) fn root(root: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(openat(CWD, root, flags, Mode::empty())?))
    }

    /// The folder at this path (`memes/2025`, or empty for this one). A part that is a link is an error.
    pub(super) fn folder(self, path: &str) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut folder = self.0;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            folder = openat(&folder, plain(part)?, flags, Mode::empty())?;
        }
        Ok(Self(folder))
    }

    /// What is known of the entry of this name, which is not followed if it is a link.
    pub(super) fn stat(&self, name: &str) -> io::Result<Metadata> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        File::from(openat(&self.0, plain(name)?, flags, Mode::empty())?).metadata()
    }

    /// Opens the file of this name for reading. Never waits, not even for a pipe's other end.
    pub(super) fn open(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(openat(&self.0, plain(name)?, flags, Mode::empty())?.into())
    }
}

/// A name that stays where it is.
fn plain(name: &str) -> io::Result<&str> {
    if name.is_empty() || name == "." || name == ".." {
        return Err(io::Error::from(io::ErrorKind::NotFound));
    }
    Ok(name)
}

/// Splits a path into its folder (empty for the root) and its name.
pub(super) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// What is kept of a file's stat.
pub(super) fn file_stat(metadata: &Metadata) -> FileStat {
    let ns = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
    FileStat {
        size_bytes: metadata.size(),
        modified_ns: ns(metadata.mtime(), metadata.mtime_nsec()),
        changed_ns: ns(metadata.ctime(), metadata.ctime_nsec()),
        inode: metadata.ino(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn no_link_and_no_dots_lead_out() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), b"x").unwrap();
        let library = tempfile::tempdir().unwrap();
        symlink(outside.path(), library.path().join("memes")).unwrap();
        symlink(
            outside.path().join("secret"),
            library.path().join("cat.jpg"),
        )
        .unwrap();
        let root = || Folder::root(library.path()).unwrap();
        assert!(root().folder("memes").is_err());
        assert!(root().open("cat.jpg").is_err());
        assert!(root().stat("cat.jpg").unwrap().is_symlink());
        assert!(root().folder("..").is_err() && root().stat("..").is_err());
    }

    #[test]
    fn a_path_is_its_folder_and_its_name() {
        assert_eq!(split("memes/2025/cat.jpg"), ("memes/2025", "cat.jpg"));
        assert_eq!(split("cat.jpg"), ("", "cat.jpg"));
    }
}
