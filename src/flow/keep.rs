//! Presses that keep a story open: somebody is on it, wants it later, wants another one, or wants to see the original.

use jiff::Timestamp;

use super::Result;
use super::act::Pressed;
use super::chooser::{Chooser, showing, shown};
use crate::domain::ids::MediaId;
use crate::domain::lock::LockKind;
use crate::domain::media::DOCUMENT_BYTES;
use crate::domain::person::Person;
use crate::domain::story::{Claim, Later, ORIGINAL_AGAIN, SWAPPED_OUT, State, Story};

use crate::store::stories::Wanted;
use crate::store::{Tx, locks, media, messages, settings, stories};

/// "I'm on it"; or, from whoever is on it, "not any more".
pub(super) fn claim(
    tx: &mut dyn Tx,
    story: &Story,
    person: &Person,
    now: Timestamp,
) -> Result<Pressed> {
    let pressed = match story.claimed_by(now) {
        Some(claim) if claim.person == person.id => {
            stories::claim_for(tx, story.id, None)?;
            Pressed::Released
        }
        Some(claim) => Pressed::ClaimedBefore(claim.clone()),
        None => {
            let claim = Claim {
                person: person.id,
                name: person.name.clone(),
                at: now,
            };
            stories::claim_for(tx, story.id, Some(&claim))?;
            Pressed::Claimed
        }
    };
    messages::want(tx, story.id)?;
    Ok(pressed)
}

/// "In two hours", or when the team's hours begin again.
pub(super) fn put_off(
    tx: &mut dyn Tx,
    story: &Story,
    person: &Person,
    now: Timestamp,
) -> Result<Pressed> {
    messages::want(tx, story.id)?;
    let settings = settings::of(tx, story.team)?;
    let Some(at) = story.put_off_until(&settings, now) else {
        return Ok(Pressed::PutOffEnough);
    };
    let later = Later {
        at,
        by: person.name.clone(),
    };
    stories::put_off(tx, story.id, &later)?;
    stories::claim_for(tx, story.id, None)?;
    Ok(Pressed::PutOff(at))
}

/// Another media for the same story, chosen by the same rules. The one before is left alone for a day.
pub(super) fn swap(tx: &mut dyn Tx, story: &Story, by: &str, now: Timestamp) -> Result<Pressed> {
    let at = match story.state {
        State::Planned => story.due_at.max(now),
        _ => now,
    };
    let mut chooser = Chooser::new(tx, story.team, (at, at), 1)?;
    let pick = chooser.choose(tx, at, Some(&story.turn))?;
    let other = match pick {
        Some(pick) => Some(pick.candidate.media),
        None => from_the_plan(tx, story, now)?,
    };
    let Some(other) = other else {
        return Ok(Pressed::NothingElse);
    };
    if !stories::swap(tx, story, other, by, now)? {
        return Ok(Pressed::SwappedBefore);
    }
    let until = now.checked_add(SWAPPED_OUT).ok();
    let reason = format!("swapped for another in #{}", story.number);
    let (team, out, kind) = (story.team, story.media, LockKind::Skip);
    locks::add(tx, team, out, kind, until, Some(by), Some(&reason), now)?;
    messages::want(tx, story.id)?;
    let number = story.number;
    tracing::info!(
        story = number,
        person = by,
        "#{number} has another media: swapped by {by}"
    );
    Ok(Pressed::Swapped)
}

/// Where all that fits is planned already, another story gives up its media, and its slot is drawn again: the next one, for a
/// story that the team has before it.
fn from_the_plan(tx: &mut dyn Tx, story: &Story, now: Timestamp) -> Result<Option<MediaId>> {
    let shown = shown(tx, story.team, now)?;
    let mut queue = stories::queue(tx, story.team)?;
    if story.state == State::Planned {
        // Whoever swaps ahead has the rest of the day before their eyes, so the last of the plan gives up its media.
        queue.reverse();
    }
    for next in queue {
        let is_free = next.id != story.id
            && next.state == State::Planned
            && next.requested_by.is_none()
            && next.due_at > story.due_at.max(now);
        if !is_free || !media::may_be_sent(tx, next.media, now)? {
            continue;
        }
        let looks = showing(&media::get(tx, next.media)?, now);
        if looks.is_some_and(|looks| shown.is_repeated_by(&looks)) {
            continue;
        }
        stories::unplan(tx, next.id)?;
        return Ok(Some(next.media));
    }
    Ok(None)
}

/// The original is sent once to everybody, not once to each.
pub(super) fn original(tx: &mut dyn Tx, story: &Story, now: Timestamp) -> Result<Pressed> {
    let is_lately = |at: &Timestamp| now.duration_since(*at).abs() < ORIGINAL_AGAIN;
    if let Some(at) = story.original_at.filter(is_lately) {
        return Ok(Pressed::OriginalSentAt(at));
    }
    if media::get(tx, story.media)?.size_bytes > DOCUMENT_BYTES {
        return Ok(Pressed::OriginalTooLarge);
    }
    stories::note_original(tx, story.id, Some(now))?;
    stories::want_original(tx, story.id, Wanted::Yes)?;
    Ok(Pressed::SendOriginal)
}
