//! SQLite, built in: the engine of a box.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::engine::{Engine, Mode, Tx, only_looks};
use super::error::Result;
use super::migrations;
use super::place::Place;
use super::value::{Row, Value};

pub(crate) struct Sqlite {
    connection: Connection,
    place: Place,
    /// What the connection was last told of `synchronous`.
    durable: bool,
    claim: Option<File>,
    before_migration: Option<BeforeMigration>,
}

/// What is done before the schema is brought from this version to the newest; the schema stays as it is if that fails.
pub(crate) type BeforeMigration = Box<dyn FnOnce(i64) -> Result<()> + Send>;

impl Sqlite {
    /// Opens the database at `path`, and makes it if there never was one. Writers wait for each other for `patience`.
    pub(crate) fn open(path: &Path, patience: Duration) -> Result<Self> {
        let place = Place::patient(path, patience);
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
            // What a query sorts on the way never touches the card.
            connection.pragma_update(None, "temp_store", "MEMORY")?;
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
            before_migration: None,
        })
    }

    pub(crate) fn before_migration(self, work: BeforeMigration) -> Self {
        Self {
            before_migration: Some(work),
            ..self
        }
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
        let before = self.before_migration.take();
        let before = before.unwrap_or_else(|| Box::new(|_| Ok(())));
        migrations::run(&mut self.connection, before, |error| {
            self.place.explain(error)
        })
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
        if self.claim.is_none() {
            self.claim = self.place.claim()?;
        }
        Ok(self.claim.is_some())
    }

    fn is_claimed(&mut self) -> Result<bool> {
        Ok(self.claim.is_none() && self.place.is_claimed()?)
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
