//! The walk finds everything that lies in the library without reading any of it: one `fstatat` a file,
//! in a folder that is held open meanwhile. What the walk cannot
//! see into it says, and the rest goes on.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::metadata::{FOLDER_FILE, Stamp, sidecar_names};
use super::names;
use crate::domain::media::FileStat;
use crate::system::beneath::{Folder, Kind, Stat, is_link, split};

/// What is said of a link.
pub(super) const A_LINK: &str = "a link; links are not followed";
/// What is said of what nobody can look into.
pub(super) const NO_FILE: &str = "a pipe, socket or device, not a file";

/// Everything that one walk found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walk {
    /// The files that are worth a look, in no order.
    pub files: Vec<Found>,
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
    let stat = Folder::root(root).and_then(|held| held.stat_itself());
    let stat = stat.map_err(|cause| RootProblem::new(root, cause))?;
    Ok((stat.device, stat.inode))
}

/// Walks the library from its root. Links are not followed; other disks mounted inside are walked.
///
/// # Errors
///
/// When the root itself cannot be walked.
pub fn walk(root: &Path) -> Result<Walk, RootProblem> {
    Folder::root(root)
        .and_then(|held| walk_beneath(&held))
        .map_err(|cause| RootProblem::new(root, cause))
}

/// Walks all beneath this folder. An error is one of the folder itself.
pub(super) fn walk_beneath(root: &Folder) -> io::Result<Walk> {
    let mut walk = Walk::default();
    // The metadata files by their path; the files' stamps are filled in at the end, when all of them are known.
    let mut spoken = HashMap::new();
    let mut folders = vec![String::new()];
    while let Some(path) = folders.pop() {
        let listed = root.folder(&path).and_then(|folder| {
            folder.each(|name, kind| {
                let entry = Entry {
                    folder: &folder,
                    folder_path: &path,
                    name,
                    kind,
                };
                folders.extend(walk.take(&entry, &mut spoken));
                ControlFlow::Continue(())
            })
        });
        match listed {
            Ok(()) => {}
            Err(cause) if path.is_empty() => return Err(cause),
            Err(cause) if is_link(&cause) => walk.problems.push((path, A_LINK.to_owned())),
            Err(cause) => walk.report(path, &cause),
        }
    }
    if !spoken.is_empty() {
        walk.stamp(&spoken);
    }
    Ok(walk)
}

/// Something in a folder that is being walked.
struct Entry<'a> {
    folder: &'a Folder,
    folder_path: &'a str,
    name: &'a OsStr,
    kind: Kind,
}

impl Entry<'_> {
    /// Its path from the root, if it is text.
    fn path(&self) -> Option<String> {
        let name = self.name.to_str()?;
        Some(joined(self.folder_path, name))
    }

    /// The same, with `\xNN` for whatever is no text.
    fn escaped(&self) -> String {
        joined(self.folder_path, &escaped(self.name))
    }
}

impl Walk {
    /// Takes in what one entry is; returns its path if it is a folder that is to be entered.
    fn take(&mut self, entry: &Entry<'_>, spoken: &mut HashMap<String, Stamp>) -> Option<String> {
        let is_folder = entry.kind == Kind::Folder;
        let name = entry.name.to_string_lossy();
        let is_passed_over = match is_folder {
            true => names::is_folder_passed_over(&name),
            false => names::is_passed_over(&name),
        };
        if is_passed_over {
            return None;
        }
        let Some(path) = entry.path() else {
            let reason = "its name is not valid UTF-8; rename it";
            self.problems.push((entry.escaped(), reason.to_owned()));
            return None;
        };
        match entry.kind {
            Kind::Folder => return Some(path),
            Kind::Link => self.problems.push((path, A_LINK.to_owned())),
            Kind::Other => self.problems.push((path, NO_FILE.to_owned())),
            Kind::File => match entry.folder.stat(entry.name) {
                Ok(stat) if names::is_metadata(&name) => {
                    spoken.insert(path, Stamp::of(&stat));
                }
                Ok(stat) => self.files.push(Found {
                    path,
                    stat: file_stat(&stat),
                    metadata_stamp: String::new(),
                }),
                Err(cause) => self.report(path, &cause),
            },
        }
        None
    }

    fn report(&mut self, path: String, cause: &io::Error) {
        let reason = match cause.kind() {
            // It went away between being listed and being looked at.
            io::ErrorKind::NotFound => return,
            io::ErrorKind::PermissionDenied => {
                "may not be read; give the user that runs storyline the right to read and enter it"
                    .to_owned()
            }
            _ => format!("cannot be read: {cause}"),
        };
        self.unseen.push(path.clone());
        self.problems.push((path, reason));
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

/// A name as text, with `\xNN` for whatever is none.
fn escaped(name: &OsStr) -> String {
    let mut text = String::new();
    for chunk in name.as_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

/// The path of what has this name in this folder.
pub(super) fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

/// What is kept of a file's stat.
pub(super) fn file_stat(stat: &Stat) -> FileStat {
    FileStat {
        size_bytes: stat.size_bytes,
        modified_ns: stat.modified_ns,
        changed_ns: stat.changed_ns,
        inode: stat.inode,
    }
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod tests;
