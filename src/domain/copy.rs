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
    /// Since when copies are to go there: when the first was tried.
    pub since: Timestamp,
    /// The backup whose copy got there last, by its name.
    pub backup: Option<String>,
    /// When it got there.
    pub at: Option<Timestamp>,
    /// The try after that, which failed, or is not over yet.
    pub failed: Option<Failed>,
}

/// A try that did not get there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// The backup, by its name.
    pub backup: String,
    /// When it was begun.
    pub at: Timestamp,
    /// When the next one may be.
    pub again: Again,
    /// Why, in plain words.
    pub why: String,
}

/// When another try may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Again {
    /// As soon as the place is there again.
    WhenThere,
    /// After an hour.
    Later,
    /// With the next backup: it may be there all the same, or will never get there.
    NextBackup,
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
            failed: None,
        }
    }

    /// The same without times to come: they are of a clock that was wrong, and nobody would miss a copy until then.
    #[must_use]
    pub fn by_now(mut self, now: Timestamp) -> Self {
        self.since = self.since.min(now);
        self.at = self.at.map(|at| at.min(now));
        if let Some(failed) = &mut self.failed {
            failed.at = failed.at.min(now);
        }
        self
    }

    /// A copy of this backup got there.
    #[must_use]
    pub fn reached(self, backup: &str, now: Timestamp) -> Self {
        Self {
            backup: Some(backup.to_owned()),
            at: Some(now),
            failed: None,
            ..self
        }
    }

    /// The try with this backup, if it failed or is not over yet.
    #[must_use]
    pub fn failed_with(&self, backup: &str) -> Option<&Failed> {
        self.failed
            .as_ref()
            .filter(|failed| failed.backup == backup)
    }

    /// For how long nothing has got there.
    #[must_use]
    pub fn waiting(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.at.unwrap_or(self.since))
    }

    /// Whether copies have failed for too long. Where there was nothing to be copied, none is late.
    #[must_use]
    pub fn is_late(&self, now: Timestamp) -> bool {
        self.failed.is_some() && self.waiting(now) > LATE
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
        assert!(!copied.is_late(hours(99)), "none was to be copied");
        copied.failed = Some(Failed {
            backup: "x".to_owned(),
            at: began,
            again: Again::Later,
            why: "it is away".to_owned(),
        });
        assert!(!copied.is_late(hours(74)));
        assert!(copied.is_late(hours(75)));
        copied.at = Some(hours(70));
        assert!(!copied.is_late(hours(144)));
        let copied = copied.by_now(hours(10));
        assert_eq!(copied.at, Some(hours(10)), "the clock was wrong then");
        assert!(copied.is_late(hours(85)));
        let reached = copied.reached("y", hours(86));
        assert_eq!((reached.failed, reached.at), (None, Some(hours(86))));
    }
}
