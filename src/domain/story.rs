//! The life of a story: the states it can be in, which may follow which, and how it may end. The store holds the same
//! table and refuses everything else, whatever the caller does.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::calendar::{SlotId, next_in_window};
use super::category::Category;
use super::ids::{MediaId, StoryId, TeamId};
use super::outcome::Outcome;
use super::person::PersonId;
use super::team::TeamSettings;

/// Where a story is in its life. A story that has ended has no state: it is history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Chosen, its time has not come.
    Planned,
    /// Handed to the outlet; the answer is not known yet.
    Sending,
    /// It did not leave the box, or its picture is not in its message yet; it will be tried again.
    Retrying,
    /// Before the team, no press yet.
    Awaiting,
    /// It may or may not have arrived: the answer was lost.
    Unconfirmed,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Planned,
        Self::Sending,
        Self::Retrying,
        Self::Awaiting,
        Self::Unconfirmed,
    ];

    /// The word for it, in rows and for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Sending => "sending",
            Self::Retrying => "retrying",
            Self::Awaiting => "awaiting",
            Self::Unconfirmed => "unconfirmed",
        }
    }

    /// Whether this state may be followed by `next`. Nothing leads back to where people would be told again, but for the
    /// one more message that an unconfirmed story is allowed.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        use State::{Awaiting, Planned, Retrying, Sending, Unconfirmed};
        matches!(
            (self, next),
            (Planned | Retrying | Unconfirmed, Sending)
                | (Sending, Retrying | Awaiting | Unconfirmed)
                | (Retrying | Unconfirmed, Awaiting)
        )
    }

    /// Whether a story may end so from this state.
    #[must_use]
    pub fn may_end(self, outcome: Outcome) -> bool {
        match outcome {
            Outcome::Posted | Outcome::Skipped | Outcome::Rejected => self == Self::Awaiting,
            Outcome::Expired => matches!(self, Self::Awaiting | Self::Unconfirmed),
            Outcome::Failed => self == Self::Sending,
            Outcome::Missed => self != Self::Awaiting,
            Outcome::Cancelled => true,
        }
    }

    /// Whether the story may be on somebody's screen.
    #[must_use]
    pub fn may_be_seen(self) -> bool {
        matches!(self, Self::Sending | Self::Awaiting | Self::Unconfirmed)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for State {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| format!("`{text}` is no state of a story"))
    }
}

/// A story: a media chosen for a slot, or asked for by a person, that has no outcome yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// Its row; the history keeps it.
    pub id: StoryId,
    /// Whose it is.
    pub team: TeamId,
    /// How people call it: `#47`.
    pub number: u64,
    /// What is shown.
    pub media: MediaId,
    /// Its place in the plan; nothing if a person asked for it.
    pub slot: Option<SlotId>,
    /// The category whose turn it was.
    pub turn: Category,
    /// When it is to be sent.
    pub due_at: Timestamp,
    /// Who asked for it now, if a person did.
    pub requested_by: Option<String>,
    /// Where it is in its life.
    pub state: State,
    /// Since when.
    pub state_since: Timestamp,
    /// How its delivery goes.
    pub delivery: Delivery,
    /// When a person asked to reject it, if the question stands.
    pub reject_asked_at: Option<Timestamp>,
    /// When the box came back from an absence and offered it again.
    pub offered_again_at: Option<Timestamp>,
    /// Who is on it, if somebody said so.
    pub claim: Option<Claim>,
    /// When it comes up again, if somebody put it off.
    pub later: Option<Later>,
    /// When the team was reminded of it.
    pub reminded_at: Option<Timestamp>,
    /// How often it was given another media.
    pub swaps: u32,
    /// When it last was.
    pub swapped_at: Option<Timestamp>,
    /// By whom.
    pub swapped_by: Option<String>,
    /// Who took its outcome back, if somebody did.
    pub undone_by: Option<String>,
    /// When its original was last sent to the chat.
    pub original_at: Option<Timestamp>,
}

/// Somebody is on a story: others may still finish it, and hear of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who.
    pub person: PersonId,
    /// How they are called.
    pub name: String,
    /// Since when.
    pub at: Timestamp,
}

/// A story was put off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Later {
    /// Until when.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

impl Story {
    /// When it began to wait for a press: when the team could first see it, or when it comes up again.
    #[must_use]
    pub fn waits_since(&self) -> Timestamp {
        // Whoever takes an outcome back has it wait anew.
        let first = match self.undone_by {
            Some(_) => Some(self.state_since),
            None => self.delivery.sent_at,
        };
        let seen = first.unwrap_or(self.state_since);
        self.later.as_ref().map_or(seen, |later| later.at.max(seen))
    }

    /// Until when it is put off by somebody who wants it later: two hours on, in the team's hours. Nothing if that would be
    /// too long after it was first seen.
    #[must_use]
    pub fn put_off_until(&self, settings: &TeamSettings, now: Timestamp) -> Option<Timestamp> {
        let until = next_in_window(settings, now.checked_add(LATER).ok()?);
        let seen = self.delivery.sent_at.unwrap_or(self.state_since);
        (until.duration_since(seen) <= LATEST).then_some(until)
    }

    /// Who is on it now; a claim lapses.
    #[must_use]
    pub fn claimed_by(&self, now: Timestamp) -> Option<&Claim> {
        let lasts = |claim: &&Claim| now.duration_since(claim.at).abs() < CLAIM;
        self.claim.as_ref().filter(lasts)
    }
}

/// How the delivery of a story goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Deliveries begun. Each is written before its call.
    pub attempt: u32,
    /// Deliveries in a row that did not leave the box.
    pub failures: u32,
    /// Messages that are, or may be, in the chat.
    pub messages: u32,
    /// When to send (again), in the states that do; nothing means never.
    pub retry_at: Option<Timestamp>,
    /// When the team could first see it.
    pub sent_at: Option<Timestamp>,
    /// What was wrong last, in plain words.
    pub reason: Option<String>,
}

/// A message in a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct MessageRef {
    /// Telegram's number for the chat.
    pub chat: i64,
    /// Telegram's number for the message in the chat.
    pub message: i32,
}

/// The longest that one delivery may take before it counts as lost.
pub const LEASE: SignedDuration = SignedDuration::from_mins(6);
/// How long an unconfirmed story waits for a press on the message that may have arrived, before it is sent once more.
pub const DOUBT: SignedDuration = SignedDuration::from_mins(10);
/// The longest that a delivery is retried.
pub const PATIENCE: SignedDuration = SignedDuration::from_hours(24);
/// How long "I'm on it" stands.
pub const CLAIM: SignedDuration = SignedDuration::from_mins(15);
/// How long a story is put off.
pub const LATER: SignedDuration = SignedDuration::from_hours(2);
/// The longest that a story is put off altogether, from when the team could first see it.
pub const LATEST: SignedDuration = SignedDuration::from_hours(48);
/// How long an outcome may be taken back.
pub const UNDO: SignedDuration = SignedDuration::from_secs(60);
/// How long a media that was swapped for another is not chosen again.
pub const SWAPPED_OUT: SignedDuration = SignedDuration::from_hours(24);
/// How long the original of a story is not sent to its chat again.
pub const ORIGINAL_AGAIN: SignedDuration = SignedDuration::from_hours(1);
/// How long the question "really reject?" stands.
pub const QUESTION: SignedDuration = SignedDuration::from_mins(2);
/// The most messages that one story may ever have in a chat.
pub const MOST_MESSAGES: u32 = 2;

/// How long the pause is after the `failures`-th failure in a row: 5 and 10 minutes, then 20 each time.
#[must_use]
pub fn pause_after(failures: u32) -> SignedDuration {
    SignedDuration::from_mins(5 << failures.clamp(1, 3).saturating_sub(1))
}

/// The same for a server that asked for so much patience: never less than it asked for, and ever more, up to five minutes,
/// where it asks again and again.
#[must_use]
pub fn pause_as_asked(asked: SignedDuration, failures: u32) -> SignedDuration {
    let growing = SignedDuration::from_secs(1 << failures.min(8));
    asked.max(growing.min(SignedDuration::from_mins(5)))
}

/// When to send again after such a pause, as long as that is before `until`; the last try comes a minute before it.
#[must_use]
pub fn retry_at(pause: SignedDuration, until: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let last = until.checked_sub(SignedDuration::from_mins(1)).ok()?;
    let at = now.checked_add(pause).ok()?.min(last);
    (at > now).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_come_after_five_ten_and_twenty_minutes_and_once_more_before_it_is_too_late() {
        let until = Timestamp::from_second(60 * 60).unwrap();
        let mut now = Timestamp::UNIX_EPOCH;
        let mut minutes = Vec::new();
        for failures in 1.. {
            let Some(at) = retry_at(pause_after(failures), until, now) else {
                break;
            };
            now = at;
            minutes.push(at.as_second() / 60);
        }
        assert_eq!(minutes, [5, 15, 35, 55, 59]);
    }

    #[test]
    fn a_server_that_asks_for_patience_without_end_is_asked_ever_less_often() {
        let second = SignedDuration::from_secs(1);
        let pauses: Vec<i64> = [1, 2, 5, 8, 9, 4000]
            .map(|failures| pause_as_asked(second, failures).as_secs())
            .to_vec();
        assert_eq!(pauses, [2, 4, 32, 256, 256, 256]);
        let hours = SignedDuration::from_hours(5);
        assert_eq!(pause_as_asked(hours, 3), hours, "it is obeyed");
    }

    #[test]
    fn nothing_is_posted_that_nobody_could_have_seen() {
        for state in State::ALL {
            assert_eq!(state.may_end(Outcome::Posted), state == State::Awaiting);
            assert!(!state.may_become(state));
            assert!(!state.may_become(State::Planned));
        }
    }
}
