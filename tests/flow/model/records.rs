//! What the store has on record of the lives of its stories, read past the program.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::{Connection, Row};
use storyline::domain::ids::StoryId;

/// Milliseconds since 1970, as they are on record.
pub(super) type Ms = i64;

/// A story in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Open {
    pub(super) number: i64,
    pub(super) media: String,
    pub(super) state: String,
    pub(super) since: Ms,
    pub(super) due_at: Ms,
    pub(super) is_wish: bool,
    pub(super) messages: i64,
    pub(super) sent_at: Option<Ms>,
    pub(super) asked_at: Option<Ms>,
    /// Who is on it, and since when.
    pub(super) claim: Option<(i64, Ms)>,
    pub(super) later_at: Option<Ms>,
    pub(super) swaps: i64,
    pub(super) swapped_at: Option<Ms>,
    pub(super) is_undone: bool,
    pub(super) original_at: Option<Ms>,
}

/// A row of the history: an end, or that one was taken back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct End {
    pub(super) story: StoryId,
    pub(super) part: i64,
    pub(super) number: Option<i64>,
    pub(super) media: Option<String>,
    pub(super) outcome: String,
    pub(super) person: Option<i64>,
    pub(super) at: Ms,
}

/// Posted, skipped, rejected.
pub(super) type Tally = [i64; 3];

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Records {
    pub(super) open: BTreeMap<StoryId, Open>,
    pub(super) history: BTreeSet<End>,
    /// Until when the outcomes of these stories may be taken back.
    pub(super) undos: BTreeMap<StoryId, Ms>,
    /// Media, kind and end of each lock, in order.
    pub(super) locks: Vec<(String, String, Option<Ms>)>,
    /// How often each media was posted and skipped, and when it was posted last.
    pub(super) counters: BTreeMap<String, (i64, i64, Option<Ms>)>,
    /// Whether the presses of each person count, and their credits.
    pub(super) people: BTreeMap<i64, (bool, Tally)>,
    pub(super) is_paused: bool,
}

impl Records {
    pub(super) fn read(database: &Path) -> Self {
        let connection = Connection::open(database).unwrap();
        let open = |row: &Row<'_>| {
            let claim: Option<(i64, Ms)> = row
                .get::<_, Option<i64>>("claimed_by")?
                .zip(row.get("claimed_at")?);
            let story = Open {
                number: row.get("number")?,
                media: row.get("media_id")?,
                state: row.get("state")?,
                since: row.get("state_since")?,
                due_at: row.get("due_at")?,
                is_wish: row.get::<_, Option<String>>("requested_by")?.is_some(),
                messages: row.get("messages")?,
                sent_at: row.get("sent_at")?,
                asked_at: row.get("reject_asked_at")?,
                claim,
                later_at: row.get("later_at")?,
                swaps: row.get("swaps")?,
                swapped_at: row.get("swapped_at")?,
                is_undone: row.get::<_, Option<String>>("undone_by")?.is_some(),
                original_at: row.get("original_at")?,
            };
            Ok((id(row)?, story))
        };
        let end = |row: &Row<'_>| {
            Ok(End {
                story: id(row)?,
                part: row.get("part")?,
                number: row.get("number")?,
                media: row.get("media_id")?,
                outcome: row.get("outcome")?,
                person: row.get("person_id")?,
                at: row.get("ended_at")?,
            })
        };
        Self {
            open: all(&connection, "SELECT *, id AS story FROM stories", open),
            history: all(&connection, "SELECT *, story_id AS story FROM history", end),
            undos: all(
                &connection,
                "SELECT story_id AS story, until_at FROM undos",
                |row| Ok((id(row)?, row.get("until_at")?)),
            ),
            locks: all(
                &connection,
                "SELECT media_id, kind, locked_until FROM locks ORDER BY 1, 2, 3",
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            ),
            counters: all(
                &connection,
                "SELECT id, posted_count, skipped_count, last_posted_at FROM media
                 WHERE posted_count <> 0 OR skipped_count <> 0 OR last_posted_at IS NOT NULL",
                |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?))),
            ),
            people: all(
                &connection,
                "SELECT person_id, deactivated_at IS NULL, posted_count, skipped_count, rejected_count FROM people",
                |row| {
                    let tally = [row.get(2)?, row.get(3)?, row.get(4)?];
                    Ok((row.get(0)?, (row.get(1)?, tally)))
                },
            ),
            is_paused: !all::<Vec<()>, _>(
                &connection,
                "SELECT 1 FROM teams WHERE paused_at IS NOT NULL",
                |_| Ok(()),
            )
            .is_empty(),
        }
    }

    /// How a story ended, if its outcome stands.
    pub(super) fn end_of(&self, story: StoryId) -> Option<&End> {
        let last = self.history.iter().rfind(|end| end.story == story)?;
        (last.outcome != "withdrawn").then_some(last)
    }

    pub(super) fn is_locked(&self, media: &str, now: Ms) -> bool {
        let holds = |until: Option<Ms>| until.is_none_or(|until| until > now);
        let mut locks = self.locks.iter();
        locks.any(|(locked, _, until)| locked == media && holds(*until))
    }

    /// The part that the next row of a story is.
    pub(super) fn next_part(&self, story: StoryId) -> i64 {
        let rows = self.history.iter().filter(|end| end.story == story);
        1 + i64::try_from(rows.count()).unwrap()
    }
}

fn id(row: &Row<'_>) -> rusqlite::Result<StoryId> {
    Ok(row.get::<_, String>("story")?.parse().unwrap())
}

fn all<C: FromIterator<T>, T>(
    connection: &Connection,
    sql: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> C {
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], read).unwrap();
    rows.collect::<rusqlite::Result<C>>().unwrap()
}
