//! A folder of backups, or of their copies: what lies in it, and what was left there that nobody finishes any more.

use std::ffi::{OsStr, OsString};
use std::io;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use jiff::Timestamp;

use super::Backup;
use crate::system::beneath::{Folder, Kind, Stat};

/// What the name of all that is unfinished begins with.
pub(super) const DRAFT: &str = ".storyline-backup-";
/// What is unfinished for so long is nobody's work any more.
const LEFTOVER_NS: i128 = 24 * 3600 * 1_000_000_000;
/// More than there are of anything in such a folder.
const MOST: usize = 100_000;

/// All files in a folder whose names end so, the newest first. `path` is what the folder is called. What has such a name and is
/// something else (a pipe, a link, a folder) is none of ours.
pub(super) fn list_in(folder: &Folder, path: &Path, ending: &str) -> io::Result<Vec<Backup>> {
    let mut names = Vec::new();
    folder.each(|name, kind| {
        if kind == Kind::File && names.len() < MOST && name.as_bytes().ends_with(ending.as_bytes())
        {
            names.push(name.to_owned());
        }
        ControlFlow::Continue(())
    })?;
    let mut found = Vec::new();
    for name in names {
        // What went away in between is not there.
        if let Ok(stat) = folder.stat(&name) {
            found.extend(Backup::called(path.join(name), ending, stat.size_bytes));
        }
    }
    found.sort_by(|one, other| other.name.cmp(&one.name));
    Ok(found)
}

/// The folder at this path, held open; `None` if there is none.
pub(super) fn held(path: &Path) -> io::Result<Option<Folder>> {
    match Folder::root(path) {
        Ok(folder) => Ok(Some(folder)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removes what was left in a folder where a backup, or the way back from one, was cut off. What cannot be removed is told of.
pub(super) fn clear_up(folder: &Folder, now: Timestamp) {
    let mut drafts = Vec::new();
    let looked = folder.each(|name, kind| {
        if is_draft(name) && drafts.len() < MOST {
            drafts.push((name.to_owned(), kind));
        }
        ControlFlow::Continue(())
    });
    if let Err(error) = looked {
        return tracing::warn!("what was left of backups cannot be looked for: {error}");
    }
    let is_leftover = |name: &OsString| {
        let age =
            |file: Stat| i128::from(now.as_second()) * 1_000_000_000 - i128::from(file.modified_ns);
        folder.stat(name).is_ok_and(|file| age(file) > LEFTOVER_NS)
    };
    for (name, kind) in drafts.into_iter().filter(|(name, _)| is_leftover(name)) {
        let removed = match kind {
            Kind::Folder => remove_scratch(folder, &name),
            _ => folder.remove_file(&name),
        };
        if let Err(error) = removed {
            tracing::warn!(
                "{} was left of a backup, and cannot be removed: {error}",
                name.display()
            );
        }
    }
}

/// Removes a folder with the files in it; there are no folders in one of ours.
fn remove_scratch(folder: &Folder, name: &OsStr) -> io::Result<()> {
    let scratch = folder.folder(name)?;
    for file in scratch.names(MOST)? {
        scratch.remove_file(file)?;
    }
    folder.remove_folder(name)
}

/// Whether this is the name of a draft of ours, and of nothing else.
fn is_draft(name: &OsStr) -> bool {
    let random = name.to_str().and_then(|name| name.strip_prefix(DRAFT));
    random.is_some_and(|text| {
        matches!(text.len(), 6 | 32) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}
