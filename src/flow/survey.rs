//! What people ask to see: one set of answers for the chat, the command line and whoever comes next.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::curate::categories;
use super::runway::runways;
use super::{Flow, Result};
use crate::domain::alert::Alert;
use crate::domain::category::{Category, Share};
use crate::domain::entry::Entry;
use crate::domain::lock::Lock;
use crate::domain::lookalike::{Lookalike, groups};
use crate::domain::media::{Fingerprint, Media};
use crate::domain::outcome::Outcome;
use crate::domain::run::Run;
use crate::domain::story::State;
use crate::store::media::Census;
use crate::store::{
    alerts, files, history, locks, media, mix, runs, settings, state, stories, teams,
};

/// How the box stands.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// Since when the plan is paused, if it is.
    pub paused_since: Option<Timestamp>,
    /// Who paused it.
    pub paused_by: Option<String>,
    /// The next story, if one is planned.
    pub next: Option<Queued>,
    /// Stories before the team that await a press.
    pub awaiting: u64,
    /// Stories posted since local midnight.
    pub posted_today: u64,
    /// Contents on record.
    pub media: u64,
    /// Those that may be chosen, locks aside.
    pub ready: u64,
    /// Those that wait to be examined.
    pub to_examine: u64,
    /// Those that cannot be stories.
    pub flawed: u64,
    /// Those without a file.
    pub missing: u64,
    /// Files that are not media: unfinished or of no use.
    pub in_view: u64,
    /// What is wrong.
    pub alerts: Vec<Alert>,
}

/// A story of the queue.
#[derive(Clone, Debug, Serialize)]
pub struct Queued {
    /// How people call it.
    pub number: u64,
    /// When it is (or was) to be sent.
    pub due_at: Timestamp,
    /// Where it is in its life.
    pub state: State,
    /// What will be shown: a title or a file's name.
    pub name: String,
    /// Where it lies.
    pub path: String,
    /// The hash of its bytes.
    #[serde(serialize_with = "crate::domain::media::as_text")]
    pub fingerprint: Fingerprint,
    /// Its category.
    #[serde(serialize_with = "crate::domain::media::as_text")]
    pub category: Category,
    /// Who asked for it now, if a person did.
    pub requested_by: Option<String>,
    /// What was wrong last.
    pub reason: Option<String>,
}

/// A category's share and how far it has been met since the mix was set.
#[derive(Clone, Debug, Serialize)]
pub struct ShareInForce {
    /// The category.
    #[serde(serialize_with = "crate::domain::media::as_text")]
    pub category: Category,
    /// Its share, in parts per million; nothing if no mix is in force.
    pub share_ppm: Option<u32>,
    /// Stories it has had since the mix was set.
    pub stories: u64,
    /// Media that lie in it.
    pub media: u64,
    /// For how many days it has something for each of its slots; nothing if no end is in sight, or it has no share.
    pub lasts_days: Option<u32>,
}

impl Flow {
    /// The media in the library that look alike, in groups of two or more.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn look_alikes(&self) -> Result<Vec<Vec<Media>>> {
        let mut all = self.media(None).await?;
        all.retain(|media| media.missing_since.is_none() && media.lookalike.is_some());
        let looks: Vec<Lookalike> = all.iter().filter_map(|media| media.lookalike).collect();
        let groups = groups(&looks).into_iter();
        Ok(groups
            .map(|group| group.into_iter().map(|index| all[index].clone()).collect())
            .collect())
    }

    /// How the box stands.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn status(&self, now: Timestamp) -> Result<Status> {
        let queue = self.queue().await?;
        let team = self.team;
        self.store
            .read(move |tx| {
                let settings = settings::of(tx, team)?;
                let row = teams::get(tx, team)?;
                let local = now.to_zoned(settings.timezone.clone());
                let midnight = local
                    .start_of_day()
                    .map_or(now - SignedDuration::from_hours(24), |day| day.timestamp());
                let posted_today = history::since(tx, team, midnight)?
                    .iter()
                    .filter(|entry| entry.outcome == Outcome::Posted)
                    .count() as u64;
                let Census {
                    media,
                    ready,
                    to_examine,
                    flawed,
                    missing,
                } = media::census(tx, team)?;
                Ok(Status {
                    paused_since: row.paused_at,
                    paused_by: row.paused_by,
                    next: queue
                        .iter()
                        .find(|story| matches!(story.state, State::Planned | State::Retrying))
                        .cloned(),
                    awaiting: queue
                        .iter()
                        .filter(|story| story.state.may_be_seen())
                        .count() as u64,
                    posted_today,
                    media,
                    ready,
                    to_examine,
                    flawed,
                    missing,
                    in_view: files::in_view(tx, team)?.len() as u64 + state::overlooked(tx, team)?,
                    alerts: alerts::standing(tx, team)?,
                })
            })
            .await
    }

    /// The queue, in order of time.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn queue(&self) -> Result<Vec<Queued>> {
        let team = self.team;
        self.store
            .read(move |tx| {
                stories::queue(tx, team)?
                    .into_iter()
                    .map(|story| {
                        let shown = media::get(tx, story.media)?;
                        Ok(Queued {
                            number: story.number,
                            due_at: story.due_at,
                            state: story.state,
                            name: shown.display_name().to_owned(),
                            path: shown.path,
                            fingerprint: shown.fingerprint,
                            category: shown.category,
                            requested_by: story.requested_by,
                            reason: story.delivery.reason,
                        })
                    })
                    .collect()
            })
            .await
    }

    /// The latest ends, the newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn history(&self, limit: u32) -> Result<Vec<Entry>> {
        let team = self.team;
        self.store
            .read(move |tx| history::latest(tx, team, limit))
            .await
    }

    /// The latest ends of one kind, the newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn history_with(&self, outcome: Outcome, limit: u32) -> Result<Vec<Entry>> {
        let team = self.team;
        self.store
            .read(move |tx| history::latest_with(tx, team, outcome, limit))
            .await
    }

    /// The latest ends of one media's stories, the newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn history_of(&self, of: &Media, limit: u32) -> Result<Vec<Entry>> {
        let id = of.id;
        self.store
            .read(move |tx| history::of_media(tx, id, limit))
            .await
    }

    /// How many stories ended in each way, by its word.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn outcomes(&self) -> Result<BTreeMap<String, u64>> {
        let team = self.team;
        self.store.read(move |tx| history::tally(tx, team)).await
    }

    /// How the story of a number ended.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn entry(&self, number: u64) -> Result<Option<Entry>> {
        let team = self.team;
        self.store
            .read(move |tx| history::by_number(tx, team, number))
            .await
    }

    /// Every media, by path; of one category, if named.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn media(&self, category: Option<String>) -> Result<Vec<Media>> {
        let team = self.team;
        self.store
            .read(move |tx| media::list(tx, team, category.as_deref()))
            .await
    }

    /// The places of a media, the one that counts first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn places(&self, of: Media) -> Result<Vec<String>> {
        self.store.read(move |tx| files::places(tx, of.id)).await
    }

    /// The locks that hold now.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn locks(&self, now: Timestamp) -> Result<Vec<Lock>> {
        let team = self.team;
        self.store
            .read(move |tx| locks::holding(tx, team, now))
            .await
    }

    /// The mix in force, and how far it has been met; every category that has media is in it.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn mix(&self, now: Timestamp) -> Result<Vec<ShareInForce>> {
        let team = self.team;
        self.store
            .read(move |tx| {
                let settings = settings::of(tx, team)?;
                let runways = runways(tx, team, &settings, now)?;
                let in_force = mix::in_force(tx, team)?;
                let had = match &in_force {
                    Some((set_at, _)) => history::turns_since(tx, team, *set_at)?,
                    None => history::turns_since(tx, team, Timestamp::UNIX_EPOCH)?,
                };
                let all = media::list(tx, team, None)?;
                let wanted = in_force.map(|(_, shares)| shares);
                Ok(categories(tx, team)?
                    .into_iter()
                    .map(|category| ShareInForce {
                        share_ppm: wanted
                            .as_ref()
                            .map(|shares| shares.get(&category).copied().unwrap_or(0)),
                        stories: had.get(&category).copied().unwrap_or(0),
                        media: all
                            .iter()
                            .filter(|media| media.category == category)
                            .filter(|media| media.missing_since.is_none())
                            .count() as u64,
                        lasts_days: runways
                            .iter()
                            .find(|runway| runway.is_of(&category))
                            .and_then(|runway| runway.lasts_days),
                        category,
                    })
                    .collect())
            })
            .await
    }

    /// Every share there ever was, the newest mix first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn mix_history(&self) -> Result<Vec<Share>> {
        let team = self.team;
        self.store.read(move |tx| mix::history(tx, team)).await
    }

    /// The latest runs, the newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn runs(&self, limit: u32) -> Result<Vec<Run>> {
        let team = self.team;
        self.store
            .read(move |tx| runs::latest(tx, team, limit))
            .await
    }

    /// How much came into the library since then and is still there, in bytes, and in how many files.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn taken_in(&self, since: Timestamp) -> Result<(u64, u64)> {
        let team = self.team;
        let sum = self
            .store
            .read(move |tx| media::growth_since(tx, team, since));
        sum.await
    }

    /// The alerts that stand: the gravest first, and of those the oldest.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn alerts(&self) -> Result<Vec<Alert>> {
        let team = self.team;
        self.store.read(move |tx| alerts::standing(tx, team)).await
    }
}
