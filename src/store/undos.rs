//! What an outcome changed beside the history, for as long as it may be taken back.

use jiff::Timestamp;

use super::engine::Tx;
use super::error::Result;
use super::value::values;
use crate::domain::ids::{LockId, StoryId, TeamId};
use crate::domain::story::Story;

/// How things were before an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Undo {
    /// Until when the outcome may be taken back.
    pub(crate) until: Timestamp,
    /// The lock that it put on the media.
    pub(crate) lock: Option<LockId>,
    /// When the media was posted before.
    pub(crate) last_posted_at: Option<Timestamp>,
    pub(crate) requested_by: Option<String>,
    pub(crate) attempt: u32,
    pub(crate) messages: u32,
    pub(crate) swaps: u32,
    pub(crate) swapped_at: Option<Timestamp>,
}

impl Undo {
    /// What is kept of a story that ends.
    pub(crate) fn of(
        story: &Story,
        lock: Option<LockId>,
        last_posted_at: Option<Timestamp>,
        until: Timestamp,
    ) -> Self {
        Self {
            until,
            lock,
            last_posted_at,
            requested_by: story.requested_by.clone(),
            attempt: story.delivery.attempt,
            messages: story.delivery.messages,
            swaps: story.swaps,
            swapped_at: story.swapped_at,
        }
    }
}

/// Keeps it. Only the closing function calls it.
pub(crate) fn keep(tx: &mut dyn Tx, team: TeamId, story: StoryId, undo: &Undo) -> Result<()> {
    tx.execute(
        "INSERT INTO undos (story_id, team_id, until_at, lock_id, last_posted_at, requested_by, attempt, messages, swaps,
             swapped_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        values![
            story,
            team,
            undo.until,
            undo.lock,
            undo.last_posted_at,
            undo.requested_by.as_ref(),
            undo.attempt,
            undo.messages,
            undo.swaps,
            undo.swapped_at
        ],
    )?;
    Ok(())
}

/// What may be taken back of a story.
pub(crate) fn get(tx: &mut dyn Tx, story: StoryId) -> Result<Option<Undo>> {
    let row = tx.first(
        "SELECT until_at, lock_id, last_posted_at, requested_by, attempt, messages, swaps, swapped_at
         FROM undos WHERE story_id = ?1",
        values![story],
    )?;
    row.map(|row| {
        let mut cells = row.cells();
        Ok(Undo {
            until: cells.time()?,
            lock: cells.maybe_parsed()?,
            last_posted_at: cells.maybe_time()?,
            requested_by: cells.maybe_text()?,
            attempt: cells.number()?,
            messages: cells.number()?,
            swaps: cells.number()?,
            swapped_at: cells.maybe_time()?,
        })
    })
    .transpose()
}

/// Forgets what may be taken back of a story.
pub(crate) fn forget(tx: &mut dyn Tx, story: StoryId) -> Result<()> {
    tx.execute("DELETE FROM undos WHERE story_id = ?1", values![story])?;
    Ok(())
}

/// The stories whose outcome may be taken back, and until when; the earliest first.
pub(crate) fn open(tx: &mut dyn Tx, team: TeamId) -> Result<Vec<(StoryId, Timestamp)>> {
    let rows = tx.query(
        "SELECT story_id, until_at FROM undos WHERE team_id = ?1 ORDER BY until_at, story_id",
        values![team],
    )?;
    rows.into_iter()
        .map(|row| {
            let mut cells = row.cells();
            Ok((cells.parsed()?, cells.time()?))
        })
        .collect()
}
