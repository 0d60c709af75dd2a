//! Locks on media.

use jiff::Timestamp;

use super::engine::Tx;
use super::error::Result;
use super::value::{Row, values};
use crate::domain::category::Category;
use crate::domain::ids::{LockId, MediaId, TeamId};
use crate::domain::lock::{Lock, LockKind};

/// Locks a media until a time, or for ever.
#[expect(
    clippy::too_many_arguments,
    reason = "a lock has that many parts, and each has its own type"
)]
pub(crate) fn add(
    tx: &mut dyn Tx,
    team: TeamId,
    media: MediaId,
    kind: LockKind,
    until: Option<Timestamp>,
    by: Option<&str>,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<LockId> {
    let id: LockId = super::fresh(now);
    tx.execute(
        "INSERT INTO locks (id, team_id, media_id, kind, locked_until, locked_at, locked_by, reason)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        values![id, team, media, kind, until, now, by, reason],
    )?;
    Ok(id)
}

/// Takes off one lock.
pub(crate) fn remove_one(tx: &mut dyn Tx, id: LockId) -> Result<()> {
    tx.execute("DELETE FROM locks WHERE id = ?1", values![id])?;
    Ok(())
}

/// Takes off the locks of a kind (or of every kind) from a media; returns how many there were.
pub(crate) fn remove(tx: &mut dyn Tx, media: MediaId, kind: Option<LockKind>) -> Result<u64> {
    match kind {
        Some(kind) => tx.execute(
            "DELETE FROM locks WHERE media_id = ?1 AND kind = ?2",
            values![media, kind],
        ),
        None => tx.execute("DELETE FROM locks WHERE media_id = ?1", values![media]),
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT m.fingerprint, m.last_path, m.category, l.kind, l.locked_until, l.locked_at, l.locked_by, l.reason ",
            "FROM locks l JOIN media m ON m.id = l.media_id ",
            $rest,
            " ORDER BY l.locked_until NULLS LAST, l.id"
        )
    };
}

fn read(row: Row) -> Result<Lock> {
    let mut cells = row.cells();
    Ok(Lock {
        fingerprint: cells.parsed()?,
        path: cells.text()?,
        category: Category::new(&cells.text()?),
        kind: cells.parsed()?,
        until: cells.maybe_time()?,
        locked_at: cells.time()?,
        by: cells.maybe_text()?,
        reason: cells.maybe_text()?,
    })
}

/// The locks that hold at `now`, the longest last.
pub(crate) fn holding(tx: &mut dyn Tx, team: TeamId, now: Timestamp) -> Result<Vec<Lock>> {
    let rows = tx.query(
        select!("WHERE l.team_id = ?1 AND (l.locked_until IS NULL OR l.locked_until > ?2)"),
        values![team, now],
    )?;
    rows.into_iter().map(read).collect()
}

/// Those of one media.
pub(crate) fn of_media(tx: &mut dyn Tx, media: MediaId, now: Timestamp) -> Result<Vec<Lock>> {
    let rows = tx.query(
        select!("WHERE l.media_id = ?1 AND (l.locked_until IS NULL OR l.locked_until > ?2)"),
        values![media, now],
    )?;
    rows.into_iter().map(read).collect()
}

/// Forgets locks that ended before `before`.
pub(crate) fn forget_ended(tx: &mut dyn Tx, team: TeamId, before: Timestamp) -> Result<u64> {
    tx.execute(
        "DELETE FROM locks WHERE team_id = ?1 AND locked_until < ?2",
        values![team, before],
    )
}
