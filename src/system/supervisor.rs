//! Keeps every loop of the process. A task that fails or panics is restarted after a growing pause; one that fails ten
//! times in a row ends the process, which systemd starts anew; one that does not move in time is named. Health page,
//! `check` and watchdog ask the same [`Supervisor::stuck`].

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::Instant;

use super::secret::redact;
use super::shutdown::Shutdown;
use super::vitals::Vitals;
use crate::system::lock::lock;

pub use super::vitals::{Pulse, Stuck, TaskState};

/// Any error of a task.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The pause after the first failure; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A task that ran for so long was healthy: its failures are counted anew.
const HEALTHY_AFTER: Duration = Duration::from_secs(600);
/// So many failures in a row end the process.
const MOST_FAILURES: u32 = 10;
/// Tasks may take so long to stop.
const GRACE: Duration = Duration::from_secs(4);

/// A task that failed ten times in a row, so that the process cannot do its work.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the task `{name}` failed {failures} times in a row, at last: {reason}")]
pub struct GaveUp {
    /// The task.
    pub name: &'static str,
    /// How often it failed.
    pub failures: u32,
    /// Why it failed the last time.
    pub reason: String,
}

/// Holds the tasks of the process. Clones share them.
#[derive(Clone)]
pub struct Supervisor(Arc<Inner>);

struct Inner {
    shutdown: Shutdown,
    passes: fn(&(dyn std::error::Error + 'static)) -> bool,
    keepers: Mutex<Vec<Keeper>>,
    gave_up: watch::Sender<Option<GaveUp>>,
}

struct Keeper {
    vitals: Arc<Vitals>,
    handle: JoinHandle<()>,
}

impl Supervisor {
    /// One without tasks, which stops them all when `shutdown` is signalled.
    #[must_use]
    pub fn new(shutdown: Shutdown) -> Self {
        Self::patient(shutdown, |_| false)
    }

    /// One that never gives up on a task whose error `passes` by itself when its cause is gone: starting the process anew
    /// would not help, and what it still can do would be lost.
    #[must_use]
    pub fn patient(
        shutdown: Shutdown,
        passes: fn(&(dyn std::error::Error + 'static)) -> bool,
    ) -> Self {
        Self(Arc::new(Inner {
            shutdown,
            passes,
            keepers: Mutex::default(),
            gave_up: watch::Sender::new(None),
        }))
    }

    /// Starts a task and keeps it. `make` makes it anew for every start; it should beat its [`Pulse`] whenever it moves, at
    /// least every `longest_quiet`, and end with `Ok` when the pulse says so. A task that ends before that has failed,
    /// whatever it returns.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn spawn<M, F>(&self, name: &'static str, longest_quiet: Duration, make: M)
    where
        M: Fn(Pulse) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let vitals = Arc::new(Vitals::new(name, longest_quiet));
        let pulse = Pulse::new(Arc::clone(&vitals), self.0.shutdown.clone());
        let handle = tokio::spawn(keep(pulse, make, self.0.passes, self.0.gave_up.clone()));
        self.keepers(|keepers| keepers.push(Keeper { vitals, handle }));
    }

    /// Waits until it is time to stop, or until a task gave up, which makes it so; then stops every task: they have four
    /// seconds to end by themselves, and are aborted after that.
    ///
    /// # Errors
    /// The task that gave up, if one did.
    pub async fn run(&self) -> Result<(), GaveUp> {
        let mut gave_up = self.0.gave_up.subscribe();
        tokio::select! {
            () = self.0.shutdown.wait() => {}
            // It errs only when the sender is gone, and `self` holds one.
            _ = gave_up.wait_for(Option::is_some) => self.0.shutdown.signal(),
        }
        self.stop().await;
        gave_up.borrow().clone().map_or(Ok(()), Err)
    }

    async fn stop(&self) {
        let deadline = Instant::now() + GRACE;
        let keepers = self.keepers(std::mem::take);
        for mut keeper in keepers {
            if tokio::time::timeout_at(deadline, &mut keeper.handle)
                .await
                .is_err()
            {
                keeper.handle.abort();
                let task = keeper.vitals.name;
                tracing::warn!(task, "task `{task}` did not stop in time and was cut off");
            }
        }
    }

    /// The tasks that have not moved for longer than they may.
    #[must_use]
    pub fn stuck(&self, now: Instant) -> Vec<Stuck> {
        self.keepers(|keepers| keepers.iter().filter_map(|k| k.vitals.stuck(now)).collect())
    }

    /// How every task is, in the order of their start.
    #[must_use]
    pub fn states(&self) -> Vec<TaskState> {
        self.keepers(|keepers| keepers.iter().map(|k| k.vitals.state()).collect())
    }

    fn keepers<T>(&self, work: impl FnOnce(&mut Vec<Keeper>) -> T) -> T {
        work(&mut lock(&self.0.keepers))
    }
}

/// Runs a task again and again until it is time to stop or it has failed too often.
async fn keep<M, F>(
    pulse: Pulse,
    make: M,
    passes: fn(&(dyn std::error::Error + 'static)) -> bool,
    gave_up: watch::Sender<Option<GaveUp>>,
) where
    M: Fn(Pulse) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    let task = pulse.vitals().name;
    let mut failures = 0;
    loop {
        let began = Instant::now();
        pulse.beat();
        let failure = run_once(make(pulse.clone()), passes).await;
        if pulse.is_stopping() {
            if let Some(Failure { reason, .. }) = failure {
                tracing::warn!(task, "task `{task}` failed while stopping: {reason}");
            }
            return;
        }
        let Failure { reason, passes } = failure.unwrap_or_else(|| Failure {
            reason: "it ended, and nobody had asked it to".to_owned(),
            passes: false,
        });

        failures = if began.elapsed() >= HEALTHY_AFTER {
            1
        } else {
            failures + 1
        };
        pulse.vitals().failed(&reason);
        if failures >= MOST_FAILURES && !passes {
            tracing::error!(task, attempt = failures, "task `{task}` gave up: {reason}");
            gave_up.send_replace(Some(GaveUp {
                name: task,
                failures,
                reason,
            }));
            return;
        }
        let pause = pause_after(failures);
        tracing::warn!(
            task,
            attempt = failures,
            "task `{task}` failed and starts again in {} s: {reason}",
            pause.as_secs()
        );
        pulse.resting(pause);
        tokio::select! {
            () = pulse.stopping() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Why a task ended.
struct Failure {
    reason: String,
    /// Whether the cause passes by itself.
    passes: bool,
}

/// Runs a task to its end, in a task of its own, so that a panic stays in it. `None` is a good end.
async fn run_once(
    future: impl Future<Output = Result<(), BoxError>> + Send + 'static,
    passes: fn(&(dyn std::error::Error + 'static)) -> bool,
) -> Option<Failure> {
    let mut running = AbortOnDrop(tokio::spawn(future));
    let (reason, passes) = match (&mut running.0).await {
        Ok(Ok(())) => return None,
        Ok(Err(error)) => (chain(error.as_ref()), passes(error.as_ref())),
        Err(error) => (format!("it panicked: {}", panic_text(error)), false),
    };
    Some(Failure {
        reason: redact(&reason, &[]),
        passes,
    })
}

struct AbortOnDrop(JoinHandle<Result<(), BoxError>>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The error and what caused it, in one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

fn panic_text(error: JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else {
        return "it was aborted".to_owned();
    };
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic
            .downcast_ref::<&str>()
            .map_or_else(|| "no reason given".to_owned(), |text| (*text).to_owned()),
    }
}

fn pause_after(failures: u32) -> Duration {
    FIRST_PAUSE
        .saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)))
        .min(LONGEST_PAUSE)
}

#[cfg(test)]
#[path = "supervisor_tests.rs"]
mod tests;
