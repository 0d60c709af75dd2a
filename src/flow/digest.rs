//! The digest of a day: what comes, and what became of it. A story that is still planned may be swapped there.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Result;
use super::act::{Press, Pressed, Saw, told_end};
use super::keep::swap;
use crate::domain::calendar::SlotId;
use crate::domain::ids::{StoryId, TeamId};
use crate::domain::outcome::Outcome;
use crate::domain::person::Person;
use crate::domain::story::{MessageRef, State, Story};
use crate::domain::team::TeamSettings;
use crate::store::bulletins::Standing;
use crate::store::{Tx, history, media, stories};

/// A day of the plan, as a team is told of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Day {
    /// The local date.
    pub date: Date,
    /// The zone in which its times are told.
    pub zone: TimeZone,
    /// Its stories, in order of time.
    pub stories: Vec<Line>,
}

/// A story of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The story.
    pub story: StoryId,
    /// How people call it.
    pub number: u64,
    /// When it is, or was, due.
    pub due_at: Timestamp,
    /// What is shown: a title or a file's name.
    pub name: String,
    /// After how many swaps.
    pub swaps: u32,
    /// By whom it was swapped last.
    pub swapped_by: Option<String>,
    /// Where it is in its life.
    pub stage: Stage,
}

/// Where a story of a day is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// In the queue.
    Queued(State),
    /// It has ended.
    Ended(Outcome),
}

impl Line {
    /// Whether it may still be swapped there.
    #[must_use]
    pub fn is_planned(&self) -> bool {
        self.stage == Stage::Queued(State::Planned)
    }
}

impl Day {
    /// What is on record of a message that shows it.
    pub(super) fn standing(&self, message: MessageRef) -> Standing {
        // What it shows is only ever compared.
        let shown = blake3::hash(format!("{:?}", self.stories).as_bytes());
        Standing {
            day: self.date,
            message,
            shown: shown.to_hex().to_string(),
        }
    }
}

/// A day of the plan: what its slots have, and what was asked for at a time of that day.
pub(super) fn day(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    date: Date,
) -> Result<Day> {
    let zone = &settings.timezone;
    let is_of_day = |slot: Option<SlotId>, due_at: Timestamp| match slot {
        Some(slot) => slot.date == date,
        None => due_at.to_zoned(zone.clone()).date() == date,
    };
    let mut lines = Vec::new();
    for story in stories::queue(tx, team)? {
        if is_of_day(story.slot, story.due_at) {
            lines.push(line(tx, story)?);
        }
    }
    let midnight = date.to_zoned(zone.clone());
    let since = midnight.map_or(Timestamp::MAX, |midnight| midnight.timestamp());
    for entry in history::since(tx, team, since)? {
        let Some(number) = entry.number.filter(|_| is_of_day(entry.slot, entry.due_at)) else {
            continue;
        };
        lines.push(Line {
            story: entry.story,
            number,
            due_at: entry.due_at,
            name: entry.snapshot.display_name().to_owned(),
            swaps: 0,
            swapped_by: None,
            stage: Stage::Ended(entry.outcome),
        });
    }
    lines.sort_by_key(|line| (line.due_at, line.number));
    Ok(Day {
        date,
        zone: zone.clone(),
        stories: lines,
    })
}

fn line(tx: &mut dyn Tx, story: Story) -> Result<Line> {
    Ok(Line {
        story: story.id,
        number: story.number,
        due_at: story.due_at,
        name: media::get(tx, story.media)?.display_name().to_owned(),
        swaps: story.swaps,
        swapped_by: story.swapped_by,
        stage: Stage::Queued(story.state),
    })
}

/// Another media for a story that nobody has seen yet, by the rules of Swap.
pub(super) fn swap_ahead(
    tx: &mut dyn Tx,
    story: Option<Story>,
    press: Press,
    person: &Person,
    now: Timestamp,
) -> Result<Pressed> {
    let Some(story) = story else {
        let end = history::of_story(tx, press.story)?;
        return Ok(end.map_or(Pressed::Redrawn, |end| told_end(end, press.person)));
    };
    if story.state != State::Planned {
        return Ok(Pressed::SentBefore);
    }
    if press.saw != Saw::after(story.swaps) {
        return Ok(Pressed::SwappedBefore);
    }
    swap(tx, &story, &person.name, now)
}
