//! What is due. Every slot that went by gets its end here, and of all that waits one story at a time is let through: after an
//! absence, a pause or a jump of the clock at most one, and never two too close to each other.

use jiff::{SignedDuration, Timestamp};

use super::Result;
use super::chooser::{fill_now, showing, shown};
use super::clock::judge_clock;
use super::close::{Ending, Subject, close};
use super::schedule::adopt_settings;
use super::settle::repeat_until;
use super::timekeeper::Timekeeper;
use crate::domain::calendar::{Slot, minimum_spacing, slot_named, slots_between};
use crate::domain::ids::TeamId;
use crate::domain::media::Media;
use crate::domain::outcome::Outcome;
use crate::domain::story::{State, Story};
use crate::domain::team::TeamSettings;
use crate::store::{Tx, history, media, messages, stories, teams};

/// How soon a clock in doubt is looked at again.
const SOON: SignedDuration = SignedDuration::from_secs(30);

/// The longest absence that is settled in one transaction.
const STRETCH: SignedDuration = SignedDuration::from_hours(24 * 31);

/// Why a slot was missed that had nothing to show.
const NOTHING_FITS: &str = "nothing in the library fits it";
const TOO_LATE: &str = "it could not be sent in time";
const OVERTAKEN: &str = "a later slot was due before it could be sent";
pub(super) const PAUSED: &str = "the plan was paused";
const NOT_FIT: &str = "its media is missing, locked or has errors";

/// What is to be done now.
pub(super) enum Due {
    /// This story is to be sent.
    Story(Box<Story>, Box<Media>),
    /// Something was put right on the way, and there may be more.
    LookAgain,
    /// Nothing, until then.
    Nothing(Option<Timestamp>),
}

/// Looks what is to be done now. On the way every slot that went by gets its end; `why` tells why nothing is sent, if that is
/// known.
pub(super) fn look(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    time: &Timekeeper,
    why: Option<&str>,
    now: Timestamp,
) -> Result<Due> {
    if teams::is_removed(tx, team)? {
        return Ok(Due::Nothing(None));
    }
    if !judge_clock(tx, team, settings, time, now)? {
        // Soon: the clock may have been set while this was on its way here.
        return Ok(Due::Nothing(now.checked_add(SOON).ok()));
    }
    if !settle_slots(tx, team, settings, why, now)? {
        return Ok(Due::LookAgain);
    }
    let row = teams::get(tx, team)?;
    let paused = row.paused_at.is_some();
    let queue = stories::queue(tx, team)?;
    let gate = Gate::new(settings, row.last_sent_at, &queue, time, now);
    let mut next: Option<Timestamp> = None;
    for story in queue {
        // Its message is in the chat already, and waits for the picture.
        let is_announced = story.state == State::Retrying
            && story.delivery.messages > 0
            && messages::announcement_of(tx, story.id)?.is_some();
        let Some(at) = gate.time_to_send(&story, paused, is_announced) else {
            continue;
        };
        if at > now {
            next = Some(next.map_or(at, |earlier| earlier.min(at)));
            continue;
        }
        let shown = media::get(tx, story.media)?;
        if media::may_be_sent(tx, story.media, now)? && !is_repetition(tx, &story, &shown, now)? {
            return Ok(Due::Story(Box::new(story), Box::new(shown)));
        }
        // A story in doubt is not sent again, and waits for its press.
        if story.state != State::Unconfirmed {
            withdraw(tx, settings, &story, now)?;
            return Ok(Due::LookAgain);
        }
    }
    // Slots that are not filled yet count too: they are filled when they come.
    let from = row.slots_settled_until.max(now);
    let soon = now
        .checked_add(SignedDuration::from_hours(24))
        .unwrap_or(now);
    let next_slot = slots_between(team, settings, from, soon)
        .first()
        .map(|slot| slot.at);
    Ok(Due::Nothing(next.into_iter().chain(next_slot).min()))
}

/// Whether the plan is about to repeat a look, which was not known when the story was planned. What a person asked for, or
/// what was tried already, is sent all the same.
fn is_repetition(tx: &mut dyn Tx, story: &Story, media: &Media, now: Timestamp) -> Result<bool> {
    match showing(media, now) {
        Some(showing) if story.state == State::Planned && story.requested_by.is_none() => {
            Ok(shown(tx, story.team, now)?.is_repeated_by(&showing))
        }
        _ => Ok(false),
    }
}

/// Holds back what would come too close to the last delivery.
struct Gate<'a> {
    settings: &'a TeamSettings,
    last_sent_at: Option<Timestamp>,
    time: &'a Timekeeper,
    now: Timestamp,
}

impl<'a> Gate<'a> {
    fn new(
        settings: &'a TeamSettings,
        last_sent_at: Option<Timestamp>,
        queue: &[Story],
        time: &'a Timekeeper,
        now: Timestamp,
    ) -> Self {
        // A call that never came back counts: it may have arrived.
        let sending = queue
            .iter()
            .filter(|story| story.state == State::Sending)
            .map(|story| story.state_since);
        Self {
            settings,
            last_sent_at: last_sent_at.into_iter().chain(sending).max(),
            time,
            now,
        }
    }

    /// When a story is to be sent; nothing if it is not to be sent at all.
    fn time_to_send(&self, story: &Story, paused: bool, is_announced: bool) -> Option<Timestamp> {
        let on_request = story.requested_by.is_some();
        if paused && !on_request {
            return None;
        }
        let ready_at = match story.state {
            State::Planned => story.due_at,
            State::Retrying => story.delivery.retry_at?,
            State::Unconfirmed => {
                let at = story.delivery.retry_at?;
                if self.now > repeat_until(story, self.settings) {
                    return None;
                }
                at
            }
            State::Sending | State::Awaiting => return None,
        };
        Some(if on_request || is_announced {
            ready_at
        } else {
            opens_at(self.settings, story, self.last_sent_at, self.time, self.now)
                .map_or(ready_at, |opens| opens.max(ready_at))
        })
    }
}

/// When a story may follow the last delivery, whatever the wall clock was set to since. Its own first try is no reason to wait.
pub(super) fn opens_at(
    settings: &TeamSettings,
    story: &Story,
    last_sent_at: Option<Timestamp>,
    time: &Timekeeper,
    now: Timestamp,
) -> Option<Timestamp> {
    let spacing = story
        .slot
        .and_then(|id| slot_named(story.team, settings, id))
        .map_or_else(
            || minimum_spacing(story.team, settings, story.due_at),
            |slot| slot.minimum_spacing(),
        );
    let by_wall = last_sent_at
        .filter(|last| story.state == State::Planned || *last > story.state_since)
        .and_then(|last| last.checked_add(spacing).ok())
        // A clock that was set back far must not hold the plan up.
        .filter(|opens| opens.duration_since(now) <= spacing * 2);
    let left = time.left_of(spacing, story.id);
    let by_steady = left.and_then(|left| now.checked_add(left).ok());
    by_wall.max(by_steady)
}

/// Something that is due cannot be sent after all: its slot gets another media, and a request is told why.
fn withdraw(tx: &mut dyn Tx, settings: &TeamSettings, story: &Story, now: Timestamp) -> Result<()> {
    let slot = story
        .slot
        .and_then(|id| slot_named(story.team, settings, id));
    match (story.state, slot) {
        (State::Planned, Some(slot)) if story.requested_by.is_none() => {
            stories::unplan(tx, story.id)?;
            if !fill_now(tx, story.team, slot, Some(story.number), now)? {
                miss(tx, story.team, settings, slot, NOTHING_FITS, now)?;
            }
        }
        // It is on record that it was tried, so the slot has had its story.
        (State::Retrying, _) => end_missed(tx, settings, story, NOT_FIT, None, now)?,
        _ => {
            let ending = Ending::by_itself(Outcome::Cancelled, NOT_FIT);
            close(tx, settings, &Subject::Story(story), &ending, now)?;
        }
    }
    Ok(())
}

/// Gives every slot and every wish that went by its end; the latest slot keeps its chance, if it can still be sent. False if
/// there is more to settle, after a very long absence. `why` tells why nothing is sent just now, if that is known.
pub(super) fn settle_slots(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    why: Option<&str>,
    now: Timestamp,
) -> Result<bool> {
    adopt_settings(tx, team, settings, now)?;
    let row = teams::get(tx, team)?;
    let stretch_end = row.slots_settled_until.checked_add(STRETCH).unwrap_or(now);
    let until = now.min(stretch_end);
    let passed = slots_between(team, settings, row.slots_settled_until, until);
    let mut empty = Vec::new();
    for slot in &passed {
        let filled = stories::of_slot(tx, team, slot.id)?.is_some();
        if !filled && !history::has_slot(tx, team, slot.id)? {
            empty.push(*slot);
        }
    }
    let waiting: Vec<Story> = stories::queue(tx, team)?
        .into_iter()
        .filter(|story| matches!(story.state, State::Planned | State::Retrying))
        .filter(|story| story.due_at <= now)
        .collect();
    let waiting = without_those_that_may_stand(tx, waiting, row.paused_at.is_some())?;
    let (wishes, waiting): (Vec<Story>, Vec<Story>) = waiting
        .into_iter()
        .partition(|story| story.requested_by.is_some());

    let dues = waiting.iter().map(|story| story.due_at);
    let latest = dues.chain(empty.iter().map(|slot| slot.at)).max();
    let fate = |due_at: Timestamp| {
        if row.paused_at.is_some() {
            Some(PAUSED)
        } else if now.duration_since(due_at) > late(settings) {
            Some(TOO_LATE)
        } else {
            (Some(due_at) < latest).then_some(OVERTAKEN)
        }
    };
    for wish in &wishes {
        if now.duration_since(wish.due_at) > late(settings) {
            end_missed(tx, settings, wish, TOO_LATE, why, now)?;
        }
    }
    for story in &waiting {
        if let Some(reason) = fate(story.due_at) {
            let why = why.filter(|_| reason != PAUSED);
            end_missed(tx, settings, story, reason, why, now)?;
        }
    }
    for slot in empty {
        if let Some(reason) = fate(slot.at) {
            miss(tx, team, settings, slot, reason, now)?;
        } else if !fill_now(tx, team, slot, None, now)? {
            miss(tx, team, settings, slot, NOTHING_FITS, now)?;
        }
    }
    let is_all = until == now;
    let settled_until = if is_all {
        passed.last().map(|slot| slot.at)
    } else {
        Some(until)
    };
    if let Some(settled_until) = settled_until {
        teams::settle_slots(tx, team, settled_until)?;
    }
    Ok(is_all)
}

/// A picture that may be in its announcement already is put there when the server works: its story is not called missed
/// meanwhile.
fn without_those_that_may_stand(
    tx: &mut dyn Tx,
    waiting: Vec<Story>,
    paused: bool,
) -> Result<Vec<Story>> {
    let mut others = Vec::new();
    for story in waiting {
        let may_stand = !paused
            && story.state == State::Retrying
            && story.delivery.sent_at.is_some()
            && messages::announcement_of(tx, story.id)?.is_some();
        if !may_stand {
            others.push(story);
        }
    }
    Ok(others)
}

fn late(settings: &TeamSettings) -> SignedDuration {
    SignedDuration::from_mins(i64::from(settings.late_minutes))
}

fn end_missed(
    tx: &mut dyn Tx,
    settings: &TeamSettings,
    story: &Story,
    reason: &str,
    why: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    let why = story.delivery.reason.as_deref().or(why).map_or_else(
        || reason.to_owned(),
        |last| format!("{reason}; at the last try: {last}"),
    );
    let ending = Ending::by_itself(Outcome::Missed, why);
    close(tx, settings, &Subject::Story(story), &ending, now)?;
    Ok(())
}

fn miss(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    slot: Slot,
    reason: &str,
    now: Timestamp,
) -> Result<()> {
    let ending = Ending::by_itself(Outcome::Missed, reason);
    close(tx, settings, &Subject::EmptySlot(team, slot), &ending, now)?;
    Ok(())
}
