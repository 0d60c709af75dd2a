//! Presses become outcomes. A tap in Telegram and a command in the terminal call the same functions. The effect is decided
//! and committed here, before anybody is answered; whoever comes second is told the truth.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::chooser::pick_extra;
use super::close::{Ending, Subject, close};
use super::due::{settle_slots, trusted};
use super::{Flow, Result};
use crate::domain::calendar::slot_named;
use crate::domain::category::Category;
use crate::domain::ids::{StoryId, TeamId};
use crate::domain::lock::LockKind;
use crate::domain::media::Media;
use crate::domain::outcome::Outcome;
use crate::domain::person::{Deed, Person, PersonId, Role};
use crate::domain::story::{Delivery, MessageRef, State, Story};
use crate::store::{Tx, history, locks, media, messages, mix, people, stories, teams, updates};

/// A tap on a button of a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Press {
    /// Telegram's number for it; its effect is committed once, however often it is delivered.
    pub update: u32,
    /// On which story.
    pub story: StoryId,
    /// Which button.
    pub verb: Verb,
    /// By whom.
    pub person: PersonId,
    /// On which message: a story may have two, if an answer was lost.
    pub message: MessageRef,
}

/// What a button asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// "I posted it."
    Posted,
    /// "Not now."
    Skip,
    /// "Never": asks once more.
    Reject,
    /// "Really never."
    ReallyReject,
    /// "No, keep it."
    Keep,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 5] = [
        Self::Posted,
        Self::Skip,
        Self::Reject,
        Self::ReallyReject,
        Self::Keep,
    ];
}

/// What became of a press.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pressed {
    /// The story has ended so.
    Ended(Outcome),
    /// "Really reject?" stands on the message now.
    Asking,
    /// The question is taken back.
    Kept,
    /// It had ended before, so.
    EndedBefore {
        /// How.
        outcome: Outcome,
        /// By whom; nothing if by itself.
        by: Option<String>,
        /// Whether by the very person who asks.
        by_asker: bool,
        /// When.
        at: Timestamp,
    },
    /// The person is not on record: find out whether they are of the team, and ask again.
    Stranger,
    /// The person's presses are refused.
    Deactivated,
    /// Nobody knows that story any more.
    Unknown,
    /// The effect of this very press was committed before.
    Repeated,
}

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
}

impl Flow {
    /// Takes a press. What it returns is true when it is returned, whatever happens to the answer.
    ///
    /// # Errors
    /// If the store cannot be written; then the press had no effect, and will be delivered again.
    pub async fn press(&self, press: Press, now: Timestamp) -> Result<Pressed> {
        let (team, settings) = (self.team, self.settings.clone());
        let pressed = self
            .store
            .write_durably(move |tx| {
                let Some(person) = people::get(tx, team, press.person)? else {
                    return Ok(Pressed::Stranger);
                };
                if !updates::take(tx, press.update, now)? {
                    return Ok(Pressed::Repeated);
                }
                if person.deactivated_at.is_some() {
                    return Ok(Pressed::Deactivated);
                }
                let Some(story) = stories::get(tx, press.story)? else {
                    return ended_before(tx, team, press, now);
                };
                let Some(story) = bind(tx, &story, press.message, now)? else {
                    return Ok(Pressed::Unknown);
                };
                let outcome = match press.verb {
                    Verb::Posted => Outcome::Posted,
                    Verb::Skip => Outcome::Skipped,
                    Verb::ReallyReject => Outcome::Rejected,
                    Verb::Reject => {
                        stories::ask_reject(tx, story.id, Some(now))?;
                        messages::want(tx, story.id)?;
                        return Ok(Pressed::Asking);
                    }
                    Verb::Keep => {
                        stories::ask_reject(tx, story.id, None)?;
                        messages::want(tx, story.id)?;
                        return Ok(Pressed::Kept);
                    }
                };
                let ending = Ending {
                    outcome,
                    reason: None,
                    person: Some(&person),
                };
                close(tx, &settings, &Subject::Story(&story), &ending, now)?;
                Ok(Pressed::Ended(outcome))
            })
            .await?;
        self.nudges.messages.notify();
        if matches!(pressed, Pressed::Ended(_)) {
            self.nudges.plan.notify();
        }
        Ok(pressed)
    }

    /// Takes an update that has no effect of its own on the records. False if it was taken before.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn take_update(&self, update: u32, now: Timestamp) -> Result<bool> {
        self.store
            .write_durably(move |tx| updates::take(tx, update, now))
            .await
    }

    /// The story that a message shows.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn story_of(&self, message: MessageRef) -> Result<Option<StoryId>> {
        self.store
            .read(move |tx| messages::story_of(tx, message))
            .await
    }

    /// A person on record. This never makes a row.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn person(&self, id: PersonId) -> Result<Option<Person>> {
        let team = self.team;
        self.store.read(move |tx| people::get(tx, team, id)).await
    }

    /// Puts a person on record, who was found to be of the team; or how a known one is called now.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn meet(
        &self,
        id: PersonId,
        name: String,
        username: Option<String>,
        role: Role,
        now: Timestamp,
    ) -> Result<()> {
        let team = self.team;
        self.store
            .write(move |tx| people::note(tx, team, id, &name, username.as_deref(), role, now))
            .await
    }

    /// The people of the team.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn people(&self) -> Result<Vec<Person>> {
        let team = self.team;
        self.store.read(move |tx| people::list(tx, team)).await
    }

    /// Gives a person a role.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn set_role(&self, id: PersonId, role: Role) -> Result<()> {
        let team = self.team;
        self.store
            .write(move |tx| people::set_role(tx, team, id, role))
            .await
    }

    /// Refuses a person's presses from now on, or takes them again.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn set_active(&self, id: PersonId, active: bool, now: Timestamp) -> Result<()> {
        let team = self.team;
        let since = (!active).then_some(now);
        self.store
            .write(move |tx| people::set_deactivated(tx, team, id, since))
            .await
    }

    /// Pauses the plan. `update` is Telegram's number for the wish, if it came from there.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn pause(
        &self,
        update: Option<u32>,
        by: String,
        now: Timestamp,
    ) -> Result<Commanded> {
        let team = self.team;
        self.command(update, now, move |tx| {
            Ok(if teams::pause(tx, team, &by, now)? {
                tracing::info!(person = by, "the plan is paused by {by}");
                Commanded::Done
            } else {
                Commanded::AlreadySo
            })
        })
        .await
    }

    /// Ends the pause. What went by in it is not made up for.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn resume(
        &self,
        update: Option<u32>,
        by: String,
        now: Timestamp,
    ) -> Result<Commanded> {
        let (team, settings) = (self.team, self.settings.clone());
        self.command(update, now, move |tx| {
            // The slots of the pause end with it, or the latest would be sent as a debt.
            if trusted(tx, now, false)? {
                while !settle_slots(tx, team, &settings, now)? {}
            }
            Ok(if teams::resume(tx, team)? {
                tracing::info!(person = by, "the plan goes on, resumed by {by}");
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
        by: String,
        now: Timestamp,
    ) -> Result<Commanded> {
        let (team, settings) = (self.team, self.settings.clone());
        let commanded = self
            .command(update, now, move |tx| {
                let queue = stories::queue(tx, team)?;
                let head = queue
                    .iter()
                    .filter(|story| story.state == State::Planned && story.requested_by.is_none())
                    .find(|story| media::may_be_sent(tx, story.media, now).unwrap_or(false));
                if let Some(story) = head {
                    let near = story
                        .slot
                        .and_then(|id| slot_named(team, &settings, id))
                        .is_some_and(|slot| slot.at.duration_since(now) <= slot.interval / 2);
                    stories::bring_forward(tx, story.id, near, &by, now)?;
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
                    requested_by: Some(by.clone()),
                };
                let id = stories::plan(tx, team, &story, None, now)?;
                let number = stories::get(tx, id)?.map_or(0, |story| story.number);
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
    pub async fn cancel(&self, number: u64, now: Timestamp) -> Result<Option<bool>> {
        let (team, settings) = (self.team, self.settings.clone());
        let cancelled = self
            .store
            .write_durably(move |tx| {
                let Some(story) = stories::by_number(tx, team, number)? else {
                    return Ok(None);
                };
                let ending =
                    Ending::by_itself(Outcome::Cancelled, "taken out of the queue by hand");
                close(tx, &settings, &Subject::Story(&story), &ending, now).map(Some)
            })
            .await?;
        self.nudges.plan.notify();
        self.nudges.messages.notify();
        Ok(cancelled)
    }

    /// The media that a person means: by path, the end of a path, fingerprint (or its beginning). At most eleven.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn media_like(&self, typed: String) -> Result<Vec<Media>> {
        let team = self.team;
        self.store
            .read(move |tx| media::list_like(tx, team, &typed, 11))
            .await
    }

    /// Locks a media until a time, or for ever.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn lock(
        &self,
        locked: Media,
        kind: LockKind,
        until: Option<Timestamp>,
        by: String,
        reason: Option<String>,
        now: Timestamp,
    ) -> Result<()> {
        let team = self.team;
        self.store
            .write(move |tx| {
                locks::add(
                    tx,
                    team,
                    locked.id,
                    kind,
                    until,
                    Some(&by),
                    reason.as_deref(),
                    now,
                )
            })
            .await?;
        self.nudges.plan.notify();
        Ok(())
    }

    /// Takes off the locks of a kind, or of every kind; returns how many there were.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn unlock(&self, locked: Media, kind: Option<LockKind>) -> Result<u64> {
        let removed = self
            .store
            .write(move |tx| locks::remove(tx, locked.id, kind))
            .await?;
        self.nudges.plan.notify();
        Ok(removed)
    }

    /// Puts a mix in force; an empty one means that any category will do.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn set_mix(
        &self,
        shares_ppm: BTreeMap<Category, u32>,
        by: String,
        now: Timestamp,
    ) -> Result<()> {
        let team = self.team;
        self.store
            .write(move |tx| mix::set(tx, team, &shares_ppm, &by, now))
            .await?;
        self.nudges.plan.notify();
        Ok(())
    }

    /// Offers every open story again, because the box was away for longer than Telegram keeps a press.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn offer_again(&self, now: Timestamp) -> Result<()> {
        let team = self.team;
        self.store
            .write(move |tx| {
                let open: Vec<Story> = stories::queue(tx, team)?
                    .into_iter()
                    .filter(|story| story.state == State::Awaiting)
                    .collect();
                if open.is_empty() {
                    return Ok(());
                }
                stories::offer_again(tx, team, now)?;
                open.iter()
                    .try_for_each(|story| messages::want(tx, story.id))
            })
            .await?;
        self.nudges.messages.notify();
        Ok(())
    }

    /// Whether somebody of this role may do that.
    #[must_use]
    pub fn may(person: &Person, deed: Deed) -> bool {
        person.deactivated_at.is_none() && person.role.may(deed)
    }
}

/// A press is the proof that its message arrived: binds the message to the story, which may still count as on its way or
/// lost. Returns the story as it is then, awaiting; nothing if it cannot have been seen.
fn bind(
    tx: &mut dyn Tx,
    story: &Story,
    message: MessageRef,
    now: Timestamp,
) -> Result<Option<Story>> {
    if !story.state.may_be_seen() {
        // Only a story that was sent once can be pressed; the message is from before it was planned anew.
        return Ok(None);
    }
    if !messages::knows(tx, message)? {
        let attempt = story.delivery.attempt;
        messages::add(tx, story.team, story.id, attempt, message, true, now)?;
    }
    if story.state == State::Awaiting {
        return Ok(Some(story.clone()));
    }
    let delivery = Delivery {
        messages: story.delivery.messages.max(1),
        failures: 0,
        retry_at: None,
        sent_at: story.delivery.sent_at.or(Some(now)),
        reason: None,
        ..story.delivery.clone()
    };
    stories::advance(tx, story, State::Awaiting, &delivery, now)?;
    stories::get(tx, story.id)
}

fn ended_before(tx: &mut dyn Tx, team: TeamId, press: Press, now: Timestamp) -> Result<Pressed> {
    let Some(entry) = history::of_story(tx, press.story)? else {
        return Ok(Pressed::Unknown);
    };
    if !messages::knows(tx, press.message)? {
        messages::add(tx, team, press.story, 0, press.message, true, now)?;
    }
    // The message still had its buttons, so it does not show what it should.
    messages::want(tx, press.story)?;
    Ok(Pressed::EndedBefore {
        outcome: entry.outcome,
        by_asker: entry.person == Some(press.person),
        by: entry.person_name,
        at: entry.ended_at,
    })
}
