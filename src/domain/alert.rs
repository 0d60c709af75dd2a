//! An alert: a condition that a person must know of. It is raised once, reminded of daily at most, and resolved once. A few
//! are news and no condition: they are told once, and that is all.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::ids::AlertId;

/// How long an alert that stands is not repeated.
pub const REMINDER: SignedDuration = SignedDuration::from_hours(24);

/// What alerts are about; at most one stands for a topic.
pub mod topic {
    /// The records cannot be kept.
    pub const DATABASE: &str = "database";
    /// No backup can be made.
    pub const BACKUP: &str = "backup";
    /// No copy of the backups gets off the box.
    pub const BACKUP_COPY: &str = "backup_copy";
    /// The records lie in memory, and are gone with the power.
    pub const IN_MEMORY: &str = "in_memory";
    /// The clock is not to be trusted.
    pub const CLOCK: &str = "clock";
    /// The library's disk seems to be away.
    pub const LIBRARY: &str = "library";
    /// The library lies where it must not.
    pub const PLACE: &str = "place";
    /// Changes of the library cannot be watched for.
    pub const WATCHER: &str = "watcher";
    /// Telegram cannot be heard.
    pub const TELEGRAM: &str = "telegram";
    /// The bot cannot work in the team's chat.
    pub const CHAT_RIGHTS: &str = "chat_rights";
    /// Telegram does not tell who is in the team's chat.
    pub const MEMBERS: &str = "members";
    /// Stories cannot be delivered, one after the other.
    pub const DELIVERY: &str = "delivery";
    /// A story was refused for good.
    pub const REFUSED: &str = "refused";
    /// A story is late.
    pub const OVERDUE: &str = "overdue";
    /// Too many stories wait for a press.
    pub const BACKLOG: &str = "backlog";
    /// A story has waited for a press for most of its time.
    pub const WAITING: &str = "waiting";
    /// Nothing is left to choose from.
    pub const NOTHING_LEFT: &str = "nothing_left";
    /// What the topics of how long the pictures last begin with; the days follow, and the category if there is a mix.
    pub const RUNWAY: &str = "runway_";
    /// A setting on record cannot be read.
    pub const SETTINGS: &str = "settings";
    /// The box's power is too weak.
    pub const POWER: &str = "power";
    /// The box is too hot.
    pub const HEAT: &str = "heat";
    /// The system has made a disk read-only.
    pub const DISK_READ_ONLY: &str = "disk_read_only";
    /// A disk makes errors.
    pub const DISK_ERRORS: &str = "disk_errors";
    /// The program ends again and again.
    pub const CRASHES: &str = "crashes";
    /// The box was away. News.
    pub const AWAY: &str = "away";
    /// A newer version may be installed. News.
    pub const NEWER: &str = "newer";
    /// Another version runs. News.
    pub const VERSION: &str = "version";
}

/// How grave an alert is; the gravest is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Notice,
    /// Stories still go out, and something should be done before they do not.
    Warning,
    /// Something does not work, until somebody mends it.
    Problem,
}

impl Severity {
    /// How grave a topic is. One that nobody has judged is a problem, so that it is not overlooked.
    #[must_use]
    pub fn of(topic: &str) -> Self {
        if let Some(level) = topic.strip_prefix(topic::RUNWAY) {
            return if level.starts_with('7') {
                Self::Notice
            } else {
                Self::Warning
            };
        }
        match topic {
            topic::AWAY | topic::VERSION | topic::NEWER => Self::Notice,
            topic::IN_MEMORY
            | topic::BACKUP
            | topic::BACKUP_COPY
            | topic::WATCHER
            | topic::MEMBERS
            | topic::REFUSED
            | topic::BACKLOG
            | topic::WAITING
            | topic::POWER
            | topic::HEAT
            | topic::DISK_ERRORS
            | topic::SETTINGS => Self::Warning,
            _ => Self::Problem,
        }
    }

    /// Its mark in messages.
    #[must_use]
    pub fn mark(self) -> char {
        match self {
            Self::Notice => '🔵',
            Self::Warning => '🟡',
            Self::Problem => '🔴',
        }
    }
}

/// A condition that a person must know of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alert {
    /// Its row.
    #[serde(skip)]
    pub id: AlertId,
    /// What it is about; at most one alert stands for a topic.
    pub topic: String,
    /// How grave it is.
    pub severity: Severity,
    /// What is wrong and what to do, in plain words.
    pub text: String,
    /// Since when.
    pub raised_at: Timestamp,
    /// When a person was last told.
    pub told_at: Option<Timestamp>,
    /// When it was over.
    pub resolved_at: Option<Timestamp>,
}

impl Alert {
    /// Whether it is news: once it is told there is nothing to be reminded of, and nothing that could be over.
    #[must_use]
    pub fn is_news(&self) -> bool {
        matches!(
            self.topic.as_str(),
            topic::AWAY | topic::VERSION | topic::NEWER
        )
    }
}

/// Its mark and its text.
impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.severity.mark(), self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_grave_it_is_goes_by_the_topic() {
        for (topic, severity) in [
            (topic::AWAY, Severity::Notice),
            ("runway_7", Severity::Notice),
            ("runway_7:memes", Severity::Notice),
            ("runway_2", Severity::Warning),
            ("runway_0:memes", Severity::Warning),
            (topic::BACKLOG, Severity::Warning),
            (topic::NOTHING_LEFT, Severity::Problem),
            (topic::CRASHES, Severity::Problem),
            ("what nobody has judged", Severity::Problem),
        ] {
            assert_eq!(Severity::of(topic), severity, "{topic}");
        }
        assert!(Severity::Notice < Severity::Warning && Severity::Warning < Severity::Problem);
    }
}
