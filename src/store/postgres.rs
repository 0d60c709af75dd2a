//! PostgreSQL: the engine of a team that outgrew one box.

use std::collections::HashMap;
use std::error::Error as _;

use postgres::error::SqlState;
use postgres::types::{Format, IsNull, ToSql, Type, private::BytesMut};
use postgres::{Client, NoTls, Statement};

use super::engine::{Engine, Mode, Tx};
use super::error::{Error, Result};
use super::migrations;
use super::value::{Row, Value};

/// The advisory lock that the one daemon of a database holds ("storyline", in a number).
const CLAIM: i64 = 0x5354_4f52_594c_494e;
/// How often a transaction gives way to another one before it gives up.
const MOST_CONFLICTS: u32 = 10;

pub(crate) struct Postgres {
    url: String,
    client: Client,
    statements: HashMap<&'static str, Statement>,
    claimed: bool,
}

impl Postgres {
    /// Connects. `url` is libpq's, `postgres://user@host/database`.
    pub(crate) fn open(url: &str) -> Result<Self> {
        Ok(Self {
            url: url.to_owned(),
            client: connect(url)?,
            statements: HashMap::new(),
            claimed: false,
        })
    }

    /// The server may have been restarted since; begin again rather than fail once for each old connection.
    fn reconnect_if_closed(&mut self) -> Result<()> {
        if !self.client.is_closed() {
            return Ok(());
        }
        self.statements.clear();
        self.client = connect(&self.url)?;
        if self.claimed && !self.try_claim()? {
            return Err(Error::Unavailable(
                "was claimed by another daemon while the connection was lost".to_owned(),
            ));
        }
        Ok(())
    }

    fn try_claim(&mut self) -> Result<bool> {
        let row = self
            .client
            .query_one("SELECT pg_try_advisory_lock($1)", &[&CLAIM])
            .map_err(explain)?;
        Ok(row.get(0))
    }

    fn once(&mut self, mode: Mode, work: &mut dyn FnMut(&mut dyn Tx) -> Result<()>) -> Result<()> {
        let mut transaction = self
            .client
            .build_transaction()
            .read_only(mode == Mode::Read)
            .start()
            .map_err(explain)?;
        if mode == Mode::Write {
            transaction
                .batch_execute("SET LOCAL synchronous_commit = off")
                .map_err(explain)?;
        }
        let mut tx = PostgresTx {
            transaction,
            statements: &mut self.statements,
        };
        work(&mut tx)?;
        tx.transaction.commit().map_err(explain)
    }
}

impl Engine for Postgres {
    fn migrate(&mut self) -> Result<()> {
        migrations::run(&mut self.client)
    }

    fn transaction(
        &mut self,
        mode: Mode,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<()>,
    ) -> Result<()> {
        self.reconnect_if_closed()?;
        let mut conflicts = 0;
        loop {
            match self.once(mode, work) {
                Err(Error::Busy(_)) if conflicts < MOST_CONFLICTS => conflicts += 1,
                ended => return ended,
            }
        }
    }

    fn claim(&mut self) -> Result<bool> {
        self.reconnect_if_closed()?;
        self.claimed = self.try_claim()?;
        Ok(self.claimed)
    }

    fn is_claimed(&mut self) -> Result<bool> {
        self.reconnect_if_closed()?;
        let row = self
            .client
            .query_one(
                "SELECT EXISTS (SELECT 1 FROM pg_locks
                     WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND pid <> pg_backend_pid()
                         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                         AND ((classid::bigint << 32) | objid::bigint) = $1)",
                &[&CLAIM],
            )
            .map_err(explain)?;
        Ok(row.get(0))
    }
}

struct PostgresTx<'a> {
    transaction: postgres::Transaction<'a>,
    statements: &'a mut HashMap<&'static str, Statement>,
}

impl PostgresTx<'_> {
    fn prepared(&mut self, sql: &'static str) -> Result<Statement> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.transaction.prepare(&respelled(sql)).map_err(explain)?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }
}

impl Tx for PostgresTx<'_> {
    fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64> {
        let statement = self.prepared(sql)?;
        self.transaction
            .execute(&statement, &borrowed(params))
            .map_err(explain)
    }

    fn query(&mut self, sql: &'static str, params: &[Value]) -> Result<Vec<Row>> {
        let statement = self.prepared(sql)?;
        let rows = self
            .transaction
            .query(&statement, &borrowed(params))
            .map_err(explain)?;
        rows.iter()
            .map(|row| {
                (0..row.len())
                    .map(|index| cell(row, index))
                    .collect::<Result<Vec<Value>>>()
                    .map(Row)
            })
            .collect()
    }
}

fn borrowed(params: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    params
        .iter()
        .map(|value| value as &(dyn ToSql + Sync))
        .collect()
}

fn cell(row: &postgres::Row, index: usize) -> Result<Value> {
    let read = || -> std::result::Result<Value, postgres::Error> {
        Ok(match *row.columns()[index].type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(index)?.into(),
            Type::INT4 => row.try_get::<_, Option<i32>>(index)?.into(),
            _ => row.try_get::<_, Option<String>>(index)?.into(),
        })
    };
    read().map_err(explain)
}

impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(number) if *ty == Type::INT4 => i32::try_from(*number)?.to_sql(ty, out),
            Self::Integer(number) if *ty == Type::INT8 => number.to_sql(ty, out),
            Self::Text(text) if <&str as ToSql>::accepts(ty) => text.as_str().to_sql(ty, out),
            _ => Err(format!("{self:?} cannot be a {ty}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true // decided with the value in hand
    }

    fn to_sql_checked(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        self.to_sql(ty, out)
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Binary
    }
}

/// The statement with PostgreSQL's `$1` for the common dialect's `?1`. No statement of ours has a question mark in a text.
fn respelled(sql: &str) -> String {
    sql.replace('?', "$")
}

fn connect(url: &str) -> Result<Client> {
    Client::connect(url, NoTls).map_err(explain)
}

/// The server's reason; the URL, with its password, is in none of these texts.
fn explain(error: postgres::Error) -> Error {
    let mut text = error.to_string();
    if let Some(db) = error.as_db_error() {
        text = db.message().to_owned();
        if let Some(constraint) = db.constraint() {
            text = format!("{text} ({constraint})");
        }
    } else if let Some(source) = error.source() {
        text = format!("{text}: {source}");
    }
    match error.code() {
        Some(
            &SqlState::T_R_SERIALIZATION_FAILURE
            | &SqlState::T_R_DEADLOCK_DETECTED
            | &SqlState::LOCK_NOT_AVAILABLE,
        ) => Error::Busy(text),
        Some(code) if code.code().starts_with("23") => Error::Refused(text),
        Some(_) => Error::Unavailable(format!("gave an error: {text}")),
        None => Error::Unavailable(format!(
            "server cannot be reached: {text}; is `[database] url` right, and is the server up?"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_respelled() {
        assert_eq!(respelled("SELECT ?1, ?12"), "SELECT $1, $12");
    }
}
