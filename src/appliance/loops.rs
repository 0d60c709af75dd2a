//! The loops of the appliance. Each is a step of the flow and a rest until there may be something to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::flow::Flow;
use crate::flow::dispatch::Step;
use crate::flow::intake::{Courier, Intake};
use crate::flow::outlet::{Archive, Outlet, Studio};
use crate::system::clock::Clock;
use crate::system::nudge::{Nudge, TICK, Tick};
use crate::system::supervisor::{BoxError, Pulse};

/// How often the plan is looked at although nothing seems to have changed, so that it stays filled ahead.
const PLAN_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// How long changes are collected before the plan is drawn, so that a burst of pictures draws it once.
const COLLECT: Duration = Duration::from_millis(300);

/// What the loops of the desk share. Each is a step and a wait.
#[derive(Clone)]
pub(super) struct Worker {
    pub(super) flow: Flow,
    pub(super) clock: Clock,
    pub(super) outlet: Arc<dyn Outlet>,
    pub(super) studio: Studio,
    pub(super) archive: Archive,
    /// Whether presses may have been lost while the box was off.
    pub(super) was_away: bool,
    pub(super) courier: Arc<dyn Courier>,
    pub(super) intake: Intake,
    /// Whether what the last process left standing was put right.
    pub(super) is_awake: Arc<AtomicBool>,
}

impl Worker {
    pub(super) async fn plan(self, mut tick: Tick, pulse: Pulse) -> Result<(), BoxError> {
        let mut planned_at = Timestamp::MIN;
        loop {
            // Rests first: at the start the library is scanned, and what it brings is one plan and not many.
            loop {
                pulse.beat();
                tokio::select! {
                    () = pulse.stopping() => return Ok(()),
                    () = self.flow.nudges.plan.wait() => break,
                    beat = tick.wait() => {
                        if beat.at.duration_since(planned_at).abs() >= PLAN_EVERY {
                            break;
                        }
                    }
                }
            }
            tokio::time::sleep(COLLECT).await;
            planned_at = self.clock.now();
            self.flow.plan(planned_at).await?;
        }
    }

    pub(super) async fn dispatch(self, tick: Tick, pulse: Pulse) -> Result<(), BoxError> {
        // Once, and before the first story goes out: what is on its way now was left so by the last process.
        if !self.is_awake.load(Ordering::Relaxed) {
            self.flow.wake_up(self.was_away, self.clock.now()).await?;
            self.is_awake.store(true, Ordering::Relaxed);
        }
        let mut turns = self.turns(&self.flow.nudges.dispatch, tick, pulse);
        while turns.come().await {
            let now = self.clock.now();
            let (outlet, studio) = (self.outlet.as_ref(), &self.studio);
            let step = self.flow.dispatch(outlet, studio, now);
            turns.next = match step.await? {
                Step::Handled => Some(now),
                Step::Idle(next) => {
                    let told = self.flow.come_back(now).await?;
                    next.into_iter().chain(told).min()
                }
            };
        }
        Ok(())
    }

    pub(super) async fn follow(self, tick: Tick, pulse: Pulse) -> Result<(), BoxError> {
        let mut turns = self.turns(&self.flow.nudges.messages, tick, pulse);
        while turns.come().await {
            let (outlet, now) = (self.outlet.as_ref(), self.clock.now());
            turns.next = self.flow.follow(outlet, &self.studio, now).await?;
        }
        Ok(())
    }

    /// What goes with stories: reminders, originals, albums, and what the team is told of
    /// it unasked. Apart, so that a slow upload keeps no message from following.
    pub(super) async fn accompany(self, tick: Tick, pulse: Pulse) -> Result<(), BoxError> {
        let (flow, outlet, now) = (&self.flow, self.outlet.as_ref(), || self.clock.now());
        let mut turns = self.turns(&flow.nudges.extras, tick, pulse);
        while turns.come().await {
            let reminded = flow.remind(outlet, now()).await?;
            turns.pulse.beat();
            let again = flow.bring_originals(outlet, &self.archive, now()).await?;
            turns.pulse.beat();
            let more = flow.bring_albums(outlet, &self.studio, now()).await?;
            turns.pulse.beat();
            let news = flow.inform(outlet, &self.studio, now()).await?;
            turns.next = [reminded, again, more, news].into_iter().flatten().min();
        }
        Ok(())
    }

    /// What people hand in: asked about, fetched, and told of.
    pub(super) async fn take_in(self, tick: Tick, pulse: Pulse) -> Result<(), BoxError> {
        let (flow, courier, now) = (&self.flow, &self.courier, || self.clock.now());
        let mut turns = self.turns(&flow.nudges.hand_ins, tick, pulse);
        while turns.come().await {
            let answered = flow.answer_hand_ins(courier.as_ref(), now()).await?;
            turns.pulse.beat();
            let taken = flow.take_in(courier, &self.intake, now()).await?;
            turns.next = answered.into_iter().chain(taken).min();
        }
        Ok(())
    }

    pub(super) async fn tell(self, tick: Tick, pulse: Pulse) -> Result<(), BoxError> {
        let mut turns = self.turns(&self.flow.nudges.alerts, tick, pulse);
        while turns.come().await {
            let (outlet, now) = (self.outlet.as_ref(), self.clock.now());
            turns.next = self.flow.tell_alerts(outlet, now).await?;
        }
        Ok(())
    }

    fn turns<'a>(&'a self, nudge: &'a Nudge, tick: Tick, pulse: Pulse) -> Turns<'a> {
        Turns {
            nudge,
            tick,
            pulse,
            clock: &self.clock,
            // The first comes at once.
            next: Some(Timestamp::MIN),
        }
    }
}

/// The turns of a loop: each comes when there may be something to do.
struct Turns<'a> {
    nudge: &'a Nudge,
    tick: Tick,
    pulse: Pulse,
    clock: &'a Clock,
    /// When the next is to come, if nothing has it come before.
    next: Option<Timestamp>,
}

impl Turns<'_> {
    /// Rests until the next turn: a nudge, a beat with news, or its time. False if it is time to stop.
    async fn come(&mut self) -> bool {
        loop {
            let soon = self.next.and_then(|at| {
                let wait = at.duration_since(self.clock.now());
                let wait = wait.max(SignedDuration::ZERO);
                // Later ones are left to the next beats, when the wall clock is read anew.
                Duration::try_from(wait).ok().filter(|wait| *wait <= TICK)
            });
            let until = async {
                match soon {
                    // A hair after, so that the moment itself is surely past.
                    Some(wait) => {
                        tokio::time::sleep_until(Instant::now() + wait + Duration::from_millis(2))
                            .await
                    }
                    None => std::future::pending().await,
                }
            };
            let is_turn = tokio::select! {
                () = self.pulse.stopping() => true,
                () = self.nudge.wait() => true,
                beat = self.tick.wait() => beat.is_news,
                () = until => true,
            };
            // Every beat is answered, so that it is known that the loop lives.
            self.pulse.beat();
            if is_turn {
                return !self.pulse.is_stopping();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::system::nudge::Heart;
    use crate::system::shutdown::Shutdown;
    use crate::system::supervisor::Supervisor;

    /// A loop that counts its turns, and what its task says of its life.
    struct Bed {
        clock: Clock,
        heart: Heart,
        nudge: Nudge,
        turns: Arc<AtomicUsize>,
        supervisor: Supervisor,
    }

    impl Bed {
        /// Its next turn is to come so late after each.
        async fn new(pause: Option<SignedDuration>) -> Self {
            let clock = Clock::steerable("2027-01-01T09:00:00Z".parse().unwrap());
            let bed = Self {
                heart: Heart::new(clock.clone()),
                clock: clock.clone(),
                nudge: Nudge::new(),
                turns: Arc::default(),
                supervisor: Supervisor::new(Shutdown::new()),
            };
            let (tick, nudge) = (bed.heart.subscribe(), bed.nudge.clone());
            let count = Arc::clone(&bed.turns);
            bed.supervisor
                .spawn("loop", Duration::from_secs(90), move |pulse| {
                    let (tick, clock) = (tick.clone(), clock.clone());
                    let (nudge, count) = (nudge.clone(), Arc::clone(&count));
                    async move {
                        let mut turns = Turns {
                            nudge: &nudge,
                            tick,
                            pulse,
                            clock: &clock,
                            next: Some(Timestamp::MIN),
                        };
                        while turns.come().await {
                            count.fetch_add(1, Ordering::Relaxed);
                            turns.next = pause.map(|pause| clock.now() + pause);
                        }
                        Ok(())
                    }
                });
            bed.settle().await;
            bed
        }

        async fn settle(&self) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }

        /// How many turns came with a beat, after which the loop is known to live.
        async fn with(&self, beat: impl Fn(&Heart)) -> usize {
            let before = self.turns.load(Ordering::Relaxed);
            self.clock.advance(SignedDuration::try_from(TICK).unwrap());
            tokio::time::sleep(TICK).await;
            let began = Instant::now();
            beat(&self.heart);
            self.settle().await;
            assert!(self.supervisor.states()[0].last_beat >= began);
            self.turns.load(Ordering::Relaxed) - before
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_comes_by_news_or_a_nudge_and_not_by_every_beat() {
        let bed = Bed::new(None).await;
        assert_eq!(bed.turns.load(Ordering::Relaxed), 1, "the first, at once");
        for _ in 0..10 {
            assert_eq!(bed.with(Heart::beat_quietly).await, 0);
        }
        assert_eq!(bed.with(Heart::beat).await, 1);
        bed.nudge.notify();
        bed.settle().await;
        assert_eq!(bed.turns.load(Ordering::Relaxed), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_comes_at_its_time_however_quiet_the_beats_are() {
        let bed = Bed::new(Some(SignedDuration::from_secs(100))).await;
        // The clock stands still between the beats: the time comes with the fourth.
        for turns in [0, 0, 0, 1, 0] {
            assert_eq!(bed.with(Heart::beat_quietly).await, turns);
        }
    }
}
