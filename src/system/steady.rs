//! The steady clock: how long the machine has been up. Nobody sets it, so it cannot jump; and it goes on while the machine
//! sleeps, so that a sleep is told apart from a clock that was set.

use std::fs;

use jiff::SignedDuration;
use rustix::time::{ClockId, Timespec, clock_gettime};

/// Another one after every boot (Linux, `random(4)`).
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// A reading of the steady clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steady {
    /// Since the machine was started, sleep included.
    pub up: SignedDuration,
    /// How much of that the machine slept.
    pub asleep: SignedDuration,
}

impl Steady {
    /// What the machine's clock shows.
    #[must_use]
    pub fn read() -> Self {
        let up = span(clock_gettime(ClockId::Boottime));
        let awake = span(clock_gettime(ClockId::Monotonic));
        Self {
            up,
            asleep: up.saturating_sub(awake).max(SignedDuration::ZERO),
        }
    }
}

/// The name of this boot; nothing where the system tells none.
#[must_use]
pub fn boot() -> Option<String> {
    let name = fs::read_to_string(BOOT_ID).ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

fn span(time: Timespec) -> SignedDuration {
    let nanoseconds = i32::try_from(time.tv_nsec).unwrap_or_default();
    SignedDuration::new(time.tv_sec, nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_and_the_boot_has_one_name() {
        let first = Steady::read();
        let second = Steady::read();
        assert!(first.up > SignedDuration::ZERO && second.up >= first.up);
        assert!(second.asleep <= second.up);
        assert_eq!(boot(), boot());
        assert!(boot().is_some_and(|name| name.len() == 36));
    }
}
