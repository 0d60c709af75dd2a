//! A lock keeps a media out of the plan until a time, or for ever.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::Serialize;

use super::category::Category;
use super::media::Fingerprint;

/// Why a media is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LockKind {
    /// It was posted a short while ago.
    RecentPost,
    /// A person passed over it.
    Skip,
    /// A person holds it back.
    ManualHold,
    /// It belongs to another season.
    Seasonal,
    /// A person never wants it again.
    Rejected,
}

impl LockKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::RecentPost,
        Self::Skip,
        Self::ManualHold,
        Self::Seasonal,
        Self::Rejected,
    ];

    /// The word for it, in rows and for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RecentPost => "recent_post",
            Self::Skip => "skip",
            Self::ManualHold => "manual_hold",
            Self::Seasonal => "seasonal",
            Self::Rejected => "rejected",
        }
    }
}

impl fmt::Display for LockKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for LockKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("`{text}` is no kind of lock"))
    }
}

/// A lock as the team's records have it.
#[derive(Clone, Debug, Serialize)]
pub struct Lock {
    /// The locked media, by the hash of its bytes.
    #[serde(serialize_with = "super::media::as_text")]
    pub fingerprint: Fingerprint,
    /// Where the locked media lies.
    pub path: String,
    /// Its category.
    #[serde(serialize_with = "super::media::as_text")]
    pub category: Category,
    /// Why it is locked.
    pub kind: LockKind,
    /// Until when; nothing means for ever.
    pub until: Option<Timestamp>,
    /// Since when.
    pub locked_at: Timestamp,
    /// Who locked it, if a person did.
    pub by: Option<String>,
    /// What they, or the box, said to it.
    pub reason: Option<String>,
}
