//! PostgreSQL: the engine of a team that outgrew one box.

use std::collections::HashMap;
use std::error::Error as _;
use std::time::Duration;

use postgres::error::SqlState;
use postgres::types::{Format, IsNull, ToSql, Type, private::BytesMut};
use postgres::{Client, Config, IsolationLevel, NoTls, Statement};

use super::engine::{Engine, Mode, Tx, only_looks};
use super::error::{Error, Result};
use super::migrations;
use super::value::{Row, Value};

/// The advisory lock that the one daemon of a database holds ("storylin", in a number).
const CLAIM: i64 = 0x7374_6f72_796c_696e;
/// Takes the claim, if nobody has it.
const TAKE_CLAIM: &str = "SELECT pg_try_advisory_lock($1)";
/// The advisory lock that every writer holds: writers come one after the other, as in SQLite, so that a closure means the
/// same on both engines.
const WRITING: i64 = CLAIM + 1;
/// How long a server that does not answer at all is waited for.
const SILENCE: Duration = Duration::from_secs(30);

pub(crate) struct Postgres {
    config: Config,
    patience: Duration,
    /// Nothing, after the connection was lost.
    connection: Option<Connection>,
    claimed: bool,
}

struct Connection {
    client: Client,
    statements: HashMap<&'static str, Statement>,
}

/// When a transaction failed.
enum Failed {
    /// Before its end: it has left no trace.
    Early(Error),
    /// While it was being committed.
    AtTheEnd(Error),
}

impl Postgres {
    /// Connects. `url` is libpq's, `postgres://user@host/database`. Writers wait for each other for `patience`.
    pub(crate) fn open(url: &str, patience: Duration) -> Result<Self> {
        let mut config: Config = url.parse().map_err(|error: postgres::Error| {
            Error::Unavailable(format!("cannot be found: `[database] url`: {error}"))
        })?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(SILENCE);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE);
        }
        let mut postgres = Self {
            config,
            patience,
            connection: None,
            claimed: false,
        };
        postgres.connected()?;
        Ok(postgres)
    }

    /// The connection; a new one if the last was lost. A claim goes over to the new one, or there is none.
    fn connected(&mut self) -> Result<&mut Connection> {
        if self
            .connection
            .as_ref()
            .is_none_or(|old| old.client.is_closed())
        {
            self.connection = None;
            let mut client = self
                .config
                .connect(NoTls)
                .map_err(|error| self.explain(&error))?;
            client
                .batch_execute(&format!(
                    "SET lock_timeout = {}",
                    self.patience.as_millis().max(1)
                ))
                .map_err(|error| self.explain(&error))?;
            if self.claimed
                && !ask(&mut client, TAKE_CLAIM).map_err(|error| self.explain(&error))?
            {
                return Err(Error::Unavailable(
                    "was claimed by another daemon while the connection was lost, or the server holds the lost \
                     connection for alive still"
                        .to_owned(),
                ));
            }
            self.connection = Some(Connection {
                client,
                statements: HashMap::new(),
            });
        }
        self.connection
            .as_mut()
            .ok_or_else(|| Error::unexpected("a connection that is there and is not"))
    }

    fn once(
        &mut self,
        mode: Mode,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<()>,
    ) -> std::result::Result<(), Failed> {
        let patience = self.patience;
        let early = |error: postgres::Error| Failed::Early(explain(&error, patience));
        let connection = self.connected().map_err(Failed::Early)?;
        let begin = connection.client.build_transaction();
        let mut transaction = match mode {
            // One picture of the database, however many queries.
            Mode::Read => begin
                .read_only(true)
                .isolation_level(IsolationLevel::RepeatableRead),
            Mode::Write | Mode::Durable => begin.isolation_level(IsolationLevel::ReadCommitted),
        }
        .start()
        .map_err(early)?;
        let first = match mode {
            Mode::Read => String::new(),
            Mode::Write => format!(
                "SET LOCAL synchronous_commit = off; SELECT pg_advisory_xact_lock({WRITING})"
            ),
            Mode::Durable => format!("SELECT pg_advisory_xact_lock({WRITING})"),
        };
        if !first.is_empty() {
            transaction.batch_execute(&first).map_err(early)?;
        }
        let mut tx = PostgresTx {
            transaction,
            statements: &mut connection.statements,
            patience,
            only_looks: mode == Mode::Read,
        };
        work(&mut tx).map_err(Failed::Early)?;
        tx.transaction
            .commit()
            .map_err(|error| Failed::AtTheEnd(explain(&error, patience)))
    }

    /// Whether the connection was lost, of which its client only learns when it uses it.
    fn is_lost(&mut self) -> bool {
        let lost = self
            .connection
            .as_mut()
            .is_some_and(|connection| connection.client.is_valid(SILENCE).is_err());
        if lost {
            self.connection = None;
        }
        lost
    }

    /// Asks something of the claim, over a new connection if the last was lost.
    fn ask(&mut self, question: &str) -> Result<bool> {
        let first = ask(&mut self.connected()?.client, question);
        match first {
            Err(_) if self.is_lost() => ask(&mut self.connected()?.client, question),
            answered => answered,
        }
        .map_err(|error| self.explain(&error))
    }

    fn explain(&self, error: &postgres::Error) -> Error {
        explain(error, self.patience)
    }
}

impl Engine for Postgres {
    fn migrate(&mut self) -> Result<()> {
        let patience = self.patience;
        let client = &mut self.connected()?.client;
        // The first tables of two processes that begin at once would meet.
        client
            .batch_execute(&format!("SELECT pg_advisory_lock({WRITING})"))
            .map_err(|error| explain(&error, patience))?;
        // A server has backups of its own, and undoes a migration that fails.
        let migrated = migrations::run(client, |_| Ok(()), |error| explain(error, patience));
        let unlocked = client
            .batch_execute(&format!("SELECT pg_advisory_unlock({WRITING})"))
            .map_err(|error| explain(&error, patience));
        migrated.and(unlocked)
    }

    fn transaction(
        &mut self,
        mode: Mode,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<()>,
    ) -> Result<()> {
        match self.once(mode, work) {
            Ok(()) => Ok(()),
            // The server was restarted, or cut an idle connection: nothing was done yet, so it is done on a new one.
            Err(Failed::Early(Error::Unavailable(_))) if self.is_lost() => {
                self.once(mode, work).map_err(Failed::into_error)
            }
            Err(failed) => Err(failed.into_error()),
        }
    }

    fn edition(&mut self) -> Result<String> {
        // Who only looks gets no number, so this is another text when somebody has written, or has begun to.
        let mut edition = String::new();
        self.transaction(Mode::Read, &mut |tx| {
            let snapshot = tx.first("SELECT txid_current_snapshot()::text", &[])?;
            edition = match snapshot {
                Some(row) => row.cells().text()?,
                None => String::new(),
            };
            Ok(())
        })?;
        Ok(edition)
    }

    fn claim(&mut self) -> Result<bool> {
        if !self.claimed {
            self.claimed = self.ask(TAKE_CLAIM)?;
        }
        Ok(self.claimed)
    }

    fn is_claimed(&mut self) -> Result<bool> {
        self.ask(
            "SELECT EXISTS (SELECT 1 FROM pg_locks
                 WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND pid <> pg_backend_pid()
                     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                     AND ((classid::bigint << 32) | objid::bigint) = $1)",
        )
    }
}

impl Failed {
    fn into_error(self) -> Error {
        match self {
            Self::Early(error) => error,
            Self::AtTheEnd(Error::Unavailable(reason)) => Error::Unavailable(format!(
                "{reason} (it happened while a change was being committed: whether it holds is seen by looking)"
            )),
            Self::AtTheEnd(error) => error,
        }
    }
}

fn ask(client: &mut Client, question: &str) -> std::result::Result<bool, postgres::Error> {
    Ok(client.query_one(question, &[&CLAIM])?.get(0))
}

struct PostgresTx<'a> {
    transaction: postgres::Transaction<'a>,
    statements: &'a mut HashMap<&'static str, Statement>,
    patience: Duration,
    only_looks: bool,
}

impl PostgresTx<'_> {
    fn prepared(&mut self, sql: &'static str) -> Result<Statement> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self
            .transaction
            .prepare(&respelled(sql))
            .map_err(|error| self.explain(&error))?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }

    fn explain(&self, error: &postgres::Error) -> Error {
        if self.only_looks && error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) {
            return only_looks();
        }
        explain(error, self.patience)
    }
}

impl Tx for PostgresTx<'_> {
    fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64> {
        let statement = self.prepared(sql)?;
        self.transaction
            .execute(&statement, &borrowed(params))
            .map_err(|error| self.explain(&error))
    }

    fn query(&mut self, sql: &'static str, params: &[Value]) -> Result<Vec<Row>> {
        let statement = self.prepared(sql)?;
        self.transaction
            .query(&statement, &borrowed(params))
            .and_then(|rows| rows.iter().map(row).collect())
            .map_err(|error| self.explain(&error))
    }
}

fn borrowed(params: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    params
        .iter()
        .map(|value| value as &(dyn ToSql + Sync))
        .collect()
}

fn row(row: &postgres::Row) -> std::result::Result<Row, postgres::Error> {
    let cell = |index: usize| -> std::result::Result<Value, postgres::Error> {
        Ok(match *row.columns()[index].type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(index)?.into(),
            Type::INT4 => row.try_get::<_, Option<i32>>(index)?.into(),
            _ => row.try_get::<_, Option<String>>(index)?.into(),
        })
    };
    (0..row.len())
        .map(cell)
        .collect::<std::result::Result<_, _>>()
        .map(Row)
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

/// The server's reason; the URL, with its password, is in none of these texts.
fn explain(error: &postgres::Error, patience: Duration) -> Error {
    let Some(db) = error.as_db_error() else {
        let text = match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        return Error::Unavailable(format!(
            "server cannot be reached: {text}; is `[database] url` right, and is the server up?"
        ));
    };
    let text = match db.constraint() {
        Some(constraint) => format!("{} ({constraint})", db.message()),
        None => db.message().to_owned(),
    };
    match db.code() {
        &SqlState::LOCK_NOT_AVAILABLE => Error::Busy(format!(
            "another process has been writing to it for {} seconds",
            patience.as_secs_f32()
        )),
        &(SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED) => {
            Error::Busy(text)
        }
        &SqlState::DISK_FULL => Error::Unavailable(format!(
            "server cannot grow: its disk is full ({text}); free some space and it goes on by itself"
        )),
        code if code.code().starts_with("23") => Error::Refused(text),
        _ => Error::Unavailable(format!("server gave an error: {text}")),
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
