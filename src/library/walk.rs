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
use crate::system::beneath::{Folder, Kind, Stat, is_link};

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
        is_hidden(&self.unseen, path)
    }
}

/// Whether a path is one of these, or lies beneath one of them.
pub(super) fn is_hidden(unseen: &[String], path: &str) -> bool {
    unseen.iter().any(|hidden| {
        hidden.is_empty()
            || path
                .strip_prefix(hidden.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
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
    visit(root, &mut |met| {
        match met {
            Met::File(found) => walk.files.push(found),
            Met::Problem(problem) => {
                if problem.may_hide {
                    walk.unseen.push(problem.path.clone());
                }
                walk.problems.push((problem.path, problem.reason));
            }
        }
        ControlFlow::Continue(())
    })?;
    Ok(walk)
}

/// What a walk meets.
pub(super) enum Met {
    /// A file that is worth a look.
    File(Found),
    /// What could not be looked at.
    Problem(Problem),
}

/// What could not be looked at, and why.
pub(super) struct Problem {
    /// Where it is, escaped where that is no text.
    pub(super) path: String,
    /// Why, and what to do.
    pub(super) reason: String,
    /// Whether files may lie there all the same.
    pub(super) may_hide: bool,
}

impl Problem {
    fn plain(path: String, reason: &str) -> Met {
        Met::Problem(Self {
            path,
            reason: reason.to_owned(),
            may_hide: false,
        })
    }

    /// Of what the system does not let us look at; nothing, if it is not there any more.
    fn caused(path: String, cause: &io::Error) -> Option<Met> {
        let reason = match cause.kind() {
            // It went away between being listed and being looked at.
            io::ErrorKind::NotFound => return None,
            io::ErrorKind::PermissionDenied => {
                "may not be read; give the user that runs storyline the right to read and enter it"
                    .to_owned()
            }
            _ => format!("cannot be read: {cause}"),
        };
        Some(Met::Problem(Self {
            path,
            reason,
            may_hide: true,
        }))
    }
}

/// Walks the library from its root, and tells what it meets, one after the other. What is told is not held.
///
/// # Errors
/// When the root itself cannot be walked.
pub(super) fn visit_at(
    root: &Path,
    mut tell: impl FnMut(Met) -> ControlFlow<()>,
) -> Result<(), RootProblem> {
    Folder::root(root)
        .and_then(|held| visit(&held, &mut tell))
        .map_err(|cause| RootProblem::new(root, cause))
}

/// The same, of all beneath this folder. An error is one of the folder itself.
pub(super) fn visit(root: &Folder, tell: &mut dyn FnMut(Met) -> ControlFlow<()>) -> io::Result<()> {
    let mut folders = vec![String::new()];
    while let Some(path) = folders.pop() {
        let mut is_enough = false;
        let listed = root.folder(&path).and_then(|folder| {
            let spoken = Spoken::of(&folder)?;
            folder.each(|name, kind| {
                let entry = Entry {
                    folder: &folder,
                    folder_path: &path,
                    name,
                    kind,
                };
                let met = match entry.kind {
                    Kind::Folder => entry.to_be_entered(&mut folders),
                    _ => entry.met(&spoken),
                };
                let flow = met.map_or(ControlFlow::Continue(()), &mut *tell);
                is_enough |= flow.is_break();
                flow
            })
        });
        if is_enough {
            return Ok(());
        }
        let met = match listed {
            Ok(()) => None,
            Err(cause) if path.is_empty() => return Err(cause),
            Err(cause) if is_link(&cause) => Some(Problem::plain(path, A_LINK)),
            Err(cause) => Problem::caused(path, &cause),
        };
        if met.is_some_and(|met| tell(met).is_break()) {
            return Ok(());
        }
    }
    Ok(())
}

/// The most metadata files of a folder that are held; of more, each is asked for when it is wanted.
const MOST_SPOKEN: usize = 10_000;

/// The metadata files of a folder.
enum Spoken<'a> {
    Few(HashMap<String, Stamp>),
    Many(&'a Folder),
}

impl<'a> Spoken<'a> {
    fn of(folder: &'a Folder) -> io::Result<Self> {
        let mut few = HashMap::new();
        folder.each(|name, kind| {
            if kind == Kind::File
                && let Some(name) = name.to_str()
                && names::is_metadata(name)
                && let Ok(stat) = folder.stat(name)
            {
                few.insert(name.to_owned(), Stamp::of(&stat));
            }
            match few.len() > MOST_SPOKEN {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        })?;
        Ok(match few.len() > MOST_SPOKEN {
            true => Self::Many(folder),
            false => Self::Few(few),
        })
    }

    fn stamp(&self, name: &str) -> Option<Stamp> {
        match self {
            Self::Few(few) => few.get(name).copied(),
            Self::Many(folder) => folder.stat(name).ok().map(|stat| Stamp::of(&stat)),
        }
    }

    /// Which of them speak of the file of this name.
    fn of_file(&self, name: &str) -> String {
        if matches!(self, Self::Few(few) if few.is_empty()) {
            return String::new();
        }
        let [short, long] = sidecar_names(name);
        let stamp = |name: Option<String>| self.stamp(&name?);
        Stamp::join([self.stamp(FOLDER_FILE), stamp(short), stamp(long)])
    }
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

    fn not_text(&self) -> Met {
        Problem::plain(self.escaped(), "its name is not valid UTF-8; rename it")
    }

    /// Has a folder entered, if it is to be.
    fn to_be_entered(&self, folders: &mut Vec<String>) -> Option<Met> {
        if names::is_folder_passed_over(&self.name.to_string_lossy()) {
            return None;
        }
        match self.path() {
            Some(path) => folders.push(path),
            None => return Some(self.not_text()),
        }
        None
    }

    /// What it is; nothing, if it is passed over.
    fn met(&self, spoken: &Spoken<'_>) -> Option<Met> {
        let name = self.name.to_string_lossy();
        if names::is_passed_over(&name) {
            return None;
        }
        let Some(path) = self.path() else {
            return Some(self.not_text());
        };
        match self.kind {
            Kind::Link => Some(Problem::plain(path, A_LINK)),
            Kind::Other => Some(Problem::plain(path, NO_FILE)),
            Kind::File if names::is_metadata(&name) => None,
            Kind::File => match self.folder.stat(self.name) {
                Ok(stat) => Some(Met::File(Found {
                    path,
                    stat: file_stat(&stat),
                    metadata_stamp: spoken.of_file(&name),
                })),
                Err(cause) => Problem::caused(path, &cause),
            },
            Kind::Folder => None,
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
