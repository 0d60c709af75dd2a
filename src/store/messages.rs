//! The messages that show stories. `wanted` counts the changes of what a message should show, `shown` how far the chat has
//! followed; the two meet, or the message is gone.

use jiff::Timestamp;

use super::engine::Tx;
use super::error::Result;
use super::value::{Cells, values};
use crate::domain::ids::{StoryId, TeamId};
use crate::domain::story::MessageRef;

/// A message that does not show what it should.
#[derive(Clone, Debug)]
pub(crate) struct Behind {
    pub(crate) message: MessageRef,
    pub(crate) story: StoryId,
    pub(crate) kind: Kind,
    /// Which of the story's media it shows: after how many swaps.
    pub(crate) swaps: u32,
    pub(crate) wanted: i64,
    pub(crate) failures: u32,
}

/// What a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It shows a story, with its buttons.
    Story,
    /// It says in a few words that a story is coming: a text, until the picture is put into it.
    Announcement,
    /// It reminds of a story, for as long as that is open.
    Reminder,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Story | Self::Announcement => "story",
            Self::Reminder => "reminder",
        }
    }

    fn read(cells: &mut Cells) -> Result<Self> {
        let is_reminder = cells.text()? == Self::Reminder.as_str();
        let is_announcement = cells.integer()? == 1;
        Ok(match (is_reminder, is_announcement) {
            (true, _) => Self::Reminder,
            (false, true) => Self::Announcement,
            (false, false) => Self::Story,
        })
    }
}

/// A message that is new.
pub(crate) struct NewMessage {
    pub(crate) message: MessageRef,
    pub(crate) kind: Kind,
    /// The delivery that brought it.
    pub(crate) attempt: u32,
    /// Which of the story's media it shows: after how many swaps.
    pub(crate) swaps: u32,
    /// Whether it does not show what it should already.
    pub(crate) is_behind: bool,
}

/// Notes a message of a story. Known messages stay as they are, but for an announcement that shows the story now.
pub(crate) fn add(
    tx: &mut dyn Tx,
    team: TeamId,
    story: StoryId,
    new: &NewMessage,
    now: Timestamp,
) -> Result<()> {
    tx.execute(
        "INSERT INTO messages (chat_id, message_id, team_id, story_id, kind, is_announcement, attempt, swaps, wanted, shown,
             failures, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, 0, ?10)
         ON CONFLICT (chat_id, message_id) DO UPDATE SET is_announcement = 0, swaps = excluded.swaps,
             wanted = messages.wanted + excluded.wanted, failures = 0, retry_at = NULL
         WHERE messages.is_announcement = 1 AND excluded.is_announcement = 0",
        values![
            new.message.chat,
            new.message.message,
            team,
            story,
            new.kind.as_str(),
            i64::from(new.kind == Kind::Announcement),
            new.attempt,
            new.swaps,
            i64::from(new.is_behind),
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
        "SELECT chat_id, message_id, story_id, kind, is_announcement, swaps, wanted, failures FROM messages
         WHERE team_id = ?1 AND wanted > shown AND (retry_at IS NULL OR retry_at <= ?2)
         ORDER BY created_at, chat_id, message_id LIMIT ?3",
        values![team, now, limit],
    )?;
    rows.into_iter()
        .map(|row| {
            let mut cells = row.cells();
            Ok(Behind {
                message: reference(&mut cells)?,
                story: cells.parsed()?,
                kind: Kind::read(&mut cells)?,
                swaps: cells.number()?,
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

/// Notes that a message shows what was wanted when it was read, with the media after so many swaps.
pub(crate) fn follow(tx: &mut dyn Tx, message: MessageRef, wanted: i64, swaps: u32) -> Result<()> {
    tx.execute(
        "UPDATE messages SET shown = ?3, swaps = ?4, failures = 0, retry_at = NULL
         WHERE chat_id = ?1 AND message_id = ?2",
        values![message.chat, message.message, wanted, swaps],
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

/// A message of a story, as it was noted.
#[derive(Clone, Debug)]
pub(crate) struct Noted {
    pub(crate) message: MessageRef,
    pub(crate) kind: Kind,
    pub(crate) attempt: u32,
    pub(crate) at: Timestamp,
}

/// The messages of a story that are on record still, in order.
pub(crate) fn of_story(tx: &mut dyn Tx, story: StoryId) -> Result<Vec<Noted>> {
    let rows = tx.query(
        "SELECT chat_id, message_id, kind, is_announcement, attempt, created_at FROM messages
         WHERE story_id = ?1 ORDER BY created_at, message_id",
        values![story],
    )?;
    rows.into_iter()
        .map(|row| {
            let mut cells = row.cells();
            Ok(Noted {
                message: reference(&mut cells)?,
                kind: Kind::read(&mut cells)?,
                attempt: cells.number()?,
                at: cells.time()?,
            })
        })
        .collect()
}

/// The latest message that shows a story with its buttons.
pub(crate) fn latest_of(tx: &mut dyn Tx, story: StoryId) -> Result<Option<MessageRef>> {
    latest(tx, story, Kind::Story)
}

/// The announcement of a story whose picture is not in it yet, as far as the records tell.
pub(crate) fn announcement_of(tx: &mut dyn Tx, story: StoryId) -> Result<Option<MessageRef>> {
    latest(tx, story, Kind::Announcement)
}

fn latest(tx: &mut dyn Tx, story: StoryId, kind: Kind) -> Result<Option<MessageRef>> {
    let row = tx.first(
        "SELECT chat_id, message_id FROM messages WHERE story_id = ?1 AND kind = ?2 AND is_announcement = ?3
         ORDER BY created_at DESC, message_id DESC LIMIT 1",
        values![
            story,
            kind.as_str(),
            i64::from(kind == Kind::Announcement)
        ],
    )?;
    row.map(|row| reference(&mut row.cells())).transpose()
}

fn reference(cells: &mut Cells) -> Result<MessageRef> {
    Ok(MessageRef {
        chat: cells.integer()?,
        message: cells.number()?,
    })
}

/// Whether the chat shows a story with the media after so many swaps.
pub(crate) fn shows(tx: &mut dyn Tx, story: StoryId, swaps: u32) -> Result<bool> {
    Ok(tx.count(
        "SELECT COUNT(*) FROM messages WHERE story_id = ?1 AND kind = 'story' AND is_announcement = 0 AND swaps = ?2",
        values![story, swaps],
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
