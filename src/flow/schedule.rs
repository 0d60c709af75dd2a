//! Media become stories: the plan is kept filled ahead, and drawn again where something that matters has changed. The
//! preview asks the same functions, so it is what happens.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::chooser::{Chooser, Standing, fill, showing, shown};
use super::clock::trusted;
use super::conditions::judge;
use super::runway::judge_runway;
use super::{Flow, Result};
use crate::domain::alert::topic::NOTHING_LEFT;
use crate::domain::audit::{By, Change};
use crate::domain::calendar::{Slot, SlotId, slots_between};
use crate::domain::category::Category;
use crate::domain::ids::TeamId;
use crate::domain::story::{State, Story};
use crate::domain::team::TeamSettings;
use crate::store::{Error, Tx, audit, history, media, mix, settings, stories, teams};
use crate::system::lock::lock;

/// How long new pictures are given to be examined before it is said that nothing is left.
const JUST_NOW: SignedDuration = SignedDuration::from_hours(1);

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
    /// Keeps the plan filled and true. Running it again changes nothing unless something else did. It does nothing while the
    /// clock shows a time before the last on record, until somebody vouches for it.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn plan(&self, now: Timestamp) -> Result<Drawn> {
        self.draw(now, None).await
    }

    /// Draws every slot that was not sent yet anew.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn replan(&self, by: By, now: Timestamp) -> Result<Drawn> {
        self.draw(now, Some(by)).await
    }

    async fn draw(&self, now: Timestamp, anew: Option<By>) -> Result<Drawn> {
        let (team, time) = (self.team, self.time.clone());
        let drawn = self
            .store
            .write(move |tx| {
                let settings = settings::of(tx, team)?;
                // Nothing is planned ahead for a team that nobody could show it to, or that is not here any more.
                if !trusted(tx, &time, now)?
                    || (anew.is_none() && settings.chat.is_none())
                    || teams::is_removed(tx, team)?
                {
                    return Ok(Drawn::default());
                }
                let horizon = ahead(now, settings.horizon_days);
                let plan = draw(tx, team, &settings, now, horizon, anew.is_some())?;
                plan.tell();
                if let Some(by) = &anew {
                    let change = Change::of_team(team, "replanned");
                    audit::add(tx, team, by, &change, now)?;
                }
                // What came just now is known in a moment; what cannot be examined keeps nobody from being told.
                let just_now = now.checked_sub(JUST_NOW).unwrap_or(now);
                if !media::awaits_examination(tx, team, just_now)? {
                    judge_supply(tx, team, &settings, now)?;
                    judge_runway(tx, team, &settings, now)?;
                }
                Ok(plan.drawn)
            })
            .await?;
        if drawn.planned + drawn.withdrawn > 0 {
            self.nudges.dispatch.notify();
        }
        self.nudges.alerts.notify();
        Ok(drawn)
    }

    /// What will be sent in the next `days`, if nothing changes: the plan is drawn that far ahead, looked at, and taken back.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn preview(&self, days: u32, now: Timestamp) -> Result<Vec<Preview>> {
        let team = self.team;
        let seen = Arc::new(Mutex::new(None));
        let shown = seen.clone();
        let taken_back = self
            .store
            .write(move |tx| {
                let settings = settings::of(tx, team)?;
                let lines = preview(tx, team, &settings, days, now)?;
                *lock(&shown) = Some(lines);
                // An error is how a transaction is taken back.
                Err::<(), _>(Error::unexpected("a preview is never kept"))
            })
            .await;
        let lines = lock(&seen).take();
        match (lines, taken_back) {
            (None, Err(error)) => Err(error),
            (lines, _) => Ok(lines.unwrap_or_default()),
        }
    }
}

/// A plan, as it was drawn.
pub(super) struct Plan {
    drawn: Drawn,
    /// Slots without a story, and the category whose turn it would be.
    empty: Vec<(Slot, Option<Category>)>,
    /// Whose turn it was, and which category stepped in.
    stood_in: BTreeSet<(Category, Category)>,
}

impl Plan {
    fn tell(&self) {
        for (turn, other) in &self.stood_in {
            tracing::info!(
                task = "plan",
                "it is the turn of `{turn}`, where nothing fits; `{other}` steps in"
            );
        }
        if self.drawn.planned + self.drawn.withdrawn > 0 {
            tracing::info!(
                task = "plan",
                "{} stories planned, {} withdrawn, {} slots without a story",
                self.drawn.planned,
                self.drawn.withdrawn,
                self.drawn.empty
            );
        }
    }
}

/// Draws the plan anew if settings or mix are not those it was drawn with.
pub(super) fn adopt_settings(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    now: Timestamp,
) -> Result<()> {
    if teams::get(tx, team)?.plan_stamp != stamp(tx, team, settings)? {
        let horizon = ahead(now, settings.horizon_days);
        draw(tx, team, settings, now, horizon, false)?.tell();
    }
    Ok(())
}

/// Fills every slot from now until `horizon`, after taking out what does not fit (any more).
fn draw(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    now: Timestamp,
    horizon: Timestamp,
    anew: bool,
) -> Result<Plan> {
    let row = teams::get(tx, team)?;
    let stamp = stamp(tx, team, settings)?;
    if calendar_part(&row.plan_stamp) != calendar_part(&stamp) {
        // Under a new calendar the past has no slots: nothing is caught up that was never due.
        teams::settle_slots(tx, team, now)?;
    }
    let anew = anew || row.plan_stamp != stamp;
    if row.plan_stamp != stamp {
        teams::stamp_plan(tx, team, &stamp)?;
    }
    let withdrawn = withdraw(tx, team, now, anew)?;
    let mut plan = Plan {
        drawn: Drawn {
            withdrawn: u32::try_from(withdrawn.len()).unwrap_or(u32::MAX),
            ..Drawn::default()
        },
        empty: Vec::new(),
        stood_in: BTreeSet::new(),
    };

    let from = teams::get(tx, team)?.slots_settled_until.max(now);
    let queue = stories::queue(tx, team)?;
    let filled: BTreeMap<SlotId, &Story> = queue
        .iter()
        .filter_map(|story| Some((story.slot?, story)))
        .collect();
    let slots = slots_between(team, settings, from, horizon);
    let mut chooser: Option<Chooser> = None;
    for slot in &slots {
        if let Some(story) = filled.get(&slot.id) {
            if let Some(chooser) = &mut chooser {
                chooser.pass(tx, story)?;
            }
            continue;
        }
        if history::has_slot(tx, team, slot.id)? {
            continue;
        }
        // A plan that is full needs no look at the library.
        let chooser = match &mut chooser {
            Some(chooser) => chooser,
            none => none.insert(Chooser::new(tx, team, (slot.at, horizon), slots.len())?),
        };
        let (number, turn) = withdrawn.get(&slot.id).cloned().unzip();
        match chooser.choose(tx, slot.at, turn.filter(|_| !anew).as_ref())? {
            Some(pick) => {
                fill(tx, team, *slot, &pick, number, now)?;
                plan.drawn.planned += 1;
                if pick.fell_through() {
                    plan.stood_in.insert((pick.turn, pick.candidate.category));
                }
            }
            None => plan.empty.push((*slot, chooser.next_turn())),
        }
    }
    plan.drawn.empty = u32::try_from(plan.empty.len()).unwrap_or(u32::MAX);
    Ok(plan)
}

/// Takes planned stories out of the plan: all of them to draw it anew, else those that cannot be sent and those for which
/// there is something better now. A slot keeps its number whatever it shows in the end, and the turn it was drawn for.
fn withdraw(
    tx: &mut dyn Tx,
    team: TeamId,
    now: Timestamp,
    anew: bool,
) -> Result<BTreeMap<SlotId, (u64, Category)>> {
    let mut withdrawn = BTreeMap::new();
    let mut standing = None;
    let mut shown = shown(tx, team, now)?;
    let mut planned = Vec::new();
    for story in stories::queue(tx, team)? {
        let Some(slot) = story.slot else { continue };
        if story.state == State::Planned && story.due_at > now && story.requested_by.is_none() {
            let media = media::get(tx, story.media)?;
            let showing = showing(&media, story.due_at);
            showing.inspect(|showing| shown.forget(showing));
            planned.push((slot, story, media, showing));
        }
    }
    for (slot, story, media, showing) in planned {
        let stale = anew
            || !media::may_be_sent(tx, story.media, story.due_at)?
            || showing.is_some_and(|showing| shown.is_repeated_by(&showing))
            || Standing::of(&mut standing, tx, team, now)?.has_better(&media, &story.turn);
        if stale && stories::unplan(tx, story.id)? {
            withdrawn.insert(slot, (story.number, story.turn));
        } else {
            showing.inspect(|showing| shown.note(*showing));
        }
    }
    Ok(withdrawn)
}

fn preview(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    days: u32,
    now: Timestamp,
) -> Result<Vec<Preview>> {
    let until = ahead(now, days);
    let known: BTreeSet<u64> = stories::queue(tx, team)?
        .iter()
        .map(|story| story.number)
        .collect();
    let plan = draw(tx, team, settings, now, until, false)?;
    let mut lines: Vec<Preview> = plan
        .empty
        .into_iter()
        .map(|(slot, turn)| Preview {
            at: slot.at,
            number: None,
            category: turn.map_or_else(String::new, |turn| turn.to_string()),
            name: None,
            path: None,
        })
        .collect();
    for story in stories::queue(tx, team)? {
        let ahead = story.due_at > now && story.due_at <= until;
        if story.state == State::Planned && ahead {
            let shown = media::get(tx, story.media)?;
            lines.push(Preview {
                at: story.due_at,
                number: known.contains(&story.number).then_some(story.number),
                category: shown.category.to_string(),
                name: Some(shown.display_name().to_owned()),
                path: Some(shown.path),
            });
        }
    }
    lines.sort_by_key(|line| line.at);
    Ok(lines)
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
        judge(tx, team, NOTHING_LEFT, None, now)?;
        return Ok(());
    }
    let census = media::census(tx, team)?;
    let text = if census.media == 0 {
        "The library is empty: there is nothing to send. Put pictures into its folders.".to_owned()
    } else {
        format!(
            "Nothing fits the next slot: of {} media {} are ready and all of those are locked or in the queue, \
             {} have errors, {} are missing. Add pictures, or take off locks (`storyline lock list`).",
            census.media, census.ready, census.flawed, census.missing
        )
    };
    judge(tx, team, NOTHING_LEFT, Some(&text), now)?;
    Ok(())
}

/// What the plan is drawn with, in a short text: another one has it drawn again. The calendar comes first, then the mix.
fn stamp(tx: &mut dyn Tx, team: TeamId, settings: &TeamSettings) -> Result<String> {
    let hash = |text: &str| blake3::hash(text.as_bytes()).to_hex()[..16].to_owned();
    let window = settings.window;
    let calendar = format!(
        "{} {} {} {} {}",
        settings.timezone.iana_name().unwrap_or("?"),
        settings.posts_per_day,
        window.start,
        window.end,
        settings.jitter_minutes
    );
    let shares: String = mix::in_force(tx, team)?
        .iter()
        .flat_map(|(_, shares)| shares)
        .map(|(category, share_ppm)| format!("{category} {share_ppm}\n"))
        .collect();
    Ok(format!("{} {}", hash(&calendar), hash(&shares)))
}

fn calendar_part(stamp: &str) -> &str {
    stamp.split(' ').next().unwrap_or_default()
}

fn ahead(now: Timestamp, days: u32) -> Timestamp {
    now.checked_add(SignedDuration::from_hours(24 * i64::from(days)))
        .unwrap_or(Timestamp::MAX)
}
