//! SQLite, built in: the engine of a box.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::engine::{Engine, Mode, Tx, only_looks};
use super::error::{Error, Result};
use super::place::Place;
use super::value::{Row, Value};
use super::watched::{Identity, Lost, Watched};
use super::{migrations, snapshot};

/// How often a database that is replaced at that very moment is opened anew.
const TRIES: u32 = 3;

pub(crate) struct Sqlite {
    /// What is worked with, or why that is over: a database that was lost is let go, and whoever opens it anew sees what is
    /// there.
    connection: Result<Connection>,
    watched: Watched,
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
        for _ in 0..TRIES {
            place.must_be_files()?;
            place.must_not_be_lost()?;
            // Which file it is has to be known from before it was opened: another may take its place at any moment.
            let before = Identity::at(path).ok().flatten();
            let connection = connect(&place)?;
            let after = Identity::at(path).ok().flatten();
            if let Some(database) = after
                && before.is_none_or(|before| before == database)
            {
                return Ok(Self {
                    connection: Ok(connection),
                    watched: Watched::new(database),
                    place,
                    durable: false,
                    claim: None,
                    before_migration: None,
                });
            }
        }
        Err(Error::Busy(format!("{place} is replaced again and again")))
    }

    pub(crate) fn before_migration(self, work: BeforeMigration) -> Self {
        Self {
            before_migration: Some(work),
            ..self
        }
    }
}

impl Sqlite {
    fn transact(
        &mut self,
        mode: Mode,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<()>,
    ) -> Result<()> {
        let place = &self.place;
        let connection = self.connection.as_mut().map_err(|error| error.clone())?;
        let durable = mode == Mode::Durable;
        if mode != Mode::Read && durable != self.durable {
            let level = if durable { "FULL" } else { "NORMAL" };
            connection
                .pragma_update(None, "synchronous", level)
                .map_err(|error| place.explain(&error))?;
            self.durable = durable;
        }
        // A writer takes its place at once: one that started as a reader could be refused half-way.
        let behavior = match mode {
            Mode::Read => TransactionBehavior::Deferred,
            Mode::Write | Mode::Durable => TransactionBehavior::Immediate,
        };
        let transaction = connection
            .transaction_with_behavior(behavior)
            .map_err(|error| place.explain(&error))?;
        work(&mut SqliteTx {
            connection: &transaction,
            place,
            only_looks: mode == Mode::Read,
        })?;
        transaction.commit().map_err(|error| place.explain(&error))
    }

    /// Looks whether its files are still those that are worked with; if not, lets go of them. What it holds that is in no file
    /// but the one of before, is brought there first: that may be put back.
    fn must_be_in_place(&mut self) -> Result<()> {
        let connection = self.connection.as_ref().map_err(Clone::clone)?;
        let is_whole = || snapshot::glance(&self.place.path).is_ok();
        let Some(lost) = self.watched.look(&self.place, is_whole)? else {
            return self.must_have_its_claim();
        };
        // Where the file was cut off, it stays as it was found, and so does what is beside it.
        let kept = match lost {
            Lost::Contents => connection
                .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
                .map(drop),
            Lost::Database | Lost::Beside => {
                connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            }
        };
        let error = lost.told(&self.place);
        if let Err(why) = kept {
            tracing::debug!("{error}; and its last changes stay where they are: {why}");
        }
        self.connection = Err(error.clone());
        // The lock is also what tells, without a database, that there was one.
        if self.claim.take().is_some() {
            drop(self.place.claim());
        }
        Err(error)
    }

    /// Claims the database anew where its lock was deleted or replaced, unless another daemon was faster.
    fn must_have_its_claim(&mut self) -> Result<()> {
        let Some(claim) = &self.claim else {
            return Ok(());
        };
        if self.place.is_the_lock(claim)? {
            return Ok(());
        }
        let lock = self.place.lock();
        let Some(claim) = self.place.claim()? else {
            let told = format!(
                "{} is worked with by another storyline too, because {} was deleted or replaced; stop one of them",
                self.place,
                lock.display()
            );
            return Err(Error::Unavailable(told));
        };
        tracing::warn!(
            "{} was deleted or replaced; another one is made",
            lock.display()
        );
        self.claim = Some(claim);
        Ok(())
    }
}

fn connect(place: &Place) -> Result<Connection> {
    let patience = place.patience;
    let connection = Connection::open_with_flags(
        &place.path,
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
    Ok(connection)
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
        let connection = self.connection.as_mut().map_err(|error| error.clone())?;
        migrations::run(connection, before, |error| self.place.explain(error))?;
        // What is kept beside it is there now.
        self.must_be_in_place()
    }

    fn transaction(
        &mut self,
        mode: Mode,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<()>,
    ) -> Result<()> {
        self.must_be_in_place()?;
        self.transact(mode, work)?;
        // Nobody is told that it is done if it went into a file that nobody will find.
        match mode {
            Mode::Read => Ok(()),
            Mode::Write | Mode::Durable => self.must_be_in_place(),
        }
    }

    fn edition(&mut self) -> Result<String> {
        self.must_be_in_place()?;
        let connection = self.connection.as_ref().map_err(Clone::clone)?;
        // One number for what others committed, one for what was changed here.
        let others: i64 = connection
            .pragma_query_value(None, "data_version", |row| row.get(0))
            .map_err(|error| self.place.explain(&error))?;
        Ok(format!("{others}:{}", connection.total_changes()))
    }

    fn claim(&mut self) -> Result<bool> {
        self.must_be_in_place()?;
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
