//! The people of a team.

use jiff::Timestamp;

use super::engine::Tx;
use super::error::Result;
use super::value::{Cells, values};
use crate::domain::category::Category;
use crate::domain::ids::TeamId;
use crate::domain::outcome::Outcome;
use crate::domain::person::{Person, PersonId, Role, Tally};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT person_id, name, username, role, deactivated_at, left_at, joined_at, posted_count, skipped_count, ",
            "rejected_count FROM people ",
            $rest
        )
    };
}

fn read(mut cells: Cells) -> Result<Person> {
    Ok(Person {
        id: PersonId(cells.integer()?),
        name: cells.text()?,
        username: cells.maybe_text()?,
        role: cells.parsed()?,
        deactivated_at: cells.maybe_time()?,
        left_at: cells.maybe_time()?,
        joined_at: cells.time()?,
        tally: Tally {
            posted: cells.number()?,
            skipped: cells.number()?,
            rejected: cells.number()?,
        },
    })
}

/// A read: it never makes a row.
pub(crate) fn get(tx: &mut dyn Tx, team: TeamId, id: PersonId) -> Result<Option<Person>> {
    tx.first(
        select!("WHERE team_id = ?1 AND person_id = ?2"),
        values![team, id],
    )?
    .map(|row| read(row.cells()))
    .transpose()
}

pub(crate) fn list(tx: &mut dyn Tx, team: TeamId) -> Result<Vec<Person>> {
    let rows = tx.query(
        select!("WHERE team_id = ?1 ORDER BY name, person_id"),
        values![team],
    )?;
    rows.into_iter().map(|row| read(row.cells())).collect()
}

/// Notes a person who was found to be of the team, or how a known one is called now.
pub(crate) fn note(
    tx: &mut dyn Tx,
    team: TeamId,
    id: PersonId,
    name: &str,
    username: Option<&str>,
    role: Role,
    now: Timestamp,
) -> Result<()> {
    tx.execute(
        "INSERT INTO people (team_id, person_id, name, username, role, joined_at, posted_count, skipped_count,
             rejected_count)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, 0)
         ON CONFLICT (team_id, person_id) DO UPDATE SET name = excluded.name, username = excluded.username",
        values![team, id, name, username, role, now],
    )?;
    Ok(())
}

pub(crate) fn set_role(tx: &mut dyn Tx, team: TeamId, id: PersonId, role: Role) -> Result<()> {
    tx.execute(
        "UPDATE people SET role = ?3 WHERE team_id = ?1 AND person_id = ?2",
        values![team, id, role],
    )?;
    Ok(())
}

pub(crate) fn set_deactivated(
    tx: &mut dyn Tx,
    team: TeamId,
    id: PersonId,
    since: Option<Timestamp>,
) -> Result<()> {
    tx.execute(
        "UPDATE people SET deactivated_at = ?3 WHERE team_id = ?1 AND person_id = ?2",
        values![team, id, since],
    )?;
    Ok(())
}

/// Notes since when a person is not in the team's chat, or that they are.
pub(crate) fn set_left(
    tx: &mut dyn Tx,
    team: TeamId,
    id: PersonId,
    since: Option<Timestamp>,
) -> Result<()> {
    tx.execute(
        "UPDATE people SET left_at = ?3 WHERE team_id = ?1 AND person_id = ?2",
        values![team, id, since],
    )?;
    Ok(())
}

/// When a person last chose this team among theirs.
pub(crate) fn chosen_at(tx: &mut dyn Tx, team: TeamId, id: PersonId) -> Result<Option<Timestamp>> {
    let row = tx.first(
        "SELECT chosen_at FROM people WHERE team_id = ?1 AND person_id = ?2",
        values![team, id],
    )?;
    row.map_or(Ok(None), |row| row.cells().maybe_time())
}

/// Notes that a person chose this team among theirs.
pub(crate) fn choose(tx: &mut dyn Tx, team: TeamId, id: PersonId, now: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE people SET chosen_at = ?3 WHERE team_id = ?1 AND person_id = ?2",
        values![team, id, now],
    )?;
    Ok(())
}

/// Into which folder a person last handed something in.
pub(crate) fn folder(tx: &mut dyn Tx, team: TeamId, id: PersonId) -> Result<Option<Category>> {
    let row = tx.first(
        "SELECT folder FROM people WHERE team_id = ?1 AND person_id = ?2",
        values![team, id],
    )?;
    let name = row.map(|row| row.cells().maybe_text()).transpose()?;
    Ok(name.flatten().map(|name| Category::new(&name)))
}

/// Notes into which folder a person last handed something in.
pub(crate) fn note_folder(
    tx: &mut dyn Tx,
    team: TeamId,
    id: PersonId,
    folder: &Category,
) -> Result<()> {
    tx.execute(
        "UPDATE people SET folder = ?3 WHERE team_id = ?1 AND person_id = ?2",
        values![team, id, folder],
    )?;
    Ok(())
}

/// Credits a person with an outcome (1), or takes the credit back (-1). Only the functions that close and take back call it.
pub(crate) fn credit(
    tx: &mut dyn Tx,
    team: TeamId,
    id: PersonId,
    outcome: Outcome,
    count: i64,
) -> Result<()> {
    let of = |credited| if outcome == credited { count } else { 0 };
    tx.execute(
        "UPDATE people SET posted_count = posted_count + ?3, skipped_count = skipped_count + ?4,
             rejected_count = rejected_count + ?5
         WHERE team_id = ?1 AND person_id = ?2",
        values![
            team,
            id,
            of(Outcome::Posted),
            of(Outcome::Skipped),
            of(Outcome::Rejected)
        ],
    )?;
    Ok(())
}
