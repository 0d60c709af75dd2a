//! Attempts to look at a media in full, of those that may take the service or a converter down.

use super::engine::Tx;
use super::error::Result;
use super::value::values;
use crate::domain::ids::{MediaId, TeamId};

/// How many attempts by these programs came to no good end.
pub(crate) fn failed(tx: &mut dyn Tx, media: MediaId, by: &str) -> Result<u64> {
    tx.count(
        "SELECT count FROM attempts WHERE media_id = ?1 AND tried_by = ?2",
        values![media, by],
    )
}

/// Notes one more that begins.
pub(crate) fn begin(tx: &mut dyn Tx, team: TeamId, media: MediaId, by: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO attempts (media_id, team_id, count, is_begun, tried_by) VALUES (?1, ?2, 1, 1, ?3)
         ON CONFLICT (media_id) DO UPDATE SET
             count = CASE WHEN attempts.tried_by = excluded.tried_by THEN attempts.count + 1 ELSE 1 END,
             is_begun = 1, tried_by = excluded.tried_by",
        values![media, team, by],
    )?;
    Ok(())
}

/// Notes that the last one was cut off, and counts.
pub(crate) fn cut_off(tx: &mut dyn Tx, media: MediaId) -> Result<()> {
    tx.execute(
        "UPDATE attempts SET is_begun = 0 WHERE media_id = ?1",
        values![media],
    )?;
    Ok(())
}

/// Forgets those of a media: one came to an end.
pub(crate) fn forget(tx: &mut dyn Tx, media: MediaId) -> Result<()> {
    tx.execute("DELETE FROM attempts WHERE media_id = ?1", values![media])?;
    Ok(())
}

/// Forgets those by other programs; returns how many there were.
pub(crate) fn forget_others(tx: &mut dyn Tx, team: TeamId, by: &str) -> Result<u64> {
    tx.execute(
        "DELETE FROM attempts WHERE team_id = ?1 AND tried_by <> ?2",
        values![team, by],
    )
}

/// What is at work now is not to blame: the service was told to stop.
pub(crate) fn excuse(tx: &mut dyn Tx) -> Result<()> {
    tx.execute(
        "UPDATE attempts SET count = count - 1, is_begun = 0 WHERE is_begun = 1",
        &[],
    )?;
    Ok(())
}
