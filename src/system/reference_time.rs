//! A second opinion on the time of day: what a server outside said last (the `Date` header of its answers), carried on by the
//! steady clock. The system's clock may jump; this one cannot.

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

use super::lock::lock;
use super::steady::Steady;

/// The time as another machine last told it. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct ReferenceTime(Arc<Mutex<Option<Heard>>>);

#[derive(Clone, Copy, Debug)]
struct Heard {
    said: Timestamp,
    /// How long the machine was up then.
    up: SignedDuration,
}

impl ReferenceTime {
    /// Notes what a server said just now. Its resolution is one second (RFC 9110, section 6.6.1).
    pub fn note(&self, said: Timestamp) {
        self.hear(said, Steady::read().up);
    }

    /// The time of day by that server, or `None` if nobody said one since the start.
    #[must_use]
    pub fn now(&self) -> Option<Timestamp> {
        self.at(Steady::read().up)
    }

    /// The same, of a server that said it when the machine had been up for so long.
    pub fn hear(&self, said: Timestamp, up: SignedDuration) {
        *lock(&self.0) = Some(Heard { said, up });
    }

    /// The time of day by that server, when the machine has been up for so long.
    #[must_use]
    pub fn at(&self, up: SignedDuration) -> Option<Timestamp> {
        let heard = (*lock(&self.0))?;
        heard.said.checked_add(up.saturating_sub(heard.up)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_of_a_server_is_carried_on() {
        let reference = ReferenceTime::default();
        assert_eq!(reference.now(), None);
        let said = "2027-01-01T00:00:00Z".parse().unwrap();
        reference.clone().note(said);
        let now = reference.now().unwrap();
        assert!(now >= said && now.duration_since(said) < SignedDuration::from_mins(5));
    }

    #[test]
    fn it_goes_on_while_the_machine_sleeps_and_the_latest_word_counts() {
        let reference = ReferenceTime::default();
        let (said, hour) = (
            "2027-01-01T00:00:00Z".parse().unwrap(),
            SignedDuration::from_hours(1),
        );
        reference.hear(said, hour);
        assert_eq!(reference.at(hour * 6), Some(said + hour * 5));
        reference.hear(said - hour, hour * 6);
        assert_eq!(reference.at(hour * 7), Some(said));
    }
}
