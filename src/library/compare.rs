//! What a walk saw beside what is on record: what is to be looked at, what is gone, and whether so much of it that a disk
//! seems to be away.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::walk::{Found, Walk};
use crate::domain::media::{KnownFile, looks_like_a_missing_disk};

/// The files that are new, or are not as they are on record, or were not whole.
pub(super) fn changed(files: &[Found], known: &HashMap<String, KnownFile>) -> Vec<String> {
    files
        .iter()
        .filter(|file| {
            known.get(&file.path).is_none_or(|before| {
                before.waiting
                    || before.stat != file.stat
                    || before.metadata_stamp != file.metadata_stamp
            })
        })
        .map(|file| file.path.clone())
        .collect()
}

/// The files on record that are not there, as far as the walk could see.
pub(super) fn gone(walk: &Walk, known: &HashMap<String, KnownFile>) -> Vec<String> {
    let seen: HashSet<&str> = walk
        .files
        .iter()
        .map(|file| file.path.as_str())
        .chain(walk.problems.iter().map(|(path, _)| path.as_str()))
        .collect();
    known
        .keys()
        .filter(|path| !seen.contains(path.as_str()) && !walk.may_hide(path))
        .cloned()
        .collect()
}

/// Why so much is gone that it looks like a disk that is away.
pub(super) fn suspicion(
    root: &Path,
    walk: &Walk,
    known: &HashMap<String, KnownFile>,
    gone: &[String],
) -> Option<String> {
    let root = root.display();
    let remedy = "Nothing was changed. Is its disk connected and mounted? If the files were removed on purpose, say so with \
                  `storyline media index --accept-missing`.";
    if walk.files.is_empty() && !known.is_empty() {
        return Some(format!(
            "The library {root} is empty, and {} files were in it. {remedy}",
            known.len()
        ));
    }
    // What was only moved within the library is not gone.
    let inodes: HashSet<u64> = walk.files.iter().map(|file| file.stat.inode).collect();
    let really_gone = gone
        .iter()
        .filter(|path| {
            known
                .get(*path)
                .is_none_or(|file| !inodes.contains(&file.stat.inode))
        })
        .count();
    looks_like_a_missing_disk(known.len(), really_gone).then(|| {
        format!(
            "{really_gone} of {} files are gone from the library {root} at once. {remedy}",
            known.len()
        )
    })
}
