//! How the box runs: paused or not, what is sent next, what is taken out of the queue.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::chooser::pick_extra;
use super::clock::trusted;
use super::close::{Ending, Subject, close};
use super::due::settle_slots;
use super::{Flow, Result};
use crate::domain::audit::{By, Change};
use crate::domain::calendar::slot_named;
use crate::domain::outcome::Outcome;
use crate::domain::story::State;
use crate::store::{Tx, audit, media, settings, stories, teams, updates};

/// What became of a wish to run the box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Commanded {
    /// It is done.
    Done,
    /// It was so already.
    AlreadySo,
    /// This story goes next, now.
    Sending(u64),
    /// There is nothing to send.
    NothingToSend,
    /// Nothing is sent while the clock is in doubt.
    ClockInDoubt,
}

impl Flow {
    /// Pauses the plan. `update` is Telegram's number for the wish, if it came from there.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn pause(&self, update: Option<u32>, by: By, now: Timestamp) -> Result<Commanded> {
        let team = self.team;
        self.command(update, now, move |tx| {
            Ok(if teams::pause(tx, team, &by.name, now)? {
                let change = Change::of_team(team, "paused").between("running", "paused");
                audit::add(tx, team, &by, &change, now)?;
                tracing::info!(person = by.name, "the plan is paused by {}", by.name);
                Commanded::Done
            } else {
                Commanded::AlreadySo
            })
        })
        .await
    }

    /// Whether the plan is paused.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn is_paused(&self) -> Result<bool> {
        let team = self.team;
        let row = self.store.read(move |tx| teams::get(tx, team)).await?;
        Ok(row.paused_at.is_some())
    }

    /// Ends the pause. What went by in it is not made up for.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn resume(&self, update: Option<u32>, by: By, now: Timestamp) -> Result<Commanded> {
        let (team, time) = (self.team, self.time.clone());
        self.command(update, now, move |tx| {
            let settings = settings::of(tx, team)?;
            // The slots of the pause end with it, or the latest would be sent as a debt.
            if trusted(tx, &time, now)? {
                while !settle_slots(tx, team, &settings, None, now)? {}
            }
            let paused = teams::get(tx, team)?;
            Ok(if teams::resume(tx, team)? {
                let before = json!({
                    "paused since": paused.paused_at.map(|at| at.to_string()),
                    "by": paused.paused_by,
                });
                let change = Change::of_team(team, "resumed").between(before, "running");
                audit::add(tx, team, &by, &change, now)?;
                tracing::info!(person = by.name, "the plan goes on, resumed by {}", by.name);
                Commanded::Done
            } else {
                Commanded::AlreadySo
            })
        })
        .await
    }

    /// Sends the head of the queue now. If its slot is near (within half an interval), it counts as that slot; else the slot
    /// gets another story.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn send_next(
        &self,
        update: Option<u32>,
        by: By,
        now: Timestamp,
    ) -> Result<Commanded> {
        let (team, time) = (self.team, self.time.clone());
        let commanded = self
            .command(update, now, move |tx| {
                let settings = settings::of(tx, team)?;
                if !trusted(tx, &time, now)? {
                    return Ok(Commanded::ClockInDoubt);
                }
                for story in stories::queue(tx, team)? {
                    if story.state != State::Planned
                        || story.requested_by.is_some()
                        || !media::may_be_sent(tx, story.media, now)?
                    {
                        continue;
                    }
                    let near = story
                        .slot
                        .and_then(|id| slot_named(team, &settings, id))
                        .is_some_and(|slot| slot.at.duration_since(now) <= slot.interval / 2);
                    stories::bring_forward(tx, story.id, near, &by.name, now)?;
                    let change = Change::of_story(story.id, story.number, "sent next")
                        .between(due(story.due_at), due(now));
                    audit::add(tx, team, &by, &change, now)?;
                    return Ok(Commanded::Sending(story.number));
                }
                let Some(pick) = pick_extra(tx, team, now)? else {
                    return Ok(Commanded::NothingToSend);
                };
                let story = stories::NewStory {
                    media: pick.candidate.media,
                    slot: None,
                    turn: pick.turn,
                    due_at: now,
                    requested_by: Some(by.name.clone()),
                };
                let id = stories::plan(tx, team, &story, None, now)?;
                let number = stories::get(tx, id)?.map_or(0, |story| story.number);
                let change =
                    Change::of_story(id, number, "sent next").between(Value::Null, due(now));
                audit::add(tx, team, &by, &change, now)?;
                Ok(Commanded::Sending(number))
            })
            .await?;
        Ok(commanded)
    }

    async fn command(
        &self,
        update: Option<u32>,
        now: Timestamp,
        mut work: impl FnMut(&mut dyn Tx) -> Result<Commanded> + Send + 'static,
    ) -> Result<Commanded> {
        let commanded = self
            .store
            .write_durably(move |tx| {
                if let Some(update) = update
                    && !updates::take(tx, update, now)?
                {
                    return Ok(Commanded::AlreadySo);
                }
                work(tx)
            })
            .await?;
        self.nudges.plan.notify();
        self.nudges.dispatch.notify();
        Ok(commanded)
    }

    /// Takes a story out of the queue. Nothing if there is none of that number.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn cancel(&self, number: u64, by: By, now: Timestamp) -> Result<Option<bool>> {
        let team = self.team;
        let cancelled = self
            .store
            .write_durably(move |tx| {
                let settings = settings::of(tx, team)?;
                let Some(story) = stories::by_number(tx, team, number)? else {
                    return Ok(None);
                };
                let reason = format!("taken out of the queue by {}", by.name);
                let ending = Ending::by_itself(Outcome::Cancelled, reason);
                let cancelled = close(tx, &settings, &Subject::Story(&story), &ending, now)?;
                if cancelled {
                    let before = json!({
                        "path": media::get(tx, story.media)?.path,
                        "state": story.state.as_str(),
                        "due": story.due_at.to_string(),
                    });
                    let change = Change::of_story(story.id, story.number, "cancelled")
                        .between(before, Outcome::Cancelled.as_str());
                    audit::add(tx, team, &by, &change, now)?;
                }
                Ok(Some(cancelled))
            })
            .await?;
        self.nudges.plan.notify();
        self.nudges.messages.notify();
        Ok(cancelled)
    }
}

/// When a story is due, for the audit log.
fn due(at: Timestamp) -> Value {
    json!({ "due": at.to_string() })
}
