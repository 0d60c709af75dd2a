//! What a month of history tells: how many stories were posted and skipped, how long they took, and when.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{Flow, Result};
use crate::domain::entry::Entry;
use crate::domain::outcome::Outcome;
use crate::domain::person::PersonId;
use crate::store::{history, settings};

/// How far back is looked, in days.
pub const STATS_DAYS: i64 = 30;
/// How many hours and tags are told.
const MOST: usize = 3;

/// What the outcomes of the last [`STATS_DAYS`] days tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Everybody together.
    pub team: Deeds,
    /// Whoever asks, if they are of the team.
    pub mine: Option<Deeds>,
    /// The hours in which most was posted, by the team's clock, the busiest first: the hour, and how many.
    pub busiest_hours: Vec<(i8, u64)>,
    /// The tags of most posted stories: the tag, and how many.
    pub tags: Vec<(String, u64)>,
}

/// What was done with stories.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Deeds {
    /// Posted.
    pub posted: u64,
    /// Skipped.
    pub skipped: u64,
    /// Rejected.
    pub rejected: u64,
    /// Expired without a press.
    pub expired: u64,
    /// How long half of the posted ones took at most, in seconds.
    pub median_seconds: Option<u64>,
}

impl Flow {
    /// What the last month tells of the team, and of one person.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn stats(&self, person: Option<PersonId>, now: Timestamp) -> Result<Stats> {
        let team = self.team;
        let since = now
            .checked_sub(SignedDuration::from_hours(24 * STATS_DAYS))
            .unwrap_or(Timestamp::MIN);
        let (ends, zone) = self
            .store
            .read(move |tx| {
                let zone = settings::of(tx, team)?.timezone;
                Ok((history::since(tx, team, since)?, zone))
            })
            .await?;
        let posted = || ends.iter().filter(|end| end.outcome == Outcome::Posted);
        let hours = posted().map(|end| end.ended_at.to_zoned(zone.clone()).hour());
        let tags = posted().flat_map(|end| end.snapshot.metadata.tags.iter().cloned());
        Ok(Stats {
            team: deeds(&ends.iter().collect::<Vec<_>>()),
            mine: person.map(|person| {
                let mine = ends.iter().filter(|end| end.person == Some(person));
                deeds(&mine.collect::<Vec<_>>())
            }),
            busiest_hours: most(hours),
            tags: most(tags),
        })
    }
}

/// What was done, as these ends tell.
pub(super) fn deeds(ends: &[&Entry]) -> Deeds {
    let count = |outcome| ends.iter().filter(|end| end.outcome == outcome).count() as u64;
    let mut took: Vec<u64> = ends
        .iter()
        .filter(|end| end.outcome == Outcome::Posted)
        .filter_map(|end| {
            end.ended_at
                .duration_since(end.sent_at?)
                .as_secs()
                .try_into()
                .ok()
        })
        .collect();
    took.sort_unstable();
    Deeds {
        posted: count(Outcome::Posted),
        skipped: count(Outcome::Skipped),
        rejected: count(Outcome::Rejected),
        expired: count(Outcome::Expired),
        median_seconds: took.get(took.len().saturating_sub(1) / 2).copied(),
    }
}

/// What occurs most, the most frequent first.
pub(super) fn most<T: Ord>(of: impl Iterator<Item = T>) -> Vec<(T, u64)> {
    let mut counts: BTreeMap<T, u64> = BTreeMap::new();
    for one in of {
        *counts.entry(one).or_default() += 1;
    }
    let mut counts: Vec<(T, u64)> = counts.into_iter().collect();
    // Stable, so that equals stay in their order.
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts.truncate(MOST);
    counts
}
