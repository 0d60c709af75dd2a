//! A folder of backups, or of their copies: what lies in it, and what was left there that nobody finishes any more.

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::{fs, io};

use jiff::Timestamp;

use super::Backup;

/// What the name of all that is unfinished begins with.
pub(super) const DRAFT: &str = ".storyline-backup-";
/// What is unfinished for so long is nobody's work any more.
const LEFTOVER_SECONDS: i64 = 24 * 3600;

/// All in a folder whose names end so, the newest first; a folder that is not there holds none.
pub(super) fn list_in(folder: &Path, ending: &str) -> io::Result<Vec<Backup>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        found.extend(Backup::called(entry?.path(), ending));
    }
    found.sort_by(|one, other| other.name.cmp(&one.name));
    Ok(found)
}

/// Removes what was left in a folder where a backup, or the way back from one, was cut off. What cannot be removed is told of.
pub(super) fn clear_up(folder: &Path, now: Timestamp) {
    let is_leftover = |entry: &fs::DirEntry| {
        let age = |file: fs::Metadata| now.as_second() - file.mtime();
        is_draft(&entry.file_name())
            && entry
                .metadata()
                .is_ok_and(|file| age(file) > LEFTOVER_SECONDS)
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(is_leftover) {
        let path = entry.path();
        let removed = match path.is_dir() {
            true => fs::remove_dir_all(&path),
            false => fs::remove_file(&path),
        };
        if let Err(error) = removed {
            tracing::warn!(
                "{} was left of a backup, and cannot be removed: {error}",
                path.display()
            );
        }
    }
}

/// Whether this is the name of a draft of ours, and of nothing else.
fn is_draft(name: &OsStr) -> bool {
    let random = name.to_str().and_then(|name| name.strip_prefix(DRAFT));
    random.is_some_and(|text| {
        text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}
