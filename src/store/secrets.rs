//! Secrets, as they are encrypted elsewhere.

use jiff::Timestamp;
use serde::Serialize;

use super::engine::Tx;
use super::error::Result;
use super::value::{Row, values};
use crate::domain::ids::TeamId;

/// A secret as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Secret {
    /// Whose it is.
    #[serde(skip)]
    pub team: TeamId,
    /// What it is called.
    pub name: String,
    /// Which key it was encrypted with.
    pub key: String,
    /// What came of that.
    #[serde(skip)]
    pub sealed: String,
    /// When it was set.
    pub set_at: Timestamp,
}

fn read(row: Row) -> Result<Secret> {
    let mut cells = row.cells();
    Ok(Secret {
        team: cells.parsed()?,
        name: cells.text()?,
        key: cells.text()?,
        sealed: cells.text()?,
        set_at: cells.time()?,
    })
}

/// Every team's, in order.
pub(crate) fn all(tx: &mut dyn Tx) -> Result<Vec<Secret>> {
    let rows = tx.query(
        "SELECT team_id, name, key_id, sealed, set_at FROM secrets ORDER BY team_id, name",
        &[],
    )?;
    rows.into_iter().map(read).collect()
}

pub(crate) fn put(tx: &mut dyn Tx, secret: &Secret) -> Result<()> {
    tx.execute(
        "INSERT INTO secrets (team_id, name, key_id, sealed, set_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (team_id, name) DO UPDATE SET key_id = excluded.key_id, sealed = excluded.sealed, set_at = excluded.set_at",
        values![
            secret.team,
            secret.name.as_str(),
            secret.key.as_str(),
            secret.sealed.as_str(),
            secret.set_at
        ],
    )?;
    Ok(())
}

/// False if there was none.
pub(crate) fn remove(tx: &mut dyn Tx, team: TeamId, name: &str) -> Result<bool> {
    let removed = tx.execute(
        "DELETE FROM secrets WHERE team_id = ?1 AND name = ?2",
        values![team, name],
    )?;
    Ok(removed > 0)
}
