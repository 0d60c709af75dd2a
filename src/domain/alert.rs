//! An alert: a condition that a person must know of. It is raised once, reminded of daily at most, and resolved once.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::ids::AlertId;

/// How long an alert that stands is not repeated.
pub const REMINDER: SignedDuration = SignedDuration::from_hours(24);

/// A condition that a person must know of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alert {
    /// Its row.
    #[serde(skip)]
    pub id: AlertId,
    /// What it is about; at most one alert stands for a topic.
    pub topic: String,
    /// What is wrong and what to do, in plain words.
    pub text: String,
    /// Since when.
    pub raised_at: Timestamp,
    /// When a person was last told.
    pub told_at: Option<Timestamp>,
    /// When it was over.
    pub resolved_at: Option<Timestamp>,
}
