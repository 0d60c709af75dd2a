//! Whose turn it is and what is shown then: the pure rules of the plan, fed with what the records have.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Result;
use crate::domain::calendar::Slot;
use crate::domain::category::Category;
use crate::domain::ids::TeamId;
use crate::domain::lookalike::{APART, Showing, Shown};
use crate::domain::media::Media;
use crate::domain::plan::{Candidate, Occasion, Pick, Pool, Short, Tally, choose};
use crate::domain::story::Story;
use crate::store::{Tx, history, looks, media, mix, stories};

/// How many candidates beyond the slots to fill are looked at in a category, so that tags can be varied.
const SPARE: u32 = 24;

/// The choice as it goes from slot to slot: what is left, whose turn it is, the previous pick's tags, and what is shown.
pub(super) struct Chooser {
    team: TeamId,
    until: Timestamp,
    pool: Pool,
    tally: Tally,
    previous_tags: Vec<String>,
    shown: Shown,
}

impl Chooser {
    /// Ready to choose for so many slots between two moments.
    pub(super) fn new(
        tx: &mut dyn Tx,
        team: TeamId,
        (from, until): (Timestamp, Timestamp),
        slots: usize,
    ) -> Result<Self> {
        let limit = u32::try_from(slots)
            .unwrap_or(u32::MAX)
            .saturating_add(SPARE);
        let mut pool = Pool::default();
        for category in media::categories(tx, team)? {
            // Those that are free already are asked for apart: a crowd whose locks end later must not hide them.
            let mut candidates = media::candidates(tx, team, &category, from, limit)?;
            let mut is_all = candidates.len() < limit as usize;
            if until > from {
                let later = media::candidates(tx, team, &category, until, limit)?;
                is_all = later.len() < limit as usize;
                candidates.extend(later);
            }
            pool.fill(category, candidates, is_all);
        }
        let mut tally = Tally::default();
        if let Some((set_at, wanted_ppm)) = mix::in_force(tx, team)? {
            tally.had = history::turns_since(tx, team, set_at)?;
            tally.wanted_ppm = wanted_ppm;
        }
        Ok(Self {
            team,
            until: from.max(until),
            pool,
            tally,
            previous_tags: previous_tags(tx, team, from)?,
            shown: shown(tx, team, from)?,
        })
    }

    /// Goes by a slot that has its story: the next choice avoids its tags.
    pub(super) fn pass(&mut self, tx: &mut dyn Tx, story: &Story) -> Result<()> {
        self.previous_tags = media::get(tx, story.media)?.metadata.tags;
        Ok(())
    }

    /// Chooses for a slot at that time, whose turn may be settled already.
    pub(super) fn choose(
        &mut self,
        tx: &mut dyn Tx,
        at: Timestamp,
        turn: Option<&Category>,
    ) -> Result<Option<Pick>> {
        let pick = loop {
            let occasion = Occasion {
                at,
                previous_tags: &self.previous_tags,
                shown: &self.shown,
                turn,
            };
            match choose(&mut self.pool, &mut self.tally, &occasion) {
                Ok(pick) => break pick,
                Err(Short(category)) => {
                    let all = media::candidates(tx, self.team, &category, self.until, u32::MAX)?;
                    self.pool.fill(category, all, true);
                }
            }
        };
        if let Some(pick) = &pick {
            self.previous_tags.clone_from(&pick.candidate.tags);
            if let Some(showing) = pick.candidate.showing(at) {
                self.shown.note(showing);
            }
        }
        Ok(pick)
    }

    /// The category whose turn it is.
    pub(super) fn next_turn(&self) -> Option<Category> {
        self.tally.by_deficit().into_iter().next()
    }
}

/// What was shown lately, seen from then, and the queue.
pub(super) fn shown(tx: &mut dyn Tx, team: TeamId, at: Timestamp) -> Result<Shown> {
    let since = at.checked_sub(APART).unwrap_or(Timestamp::MIN);
    Ok(Shown::new(looks::shown(tx, team, since)?))
}

/// A media shown at that time; nothing if its look is not known.
pub(super) fn showing(media: &Media, at: Timestamp) -> Option<Showing> {
    Some(Showing {
        media: media.id,
        lookalike: media.lookalike?,
        at,
    })
}

/// The tags of the last story before `at`: in the queue, else in the history.
fn previous_tags(tx: &mut dyn Tx, team: TeamId, at: Timestamp) -> Result<Vec<String>> {
    let queue = stories::queue(tx, team)?;
    if let Some(story) = queue.iter().rev().find(|story| story.due_at <= at) {
        return Ok(media::get(tx, story.media)?.metadata.tags);
    }
    let latest = history::latest(tx, team, 10)?;
    Ok(latest
        .into_iter()
        .find(|entry| entry.outcome.was_seen())
        .map(|entry| entry.snapshot.metadata.tags)
        .unwrap_or_default())
}

/// What stands ready in the library, as far as it matters to what is planned already.
pub(super) struct Standing {
    has_mix: bool,
    /// Categories in which something may be chosen.
    filled: BTreeSet<Category>,
    /// Categories in which something may be chosen that was never posted.
    news: BTreeSet<Category>,
}

impl Standing {
    /// Looked up once, and only if it is asked for.
    pub(super) fn of<'a>(
        known: &'a mut Option<Self>,
        tx: &mut dyn Tx,
        team: TeamId,
        now: Timestamp,
    ) -> Result<&'a Self> {
        if let Some(known) = known {
            return Ok(known);
        }
        let (mut filled, mut news) = (BTreeSet::new(), BTreeSet::new());
        let shown = shown(tx, team, now)?;
        for category in media::categories(tx, team)? {
            if let Some(first) = first_free(tx, team, &category, &shown, now)? {
                if first.last_posted_at.is_none() {
                    news.insert(category.clone());
                }
                filled.insert(category);
            }
        }
        let has_mix = mix::in_force(tx, team)?.is_some();
        Ok(known.insert(Self {
            has_mix,
            filled,
            news,
        }))
    }

    /// Whether drawing its slot again is sure to give something better than this: something never posted in place of a
    /// repetition, or the category whose turn it is in place of one that stepped in.
    ///
    /// Only what is sure counts, or the plan would be drawn again and again.
    pub(super) fn has_better(&self, shown: &Media, turn: &Category) -> bool {
        let repeats = shown.last_posted_at.is_some();
        if self.has_mix {
            self.filled.contains(turn)
                && (shown.category != *turn || (repeats && self.news.contains(turn)))
        } else {
            repeats && !self.news.is_empty()
        }
    }
}

/// The first candidate of a category that fits whatever slot is drawn: none that looks alike is shown at all.
fn first_free(
    tx: &mut dyn Tx,
    team: TeamId,
    category: &Category,
    shown: &Shown,
    now: Timestamp,
) -> Result<Option<Candidate>> {
    let is_free = |candidate: &Candidate| {
        !candidate
            .showing(now)
            .is_some_and(|showing| shown.has_alike(&showing))
    };
    for limit in [SPARE, u32::MAX] {
        let candidates = media::candidates(tx, team, category, now, limit)?;
        let is_all = candidates.len() < limit as usize;
        let free = candidates.into_iter().find(is_free);
        if is_all || free.is_some() {
            return Ok(free);
        }
    }
    Ok(None)
}

/// Chooses for the one slot that is due now, in case it was not filled ahead or what it had cannot be sent. False if nothing
/// fits.
pub(super) fn fill_now(
    tx: &mut dyn Tx,
    team: TeamId,
    slot: Slot,
    number: Option<u64>,
    now: Timestamp,
) -> Result<bool> {
    let mut chooser = Chooser::new(tx, team, (now, now), 1)?;
    let Some(pick) = chooser.choose(tx, now, None)? else {
        return Ok(false);
    };
    fill(tx, team, slot, &pick, number, now)?;
    Ok(true)
}

/// Chooses a media for a story that a person asked for. Nothing if nothing fits.
pub(super) fn pick_extra(tx: &mut dyn Tx, team: TeamId, now: Timestamp) -> Result<Option<Pick>> {
    Chooser::new(tx, team, (now, now), 1)?.choose(tx, now, None)
}

/// Plans a pick for a slot. Its number is `number` if the slot had one before.
pub(super) fn fill(
    tx: &mut dyn Tx,
    team: TeamId,
    slot: Slot,
    pick: &Pick,
    number: Option<u64>,
    now: Timestamp,
) -> Result<()> {
    let story = stories::NewStory {
        media: pick.candidate.media,
        slot: Some(slot.id),
        turn: pick.turn.clone(),
        due_at: slot.at,
        requested_by: None,
    };
    stories::plan(tx, team, &story, number, now)?;
    Ok(())
}
