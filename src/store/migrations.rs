//! The schema's way from any released version to the newest: the files of `migrations/`, one text for both engines.

use refinery::Migrate;
use refinery::error::Kind;

use super::error::{Error, Result};

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// The table in which refinery keeps what was applied.
pub(super) const TABLE: &str = "refinery_schema_history";

/// Brings the schema to the newest version. A schema that is newer than this program is refused and left alone.
/// `before` is told the version of a schema that holds records, before it is changed, and can prevent it; `explain` tells what
/// the engine's own errors mean.
pub(crate) fn run<C, E>(
    connection: &mut C,
    before: impl FnOnce(i64) -> Result<()>,
    explain: impl Fn(&E) -> Error,
) -> Result<()>
where
    C: Migrate,
    E: std::error::Error + 'static,
{
    let unavailable = |error: refinery::Error| {
        let cause = match error.kind() {
            Kind::Connection(_, cause) => cause.downcast_ref(),
            _ => None,
        };
        cause.map_or_else(
            || Error::Unavailable(format!("could not be brought to this version: {error}")),
            &explain,
        )
    };
    // All in one transaction, with the marks that they are done: by default a mark has its own, and a process that is
    // killed between the two leaves a database that can never be opened again.
    let runner = embedded::migrations::runner().set_grouped(true);
    let known = newest(runner.get_migrations());
    let mut last_try: Option<(i64, Error)> = None;
    let mut before = Some(before);
    connection
        .assert_migrations_table(TABLE)
        .map_err(unavailable)?;
    loop {
        let applied = connection
            .get_applied_migrations(TABLE)
            .map_err(unavailable)?;
        let found = newest(&applied);
        if found > known {
            return Err(Error::Newer { found, known });
        }
        if found == known {
            return Ok(());
        }
        match last_try {
            Some((tried, error)) if tried == found => return Err(error),
            _ => {}
        }
        if let (true, Some(before)) = (found > 0, before.take()) {
            before(found)?;
        }
        // Another process may do the same at once. Then one of the two fails, and goes on from where the other is.
        match runner.run(connection) {
            Ok(_) => return Ok(()),
            Err(error) => last_try = Some((found, unavailable(error))),
        }
    }
}

/// Brings an empty schema to a version, as a program of that time left it.
pub(super) fn run_to(connection: &mut impl Migrate, version: i32) -> Result<()> {
    embedded::migrations::runner()
        .set_target(refinery::Target::Version(version))
        .run(connection)
        .map(drop)
        .map_err(Error::unexpected)
}

/// The newest version there is.
pub(super) fn known() -> i64 {
    newest(embedded::migrations::runner().get_migrations())
}

fn newest(migrations: &[refinery::Migration]) -> i64 {
    migrations
        .iter()
        .map(|migration| i64::from(migration.version()))
        .max()
        .unwrap_or(0)
}
