//! Whatever was left standing is put right: at the start by what a crash may have left, and then every little while by what
//! has outlived its time. Nothing stays open for ever, and no slot is late without somebody being told why.

use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};

use super::clock::{judge_clock, trusted};
use super::close::{Ending, Subject, close};
use super::conditions::judge;
use super::outlet::{Outlet, Trouble};
use super::overdue::late;
use super::presence::judge_crashes;
use super::settle::go_on;
use super::timekeeper::Timekeeper;
use super::waiting::judge_waiting;
use super::{Flow, Result};
use crate::domain::alert::REMINDER;
use crate::domain::alert::topic::OVERDUE;
use crate::domain::outcome::Outcome;
use crate::domain::story::{LATEST, LEASE, PATIENCE, QUESTION, State, Story};
use crate::domain::team::TeamSettings;
use crate::store::{
    Tx, alerts, audit, handins, locks, messages, runs, settings, state, stories, teams, updates,
    uploads,
};

/// How long runs and resolved alerts are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);
/// How long the audit log is kept: two years.
const AUDIT_KEPT: SignedDuration = SignedDuration::from_hours(24 * 365 * 2);
/// How long the messages of ended stories are followed, and locks that ended are kept.
const KEPT_SHORT: SignedDuration = SignedDuration::from_hours(24 * 3);

/// When an alert that could not be told is tried again.
const TELL_AGAIN: SignedDuration = SignedDuration::from_secs(30);
/// How long what people hand in is kept, whether it was fetched or nobody chose a folder for it.
const HAND_INS_KEPT: SignedDuration = SignedDuration::from_hours(24);

impl Flow {
    /// What the daemon does first: every story that was being sent when the last one ended may or may not have arrived. Then
    /// offers open stories again, if the box was away so long that presses may have been lost meanwhile.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn wake_up(&self, was_away: bool, now: Timestamp) -> Result<()> {
        let team = self.team;
        self.store
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
                stories::forget_originals_on_their_way(tx, team)
            })
            .await?;
        if was_away {
            self.offer_again(now).await?;
        }
        Ok(())
    }

    /// Ends what has outlived its time, and tells of what is late. It writes nothing if all is well, or while the clock is
    /// in doubt.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub async fn upkeep(&self, now: Timestamp) -> Result<()> {
        self.notice_time(now).await?;
        let (team, time) = (self.team, self.time.clone());
        // After an absence or a jump of the clock, dispatch comes first: one look proves nobody late.
        let was_late = self.was_late.load(Ordering::Relaxed);
        let (changed, is_late) = self
            .store
            .write(move |tx| {
                let settings = settings::of(tx, team)?;
                if !judge_clock(tx, team, &settings, &time, now)? {
                    return Ok((true, false));
                }
                let mut changed = false;
                let mut open = Vec::new();
                for story in stories::queue(tx, team)? {
                    if keep_in_time(tx, &settings, &story, &time, now)? {
                        changed = true;
                    } else {
                        open.push(story);
                    }
                }
                let late = late(tx, team, &settings, &open, &time, now)?;
                let is_late = late.is_some();
                if was_late || !is_late {
                    changed |= judge(tx, team, OVERDUE, late.as_deref(), now)?;
                }
                changed |= judge_waiting(tx, team, &settings, &open, now)?;
                changed |= judge_crashes(tx, team, now)?;
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
        let (team, time) = (self.team, self.time.clone());
        let before = |kept| now.checked_sub(kept).unwrap_or(Timestamp::MIN);
        let (years_ago, long_ago, days_ago) =
            (before(AUDIT_KEPT), before(KEPT), before(KEPT_SHORT));
        let a_day_ago = before(HAND_INS_KEPT);
        self.store
            .write(move |tx| {
                if !trusted(tx, &time, now)? {
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
                handins::forget_old(tx, team, a_day_ago)?;
                Ok(())
            })
            .await
    }

    /// Tells the owner of alerts that are new, stand for another day, or are over. Returns when to call again, if one could not
    /// be told.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub async fn tell_alerts(
        &self,
        outlet: &dyn Outlet,
        now: Timestamp,
    ) -> Result<Option<Timestamp>> {
        let team = self.team;
        let told_before = now.checked_sub(REMINDER).unwrap_or(Timestamp::MIN);
        let (alerts, place) = self
            .store
            .read(move |tx| {
                let settings = settings::of(tx, team)?;
                let mut alerts = alerts::to_tell(tx, team, told_before)?;
                if teams::present(tx)?.len() > 1 {
                    for alert in &mut alerts {
                        alert.text = format!("{}: {}", settings.name, alert.text);
                    }
                }
                Ok((alerts, settings.home()))
            })
            .await?;
        for alert in alerts {
            match outlet.tell(&alert, place).await {
                // Once is enough even if the answer was lost: two messages are worse than a reminder tomorrow.
                Ok(()) | Err(Trouble::Unsure(_) | Trouble::Never(_)) => {
                    let over = alert.resolved_at.is_some();
                    self.store
                        .write(move |tx| {
                            alerts::told(tx, alert.id, over, now)?;
                            match alert.is_news() {
                                true => alerts::take_back(tx, team, &alert.topic, now),
                                false => Ok(()),
                            }
                        })
                        .await?;
                }
                // They stand on record, and are told when the way is free again.
                Err(_) => return Ok(now.checked_add(TELL_AGAIN).ok()),
            }
        }
        Ok(None)
    }
}

/// Ends or changes what has been too long in its state. False if all is well with it.
///
/// After a clock was set back the steady clock tells how long: nothing ends by that, and nothing is kept open for a month by a
/// clock that was set back by a month.
fn keep_in_time(
    tx: &mut dyn Tx,
    settings: &TeamSettings,
    story: &Story,
    time: &Timekeeper,
    now: Timestamp,
) -> Result<bool> {
    let stood = || time.stood(story.id, story.state_since, now);
    // Its call ends soon, whatever the clock shows.
    let called = now.duration_since(story.state_since).abs();
    let waited = || match &story.later {
        Some(later) if later.at > now && later.at.duration_since(now) <= LATEST => {
            SignedDuration::ZERO
        }
        _ => time.stood(story.id, story.waits_since(), now),
    };
    let patience = SignedDuration::from_hours(settings.expire_hours.into());
    let (outcome, reason) = match story.state {
        State::Sending if called > LEASE => {
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
        State::Awaiting if waited() > patience => {
            (Outcome::Expired, "nobody pressed in time".to_owned())
        }
        // Nobody can be blamed for not pressing what may never have come.
        State::Unconfirmed if waited() > patience => (Outcome::Missed, nobody_had_it(story)),
        // From when it may have stood there: each try begins its state anew.
        State::Retrying
            if story
                .delivery
                .sent_at
                .is_some_and(|sent| time.stood(story.id, sent, now) > PATIENCE) =>
        {
            (Outcome::Missed, nobody_had_it(story))
        }
        State::Retrying if stood() > PATIENCE => {
            let last = story.delivery.reason.clone();
            (Outcome::Missed, last.unwrap_or_default())
        }
        _ => return Ok(false),
    };
    let ending = Ending::by_itself(outcome, reason);
    close(tx, settings, &Subject::Story(story), &ending, now)
}

/// Why a story was missed that may have arrived.
fn nobody_had_it(story: &Story) -> String {
    let last = story.delivery.reason.as_deref().unwrap_or("no answer");
    format!("nobody is known to have had it; at the last try: {last}")
}
