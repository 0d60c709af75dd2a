//! Alerts: conditions that a person must know of. At most one is open for a topic; it outlives restarts, so nobody is told
//! the same thing twice.

use std::cmp::Reverse;

use jiff::Timestamp;

use super::engine::Tx;
use super::error::Result;
use super::value::{Cells, Row, values};
use crate::domain::alert::{Alert, Severity};
use crate::domain::ids::{AlertId, TeamId};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, topic, text, raised_at, told_at, resolved_at FROM alerts ",
            $rest
        )
    };
}

fn read(mut cells: Cells) -> Result<Alert> {
    let id = cells.parsed()?;
    let topic = cells.text()?;
    Ok(Alert {
        id,
        severity: Severity::of(&topic),
        topic,
        text: cells.text()?,
        raised_at: cells.time()?,
        told_at: cells.maybe_time()?,
        resolved_at: cells.maybe_time()?,
    })
}

/// Raises an alert. False if it stands already; its text then follows, quietly.
pub(crate) fn raise(
    tx: &mut dyn Tx,
    team: TeamId,
    topic: &str,
    text: &str,
    now: Timestamp,
) -> Result<bool> {
    if let Some(row) = tx.first(
        "SELECT text FROM alerts WHERE team_id = ?1 AND topic = ?2 AND resolved_at IS NULL",
        values![team, topic],
    )? {
        if row.cells().text()? != text {
            tx.execute(
                "UPDATE alerts SET text = ?3 WHERE team_id = ?1 AND topic = ?2 AND resolved_at IS NULL",
                values![team, topic, text],
            )?;
        }
        return Ok(false);
    }
    let id: AlertId = super::fresh(now);
    tx.execute(
        "INSERT INTO alerts (id, team_id, topic, text, raised_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        values![id, team, topic, text, now],
    )?;
    Ok(true)
}

/// Resolves an alert. False if none stood.
pub(crate) fn resolve(tx: &mut dyn Tx, team: TeamId, topic: &str, now: Timestamp) -> Result<bool> {
    // Looks before it writes: most of the time nothing stands, and an idle box writes nothing.
    if tx.count(
        "SELECT COUNT(*) FROM alerts WHERE team_id = ?1 AND topic = ?2 AND resolved_at IS NULL",
        values![team, topic],
    )? == 0
    {
        return Ok(false);
    }
    tx.execute(
        "UPDATE alerts SET resolved_at = ?3 WHERE team_id = ?1 AND topic = ?2 AND resolved_at IS NULL",
        values![team, topic, now],
    )?;
    Ok(true)
}

/// Takes an alert back without a word, because another one says more. Its end is not told.
pub(crate) fn take_back(tx: &mut dyn Tx, team: TeamId, topic: &str, now: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE alerts SET resolved_at = ?3, resolution_told_at = ?3
         WHERE team_id = ?1 AND topic = ?2 AND resolved_at IS NULL",
        values![team, topic, now],
    )?;
    Ok(())
}

/// The alerts that stand: the gravest first, and of those the oldest.
pub(crate) fn standing(tx: &mut dyn Tx, team: TeamId) -> Result<Vec<Alert>> {
    let rows = tx.query(
        select!("WHERE team_id = ?1 AND resolved_at IS NULL ORDER BY raised_at, id"),
        values![team],
    )?;
    gravest_first(rows)
}

/// What is to be told now: alerts that stand and were not told since `told_before`, and ends of alerts that were told.
pub(crate) fn to_tell(tx: &mut dyn Tx, team: TeamId, told_before: Timestamp) -> Result<Vec<Alert>> {
    let rows = tx.query(
        select!(
            "WHERE team_id = ?1
                 AND ((resolved_at IS NULL AND (told_at IS NULL OR told_at <= ?2))
                     OR (resolved_at IS NOT NULL AND told_at IS NOT NULL AND resolution_told_at IS NULL))
             ORDER BY raised_at, id"
        ),
        values![team, told_before],
    )?;
    gravest_first(rows)
}

/// The alerts that were raised from a moment on and are on record still, in order.
pub(crate) fn since(tx: &mut dyn Tx, team: TeamId, from: Timestamp) -> Result<Vec<Alert>> {
    let rows = tx.query(
        select!("WHERE team_id = ?1 AND raised_at >= ?2 ORDER BY raised_at, id"),
        values![team, from],
    )?;
    rows.into_iter().map(|row| read(row.cells())).collect()
}

fn gravest_first(rows: Vec<Row>) -> Result<Vec<Alert>> {
    let alerts: Result<Vec<Alert>> = rows.into_iter().map(|row| read(row.cells())).collect();
    let mut alerts = alerts?;
    alerts.sort_by_key(|alert| Reverse(alert.severity));
    Ok(alerts)
}

/// Notes that an alert, or its end, was told.
pub(crate) fn told(tx: &mut dyn Tx, id: AlertId, resolution: bool, now: Timestamp) -> Result<()> {
    if resolution {
        tx.execute(
            "UPDATE alerts SET resolution_told_at = ?2 WHERE id = ?1",
            values![id, now],
        )?;
    } else {
        tx.execute(
            "UPDATE alerts SET told_at = ?2 WHERE id = ?1",
            values![id, now],
        )?;
    }
    Ok(())
}

/// Forgets alerts that were resolved before `before`.
pub(crate) fn forget_old(tx: &mut dyn Tx, team: TeamId, before: Timestamp) -> Result<u64> {
    tx.execute(
        "DELETE FROM alerts WHERE team_id = ?1 AND resolved_at < ?2",
        values![team, before],
    )
}
