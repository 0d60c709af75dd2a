//! What a test does to the clocks of the box.

use jiff::{SignedDuration, Timestamp};

use super::TheBox;

impl TheBox {
    /// Time passes, and nobody looks.
    pub(crate) fn passes(&mut self, time: SignedDuration) {
        self.now += time;
        self.steady.up += time;
    }

    /// The machine sleeps, and the box with it.
    pub(crate) fn sleeps_for(&mut self, time: SignedDuration) {
        self.passes(time);
        self.steady.asleep += time;
    }

    /// A server outside says that it is this time.
    pub(crate) fn server_says(&self, said: Timestamp) {
        self.server.hear(said, self.steady.up);
    }

    /// The clock is set; no time passes.
    pub(crate) fn set_clock(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// Lets the box run for so long.
    pub(crate) fn live_for(&mut self, time: SignedDuration) {
        self.live_until(self.now + time);
    }
}
