//! What a file system tells of a file without opening it.

use std::fs::File;
use std::io;

use rustix::fs::{FileType, fstat};

/// What something in a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A plain file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link, wherever it leads.
    Link,
    /// A pipe, a socket or a device.
    Other,
}

impl Kind {
    /// What a folder's list says; nothing where it does not.
    pub(super) fn told(kind: FileType) -> Option<Self> {
        match kind {
            FileType::RegularFile => Some(Self::File),
            FileType::Directory => Some(Self::Folder),
            FileType::Symlink => Some(Self::Link),
            FileType::Unknown => None,
            _ => Some(Self::Other),
        }
    }
}

/// What is known of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    /// What it is.
    pub(crate) kind: Kind,
    /// The disk that it is on.
    pub(crate) device: u64,
    /// Its number there; with the disk it tells one file from all others.
    pub(crate) inode: u64,
    /// How many names it has.
    pub(crate) names: u64,
    /// Whose it is.
    pub(crate) owner: u32,
    /// Whose group's it is.
    pub(crate) group: u32,
    /// Who may do what with it, in twelve bits.
    pub(crate) rights: u32,
    /// Its length, in bytes.
    pub(crate) size_bytes: u64,
    /// When its content last changed, in nanoseconds since 1970.
    pub(crate) modified_ns: i64,
    /// When anything of it last changed, in nanoseconds since 1970.
    pub(crate) changed_ns: i64,
}

impl Stat {
    /// Of a file that is open.
    ///
    /// # Errors
    /// If its disk does not tell.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        Ok(Self::new(&fstat(file)?))
    }

    #[allow(
        clippy::unnecessary_cast,
        reason = "the kernel's types differ from machine to machine"
    )]
    pub(super) fn new(stat: &rustix::fs::Stat) -> Self {
        let ns =
            |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        // The kind is told in the same number as the rights, and never `Unknown`.
        let kind = FileType::from_raw_mode(stat.st_mode);
        Self {
            kind: Kind::told(kind).unwrap_or(Kind::Other),
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            names: stat.st_nlink as u64,
            owner: stat.st_uid as u32,
            group: stat.st_gid as u32,
            rights: stat.st_mode as u32 & 0o7777,
            size_bytes: u64::try_from(stat.st_size as i64).unwrap_or(0),
            modified_ns: ns(stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            changed_ns: ns(stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        }
    }

    /// Whether both are one file: on the same disk, by the same number.
    pub(crate) fn is_same_file(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}
