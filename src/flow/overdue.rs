//! A loop that runs is not a story that goes out: what is late is told of, with the reason and what to do about it.

use jiff::{SignedDuration, Timestamp};

use super::Result;
use super::due::opens_at;
use super::timekeeper::Timekeeper;
use crate::domain::alert::{Alert, topic};
use crate::domain::calendar::{moment, slots_between};
use crate::domain::ids::TeamId;
use crate::domain::story::{State, Story};
use crate::domain::team::TeamSettings;
use crate::store::{Tx, alerts, state, teams};

/// How late a story may be before somebody is told.
const OVERDUE_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// The conditions that hold every story up, and tell why in their alerts; what is nearer to the cause comes first.
const CAUSES: [&str; 5] = [
    topic::CLOCK,
    topic::LIBRARY,
    topic::CHAT_RIGHTS,
    topic::DELIVERY,
    topic::TELEGRAM,
];
const NO_CHAT: &str =
    "the team has no chat. Add the bot to one, or say `storyline team set chat=…`.";
const UNKNOWN: &str = "nobody looks at it, and the reason is not known. `journalctl -u storyline` may tell; `systemctl restart \
                       storyline` starts anew.";

/// What is late, and why; nothing if all is in time.
pub(super) fn late(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    open: &[Story],
    time: &Timekeeper,
    now: Timestamp,
) -> Result<Option<String>> {
    let Some((what, reason)) = first_late(tx, team, settings, open, time, now)? else {
        return Ok(None);
    };
    let mut standing = alerts::standing(tx, team)?;
    // What is wrong with the whole box is told at its own team.
    if let Some(own) = state::own_team(tx)?.filter(|own| *own != team) {
        let of_the_box = |alert: &Alert| [topic::CLOCK, topic::TELEGRAM].contains(&&*alert.topic);
        standing.extend(alerts::standing(tx, own)?.into_iter().filter(of_the_box));
    }
    let known = |topic: &&str| {
        let alert = standing.iter().find(|alert| alert.topic == *topic);
        alert.map(|alert| alert.text.clone())
    };
    let reason = reason
        .or_else(|| settings.chat.is_none().then(|| NO_CHAT.to_owned()))
        .or_else(|| CAUSES.iter().find_map(known))
        .or_else(|| time.reason())
        .unwrap_or_else(|| UNKNOWN.to_owned());
    Ok(Some(format!("{what} is late: {reason}")))
}

/// What is late, and why as far as it tells itself: a story, or a slot that went by and was not even looked at. In a pause
/// only what a person asked for can be late.
fn first_late(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    open: &[Story],
    time: &Timekeeper,
    now: Timestamp,
) -> Result<Option<(String, Option<String>)>> {
    let row = teams::get(tx, team)?;
    let is_paused = row.paused_at.is_some();
    let is_overdue = |story: &&Story| {
        if !matches!(story.state, State::Planned | State::Retrying)
            || (is_paused && story.requested_by.is_none())
        {
            return false;
        }
        let opens = opens_at(settings, story, row.last_sent_at, time, now);
        let due_at = opens.map_or(story.due_at, |opens| opens.max(story.due_at));
        now.duration_since(due_at) > OVERDUE_AFTER
    };
    if let Some(story) = open.iter().find(is_overdue) {
        let name = format!("#{}", story.number);
        return Ok(Some((name, story.delivery.reason.clone())));
    }
    if is_paused || row.plan_stamp.is_empty() {
        return Ok(None);
    }
    let long_ago = now.checked_sub(OVERDUE_AFTER).unwrap_or(now);
    let a_day = SignedDuration::from_hours(24);
    let soon = row.slots_settled_until.checked_add(a_day).unwrap_or(now);
    let passed = slots_between(team, settings, row.slots_settled_until, long_ago.min(soon));
    Ok(passed.first().map(|slot| {
        let at = moment(slot.at, &settings.timezone);
        (format!("The story of {at}"), None)
    }))
}
