//! What waits for a press is watched: when too much of it gathers, and when a story has waited for most of its time.

use jiff::{SignedDuration, Timestamp};

use super::Result;
use super::conditions::judge;
use crate::domain::alert::topic;
use crate::domain::calendar::moment;
use crate::domain::ids::TeamId;
use crate::domain::story::Story;
use crate::domain::team::TeamSettings;
use crate::store::{Tx, alerts};

/// Fewer that wait are nobody's concern, however few a day are sent.
const FEW: u32 = 3;

/// Tells of a backlog and of a story that nobody presses, or that it is over. True if somebody is to hear of it.
pub(super) fn judge_waiting(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    open: &[Story],
    now: Timestamp,
) -> Result<bool> {
    let mut waiting: Vec<&Story> = open
        .iter()
        .filter(|story| story.state.may_be_seen() && story.waits_since() <= now)
        .collect();
    waiting.sort_by_key(|story| story.waits_since());
    let backlog = backlog(tx, team, settings, waiting.len())?;
    let changed = judge(tx, team, topic::BACKLOG, backlog.as_deref(), now)?;
    let oldest = waiting
        .first()
        .and_then(|oldest| unpressed(settings, oldest, now));
    Ok(judge(tx, team, topic::WAITING, oldest.as_deref(), now)? || changed)
}

/// More than a day's stories wait; once that is told, it is over when half of them are left.
fn backlog(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    waiting: usize,
) -> Result<Option<String>> {
    let most = settings.posts_per_day.max(FEW) as usize;
    let standing = alerts::standing(tx, team)?;
    let stands = standing.iter().any(|alert| alert.topic == topic::BACKLOG);
    let is_too_much = waiting > if stands { most / 2 } else { most };
    Ok(is_too_much.then(|| {
        format!(
            "Stories gather: {waiting} wait for a press. Each needs Posted, Skip or Reject in the team's chat, or its media \
             is not free again until it expires."
        )
    }))
}

/// A story has waited for three quarters of the time after which it expires.
fn unpressed(settings: &TeamSettings, oldest: &Story, now: Timestamp) -> Option<String> {
    let patience = SignedDuration::from_hours(settings.expire_hours.into());
    let waited = now.duration_since(oldest.waits_since());
    (waited >= patience / 4 * 3).then(|| {
        let since = oldest.waits_since();
        let until = since.checked_add(patience).unwrap_or(since);
        format!(
            "#{} has waited for a press since {}, and expires at {}. Press Posted, Skip or Reject on it.",
            oldest.number,
            moment(since, &settings.timezone),
            moment(until, &settings.timezone)
        )
    })
}
