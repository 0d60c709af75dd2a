//! The walk finds everything that lies in the library without reading any of it: one `lstat` a file. What the walk cannot
//! see into it says, and the rest goes on.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::beneath::{file_stat, split};
use super::metadata::{FOLDER_FILE, Stamp, sidecar_names};
use super::names;
use crate::domain::media::FileStat;

/// Everything that one walk found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walk {
    /// The files that are worth a look, in no order.
    pub files: Vec<Found>,
    /// The folders, the root among them.
    pub folders: Vec<PathBuf>,
    /// What could not be looked at: a path in the library, escaped where it is no text, and why and what to do.
    pub problems: Vec<(String, String)>,
    /// Those of the problems' paths that could not be looked into, though files may lie there; see [`Walk::may_hide`].
    pub unseen: Vec<String>,
}

/// A file that a walk found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it lies, from the root, with `/` between the parts.
    pub path: String,
    /// What the file system tells of it.
    pub stat: FileStat,
    /// A stamp of the metadata files that speak of it; empty when there is none.
    pub metadata_stamp: String,
}

/// Why the library could not be walked at all. Nothing may be concluded about its files.
#[derive(Debug, thiserror::Error)]
pub enum RootProblem {
    /// There is nothing at the path.
    #[error("the library `{}` is not there; is its disk connected and mounted?", .0.display())]
    Missing(PathBuf),
    /// There is something else at the path.
    #[error("the library `{}` is not a folder", .0.display())]
    NotAFolder(PathBuf),
    /// It may not be read.
    #[error("the library `{}` may not be read; give the user that runs storyline the right to read and enter it", .0.display())]
    NoPermission(PathBuf),
    /// The disk or the network failed.
    #[error("the library `{}` cannot be read: {cause}", path.display())]
    Unreadable {
        /// The library's root.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

impl RootProblem {
    fn new(root: &Path, cause: io::Error) -> Self {
        let path = root.to_owned();
        match cause.kind() {
            io::ErrorKind::NotFound => Self::Missing(path),
            io::ErrorKind::NotADirectory => Self::NotAFolder(path),
            io::ErrorKind::PermissionDenied => Self::NoPermission(path),
            _ => Self::Unreadable { path, cause },
        }
    }
}

impl Walk {
    /// Whether a file may be at this path although the walk did not find it: it, or a folder around it, could not be
    /// looked into. Such a file must not be taken for gone.
    #[must_use]
    pub fn may_hide(&self, path: &str) -> bool {
        self.unseen.iter().any(|hidden| {
            hidden.is_empty()
                || path
                    .strip_prefix(hidden.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

/// The device and inode of the library's root. Another pair at the same path is another disk, or none.
///
/// # Errors
///
/// When the root is missing, is no folder, or cannot be asked.
pub fn root_identity(root: &Path) -> Result<(u64, u64), RootProblem> {
    let metadata = fs::metadata(root).map_err(|cause| RootProblem::new(root, cause))?;
    if !metadata.is_dir() {
        return Err(RootProblem::NotAFolder(root.to_owned()));
    }
    Ok((metadata.dev(), metadata.ino()))
}

/// Walks the library from its root. Links are not followed; other disks mounted inside are walked.
///
/// # Errors
///
/// When the root itself cannot be walked.
pub fn walk(root: &Path) -> Result<Walk, RootProblem> {
    root_identity(root)?;
    let mut walk = Walk::default();
    // The metadata files by their path; the files' stamps are filled in at the end, when all of them are known.
    let mut spoken = HashMap::new();
    let mut entries = WalkDir::new(root).into_iter();
    while let Some(entry) = entries.next() {
        match entry {
            Ok(entry) if entry.depth() == 0 => walk.folders.push(root.to_owned()),
            Ok(entry) => {
                let into = walk.take(root, entry, &mut spoken);
                if !into {
                    entries.skip_current_dir();
                }
            }
            Err(problem) if problem.depth() == 0 => {
                return Err(RootProblem::new(root, problem.into()));
            }
            Err(problem) => {
                let path = problem.path().map(Path::to_owned);
                walk.report(root, path.as_deref().unwrap_or(root), &problem.into());
            }
        }
    }
    if !spoken.is_empty() {
        walk.stamp(&spoken);
    }
    Ok(walk)
}

impl Walk {
    /// Takes in what one entry is; false when it is a folder that is not to be entered.
    fn take(&mut self, root: &Path, entry: DirEntry, spoken: &mut HashMap<String, Stamp>) -> bool {
        let is_folder = entry.file_type().is_dir();
        let name = entry.file_name().to_string_lossy();
        if is_folder && names::is_folder_passed_over(&name) {
            return false;
        }
        if !is_folder && names::is_passed_over(&name) {
            return true;
        }
        let Some(path) = relative(root, entry.path()) else {
            let reason = "its name is not valid UTF-8; rename it";
            self.problem(root, entry.path(), reason);
            return !is_folder;
        };
        if is_folder {
            self.folders.push(entry.into_path());
        } else if entry.file_type().is_symlink() {
            self.problem(root, entry.path(), "a link; links are not followed");
        } else if entry.file_type().is_file() {
            let metadata = match entry.metadata() {
                Ok(metadata) => metadata,
                Err(problem) => {
                    self.report(root, entry.path(), &problem.into());
                    return true;
                }
            };
            if names::is_metadata(&name) {
                spoken.insert(path.to_owned(), Stamp::of(&metadata));
            } else {
                self.files.push(Found {
                    path: path.to_owned(),
                    stat: file_stat(&metadata),
                    metadata_stamp: String::new(),
                });
            }
        } else {
            self.problem(root, entry.path(), "a pipe, socket or device, not a file");
        }
        true
    }

    fn report(&mut self, root: &Path, path: &Path, cause: &io::Error) {
        let reason = match cause.kind() {
            // It went away between being listed and being looked at.
            io::ErrorKind::NotFound => return,
            io::ErrorKind::PermissionDenied => {
                "may not be read; give the user that runs storyline the right to read and enter it"
                    .to_owned()
            }
            _ => format!("cannot be read: {cause}"),
        };
        self.unseen
            .push(escaped(path.strip_prefix(root).unwrap_or(path)));
        self.problem(root, path, &reason);
    }

    fn problem(&mut self, root: &Path, path: &Path, reason: &str) {
        let path = path.strip_prefix(root).unwrap_or(path);
        self.problems.push((escaped(path), reason.to_owned()));
    }

    /// Tells each file which metadata files speak of it.
    fn stamp(&mut self, spoken: &HashMap<String, Stamp>) {
        let mut key = String::new();
        for file in &mut self.files {
            let (folder, name) = split(&file.path);
            let mut look = |name: &str| {
                key.clear();
                if !folder.is_empty() {
                    key.push_str(folder);
                    key.push('/');
                }
                key.push_str(name);
                spoken.get(&key).copied()
            };
            let [short, long] = sidecar_names(name);
            let short = short.and_then(|short| look(&short));
            file.metadata_stamp =
                Stamp::join([look(FOLDER_FILE), short, long.and_then(|long| look(&long))]);
        }
    }
}

/// The path from the root, if it is text.
pub(super) fn relative<'a>(root: &Path, path: &'a Path) -> Option<&'a str> {
    path.strip_prefix(root).ok()?.to_str()
}

/// The path as text, with `\xNN` for whatever is none.
fn escaped(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod tests;
