//! What people hand in by the chat. `wanted` counts the changes of what a question's message should show, `shown` how far the
//! chat has followed.

use jiff::Timestamp;

use super::engine::Tx;
use super::error::{Error, Result};
use super::value::{Cells, values};
use crate::domain::category::Category;
use crate::domain::handin::{Choice, Fate, HandIn, HandedFile};
use crate::domain::ids::{HandInId, TeamId};
use crate::domain::person::PersonId;
use crate::domain::story::MessageRef;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT h.id, h.person_id, h.chat_id, h.album, h.received_at, h.chosen_at, h.category FROM hand_ins h ",
            $rest
        )
    };
}

fn read(cells: &mut Cells) -> Result<HandIn> {
    Ok(HandIn {
        id: cells.parsed()?,
        person: PersonId(cells.integer()?),
        chat: cells.integer()?,
        album: cells.maybe_text()?,
        received_at: cells.time()?,
        choice: match (cells.maybe_time()?, cells.maybe_text()?) {
            (None, _) => Choice::Open,
            (Some(_), Some(name)) => Choice::Folder(Category::new(&name)),
            (Some(_), None) => Choice::Cancelled,
        },
    })
}

/// Notes a sending; another file of a known album joins it.
pub(crate) fn add(
    tx: &mut dyn Tx,
    team: TeamId,
    person: PersonId,
    chat: i64,
    album: Option<&str>,
    now: Timestamp,
) -> Result<HandInId> {
    let known = tx.first(
        "SELECT id FROM hand_ins WHERE team_id = ?1 AND chat_id = ?2 AND album = ?3",
        values![team, chat, album],
    )?;
    if let Some(row) = known {
        return row.cells().parsed();
    }
    let id: HandInId = super::fresh(now);
    tx.execute(
        "INSERT INTO hand_ins (id, team_id, person_id, chat_id, album, received_at, wanted, shown, doubts)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, 0)",
        values![id, team, person, chat, album, now],
    )?;
    Ok(id)
}

/// Notes a file of a sending.
pub(crate) fn add_file(
    tx: &mut dyn Tx,
    id: HandInId,
    file: &HandedFile,
    fate: &Fate,
) -> Result<()> {
    let (fate, detail) = words(fate);
    tx.execute(
        "INSERT INTO handed_files (hand_in_id, message_id, file_id, kind, name, size_bytes, caption, fate, detail, tries)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0)",
        values![
            id,
            file.message,
            file.file_id.as_str(),
            file.kind.as_str(),
            file.name.as_deref(),
            file.size_bytes,
            file.caption.as_deref(),
            fate,
            detail
        ],
    )?;
    want(tx, id)
}

fn words(fate: &Fate) -> (&'static str, Option<String>) {
    match fate {
        Fate::Waiting => ("waiting", None),
        Fate::Landed(path) => ("landed", Some(path.clone())),
        Fate::Known(media) => ("known", Some(media.to_string())),
        Fate::Unfit(reason) => ("unfit", Some(reason.clone())),
    }
}

/// How many files of a person wait to be fetched.
pub(crate) fn count_waiting(tx: &mut dyn Tx, team: TeamId, person: PersonId) -> Result<u64> {
    tx.count(
        "SELECT COUNT(*) FROM handed_files f JOIN hand_ins h ON h.id = f.hand_in_id
         WHERE h.team_id = ?1 AND h.person_id = ?2 AND f.fate = 'waiting' AND (h.chosen_at IS NULL OR h.category IS NOT NULL)",
        values![team, person],
    )
}

/// A sending of the team.
pub(crate) fn get(tx: &mut dyn Tx, team: TeamId, id: HandInId) -> Result<Option<HandIn>> {
    tx.first(
        select!("WHERE h.team_id = ?1 AND h.id = ?2"),
        values![team, id],
    )?
    .map(|row| read(&mut row.cells()))
    .transpose()
}

/// The team that something was handed in to.
pub(crate) fn team_of(tx: &mut dyn Tx, id: HandInId) -> Result<Option<TeamId>> {
    tx.first("SELECT team_id FROM hand_ins WHERE id = ?1", values![id])?
        .map(|row| row.cells().parsed())
        .transpose()
}

/// The files of a sending, in their order, each with what became of it.
pub(crate) fn files(tx: &mut dyn Tx, id: HandInId) -> Result<Vec<(HandedFile, Fate)>> {
    let rows = tx.query(
        "SELECT message_id, file_id, kind, name, size_bytes, caption, fate, detail FROM handed_files
         WHERE hand_in_id = ?1 ORDER BY message_id",
        values![id],
    )?;
    rows.into_iter()
        .map(|row| {
            let mut cells = row.cells();
            let file = HandedFile {
                message: cells.number()?,
                file_id: cells.text()?,
                kind: cells.parsed()?,
                name: cells.maybe_text()?,
                size_bytes: cells.number()?,
                caption: cells.maybe_text()?,
            };
            let fate = match cells.text()?.as_str() {
                "waiting" => Fate::Waiting,
                "landed" => Fate::Landed(cells.text()?),
                "known" => Fate::Known(cells.parsed()?),
                "unfit" => Fate::Unfit(cells.text()?),
                other => {
                    return Err(Error::unexpected(format!(
                        "`{other}`, where a fate belongs"
                    )));
                }
            };
            Ok((file, fate))
        })
        .collect()
}

/// Notes what the sender wants; no category means nothing. The message that was pressed is the one that tells of it.
pub(crate) fn choose(
    tx: &mut dyn Tx,
    id: HandInId,
    category: Option<&Category>,
    question: i32,
    now: Timestamp,
) -> Result<()> {
    tx.execute(
        "UPDATE hand_ins SET chosen_at = ?2, category = ?3, question_id = ?4 WHERE id = ?1",
        values![id, now, category, question],
    )?;
    want(tx, id)
}

/// Has the message of a sending follow what it should show now.
pub(crate) fn want(tx: &mut dyn Tx, id: HandInId) -> Result<()> {
    tx.execute(
        "UPDATE hand_ins SET wanted = wanted + 1, retry_at = NULL WHERE id = ?1",
        values![id],
    )?;
    Ok(())
}

/// A sending whose message does not show what it should.
pub(crate) struct Behind {
    pub(crate) hand_in: HandIn,
    pub(crate) question: Option<i32>,
    pub(crate) wanted: i64,
    pub(crate) retry_at: Option<Timestamp>,
}

/// The sendings whose messages do not show what they should, the oldest first.
pub(crate) fn behind(tx: &mut dyn Tx, team: TeamId) -> Result<Vec<Behind>> {
    let rows = tx.query(
        "SELECT h.question_id, h.wanted, h.retry_at, h.id, h.person_id, h.chat_id, h.album, h.received_at, h.chosen_at,
             h.category
         FROM hand_ins h WHERE h.team_id = ?1 AND h.wanted > h.shown ORDER BY h.id",
        values![team],
    )?;
    rows.into_iter()
        .map(|row| {
            let mut cells = row.cells();
            Ok(Behind {
                question: cells.maybe_number()?,
                wanted: cells.integer()?,
                retry_at: cells.maybe_time()?,
                hand_in: read(&mut cells)?,
            })
        })
        .collect()
}

/// Notes how far a message has followed, and which it is if that is new.
pub(crate) fn shown(
    tx: &mut dyn Tx,
    id: HandInId,
    question: Option<i32>,
    wanted: i64,
) -> Result<()> {
    tx.execute(
        "UPDATE hand_ins SET shown = ?2, question_id = COALESCE(question_id, ?3) WHERE id = ?1",
        values![id, wanted, question],
    )?;
    Ok(())
}

/// The message that asks about a sending, if it is known.
pub(crate) fn question(tx: &mut dyn Tx, id: HandInId) -> Result<Option<MessageRef>> {
    let row = tx.first(
        "SELECT chat_id, question_id FROM hand_ins WHERE id = ?1 AND question_id IS NOT NULL",
        values![id],
    )?;
    row.map(|row| {
        let mut cells = row.cells();
        Ok(MessageRef {
            chat: cells.integer()?,
            message: cells.number()?,
        })
    })
    .transpose()
}

/// Counts a question that may be there though no answer tells so; returns how many there may be.
pub(crate) fn doubts(tx: &mut dyn Tx, id: HandInId) -> Result<u64> {
    tx.count(
        "UPDATE hand_ins SET doubts = doubts + 1 WHERE id = ?1 RETURNING doubts",
        values![id],
    )
}

/// Notes that a message is to be tried again at `retry_at`.
pub(crate) fn show_again(tx: &mut dyn Tx, id: HandInId, retry_at: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE hand_ins SET retry_at = ?2 WHERE id = ?1",
        values![id, retry_at],
    )?;
    Ok(())
}

/// A file that is to be fetched.
pub(crate) struct Chosen {
    pub(crate) id: HandInId,
    pub(crate) message: i32,
    pub(crate) tries: u32,
    pub(crate) retry_at: Option<Timestamp>,
}

/// The file that is to be fetched next, if there is one.
pub(crate) fn next_chosen(tx: &mut dyn Tx, team: TeamId) -> Result<Option<Chosen>> {
    let row = tx.first(
        "SELECT f.hand_in_id, f.message_id, f.tries, f.retry_at
         FROM handed_files f JOIN hand_ins h ON h.id = f.hand_in_id
         WHERE h.team_id = ?1 AND h.category IS NOT NULL AND f.fate = 'waiting'
         ORDER BY COALESCE(f.retry_at, 0), h.chosen_at, f.message_id LIMIT 1",
        values![team],
    )?;
    row.map(|row| {
        let mut cells = row.cells();
        Ok(Chosen {
            id: cells.parsed()?,
            message: cells.number()?,
            tries: cells.number()?,
            retry_at: cells.maybe_time()?,
        })
    })
    .transpose()
}

/// Notes what became of a file.
pub(crate) fn settle(tx: &mut dyn Tx, id: HandInId, message: i32, fate: &Fate) -> Result<()> {
    let (fate, detail) = words(fate);
    tx.execute(
        "UPDATE handed_files SET fate = ?3, detail = ?4 WHERE hand_in_id = ?1 AND message_id = ?2",
        values![id, message, fate, detail],
    )?;
    Ok(())
}

/// Notes that a file is to be fetched again at `retry_at`, after so many tries.
pub(crate) fn fetch_again(
    tx: &mut dyn Tx,
    id: HandInId,
    message: i32,
    tries: u32,
    retry_at: Timestamp,
) -> Result<()> {
    tx.execute(
        "UPDATE handed_files SET tries = ?3, retry_at = ?4 WHERE hand_in_id = ?1 AND message_id = ?2",
        values![id, message, tries, retry_at],
    )?;
    Ok(())
}

/// Forgets what was handed in before `before`, whatever became of it.
pub(crate) fn forget_old(tx: &mut dyn Tx, team: TeamId, before: Timestamp) -> Result<u64> {
    tx.execute(
        "DELETE FROM handed_files WHERE hand_in_id IN (SELECT id FROM hand_ins WHERE team_id = ?1 AND received_at < ?2)",
        values![team, before],
    )?;
    tx.execute(
        "DELETE FROM hand_ins WHERE team_id = ?1 AND received_at < ?2",
        values![team, before],
    )
}
