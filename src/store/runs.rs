//! Runs: what the box did, kept for a while for diagnosis. A job that found nothing to do leaves no run, so an idle box
//! writes none.

use jiff::Timestamp;

use super::engine::Tx;
use super::error::Result;
use super::value::values;
use crate::domain::ids::{RunId, TeamId};
use crate::domain::run::Run;

pub(crate) fn add(tx: &mut dyn Tx, team: TeamId, run: &Run) -> Result<()> {
    let id: RunId = super::fresh(run.started_at);
    tx.execute(
        "INSERT INTO runs (id, team_id, job, started_at, ended_at, error, detail)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        values![
            id,
            team,
            run.job.as_str(),
            run.started_at,
            run.ended_at,
            run.error.as_ref(),
            run.detail.as_str()
        ],
    )?;
    Ok(())
}

/// The latest runs, the newest first.
pub(crate) fn latest(tx: &mut dyn Tx, team: TeamId, limit: u32) -> Result<Vec<Run>> {
    let rows = tx.query(
        "SELECT job, started_at, ended_at, error, detail FROM runs
         WHERE team_id = ?1 ORDER BY started_at DESC, id DESC LIMIT ?2",
        values![team, limit],
    )?;
    rows.into_iter()
        .map(|row| {
            let mut cells = row.cells();
            Ok(Run {
                job: cells.text()?,
                started_at: cells.time()?,
                ended_at: cells.time()?,
                error: cells.maybe_text()?,
                detail: cells.text()?,
            })
        })
        .collect()
}

/// Forgets runs that began before `before`.
pub(crate) fn forget_old(tx: &mut dyn Tx, team: TeamId, before: Timestamp) -> Result<u64> {
    tx.execute(
        "DELETE FROM runs WHERE team_id = ?1 AND started_at < ?2",
        values![team, before],
    )
}
