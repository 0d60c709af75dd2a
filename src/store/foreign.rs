//! A database that lay somewhere and may be anybody's by now: whether it is one of ours, told before anything in it is done. A
//! schema holds programs (of triggers, views, checks, indexes), and to look through every row runs some of them.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;

use super::error::{Error, Result};
use super::migrations;
use super::place::Place;
use super::snapshot::open;

/// What SQLite itself keeps, by the beginnings of the names: it makes them for tables of ours, and to plan queries.
const ITS_OWN: &str = "sqlite_";

/// Kinds, names and texts of what a schema consists of.
type Schema = BTreeMap<(String, String), String>;

/// Whether the database at `path` has the schema of one of our versions, and no more.
///
/// # Errors
/// If it has not, or a later one's; if it is damaged or cannot be read.
pub(crate) fn must_be_ours(path: &Path) -> Result<()> {
    let place = Place::new(path);
    place.must_be_files()?;
    let known = migrations::known();
    // The table of versions is the same in all of them, and no other is read before all are known.
    let of_versions = ("table".to_owned(), migrations::TABLE.to_owned());
    let newest = of_version(i32::try_from(known).unwrap_or(i32::MAX))?;
    let look = || {
        let source = open(&place)?;
        let found = schema(&source)?;
        let version = match found.get(&of_versions) == newest.get(&of_versions) {
            true => source.query_one(
                "SELECT COALESCE(MAX(version), 0) FROM refinery_schema_history",
                [],
                |row| row.get(0),
            )?,
            false => 0,
        };
        Ok((found, version))
    };
    let (found, version) = look().map_err(|error: rusqlite::Error| place.explain(&error))?;
    if version > known {
        return Err(Error::Newer {
            found: version,
            known,
        });
    }
    let Some(version) = i32::try_from(version).ok().filter(|version| *version > 0) else {
        return Err(Error::unexpected("it is no database of Storyline"));
    };
    let ours = of_version(version)?;
    for ((kind, name), text) in &found {
        match ours.get(&(kind.clone(), name.clone())) {
            Some(own) if own == text => {}
            Some(_) => {
                return Err(Error::unexpected(format!(
                    "the {kind} {name:?} is another than that of its version"
                )));
            }
            None => {
                return Err(Error::unexpected(format!(
                    "a {kind} {name:?}, which is none of Storyline's"
                )));
            }
        }
    }
    match ours.keys().find(|key| !found.contains_key(key)) {
        None => Ok(()),
        Some((kind, name)) => Err(Error::unexpected(format!("no {kind} {name:?}"))),
    }
}

/// The schema of a version of ours, made anew in memory.
fn of_version(version: i32) -> Result<Schema> {
    let odd = |error: rusqlite::Error| Error::unexpected(error);
    let mut scratch = Connection::open_in_memory().map_err(odd)?;
    migrations::run_to(&mut scratch, version)?;
    schema(&scratch).map_err(odd)
}

fn schema(connection: &Connection) -> rusqlite::Result<Schema> {
    let mut statement = connection.prepare("SELECT type, name, sql FROM sqlite_schema")?;
    let rows = statement.query_map([], |row| {
        let text: Option<String> = row.get(2)?;
        Ok(((row.get(0)?, row.get(1)?), alike(&text.unwrap_or_default())))
    })?;
    let is_ours = |row: &rusqlite::Result<((String, String), String)>| !matches!(row, Ok(((kind, name), _)) if name.starts_with(ITS_OWN) && (kind == "table" || kind == "index"));
    rows.filter(is_ours).collect()
}

/// A text without what one version of SQLite writes otherwise than another.
fn alike(text: &str) -> String {
    let is_said = |letter: &char| !letter.is_whitespace() && !"\"`[]".contains(*letter);
    text.chars()
        .filter(is_said)
        .collect::<String>()
        .to_lowercase()
}
