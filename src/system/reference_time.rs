//! A second opinion on the time of day: what a server outside said last (the `Date` header of its answers), carried on by the
//! steady clock. The system's clock may jump; this one cannot.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use super::lock::lock;

/// The time as another machine last told it. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct ReferenceTime(Arc<Mutex<Option<Heard>>>);

#[derive(Clone, Copy, Debug)]
struct Heard {
    said: Timestamp,
    at: Instant,
}

impl ReferenceTime {
    /// Notes what a server said just now. Its resolution is one second (RFC 9110, section 6.6.1).
    pub fn note(&self, said: Timestamp) {
        let at = Instant::now();
        *lock(&self.0) = Some(Heard { said, at });
    }

    /// The time of day by that server, or `None` if nobody said one since the start.
    #[must_use]
    pub fn now(&self) -> Option<Timestamp> {
        let heard = (*lock(&self.0))?;
        let elapsed = SignedDuration::try_from(heard.at.elapsed()).ok()?;
        heard.said.checked_add(elapsed).ok()
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
}
