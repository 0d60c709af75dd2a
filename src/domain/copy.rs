//! The copies of backups that leave the box: where they go, and what is on record of them.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A place that has had no copy for so long is to be seen to: three nights, and an hour or two that a copy may take.
pub const LATE: SignedDuration = SignedDuration::from_hours(3 * 24 + 2);

/// Where copies go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Destination {
    /// A folder, on a stick or a share.
    Folder,
    /// A bucket that speaks S3.
    Bucket,
    /// The owner's chat.
    Chat,
}

impl Destination {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Folder, Self::Bucket, Self::Chat];

    /// As it is on record and shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::Bucket => "bucket",
            Self::Chat => "chat",
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is on record of a destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    /// Which folder, bucket or chat it is: another one begins anew.
    pub to: String,
    /// Since when copies are to go there.
    pub since: Timestamp,
    /// The backup whose copy got there last, by its name.
    pub backup: Option<String>,
    /// When it got there.
    pub at: Option<Timestamp>,
}

impl Copied {
    /// Nothing has got there yet.
    #[must_use]
    pub fn nothing(to: &str, now: Timestamp) -> Self {
        Self {
            to: to.to_owned(),
            since: now,
            backup: None,
            at: None,
        }
    }

    /// For how long nothing has got there.
    #[must_use]
    pub fn waiting(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.at.unwrap_or(self.since))
    }

    /// Whether that is too long.
    #[must_use]
    pub fn is_late(&self, now: Timestamp) -> bool {
        self.waiting(now) > LATE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_nights_without_a_copy_are_too_many() {
        let began = Timestamp::constant(1_800_000_000, 0);
        let hours = |hours| began + SignedDuration::from_hours(hours);
        let mut copied = Copied::nothing("/media/stick", began);
        assert!(!copied.is_late(hours(74)));
        assert!(copied.is_late(hours(75)));
        copied.at = Some(hours(70));
        assert!(!copied.is_late(hours(144)));
        // A clock that was set back says nothing.
        assert!(!copied.is_late(hours(-9000)));
    }
}
