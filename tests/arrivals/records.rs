//! What the program has come to know, read from its database as it is written.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// The records of one site.
pub(crate) struct Records {
    path: PathBuf,
    connection: RefCell<Option<Connection>>,
}

/// What is on record of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    /// The hash of its content and its category, if it is whole.
    pub(crate) content: Option<(String, String)>,
    /// Whether it may become whole.
    pub(crate) is_waiting: bool,
    pub(crate) reason: String,
    pub(crate) times: (i64, i64),
}

/// What is on record of a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Media {
    pub(crate) id: String,
    pub(crate) path: String,
    pub(crate) category: String,
    pub(crate) is_missing: bool,
}

impl Records {
    /// The database at this path, which need not be there yet.
    pub(crate) fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            connection: RefCell::default(),
        }
    }

    /// Nothing is answered before the first migration.
    fn ask<T>(&self, ask: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Option<T> {
        let mut records = self.connection.borrow_mut();
        if records.is_none() {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
            let opened = Connection::open_with_flags(&self.path, flags).ok()?;
            opened.busy_timeout(Duration::from_secs(60)).ok()?;
            *records = Some(opened);
        }
        // Before the first migration there are no tables.
        records.as_ref().and_then(|records| ask(records).ok())
    }

    /// What is on record of this path.
    pub(crate) fn file(&self, path: &str) -> Option<File> {
        self.select_files(" WHERE path = ?1", [path])
            .into_values()
            .next()
    }

    /// Everything on record, by path.
    pub(crate) fn files(&self) -> BTreeMap<String, File> {
        self.select_files("", [])
    }

    fn select_files(&self, which: &str, path: impl rusqlite::Params) -> BTreeMap<String, File> {
        let sql = format!(
            "SELECT path, state, reason, modified_ns, changed_ns, fingerprint, category
             FROM files LEFT JOIN media ON media.id = files.media_id{which}"
        );
        self.ask(|records| {
            records
                .prepare_cached(&sql)?
                .query_map(path, |row| {
                    let hash: Option<String> = row.get(5)?;
                    let category: Option<String> = row.get(6)?;
                    let file = File {
                        content: hash.zip(category),
                        is_waiting: row.get::<_, String>(1)? == "waiting",
                        reason: row.get::<_, Option<String>>(2)?.unwrap_or_default(),
                        times: (row.get(3)?, row.get(4)?),
                    };
                    Ok((row.get(0)?, file))
                })?
                .collect()
        })
        .unwrap_or_default()
    }

    /// Every content that was ever seen, by its hash.
    pub(crate) fn media(&self) -> BTreeMap<String, Media> {
        self.ask(|records| {
            records
                .prepare_cached(
                    "SELECT fingerprint, id, last_path, category, missing_since FROM media",
                )?
                .query_map([], |row| {
                    let media = Media {
                        id: row.get(1)?,
                        path: row.get(2)?,
                        category: row.get(3)?,
                        is_missing: row.get::<_, Option<i64>>(4)?.is_some(),
                    };
                    Ok((row.get(0)?, media))
                })?
                .collect()
        })
        .unwrap_or_default()
    }

    /// Files on record.
    pub(crate) fn count_files(&self) -> i64 {
        self.ask(|records| records.query_row("SELECT count(*) FROM files", [], |row| row.get(0)))
            .unwrap_or_default()
    }

    /// Media that were not decoded yet.
    pub(crate) fn count_to_examine(&self) -> i64 {
        let sql = "SELECT count(*) FROM media WHERE examined_at IS NULL AND missing_since IS NULL";
        self.ask(|records| records.query_row(sql, [], |row| row.get(0)))
            .unwrap_or(i64::MAX)
    }

    /// The open alerts, in plain words.
    pub(crate) fn alerts(&self) -> Vec<String> {
        self.ask(|records| {
            records
                .prepare_cached("SELECT text FROM alerts WHERE resolved_at IS NULL ORDER BY id")?
                .query_map([], |row| row.get(0))?
                .collect()
        })
        .unwrap_or_default()
    }

    /// Scans that changed anything.
    pub(crate) fn count_scans(&self) -> i64 {
        self.ask(|records| {
            records.query_row("SELECT count(*) FROM runs WHERE job = 'scan'", [], |row| {
                row.get(0)
            })
        })
        .unwrap_or_default()
    }
}
