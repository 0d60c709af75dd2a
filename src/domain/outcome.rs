//! How a story ends, and what its end means for the media.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::lock::LockKind;
use super::team::TeamSettings;

/// How a story ended. `Posted` needs evidence: a press on that very story, or Instagram's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// A person posted it.
    Posted,
    /// A person passed over it, for a while.
    Skipped,
    /// A person never wants it again.
    Rejected,
    /// It could not be delivered, and never will be.
    Failed,
    /// Its slot went by.
    Missed,
    /// Nobody pressed in time.
    Expired,
    /// It was taken out of the queue.
    Cancelled,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 7] = [
        Self::Posted,
        Self::Skipped,
        Self::Rejected,
        Self::Failed,
        Self::Missed,
        Self::Expired,
        Self::Cancelled,
    ];

    /// The word for it, in rows and for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Posted => "posted",
            Self::Skipped => "skipped",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Missed => "missed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether people saw the story before it ended so.
    #[must_use]
    pub fn was_seen(self) -> bool {
        matches!(
            self,
            Self::Posted | Self::Skipped | Self::Rejected | Self::Expired
        )
    }

    /// Whether a person brought it about, who may take it back for a while.
    #[must_use]
    pub fn may_be_taken_back(self) -> bool {
        matches!(self, Self::Posted | Self::Skipped | Self::Rejected)
    }

    /// The lock that this end puts on the media, and until when (or for ever).
    ///
    /// A failed media is held as long as a skipped one, or the plan would choose it again at once and fail again.
    #[must_use]
    pub fn lock(
        self,
        settings: &TeamSettings,
        now: Timestamp,
    ) -> Option<(LockKind, Option<Timestamp>)> {
        let in_days = |days: u32| {
            now.checked_add(SignedDuration::from_hours(24 * i64::from(days)))
                .ok()
        };
        match self {
            Self::Posted => Some((LockKind::RecentPost, in_days(settings.repost_ttl_days))),
            Self::Skipped | Self::Failed => Some((LockKind::Skip, in_days(settings.skip_ttl_days))),
            Self::Rejected => Some((LockKind::Rejected, None)),
            Self::Missed | Self::Expired | Self::Cancelled => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Outcome {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|outcome| outcome.as_str() == text)
            .ok_or_else(|| format!("`{text}` is no outcome"))
    }
}
