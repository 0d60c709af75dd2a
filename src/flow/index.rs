//! Files become media. The library edge looks; this verb remembers what was seen, and knows that a copy is not a new
//! content, a rename not a new file, and a deletion not the end of a media.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use super::edit::have_message_follow;
use super::{Flow, Result};
use crate::domain::audit::{By, Change};
use crate::domain::clip::{Clip, check_clip};
use crate::domain::ids::{MediaId, TeamId};
use crate::domain::media::{
    Content, Examination, Finding, Media, Sighting, Verdict, check_picture,
};
use crate::store::{Tx, audit, files, media};

/// The most files of a team that are kept in view though they are of no use, or not whole.
const MOST_IN_VIEW: u32 = 1_000;

/// What an indexing did, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Indexed {
    /// Contents that were never seen before.
    pub new: u64,
    /// Whole files of known content.
    pub known: u64,
    /// Files whose end is not there yet.
    pub waiting: u64,
    /// Files that cannot become a story.
    pub unusable: u64,
    /// Those of the unfinished and unusable that are not on record, because there are too many.
    pub overlooked: u64,
    /// Files that are gone.
    pub gone: u64,
}

impl Indexed {
    /// Whether anything changed.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            new: self.new + other.new,
            known: self.known + other.known,
            waiting: self.waiting + other.waiting,
            unusable: self.unusable + other.unusable,
            overlooked: self.overlooked + other.overlooked,
            gone: self.gone + other.gone,
        }
    }
}

impl Flow {
    /// Remembers what was seen, in one transaction: a few files at once are much cheaper than one by one.
    ///
    /// # Errors
    /// If the store cannot be written; then nothing of it was remembered.
    pub async fn index(&self, sightings: Vec<Sighting>, now: Timestamp) -> Result<Indexed> {
        Ok(self.index_seen(sightings, now).await?.0)
    }

    /// The same; tells also what was not remembered: of what is of no use, so much is kept in view that a person can look
    /// through it, and no more.
    ///
    /// # Errors
    /// If the store cannot be written; then nothing of it was remembered.
    pub async fn index_seen(
        &self,
        sightings: Vec<Sighting>,
        now: Timestamp,
    ) -> Result<(Indexed, Vec<Sighting>)> {
        let team = self.team;
        let sightings = Arc::new(sightings);
        let seen = Arc::clone(&sightings);
        let (indexed, overlooked) = self
            .store
            .write(move |tx| {
                let (mut indexed, mut overlooked) = (Indexed::default(), Vec::new());
                for (at, sighting) in seen.iter().enumerate() {
                    let one = remember(tx, team, sighting, now)?;
                    if one.overlooked > 0 {
                        overlooked.push(at);
                    }
                    indexed = indexed.plus(one);
                }
                Ok((indexed, overlooked))
            })
            .await?;
        if indexed.new + indexed.known > 0 {
            self.nudges.examine.notify();
        }
        if overlooked.len() < sightings.len() {
            self.nudges.plan.notify();
            self.nudges.messages.notify();
        }
        let overlooked = overlooked.into_iter().map(|at| sightings[at].clone());
        Ok((indexed, overlooked.collect()))
    }

    /// Forgets files that are gone. Their media keep history and locks, and come back with them if the bytes do. So many that
    /// a disk may be away need somebody who says that they were removed.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn vanished(
        &self,
        paths: Vec<String>,
        accepted_by: Option<By>,
        now: Timestamp,
    ) -> Result<Indexed> {
        let team = self.team;
        let gone = self
            .store
            .write(move |tx| {
                let mut left = BTreeSet::new();
                let mut gone = 0;
                for path in &paths {
                    if files::get(tx, team, path)?.is_some() {
                        gone += 1;
                        left.extend(files::remove(tx, team, path)?);
                    }
                }
                for id in left {
                    settle(tx, team, id, now)?;
                }
                if let Some(by) = &accepted_by {
                    let left = files::count(tx, team)?;
                    let change = Change::of_library("missing files accepted")
                        .between(json!({ "files": gone + left }), json!({ "files": left }));
                    audit::add(tx, team, by, &change, now)?;
                }
                Ok(gone)
            })
            .await?;
        if gone > 0 {
            self.nudges.plan.notify();
            self.nudges.messages.notify();
        }
        Ok(Indexed {
            gone,
            ..Indexed::default()
        })
    }

    /// Notes that a media does not lie where it should. Whatever else is on record, it is not looked for there again.
    pub(super) async fn lost_from(&self, lost: Media, now: Timestamp) -> Result<()> {
        let team = self.team;
        self.store
            .write(move |tx| {
                let known = files::get(tx, team, &lost.path)?;
                if known.is_some_and(|known| known.media == Some(lost.id)) {
                    files::remove(tx, team, &lost.path)?;
                }
                settle(tx, team, lost.id, now)
            })
            .await?;
        self.nudges.plan.notify();
        Ok(())
    }

    /// Has all looked at again that was of no use for one of these reasons: they hold no longer. Files wait for the next scan.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn reasons_are_gone(&self, reasons: [&'static str; 3]) -> Result<()> {
        let team = self.team;
        let flawed = self
            .store
            .write(move |tx| {
                files::doubt_unusable(tx, team, reasons)?;
                media::doubt_flawed(tx, team, reasons)
            })
            .await?;
        if flawed > 0 {
            self.nudges.examine.notify();
        }
        Ok(())
    }

    /// How many media may not be planned before they are examined.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn count_to_examine(&self) -> Result<u64> {
        let team = self.team;
        self.store
            .read(move |tx| media::count_to_examine(tx, team))
            .await
    }

    /// Media that were not decoded in full yet, the oldest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn to_examine(&self, limit: u32) -> Result<Vec<Media>> {
        let team = self.team;
        self.store
            .read(move |tx| media::to_examine(tx, team, limit))
            .await
    }

    /// Remembers what a full look found.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn examined(
        &self,
        looked_at: Media,
        found: Examination,
        now: Timestamp,
    ) -> Result<()> {
        if let Examination::Flawed { reason } = &found {
            tracing::warn!(media = %looked_at.fingerprint, "{}: {reason}", looked_at.path);
        }
        self.store
            .write(move |tx| {
                let (size_px, look, verdict) = match &found {
                    Examination::Sound {
                        width_px,
                        height_px,
                        lookalike,
                    } => (
                        Some((*width_px, *height_px)),
                        *lookalike,
                        check(
                            *width_px,
                            *height_px,
                            looked_at.size_bytes,
                            looked_at.clip.as_ref(),
                        ),
                    ),
                    Examination::Flawed { reason } => (
                        None,
                        None,
                        Verdict {
                            errors: vec![reason.clone()],
                            warnings: Vec::new(),
                        },
                    ),
                };
                let mut verdict = verdict;
                verdict
                    .warnings
                    .extend(metadata_warnings(&media::get(tx, looked_at.id)?.warnings));
                media::examined(tx, looked_at.id, size_px, look, &verdict, now)
            })
            .await?;
        self.nudges.plan.notify();
        Ok(())
    }
}

/// Checks a content, of a width and height in pixels and a length in bytes, by the rules for its kind.
#[must_use]
pub fn check(width_px: u32, height_px: u32, size_bytes: u64, clip: Option<&Clip>) -> Verdict {
    match clip {
        Some(clip) => check_clip(width_px, height_px, size_bytes, clip),
        None => check_picture(width_px, height_px, size_bytes),
    }
}

/// What a warning about metadata begins with, to tell it from those about the picture.
const METADATA: &str = "metadata: ";

fn metadata_warnings(warnings: &[String]) -> Vec<String> {
    warnings
        .iter()
        .filter(|warning| warning.starts_with(METADATA))
        .cloned()
        .collect()
}

fn remember(tx: &mut dyn Tx, team: TeamId, sighting: &Sighting, now: Timestamp) -> Result<Indexed> {
    let known = files::get(tx, team, &sighting.path)?;
    let is_of_use = matches!(sighting.finding, Finding::Whole(_));
    let mut indexed = Indexed::default();
    if known.is_none() && !is_of_use && !files::has_room_in_view(tx, team, MOST_IN_VIEW)? {
        let is_waiting = matches!(sighting.finding, Finding::Waiting { .. });
        indexed.waiting = u64::from(is_waiting);
        indexed.unusable = u64::from(!is_waiting);
        indexed.overlooked = 1;
        return Ok(indexed);
    }
    let before = known.and_then(|known| known.media);
    if let (Some(_), Finding::Whole(content)) = (before, &sighting.finding)
        && media::by_fingerprint(tx, team, content.fingerprint)?.map(|media| media.id) != before
    {
        // Another content at an old place: it has lain there only since now.
        files::remove(tx, team, &sighting.path)?;
    }
    let lies_there = match &sighting.finding {
        Finding::Whole(content) => {
            let (id, new) = take_in(tx, team, sighting, content, before, now)?;
            if new {
                indexed.new = 1;
            } else {
                indexed.known = 1;
            }
            Some(id)
        }
        Finding::Waiting { reason } => {
            put(tx, team, sighting, &files::Found::Waiting(reason), now)?;
            indexed.waiting = 1;
            None
        }
        Finding::Unusable { reason } => {
            put(tx, team, sighting, &files::Found::Unusable(reason), now)?;
            indexed.unusable = 1;
            None
        }
    };
    if let Some(left) = before.filter(|left| lies_there != Some(*left)) {
        settle(tx, team, left, now)?;
    }
    Ok(indexed)
}

/// Takes in a whole content; tells whether it is new to the team.
fn take_in(
    tx: &mut dyn Tx,
    team: TeamId,
    sighting: &Sighting,
    content: &Content,
    before: Option<MediaId>,
    now: Timestamp,
) -> Result<(MediaId, bool)> {
    let size_bytes = sighting.stat.size_bytes;
    let mut verdict = check(
        content.width_px,
        content.height_px,
        size_bytes,
        content.clip.as_ref(),
    );
    let said = content.metadata_problems.iter();
    verdict
        .warnings
        .extend(said.map(|problem| format!("{METADATA}{problem}")));
    if let Some(id) = media::add(tx, team, &sighting.path, size_bytes, content, &verdict, now)? {
        put(tx, team, sighting, &files::Found::Whole(id), now)?;
        return Ok((id, true));
    }
    let Some(known) = media::by_fingerprint(tx, team, content.fingerprint)? else {
        return Err(super::Error::unexpected(
            "a content that is there and is not",
        ));
    };
    put(tx, team, sighting, &files::Found::Whole(known.id), now)?;
    // Only the place that counts speaks for a media: a copy elsewhere changes neither its category nor its title.
    if files::places(tx, known.id)?.first() == Some(&sighting.path) {
        let mut warnings: Vec<String> = known
            .warnings
            .iter()
            .filter(|warning| !warning.starts_with(METADATA))
            .cloned()
            .collect();
        warnings.extend(metadata_warnings(&verdict.warnings));
        media::describe(tx, known.id, &sighting.path, &content.metadata, &warnings)?;
        have_message_follow(tx, team, &known)?;
    } else if before != Some(known.id) {
        tracing::info!(media = %known.fingerprint, "{} is a copy of {}", sighting.path, known.path);
    }
    Ok((known.id, false))
}

fn put(
    tx: &mut dyn Tx,
    team: TeamId,
    sighting: &Sighting,
    found: &files::Found<'_>,
    now: Timestamp,
) -> Result<()> {
    files::put(
        tx,
        team,
        &sighting.path,
        sighting.stat,
        &sighting.metadata_stamp,
        found,
        now,
    )
}

/// Puts a media right after one of its files left: it lies at its next place, or is missing.
fn settle(tx: &mut dyn Tx, team: TeamId, id: MediaId, now: Timestamp) -> Result<()> {
    match files::places(tx, id)?.first() {
        Some(place) => {
            let before = media::get(tx, id)?;
            if before.path != *place {
                media::settle_at(tx, id, place)?;
                have_message_follow(tx, team, &before)?;
                files::doubt_metadata(tx, team, place)?;
            }
            Ok(())
        }
        None => media::miss(tx, id, now),
    }
}
