//! Where a tree of files begins. The library's root is its owner's choice; that of a stick is whatever somebody put there.

use std::io;
use std::path::{Path, PathBuf};

use crate::system::beneath::{Folder, is_link};

/// The root of a tree of files. It is opened anew each time: its disk may go, and come back.
#[derive(Clone, Debug)]
pub struct Root {
    path: PathBuf,
    /// Of a stranger's: device and inode of the folder that it was at first.
    only: Option<(u64, u64)>,
}

/// Why a stranger's folder is not looked into.
#[derive(Debug, thiserror::Error)]
pub enum NoRoot {
    /// There is none.
    #[error("there is no folder `{}`", .0.display())]
    Missing(PathBuf),
    /// It is a link, or lies behind one.
    #[error("`{}` is a link, or lies behind one: it may lead anywhere", .0.display())]
    Link(PathBuf),
    /// It cannot be entered.
    #[error("the folder `{}` cannot be entered: {cause}", path.display())]
    Unreadable {
        /// Where it is.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

impl Root {
    /// The root of a library, which its owner chose; links in this path are the owner's.
    #[must_use]
    pub fn of_library(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            only: None,
        }
    }

    /// A folder that somebody brings, as on a stick. No part of its path may be a link, so it lies where it is said to lie;
    /// and it is this very folder from now on, or none.
    ///
    /// # Errors
    /// If there is no such folder.
    pub fn of_stranger(path: &Path) -> Result<Self, NoRoot> {
        let stat = Folder::root_without_links(path).and_then(|held| held.stat_itself());
        match stat {
            Ok(stat) => Ok(Self {
                path: path.to_owned(),
                only: Some((stat.device, stat.inode)),
            }),
            Err(cause) if is_link(&cause) => Err(NoRoot::Link(path.to_owned())),
            Err(cause) => Err(match cause.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                    NoRoot::Missing(path.to_owned())
                }
                _ => NoRoot::Unreadable {
                    path: path.to_owned(),
                    cause,
                },
            }),
        }
    }

    /// Opens it.
    ///
    /// # Errors
    /// If it is not there, or is another folder than before where it must not be.
    pub(super) fn open(&self) -> io::Result<Folder> {
        let Some(only) = self.only else {
            return Folder::root(&self.path);
        };
        let held = Folder::root_without_links(&self.path)?;
        let stat = held.stat_itself()?;
        if (stat.device, stat.inode) == only {
            Ok(held)
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_strangers_folder_is_no_link_and_stays_the_same_one() {
        let above = tempfile::tempdir().unwrap();
        let above = above.path().canonicalize().unwrap();
        let stick = above.join("stick");
        fs::create_dir_all(stick.join("storyline")).unwrap();
        fs::create_dir_all(above.join("box/private")).unwrap();
        symlink(above.join("box/private"), stick.join("private")).unwrap();
        symlink("../box", stick.join("box")).unwrap();
        for path in ["private", "box", "box/private"] {
            let refused = Root::of_stranger(&stick.join(path)).unwrap_err();
            assert!(matches!(refused, NoRoot::Link(_)), "{refused}");
            Root::of_library(&stick.join(path)).open().unwrap();
        }
        let refused = Root::of_stranger(&stick.join("none")).unwrap_err();
        assert!(matches!(refused, NoRoot::Missing(_)), "{refused}");

        let root = Root::of_stranger(&stick.join("storyline")).unwrap();
        root.open().unwrap();
        fs::rename(stick.join("storyline"), stick.join("old")).unwrap();
        root.open().unwrap_err();
        symlink(above.join("box"), stick.join("storyline")).unwrap();
        assert!(is_link(&root.open().unwrap_err()));
        fs::remove_file(stick.join("storyline")).unwrap();
        fs::create_dir(stick.join("storyline")).unwrap();
        root.open().unwrap_err();
    }
}
