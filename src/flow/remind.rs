//! The team is reminded of a story that waits for a press: once, after a while or when it was to come up again. The reminder
//! goes when the story has ended.

use jiff::{SignedDuration, Timestamp};

use super::clock::trusted;
use super::messages::open_card;
use super::outlet::{Card, Outlet, Trouble};
use super::timekeeper::Timekeeper;
use super::{Flow, Result};
use crate::domain::ids::TeamId;
use crate::domain::story::{CLAIM, MessageRef, State, Story};
use crate::domain::team::TeamSettings;
use crate::store::messages::{Kind, NewMessage};
use crate::store::{Tx, media, messages, settings, stories};

/// The most stories of which a team is reminded at once: after an absence many may have waited.
const MOST_AT_ONCE: usize = 3;
/// When a reminder that did not leave the box is tried again.
const AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// A reminder that is on record and about to be sent.
struct Reminder {
    card: Card,
    message: MessageRef,
    swaps: u32,
}

impl Flow {
    /// Reminds the team of what waits for too long. Returns when to call again.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub async fn remind(&self, outlet: &dyn Outlet, now: Timestamp) -> Result<Option<Timestamp>> {
        if let Some(until) = self.waits_for_server(outlet, false, now).await? {
            return Ok(Some(until));
        }
        let (team, time) = (self.team, self.time.clone());
        let (reminders, mut next) = self
            .store
            .write(move |tx| {
                let settings = settings::of(tx, team)?;
                due(tx, team, &settings, &time, now)
            })
            .await?;
        for reminder in reminders {
            let sent = outlet.remind(reminder.message, &reminder.card).await;
            self.server.judge(sent.as_ref().err(), now);
            if is_to_be_repeated(&sent) {
                next = next.into_iter().chain(now.checked_add(AGAIN).ok()).min();
            } else {
                // The message says no more that it comes up again.
                self.nudges.messages.notify();
            }
            self.store
                .write(move |tx| note(tx, team, &reminder, &sent, now))
                .await?;
        }
        Ok(next)
    }
}

/// The reminders that are due, each noted before it is sent; and when the next one is.
fn due(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    time: &Timekeeper,
    now: Timestamp,
) -> Result<(Vec<Reminder>, Option<Timestamp>)> {
    let (mut next, mut promised, mut others) = (None, Vec::new(), Vec::new());
    if settings.dry_run || !trusted(tx, time, now)? {
        return Ok((promised, next));
    }
    for story in stories::queue(tx, team)? {
        let Some(at) = remind_at(settings, &story, now) else {
            continue;
        };
        if at > now {
            next = next.into_iter().chain([at]).min();
            continue;
        }
        let Some(message) = messages::latest_of(tx, story.id)? else {
            stories::remind(tx, story.id, Some(now))?; // nobody has it before their eyes
            continue;
        };
        let shown = media::get(tx, story.media)?;
        let reminder = Reminder {
            card: open_card(&story, &shown, settings, now),
            message,
            swaps: story.swaps,
        };
        match story.later {
            Some(_) => promised.push(reminder),
            None => others.push(reminder),
        }
    }
    // What somebody was promised comes up, a few at a time. Of the others the latest matter: after an absence many may have
    // waited, and were offered anew when the box came back.
    if promised.len() > MOST_AT_ONCE {
        promised.truncate(MOST_AT_ONCE);
        next = next.into_iter().chain(now.checked_add(AGAIN).ok()).min();
    }
    for reminder in promised.iter().chain(&others) {
        stories::remind(tx, reminder.card.story, Some(now))?;
    }
    let room = MOST_AT_ONCE - promised.len();
    promised.extend(others.split_off(others.len().saturating_sub(room)));
    Ok((promised, next))
}

/// Whether a reminder did not leave the box.
fn is_to_be_repeated(sent: &std::result::Result<MessageRef, Trouble>) -> bool {
    sent.as_ref().is_err_and(Trouble::is_to_be_repeated)
}

/// When the team is to be reminded of a story; nothing if it was, or is not to be. Whoever is on it is left in peace.
fn remind_at(settings: &TeamSettings, story: &Story, now: Timestamp) -> Option<Timestamp> {
    if story.state != State::Awaiting || story.reminded_at.is_some() {
        return None;
    }
    let at = match &story.later {
        Some(later) => later.at,
        None if settings.remind_minutes == 0 => return None,
        None => {
            let patience = SignedDuration::from_mins(settings.remind_minutes.into());
            story.waits_since().checked_add(patience).ok()?
        }
    };
    match story.claimed_by(now) {
        Some(claim) => claim
            .at
            .checked_add(CLAIM)
            .ok()
            .map(|lapses| lapses.max(at)),
        None => Some(at),
    }
}

fn note(
    tx: &mut dyn Tx,
    team: TeamId,
    reminder: &Reminder,
    sent: &std::result::Result<MessageRef, Trouble>,
    now: Timestamp,
) -> Result<()> {
    let story = reminder.card.story;
    if is_to_be_repeated(sent) {
        return stories::remind(tx, story, None).map(|_| ());
    }
    messages::want(tx, story)?;
    // One that may have arrived is not repeated.
    let Ok(message) = sent else {
        return Ok(());
    };
    let is_open = stories::get(tx, story)?.is_some_and(|it| it.reminded_at.is_some());
    let new = NewMessage {
        message: *message,
        kind: Kind::Reminder,
        attempt: 0,
        swaps: reminder.swaps,
        is_behind: !is_open,
    };
    messages::add(tx, team, story, &new, now)
}
