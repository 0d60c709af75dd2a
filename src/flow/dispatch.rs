//! Stories go out. One step sends at most one story: it looks what is due, makes the picture, writes the attempt, uses the
//! network with no transaction open, and writes what came of it. A crash between any two of these leaves a row that tells
//! the next start what may have happened.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::close::{Ending, Subject, close};
use super::outlet::{Card, CardStatus, NoPicture, Outlet, Studio, Trouble};
use super::schedule::fill_now;
use super::{Flow, Result};
use crate::domain::calendar::{Slot, slots_between};
use crate::domain::entry::Snapshot;
use crate::domain::ids::TeamId;
use crate::domain::media::{Examination, Media};
use crate::domain::outcome::Outcome;
use crate::domain::run::Run;
use crate::domain::story::{
    DOUBT, Delivery, LEASE, MOST_MESSAGES, MessageRef, State, Story, retry_at,
};
use crate::domain::team::TeamSettings;
use crate::store::{Tx, alerts, history, media, messages, runs, state, stories, teams};
use crate::system::clock;

/// The topic of the alert that stories cannot be delivered.
pub(super) const DELIVERY: &str = "delivery";
/// The topic of the alert that the clock is not to be trusted.
const CLOCK: &str = "clock";

/// Why a slot was missed that had nothing to show.
const NOTHING_FITS: &str = "nothing in the library fits it";

/// What one step did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A story was handled; there may be more.
    Handled,
    /// Nothing is due; look again at this time, if not nudged before.
    Idle(Option<Timestamp>),
}

impl Flow {
    /// Sends the next story that is due, if one is. `synchronised` tells whether the system's clock is.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub async fn dispatch(
        &self,
        outlet: &dyn Outlet,
        studio: &Studio,
        synchronised: bool,
        now: Timestamp,
    ) -> Result<Step> {
        let (team, settings) = (self.team, self.settings.clone());
        let due = self
            .store
            .write(move |tx| look(tx, team, &settings, synchronised, now))
            .await?;
        self.nudges.alerts.notify();
        let (story, shown) = match due {
            Due::Nothing(next) => return Ok(Step::Idle(next)),
            Due::Story(story, shown) => (*story, *shown),
        };
        if self.settings.dry_run {
            return self.rehearse(story, now).await;
        }
        let picture = match studio(shown.clone()).await {
            Ok(picture) => picture,
            Err(problem) => return self.give_up_media(shown, problem, now).await,
        };
        let Some(story) = self.claim(story, now).await? else {
            return Ok(Step::Handled); // somebody was faster
        };
        let card = Card {
            story: story.id,
            number: story.number,
            due_at: story.due_at,
            media: Snapshot::of(&shown),
            sent_again: story.delivery.messages > 0,
            status: CardStatus::Awaiting {
                offered_again_at: None,
            },
        };
        // Shorter than the lease, so that a story is never taken for lost while its call still runs.
        let began = Instant::now();
        let patience = Duration::try_from(LEASE).unwrap_or_default() * 5 / 6;
        let answer = tokio::time::timeout(patience, outlet.deliver(&card, &picture))
            .await
            .unwrap_or_else(|_| Err(Trouble::Unsure("no answer in five minutes".to_owned())));
        let took = SignedDuration::try_from(began.elapsed()).unwrap_or_default();
        self.settle(story, answer, now, now.checked_add(took).unwrap_or(now))
            .await?;
        Ok(Step::Handled)
    }

    /// Writes the attempt. From here on a message may exist.
    async fn claim(&self, story: Story, now: Timestamp) -> Result<Option<Story>> {
        let delivery = Delivery {
            attempt: story.delivery.attempt + 1,
            retry_at: None,
            ..story.delivery.clone()
        };
        let id = story.id;
        self.store
            .write_durably(move |tx| {
                state::note_time(tx, now)?;
                if stories::advance(tx, &story, State::Sending, &delivery, now)? {
                    stories::get(tx, id)
                } else {
                    Ok(None)
                }
            })
            .await
    }

    /// Writes what came of an attempt.
    async fn settle(
        &self,
        sent: Story,
        answer: std::result::Result<MessageRef, Trouble>,
        started_at: Timestamp,
        now: Timestamp,
    ) -> Result<()> {
        let (team, settings) = (self.team, self.settings.clone());
        self.store
            .write_durably(move |tx| {
                let run = Run {
                    job: "dispatch".to_owned(),
                    started_at,
                    ended_at: now,
                    error: answer.as_ref().err().map(Trouble::reason),
                    detail: format!("#{} attempt {}", sent.number, sent.delivery.attempt),
                };
                runs::add(tx, team, &run)?;
                settle(tx, team, &settings, &sent, &answer, now)
            })
            .await?;
        self.nudges.messages.notify();
        self.nudges.alerts.notify();
        Ok(())
    }

    /// In a dry run everything happens but the call.
    async fn rehearse(&self, story: Story, now: Timestamp) -> Result<Step> {
        let (team, settings) = (self.team, self.settings.clone());
        self.store
            .write(move |tx| {
                let ending = Ending::by_itself(
                    Outcome::Cancelled,
                    "dry run: it would have been sent to the team now",
                );
                close(tx, &settings, &Subject::Story(&story), &ending, now)?;
                teams::note_sent(tx, team, now)
            })
            .await?;
        self.nudges.plan.notify();
        Ok(Step::Handled)
    }

    /// The file is not what it was: the media leaves the plan, and the slot gets another one.
    async fn give_up_media(
        &self,
        shown: Media,
        problem: NoPicture,
        now: Timestamp,
    ) -> Result<Step> {
        match problem {
            NoPicture::Missing => {
                tracing::warn!(media = %shown.fingerprint, "{} is not there any more", shown.path);
                self.vanished(vec![shown.path], now).await?;
            }
            NoPicture::Changed => {
                tracing::warn!(media = %shown.fingerprint, "{} has changed since it was indexed", shown.path);
                self.vanished(vec![shown.path], now).await?;
            }
            NoPicture::Flawed(reason) => {
                self.examined(shown, Examination::Flawed { reason }, now)
                    .await?;
            }
        }
        Ok(Step::Handled)
    }
}

enum Due {
    Story(Box<Story>, Box<Media>),
    Nothing(Option<Timestamp>),
}

/// Looks what is to be done now. On the way every slot that went by gets its end.
fn look(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    synchronised: bool,
    now: Timestamp,
) -> Result<Due> {
    if !clock::trusted(now, state::latest_time(tx)?, synchronised) {
        let text = "The clock shows a time before the last one on record, and is not synchronised: nothing is sent until \
                    it is right. Check the network, `timedatectl`, and the board's clock.";
        if alerts::raise(tx, team, CLOCK, text, now)? {
            tracing::warn!(task = "dispatch", "{text}");
        }
        return Ok(Due::Nothing(None));
    }
    alerts::resolve(tx, team, CLOCK, now)?;

    let wait_until = settle_slots(tx, team, settings, now)?;
    let mut next: Option<Timestamp> = None;
    let paused = teams::get(tx, team)?.paused_at.is_some();
    for story in stories::queue(tx, team)? {
        let Some(at) = time_to_send(&story, paused, wait_until) else {
            continue;
        };
        if at > now {
            next = Some(next.map_or(at, |earlier| earlier.min(at)));
            continue;
        }
        if story.state == State::Planned && !media::may_be_sent(tx, story.media, now)? {
            withdraw(tx, settings, &story, now)?;
            // The slot is looked at again at once, and gets another media.
            return look(tx, team, settings, synchronised, now);
        }
        let shown = media::get(tx, story.media)?;
        return Ok(Due::Story(Box::new(story), Box::new(shown)));
    }
    // Slots that are not filled yet count too: they are filled when they come.
    let soon = now
        .checked_add(SignedDuration::from_hours(24))
        .unwrap_or(now);
    let next_slot = slots_between(team, settings, now, soon)
        .first()
        .map(|slot| slot.at);
    Ok(Due::Nothing(next.into_iter().chain(next_slot).min()))
}

/// When a story is to be sent; nothing if it is not to be sent at all. `spaced` is when an automatic delivery is next allowed.
fn time_to_send(story: &Story, paused: bool, spaced: Option<Timestamp>) -> Option<Timestamp> {
    match story.state {
        State::Planned if story.requested_by.is_some() => Some(story.due_at),
        State::Planned if paused => None,
        State::Planned => Some(story.due_at.max(spaced.unwrap_or(story.due_at))),
        State::Retrying | State::Unconfirmed if paused && story.requested_by.is_none() => None,
        State::Retrying | State::Unconfirmed => story.delivery.retry_at,
        State::Sending | State::Awaiting => None,
    }
}

/// A planned media that may not be sent after all: its slot is free again, and a request is told why.
fn withdraw(tx: &mut dyn Tx, settings: &TeamSettings, story: &Story, now: Timestamp) -> Result<()> {
    if let (Some(slot), None) = (slot_of(settings, story), &story.requested_by) {
        stories::unplan(tx, story.id)?;
        if !fill_now(tx, story.team, settings, slot, now)? {
            miss(tx, story.team, settings, slot, NOTHING_FITS, now)?;
        }
        return Ok(());
    }
    let ending = Ending::by_itself(
        Outcome::Cancelled,
        "its media is missing, locked or has errors",
    );
    close(tx, settings, &Subject::Story(story), &ending, now)?;
    Ok(())
}

/// The slot of a story as the calendar has it now.
fn slot_of(settings: &TeamSettings, story: &Story) -> Option<Slot> {
    let id = story.slot?;
    crate::domain::calendar::slots_of_day(story.team, settings, id.date)
        .into_iter()
        .find(|slot| slot.id == id)
}

/// Gives every slot that went by its end, but the latest one if it can still be sent. Returns when that one may be sent, if
/// the last automatic delivery was too short a time ago.
///
/// After an absence, a pause or a jump of the clock this is what lets one story through, and one only.
pub(super) fn settle_slots(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    now: Timestamp,
) -> Result<Option<Timestamp>> {
    let row = teams::get(tx, team)?;
    let passed = slots_between(team, settings, row.slots_settled_until, now);
    let waiting: Vec<Story> = stories::queue(tx, team)?
        .into_iter()
        .filter(|story| story.slot.is_some() && story.requested_by.is_none() && story.due_at <= now)
        .filter(|story| matches!(story.state, State::Planned | State::Retrying))
        .collect();
    let latest_slot = passed.last().copied();
    let latest_at = latest_slot
        .map(|slot| slot.at)
        .into_iter()
        .chain(waiting.iter().map(|story| story.due_at))
        .max();
    let Some(latest_at) = latest_at else {
        return Ok(None);
    };
    let late = SignedDuration::from_mins(i64::from(settings.late_minutes));
    let too_late = now.duration_since(latest_at) > late;
    let reason = if row.paused_at.is_some() {
        "the plan was paused"
    } else if too_late {
        "it could not be sent in time"
    } else {
        "a later slot was due before it could be sent"
    };
    let all_end = row.paused_at.is_some() || too_late;

    for story in &waiting {
        if all_end || story.due_at < latest_at {
            let why = story.delivery.reason.as_deref().map_or_else(
                || reason.to_owned(),
                |last| format!("{reason}; at the last try: {last}"),
            );
            let ending = Ending::by_itself(Outcome::Missed, why);
            close(tx, settings, &Subject::Story(story), &ending, now)?;
        }
    }
    let mut settled_until = row.slots_settled_until;
    let mut wait_until = None;
    for slot in passed {
        let open = stories::of_slot(tx, team, slot.id)?.is_some();
        if !open && !history::has_slot(tx, team, slot.id)? {
            let still_good = slot.at == latest_at && !all_end;
            if !still_good {
                miss(tx, team, settings, slot, reason, now)?;
            } else if !fill_now(tx, team, settings, slot, now)? {
                miss(tx, team, settings, slot, NOTHING_FITS, now)?;
            }
        }
        settled_until = settled_until.max(slot.at);
    }
    teams::settle_slots(tx, team, settled_until)?;

    if let Some(story) = stories::queue(tx, team)?
        .iter()
        .find(|story| story.slot.is_some() && story.due_at == latest_at)
    {
        let spacing =
            slot_of(settings, story).map_or(SignedDuration::ZERO, |slot| slot.minimum_spacing());
        wait_until = row
            .last_sent_at
            // A clock that was set back must not hold the plan up.
            .filter(|sent| *sent <= now)
            .and_then(|sent| sent.checked_add(spacing).ok());
    }
    Ok(wait_until)
}

fn miss(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    slot: Slot,
    reason: &str,
    now: Timestamp,
) -> Result<()> {
    let ending = Ending::by_itself(Outcome::Missed, reason);
    close(tx, settings, &Subject::EmptySlot(team, slot), &ending, now)?;
    Ok(())
}

fn settle(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    sent: &Story,
    answer: &std::result::Result<MessageRef, Trouble>,
    now: Timestamp,
) -> Result<()> {
    let story = stories::get(tx, sent.id)?;
    if let Ok(message) = answer {
        let attempt = sent.delivery.attempt;
        // A press may have been faster than the answer: then the message is behind already.
        let behind = story
            .as_ref()
            .is_none_or(|story| story.state != State::Sending);
        messages::add(tx, team, sent.id, attempt, *message, behind, now)?;
        teams::note_sent(tx, team, now)?;
        alerts::resolve(tx, team, DELIVERY, now)?;
    }
    let Some(story) = story.filter(|story| story.delivery.attempt == sent.delivery.attempt) else {
        return Ok(());
    };
    match (answer, story.state) {
        (Ok(_), State::Sending) => {
            let delivery = Delivery {
                messages: story.delivery.messages + 1,
                failures: 0,
                retry_at: None,
                sent_at: story.delivery.sent_at.or(Some(now)),
                reason: None,
                ..story.delivery.clone()
            };
            stories::advance(tx, &story, State::Awaiting, &delivery, now)?;
            tracing::info!(
                story = story.number,
                attempt = story.delivery.attempt,
                "#{} is before the team",
                story.number
            );
        }
        // The lease ran out, and then the answer came after all.
        (Ok(_), State::Unconfirmed) => {
            let delivery = Delivery {
                retry_at: None,
                ..story.delivery.clone()
            };
            stories::advance(tx, &story, State::Awaiting, &delivery, now)?;
        }
        (Err(trouble), State::Sending) => {
            settle_trouble(tx, team, settings, &story, trouble, now)?;
        }
        _ => {}
    }
    Ok(())
}

fn settle_trouble(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    story: &Story,
    trouble: &Trouble,
    now: Timestamp,
) -> Result<()> {
    let reason = trouble.reason();
    tracing::warn!(
        story = story.number,
        attempt = story.delivery.attempt,
        "#{} was not delivered: {reason}",
        story.number
    );
    let mut delivery = Delivery {
        reason: Some(reason.clone()),
        ..story.delivery.clone()
    };
    match trouble {
        Trouble::Unsure(_) => {
            teams::note_sent(tx, team, now)?;
            return doubt(tx, story, &reason, now);
        }
        Trouble::Later(after) => {
            let after = SignedDuration::try_from(*after).unwrap_or(SignedDuration::from_secs(60));
            delivery.retry_at = now.checked_add(after).ok();
        }
        Trouble::Unreachable(_) | Trouble::Owner(_) | Trouble::Gone => {
            delivery.failures += 1;
            delivery.retry_at = retry_at(delivery.failures, now);
            let text = format!("Stories cannot be delivered: {reason}.");
            alerts::raise(tx, team, DELIVERY, &text, now)?;
        }
        Trouble::Never(_) if story.delivery.messages == 0 => {
            let ending = Ending::by_itself(Outcome::Failed, reason);
            close(tx, settings, &Subject::Story(story), &ending, now)?;
            return Ok(());
        }
        Trouble::Never(_) => delivery.retry_at = None,
    }
    // A first message may be there: a press on it still decides, whatever became of the second.
    if story.delivery.messages > 0 {
        stories::advance(tx, story, State::Unconfirmed, &delivery, now)?;
        return Ok(());
    }
    let late = SignedDuration::from_mins(i64::from(settings.late_minutes));
    let in_time = delivery
        .retry_at
        .filter(|at| story.slot.is_none() || at.duration_since(story.due_at) <= late);
    if in_time.is_some() {
        stories::advance(tx, story, State::Retrying, &delivery, now)?;
    } else {
        // The media goes back to the pool: the network must not use it up.
        let ending = Ending::by_itself(Outcome::Missed, reason);
        close(tx, settings, &Subject::Story(story), &ending, now)?;
    }
    Ok(())
}

/// A story that may or may not have arrived: wait for a press on it, and send it once more if none comes, but never a third
/// time.
pub(super) fn doubt(tx: &mut dyn Tx, story: &Story, reason: &str, now: Timestamp) -> Result<()> {
    let messages = story.delivery.messages + 1;
    let delivery = Delivery {
        messages,
        retry_at: (messages < MOST_MESSAGES)
            .then(|| now.checked_add(DOUBT).ok())
            .flatten(),
        sent_at: story.delivery.sent_at.or(Some(now)),
        reason: Some(reason.to_owned()),
        ..story.delivery.clone()
    };
    stories::advance(tx, story, State::Unconfirmed, &delivery, now)?;
    Ok(())
}
