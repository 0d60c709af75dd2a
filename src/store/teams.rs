//! Teams: the tenant of every row, and the marks that its plan has reached.

use jiff::Timestamp;

use super::engine::Tx;
use super::error::{Error, Result};
use super::value::{Cells, values};
use crate::domain::ids::TeamId;

/// A team's row.
#[derive(Clone, Debug)]
pub(crate) struct Team {
    pub(crate) paused_at: Option<Timestamp>,
    pub(crate) paused_by: Option<String>,
    pub(crate) slots_settled_until: Timestamp,
    pub(crate) last_sent_at: Option<Timestamp>,
    pub(crate) plan_stamp: String,
}

fn read(mut cells: Cells) -> Result<Team> {
    Ok(Team {
        paused_at: cells.maybe_time()?,
        paused_by: cells.maybe_text()?,
        slots_settled_until: cells.time()?,
        last_sent_at: cells.maybe_time()?,
        plan_stamp: cells.text()?,
    })
}

/// The box's own team, which is told what concerns the whole box.
pub(crate) fn first(tx: &mut dyn Tx) -> Result<Option<TeamId>> {
    tx.first("SELECT id FROM teams ORDER BY created_at, id LIMIT 1", &[])?
        .map(|row| row.cells().parsed())
        .transpose()
}

/// The box's own team, made at the first start. Its plan begins `now`: earlier slots never were.
pub(crate) fn ensure(tx: &mut dyn Tx, name: &str, now: Timestamp) -> Result<TeamId> {
    if let Some(team) = first(tx)? {
        return Ok(team);
    }
    let id = super::fresh(now);
    tx.execute(
        "INSERT INTO teams (id, name, created_at, next_number, slots_settled_until, plan_stamp)
         VALUES (?1, ?2, ?3, 1, ?3, '')",
        values![id, name, now],
    )?;
    Ok(id)
}

pub(crate) fn get(tx: &mut dyn Tx, id: TeamId) -> Result<Team> {
    tx.first(
        "SELECT paused_at, paused_by, slots_settled_until, last_sent_at, plan_stamp
         FROM teams WHERE id = ?1",
        values![id],
    )?
    .ok_or_else(|| Error::unexpected(format!("no team {id}")))
    .and_then(|row| read(row.cells()))
}

/// Pauses the plan. False if it was paused already.
pub(crate) fn pause(tx: &mut dyn Tx, id: TeamId, by: &str, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(
        "UPDATE teams SET paused_at = ?2, paused_by = ?3 WHERE id = ?1 AND paused_at IS NULL",
        values![id, now, by],
    )? == 1)
}

/// Ends the pause. False if there was none.
pub(crate) fn resume(tx: &mut dyn Tx, id: TeamId) -> Result<bool> {
    Ok(tx.execute(
        "UPDATE teams SET paused_at = NULL, paused_by = NULL WHERE id = ?1 AND paused_at IS NOT NULL",
        values![id],
    )? == 1)
}

/// The number of the next story; each is given once.
pub(crate) fn take_number(tx: &mut dyn Tx, id: TeamId) -> Result<u64> {
    tx.count(
        "UPDATE teams SET next_number = next_number + 1 WHERE id = ?1 RETURNING next_number - 1",
        values![id],
    )
}

/// Notes that every slot up to `until` has its story or its end. The mark never goes back.
pub(crate) fn settle_slots(tx: &mut dyn Tx, id: TeamId, until: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE teams SET slots_settled_until = ?2 WHERE id = ?1 AND slots_settled_until < ?2",
        values![id, until],
    )?;
    Ok(())
}

/// Notes an automatic delivery, for the spacing.
pub(crate) fn note_sent(tx: &mut dyn Tx, id: TeamId, at: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE teams SET last_sent_at = ?2 WHERE id = ?1",
        values![id, at],
    )?;
    Ok(())
}

/// Notes what the plan was drawn with.
pub(crate) fn stamp_plan(tx: &mut dyn Tx, id: TeamId, stamp: &str) -> Result<()> {
    tx.execute(
        "UPDATE teams SET plan_stamp = ?2 WHERE id = ?1",
        values![id, stamp],
    )?;
    Ok(())
}
