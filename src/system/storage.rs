//! What a disk has left, and why it takes nothing more. A disk is full in two ways: of bytes, and of files, of which many file
//! systems have room for so many and no more, however small each is (their inodes).

use std::io::{self, ErrorKind};
use std::path::Path;

use rustix::fs::{StatVfs, StatVfsMountFlags, statvfs};
use rustix::io::Errno;

/// So many files are as good as none: what is written here makes several.
pub const NO_FILES: u64 = 50;
/// So many bytes are as good as none.
const NO_BYTES: u64 = 1_000_000;

/// What a disk has left for whoever is not root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// How much fits on it still, in bytes.
    pub bytes: u64,
    /// How much fits on it in all, in bytes.
    pub all_bytes: u64,
    /// How many more files fit on it; `None` where there is no such limit, as on FAT and Btrfs.
    pub files: Option<u64>,
    /// How many files fit on it in all; nothing where there is no such limit.
    pub all_files: u64,
    /// Whether nothing can be written on it.
    pub is_read_only: bool,
}

impl From<StatVfs> for Left {
    fn from(told: StatVfs) -> Self {
        Self {
            bytes: told.f_bavail.saturating_mul(told.f_frsize),
            all_bytes: told.f_blocks.saturating_mul(told.f_frsize),
            files: (told.f_files > 0).then_some(told.f_favail),
            all_files: told.f_files,
            is_read_only: told.f_flag.contains(StatVfsMountFlags::RDONLY),
        }
    }
}

/// What the disk of this path has left; of one that is not there, that of the folder that it would lie in.
///
/// # Errors
/// If the disk does not say.
pub fn left(path: &Path) -> io::Result<Left> {
    let place = path.ancestors().find(|place| place.exists());
    Ok(statvfs(place.unwrap_or(Path::new("/")))?.into())
}

/// Why something could not be written at this path, in plain words; what is wrong with its disk is looked at now.
#[must_use]
pub fn why(path: &Path, error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::StorageFull => full(path),
        ErrorKind::QuotaExceeded => {
            "this user has used up its share of the disk (its quota)".to_owned()
        }
        ErrorKind::PermissionDenied => "this user may not write there".to_owned(),
        ErrorKind::ReadOnlyFilesystem => {
            "its disk is read-only, or the unit is not opened to it (`ReadWritePaths=`)".to_owned()
        }
        _ if Errno::from_io_error(error) == Some(Errno::IO) => {
            "its disk fails (input/output error); `dmesg` tells more".to_owned()
        }
        _ => error.to_string(),
    }
}

/// In which of the two ways the disk of this path is full, and what helps.
#[must_use]
pub fn full(path: &Path) -> String {
    match left(path) {
        Ok(left) => words(&left),
        Err(_) => words_of_bytes(),
    }
}

fn words(left: &Left) -> String {
    match left.files {
        Some(files) if files <= NO_FILES && left.bytes > NO_BYTES => format!(
            "its disk has no room for another file (its inodes are used up, `df -i` tells), though {} are free; remove files that \
             nobody needs, of whatever size",
            gigabytes(left.bytes)
        ),
        _ => words_of_bytes(),
    }
}

fn words_of_bytes() -> String {
    "its disk is full; remove what nobody needs (`df -h` tells how much is free)".to_owned()
}

/// As people read it, `2.1 GB`.
#[must_use]
pub fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left_of(bytes: u64, files: Option<u64>) -> Left {
        Left {
            bytes,
            all_bytes: 30_000_000_000,
            files,
            all_files: files.map_or(0, |_| 60_000),
            is_read_only: false,
        }
    }

    #[test]
    fn a_disk_is_full_in_one_of_two_ways() {
        for (bytes, files, said) in [
            (2_100_000_000, Some(0), "inodes are used up"),
            (2_100_000_000, Some(0), "2.1 GB are free"),
            (0, Some(0), "`df -h`"),
            (0, Some(60_000), "`df -h`"),
            (0, None, "`df -h`"),
        ] {
            let words = words(&left_of(bytes, files));
            assert!(words.contains(said), "{words}");
        }
    }

    #[test]
    fn an_error_of_writing_says_what_is_wrong_with_the_disk() {
        let here = tempfile::tempdir().unwrap();
        for (errno, said) in [
            (Errno::NOSPC, "its disk is full"),
            (Errno::DQUOT, "quota"),
            (Errno::ROFS, "read-only"),
            (Errno::IO, "its disk fails"),
            (Errno::ACCESS, "may not write"),
            (Errno::NAMETOOLONG, "os error 36"),
        ] {
            let error = io::Error::from(errno);
            let why = why(&here.path().join("not/yet/there"), &error);
            assert!(why.contains(said), "{why}");
        }
        assert!(left(here.path()).unwrap().all_bytes > 0);
    }
}
