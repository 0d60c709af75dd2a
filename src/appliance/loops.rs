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
use crate::system::clock::{Clock, synchronised};
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
                    now = tick.wait() => {
                        if now.duration_since(planned_at).abs() >= PLAN_EVERY {
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

    pub(super) async fn dispatch(self, mut tick: Tick, pulse: Pulse) -> Result<(), BoxError> {
        // Once, and before the first story goes out: what is on its way now was left so by the last process.
        if !self.is_awake.load(Ordering::Relaxed) {
            self.flow.wake_up(self.was_away, self.clock.now()).await?;
            self.is_awake.store(true, Ordering::Relaxed);
        }
        loop {
            pulse.beat();
            let now = self.clock.now();
            let step = self
                .flow
                .dispatch(self.outlet.as_ref(), &self.studio, synchronised(), now)
                .await?;
            if let Step::Idle(next) = step {
                self.flow.come_back(synchronised(), now).await?;
                rest(
                    &pulse,
                    &self.flow.nudges.dispatch,
                    &mut tick,
                    next,
                    &self.clock,
                )
                .await;
            }
            if pulse.is_stopping() {
                return Ok(());
            }
        }
    }

    pub(super) async fn follow(self, mut tick: Tick, pulse: Pulse) -> Result<(), BoxError> {
        loop {
            pulse.beat();
            let next = self
                .flow
                .follow(self.outlet.as_ref(), &self.studio, self.clock.now())
                .await?;
            rest(
                &pulse,
                &self.flow.nudges.messages,
                &mut tick,
                next,
                &self.clock,
            )
            .await;
            if pulse.is_stopping() {
                return Ok(());
            }
        }
    }

    /// What goes with stories: reminders, originals, albums, and what the team is told of
    /// it unasked. Apart, so that a slow upload keeps no message from following.
    pub(super) async fn accompany(self, mut tick: Tick, pulse: Pulse) -> Result<(), BoxError> {
        loop {
            pulse.beat();
            let (flow, outlet) = (&self.flow, self.outlet.as_ref());
            let reminded = flow.remind(outlet, self.clock.now()).await?;
            pulse.beat();
            let again = flow
                .bring_originals(outlet, &self.archive, self.clock.now())
                .await?;
            pulse.beat();
            let more = flow
                .bring_albums(outlet, &self.studio, self.clock.now())
                .await?;
            pulse.beat();
            let news = flow.inform(outlet, &self.studio, self.clock.now()).await?;
            rest(
                &pulse,
                &self.flow.nudges.extras,
                &mut tick,
                [reminded, again, more, news].into_iter().flatten().min(),
                &self.clock,
            )
            .await;
            if pulse.is_stopping() {
                return Ok(());
            }
        }
    }

    /// What people hand in: asked about, fetched, and told of.
    pub(super) async fn take_in(self, mut tick: Tick, pulse: Pulse) -> Result<(), BoxError> {
        loop {
            pulse.beat();
            let (flow, courier) = (&self.flow, &self.courier);
            let answered = flow
                .answer_hand_ins(courier.as_ref(), self.clock.now())
                .await?;
            pulse.beat();
            let taken = flow
                .take_in(courier, &self.intake, self.clock.now())
                .await?;
            rest(
                &pulse,
                &self.flow.nudges.hand_ins,
                &mut tick,
                answered.into_iter().chain(taken).min(),
                &self.clock,
            )
            .await;
            if pulse.is_stopping() {
                return Ok(());
            }
        }
    }

    pub(super) async fn tell(self, mut tick: Tick, pulse: Pulse) -> Result<(), BoxError> {
        loop {
            pulse.beat();
            self.flow
                .tell_alerts(self.outlet.as_ref(), self.clock.now())
                .await?;
            rest(
                &pulse,
                &self.flow.nudges.alerts,
                &mut tick,
                None,
                &self.clock,
            )
            .await;
            if pulse.is_stopping() {
                return Ok(());
            }
        }
    }
}

/// Rests until there may be something to do: a nudge, the tick, or `next`, if it comes before the tick would.
async fn rest(
    pulse: &Pulse,
    nudge: &Nudge,
    tick: &mut Tick,
    next: Option<Timestamp>,
    clock: &Clock,
) {
    let soon = next.and_then(|at| {
        let wait = at.duration_since(clock.now()).max(SignedDuration::ZERO);
        // Later ones are left to the tick, which reads the wall clock anew.
        Duration::try_from(wait).ok().filter(|wait| *wait <= TICK)
    });
    let until = async {
        match soon {
            // A hair after, so that the moment itself is surely past.
            Some(wait) => {
                tokio::time::sleep_until(Instant::now() + wait + Duration::from_millis(2)).await
            }
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = pulse.stopping() => {}
        () = nudge.wait() => {}
        _ = tick.wait() => {}
        () = until => {}
    }
}
