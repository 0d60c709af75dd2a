//! The schema's way from any released version to the newest: the files of `migrations/`, one text for both engines.

use refinery::Migrate;

use super::error::{Error, Result};

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// Brings the schema to the newest version. A schema that is newer than this program is refused and left alone.
pub(crate) fn run<C: Migrate>(connection: &mut C) -> Result<()> {
    let runner = embedded::migrations::runner();
    let known = runner
        .get_migrations()
        .iter()
        .map(|migration| i64::from(migration.version()))
        .max()
        .unwrap_or(0);
    let mut current = || -> Result<i64> {
        Ok(runner
            .get_applied_migrations(connection)
            .map_err(unavailable)?
            .iter()
            .map(|migration| i64::from(migration.version()))
            .max()
            .unwrap_or(0))
    };
    let found = current()?;
    if found > known {
        return Err(Error::Newer { found, known });
    }
    if found == known {
        return Ok(());
    }
    if let Err(error) = embedded::migrations::runner().run(connection) {
        // The other process may have been faster; then all is well.
        let applied = embedded::migrations::runner()
            .get_applied_migrations(connection)
            .map_err(unavailable)?;
        if applied
            .iter()
            .any(|migration| i64::from(migration.version()) == known)
        {
            return Ok(());
        }
        return Err(unavailable(error));
    }
    Ok(())
}

fn unavailable(error: refinery::Error) -> Error {
    Error::Unavailable(format!("could not be brought to this version: {error}"))
}
