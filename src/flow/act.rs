//! Presses become outcomes. A tap in Telegram and a command in the terminal call the same functions. The effect is decided
//! and committed here, before anybody is answered; whoever comes second is told the truth.

use jiff::Timestamp;

use super::close::{Ending, Subject, close};
use super::digest::swap_ahead;
use super::keep::{claim, original, put_off, swap};
use super::undo::take_back;
use super::{Flow, Result};
use crate::domain::entry::Entry;
use crate::domain::ids::{StoryId, TeamId};
use crate::domain::outcome::Outcome;
use crate::domain::person::{Person, PersonId};
use crate::domain::story::{Claim, Delivery, MessageRef, State, Story};

use crate::store::messages::{Kind, NewMessage};
use crate::store::{Tx, history, messages, people, settings, stories, teams, updates};

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
    /// What the person saw.
    pub saw: Saw,
}

/// Which of a story's media a person saw when they pressed: a story may have been given another one since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saw {
    /// The one after so many swaps, as far as a button can tell: the last eight bits.
    Swaps(u8),
    /// The one that was shown at that time.
    At(Timestamp),
}

impl Saw {
    /// What a button of a story's message carries after so many swaps.
    #[must_use]
    pub fn after(swaps: u32) -> Self {
        Self::Swaps(swaps.to_le_bytes()[0])
    }
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
    /// "I'm on it", and "not any more".
    Claim,
    /// "Another one, please."
    Swap,
    /// "In two hours."
    Later,
    /// "The original, please."
    Original,
    /// "That was a slip."
    Undo,
    /// "Another one, please", of a story that nobody has seen yet.
    SwapAhead,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 11] = [
        Self::Posted,
        Self::Skip,
        Self::Reject,
        Self::ReallyReject,
        Self::Keep,
        Self::Claim,
        Self::Swap,
        Self::Later,
        Self::Original,
        Self::Undo,
        Self::SwapAhead,
    ];

    /// Whether it is about the very media that the person saw.
    fn is_about_media(self) -> bool {
        !matches!(self, Self::Keep | Self::Claim | Self::Later | Self::Undo)
    }
}

/// What became of a press.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pressed {
    /// The story has ended so. Somebody else may have been on it.
    Ended {
        /// How.
        outcome: Outcome,
        /// Who else was on it.
        while_on_it: Option<String>,
    },
    /// Its outcome, this one, is taken back; it awaits a press again.
    TakenBack(Outcome),
    /// There is nothing to take back any more.
    TooLate,
    /// Only this person, or an admin, may take it back.
    OnlyTheirs(String),
    /// The person is on it now.
    Claimed,
    /// The person is not on it any more.
    Released,
    /// Somebody else is on it.
    ClaimedBefore(Claim),
    /// It comes up again then.
    PutOff(Timestamp),
    /// It cannot be put off any longer.
    PutOffEnough,
    /// It shows another media now.
    Swapped,
    /// It shows another media by now: nothing was done, look again.
    SwappedBefore,
    /// Nothing was done: it has left the plan, and its own message has the button.
    SentBefore,
    /// Nothing was done: the plan was drawn anew.
    Redrawn,
    /// Nothing else fits.
    NothingElse,
    /// The original is to be sent to the chat now.
    SendOriginal,
    /// The original is too large for a chat.
    OriginalTooLarge,
    /// The original was sent to the chat then.
    OriginalSentAt(Timestamp),
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
    /// Its picture is not in the chat yet: nothing was done.
    NotShown,
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
        let team = self.team;
        let pressed = self
            .store
            .write_durably(move |tx| {
                let known = people::get(tx, team, press.person)?;
                let Some(person) = known.filter(|known| known.left_at.is_none()) else {
                    return Ok(Pressed::Stranger);
                };
                if !updates::take(tx, press.update, now)? {
                    return Ok(Pressed::Repeated);
                }
                if person.deactivated_at.is_some() {
                    return Ok(Pressed::Deactivated);
                }
                let story = stories::get(tx, press.story)?;
                let whose = match &story {
                    Some(story) => Some(story.team),
                    None => teams::of_story(tx, press.story)?,
                };
                if whose.is_some_and(|other| other != team) {
                    return Ok(Pressed::Unknown);
                }
                match (press.verb, story) {
                    (Verb::SwapAhead, story) => swap_ahead(tx, story, press, &person, now),
                    (_, Some(story)) => act(tx, &story, press, &person, now),
                    (Verb::Undo, None) => take_back(tx, team, press.story, &person, now),
                    (_, None) => ended_before(tx, team, press, now),
                }
            })
            .await?;
        self.nudges.messages.notify();
        if let Pressed::SendOriginal
        | Pressed::PutOff(_)
        | Pressed::TakenBack(_)
        | Pressed::Swapped = pressed
        {
            self.nudges.extras.notify();
        }
        if let Pressed::Ended { .. } | Pressed::TakenBack(_) | Pressed::Swapped = pressed {
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

    /// Whether an update's effect is committed already.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn is_taken(&self, update: u32) -> Result<bool> {
        self.store
            .read(move |tx| updates::is_taken(tx, update))
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

    /// Has the message of a story be shown anew: it has buttons of another version.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn renew(&self, message: MessageRef) -> Result<()> {
        self.store
            .write(move |tx| match messages::story_of(tx, message)? {
                Some(story) => messages::want(tx, story),
                None => Ok(()),
            })
            .await?;
        self.nudges.messages.notify();
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
}

/// Does what a press on an open story asks for.
fn act(
    tx: &mut dyn Tx,
    story: &Story,
    press: Press,
    person: &Person,
    now: Timestamp,
) -> Result<Pressed> {
    if matches!(press.saw, Saw::At(_))
        && messages::announcement_of(tx, story.id)? == Some(press.message)
    {
        // Who answers an announcement has not seen the story. Its buttons come with the picture, and prove it.
        return Ok(Pressed::NotShown);
    }
    let Some(story) = &bind(tx, story, press, now)? else {
        return Ok(Pressed::Unknown);
    };
    if press.verb.is_about_media() && !saw_it(tx, story, press.saw)? {
        messages::want(tx, story.id)?;
        return Ok(Pressed::SwappedBefore);
    }
    let outcome = match press.verb {
        Verb::Claim => return claim(tx, story, person, now),
        Verb::Later => return put_off(tx, story, person, now),
        Verb::Swap | Verb::SwapAhead => return swap(tx, story, &person.name, now),
        Verb::Original => return original(tx, story, now),
        // It was taken back already, and is open.
        Verb::Undo => return Ok(Pressed::TooLate),
        Verb::Reject => return ask(tx, story, Some(now)),
        Verb::Keep => return ask(tx, story, None),
        Verb::Posted => Outcome::Posted,
        Verb::Skip => Outcome::Skipped,
        Verb::ReallyReject => Outcome::Rejected,
    };
    let ending = Ending {
        outcome,
        reason: None,
        person: Some(person),
    };
    let settings = settings::of(tx, story.team)?;
    if !close(tx, &settings, &Subject::Story(story), &ending, now)? {
        return ended_before(tx, story.team, press, now);
    }
    let others = story
        .claimed_by(now)
        .filter(|claim| claim.person != person.id);
    Ok(Pressed::Ended {
        outcome,
        while_on_it: others.map(|claim| claim.name.clone()),
    })
}

/// Whether a person saw the media that the story shows now. Who writes sees what the chat shows, which may be behind.
fn saw_it(tx: &mut dyn Tx, story: &Story, saw: Saw) -> Result<bool> {
    Ok(match saw {
        Saw::Swaps(_) => saw == Saw::after(story.swaps),
        Saw::At(at) => {
            story.swapped_at.is_none_or(|swapped_at| swapped_at <= at)
                && messages::shows(tx, story.id, story.swaps)?
        }
    })
}

/// Has "really reject?" stand on the message, or not.
fn ask(tx: &mut dyn Tx, story: &Story, asked_at: Option<Timestamp>) -> Result<Pressed> {
    stories::ask_reject(tx, story.id, asked_at)?;
    messages::want(tx, story.id)?;
    Ok(asked_at.map_or(Pressed::Kept, |_| Pressed::Asking))
}

/// A press is the proof that its message arrived: binds the message to the story, which may still count as on its way or
/// lost. Returns the story as it is then, awaiting; nothing if it cannot have been seen.
fn bind(tx: &mut dyn Tx, story: &Story, press: Press, now: Timestamp) -> Result<Option<Story>> {
    if !story.state.may_be_seen() && story.delivery.messages == 0 {
        // Only a story that was sent once can be pressed; the message is from before it was planned anew.
        return Ok(None);
    }
    remember(tx, story.team, press, story.delivery.attempt, now)?;
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
    remember(tx, team, press, 0, now)?;
    // The message still had its buttons, so it does not show what it should.
    messages::want(tx, press.story)?;
    Ok(told_end(entry, press.person))
}

/// How a story ended, as whoever comes too late is told.
pub(super) fn told_end(entry: Entry, asker: PersonId) -> Pressed {
    Pressed::EndedBefore {
        outcome: entry.outcome,
        by_asker: entry.person == Some(asker),
        by: entry.person_name,
        at: entry.ended_at,
    }
}

/// Puts the message of a press on record, if it is not: its answer was lost.
fn remember(
    tx: &mut dyn Tx,
    team: TeamId,
    press: Press,
    attempt: u32,
    now: Timestamp,
) -> Result<()> {
    let (kind, swaps) = match press.saw {
        Saw::Swaps(swaps) => (Kind::Story, swaps.into()),
        // Words prove no picture.
        Saw::At(_) => (Kind::Announcement, 0),
    };
    let message = NewMessage {
        message: press.message,
        kind,
        attempt,
        swaps,
        is_behind: true,
    };
    messages::add(tx, team, press.story, &message, now)
}
