//! When backups leave the box: the newest, to every place that has not got it yet. What does not get there is tried again by
//! the hour, and a stick that comes back is caught up at once.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Copies, Place, Sent, Way};
use crate::backup::Backup;
use crate::backup::copies::{age, bucket};
use crate::domain::alert::topic;
use crate::domain::copy::{Copied, Destination};
use crate::domain::run::Run;
use crate::flow::Error;
use crate::system::clock::Clock;
use crate::system::events;
use crate::system::nudge::Tick;
use crate::system::supervisor::{BoxError, Pulse};

/// How long a box that was just started has other things to do.
const FIRST_REST: SignedDuration = SignedDuration::from_mins(3);
/// How long after a copy that failed it is tried again.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);
/// The longest that one place may take, and a little more: to encrypt, and to send.
const PATIENCE: Duration = age::PATIENCE
    .saturating_add(bucket::PATIENCE)
    .saturating_add(Duration::from_secs(60));

/// Why a place is left alone for a while.
struct Rest {
    reason: String,
    /// Until when; nothing, if it only has to be there again.
    until: Option<Timestamp>,
}

/// What the loop keeps in mind. All that matters is on record; the rest is found out anew after a restart.
#[derive(Default)]
struct Mind {
    rests: BTreeMap<Destination, Rest>,
    /// What was last said of places that are late.
    told: Option<Option<String>>,
}

impl Copies {
    pub(in crate::appliance) async fn run(
        self,
        clock: Clock,
        mut tick: Tick,
        pulse: Pulse,
    ) -> Result<(), BoxError> {
        let mut not_before = clock.now() + FIRST_REST;
        let mut mind = Mind::default();
        loop {
            pulse.beat();
            tokio::select! {
                () = pulse.stopping() => return Ok(()),
                _ = tick.wait() => {}
            }
            let now = clock.now();
            // In either direction: a clock that was set back must not put it off by a year.
            if not_before.duration_since(now) > AGAIN {
                not_before = now;
            }
            if now < not_before {
                continue;
            }
            tokio::select! {
                // What is cut off leaves a draft, or an upload without an end, and is sent anew after the next start.
                () = pulse.stopping() => return Ok(()),
                stepped = self.step(&mut mind, &clock, &pulse) => stepped?,
            }
        }
    }

    async fn step(&self, mind: &mut Mind, clock: &Clock, pulse: &Pulse) -> Result<(), Error> {
        let now = clock.now();
        let mut reason = None;
        if !self.places.is_empty()
            && let Some(newest) = self.newest(now).await
        {
            let due = self.due(&newest, mind, now).await?;
            if !due.is_empty() {
                let moves = || pulse.expecting(PATIENCE);
                let sent = self.send(&newest, &due, now, moves).await?;
                self.tell(&newest, &sent, now, clock.now()).await?;
                mind.remember(sent, now);
            }
            reason = self.late(&newest, mind, now).await?;
        }
        if mind.told.as_ref() != Some(&reason) {
            self.flow
                .condition(topic::BACKUP_COPY, reason.clone(), now)
                .await?;
            mind.told = Some(reason);
        }
        Ok(())
    }

    /// The places that have not got it yet and are not left alone. From the first look on it is known since when they wait.
    async fn due(
        &self,
        newest: &Backup,
        mind: &Mind,
        now: Timestamp,
    ) -> Result<Vec<&Place>, Error> {
        let mut due = Vec::new();
        for place in &self.places {
            let copied = self.flow.copied(place.destination, &place.name).await?;
            if copied.is_none() {
                let nothing = Copied::nothing(&place.name, now);
                self.flow.note_copied(place.destination, &nothing).await?;
            }
            let has_it = copied.is_some_and(|copied| copied.backup.as_ref() == Some(&newest.name));
            if !has_it && mind.may_go_on(place, now).await {
                due.push(place);
            }
        }
        Ok(due)
    }

    /// What is to be said of the places that have waited too long.
    async fn late(
        &self,
        newest: &Backup,
        mind: &Mind,
        now: Timestamp,
    ) -> Result<Option<String>, Error> {
        let mut late = Vec::new();
        for place in &self.places {
            let Some(copied) = self.flow.copied(place.destination, &place.name).await? else {
                continue;
            };
            if copied.is_late(now) && copied.backup.as_ref() != Some(&newest.name) {
                let nights = copied.waiting(now).as_hours() / 24;
                let why = mind.rests.get(&place.destination);
                let why = why.map_or_else(String::new, |rest| format!(": {}", rest.reason));
                let (destination, name) = (place.destination, &place.name);
                late.push(format!("the {destination} {name} for {nights} nights{why}"));
            }
        }
        Ok((!late.is_empty()).then(|| {
            format!(
                "No copy of the backups got to {}. `storyline backup copy` sends one now.",
                late.join("; nor to ")
            )
        }))
    }

    /// Puts it into the log, and on record as a run.
    async fn tell(
        &self,
        backup: &Backup,
        sent: &[Sent],
        began: Timestamp,
        ended: Timestamp,
    ) -> Result<(), Error> {
        let mut parts = Vec::new();
        let mut errors = Vec::new();
        for one in sent {
            let Sent {
                destination, to, ..
            } = one;
            let Some(error) = &one.error else {
                tracing::info!(
                    task = "backup",
                    message_id = events::BACKUP_COPIED.id,
                    "backup {} copied to the {destination} {to}",
                    backup.name
                );
                parts.push(format!("to the {destination}"));
                continue;
            };
            parts.push(format!("not to the {destination}"));
            errors.push(format!("the {destination}: {error}"));
            if one.is_away {
                tracing::info!(
                    task = "backup",
                    "no copy to the {destination} for now: {error}"
                );
            } else {
                tracing::error!(
                    task = "backup",
                    message_id = events::BACKUP_NOT_COPIED.id,
                    "no copy to the {destination} {to}: {error}"
                );
            }
        }
        let run = Run {
            job: "copy".to_owned(),
            started_at: began,
            ended_at: ended,
            error: (!errors.is_empty()).then(|| errors.join("; ")),
            detail: format!("{}: {}", backup.name, parts.join(", ")),
        };
        self.flow.note_run(run).await
    }
}

impl Mind {
    fn remember(&mut self, sent: Vec<Sent>, now: Timestamp) {
        for one in sent {
            let until = (!one.is_away).then_some(now + AGAIN);
            match one.error {
                Some(reason) => self.rests.insert(one.destination, Rest { reason, until }),
                None => self.rests.remove(&one.destination),
            };
        }
    }

    /// Whether a place that did not take a copy may be tried again.
    async fn may_go_on(&self, place: &Place, now: Timestamp) -> bool {
        let until = self.rests.get(&place.destination).map(|rest| rest.until);
        match (until, &place.way) {
            (None, _) => true,
            (Some(None), Way::Folder(folder)) => folder.must_be_there().await.is_ok(),
            // In either direction, as above.
            (Some(until), _) => {
                until.is_none_or(|until| now >= until || until.duration_since(now) > AGAIN)
            }
        }
    }
}

#[cfg(test)]
#[path = "rounds_tests.rs"]
mod tests;
