//! The summary of a week: what was done, against the week before, by whom, and what will run short.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::Result;
use super::runway::runways;
use super::stats::{Deeds, deeds, most};
use crate::domain::entry::Entry;
use crate::domain::ids::TeamId;
use crate::domain::outcome::Outcome;
use crate::domain::team::TeamSettings;
use crate::store::{Tx, history};

/// What lasts longer than this, in days, does not run short before the next summary.
const SHORT_DAYS: u32 = 14;

/// What a week was like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Week {
    /// Its first day, a Monday.
    pub monday: Date,
    /// What was done in it.
    pub last: Tally,
    /// What was done in the week before.
    pub before: Tally,
    /// Who decided most stories, the most diligent first: a name, and how many.
    pub people: Vec<(String, u64)>,
    /// What will run short, in plain words.
    pub short: Vec<String>,
}

/// What was done in a week.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// By people.
    pub deeds: Deeds,
    /// Slots that went by without a story.
    pub missed: u64,
}

/// The week before this Monday; nothing if nothing happened in it, nor in the one before.
pub(super) fn week(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    today: Date,
    now: Timestamp,
) -> Result<Option<Week>> {
    let start = |days: i64| {
        let date = today.saturating_sub(days.days());
        let midnight = date.to_zoned(settings.timezone.clone());
        midnight.map_or(now, |midnight| midnight.timestamp())
    };
    let (until, from) = (start(0), start(7));
    let mut ends = history::since(tx, team, start(14))?;
    ends.retain(|end| end.ended_at < until);
    if ends.is_empty() {
        return Ok(None);
    }
    let (last, before): (Vec<&Entry>, Vec<&Entry>) =
        ends.iter().partition(|end| end.ended_at >= from);
    let decided = last.iter().filter(|end| end.person.is_some());
    let people = most(decided.filter_map(|end| end.person_name.clone()));
    let short = runways(tx, team, settings, now)?
        .into_iter()
        .filter_map(|runway| {
            let days = runway.lasts_days.filter(|days| *days <= SHORT_DAYS)?;
            Some(runway.text(days, settings))
        })
        .collect();
    Ok(Some(Week {
        monday: today.saturating_sub(7.days()),
        last: tally(&last),
        before: tally(&before),
        people,
        short,
    }))
}

fn tally(ends: &[&Entry]) -> Tally {
    let is_missed = |end: &&&Entry| end.outcome == Outcome::Missed;
    Tally {
        deeds: deeds(ends),
        missed: ends.iter().filter(is_missed).count() as u64,
    }
}
