//! What wakes a waiting loop: a nudge, which is only a hint that a row has changed, and the one slow tick of the whole
//! process, which makes up for every nudge that was lost.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};

use super::clock::Clock;
use super::supervisor::{BoxError, Pulse};

/// How often every loop wakes when nothing happens. One timer serves them all, so an idle box wakes once in this time.
pub const TICK: Duration = Duration::from_secs(30);

/// A hint for one loop that it is worth looking now. Any number of clones may give it; one loop waits for it.
#[derive(Clone, Debug, Default)]
pub struct Nudge(Arc<Notify>);

impl Nudge {
    /// One that has not been given.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the hint. It is kept until the loop waits, so one that comes while the loop looks is not lost; several become
    /// one.
    pub fn notify(&self) {
        self.0.notify_one();
    }

    /// Waits for a hint given since the last wait ended.
    pub async fn wait(&self) {
        self.0.notified().await;
    }
}

/// Beats every [`TICK`] for all that subscribed; a task of the supervisor.
#[derive(Clone, Debug)]
pub struct Heart {
    clock: Clock,
    beat: Arc<watch::Sender<Timestamp>>,
}

impl Heart {
    /// A heart that tells this clock's time.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        let beat = Arc::new(watch::Sender::new(clock.now()));
        Self { clock, beat }
    }

    /// A subscription; it hears the beats that follow.
    #[must_use]
    pub fn subscribe(&self) -> Tick {
        Tick(self.beat.subscribe())
    }

    /// Beats once, now. The wall clock is read anew: it may have been set since the last beat.
    pub fn beat(&self) {
        self.beat.send_replace(self.clock.now());
    }

    /// Beats until it is time to stop.
    ///
    /// # Errors
    /// None; the type is the supervisor's.
    pub async fn run(self, pulse: Pulse) -> Result<(), BoxError> {
        loop {
            tokio::select! {
                () = pulse.stopping() => return Ok(()),
                () = tokio::time::sleep(TICK) => {}
            }
            self.beat();
            pulse.beat();
        }
    }
}

/// A loop's subscription to the [`Heart`].
#[derive(Clone, Debug)]
pub struct Tick(watch::Receiver<Timestamp>);

impl Tick {
    /// Waits for the next beat and tells the time of it. Beats that went by while nobody waited count as one. When the
    /// heart is gone for good it waits for ever, rather than letting its loop spin.
    pub async fn wait(&mut self) -> Timestamp {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        *self.0.borrow_and_update()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::shutdown::Shutdown;
    use crate::system::supervisor::Supervisor;
    use jiff::SignedDuration;
    use tokio::time::{Instant, timeout};

    const MOMENT: Duration = Duration::from_millis(1);

    #[tokio::test(start_paused = true)]
    async fn a_nudge_given_while_the_loop_looks_is_kept_and_several_are_one() {
        let nudge = Nudge::new();
        nudge.notify();
        nudge.clone().notify();
        nudge.wait().await;
        assert!(timeout(MOMENT, nudge.wait()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_nudge_wakes_the_loop_that_waits() {
        let nudge = Nudge::new();
        let waiting = tokio::spawn({
            let nudge = nudge.clone();
            async move { nudge.wait().await }
        });
        tokio::task::yield_now().await;
        nudge.notify();
        waiting.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn one_heart_beats_for_all_and_reads_the_clock_anew() {
        let clock = Clock::steerable("2027-01-01T00:00:00Z".parse().unwrap());
        let heart = Heart::new(clock.clone());
        let (mut one, mut two) = (heart.subscribe(), heart.subscribe());
        let supervisor = Supervisor::new(Shutdown::new());
        let began = Instant::now();
        supervisor.spawn("heart", TICK * 3, move |pulse| heart.clone().run(pulse));

        clock.advance(SignedDuration::from_hours(-5));
        assert_eq!(one.wait().await, clock.now());
        assert_eq!(two.wait().await, clock.now());
        assert_eq!(began.elapsed(), TICK);
        one.wait().await;
        assert_eq!(began.elapsed(), TICK * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_heart_a_loop_rests() {
        let mut tick = Heart::new(Clock::system()).subscribe();
        assert!(timeout(TICK * 10, tick.wait()).await.is_err());
    }
}
