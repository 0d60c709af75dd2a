//! The history: how every story ended, with the media as it was. Rows are added and read; nothing here changes one.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::engine::Tx;
use super::error::{Error, Result};
use super::value::{Cells, json, values};
use crate::domain::audit::By;
use crate::domain::calendar::SlotId;
use crate::domain::category::Category;
use crate::domain::entry::{Entry, Withdrawn};
use crate::domain::ids::{MediaId, StoryId, TeamId};
use crate::domain::outcome::Outcome;
use crate::domain::person::{Person, PersonId};

/// What stands in place of an outcome in the row that takes one back.
const WITHDRAWN: &str = "withdrawn";

/// Outcomes, each with its withdrawal, if it was taken back.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT h.story_id, h.number, h.media_id, h.slot_date, h.slot_ordinal, h.turn, h.due_at, h.sent_at, h.ended_at, ",
            "h.outcome, h.reason, h.person_id, h.person_name, h.snapshot, h.part, w.ended_at, w.person_name ",
            "FROM history h LEFT JOIN history w ON w.story_id = h.story_id AND w.part = h.part + 1 ",
            "WHERE h.outcome <> 'withdrawn' AND ",
            $rest
        )
    };
}

fn read(mut cells: Cells) -> Result<Entry> {
    Ok(Entry {
        story: cells.parsed()?,
        number: cells.maybe_number()?,
        media: cells.maybe_parsed()?,
        slot: super::stories::slot(&mut cells)?,
        turn: cells.maybe_text()?.map(|name| Category::new(&name)),
        due_at: cells.time()?,
        sent_at: cells.maybe_time()?,
        ended_at: cells.time()?,
        outcome: cells.parsed()?,
        reason: cells.maybe_text()?,
        person: cells.maybe_integer()?.map(PersonId),
        person_name: cells.maybe_text()?,
        snapshot: cells.json()?,
        part: cells.number()?,
        withdrawn: withdrawn(&mut cells)?,
    })
}

fn withdrawn(cells: &mut Cells) -> Result<Option<Withdrawn>> {
    let (at, by) = (cells.maybe_time()?, cells.maybe_text()?);
    Ok(at.map(|at| Withdrawn { at, by }))
}

/// How many stories ended in each way, without those that were taken back.
pub(crate) fn tally(tx: &mut dyn Tx, team: TeamId) -> Result<BTreeMap<String, u64>> {
    let rows = tx.query(
        "SELECT h.outcome, COUNT(*) FROM history h
         LEFT JOIN history w ON w.story_id = h.story_id AND w.part = h.part + 1
         WHERE h.team_id = ?1 AND h.outcome <> 'withdrawn' AND w.story_id IS NULL GROUP BY h.outcome",
        values![team],
    )?;
    rows.into_iter()
        .map(|row| {
            let mut cells = row.cells();
            Ok((cells.text()?, cells.number()?))
        })
        .collect()
}

/// The part that the next end of a story is. A slot whose end was taken back has another story then, and goes on counting.
pub(crate) fn next_part(
    tx: &mut dyn Tx,
    team: TeamId,
    story: StoryId,
    slot: Option<SlotId>,
) -> Result<u32> {
    let part = tx.count(
        "SELECT COALESCE(MAX(part), 0) + 1 FROM history
         WHERE story_id = ?1 OR (team_id = ?2 AND slot_date = ?3 AND slot_ordinal = ?4)",
        values![
            story,
            team,
            slot.map(|slot| slot.date),
            slot.map(|slot| slot.ordinal)
        ],
    )?;
    u32::try_from(part).map_err(Error::unexpected)
}

/// Adds an end. `ended_from` is the state it ended from, or `new` for a slot that never had a story.
pub(crate) fn add(tx: &mut dyn Tx, team: TeamId, ended_from: &str, entry: &Entry) -> Result<()> {
    insert(tx, team, ended_from, entry.outcome.as_str(), entry)
}

/// Takes an outcome back, which stays on record. Only the function that takes back calls it.
pub(crate) fn withdraw(
    tx: &mut dyn Tx,
    team: TeamId,
    entry: &Entry,
    person: &Person,
    now: Timestamp,
) -> Result<()> {
    let by = By {
        name: person.name.clone(),
        person: Some(person.id),
    };
    take_back(tx, team, entry, &by, now)
}

/// Takes back what a wrong clock ended. Only the function that sets the clock right calls it.
pub(crate) fn take_back(
    tx: &mut dyn Tx,
    team: TeamId,
    entry: &Entry,
    by: &By,
    now: Timestamp,
) -> Result<()> {
    let withdrawal = Entry {
        part: entry.part + 1,
        ended_at: now,
        reason: None,
        person: by.person,
        person_name: Some(by.name.clone()),
        ..entry.clone()
    };
    insert(tx, team, entry.outcome.as_str(), WITHDRAWN, &withdrawal)
}

fn insert(
    tx: &mut dyn Tx,
    team: TeamId,
    ended_from: &str,
    outcome: &str,
    entry: &Entry,
) -> Result<()> {
    tx.execute(
        "INSERT INTO history (story_id, part, team_id, number, media_id, slot_date, slot_ordinal, turn, due_at, sent_at,
             ended_at, ended_from, outcome, reason, person_id, person_name, snapshot)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        values![
            entry.story,
            entry.part,
            team,
            entry.number,
            entry.media,
            entry.slot.map(|slot| slot.date),
            entry.slot.map(|slot| slot.ordinal),
            entry.turn.as_ref(),
            entry.due_at,
            entry.sent_at,
            entry.ended_at,
            ended_from,
            outcome,
            entry.reason.as_ref(),
            entry.person,
            entry.person_name.as_ref(),
            json(&entry.snapshot)?
        ],
    )?;
    Ok(())
}

/// How a story ended, if its outcome stands.
pub(crate) fn of_story(tx: &mut dyn Tx, story: StoryId) -> Result<Option<Entry>> {
    tx.first(
        select!("w.part IS NULL AND h.story_id = ?1"),
        values![story],
    )?
    .map(|row| read(row.cells()))
    .transpose()
}

pub(crate) fn by_number(tx: &mut dyn Tx, team: TeamId, number: u64) -> Result<Option<Entry>> {
    tx.first(
        select!("h.team_id = ?1 AND h.number = ?2 ORDER BY h.part DESC LIMIT 1"),
        values![team, number],
    )?
    .map(|row| read(row.cells()))
    .transpose()
}

/// Every end of the story of a number, in order: more than one if outcomes were taken back.
pub(crate) fn ends_of(tx: &mut dyn Tx, team: TeamId, number: u64) -> Result<Vec<Entry>> {
    let rows = tx.query(
        select!("h.team_id = ?1 AND h.number = ?2 ORDER BY h.part"),
        values![team, number],
    )?;
    rows.into_iter().map(|row| read(row.cells())).collect()
}

/// Whether a slot has had its end, or has a story; one whose end was taken back is open again.
pub(crate) fn has_slot(tx: &mut dyn Tx, team: TeamId, slot: SlotId) -> Result<bool> {
    Ok(tx.count(
        "SELECT COUNT(*) FROM history h WHERE team_id = ?1 AND slot_date = ?2 AND slot_ordinal = ?3 AND outcome <> 'withdrawn'
             AND NOT EXISTS (SELECT 1 FROM history w WHERE w.story_id = h.story_id AND w.part = h.part + 1)",
        values![team, slot.date, slot.ordinal],
    )? > 0
        || super::stories::of_slot(tx, team, slot)?.is_some())
}

/// Slots ahead that a clock called missed which was further ahead than they are; in order.
pub(crate) fn missed_ahead(tx: &mut dyn Tx, team: TeamId, now: Timestamp) -> Result<Vec<Entry>> {
    let rows = tx.query(
        select!(
            "w.part IS NULL AND h.team_id = ?1 AND h.outcome = 'missed' AND h.slot_date IS NOT NULL AND h.due_at > ?2
                 AND h.ended_at > ?2 ORDER BY h.due_at, h.story_id"
        ),
        values![team, now],
    )?;
    rows.into_iter().map(|row| read(row.cells())).collect()
}

/// The latest ends, the newest first, those that were taken back too.
pub(crate) fn latest(tx: &mut dyn Tx, team: TeamId, limit: u32) -> Result<Vec<Entry>> {
    let rows = tx.query(
        select!("h.team_id = ?1 ORDER BY h.ended_at DESC, h.story_id DESC LIMIT ?2"),
        values![team, limit],
    )?;
    rows.into_iter().map(|row| read(row.cells())).collect()
}

/// The latest ends of one kind, the newest first.
pub(crate) fn latest_with(
    tx: &mut dyn Tx,
    team: TeamId,
    outcome: Outcome,
    limit: u32,
) -> Result<Vec<Entry>> {
    let rows = tx.query(
        select!(
            "w.part IS NULL AND h.team_id = ?1 AND h.outcome = ?2 ORDER BY h.ended_at DESC, h.story_id DESC LIMIT ?3"
        ),
        values![team, outcome, limit],
    )?;
    rows.into_iter().map(|row| read(row.cells())).collect()
}

/// The latest ends of one media's stories, the newest first.
pub(crate) fn of_media(tx: &mut dyn Tx, media: MediaId, limit: u32) -> Result<Vec<Entry>> {
    let rows = tx.query(
        select!("h.media_id = ?1 ORDER BY h.ended_at DESC, h.story_id DESC LIMIT ?2"),
        values![media, limit],
    )?;
    rows.into_iter().map(|row| read(row.cells())).collect()
}

/// The ends since a moment that stand, in order.
pub(crate) fn since(tx: &mut dyn Tx, team: TeamId, from: Timestamp) -> Result<Vec<Entry>> {
    let rows = tx.query(
        select!(
            "w.part IS NULL AND h.team_id = ?1 AND h.ended_at >= ?2 ORDER BY h.ended_at, h.story_id"
        ),
        values![team, from],
    )?;
    rows.into_iter().map(|row| read(row.cells())).collect()
}

/// How many stories each category has had, by whose turn it was, since the mix was set: what was sent since, and what is
/// in the queue.
pub(crate) fn turns_since(
    tx: &mut dyn Tx,
    team: TeamId,
    set_at: Timestamp,
) -> Result<BTreeMap<Category, u64>> {
    let rows = tx.query(
        "SELECT turn, COUNT(*) FROM (
             SELECT turn FROM history h WHERE team_id = ?1 AND ended_at >= ?2 AND sent_at >= ?2 AND outcome <> 'withdrawn'
                 AND NOT EXISTS (SELECT 1 FROM history w WHERE w.story_id = h.story_id AND w.part = h.part + 1)
             UNION ALL
             SELECT turn FROM stories WHERE team_id = ?1 AND (sent_at IS NULL OR sent_at >= ?2)
         ) AS turns WHERE turn IS NOT NULL GROUP BY turn ORDER BY turn",
        values![team, set_at],
    )?;
    rows.into_iter()
        .map(|row| {
            let mut cells = row.cells();
            Ok((Category::new(&cells.text()?), cells.number()?))
        })
        .collect()
}
