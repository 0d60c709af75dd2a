//! The messages that show stories. `wanted` counts the changes of what a message should show, `shown` how far the chat has
//! followed; the two meet, or the message is gone.

use jiff::Timestamp;

use super::engine::Tx;
use super::error::Result;
use super::value::values;
use crate::domain::ids::{StoryId, TeamId};
use crate::domain::story::MessageRef;

/// A message that does not show what it should.
#[derive(Clone, Debug)]
pub(crate) struct Behind {
    pub(crate) message: MessageRef,
    pub(crate) story: StoryId,
    pub(crate) wanted: i64,
    pub(crate) failures: u32,
}

/// Notes a message of a story. It shows what it was sent with, unless it is `behind` already. Known messages stay as they are.
pub(crate) fn add(
    tx: &mut dyn Tx,
    team: TeamId,
    story: StoryId,
    attempt: u32,
    message: MessageRef,
    behind: bool,
    now: Timestamp,
) -> Result<()> {
    tx.execute(
        "INSERT INTO messages (chat_id, message_id, team_id, story_id, attempt, wanted, shown, failures, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, ?7)
         ON CONFLICT (chat_id, message_id) DO NOTHING",
        values![
            message.chat,
            message.message,
            team,
            story,
            attempt,
            i64::from(behind),
            now
        ],
    )?;
    Ok(())
}

/// Has every message of a story follow what it should show now.
pub(crate) fn want(tx: &mut dyn Tx, story: StoryId) -> Result<()> {
    tx.execute(
        "UPDATE messages SET wanted = wanted + 1, retry_at = NULL, failures = 0 WHERE story_id = ?1",
        values![story],
    )?;
    Ok(())
}

/// Messages that are behind and may be tried now, the oldest first.
pub(crate) fn behind(
    tx: &mut dyn Tx,
    team: TeamId,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Behind>> {
    let rows = tx.query(
        "SELECT chat_id, message_id, story_id, wanted, failures FROM messages
         WHERE team_id = ?1 AND wanted > shown AND (retry_at IS NULL OR retry_at <= ?2)
         ORDER BY created_at, chat_id, message_id LIMIT ?3",
        values![team, now, limit],
    )?;
    rows.into_iter()
        .map(|row| {
            let mut cells = row.cells();
            Ok(Behind {
                message: MessageRef {
                    chat: cells.integer()?,
                    message: cells.number()?,
                },
                story: cells.parsed()?,
                wanted: cells.integer()?,
                failures: cells.number()?,
            })
        })
        .collect()
}

/// The next moment at which a message that is behind may be tried.
pub(crate) fn next_try(tx: &mut dyn Tx, team: TeamId) -> Result<Option<Timestamp>> {
    match tx.first(
        "SELECT MIN(retry_at) FROM messages WHERE team_id = ?1 AND wanted > shown",
        values![team],
    )? {
        Some(row) => row.cells().maybe_time(),
        None => Ok(None),
    }
}

/// Notes that a message shows what was wanted when it was read.
pub(crate) fn follow(tx: &mut dyn Tx, message: MessageRef, wanted: i64) -> Result<()> {
    tx.execute(
        "UPDATE messages SET shown = ?3, failures = 0, retry_at = NULL WHERE chat_id = ?1 AND message_id = ?2",
        values![message.chat, message.message, wanted],
    )?;
    Ok(())
}

/// Notes that a message could not be changed, and when to try again.
pub(crate) fn fail(
    tx: &mut dyn Tx,
    message: MessageRef,
    failures: u32,
    retry_at: Timestamp,
) -> Result<()> {
    tx.execute(
        "UPDATE messages SET failures = ?3, retry_at = ?4 WHERE chat_id = ?1 AND message_id = ?2",
        values![message.chat, message.message, failures, retry_at],
    )?;
    Ok(())
}

/// Forgets a message that is gone from the chat.
pub(crate) fn remove(tx: &mut dyn Tx, message: MessageRef) -> Result<()> {
    tx.execute(
        "DELETE FROM messages WHERE chat_id = ?1 AND message_id = ?2",
        values![message.chat, message.message],
    )?;
    Ok(())
}

/// Whether the story has this message.
pub(crate) fn knows(tx: &mut dyn Tx, message: MessageRef) -> Result<bool> {
    Ok(tx.count(
        "SELECT COUNT(*) FROM messages WHERE chat_id = ?1 AND message_id = ?2",
        values![message.chat, message.message],
    )? > 0)
}

/// The story that a message shows.
pub(crate) fn story_of(tx: &mut dyn Tx, message: MessageRef) -> Result<Option<StoryId>> {
    tx.first(
        "SELECT story_id FROM messages WHERE chat_id = ?1 AND message_id = ?2",
        values![message.chat, message.message],
    )?
    .map(|row| row.cells().parsed())
    .transpose()
}

/// Forgets messages of ended stories that are older than `before`, whatever they show.
pub(crate) fn forget_old(tx: &mut dyn Tx, team: TeamId, before: Timestamp) -> Result<u64> {
    tx.execute(
        "DELETE FROM messages WHERE team_id = ?1 AND created_at < ?2
             AND NOT EXISTS (SELECT 1 FROM stories WHERE stories.id = messages.story_id)",
        values![team, before],
    )
}
