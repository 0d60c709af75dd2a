//! The clock: judged before anything is planned, sent or ended by it; vouched for by a person; and set right after it was
//! wrong, without a row of the history being touched.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::conditions::judge;
use super::presence::Start;
use super::timekeeper::Timekeeper;
use super::{Flow, Result};
use crate::domain::alert::topic::CLOCK;
use crate::domain::audit::{By, Change};
use crate::domain::calendar::moment;
use crate::domain::ids::TeamId;
use crate::domain::team::TeamSettings;
use crate::store::{Tx, audit, future, history, settings, state, teams};
use crate::system::belief::{AGREES, Place, Verdict};
use crate::system::clock::Clock;
use crate::system::reference_time::ReferenceTime;

/// How far the records may be ahead of the clock before somebody is told.
const FAR_AHEAD: SignedDuration = SignedDuration::from_hours(1);
/// How old the latest time on record may be; an idle box writes it once a day.
const STALE: SignedDuration = SignedDuration::from_hours(24);
/// Telegram keeps a press for this long; after a longer sleep some may be lost.
const PRESS_KEPT: SignedDuration = SignedDuration::from_secs(150);

/// Who says that the time is right, and what to do about it.
const REMEDY: &str = "Check the network, `timedatectl`, and the board's clock. If the time is right, an admin says so by \
                      /trustclock in the chat, or by `storyline clock trust`.";

/// What came of a person's word on the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Vouched {
    /// Whether the clock was in doubt.
    pub was_doubted: bool,
    /// How many slots were open again that a wrong clock had called missed.
    pub reopened: u64,
}

impl Vouched {
    /// Whether anything is different now.
    #[must_use]
    pub fn changed(self) -> bool {
        self.was_doubted || self.reopened > 0
    }

    /// What to tell whoever vouched.
    #[must_use]
    pub fn told(self) -> String {
        let slots = match self.reopened {
            0 => String::new(),
            1 => " One slot that a wrong clock had ended is open again.".to_owned(),
            many => format!(" {many} slots that a wrong clock had ended are open again."),
        };
        if self.changed() {
            format!("The clock is trusted, and the plan goes on.{slots}")
        } else {
            "The clock is not in doubt.".to_owned()
        }
    }
}

/// Whether the time may be planned by. A time that the records do not expect is believed only after it was judged by
/// [`judge_clock`], and is on record then.
pub(super) fn trusted(tx: &mut dyn Tx, time: &Timekeeper, now: Timestamp) -> Result<bool> {
    Ok(time.trusts(state::latest_time(tx)?, now))
}

/// Whether the clock is to be believed, see [`belief`](crate::system::belief). What is believed is put on record; the owner is
/// told of what is not, of a server that contradicts, and of slots that a wrong clock ended.
pub(super) fn judge_clock(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    time: &Timekeeper,
    now: Timestamp,
) -> Result<bool> {
    let latest = state::latest_time(tx)?;
    let verdict = time.judge(latest, now);
    if verdict.is_believed {
        let is_stale = latest.is_some_and(|latest| now.duration_since(latest) >= STALE);
        if verdict.place != Place::Near || is_stale {
            state::trust_time(tx, now)?;
        }
    }
    // The clock is the whole box's, and is told of once.
    if state::own_team(tx)? == Some(team) {
        let text = complaint(tx, team, settings, (time, verdict), latest, now)?;
        judge(tx, team, CLOCK, text.as_deref(), now)?;
    }
    Ok(verdict.is_believed)
}

/// What there is to tell of the clock. The text stays as it is from one look to the next.
fn complaint(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    (time, verdict): (&Timekeeper, Verdict),
    latest: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<String>> {
    let zone = &settings.timezone;
    let day = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%-d %b %Y").to_string();
    let server = time.server().filter(|_| verdict.is_contradicted);
    let server = server.map(|server| {
        if day(server) == day(now) {
            format!(
                "a server outside says another time, by more than {} minutes",
                AGREES.as_mins()
            )
        } else {
            format!("a server outside says that it is {}", day(server))
        }
    });
    let synchronised = time.synchronised();
    let against = match (&server, synchronised) {
        (Some(server), _) => server.clone(),
        (None, true) => "is synchronised".to_owned(),
        (None, false) => "is not synchronised".to_owned(),
    };
    if !verdict.is_believed {
        let shows = match (verdict.place, latest) {
            (Place::Behind, Some(_)) => "a time before the last one on record".to_owned(),
            (Place::Ahead, Some(latest)) => format!(
                "{}, more than a day after the last time on record ({})",
                day(now),
                moment(latest, zone)
            ),
            _ => day(now),
        };
        return Ok(Some(format!(
            "The clock shows {shows}, and {against}: nothing is sent until it is right. {REMEDY}"
        )));
    }
    let settled_until = teams::get(tx, team)?.slots_settled_until;
    if settled_until.duration_since(now) > FAR_AHEAD {
        let until = settled_until.to_zoned(zone.clone());
        return Ok(Some(format!(
            "The clock was set back: the slots until {} have had their ends already, and no slot is filled twice. Stories \
             of the plan go on after that. Those that were only missed are opened again by /trustclock in the chat (admins), \
             or by `storyline clock trust`; `storyline queue next` sends one at once.",
            until.strftime("%a %-d %b %Y, %H:%M")
        )));
    }
    Ok(server.map(|server| {
        let other = if synchronised {
            "is synchronised"
        } else {
            "agrees with the records"
        };
        format!(
            "The clock shows {}, and {other}; {server}. Stories go out by the clock. Check `timedatectl`, or the clock of the \
             server at `[telegram] api_url`.",
            day(now)
        )
    }))
}

impl Flow {
    /// Goes by this clock, and by what this server outside says.
    pub fn go_by(&self, clock: Clock, reference: ReferenceTime) {
        self.time.go_by(clock, reference);
    }

    /// Whether the clock may be planned by.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn trusts_clock(&self, now: Timestamp) -> Result<bool> {
        let time = self.time.clone();
        self.store.read(move |tx| trusted(tx, &time, now)).await
    }

    /// Vouches for the clock: it is right, whatever is on record. What a wrong clock left in the future is set right with it:
    /// slots that were only missed are open again, as far as they are ahead, and locks end when they should have.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn trust_clock(&self, by: By, now: Timestamp) -> Result<Vouched> {
        let (own, time) = (self.team, self.time.clone());
        let vouched = self
            .store
            .write_durably(move |tx| {
                let was_doubted = !trusted(tx, &time, now)?;
                let latest = state::latest_time(tx)?;
                let mut vouched = Vouched {
                    was_doubted,
                    reopened: 0,
                };
                if was_doubted {
                    state::trust_time(tx, now)?;
                    let before = latest.map(|latest| latest.to_string());
                    let change = Change::of_clock("trusted").between(before, now.to_string());
                    audit::add(tx, own, &by, &change, now)?;
                }
                for team in teams::present(tx)? {
                    vouched.reopened += reopen(tx, team, &by, now)?;
                }
                if vouched.changed() {
                    tracing::warn!(
                        person = by.name,
                        "{} vouches for the clock: it is {now}; {} slots are open again",
                        by.name,
                        vouched.reopened
                    );
                }
                Ok(vouched)
            })
            .await?;
        self.nudges.everybody();
        Ok(vouched)
    }

    /// Notes what happened to the time since the last look. A sleep of the machine's is an absence like any other.
    pub(super) async fn notice_time(&self, now: Timestamp) -> Result<()> {
        let Some(slept) = self.time.look(now).slept else {
            return Ok(());
        };
        if slept > PRESS_KEPT {
            self.offer_again(now).await?;
        }
        let own = self.store.read(state::own_team).await?;
        if own == Some(self.team) {
            self.started(Some(Start::after_sleep(now, self.time.up(), slept)));
        }
        Ok(())
    }
}

/// Sets right for one team what a clock that was ahead has done. Returns how many slots are open again.
fn reopen(tx: &mut dyn Tx, team: TeamId, by: &By, now: Timestamp) -> Result<u64> {
    let settings = settings::of(tx, team)?;
    let missed = history::missed_ahead(tx, team, now)?;
    for entry in &missed {
        history::take_back(tx, team, entry, by, now)?;
    }
    future::resume(tx, team, settings.horizon_days, now)?;
    let today = now.to_zoned(settings.timezone.clone()).date();
    future::forget(tx, team, today, now)?;
    teams::unsettle_slots(tx, team, now)?;
    let reopened = missed.len() as u64;
    if reopened > 0 {
        let change = Change::of_team(team, "slots taken back").between(reopened, None::<u64>);
        audit::add(tx, team, by, &change, now)?;
    }
    Ok(reopened)
}
