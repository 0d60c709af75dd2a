//! The audit log: only added to, by this one function, in the transaction of the change it tells of.

use jiff::Timestamp;
use uuid::Uuid;

use super::engine::Tx;
use super::error::Result;
use super::value::{Cells, json, values};
use crate::domain::audit::{Asked, Audited, By, Change};
use crate::domain::ids::{MediaId, StoryId, TeamId};
use crate::domain::person::PersonId;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT done_at, done_by, person_id, subject, subject_id, subject_name, action, value_before, value_after ",
            "FROM audit_log ",
            $rest
        )
    };
}

fn read(mut cells: Cells) -> Result<Audited> {
    Ok(Audited {
        at: cells.time()?,
        by: cells.text()?,
        person: cells.maybe_integer()?.map(PersonId),
        change: Change {
            subject: cells.parsed()?,
            id: cells.text()?,
            name: cells.text()?,
            action: cells.text()?,
            before: cells.json()?,
            after: cells.json()?,
        },
    })
}

/// Notes a change and who made it.
pub(crate) fn add(
    tx: &mut dyn Tx,
    team: TeamId,
    by: &By,
    change: &Change,
    now: Timestamp,
) -> Result<()> {
    let id: Uuid = super::fresh(now);
    tx.execute(
        "INSERT INTO audit_log (id, team_id, done_at, done_by, person_id, subject, subject_id, subject_name, action,
             value_before, value_after)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        values![
            id.to_string(),
            team,
            now,
            by.name.as_str(),
            by.person,
            change.subject.as_str(),
            change.id.as_str(),
            change.name.as_str(),
            change.action.as_str(),
            json(&change.before)?,
            json(&change.after)?
        ],
    )?;
    Ok(())
}

/// The lines that are asked for, the newest first.
pub(crate) fn list(tx: &mut dyn Tx, team: TeamId, asked: Asked) -> Result<Vec<Audited>> {
    let since = asked.since.unwrap_or(Timestamp::UNIX_EPOCH);
    let media = asked.media.map(|id| id.to_string()).unwrap_or_default();
    let rows = tx.query(
        select!(
            "WHERE team_id = ?1 AND done_at >= ?2 AND (?3 = '' OR subject_id = ?3)
             ORDER BY done_at DESC, id DESC LIMIT ?4"
        ),
        values![team, since, media, asked.limit],
    )?;
    rows.into_iter().map(|row| read(row.cells())).collect()
}

/// What was done with a story, and with its media while it lived, in order.
pub(crate) fn of_story(
    tx: &mut dyn Tx,
    story: StoryId,
    media: Option<MediaId>,
    (from, until): (Timestamp, Timestamp),
) -> Result<Vec<Audited>> {
    let media = media.map(|id| id.to_string()).unwrap_or_default();
    let rows = tx.query(
        select!(
            "WHERE subject_id = ?1 OR (subject_id = ?2 AND done_at >= ?3 AND done_at <= ?4) ORDER BY done_at, id"
        ),
        values![story, media, from, until],
    )?;
    rows.into_iter().map(|row| read(row.cells())).collect()
}

/// Forgets what was done before `before`.
pub(crate) fn forget_old(tx: &mut dyn Tx, team: TeamId, before: Timestamp) -> Result<u64> {
    tx.execute(
        "DELETE FROM audit_log WHERE team_id = ?1 AND done_at < ?2",
        values![team, before],
    )
}
