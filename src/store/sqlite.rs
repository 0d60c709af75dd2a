//! SQLite, built in: the engine of a box.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::engine::{Engine, Mode, Tx};
use super::error::{Error, Result};
use super::migrations;
use super::value::{Row, Value};

/// How long a writer waits for the other process (the daemon for the command line, or the reverse).
const BUSY: Duration = Duration::from_secs(10);

pub(crate) struct Sqlite {
    connection: Connection,
    path: PathBuf,
    /// What the connection was last told of `synchronous`.
    durable: bool,
    claim: Option<File>,
}

impl Sqlite {
    /// Opens the database at `path`, and makes it if there is none.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE
                | OpenFlags::SQLITE_OPEN_CREATE
                | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )
        .map_err(|error| at(path, error))?;
        let prepare = || -> rusqlite::Result<()> {
            // First of all, or the next lines may meet the other process and fail.
            connection.busy_timeout(BUSY)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            connection.pragma_update(None, "foreign_keys", "ON")?;
            connection.pragma_update(None, "journal_size_limit", 4 << 20)?;
            connection.set_prepared_statement_cache_capacity(96);
            Ok(())
        };
        prepare().map_err(|error| at(path, error))?;
        Ok(Self {
            connection,
            path: path.to_owned(),
            durable: false,
            claim: None,
        })
    }
}

impl Engine for Sqlite {
    fn migrate(&mut self) -> Result<()> {
        migrations::run(&mut self.connection).map_err(|error| match error {
            Error::Unavailable(reason) => {
                Error::Unavailable(format!("{}: {reason}", self.path.display()))
            }
            other => other,
        })
    }

    fn transaction(
        &mut self,
        mode: Mode,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<()>,
    ) -> Result<()> {
        let durable = mode == Mode::Durable;
        if mode != Mode::Read && durable != self.durable {
            let level = if durable { "FULL" } else { "NORMAL" };
            self.connection
                .pragma_update(None, "synchronous", level)
                .map_err(|error| at(&self.path, error))?;
            self.durable = durable;
        }
        // A writer takes its place at once: one that started as a reader could be refused half-way.
        let behavior = match mode {
            Mode::Read => TransactionBehavior::Deferred,
            Mode::Write | Mode::Durable => TransactionBehavior::Immediate,
        };
        let transaction = self
            .connection
            .transaction_with_behavior(behavior)
            .map_err(|error| at(&self.path, error))?;
        work(&mut SqliteTx {
            connection: &transaction,
            path: &self.path,
        })?;
        transaction.commit().map_err(|error| at(&self.path, error))
    }

    fn claim(&mut self) -> Result<bool> {
        let name = lock_beside(&self.path);
        let unavailable = |error: &dyn std::fmt::Display| {
            Error::Unavailable(format!("cannot be locked at {}: {error}", name.display()))
        };
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&name)
            .map_err(|error| unavailable(&error))?;
        match file.try_lock() {
            Ok(()) => {
                self.claim = Some(file);
                Ok(true)
            }
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(unavailable(&error)),
        }
    }

    fn is_claimed(&mut self) -> Result<bool> {
        let name = lock_beside(&self.path);
        // Not made if it is not there: the daemon's user might not be able to open what another user has made.
        let file = match File::open(&name) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => {
                return Err(Error::Unavailable(format!(
                    "has a lock that cannot be read at {}: {error}",
                    name.display()
                )));
            }
        };
        Ok(matches!(
            file.try_lock_shared(),
            Err(TryLockError::WouldBlock)
        ))
    }
}

/// The file that a daemon locks to claim the database.
fn lock_beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

struct SqliteTx<'a> {
    connection: &'a Connection,
    path: &'a Path,
}

impl Tx for SqliteTx<'_> {
    fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64> {
        let run = || -> rusqlite::Result<usize> {
            self.connection
                .prepare_cached(sql)?
                .execute(rusqlite::params_from_iter(params))
        };
        run()
            .map(|changed| changed as u64)
            .map_err(|error| at(self.path, error))
    }

    fn query(&mut self, sql: &'static str, params: &[Value]) -> Result<Vec<Row>> {
        let run = || -> rusqlite::Result<Vec<Row>> {
            let mut statement = self.connection.prepare_cached(sql)?;
            let width = statement.column_count();
            let rows = statement.query_map(rusqlite::params_from_iter(params), |row| {
                (0..width)
                    .map(|index| {
                        Ok(match row.get_ref(index)? {
                            ValueRef::Null => Value::Null,
                            ValueRef::Integer(number) => Value::Integer(number),
                            ValueRef::Text(text) => {
                                Value::Text(String::from_utf8_lossy(text).into_owned())
                            }
                            ValueRef::Real(_) | ValueRef::Blob(_) => {
                                return Err(rusqlite::Error::InvalidColumnType(
                                    index,
                                    "integer or text".to_owned(),
                                    row.get_ref(index)?.data_type(),
                                ));
                            }
                        })
                    })
                    .collect::<rusqlite::Result<Vec<Value>>>()
                    .map(Row)
            })?;
            rows.collect()
        };
        run().map_err(|error| at(self.path, error))
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

fn at(path: &Path, error: rusqlite::Error) -> Error {
    let place = path.display();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Busy(format!(
            "another process has held {place} for {} seconds",
            BUSY.as_secs()
        )),
        Some(ErrorCode::ConstraintViolation) => Error::Refused(error.to_string()),
        Some(ErrorCode::DiskFull) => Error::Unavailable(format!(
            "{place} cannot grow: the disk is full; free some space and it goes on by itself"
        )),
        Some(ErrorCode::ReadOnly) => Error::Unavailable(format!(
            "{place} cannot be written: the disk or the file is read-only ({error})"
        )),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Error::Unavailable(format!(
            "{place} is damaged ({error}); stop the service, keep the file, and restore a backup"
        )),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => Error::Unavailable(format!(
            "{place} cannot be opened ({error}); does its folder exist, and may this user write in it?"
        )),
        _ => Error::Unavailable(format!("{place} gave an error: {error}")),
    }
}
