//! Presses become outcomes. A tap in Telegram and a command in the terminal call the same functions. The effect is decided
//! and committed here, before anybody is answered; whoever comes second is told the truth.

use jiff::Timestamp;

use super::close::{Ending, Subject, close};
use super::{Flow, Result};
use crate::domain::ids::{StoryId, TeamId};
use crate::domain::outcome::Outcome;
use crate::domain::person::PersonId;
use crate::domain::story::{Delivery, MessageRef, State, Story};
use crate::store::{Tx, history, messages, people, stories, updates};

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
    /// Nobody could tell just now whether the person is of the team: they should press again.
    Unasked,
    /// The person's presses are refused.
    Deactivated,
    /// Nobody knows that story any more.
    Unknown,
    /// The effect of this very press was committed before.
    Repeated,
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
                if close(tx, &settings, &Subject::Story(&story), &ending, now)? {
                    Ok(Pressed::Ended(outcome))
                } else {
                    ended_before(tx, team, press, now)
                }
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
