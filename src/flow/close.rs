//! The end of a story. One function, and only this one, writes history, sets the lock, moves the counters, credits the
//! person and takes the story out of the queue, all in the caller's one transaction.

use jiff::Timestamp;

use super::Result;
use crate::domain::calendar::Slot;
use crate::domain::entry::{Entry, Snapshot};
use crate::domain::ids::TeamId;
use crate::domain::outcome::Outcome;
use crate::domain::person::Person;
use crate::domain::story::{Story, UNDO};
use crate::domain::team::TeamSettings;
use crate::store::undos::Undo;
use crate::store::{self, Tx, history, locks, media, messages, people, state, stories, undos};
use crate::system::events;

/// What ends.
pub(super) enum Subject<'a> {
    /// A story, as it was read.
    Story(&'a Story),
    /// A slot that never had a story.
    EmptySlot(TeamId, Slot),
}

/// How it ends.
pub(super) struct Ending<'a> {
    pub(super) outcome: Outcome,
    pub(super) reason: Option<String>,
    pub(super) person: Option<&'a Person>,
}

impl Ending<'_> {
    /// An end that no person brought about.
    pub(super) fn by_itself(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self {
            outcome,
            reason: Some(reason.into()),
            person: None,
        }
    }
}

/// Ends a story. False if it had changed since it was read: somebody was faster, and nothing was written.
pub(super) fn close(
    tx: &mut dyn Tx,
    settings: &TeamSettings,
    subject: &Subject<'_>,
    ending: &Ending<'_>,
    now: Timestamp,
) -> Result<bool> {
    let outcome = ending.outcome;
    let mut entry = Entry {
        story: store::fresh(now),
        number: None,
        media: None,
        slot: None,
        turn: None,
        due_at: now,
        sent_at: None,
        ended_at: now,
        outcome,
        reason: ending.reason.clone(),
        person: ending.person.map(|person| person.id),
        person_name: ending.person.map(|person| person.name.clone()),
        snapshot: Snapshot::default(),
        part: 1,
        withdrawn: None,
    };
    state::note_time(tx, now)?;
    match subject {
        Subject::EmptySlot(team, slot) => {
            entry.slot = Some(slot.id);
            entry.due_at = slot.at;
            entry.part = history::next_part(tx, *team, entry.story, entry.slot)?;
            history::add(tx, *team, "new", &entry)?;
        }
        Subject::Story(story) => {
            if !stories::remove(tx, story, outcome)? {
                return Ok(false);
            }
            let shown = media::get(tx, story.media)?;
            entry.story = story.id;
            entry.number = Some(story.number);
            entry.media = Some(story.media);
            entry.slot = story.slot;
            entry.turn = Some(story.turn.clone());
            entry.due_at = story.due_at;
            entry.sent_at = story.delivery.sent_at;
            entry.snapshot = Snapshot::of(&shown);
            entry.part = history::next_part(tx, story.team, story.id, story.slot)?;
            history::add(tx, story.team, story.state.as_str(), &entry)?;
            let mut lock = None;
            if let Some((kind, until)) = outcome.lock(settings, now) {
                let by = entry.person_name.as_deref();
                let reason = format!("#{} {outcome}", story.number);
                lock = Some(locks::add(
                    tx,
                    story.team,
                    story.media,
                    kind,
                    until,
                    by,
                    Some(&reason),
                    now,
                )?);
            }
            media::count_outcome(tx, story.media, outcome, now)?;
            if let Some(person) = ending.person {
                people::credit(tx, story.team, person.id, outcome, 1)?;
                let until = now.checked_add(UNDO).unwrap_or(now);
                let undo = Undo::of(story, lock, shown.last_posted_at, until);
                undos::keep(tx, story.team, story.id, &undo)?;
            }
            messages::want(tx, story.id)?;
        }
    }
    tell(&entry);
    Ok(true)
}

fn tell(entry: &Entry) {
    let reason = entry.reason.as_deref().unwrap_or_default();
    let by = entry.person_name.as_deref().unwrap_or_default();
    match (entry.number, entry.slot) {
        (Some(number), _) => tracing::info!(
            message_id = events::STORY_ENDED.id,
            story = number,
            media = entry.snapshot.fingerprint,
            outcome = entry.outcome.as_str(),
            person = by,
            "#{number} {}{}{}{}{}",
            entry.outcome,
            if by.is_empty() { "" } else { " by " },
            by,
            if reason.is_empty() { "" } else { ": " },
            reason,
        ),
        (None, Some(slot)) => {
            tracing::warn!(
                message_id = events::SLOT_MISSED.id,
                outcome = entry.outcome.as_str(),
                "{slot} {}: {reason}",
                entry.outcome
            );
        }
        (None, None) => {}
    }
}
