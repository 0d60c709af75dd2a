//! The time, as the verbs of one team have it: beside the time of day that they are told, the steady clock, what a server
//! outside says, and what both tell of a clock that was set and of a machine that slept. It is memory and no record.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

use crate::domain::ids::StoryId;
use crate::system::belief::{self, Place, Verdict, Witnesses};
use crate::system::clock::Clock;
use crate::system::lock::lock;
use crate::system::reference_time::ReferenceTime;

/// A clock that is corrected by less is not told of.
const SET: SignedDuration = SignedDuration::from_mins(1);
/// A shorter sleep is nothing to remark.
const SLEPT: SignedDuration = SignedDuration::from_secs(5);
/// What two readings of one clock may differ by.
const SLACK: SignedDuration = SignedDuration::from_mins(1);
/// The most stories of which it is remembered since when they lie ahead of the clock.
const MOST_AHEAD: usize = 1_000;
/// How long it explains what is late that the clock was set, or that the machine slept.
const EXPLAINS: SignedDuration = SignedDuration::from_hours(1);

/// What tells the time. Clones share the memory.
#[derive(Clone)]
pub(super) struct Timekeeper {
    source: Arc<Mutex<(Clock, ReferenceTime)>>,
    memory: Arc<Mutex<Memory>>,
}

#[derive(Default)]
struct Memory {
    /// The latest time on record, and how long the machine had been up when it was first seen.
    anchor: Option<(Timestamp, SignedDuration)>,
    /// The last look: the time of day, how long the machine had been up, and how long it had slept.
    seen: Option<(Timestamp, SignedDuration, SignedDuration)>,
    /// Why something may be late, and how long the machine had been up when that was noticed.
    noticed: Option<(String, SignedDuration)>,
    /// Stories whose state began in the future, and how long the machine had been up when that was first seen.
    ahead: BTreeMap<StoryId, SignedDuration>,
    /// The last delivery, and how long the machine had been up then.
    sent: Option<(StoryId, SignedDuration)>,
}

/// What happened to the time between two looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Passed {
    /// By how much the clock was set, if it was; backwards, if negative.
    pub(super) set_by: Option<SignedDuration>,
    /// How long the machine slept, if it did.
    pub(super) slept: Option<SignedDuration>,
}

impl Default for Timekeeper {
    fn default() -> Self {
        let source = (Clock::system(), ReferenceTime::default());
        Self {
            source: Arc::new(Mutex::new(source)),
            memory: Arc::default(),
        }
    }
}

impl Timekeeper {
    /// One for another team, which goes by the same clocks.
    pub(super) fn sister(&self) -> Self {
        Self {
            source: self.source.clone(),
            memory: Arc::default(),
        }
    }

    /// Goes by these from now on.
    pub(super) fn go_by(&self, clock: Clock, reference: ReferenceTime) {
        *lock(&self.source) = (clock, reference);
    }

    fn clock(&self) -> Clock {
        lock(&self.source).0.clone()
    }

    /// How long the machine has been up.
    pub(super) fn up(&self) -> SignedDuration {
        self.clock().steady().up
    }

    /// Which boot of the machine this is.
    pub(super) fn boot(&self) -> Option<String> {
        self.clock().boot()
    }

    /// Whether the system's clock is synchronised.
    pub(super) fn synchronised(&self) -> bool {
        self.clock().synchronised()
    }

    /// What a server outside says, if one spoke.
    pub(super) fn server(&self) -> Option<Timestamp> {
        let (clock, reference) = lock(&self.source).clone();
        reference.at(clock.steady().up)
    }

    /// The verdict on the time of day; `latest` is the latest time on record.
    pub(super) fn judge(&self, latest: Option<Timestamp>, now: Timestamp) -> Verdict {
        let up = self.up();
        let carried = latest.and_then(|latest| {
            let mut memory = lock(&self.memory);
            let anchor = memory.anchor.filter(|(known, _)| *known == latest);
            let (_, since) = *memory.anchor.insert(anchor.unwrap_or((latest, up)));
            latest.checked_add(up.saturating_sub(since)).ok()
        });
        belief::judge(&Witnesses {
            now,
            latest,
            carried,
            synchronised: self.synchronised(),
            server: self.server(),
        })
    }

    /// Whether the time is where the records have it. What is not is believed only when it was judged, and is on record then.
    pub(super) fn trusts(&self, latest: Option<Timestamp>, now: Timestamp) -> bool {
        let verdict = self.judge(latest, now);
        verdict.place == Place::Near && verdict.is_believed
    }

    /// Looks what happened to the time since the last look.
    pub(super) fn look(&self, now: Timestamp) -> Passed {
        let steady = self.clock().steady();
        let mut memory = lock(&self.memory);
        let before = memory.seen.replace((now, steady.up, steady.asleep));
        let Some((then, up, asleep)) = before else {
            return Passed::default();
        };
        let real = steady.up.saturating_sub(up);
        let set_by = now.duration_since(then).saturating_sub(real);
        let slept = steady.asleep.saturating_sub(asleep);
        let passed = Passed {
            set_by: Some(set_by).filter(|by| by.abs() > SET),
            slept: Some(slept).filter(|slept| *slept > SLEPT),
        };
        if let Some(reason) = passed.reason() {
            tracing::warn!("{reason}");
            memory.noticed = Some((reason, steady.up));
        }
        passed
    }

    /// Why something may be late, as far as the time tells.
    pub(super) fn reason(&self) -> Option<String> {
        let up = self.up();
        let memory = lock(&self.memory);
        let noticed = memory.noticed.as_ref();
        noticed
            .filter(|(_, since)| up.saturating_sub(*since) <= EXPLAINS)
            .map(|(reason, _)| format!("{reason}; what went by is being put right."))
    }

    /// How long a story has stood since then. Of a clock that was set back the steady clock tells it: nothing ends because of
    /// that, and nothing stands for ever.
    pub(super) fn stood(&self, story: StoryId, since: Timestamp, now: Timestamp) -> SignedDuration {
        let stood = now.duration_since(since);
        let up = self.up();
        let mut memory = lock(&self.memory);
        if stood >= -SLACK {
            memory.ahead.remove(&story);
            return stood.abs();
        }
        if memory.ahead.len() > MOST_AHEAD {
            memory.ahead.clear();
        }
        let first = *memory.ahead.entry(story).or_insert(up);
        up.saturating_sub(first)
    }

    /// Notes that a story went out just now, or may have.
    pub(super) fn note_sent(&self, story: StoryId) {
        let up = self.up();
        lock(&self.memory).sent = Some((story, up));
    }

    /// How long another story is still to wait after the last one, by the steady clock.
    pub(super) fn left_of(
        &self,
        spacing: SignedDuration,
        story: StoryId,
    ) -> Option<SignedDuration> {
        let (_, since) = lock(&self.memory).sent.filter(|(last, _)| *last != story)?;
        let left = spacing.saturating_sub(self.up().saturating_sub(since));
        Some(left).filter(|left| left.is_positive())
    }
}

impl Passed {
    fn reason(self) -> Option<String> {
        let set = self.set_by.map(|by| {
            let way = if by.is_negative() { "back" } else { "forward" };
            format!("the clock was set {way} by {}", length(by.abs()))
        });
        let slept = self
            .slept
            .map(|slept| format!("the machine slept for {}", length(slept)));
        match (set, slept) {
            (Some(set), Some(slept)) => Some(format!("{slept}, and {set}")),
            (one, other) => one.or(other),
        }
    }
}

/// `90 s`, `12 min`, `30 h`, `365 days`.
fn length(span: SignedDuration) -> String {
    match span.as_secs() {
        seconds @ 0..=119 => format!("{seconds} s"),
        seconds @ 120..=7_199 => format!("{} min", seconds / 60),
        seconds @ 7_200..=172_799 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::clock::Shown;
    use crate::system::steady::Steady;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn minutes(count: i64) -> SignedDuration {
        SignedDuration::from_mins(count)
    }

    /// A clock that shows this when the machine has been up and asleep for so many minutes.
    fn shows(clock: &Clock, now: Timestamp, up: i64, asleep: i64) {
        clock.show(Shown {
            now,
            steady: Steady {
                up: minutes(up),
                asleep: minutes(asleep),
            },
            synchronised: false,
        });
    }

    #[test]
    fn a_sleep_is_told_apart_from_a_clock_that_was_set() {
        let noon = at("2027-03-01T12:00:00Z");
        let (clock, keeper) = (Clock::steerable(noon), Timekeeper::default());
        keeper.go_by(clock.clone(), ReferenceTime::default());
        for (now, up, asleep, set_by, slept) in [
            (noon, 0, 0, None, None),
            (noon + minutes(5), 5, 0, None, None),
            // It slept for three hours.
            (noon + minutes(185), 185, 180, None, Some(minutes(180))),
            // It was set a year ahead, and right again.
            (
                noon + minutes(186 + 525_600),
                186,
                180,
                Some(minutes(525_600)),
                None,
            ),
            (noon + minutes(187), 187, 180, Some(minutes(-525_600)), None),
            // Both.
            (
                noon + minutes(307),
                247,
                240,
                Some(minutes(60)),
                Some(minutes(60)),
            ),
        ] {
            shows(&clock, now, up, asleep);
            assert_eq!(keeper.look(now), Passed { set_by, slept }, "{now}");
        }
        let reason = keeper.reason().unwrap();
        assert!(
            reason.starts_with(
                "the machine slept for 60 min, and the clock was set forward by 60 min"
            ),
            "{reason}"
        );
        shows(&clock, noon, 247 + 61, 240);
        assert_eq!(keeper.reason(), None, "it explains nothing any more");
    }

    #[test]
    fn the_records_are_carried_on_by_the_steady_clock() {
        let noon = at("2027-03-01T12:00:00Z");
        let (clock, keeper) = (Clock::steerable(noon), Timekeeper::default());
        keeper.go_by(clock.clone(), ReferenceTime::default());
        let day = minutes(24 * 60);
        assert!(keeper.trusts(Some(noon), noon + day));
        assert!(!keeper.trusts(Some(noon), noon + day + minutes(1)));
        shows(&clock, noon, 3 * 24 * 60, 0);
        assert!(keeper.trusts(Some(noon), noon + day * 4));
        assert!(!keeper.trusts(Some(noon), noon + day * 4 + minutes(1)));
        // Another time on record is carried on from when it was seen.
        assert!(!keeper.trusts(Some(noon + day), noon + day * 3));
    }
}
