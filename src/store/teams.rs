//! Teams: the tenant of every row, and the marks that its plan has reached.

use jiff::Timestamp;

use super::engine::Tx;
use super::error::{Error, Result};
use super::state;
use super::value::{Cells, values};
use crate::domain::ids::{StoryId, TeamId};

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

/// The box's own team, made at the first start.
pub(crate) fn ensure(tx: &mut dyn Tx, name: &str, now: Timestamp) -> Result<TeamId> {
    if let Some(own) = state::own_team(tx)? {
        return Ok(own);
    }
    let first = tx.first("SELECT id FROM teams ORDER BY created_at, id LIMIT 1", &[])?;
    let own = match first {
        Some(row) => row.cells().parsed()?,
        None => add(tx, name, now)?,
    };
    state::note_own_team(tx, own)?;
    Ok(own)
}

/// The teams that were not removed, the box's own first.
pub(crate) fn present(tx: &mut dyn Tx) -> Result<Vec<TeamId>> {
    let rows = tx.query(
        "SELECT id FROM teams WHERE removed_at IS NULL ORDER BY created_at, id",
        &[],
    )?;
    let ids = rows.into_iter().map(|row| row.cells().parsed());
    let mut ids: Vec<TeamId> = ids.collect::<Result<_>>()?;
    let own = state::own_team(tx)?;
    ids.sort_by_key(|id| Some(*id) != own);
    Ok(ids)
}

/// Removed teams of which messages in the chat do not show yet what became of their stories, or will have to.
pub(crate) fn leaving(tx: &mut dyn Tx) -> Result<Vec<TeamId>> {
    let rows = tx.query(
        "SELECT id FROM teams WHERE removed_at IS NOT NULL
             AND (EXISTS (SELECT 1 FROM messages WHERE team_id = teams.id AND wanted > shown)
                 OR EXISTS (SELECT 1 FROM undos WHERE team_id = teams.id))",
        &[],
    )?;
    rows.into_iter().map(|row| row.cells().parsed()).collect()
}

/// The removed teams and their names, the one that was removed last first.
pub(crate) fn removed(tx: &mut dyn Tx) -> Result<Vec<(TeamId, String)>> {
    let rows = tx.query(
        "SELECT id, name FROM teams WHERE removed_at IS NOT NULL ORDER BY removed_at DESC",
        &[],
    )?;
    rows.into_iter()
        .map(|row| {
            let mut cells = row.cells();
            Ok((cells.parsed()?, cells.text()?))
        })
        .collect()
}

/// The team of a story that is open or has ended; nothing if it is on no record.
pub(crate) fn of_story(tx: &mut dyn Tx, story: StoryId) -> Result<Option<TeamId>> {
    tx.first(
        "SELECT team_id FROM stories WHERE id = ?1
         UNION SELECT team_id FROM history WHERE story_id = ?1 LIMIT 1",
        values![story],
    )?
    .map(|row| row.cells().parsed())
    .transpose()
}

/// A new team. Its plan begins `now`: earlier slots never were.
pub(crate) fn add(tx: &mut dyn Tx, name: &str, now: Timestamp) -> Result<TeamId> {
    let id = super::fresh(now);
    tx.execute(
        "INSERT INTO teams (id, name, created_at, next_number, slots_settled_until, plan_stamp)
         VALUES (?1, ?2, ?3, 1, ?3, '')",
        values![id, name, now],
    )?;
    Ok(id)
}

/// Whether a team was removed: nothing is begun for it any more.
pub(crate) fn is_removed(tx: &mut dyn Tx, id: TeamId) -> Result<bool> {
    Ok(tx.count(
        "SELECT COUNT(*) FROM teams WHERE id = ?1 AND removed_at IS NOT NULL",
        values![id],
    )? > 0)
}

/// Removes a team (`Some`), or brings it back.
pub(crate) fn set_removed(tx: &mut dyn Tx, id: TeamId, since: Option<Timestamp>) -> Result<()> {
    tx.execute(
        "UPDATE teams SET removed_at = ?2 WHERE id = ?1",
        values![id, since],
    )?;
    Ok(())
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

/// Has the slots after `until` settled anew: their ends were taken back.
pub(crate) fn unsettle_slots(tx: &mut dyn Tx, id: TeamId, until: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE teams SET slots_settled_until = ?2 WHERE id = ?1 AND slots_settled_until > ?2",
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
