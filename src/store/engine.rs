//! The seam between the store and a database. It is cut below the SQL, so that every statement is written once and both
//! engines run the same text; what differs between them fits in one file each.

use super::error::{Error, Result};
use super::value::{Row, Value};

/// How a transaction is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Only looks.
    Read,
    /// Writes; a power cut may lose the last moments of it, never half of it.
    Write,
    /// Writes, and is on the disk when it returns: for what a person was told is done.
    Durable,
}

/// A database engine. One thread owns it and nobody else ever waits for it.
pub(crate) trait Engine: Send {
    /// Brings the schema to this program's version; refuses a newer one.
    fn migrate(&mut self) -> Result<()>;

    /// Runs `work` in one transaction, which is committed if it returns well and leaves no trace otherwise. Writers come one
    /// after the other, on every engine. `work` may be run again, if the connection was lost before it was done.
    fn transaction(
        &mut self,
        mode: Mode,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<()>,
    ) -> Result<()>;

    /// A mark that is another one after every change of the records, whoever made it. Finding it out costs next to nothing.
    fn edition(&mut self) -> Result<String>;

    /// Claims the database, for as long as the engine lives. False if another one has it.
    fn claim(&mut self) -> Result<bool>;

    /// Whether another engine has claimed the database. It leaves no trace, whoever asks.
    fn is_claimed(&mut self) -> Result<bool>;
}

/// An open transaction. Parameters are `?1`, `?2`, … in every statement, on both engines.
pub(crate) trait Tx {
    /// Runs a statement; returns how many rows it changed.
    fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64>;

    /// Runs a query; returns its rows.
    fn query(&mut self, sql: &'static str, params: &[Value]) -> Result<Vec<Row>>;
}

impl dyn Tx + '_ {
    /// The first row of a query, if there is one.
    pub(crate) fn first(&mut self, sql: &'static str, params: &[Value]) -> Result<Option<Row>> {
        Ok(self.query(sql, params)?.into_iter().next())
    }

    /// The one number a query gives; 0 if it gives none.
    pub(crate) fn count(&mut self, sql: &'static str, params: &[Value]) -> Result<u64> {
        match self.first(sql, params)? {
            Some(row) => row.cells().number(),
            None => Ok(0),
        }
    }
}

/// A transaction whose first failed statement is its last, whatever the closure makes of the error. Left to themselves
/// SQLite goes on after some errors and not after others, and PostgreSQL answers `COMMIT` with a silent rollback.
pub(super) struct Strict<'a> {
    tx: &'a mut (dyn Tx + 'a),
    failed: Option<Error>,
}

impl<'a> Strict<'a> {
    pub(super) fn new(tx: &'a mut (dyn Tx + 'a)) -> Self {
        Self { tx, failed: None }
    }

    /// The error of the statement that failed, if one did.
    pub(super) fn verdict(self) -> Result<()> {
        self.failed.map_or(Ok(()), Err)
    }

    fn unless_failed<T>(&mut self, run: impl FnOnce(&mut dyn Tx) -> Result<T>) -> Result<T> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        run(self.tx).inspect_err(|error| self.failed = Some(error.clone()))
    }
}

impl Tx for Strict<'_> {
    fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64> {
        self.unless_failed(|tx| tx.execute(sql, params))
    }

    fn query(&mut self, sql: &'static str, params: &[Value]) -> Result<Vec<Row>> {
        self.unless_failed(|tx| tx.query(sql, params))
    }
}

/// What a writing statement in a transaction that only looks is told, by every engine.
pub(super) fn only_looks() -> Error {
    Error::Refused("a transaction that only looks cannot write".to_owned())
}
