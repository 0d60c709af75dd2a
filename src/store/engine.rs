//! The seam between the store and a database. It is cut below the SQL, so that every statement is written once and both
//! engines run the same text; what differs between them fits in one file each.

use super::error::Result;
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

    /// Runs `work` in one transaction, which is committed if it returns well and leaves no trace otherwise. `work` may be
    /// run again if the engine had to give way to another process.
    fn transaction(
        &mut self,
        mode: Mode,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<()>,
    ) -> Result<()>;

    /// Claims the database for this process, for as long as the engine lives. False if another one has it.
    fn claim(&mut self) -> Result<bool>;

    /// Whether another process has claimed the database. It leaves no trace, whoever asks.
    fn is_claimed(&mut self) -> Result<bool> {
        Ok(false)
    }
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
