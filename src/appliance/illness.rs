//! When the records cannot be kept (disk full, read-only, server away) they cannot hold the alert that says so either. What
//! the tasks find is noted here, in memory, and told to the owner directly: once, daily at most, and once when it is over.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::domain::alert::{Alert, Severity, topic};
use crate::domain::ids::AlertId;
use crate::flow::Error;
use crate::flow::outlet::Outlet;
use crate::system::lock::lock;
use crate::system::nudge::Nudge;
use crate::system::supervisor::BoxError;

/// How long an illness that was told is not told again.
const REMINDER: Duration = Duration::from_secs(24 * 3600);

/// Why the records cannot be kept, as far as any task knows. Clones share it.
#[derive(Clone)]
pub(super) struct Illness {
    case: Arc<Mutex<Option<Case>>>,
    noted: Nudge,
}

struct Case {
    reason: String,
    told_at: Option<Instant>,
}

/// Whether an error is the store's and passes by itself when its cause is gone, so that a new process would not help.
pub(super) fn passes(error: &(dyn std::error::Error + 'static)) -> bool {
    matches!(
        error.downcast_ref::<Error>(),
        Some(Error::Unavailable(_) | Error::Damaged(_) | Error::Lost(_) | Error::Busy(_))
    )
}

impl Illness {
    /// Nothing is wrong yet; whoever waits for this nudge hears when something is.
    pub(super) fn none(noted: Nudge) -> Self {
        Self {
            case: Arc::default(),
            noted,
        }
    }

    /// Runs a task, and notes if the store failed it.
    pub(super) async fn watch(
        self,
        task: impl Future<Output = Result<(), BoxError>>,
    ) -> Result<(), BoxError> {
        let ended = task.await;
        if let Err(error) = &ended
            && passes(error.as_ref())
        {
            self.note(error.to_string());
        }
        ended
    }

    /// Notes that the store fails.
    pub(super) fn note(&self, reason: String) {
        self.case(|case| match case {
            Some(case) => case.reason = reason,
            None => {
                tracing::error!("nothing can be recorded: {reason}");
                *case = Some(Case {
                    reason,
                    told_at: None,
                });
                self.noted.notify();
            }
        });
    }

    /// Why the records cannot be kept, if they cannot.
    pub(super) fn reason(&self) -> Option<String> {
        self.case(|case| case.as_ref().map(|case| case.reason.clone()))
    }

    /// What there is to tell of it now, if there is.
    pub(super) fn alert(&self, now: Timestamp) -> Option<Alert> {
        self.reason().map(|reason| alert(words(&reason), now, None))
    }

    /// Tells the owner, unless that was done lately.
    pub(super) async fn tell(&self, outlet: &dyn Outlet, now: Timestamp) {
        let untold = self.case(|case| {
            let case = case.as_ref()?;
            let lately = case.told_at.is_some_and(|at| at.elapsed() < REMINDER);
            (!lately).then(|| case.reason.clone())
        });
        let Some(reason) = untold else { return };
        let told = alert(words(&reason), now, None);
        if outlet.tell(&told, None).await.is_ok() {
            self.case(|case| {
                if let Some(case) = case {
                    case.told_at = Some(Instant::now());
                }
            });
        }
    }

    /// Notes that it is over, and tells so whoever was told of it.
    pub(super) async fn end(&self, outlet: Option<&dyn Outlet>, now: Timestamp) {
        let case = self.case(Option::take);
        tracing::info!("the records can be kept again");
        if case.is_some_and(|case| case.told_at.is_some())
            && let Some(outlet) = outlet
        {
            let text = "the records can be kept again".to_owned();
            // Once is enough: whether it arrives or not, the box works again.
            let _ = outlet.tell(&alert(text, now, Some(now)), None).await;
        }
    }

    fn case<T>(&self, look: impl FnOnce(&mut Option<Case>) -> T) -> T {
        look(&mut lock(&self.case))
    }
}

fn words(reason: &str) -> String {
    format!(
        "Nothing can be recorded, so nothing is sent and no press counts until it is mended: {reason}."
    )
}

/// An alert that is on no record.
pub(super) fn alert(text: String, now: Timestamp, resolved_at: Option<Timestamp>) -> Alert {
    Alert {
        id: AlertId::from_bytes([0; 16]),
        topic: topic::DATABASE.to_owned(),
        severity: Severity::of(topic::DATABASE),
        text,
        raised_at: now,
        told_at: None,
        resolved_at,
    }
}
