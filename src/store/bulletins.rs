//! What a team was told of its own accord, so that it is told once.

use jiff::ToSpan;
use jiff::civil::Date;

use super::engine::Tx;
use super::error::Result;
use super::value::values;
use crate::domain::ids::TeamId;
use crate::domain::story::MessageRef;

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The pictures of a day.
    Pictures,
    /// The text of a day.
    Day,
    /// The summary of a week.
    Week,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Pictures => "pictures",
            Self::Day => "day",
            Self::Week => "week",
        }
    }
}

/// A message that follows the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Of which day it tells.
    pub(crate) day: Date,
    pub(crate) message: MessageRef,
    /// What it shows.
    pub(crate) shown: String,
}

/// Notes that it is about to be told on this day. False if it was told then, or later.
pub(crate) fn begin(tx: &mut dyn Tx, team: TeamId, kind: Kind, day: Date) -> Result<bool> {
    Ok(tx.execute(
        "INSERT INTO bulletins (team_id, kind, day) VALUES (?1, ?2, ?3)
         ON CONFLICT (team_id, kind) DO UPDATE SET day = excluded.day, chat_id = NULL, message_id = NULL, shown = NULL
             WHERE bulletins.day < excluded.day",
        values![team, kind.as_str(), day],
    )? == 1)
}

/// Whether it may still be told on this day.
pub(crate) fn is_open(tx: &mut dyn Tx, team: TeamId, kind: Kind, day: Date) -> Result<bool> {
    Ok(tx.count(
        "SELECT COUNT(*) FROM bulletins WHERE team_id = ?1 AND kind = ?2 AND day >= ?3",
        values![team, kind.as_str(), day],
    )? == 0)
}

/// It did not leave the box on this day, and may still be told.
pub(crate) fn take_back(tx: &mut dyn Tx, team: TeamId, kind: Kind, day: Date) -> Result<()> {
    tx.execute(
        "UPDATE bulletins SET day = ?4 WHERE team_id = ?1 AND kind = ?2 AND day = ?3",
        values![team, kind.as_str(), day, day.saturating_sub(1.day())],
    )?;
    Ok(())
}

/// Notes the message that tells of a day, or that it shows something else now.
pub(crate) fn note(tx: &mut dyn Tx, team: TeamId, standing: &Standing) -> Result<()> {
    tx.execute(
        "UPDATE bulletins SET chat_id = ?4, message_id = ?5, shown = ?6 WHERE team_id = ?1 AND kind = ?2 AND day = ?3",
        values![
            team,
            Kind::Day.as_str(),
            standing.day,
            standing.message.chat,
            standing.message.message,
            &standing.shown
        ],
    )?;
    Ok(())
}

/// The message that tells of the latest day.
pub(crate) fn standing(tx: &mut dyn Tx, team: TeamId) -> Result<Option<Standing>> {
    let row = tx.first(
        "SELECT day, chat_id, message_id, shown FROM bulletins
         WHERE team_id = ?1 AND kind = ?2 AND message_id IS NOT NULL",
        values![team, Kind::Day.as_str()],
    )?;
    row.map(|row| {
        let mut cells = row.cells();
        Ok(Standing {
            day: cells.parsed()?,
            message: MessageRef {
                chat: cells.integer()?,
                message: cells.number()?,
            },
            shown: cells.text()?,
        })
    })
    .transpose()
}

/// The message is to follow no more: it is gone, or cannot be changed.
pub(crate) fn let_go(tx: &mut dyn Tx, team: TeamId) -> Result<()> {
    tx.execute(
        "UPDATE bulletins SET chat_id = NULL, message_id = NULL, shown = NULL WHERE team_id = ?1",
        values![team],
    )?;
    Ok(())
}
