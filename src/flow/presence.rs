//! When the box comes and goes. A start is told of only if it tells something: after an absence, by another version, or if the
//! program ends again and again. It concerns the whole box, so its own team is told, once.

use jiff::{SignedDuration, Timestamp};

use super::clock::trusted;
use super::conditions::judge;
use super::due::PAUSED;
use super::timekeeper::Timekeeper;
use super::{Flow, Result};
use crate::domain::alert::topic;
use crate::domain::calendar::moment;
use crate::domain::ids::TeamId;
use crate::domain::outcome::Outcome;
use crate::store::{Tx, alerts, history, settings, state, stories};
use crate::system::events;
use crate::system::lock::lock;

/// A shorter absence is a restart, and tells nothing.
const AWAY: SignedDuration = SignedDuration::from_mins(10);
/// So many starts within [`LOOP`] with no end in good order between them are no accident.
const STARTS: usize = 3;
const LOOP: SignedDuration = SignedDuration::from_mins(10);
/// The same for a version that has not run steadily yet.
const TRIAL: SignedDuration = SignedDuration::from_hours(3);
/// A program that has run for so long does not end again and again any more.
const STEADY: SignedDuration = SignedDuration::from_hours(1);
/// How long a clock that nobody vouches for may still be set after a start.
const CLOCK_IS_SET: SignedDuration = SignedDuration::from_mins(10);

/// What version this is.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A start that may have to be told of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    at: Timestamp,
    /// How long the machine had been up then.
    up: SignedDuration,
    /// When the last process ended in good order; nobody knows when it was, if it did not.
    stopped_at: Option<Timestamp>,
    /// How long the box was away by the steady clock, if that is known: the wall clock may have been set meanwhile.
    pub(super) away: Option<SignedDuration>,
}

impl Start {
    /// The machine slept for so long, and is awake now.
    pub(super) fn after_sleep(now: Timestamp, up: SignedDuration, slept: SignedDuration) -> Self {
        Self {
            at: now,
            up,
            stopped_at: now.checked_sub(slept).ok(),
            away: Some(slept),
        }
    }
}

/// What to do where a new version does not work.
fn way_back(before: &str, copy: Option<&str>) -> String {
    let restore = copy.map_or_else(String::new, |copy| {
        format!(
            "`sudo systemctl stop storyline`, `sudo storyline backup restore {copy} --force` (the records from before the \
             upgrade), "
        )
    });
    format!(
        "Storyline {VERSION} was started {STARTS} times since the upgrade from {before} and never ended in good order. \
         `journalctl -u storyline` tells why. The way back: {restore}`sudo apt install --allow-downgrades storyline={before}`."
    )
}

/// Notes a start of the box, and tells at once what needs no clock: that another version runs, or that it starts too often.
/// `copy` is the backup from before the upgrade, if one was made.
pub(super) fn note_start(
    tx: &mut dyn Tx,
    team: TeamId,
    copy: Option<&str>,
    time: &Timekeeper,
    now: Timestamp,
) -> Result<Start> {
    let stopped_at = state::stopped_at(tx)?;
    let up = time.up();
    let stopped_on = state::stopped_on(tx)?.filter(|(boot, _)| Some(boot) == time.boot().as_ref());
    let away = stopped_on.map(|(_, up_ms)| up.saturating_sub(SignedDuration::from_millis(up_ms)));
    state::note_stop(tx, None)?;
    let mut starts = match stopped_at {
        Some(_) => Vec::new(),
        None => state::starts(tx)?,
    };
    let before = state::note_version(tx, VERSION)?;
    if let Some(before) = &before {
        state::note_upgrade(tx, Some(before))?;
    }
    // A new version that hangs is killed by its watchdog, which takes longer than a crash.
    let upgraded_from = state::upgraded_from(tx)?;
    let window = if upgraded_from.is_some() { TRIAL } else { LOOP };
    starts.retain(|start| now.duration_since(*start).abs() <= window);
    starts.push(now);
    // Older ones tell nothing, and a loop must not make the row grow.
    let latest = &starts[starts.len().saturating_sub(STARTS)..];
    state::note_starts(tx, latest)?;
    if latest.len() == STARTS {
        let text = match upgraded_from {
            Some(before) => way_back(&before, copy),
            None => format!(
                "Storyline was started {STARTS} times within {} minutes and never ended in good order: it crashes, or the \
                 power fails. `journalctl -u storyline` tells which.",
                LOOP.as_mins()
            ),
        };
        judge(tx, team, topic::CRASHES, Some(&text), now)?;
    }
    if let Some(before) = before {
        let text = format!("Storyline {VERSION} runs now (before: {before}).");
        alerts::raise(tx, team, topic::VERSION, &text, now)?;
        tracing::info!(message_id = events::VERSION_CHANGED.id, "{text}");
    }
    Ok(Start {
        at: now,
        up,
        stopped_at,
        away: away.filter(|_| stopped_at.is_some()),
    })
}

/// Notes that the program runs steadily again. True if somebody is to hear of it.
pub(super) fn judge_crashes(tx: &mut dyn Tx, team: TeamId, now: Timestamp) -> Result<bool> {
    let is_steady = state::starts(tx)?
        .last()
        .is_some_and(|start| now.duration_since(*start).abs() >= STEADY);
    if is_steady && state::upgraded_from(tx)?.is_some() {
        state::note_upgrade(tx, None)?;
    }
    Ok(is_steady && judge(tx, team, topic::CRASHES, None, now)?)
}

impl Flow {
    pub(super) fn started(&self, start: Option<Start>) {
        *lock(&self.start) = start;
        self.nudges.alerts.notify();
    }

    /// Tells of the absence before the start, if there was one. To be called when what is due is settled, until a clock that
    /// may be wrong after a start is to be believed: then what was missed is on record. Returns when to call again, if it is not
    /// known yet.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub async fn come_back(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        let start = *lock(&self.start);
        let Some(start) = start else {
            return Ok(None);
        };
        // By the steady clock: the other may have been set since.
        let since = self.time.up().saturating_sub(start.up);
        let synchronised = self.time.synchronised();
        if !synchronised && since < CLOCK_IS_SET && start.away.is_none() {
            return Ok(now.checked_add(CLOCK_IS_SET.saturating_sub(since)).ok());
        }
        let back_at = match now.checked_sub(since) {
            Ok(back_at) if synchronised => back_at,
            _ => start.at,
        };
        let (team, time) = (self.team, self.time.clone());
        let is_told = self
            .store
            .write(move |tx| {
                if !trusted(tx, &time, now)? {
                    return Ok(false);
                }
                if let Some(text) = absence(tx, team, start, back_at)? {
                    tracing::info!("{text}");
                    alerts::raise(tx, team, topic::AWAY, &text, now)?;
                }
                Ok(true)
            })
            .await?;
        if is_told {
            self.started(None);
        }
        Ok(None)
    }
}

/// What there is to tell of an absence. One whose beginning nobody knows is told of if something was missed in it.
fn absence(
    tx: &mut dyn Tx,
    team: TeamId,
    start: Start,
    back_at: Timestamp,
) -> Result<Option<String>> {
    let missed = history::since(tx, team, start.at)?
        .iter()
        .filter(|entry| entry.outcome == Outcome::Missed && entry.slot.is_some())
        .filter(|entry| entry.reason.as_deref() != Some(PAUSED))
        .count();
    let zone = settings::of(tx, team)?.timezone;
    // Of a box that was away for so long by the steady clock, whatever the other showed when it stopped.
    let from = match start.away {
        Some(away) => back_at.checked_sub(away).ok(),
        None => start.stopped_at,
    };
    let away = match from {
        Some(from) if back_at.duration_since(from) < AWAY => return Ok(None),
        Some(from) => format!("from {} to {}", moment(from, &zone), moment(back_at, &zone)),
        None if missed == 0 => return Ok(None),
        None => format!(
            "until {}, after an end without warning (a power cut, or a crash)",
            moment(back_at, &zone)
        ),
    };
    let queue = stories::queue(tx, team)?;
    let waiting = queue.iter().filter(|story| story.state.may_be_seen());
    let missed = match missed {
        0 => "no slot was missed".to_owned(),
        1 => "1 slot was missed".to_owned(),
        many => format!("{many} slots were missed"),
    };
    let waiting = match waiting.count() {
        0 => "no story waits for a press".to_owned(),
        1 => "1 story waits for a press".to_owned(),
        many => format!("{many} stories wait for a press"),
    };
    Ok(Some(format!("I was away {away}: {missed}, {waiting}.")))
}
