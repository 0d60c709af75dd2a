//! The only place that asks for the time of day. Whether the answer is to be believed is judged in [`belief`](super::belief): a
//! board without a clock battery wakes up in the past.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

use super::lock::lock;
use super::steady::{self, Steady};

/// The day this version was made, 2026-11-21 UTC: a clock that shows less is certainly wrong.
pub const RELEASED: Timestamp = Timestamp::constant(1_795_219_200, 0);

/// What systemd-timesyncd leaves when it has set the clock. It lies in `/run`, so it is gone after a boot.
const SYNCHRONISED_MARKER: &str = "/run/systemd/timesync/synchronized";

/// Tells the time of day. Clones share it.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System,
    Steerable(Arc<Mutex<Shown>>),
}

/// What a steerable clock shows.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// The time of day.
    pub now: Timestamp,
    /// How long the machine has been up.
    pub steady: Steady,
    /// Whether the time of day is synchronised.
    pub synchronised: bool,
}

impl Clock {
    /// The system's.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// One that stands still until it is moved, for tests and simulations.
    #[must_use]
    pub fn steerable(start: Timestamp) -> Self {
        Self(Source::Steerable(Arc::new(Mutex::new(Shown {
            now: start,
            steady: Steady::default(),
            synchronised: false,
        }))))
    }

    /// The time of day, in UTC.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => Timestamp::now(),
            Source::Steerable(shown) => lock(shown).now,
        }
    }

    /// What the steady clock shows.
    #[must_use]
    pub fn steady(&self) -> Steady {
        match &self.0 {
            Source::System => Steady::read(),
            Source::Steerable(shown) => lock(shown).steady,
        }
    }

    /// Whether the time of day is known to be synchronised.
    #[must_use]
    pub fn synchronised(&self) -> bool {
        match &self.0 {
            Source::System => synchronised(),
            Source::Steerable(shown) => lock(shown).synchronised,
        }
    }

    /// Which boot of the machine this is; nothing where that is not known.
    #[must_use]
    pub fn boot(&self) -> Option<String> {
        match &self.0 {
            Source::System => steady::boot(),
            // Nobody knows what happened to it between two lives.
            Source::Steerable(_) => None,
        }
    }

    /// Lets so much time pass by a steerable clock; backwards, if negative, it is only set.
    ///
    /// # Panics
    /// If it is the system's clock, which nobody here steers.
    pub fn advance(&self, by: SignedDuration) {
        self.set(self.now() + by);
    }

    /// Lets time pass by a steerable clock until then; an earlier time it is only set to.
    ///
    /// # Panics
    /// If it is the system's clock, which nobody here steers.
    pub fn set(&self, to: Timestamp) {
        self.steer(|shown| {
            let passed = to.duration_since(shown.now).max(SignedDuration::ZERO);
            shown.steady.up += passed;
            shown.now = to;
        });
    }

    /// Has a steerable clock show this.
    ///
    /// # Panics
    /// If it is the system's clock, which nobody here steers.
    pub fn show(&self, shows: Shown) {
        self.steer(|shown| *shown = shows);
    }

    fn steer(&self, change: impl FnOnce(&mut Shown)) {
        match &self.0 {
            Source::System => panic!("the system's clock cannot be steered"),
            Source::Steerable(shown) => change(&mut lock(shown)),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::System => "Clock::system",
            Source::Steerable(_) => "Clock::steerable",
        })
    }
}

/// Whether the system's clock is known to be synchronised.
///
/// Only the marker of systemd-timesyncd (the default on Raspberry Pi OS and Debian) is read. The kernel knows it of every
/// time service, but asking it (`adjtimex`) has no safe way in the crates we carry; a box that runs chrony is judged by the
/// other witnesses, and a person may vouch for its clock.
#[must_use]
pub fn synchronised() -> bool {
    Path::new(SYNCHRONISED_MARKER).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_steerable_clock_stands_still_and_its_clones_move_with_it() {
        let clock = Clock::steerable(at("2027-01-01T00:00:00Z"));
        let clone = clock.clone();
        assert_eq!(clone.now(), at("2027-01-01T00:00:00Z"));
        clock.advance(SignedDuration::from_mins(90));
        assert_eq!(clone.now(), at("2027-01-01T01:30:00Z"));
        clone.advance(SignedDuration::from_mins(-30));
        assert_eq!(clock.now(), at("2027-01-01T01:00:00Z"));
        clone.set(at("2026-12-01T00:00:00Z"));
        assert_eq!(clock.now(), at("2026-12-01T00:00:00Z"));
        // What was set back did not pass.
        assert_eq!(clock.steady().up, SignedDuration::from_mins(90));
        assert!(!clock.synchronised());
    }

    #[test]
    #[should_panic(expected = "cannot be steered")]
    fn the_systems_clock_is_not_steered() {
        Clock::system().set(RELEASED);
    }

    #[test]
    fn the_release_is_the_day_it_says() {
        assert_eq!(RELEASED, at("2026-11-21T00:00:00Z"));
    }
}
