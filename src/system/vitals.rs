//! The signs of life of one supervised task: when it last moved, how long it may rest, how often it was restarted.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use super::shutdown::Shutdown;
use crate::system::lock::lock;

/// A task that has not moved for longer than it may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// The task.
    pub name: &'static str,
    /// For how long it has not moved.
    pub quiet: Duration,
}

/// How a task is.
#[derive(Clone, Debug)]
pub struct TaskState {
    /// The task.
    pub name: &'static str,
    /// How often it was started anew since the process began.
    pub restarts: u32,
    /// Why it failed the last time.
    pub last_error: Option<String>,
    /// When it last moved.
    pub last_beat: Instant,
    /// For how long it may be quiet from then on.
    pub quiet_limit: Duration,
}

/// A task's own end of the supervision: it says that it moves, and hears that it should stop. Clones are the same task's.
#[derive(Clone)]
pub struct Pulse {
    vitals: Arc<Vitals>,
    shutdown: Shutdown,
}

impl Pulse {
    pub(super) fn new(vitals: Arc<Vitals>, shutdown: Shutdown) -> Self {
        Self { vitals, shutdown }
    }

    /// Says that the task moved; it will again within its longest quiet.
    pub fn beat(&self) {
        self.vitals.beat(Duration::ZERO);
    }

    /// Says that the task moved and now does something that may take so long, a long poll or an upload; until the next
    /// beat a quiet of that length, if it is more than the usual, is in order.
    pub fn expecting(&self, quiet: Duration) {
        self.vitals.beat(quiet);
    }

    /// Waits until the task should stop.
    pub async fn stopping(&self) {
        self.shutdown.wait().await;
    }

    /// Whether the task should stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.shutdown.is_signalled()
    }

    /// Says that the task will not run for so long, and has its longest quiet after that.
    pub(super) fn resting(&self, pause: Duration) {
        self.expecting(pause.saturating_add(self.vitals.longest_quiet));
    }

    pub(super) fn vitals(&self) -> &Vitals {
        &self.vitals
    }
}

/// What is known of one task.
pub(super) struct Vitals {
    pub(super) name: &'static str,
    longest_quiet: Duration,
    seen: Mutex<Seen>,
}

struct Seen {
    last_beat: Instant,
    quiet_limit: Duration,
    restarts: u32,
    last_error: Option<String>,
}

impl Vitals {
    pub(super) fn new(name: &'static str, longest_quiet: Duration) -> Self {
        Self {
            name,
            longest_quiet,
            seen: Mutex::new(Seen {
                last_beat: Instant::now(),
                quiet_limit: longest_quiet,
                restarts: 0,
                last_error: None,
            }),
        }
    }

    fn beat(&self, expected: Duration) {
        self.seen(|seen| {
            seen.last_beat = Instant::now();
            seen.quiet_limit = self.longest_quiet.max(expected);
        });
    }

    pub(super) fn failed(&self, reason: &str) {
        self.seen(|seen| {
            seen.restarts += 1;
            seen.last_error = Some(reason.to_owned());
        });
    }

    pub(super) fn stuck(&self, now: Instant) -> Option<Stuck> {
        self.seen(|seen| {
            let quiet = now.saturating_duration_since(seen.last_beat);
            (quiet > seen.quiet_limit).then_some(Stuck {
                name: self.name,
                quiet,
            })
        })
    }

    pub(super) fn state(&self) -> TaskState {
        self.seen(|seen| TaskState {
            name: self.name,
            restarts: seen.restarts,
            last_error: seen.last_error.clone(),
            last_beat: seen.last_beat,
            quiet_limit: seen.quiet_limit,
        })
    }

    fn seen<T>(&self, work: impl FnOnce(&mut Seen) -> T) -> T {
        work(&mut lock(&self.seen))
    }
}
