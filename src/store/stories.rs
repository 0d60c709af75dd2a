//! Stories: the queue. A row is a story without an outcome; its state changes only by compare-and-set, along the table of
//! legal changes that the schema itself enforces.

use jiff::Timestamp;

use super::engine::Tx;
use super::error::{Error, Result};
use super::undos::Undo;
use super::value::{Cells, values};
use crate::domain::calendar::SlotId;
use crate::domain::category::Category;
use crate::domain::entry::Entry;
use crate::domain::ids::{MediaId, StoryId, TeamId};
use crate::domain::outcome::Outcome;
use crate::domain::person::PersonId;
use crate::domain::story::{Claim, Delivery, Later, State, Story};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, team_id, number, media_id, slot_date, slot_ordinal, turn, due_at, requested_by, state, ",
            "state_since, attempt, failures, messages, retry_at, sent_at, reason, reject_asked_at, offered_again_at, ",
            "claimed_by, claimed_name, claimed_at, later_at, later_by, reminded_at, swaps, swapped_at, undone_by, ",
            "original_at, swapped_by ",
            "FROM stories ",
            $rest
        )
    };
}

fn read(mut cells: Cells) -> Result<Story> {
    Ok(Story {
        id: cells.parsed()?,
        team: cells.parsed()?,
        number: cells.number()?,
        media: cells.parsed()?,
        slot: slot(&mut cells)?,
        turn: Category::new(&cells.text()?),
        due_at: cells.time()?,
        requested_by: cells.maybe_text()?,
        state: cells.parsed()?,
        state_since: cells.time()?,
        delivery: Delivery {
            attempt: cells.number()?,
            failures: cells.number()?,
            messages: cells.number()?,
            retry_at: cells.maybe_time()?,
            sent_at: cells.maybe_time()?,
            reason: cells.maybe_text()?,
        },
        reject_asked_at: cells.maybe_time()?,
        offered_again_at: cells.maybe_time()?,
        claim: claim(&mut cells)?,
        later: later(&mut cells)?,
        reminded_at: cells.maybe_time()?,
        swaps: cells.number()?,
        swapped_at: cells.maybe_time()?,
        undone_by: cells.maybe_text()?,
        original_at: cells.maybe_time()?,
        swapped_by: cells.maybe_text()?,
    })
}

fn claim(cells: &mut Cells) -> Result<Option<Claim>> {
    let (person, name, at) = (
        cells.maybe_integer()?,
        cells.maybe_text()?,
        cells.maybe_time()?,
    );
    Ok(person.zip(name).zip(at).map(|((person, name), at)| Claim {
        person: PersonId(person),
        name,
        at,
    }))
}

fn later(cells: &mut Cells) -> Result<Option<Later>> {
    let (at, by) = (cells.maybe_time()?, cells.maybe_text()?);
    Ok(at.zip(by).map(|(at, by)| Later { at, by }))
}

/// The slot that two cells name, date and ordinal; nothing if they are null.
pub(crate) fn slot(cells: &mut Cells) -> Result<Option<SlotId>> {
    let date = cells.maybe_parsed()?;
    let ordinal = cells.maybe_number()?;
    Ok(date
        .zip(ordinal)
        .map(|(date, ordinal)| SlotId { date, ordinal }))
}

/// What makes a new story.
pub(crate) struct NewStory {
    pub(crate) media: MediaId,
    pub(crate) slot: Option<SlotId>,
    pub(crate) turn: Category,
    pub(crate) due_at: Timestamp,
    pub(crate) requested_by: Option<String>,
}

/// Plans a story. Its number is `number` if it takes the place of one that was planned, else the team's next. A content in
/// flight, a slot that has its story or had its end, and a number that was given are refused.
pub(crate) fn plan(
    tx: &mut dyn Tx,
    team: TeamId,
    new: &NewStory,
    number: Option<u64>,
    now: Timestamp,
) -> Result<StoryId> {
    let number = match number {
        Some(number) => number,
        None => super::teams::take_number(tx, team)?,
    };
    let id: StoryId = super::fresh(now);
    // What has ended is looked at here: a story that could never be written to the history would never end.
    if tx.count(
        "SELECT COUNT(*) FROM history WHERE team_id = ?1 AND number = ?2",
        values![team, number],
    )? > 0
        || match new.slot {
            Some(slot) => super::history::has_slot(tx, team, slot)?,
            None => false,
        }
    {
        return Err(Error::Refused(format!(
            "#{number}, or its slot, has had its end"
        )));
    }
    tx.execute(
        "INSERT INTO stories (id, team_id, number, media_id, slot_date, slot_ordinal, turn, due_at, requested_by, state,
             previous_state, state_since, attempt, failures, messages)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'planned', 'new', ?10, 0, 0, 0)",
        values![
            id,
            team,
            number,
            new.media,
            new.slot.map(|slot| slot.date),
            new.slot.map(|slot| slot.ordinal),
            &new.turn,
            new.due_at,
            new.requested_by.as_ref(),
            now
        ],
    )?;
    Ok(id)
}

/// Takes a planned story out of the plan without a trace: nobody has seen it, and its slot is drawn again. False if it is
/// not planned any more.
pub(crate) fn unplan(tx: &mut dyn Tx, id: StoryId) -> Result<bool> {
    Ok(tx.execute(
        "DELETE FROM stories WHERE id = ?1 AND state = 'planned'",
        values![id],
    )? == 1)
}

/// Frees a planned story from its slot and has it sent at once, because a person asked.
pub(crate) fn bring_forward(
    tx: &mut dyn Tx,
    id: StoryId,
    keeps_slot: bool,
    by: &str,
    now: Timestamp,
) -> Result<bool> {
    let changed = if keeps_slot {
        tx.execute(
            "UPDATE stories SET due_at = ?2, requested_by = ?3 WHERE id = ?1 AND state = 'planned'",
            values![id, now, by],
        )?
    } else {
        tx.execute(
            "UPDATE stories SET due_at = ?2, requested_by = ?3, slot_date = NULL, slot_ordinal = NULL
             WHERE id = ?1 AND state = 'planned'",
            values![id, now, by],
        )?
    };
    Ok(changed == 1)
}

/// Changes the state of the story as it was read. False if somebody was faster; an illegal change is refused.
pub(crate) fn advance(
    tx: &mut dyn Tx,
    story: &Story,
    to: State,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<bool> {
    Ok(tx.execute(
        "UPDATE stories SET previous_state = state, state = ?4, state_since = ?5, attempt = ?6, failures = ?7,
             messages = ?8, retry_at = ?9, sent_at = ?10, reason = ?11
         WHERE id = ?1 AND state = ?2 AND attempt = ?3",
        values![
            story.id,
            story.state,
            story.delivery.attempt,
            to,
            now,
            delivery.attempt,
            delivery.failures,
            delivery.messages,
            delivery.retry_at,
            delivery.sent_at,
            delivery.reason.as_ref()
        ],
    )? == 1)
}

/// Counts the messages of a story that is being sent, as it was read. False if its attempt is over.
pub(crate) fn count_messages(tx: &mut dyn Tx, story: &Story, messages: u32) -> Result<bool> {
    Ok(tx.execute(
        "UPDATE stories SET messages = ?3 WHERE id = ?1 AND attempt = ?2 AND state = 'sending'",
        values![story.id, story.delivery.attempt, messages],
    )? == 1)
}

/// Writes whether "really reject?" stands on the message.
pub(crate) fn ask_reject(
    tx: &mut dyn Tx,
    id: StoryId,
    asked_at: Option<Timestamp>,
) -> Result<bool> {
    Ok(tx.execute(
        "UPDATE stories SET reject_asked_at = ?2 WHERE id = ?1 AND state = 'awaiting'",
        values![id, asked_at],
    )? == 1)
}

/// Writes who is on it, or that nobody is any more.
pub(crate) fn claim_for(tx: &mut dyn Tx, id: StoryId, claim: Option<&Claim>) -> Result<bool> {
    Ok(tx.execute(
        "UPDATE stories SET claimed_by = ?2, claimed_name = ?3, claimed_at = ?4 WHERE id = ?1 AND state = 'awaiting'",
        values![
            id,
            claim.map(|claim| claim.person),
            claim.map(|claim| claim.name.as_str()),
            claim.map(|claim| claim.at)
        ],
    )? == 1)
}

/// Puts it off until a time; the team is reminded then.
pub(crate) fn put_off(tx: &mut dyn Tx, id: StoryId, later: &Later) -> Result<bool> {
    Ok(tx.execute(
        "UPDATE stories SET later_at = ?2, later_by = ?3, reminded_at = NULL WHERE id = ?1 AND state = 'awaiting'",
        values![id, later.at, &*later.by],
    )? == 1)
}

/// Writes when the team was reminded of it; nothing if the reminder did not leave the box.
pub(crate) fn remind(tx: &mut dyn Tx, id: StoryId, at: Option<Timestamp>) -> Result<bool> {
    Ok(tx.execute(
        "UPDATE stories SET reminded_at = ?2 WHERE id = ?1 AND state = 'awaiting'",
        values![id, at],
    )? == 1)
}

/// Writes when its original was sent to the chat; nothing if it was not.
pub(crate) fn note_original(tx: &mut dyn Tx, id: StoryId, at: Option<Timestamp>) -> Result<()> {
    tx.execute(
        "UPDATE stories SET original_at = ?2 WHERE id = ?1",
        values![id, at],
    )?;
    Ok(())
}

/// Whether the original of a story is to be sent.
#[derive(Clone, Copy)]
pub(crate) enum Wanted {
    No,
    Yes,
    /// It is on its way, and not known to have arrived.
    Sending,
}

/// Writes whether its original is to be sent.
pub(crate) fn want_original(tx: &mut dyn Tx, id: StoryId, wanted: Wanted) -> Result<()> {
    let wanted = match wanted {
        Wanted::No => 0,
        Wanted::Yes => 1,
        Wanted::Sending => 2,
    };
    tx.execute(
        "UPDATE stories SET original_wanted = ?2 WHERE id = ?1",
        values![id, wanted],
    )?;
    Ok(())
}

/// Originals that were on their way when the box stopped: whoever wants one may ask again.
pub(crate) fn forget_originals_on_their_way(tx: &mut dyn Tx, team: TeamId) -> Result<()> {
    tx.execute(
        "UPDATE stories SET original_wanted = 0, original_at = NULL WHERE team_id = ?1 AND original_wanted = 2",
        values![team],
    )?;
    Ok(())
}

/// The next story before the team whose original is to be sent.
pub(crate) fn that_want_originals(tx: &mut dyn Tx, team: TeamId) -> Result<Vec<Story>> {
    let rows = tx.query(
        select!(
            "WHERE team_id = ?1 AND original_wanted = 1 AND state = 'awaiting' ORDER BY due_at, id LIMIT 1"),
        values![team],
    )?;
    rows.into_iter().map(|row| read(row.cells())).collect()
}

/// Gives a story another media, as it was read. False if somebody was faster.
pub(crate) fn swap(
    tx: &mut dyn Tx,
    story: &Story,
    media: MediaId,
    by: &str,
    now: Timestamp,
) -> Result<bool> {
    Ok(tx.execute(
        "UPDATE stories SET media_id = ?3, swaps = swaps + 1, swapped_at = ?4, swapped_by = ?5, reject_asked_at = NULL, original_at = NULL,
             original_wanted = 0
         WHERE id = ?1 AND swaps = ?2 AND state IN ('planned', 'awaiting')",
        values![story.id, story.swaps, media, now, by],
    )? == 1)
}

/// Opens a story again whose outcome is taken back, as it was when it ended. Only the function that takes back calls it.
pub(crate) fn reopen(
    tx: &mut dyn Tx,
    team: TeamId,
    entry: &Entry,
    undo: &Undo,
    by: &str,
    now: Timestamp,
) -> Result<()> {
    tx.execute(
        "INSERT INTO stories (id, team_id, number, media_id, slot_date, slot_ordinal, turn, due_at, requested_by, state,
             previous_state, state_since, attempt, failures, messages, sent_at, swaps, swapped_at, undone_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'awaiting', 'ended', ?10, ?11, 0, ?12, ?13, ?14, ?15, ?16)",
        values![
            entry.story,
            team,
            entry.number,
            entry.media,
            entry.slot.map(|slot| slot.date),
            entry.slot.map(|slot| slot.ordinal),
            entry.turn.as_ref(),
            entry.due_at,
            undo.requested_by.as_ref(),
            now,
            undo.attempt,
            undo.messages,
            entry.sent_at,
            undo.swaps,
            undo.swapped_at,
            by
        ],
    )?;
    Ok(())
}

/// Has every message that awaits a press say that the box was away.
pub(crate) fn offer_again(tx: &mut dyn Tx, team: TeamId, now: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE stories SET offered_again_at = ?2 WHERE team_id = ?1 AND state = 'awaiting'",
        values![team, now],
    )?;
    Ok(())
}

/// Removes a story that ends, as it was read. Only the closing function calls it.
pub(crate) fn remove(tx: &mut dyn Tx, story: &Story, outcome: Outcome) -> Result<bool> {
    if !story.state.may_end(outcome) {
        return Err(Error::Refused(format!(
            "a story that is {} cannot end as {outcome}",
            story.state
        )));
    }
    Ok(tx.execute(
        "DELETE FROM stories WHERE id = ?1 AND state = ?2 AND attempt = ?3",
        values![story.id, story.state, story.delivery.attempt],
    )? == 1)
}

pub(crate) fn get(tx: &mut dyn Tx, id: StoryId) -> Result<Option<Story>> {
    tx.first(select!("WHERE id = ?1"), values![id])?
        .map(|row| read(row.cells()))
        .transpose()
}

pub(crate) fn by_number(tx: &mut dyn Tx, team: TeamId, number: u64) -> Result<Option<Story>> {
    tx.first(
        select!("WHERE team_id = ?1 AND number = ?2"),
        values![team, number],
    )?
    .map(|row| read(row.cells()))
    .transpose()
}

/// The story that shows a media; there is one at most.
pub(crate) fn of_media(tx: &mut dyn Tx, team: TeamId, media: MediaId) -> Result<Option<Story>> {
    tx.first(
        select!("WHERE team_id = ?1 AND media_id = ?2"),
        values![team, media],
    )?
    .map(|row| read(row.cells()))
    .transpose()
}

/// The queue, in order of time.
pub(crate) fn queue(tx: &mut dyn Tx, team: TeamId) -> Result<Vec<Story>> {
    let rows = tx.query(
        select!("WHERE team_id = ?1 ORDER BY due_at, id"),
        values![team],
    )?;
    rows.into_iter().map(|row| read(row.cells())).collect()
}

/// The story of a slot.
pub(crate) fn of_slot(tx: &mut dyn Tx, team: TeamId, slot: SlotId) -> Result<Option<Story>> {
    tx.first(
        select!("WHERE team_id = ?1 AND slot_date = ?2 AND slot_ordinal = ?3"),
        values![team, slot.date, slot.ordinal],
    )?
    .map(|row| read(row.cells()))
    .transpose()
}
