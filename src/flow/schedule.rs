//! Media become stories: the plan is kept filled ahead, and drawn again where something that matters has changed. The
//! preview asks the same functions, so it is what happens.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{Flow, Result};
use crate::domain::calendar::{Slot, SlotId, slots_between};
use crate::domain::category::Category;
use crate::domain::ids::TeamId;
use crate::domain::plan::{Pick, Pool, Tally, choose};
use crate::domain::story::{State, Story};
use crate::domain::team::TeamSettings;
use crate::store::{Tx, alerts, history, media, mix, stories, teams};

/// How many candidates beyond the slots to fill are looked at in a category, so that tags can be varied.
const SPARE: u32 = 24;

/// The topic of the alert that nothing is left to choose from.
const NOTHING_LEFT: &str = "nothing_left";

/// What drawing the plan did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Drawn {
    /// Stories planned.
    pub planned: u32,
    /// Planned stories taken out again.
    pub withdrawn: u32,
    /// Slots within the horizon for which nothing fits.
    pub empty: u32,
}

/// A line of the preview.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// When.
    pub at: Timestamp,
    /// The story's number, if it is in the queue already.
    pub number: Option<u64>,
    /// The category.
    pub category: String,
    /// What will be shown: a title or a file's name. Nothing if nothing fits.
    pub name: Option<String>,
    /// Where it lies.
    pub path: Option<String>,
}

impl Flow {
    /// Keeps the plan filled and true. Running it again changes nothing unless something else did.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn plan(&self, now: Timestamp) -> Result<Drawn> {
        self.draw(now, false).await
    }

    /// Draws every slot that was not sent yet anew.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn replan(&self, now: Timestamp) -> Result<Drawn> {
        self.draw(now, true).await
    }

    async fn draw(&self, now: Timestamp, anew: bool) -> Result<Drawn> {
        let (team, settings) = (self.team, self.settings.clone());
        let drawn = self
            .store
            .write(move |tx| draw(tx, team, &settings, now, anew))
            .await?;
        if drawn.planned + drawn.withdrawn > 0 {
            tracing::info!(
                task = "plan",
                "{} stories planned, {} withdrawn, {} slots without a story",
                drawn.planned,
                drawn.withdrawn,
                drawn.empty
            );
            self.nudges.dispatch.notify();
        }
        self.nudges.alerts.notify();
        Ok(drawn)
    }

    /// What will be sent in the next `days`, if nothing changes: the queue, and beyond it what the same choice gives.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn preview(&self, days: u32, now: Timestamp) -> Result<Vec<Preview>> {
        let (team, settings) = (self.team, self.settings.clone());
        self.store
            .read(move |tx| preview(tx, team, &settings, days, now))
            .await
    }
}

fn draw(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    now: Timestamp,
    anew: bool,
) -> Result<Drawn> {
    let mut drawn = Drawn::default();
    let row = teams::get(tx, team)?;
    let mix = mix::in_force(tx, team)?;
    let stamp = stamp(settings, mix.as_ref());
    let moved = row.plan_stamp != stamp;
    if moved {
        // Under new settings the past has no slots: nothing is caught up that was never due.
        teams::settle_slots(tx, team, now)?;
        teams::stamp_plan(tx, team, &stamp)?;
    }

    let horizon = ahead(now, settings.horizon_days);
    let queue = stories::queue(tx, team)?;
    let planned: Vec<&Story> = queue
        .iter()
        .filter(|story| story.state == State::Planned && story.slot.is_some())
        .filter(|story| story.due_at > now && story.requested_by.is_none())
        .collect();
    let news = !anew && !moved && has_news(tx, team, horizon)?;
    // The slot keeps its number, whatever it shows in the end.
    let mut numbers: BTreeMap<SlotId, u64> = BTreeMap::new();
    for story in planned {
        let stale = anew
            || moved
            || !media::may_be_sent(tx, story.media, story.due_at)?
            || (news && media::get(tx, story.media)?.last_posted_at.is_some());
        if stale && stories::unplan(tx, story.id)? {
            drawn.withdrawn += 1;
            numbers.extend(story.slot.map(|slot| (slot, story.number)));
        }
    }

    let from = teams::get(tx, team)?.slots_settled_until.max(now);
    let mut chooser = Chooser::new(tx, team, settings, from, horizon)?;
    for slot in slots_between(team, settings, from, horizon) {
        if chooser.pass_filled(tx, slot)? {
            continue;
        }
        match chooser.choose(slot) {
            Some(pick) => {
                fill(tx, team, slot, &pick, numbers.get(&slot.id).copied(), now)?;
                drawn.planned += 1;
            }
            None => drawn.empty += 1,
        }
    }
    judge_supply(tx, team, settings, now)?;
    Ok(drawn)
}

/// Chooses for the one slot that is due now, in case it was not filled ahead. False if nothing fits.
pub(super) fn fill_now(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    slot: Slot,
    now: Timestamp,
) -> Result<bool> {
    let mut chooser = Chooser::new(tx, team, settings, slot.at, now)?;
    let Some(pick) = chooser.choose(Slot { at: now, ..slot }) else {
        return Ok(false);
    };
    fill(tx, team, slot, &pick, None, now)?;
    Ok(true)
}

/// Chooses a media for a story that a person asked for. Nothing if nothing fits.
pub(super) fn pick_extra(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    now: Timestamp,
) -> Result<Option<Pick>> {
    let mut chooser = Chooser::new(tx, team, settings, now, now)?;
    let slot = Slot {
        id: SlotId {
            date: now.to_zoned(settings.timezone.clone()).date(),
            ordinal: 0,
        },
        at: now,
        interval: SignedDuration::ZERO,
    };
    Ok(chooser.choose(slot))
}

fn fill(
    tx: &mut dyn Tx,
    team: TeamId,
    slot: Slot,
    pick: &Pick,
    number: Option<u64>,
    now: Timestamp,
) -> Result<()> {
    if pick.fell_through() {
        tracing::info!(
            task = "plan",
            "it is the turn of `{}`, where nothing fits; `{}` steps in",
            pick.turn,
            pick.candidate.category
        );
    }
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

fn preview(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    days: u32,
    now: Timestamp,
) -> Result<Vec<Preview>> {
    let until = ahead(now, days);
    let from = teams::get(tx, team)?.slots_settled_until.max(now);
    let mut lines = Vec::new();
    let mut chooser = Chooser::new(tx, team, settings, from, until)?;
    for slot in slots_between(team, settings, from, until) {
        let (number, shown, category) = match stories::of_slot(tx, team, slot.id)? {
            Some(story) => {
                chooser.pass_filled(tx, slot)?;
                (Some(story.number), Some(story.media), None)
            }
            None if history::has_slot(tx, team, slot.id)? => continue,
            None => match chooser.choose(slot) {
                Some(pick) => (None, Some(pick.candidate.media), None),
                None => (None, None, chooser.tally.by_deficit().into_iter().next()),
            },
        };
        let shown = shown.map(|id| media::get(tx, id)).transpose()?;
        lines.push(Preview {
            at: slot.at,
            number,
            category: shown
                .as_ref()
                .map(|media| &media.category)
                .or(category.as_ref())
                .map_or_else(String::new, Category::to_string),
            name: shown.as_ref().map(|media| media.display_name().to_owned()),
            path: shown.map(|media| media.path),
        });
    }
    Ok(lines)
}

/// The choice as it goes from slot to slot: what is left, whose turn it is, and the previous pick's tags.
struct Chooser {
    team: TeamId,
    pool: Pool,
    tally: Tally,
    previous_tags: Vec<String>,
}

impl Chooser {
    /// Ready to choose for slots after `from` and until `until`.
    fn new(
        tx: &mut dyn Tx,
        team: TeamId,
        settings: &TeamSettings,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Self> {
        let slots = slots_between(team, settings, from, until).len();
        let limit = u32::try_from(slots)
            .unwrap_or(u32::MAX)
            .saturating_add(SPARE);
        let mut candidates = Vec::new();
        for category in media::categories(tx, team)? {
            candidates.extend(media::candidates(tx, team, &category, until, limit)?);
        }
        let mut tally = Tally::default();
        if let Some((set_at, wanted_ppm)) = mix::in_force(tx, team)? {
            tally.had = history::turns_since(tx, team, set_at)?;
            tally.wanted_ppm = wanted_ppm;
        }
        Ok(Self {
            team,
            pool: Pool::new(candidates),
            tally,
            previous_tags: previous_tags(tx, team, from)?,
        })
    }

    /// Whether the slot has its story, or its end. A story's tags are what the next choice avoids.
    fn pass_filled(&mut self, tx: &mut dyn Tx, slot: Slot) -> Result<bool> {
        if let Some(story) = stories::of_slot(tx, self.team, slot.id)? {
            self.previous_tags = media::get(tx, story.media)?.metadata.tags;
            return Ok(true);
        }
        history::has_slot(tx, self.team, slot.id)
    }

    fn choose(&mut self, slot: Slot) -> Option<Pick> {
        let pick = choose(
            &mut self.pool,
            &mut self.tally,
            slot.at,
            &self.previous_tags,
        )?;
        self.previous_tags = pick.candidate.tags.clone();
        Some(pick)
    }
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

/// Whether something waits in the pool that was never posted.
fn has_news(tx: &mut dyn Tx, team: TeamId, until: Timestamp) -> Result<bool> {
    let mut first = Vec::new();
    for category in media::categories(tx, team)? {
        first.extend(media::candidates(tx, team, &category, until, 1)?);
    }
    Ok(Pool::new(first).has_news())
}

/// Zero media is the loudest case: says so while the next slot has nothing to show.
fn judge_supply(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    now: Timestamp,
) -> Result<()> {
    let next = slots_between(
        team,
        settings,
        now,
        ahead(now, settings.horizon_days.max(2)),
    )
    .into_iter()
    .next();
    let has_story = match next {
        Some(slot) => {
            stories::of_slot(tx, team, slot.id)?.is_some() || history::has_slot(tx, team, slot.id)?
        }
        None => true,
    };
    if has_story {
        alerts::resolve(tx, team, NOTHING_LEFT, now)?;
        return Ok(());
    }
    let census = media::census(tx, team)?;
    let text = if census.media == 0 {
        "The library is empty: there is nothing to send. Put pictures into its folders.".to_owned()
    } else {
        format!(
            "Nothing fits the next slot: of {} media {} are ready and all of those are locked or in the queue, {} wait to \
             be examined, {} have errors, {} are missing. Add pictures, or take off locks (`storyline lock list`).",
            census.media, census.ready, census.to_examine, census.flawed, census.missing
        )
    };
    if alerts::raise(tx, team, NOTHING_LEFT, &text, now)? {
        tracing::warn!(task = "plan", "{text}");
    }
    Ok(())
}

/// What the plan is drawn with, in a short text: another one has it drawn again.
fn stamp(settings: &TeamSettings, mix: Option<&(Timestamp, BTreeMap<Category, u32>)>) -> String {
    let mut hasher = blake3::Hasher::new();
    let window = settings.window;
    let zone = settings.timezone.iana_name().unwrap_or("?");
    hasher.update(
        format!(
            "{zone} {} {} {} {}",
            settings.posts_per_day, window.start, window.end, settings.jitter_minutes
        )
        .as_bytes(),
    );
    for (category, share_ppm) in mix.iter().flat_map(|(_, shares)| shares) {
        hasher.update(format!("\n{category} {share_ppm}").as_bytes());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

fn ahead(now: Timestamp, days: u32) -> Timestamp {
    now.checked_add(SignedDuration::from_hours(24 * i64::from(days)))
        .unwrap_or(Timestamp::MAX)
}
