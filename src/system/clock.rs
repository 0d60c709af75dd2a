//! The only place that asks for the time of day, and the judge of whether the answer is to be trusted: a board without a
//! clock battery wakes up in the past.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

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
    Steerable(Arc<Mutex<Timestamp>>),
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
        Self(Source::Steerable(Arc::new(Mutex::new(start))))
    }

    /// The time of day, in UTC.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => Timestamp::now(),
            Source::Steerable(time) => *time.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Moves a steerable clock by so much; backwards, if negative.
    ///
    /// # Panics
    /// If it is the system's clock, which nobody here steers.
    pub fn advance(&self, by: SignedDuration) {
        self.steer(|time| time + by);
    }

    /// Sets a steerable clock.
    ///
    /// # Panics
    /// If it is the system's clock, which nobody here steers.
    pub fn set(&self, to: Timestamp) {
        self.steer(|_| to);
    }

    fn steer(&self, next: impl FnOnce(Timestamp) -> Timestamp) {
        match &self.0 {
            Source::System => panic!("the system's clock cannot be steered"),
            Source::Steerable(time) => {
                let mut time = time.lock().unwrap_or_else(PoisonError::into_inner);
                *time = next(*time);
            }
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
/// time service, but asking it (`adjtimex`) has no safe way in the crates we carry; a box that runs chrony is judged by
/// [`trusted`], and a person may vouch for its clock.
#[must_use]
pub fn synchronised() -> bool {
    Path::new(SYNCHRONISED_MARKER).exists()
}

/// Whether `now` may be planned by, though nobody vouches for it: it is past the latest time that was ever recorded, or,
/// with nothing recorded, past the release of this version.
#[must_use]
pub fn trusted(now: Timestamp, latest_recorded: Option<Timestamp>) -> bool {
    now > latest_recorded.unwrap_or(RELEASED)
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

    #[test]
    fn a_clock_is_trusted_when_it_is_past_all_that_was_recorded() {
        let recorded = Some(at("2027-05-05T12:00:00Z"));
        for (now, latest, verdict) in [
            ("1970-01-01T00:01:00Z", None, false),
            ("2026-11-20T23:59:59Z", None, false),
            ("2026-11-21T00:00:01Z", None, true),
            ("2027-05-05T12:00:00Z", recorded, false),
            ("2027-05-05T12:00:01Z", recorded, true),
            ("2027-05-05T11:00:00Z", recorded, false),
        ] {
            assert_eq!(trusted(at(now), latest), verdict, "{now}");
        }
    }
}
