//! Whatever was left standing is put right: at the start by what a crash may have left, and then every little while by what
//! has outlived its time. Nothing stays open for ever, and no slot is late without somebody being told why.

use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};

use super::close::{Ending, Subject, close};
use super::due::{CLOCK, opens_at, trusted};
use super::outlet::{Outlet, Trouble};
use super::settle::{DELIVERY, go_on};
use super::{Flow, Result};
use crate::domain::alert::REMINDER;
use crate::domain::calendar::slots_between;
use crate::domain::ids::TeamId;
use crate::domain::outcome::Outcome;
use crate::domain::story::{LATEST, LEASE, PATIENCE, QUESTION, State, Story};
use crate::domain::team::TeamSettings;
use crate::store::{
    Tx, alerts, audit, locks, messages, runs, settings, state, stories, teams, updates, uploads,
};

/// The topic of the alert that a story is overdue.
const OVERDUE: &str = "overdue";
/// How late a story may be before somebody is told.
const OVERDUE_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// Telegram keeps a press for this long; after a longer absence some may be lost.
const PRESS_KEPT: SignedDuration = SignedDuration::from_secs(150);
/// How long runs and resolved alerts are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);
/// How long the audit log is kept: two years.
const AUDIT_KEPT: SignedDuration = SignedDuration::from_hours(24 * 365 * 2);
/// How long the messages of ended stories are followed, and locks that ended are kept.
const KEPT_SHORT: SignedDuration = SignedDuration::from_hours(24 * 3);

impl Flow {
    /// What the daemon does first: every story that was being sent when the last one ended may or may not have arrived. Then
    /// offers open stories again, if presses may have been lost meanwhile.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn wake_up(&self, now: Timestamp) -> Result<()> {
        let team = self.team;
        let away = self
            .store
            .write(move |tx| {
                let settings = settings::of(tx, team)?;
                for story in stories::queue(tx, team)? {
                    if story.state == State::Sending {
                        tracing::warn!(
                            story = story.number,
                            "#{} was being sent when the box stopped; it may have arrived",
                            story.number
                        );
                        let reason = "the box stopped while it was being sent";
                        go_on(tx, &settings, &story, reason, now)?;
                    }
                }
                stories::forget_originals_on_their_way(tx, team)?;
                let heard_at = state::heard_at(tx)?;
                state::note_stop(tx, None)?;
                // A clock that shows a time before the stop tells nothing.
                let short = SignedDuration::ZERO..=PRESS_KEPT;
                Ok(heard_at.is_none_or(|heard| !short.contains(&now.duration_since(heard))))
            })
            .await?;
        if away {
            self.offer_again(now).await?;
        }
        Ok(())
    }

    /// What the daemon does last, when it ends in good order. `heard_at` is when it last heard what people do, if it did.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn fall_asleep(&self, heard_at: Option<Timestamp>, now: Timestamp) -> Result<()> {
        self.store
            .write_durably(move |tx| {
                state::note_time(tx, now)?;
                state::note_stop(tx, heard_at)
            })
            .await
    }

    /// Ends what has outlived its time, and tells of what is late. It writes nothing if all is well, or while the clock is
    /// in doubt.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub async fn upkeep(&self, now: Timestamp) -> Result<()> {
        let team = self.team;
        // After an absence or a jump of the clock, dispatch comes first: one look proves nobody late.
        let was_late = self.was_late.load(Ordering::Relaxed);
        let (changed, is_late) = self
            .store
            .write(move |tx| {
                let settings = settings::of(tx, team)?;
                if !trusted(tx, now)? {
                    return Ok((false, false));
                }
                let mut changed = false;
                let mut overdue = None;
                let last_sent_at = teams::get(tx, team)?.last_sent_at;
                for story in stories::queue(tx, team)? {
                    if keep_in_time(tx, &settings, &story, now)? {
                        changed = true;
                    } else if matches!(story.state, State::Planned | State::Retrying) {
                        let opens = opens_at(&settings, &story, last_sent_at, now);
                        let due_at = opens.map_or(story.due_at, |opens| opens.max(story.due_at));
                        if now.duration_since(due_at) > OVERDUE_AFTER {
                            overdue = overdue.or(Some(story));
                        }
                    }
                }
                let late = late(tx, team, &settings, overdue.as_ref(), now)?;
                let is_late = late.is_some();
                if was_late || !is_late {
                    changed |= judge_late(tx, team, late, now)?;
                }
                Ok((changed, is_late))
            })
            .await?;
        self.was_late.store(is_late, Ordering::Relaxed);
        if changed {
            self.nudges.messages.notify();
            self.nudges.plan.notify();
            self.nudges.alerts.notify();
        }
        Ok(())
    }

    /// Forgets what nobody needs any more, so that nothing but the history grows. Once a day is enough. A clock in doubt
    /// makes nobody forget anything.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn tidy(&self, now: Timestamp) -> Result<()> {
        let team = self.team;
        let before = |kept| now.checked_sub(kept).unwrap_or(Timestamp::MIN);
        let (years_ago, long_ago, days_ago) =
            (before(AUDIT_KEPT), before(KEPT), before(KEPT_SHORT));
        self.store
            .write(move |tx| {
                if !trusted(tx, now)? {
                    return Ok(());
                }
                state::note_time(tx, now)?;
                runs::forget_old(tx, team, long_ago)?;
                alerts::forget_old(tx, team, long_ago)?;
                audit::forget_old(tx, team, years_ago)?;
                locks::forget_ended(tx, team, days_ago)?;
                messages::forget_old(tx, team, days_ago)?;
                updates::forget_old(tx, days_ago)?;
                uploads::forget_old(tx, years_ago)?;
                Ok(())
            })
            .await
    }

    /// Tells the owner of alerts that are new, stand for another day, or are over.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub async fn tell_alerts(&self, outlet: &dyn Outlet, now: Timestamp) -> Result<()> {
        let team = self.team;
        let told_before = now.checked_sub(REMINDER).unwrap_or(Timestamp::MIN);
        let (alerts, place) = self
            .store
            .read(move |tx| {
                let place = settings::of(tx, team)?.place();
                Ok((alerts::to_tell(tx, team, told_before)?, place))
            })
            .await?;
        for alert in alerts {
            match outlet.tell(&alert, place).await {
                // Once is enough even if the answer was lost: two messages are worse than a reminder tomorrow.
                Ok(()) | Err(Trouble::Unsure(_) | Trouble::Never(_)) => {
                    let over = alert.resolved_at.is_some();
                    self.store
                        .write(move |tx| alerts::told(tx, alert.id, over, now))
                        .await?;
                }
                // They stand on record, and are told when the way is free again.
                Err(_) => return Ok(()),
            }
        }
        Ok(())
    }
}

/// Ends or changes what has been too long in its state. False if all is well with it.
///
/// How long is counted in either direction: a clock that was set back by a month must not keep a story open for a month.
fn keep_in_time(
    tx: &mut dyn Tx,
    settings: &TeamSettings,
    story: &Story,
    now: Timestamp,
) -> Result<bool> {
    let stood = now.duration_since(story.state_since).abs();
    let patience = SignedDuration::from_hours(settings.expire_hours.into());
    let (outcome, reason) = match story.state {
        State::Sending if stood > LEASE => {
            go_on(tx, settings, story, "no answer came", now)?;
            return Ok(true);
        }
        State::Awaiting
            if story
                .reject_asked_at
                .is_some_and(|asked| now.duration_since(asked).abs() > QUESTION) =>
        {
            stories::ask_reject(tx, story.id, None)?;
            messages::want(tx, story.id)?;
            return Ok(true);
        }
        State::Awaiting if story.claim.is_some() && story.claimed_by(now).is_none() => {
            stories::claim_for(tx, story.id, None)?;
            messages::want(tx, story.id)?;
            return Ok(true);
        }
        State::Awaiting | State::Unconfirmed if waited(story, now) > patience => {
            (Outcome::Expired, "nobody pressed in time".to_owned())
        }
        State::Retrying if stood > PATIENCE => {
            let last = story.delivery.reason.clone();
            (Outcome::Missed, last.unwrap_or_default())
        }
        _ => return Ok(false),
    };
    let ending = Ending::by_itself(outcome, reason);
    close(tx, settings, &Subject::Story(story), &ending, now)
}

/// How long a story has waited for a press; one that is put off does not wait.
fn waited(story: &Story, now: Timestamp) -> SignedDuration {
    let waited = now.duration_since(story.waits_since());
    if story.later.is_some() && !waited.is_positive() && waited.abs() <= LATEST {
        return SignedDuration::ZERO;
    }
    waited.abs()
}

/// What is late, and why as far as the story itself tells: a story, or a slot that went by and was not even looked at.
fn late(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    overdue: Option<&Story>,
    now: Timestamp,
) -> Result<Option<(String, Option<String>)>> {
    let row = teams::get(tx, team)?;
    if row.paused_at.is_some() {
        return Ok(None);
    }
    if let Some(story) = overdue {
        let name = format!("#{}", story.number);
        return Ok(Some((name, story.delivery.reason.clone())));
    }
    let long_ago = now.checked_sub(OVERDUE_AFTER).unwrap_or(now);
    let a_day = SignedDuration::from_hours(24);
    let soon = row.slots_settled_until.checked_add(a_day).unwrap_or(now);
    let passed = slots_between(team, settings, row.slots_settled_until, long_ago.min(soon));
    Ok(passed
        .first()
        .filter(|_| !row.plan_stamp.is_empty())
        .map(|slot| {
            let at = slot.at.to_zoned(settings.timezone.clone());
            (
                at.strftime("The story of %a %-d %b, %H:%M").to_string(),
                None,
            )
        }))
}

/// A loop that runs is not a story that goes out: whatever the reason, the owner is told of it.
fn judge_late(
    tx: &mut dyn Tx,
    team: TeamId,
    late: Option<(String, Option<String>)>,
    now: Timestamp,
) -> Result<bool> {
    let Some((what, reason)) = late else {
        return alerts::resolve(tx, team, OVERDUE, now);
    };
    let standing = alerts::standing(tx, team)?;
    let known = |topic: &str| {
        let alert = standing.iter().find(|alert| alert.topic == topic);
        alert.map(|alert| alert.text.clone())
    };
    let reason = reason
        .or_else(|| known(CLOCK))
        .or_else(|| known(DELIVERY))
        .unwrap_or_else(|| "the reason is not known; see the log".to_owned());
    let text = format!("{what} is late: {reason}");
    let raised = alerts::raise(tx, team, OVERDUE, &text, now)?;
    if raised {
        tracing::warn!(task = "upkeep", "{text}");
    }
    Ok(raised)
}
