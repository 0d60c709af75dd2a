//! When backups leave the box: the newest, to every place that has not got it yet. What does not get there is tried again by
//! the hour, and a stick that comes back is caught up at once.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Copies, Place, Sent, Way};
use crate::backup::Backup;
use crate::backup::copies::{age, bucket};
use crate::domain::alert::topic;
use crate::domain::copy::{Again, Copied};
use crate::domain::run::Run;
use crate::flow::Error;
use crate::system::clock::Clock;
use crate::system::events;
use crate::system::nudge::Tick;
use crate::system::supervisor::{BoxError, Pulse};

/// How long after a copy that failed it is tried again.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);
/// The longest that one place may take, and a little more: to encrypt, and to send.
const PATIENCE: Duration = age::PATIENCE
    .saturating_add(bucket::PATIENCE)
    .saturating_add(Duration::from_secs(60));

impl Copies {
    pub(in crate::appliance) async fn run(
        self,
        clock: Clock,
        mut tick: Tick,
        pulse: Pulse,
    ) -> Result<(), BoxError> {
        // What was last said of places that are late; after a start nobody knows.
        let mut said = None;
        loop {
            pulse.beat();
            tokio::select! {
                () = pulse.stopping() => return Ok(()),
                _ = tick.wait() => {}
            }
            tokio::select! {
                // What is cut off leaves a draft, or an upload without an end, and is sent anew after an hour.
                () = pulse.stopping() => return Ok(()),
                stepped = self.step(&mut said, &clock, &pulse) => stepped?,
            }
        }
    }

    async fn step(
        &self,
        said: &mut Option<Option<String>>,
        clock: &Clock,
        pulse: &Pulse,
    ) -> Result<(), Error> {
        let now = clock.now();
        // A board that lost its time does not know which backup is the newest.
        if !self.flow.trusts_clock(now).await? {
            return Ok(());
        }
        if !self.places.is_empty() {
            let newest = match self.newest(now).await {
                Ok(newest) => newest,
                Err(error) => {
                    tracing::debug!(task = "backup", "no copies: {error}");
                    return Ok(());
                }
            };
            if let Some(newest) = newest {
                let due = self.due(&newest, now).await?;
                if !due.is_empty() {
                    let moves = || pulse.expecting(PATIENCE);
                    let sent = self.send(&newest, &due, now, moves).await?;
                    self.tell(&newest, &sent, now, clock.now()).await?;
                }
            }
        }
        let late = self.late(now).await?;
        if said.as_ref() != Some(&late) {
            self.flow
                .condition(topic::BACKUP_COPY, late.clone(), now)
                .await?;
            *said = Some(late);
        }
        Ok(())
    }

    /// The places that have not got it yet and are not left alone.
    async fn due(&self, newest: &Backup, now: Timestamp) -> Result<Vec<&Place>, Error> {
        let mut due = Vec::new();
        for place in &self.places {
            let copied = self.copied(place, now).await?;
            if place.wants(&newest.name, &copied, now).await {
                due.push(place);
            }
        }
        Ok(due)
    }

    /// What is to be said of the places that have waited too long.
    async fn late(&self, now: Timestamp) -> Result<Option<String>, Error> {
        let mut late = Vec::new();
        for place in &self.places {
            let copied = self.copied(place, now).await?;
            if let (true, Some(failed)) = (copied.is_late(now), &copied.failed) {
                let nights = copied.waiting(now).as_hours() / 24;
                let (destination, name) = (place.destination, &place.name);
                late.push(format!(
                    "the {destination} {name} for {nights} nights: {}",
                    failed.why
                ));
            }
        }
        Ok((!late.is_empty()).then(|| {
            format!(
                "No copy of the backups got to {}. `journalctl -u storyline TASK=backup` tells more.",
                late.join("; nor to ")
            )
        }))
    }

    /// Puts it into the log, and on record as a run; what fails again for the same reason is told once.
    async fn tell(
        &self,
        backup: &Backup,
        sent: &[Sent],
        began: Timestamp,
        ended: Timestamp,
    ) -> Result<(), Error> {
        let mut parts = Vec::new();
        let mut errors = Vec::new();
        for Sent {
            destination,
            to,
            error,
            is_away,
            ..
        } in sent.iter().filter(|one| one.is_news)
        {
            let Some(error) = error else {
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
            if *is_away {
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
        if parts.is_empty() {
            return Ok(());
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

impl Place {
    /// Whether a backup is to be sent there now.
    async fn wants(&self, backup: &str, copied: &Copied, now: Timestamp) -> bool {
        if let Some(failed) = copied.failed_with(backup) {
            return match (failed.again, &self.way) {
                (Again::WhenThere, Way::Folder(folder)) => folder.must_be_there().await.is_ok(),
                (Again::WhenThere | Again::Later, _) => now.duration_since(failed.at) >= AGAIN,
                (Again::NextBackup, _) => false,
            };
        }
        match &self.way {
            _ if copied.backup.as_deref() != Some(backup) => true,
            // Another stick may be in its place.
            Way::Folder(folder) => folder.lacks(backup).await,
            Way::Bucket(_) | Way::Chat(_) => false,
        }
    }
}

#[cfg(test)]
#[path = "rounds_tests.rs"]
mod tests;
