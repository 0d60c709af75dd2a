//! What can go wrong with the store, named by what the caller should do next.

/// The result of asking the store.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the store could not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// Another process holds the database just now; try again.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// A rule of the schema forbids it: a second outcome, an illegal change of state, a content already in flight.
    #[error("refused by a rule of the database: {0}")]
    Refused(String),
    /// The database was written by a newer program.
    #[error(
        "the database has schema version {found} and this program knows versions up to {known}; install the newer \
         Storyline again, or restore the backup that was made before the upgrade"
    )]
    Newer {
        /// The version found.
        found: i64,
        /// The newest this program knows.
        known: i64,
    },
    /// The database cannot be opened, read or written: disk full, read-only, damaged, server away.
    #[error("the database {0}")]
    Unavailable(String),
    /// The database is damaged, or was there and is gone: only a backup helps.
    #[error("the database {0}")]
    Damaged(String),
    /// The files of the database were taken away, replaced or emptied under whoever works with it. Whoever opens it anew sees
    /// what is there.
    #[error("the database {0}")]
    Lost(String),
    /// A row does not hold what the program wrote there.
    #[error("the database holds something unexpected: {0}")]
    Unexpected(String),
    /// The store's thread is gone: the process is ending.
    #[error("the store is closed")]
    Closed,
}

impl Error {
    pub(crate) fn unexpected(what: impl std::fmt::Display) -> Self {
        Self::Unexpected(what.to_string())
    }
}
