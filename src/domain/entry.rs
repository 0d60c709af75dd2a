//! An entry of the history: how one story, or one slot without a story, ended. It is written once and never changed; an
//! outcome that is taken back within its minute stays, and another row says so.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::calendar::SlotId;
use super::category::Category;
use super::ids::{MediaId, StoryId};
use super::media::{Media, Metadata};
use super::outcome::Outcome;
use super::person::PersonId;

/// How one story ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The story; a slot that never had one has an id all the same.
    pub story: StoryId,
    /// How people call it; nothing for a slot that never had a story.
    pub number: Option<u64>,
    /// What was shown.
    pub media: Option<MediaId>,
    /// Its place in the plan.
    pub slot: Option<SlotId>,
    /// The category whose turn it was.
    pub turn: Option<Category>,
    /// When it was to be sent.
    pub due_at: Timestamp,
    /// When the team could first see it.
    pub sent_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, where the outcome alone does not say.
    pub reason: Option<String>,
    /// Who ended it.
    pub person: Option<PersonId>,
    /// How they were called then.
    pub person_name: Option<String>,
    /// The media as it was then.
    pub snapshot: Snapshot,
    /// Which row of its story it is: 1, or more if outcomes before were taken back.
    pub part: u32,
    /// When and by whom it was taken back, if it was.
    pub withdrawn: Option<Withdrawn>,
}

/// An outcome was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Withdrawn {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Option<String>,
}

/// A media as it was when its story ended; later edits do not change what was shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Snapshot {
    /// The hash of its bytes.
    pub fingerprint: String,
    /// Its category.
    pub category: String,
    /// Where it lay.
    pub path: String,
    /// What was said of it.
    #[serde(flatten)]
    pub metadata: Metadata,
}

impl Snapshot {
    /// The media as it is now.
    #[must_use]
    pub fn of(media: &Media) -> Self {
        Self {
            fingerprint: media.fingerprint.to_string(),
            category: media.category.to_string(),
            path: media.path.clone(),
            metadata: media.metadata.clone(),
        }
    }

    /// What people call it: its title, or the name of its file.
    #[must_use]
    pub fn display_name(&self) -> &str {
        let file_name = self.path.rsplit('/').next().unwrap_or(&self.path);
        self.metadata.title.as_deref().unwrap_or(file_name)
    }
}
