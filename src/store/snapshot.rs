//! A SQLite database as it is at one moment: copied beside whoever works with it, and looked at whether it is whole.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::error::{Error, Result};
use super::place::Place;

/// What a database holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Content {
    /// The number of its newest migration; 0 if it is not ours.
    pub(crate) schema: u64,
    /// How many rows each table has.
    pub(crate) rows: BTreeMap<String, u64>,
}

/// Copies the database at `from` to `to`, and tells what is in it at that moment. Whoever works with it goes on meanwhile. It
/// is for the caller to bring the copy to the disk.
///
/// # Errors
/// If there is no database at `from`, it is damaged where it was read, or the copy cannot be written.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<Content> {
    let place = Place::new(from);
    place.must_be_files()?;
    let run = || -> rusqlite::Result<(Content, StepResult)> {
        let source = open(&place)?;
        // All that follows is of this one moment.
        let moment = source.unchecked_transaction()?;
        let content = content(&moment)?;
        let mut target = Connection::open(to)?;
        target.pragma_update(None, "synchronous", "OFF")?;
        let copied = Backup::new(&source, &mut target)?.step(-1)?;
        Ok((content, copied))
    };
    match run().map_err(|error| place.explain(&error))? {
        (content, StepResult::Done) => Ok(content),
        (_, ended) => Err(Error::Busy(format!(
            "{place} could not be copied: {ended:?}"
        ))),
    }
}

/// Looks through every page of the database at `path`, and tells what is in it.
///
/// # Errors
/// If there is none, or it is damaged.
pub(crate) fn examine(path: &Path) -> Result<Content> {
    let place = Place::new(path);
    place.must_be_files()?;
    let run = || -> rusqlite::Result<(Option<String>, Content)> {
        let source = open(&place)?;
        let moment = source.unchecked_transaction()?;
        let flaw = match first(&moment, "PRAGMA integrity_check")? {
            Some(verdict) if verdict != "ok" => Some(verdict),
            _ => first(&moment, "PRAGMA foreign_key_check")?
                .map(|table| format!("a row of `{table}` points to one that is not there")),
        };
        Ok((flaw, content(&moment)?))
    };
    match run().map_err(|error| place.explain(&error))? {
        (None, content) => Ok(content),
        (Some(flaw), _) => Err(place.damaged(&flaw)),
    }
}

/// Whether the database at `path` is whole, by a look that is quick enough for every start. There need be none.
///
/// # Errors
/// If it is damaged, or cannot be read.
pub(crate) fn glance(path: &Path) -> Result<()> {
    let place = Place::new(path);
    place.must_be_files()?;
    if !place.is_there() {
        return place.must_not_be_lost();
    }
    let verdict = open(&place).and_then(|source| first(&source, "PRAGMA quick_check(1)"));
    match verdict.map_err(|error| place.explain(&error))? {
        Some(verdict) if verdict != "ok" => Err(place.damaged(&verdict)),
        _ => Ok(()),
    }
}

/// Opens it to look at it, and does nothing for what is written in it.
pub(super) fn open(place: &Place) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&place.path, flags)?;
    connection.busy_timeout(place.patience)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    Ok(connection)
}

/// The first column of the first row.
fn first(connection: &Connection, sql: &str) -> rusqlite::Result<Option<String>> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    rows.next()?.map(|row| row.get(0)).transpose()
}

fn content(connection: &Connection) -> rusqlite::Result<Content> {
    let mut statement = connection.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
    )?;
    let tables = statement
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<String>>>()?;
    let count = |table: String| {
        let quoted = table.replace('"', "\"\"");
        let rows = number(connection, &format!("SELECT COUNT(*) FROM \"{quoted}\""))?;
        Ok((table, rows))
    };
    let rows: BTreeMap<_, _> = tables
        .into_iter()
        .map(count)
        .collect::<rusqlite::Result<_>>()?;
    let schema = match rows.contains_key(super::migrations::TABLE) {
        true => number(
            connection,
            "SELECT COALESCE(MAX(version), 0) FROM refinery_schema_history",
        )?,
        false => 0,
    };
    Ok(Content { schema, rows })
}

fn number(connection: &Connection, sql: &str) -> rusqlite::Result<u64> {
    connection.query_one(sql, [], |row| row.get::<_, i64>(0).map(i64::unsigned_abs))
}
