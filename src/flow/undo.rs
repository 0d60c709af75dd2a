//! An outcome is taken back, within its minute: the history says so by another row, and lock, counters and credit are as they
//! were. Beside the function that closes a story this is the only one that touches them.

use jiff::Timestamp;

use super::Result;
use super::act::Pressed;
use super::timekeeper::Timekeeper;
use crate::domain::ids::{StoryId, TeamId};
use crate::domain::person::{Deed, Person};
use crate::domain::story::{State, UNDO};
use crate::store::{Tx, history, locks, media, messages, people, state, stories, undos};
use crate::system::events;

/// Takes the outcome of a story back and has it await a press again.
pub(super) fn take_back(
    tx: &mut dyn Tx,
    team: TeamId,
    story: StoryId,
    person: &Person,
    now: Timestamp,
) -> Result<Pressed> {
    let Some((entry, undo)) = history::of_story(tx, story)?.zip(undos::get(tx, story)?) else {
        return Ok(Pressed::TooLate);
    };
    if entry.person != Some(person.id) && !person.role.may(Deed::UndoOthers) {
        return Ok(Pressed::OnlyTheirs(entry.person_name.unwrap_or_default()));
    }
    // A clock that was set back must not make a minute of a month.
    let left = undo.until.duration_since(now);
    let is_in_time = !left.is_negative() && left <= UNDO;
    let Some(media) = entry
        .media
        .filter(|_| is_in_time && entry.outcome.may_be_taken_back())
    else {
        return Ok(Pressed::TooLate);
    };
    if let Some(other) = stories::of_media(tx, team, media)? {
        // The media is free for the plan at once where outcomes lock nothing. What nobody has seen gives way.
        if other.state != State::Planned || other.due_at <= now || other.requested_by.is_some() {
            return Ok(Pressed::TooLate);
        }
        stories::unplan(tx, other.id)?;
    }
    state::note_time(tx, now)?;
    history::withdraw(tx, team, &entry, person, now)?;
    if let Some(lock) = undo.lock {
        locks::remove_one(tx, lock)?;
    }
    media::uncount_outcome(tx, media, entry.outcome, undo.last_posted_at)?;
    if let Some(credited) = entry.person {
        people::credit(tx, team, credited, entry.outcome, -1)?;
    }
    undos::forget(tx, story)?;
    stories::reopen(tx, team, &entry, &undo, &person.name, now)?;
    messages::want(tx, story)?;
    let number = entry.number.unwrap_or_default();
    tracing::info!(
        message_id = events::STORY_REOPENED.id,
        story = number,
        person = person.name,
        "#{number} is not {} after all: taken back by {}",
        entry.outcome,
        person.name
    );
    Ok(Pressed::TakenBack(entry.outcome))
}

/// Has the messages of outcomes whose minute is over offer it no more. Returns when the next one's is.
pub(super) fn lapse(
    tx: &mut dyn Tx,
    team: TeamId,
    time: &Timekeeper,
    now: Timestamp,
) -> Result<Option<Timestamp>> {
    for (story, until) in undos::open(tx, team)? {
        if now < until && until.duration_since(now) <= UNDO {
            return Ok(Some(until));
        }
        // A clock that was set back makes no month of a minute, and takes none away either if it is right again at once.
        if until > now && time.stood(story, until, now) < UNDO {
            return Ok(now.checked_add(UNDO).ok());
        }
        undos::forget(tx, story)?;
        messages::want(tx, story)?;
    }
    Ok(None)
}
