//! Why there is no backup, or none that helps.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use crate::store;
use crate::system::storage;

/// Why there is no backup, or none that helps.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be read, or is damaged.
    #[error(transparent)]
    Database(#[from] store::Error),
    /// A folder or a file cannot be used.
    #[error("`{}` cannot be used for backups: {why}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// A backup is not what it was when it was made.
    #[error("the backup `{}` is of no use: {why}", path.display())]
    Broken {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// There is no backup of this name.
    #[error("there is no backup `{0}`")]
    NotThere(String),
    /// A service works with the database that is to be replaced.
    #[error("a storyline works with {}", .0.display())]
    InUse(PathBuf),
    /// There is a database, and nobody said that it may be replaced.
    #[error("there is a database at {}", .0.display())]
    Exists(PathBuf),
}

impl Error {
    pub(super) fn folder(path: &Path, error: &std::io::Error) -> Self {
        let why = storage::why(path, error);
        let path = path.to_owned();
        Self::Folder { path, why }
    }

    pub(super) fn broken(path: &Path, why: &dyn Display) -> Self {
        Self::Broken {
            path: path.to_owned(),
            why: why.to_string(),
        }
    }
}
