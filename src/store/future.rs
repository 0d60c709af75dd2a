//! What a clock that was ahead left in the future, brought back to now when the clock is right. The history is left alone.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::engine::Tx;
use super::error::Result;
use super::value::values;
use crate::domain::ids::TeamId;
use crate::domain::story::LATEST;

/// What two readings of one clock may differ by.
const SLACK: SignedDuration = SignedDuration::from_mins(1);
/// The longest pause before something is tried again.
const PAUSE: SignedDuration = SignedDuration::from_hours(1);

fn after(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(now)
}

/// Has what is open go on from now: nothing waits for a year because of it, and nothing ends by it.
pub(crate) fn resume(
    tx: &mut dyn Tx,
    team: TeamId,
    horizon_days: u32,
    now: Timestamp,
) -> Result<()> {
    let soon = after(now, SLACK);
    for (sql, from) in [
        (
            "UPDATE stories SET state_since = ?2 WHERE team_id = ?1 AND state_since > ?3",
            soon,
        ),
        (
            "UPDATE stories SET sent_at = ?2 WHERE team_id = ?1 AND sent_at > ?3",
            soon,
        ),
        (
            "UPDATE stories SET later_at = ?2 WHERE team_id = ?1 AND later_at > ?3",
            after(now, LATEST),
        ),
        (
            "UPDATE stories SET retry_at = ?2 WHERE team_id = ?1 AND retry_at > ?3",
            after(now, PAUSE),
        ),
        (
            "UPDATE messages SET retry_at = ?2 WHERE team_id = ?1 AND retry_at > ?3",
            after(now, PAUSE),
        ),
        (
            "UPDATE alerts SET told_at = ?2 WHERE team_id = ?1 AND told_at > ?3",
            soon,
        ),
    ] {
        tx.execute(sql, values![team, now, from])?;
    }
    // What was planned for then holds its media up; nobody has seen it.
    let horizon = SignedDuration::from_hours(24 * (i64::from(horizon_days) + 1));
    tx.execute(
        "DELETE FROM stories WHERE team_id = ?1 AND state = 'planned' AND requested_by IS NULL AND due_at > ?2",
        values![team, after(now, horizon)],
    )?;
    Ok(())
}

/// Forgets what else was noted of then: locks last as long as they should from now on, and what was told of a day to come is
/// told again.
pub(crate) fn forget(tx: &mut dyn Tx, team: TeamId, today: Date, now: Timestamp) -> Result<()> {
    let soon = after(now, SLACK);
    for sql in [
        "UPDATE locks SET locked_until = locked_until - (locked_at - ?2), locked_at = ?2
         WHERE team_id = ?1 AND locked_at > ?3",
        "UPDATE media SET last_posted_at = ?2 WHERE team_id = ?1 AND last_posted_at > ?3",
        "UPDATE teams SET last_sent_at = ?2 WHERE id = ?1 AND last_sent_at > ?3",
    ] {
        tx.execute(sql, values![team, now, soon])?;
    }
    tx.execute(
        "UPDATE bulletins SET day = ?2 WHERE team_id = ?1 AND day > ?2",
        values![team, today],
    )?;
    Ok(())
}
