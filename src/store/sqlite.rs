//! SQLite, built in: the engine of a box.

use std::fmt;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::engine::{Engine, Mode, Tx, only_looks};
use super::error::{Error, Result};
use super::migrations;
use super::value::{Row, Value};

pub(crate) struct Sqlite {
    connection: Connection,
    place: Place,
    /// What the connection was last told of `synchronous`.
    durable: bool,
    claim: Option<File>,
}

impl Sqlite {
    /// Opens the database at `path`, and makes it if there never was one. Writers wait for each other for `patience`.
    pub(crate) fn open(path: &Path, patience: Duration) -> Result<Self> {
        let place = Place {
            path: path.to_owned(),
            patience,
        };
        place.must_not_be_lost()?;
        let connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE
                | OpenFlags::SQLITE_OPEN_CREATE
                | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )
        .map_err(|error| place.explain(&error))?;
        let prepare = || -> rusqlite::Result<()> {
            // First of all, or the next lines may meet the other process and fail.
            connection.busy_timeout(patience)?;
            use_wal(&connection, patience)?;
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            connection.pragma_update(None, "foreign_keys", "ON")?;
            connection.pragma_update(None, "journal_size_limit", 4 << 20)?;
            connection.set_prepared_statement_cache_capacity(128);
            // A statement is planned once, not again for every other value that it is given: no plan of ours hangs on one.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
            Ok(())
        };
        prepare().map_err(|error| place.explain(&error))?;
        Ok(Self {
            connection,
            place,
            durable: false,
            claim: None,
        })
    }
}

/// Has the database write ahead. The one statement that does not wait for another process by itself: two that make the
/// same new database at once would be refused.
fn use_wal(connection: &Connection, patience: Duration) -> rusqlite::Result<()> {
    let began = Instant::now();
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && began.elapsed() < patience =>
            {
                std::thread::yield_now();
            }
            ended => return ended,
        }
    }
}

impl Engine for Sqlite {
    fn migrate(&mut self) -> Result<()> {
        migrations::run(&mut self.connection, |error| self.place.explain(error))
    }

    fn transaction(
        &mut self,
        mode: Mode,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<()>,
    ) -> Result<()> {
        let place = &self.place;
        let durable = mode == Mode::Durable;
        if mode != Mode::Read && durable != self.durable {
            let level = if durable { "FULL" } else { "NORMAL" };
            self.connection
                .pragma_update(None, "synchronous", level)
                .map_err(|error| place.explain(&error))?;
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
            .map_err(|error| place.explain(&error))?;
        work(&mut SqliteTx {
            connection: &transaction,
            place,
            only_looks: mode == Mode::Read,
        })?;
        transaction.commit().map_err(|error| place.explain(&error))
    }

    fn claim(&mut self) -> Result<bool> {
        if self.claim.is_some() {
            return Ok(true);
        }
        let name = self.place.lock();
        let unavailable = |error: &dyn fmt::Display| {
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
        if self.claim.is_some() {
            return Ok(false);
        }
        let name = self.place.lock();
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

struct SqliteTx<'a> {
    connection: &'a Connection,
    place: &'a Place,
    only_looks: bool,
}

impl SqliteTx<'_> {
    fn prepared(&self, sql: &'static str) -> Result<CachedStatement<'_>> {
        let statement = self
            .connection
            .prepare_cached(sql)
            .map_err(|error| self.place.explain(&error))?;
        if self.only_looks && !statement.readonly() {
            return Err(only_looks());
        }
        Ok(statement)
    }
}

impl Tx for SqliteTx<'_> {
    fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64> {
        self.prepared(sql)?
            .execute(rusqlite::params_from_iter(params))
            .map(|changed| changed as u64)
            .map_err(|error| self.place.explain(&error))
    }

    fn query(&mut self, sql: &'static str, params: &[Value]) -> Result<Vec<Row>> {
        let mut statement = self.prepared(sql)?;
        let width = statement.column_count();
        let mut run = || -> rusqlite::Result<Vec<Row>> {
            let rows = statement.query_map(rusqlite::params_from_iter(params), |row| {
                (0..width)
                    .map(|index| cell(row, index))
                    .collect::<rusqlite::Result<Vec<Value>>>()
                    .map(Row)
            })?;
            rows.collect()
        };
        run().map_err(|error| self.place.explain(&error))
    }
}

fn cell(row: &rusqlite::Row<'_>, index: usize) -> rusqlite::Result<Value> {
    match row.get_ref(index)? {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(number) => Ok(Value::Integer(number)),
        ValueRef::Text(text) => Ok(Value::Text(String::from_utf8_lossy(text).into_owned())),
        other @ (ValueRef::Real(_) | ValueRef::Blob(_)) => Err(rusqlite::Error::InvalidColumnType(
            index,
            "integer or text".to_owned(),
            other.data_type(),
        )),
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

/// Where the database is, for the sentences that name it.
struct Place {
    path: PathBuf,
    patience: Duration,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)
    }
}

impl Place {
    /// The file by whose lock a daemon claims the database. It stays when the daemon ends.
    fn lock(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".lock");
        name.into()
    }

    /// A database that a daemon has worked with and that is gone, or empty, is a loss to be told of; SQLite would make a new
    /// one in silence.
    fn must_not_be_lost(&self) -> Result<()> {
        let is_there = std::fs::metadata(&self.path).is_ok_and(|file| file.len() > 0);
        let lock = self.lock();
        if is_there || !lock.exists() {
            return Ok(());
        }
        Err(Error::Unavailable(format!(
            "{self} was there and is gone, or empty; restore a backup. To begin anew on purpose, delete {} too",
            lock.display()
        )))
    }

    fn explain(&self, error: &rusqlite::Error) -> Error {
        Error::Unavailable(match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                return Error::Busy(format!(
                    "another process has been writing to {self} for {} seconds",
                    self.patience.as_secs_f32()
                ));
            }
            Some(ErrorCode::ConstraintViolation) => return Error::Refused(error.to_string()),
            Some(ErrorCode::DiskFull) => format!(
                "{self} cannot grow: the disk is full; free some space and it goes on by itself"
            ),
            Some(ErrorCode::ReadOnly) => {
                format!("{self} cannot be written: the disk or the file is read-only ({error})")
            }
            Some(ErrorCode::DatabaseCorrupt) => format!(
                "{self} is damaged ({error}); stop the service, keep the file, and restore a backup"
            ),
            Some(ErrorCode::NotADatabase) => format!(
                "{self} is no database, or damaged from its first byte on; if the path is right, keep the file and \
                 restore a backup"
            ),
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                format!("{self} cannot be opened: {}", self.why_not_opened())
            }
            _ => format!("{self} gave an error: {error}"),
        })
    }

    fn why_not_opened(&self) -> String {
        let folder = self.path.parent().unwrap_or(&self.path);
        if self.path.is_dir() {
            "it is a folder, and a file is needed".to_owned()
        } else if !folder.is_dir() {
            format!("there is no folder {}", folder.display())
        } else {
            format!(
                "this user may not write in {}, or its disk is read-only",
                folder.display()
            )
        }
    }
}
