//! The loops of the appliance. Each is a step of the flow and a rest until there may be something to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::illness::{Illness, passes};
use crate::flow::dispatch::Step;
use crate::flow::outlet::{Archive, Outlet, Studio};
use crate::flow::{Error, Flow};
use crate::system::clock::{Clock, synchronised};
use crate::system::nudge::{Nudge, TICK, Tick};
use crate::system::supervisor::{BoxError, Pulse};
use crate::system::systemd::Systemd;
use crate::telegram::message::moment;

/// How often the plan is looked at although nothing seems to have changed, so that it stays filled ahead.
const PLAN_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// How long changes are collected before the plan is drawn, so that a burst of pictures draws it once.
const COLLECT: Duration = Duration::from_millis(300);
/// How often what nobody needs is forgotten.
const TIDY_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// What `systemctl status` says as long as the team has no chat.
const NO_CHAT: &str = "No chat is set: pictures are indexed and nothing is sent. Add the bot to the team's chat, or say \
                       `storyline team set chat=…`.";

/// What the loops of the desk share. Each is a step and a wait.
#[derive(Clone)]
pub(super) struct Worker {
    pub(super) flow: Flow,
    pub(super) clock: Clock,
    pub(super) outlet: Arc<dyn Outlet>,
    pub(super) studio: Studio,
    pub(super) archive: Archive,
    /// Whether what the last process left standing was put right.
    pub(super) is_awake: Arc<AtomicBool>,
}

impl Worker {
    pub(super) async fn plan(self, mut tick: Tick, pulse: Pulse) -> Result<(), BoxError> {
        let mut knock = None;
        let mut planned_at = Timestamp::MIN;
        loop {
            // Rests first: at the start the library is scanned, and what it brings is one plan and not many.
            loop {
                pulse.beat();
                tokio::select! {
                    () = pulse.stopping() => return Ok(()),
                    () = self.flow.nudges.plan.wait() => break,
                    now = tick.wait() => {
                        let heard = self.flow.last_knock().await?;
                        if heard != knock {
                            knock = heard;
                            self.flow.nudges.everybody();
                        }
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
            self.flow.wake_up(self.clock.now()).await?;
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

/// Puts right what was left standing, forgets what nobody needs, and tells systemd how the box is.
#[derive(Clone)]
pub(super) struct Keeper {
    pub(super) flow: Flow,
    pub(super) clock: Clock,
    pub(super) illness: Illness,
    pub(super) outlet: Option<Arc<dyn Outlet>>,
    /// What is missing for a desk, in plain words.
    pub(super) missing: Option<&'static str>,
    pub(super) systemd: Systemd,
}

impl Keeper {
    pub(super) async fn run(self, mut tick: Tick, pulse: Pulse) -> Result<(), BoxError> {
        let mut tidied_at = None;
        loop {
            pulse.beat();
            let now = self.clock.now();
            if let Err(error) = self.keep_up(&mut tidied_at, now).await {
                if !passes(&error) {
                    return Err(error.into());
                }
                // The records cannot tell it, so systemd and the owner are told directly.
                self.illness.note(error.to_string());
            }
            if let Some(reason) = self.illness.reason() {
                self.systemd.status(&reason);
                if let Some(outlet) = &self.outlet {
                    self.illness.tell(outlet.as_ref(), now).await;
                }
            }
            tokio::select! {
                () = pulse.stopping() => return Ok(()),
                () = self.flow.nudges.upkeep.wait() => {}
                _ = tick.wait() => {}
            }
        }
    }

    async fn keep_up(
        &self,
        tidied_at: &mut Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), Error> {
        if self.illness.reason().is_some() {
            // Reading proves nothing; a mark that is written does. It also has every loop look again.
            self.flow.knock(now).await?;
            self.illness.end(self.outlet.as_deref(), now).await;
        }
        self.flow.upkeep(now).await?;
        if tidied_at.is_none_or(|at| now.duration_since(at).abs() >= TIDY_EVERY) {
            self.flow.tidy(now).await?;
            *tidied_at = Some(now);
        }
        match self.missing {
            Some(missing) => self.systemd.status(missing),
            None => self.systemd.status(&headline(&self.flow, now).await?),
        }
        Ok(())
    }
}

/// How the box stands, in a line for `systemctl status`.
async fn headline(flow: &Flow, now: Timestamp) -> Result<String, Error> {
    if let Some(alert) = flow.alerts().await?.into_iter().next() {
        return Ok(alert.text);
    }
    let settings = flow.settings().await?;
    if settings.chat.is_none() {
        return Ok(NO_CHAT.to_owned());
    }
    let zone = &settings.timezone;
    let queue = flow.queue().await?;
    let awaiting = queue
        .iter()
        .filter(|story| story.state.may_be_seen())
        .count();
    let next = queue.iter().find(|story| story.due_at >= now);
    let next = next.map_or_else(
        || "nothing is planned".to_owned(),
        |story| {
            format!(
                "next is #{} at {}",
                story.number,
                moment(story.due_at, zone)
            )
        },
    );
    Ok(format!("At work: {next}, {awaiting} waiting for a press"))
}
