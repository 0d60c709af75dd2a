//! A run: one tracked execution of a job.

use jiff::Timestamp;
use serde::Serialize;

/// One tracked execution of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Run {
    /// Which job: `scan`, `plan`, `dispatch`, …
    pub job: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was done.
    pub ended_at: Timestamp,
    /// What went wrong, if something did.
    pub error: Option<String>,
    /// What it did, in plain words.
    pub detail: String,
}
