//! A backup every night; the first thing after a start that comes later.

use jiff::civil::time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};

use crate::backup::{Backup, Backups, Error, Reason};
use crate::domain::alert::topic;
use crate::domain::run::Run;
use crate::flow::Flow;
use crate::system::background::background;
use crate::system::clock::Clock;
use crate::system::events;
use crate::system::nudge::Tick;
use crate::system::supervisor::{BoxError, Pulse};

/// When it is made, by the clock on the wall.
const AT: jiff::civil::Time = time(3, 0, 0, 0);
/// How long a box that was just started has other things to do.
const FIRST_REST: SignedDuration = SignedDuration::from_mins(2);
/// How long after one that failed it is tried again.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// What makes the backups has at hand.
#[derive(Clone)]
pub(super) struct Nightly {
    pub(super) backups: Backups,
    /// The box's own team: whose night it is, and whom its alerts concern.
    pub(super) flow: Flow,
    pub(super) clock: Clock,
}

impl Nightly {
    pub(super) async fn run(self, mut tick: Tick, pulse: Pulse) -> Result<(), BoxError> {
        let mut not_before = self.clock.now() + FIRST_REST;
        loop {
            pulse.beat();
            tokio::select! {
                () = pulse.stopping() => return Ok(()),
                _ = tick.wait() => {}
            }
            let now = self.clock.now();
            // In either direction: a clock that was set back must not put it off by a year.
            if not_before.duration_since(now) > AGAIN {
                not_before = now;
            }
            if now < not_before || !self.is_due(now).await? {
                continue;
            }
            if self.make(now).await?.is_err() {
                not_before = now + AGAIN;
            }
        }
    }

    /// Whether none was made since the last night's hour. A clock that is behind the newest makes none due.
    async fn is_due(&self, now: Timestamp) -> Result<bool, BoxError> {
        let zone = self.flow.settings().await?.timezone;
        let backups = self.backups.clone();
        let newest = match background(move || backups.list()).await? {
            Ok(all) => all.first().map(|backup| backup.made_at),
            // Making one tells what is wrong.
            Err(_) => None,
        };
        Ok(newest.is_none_or(|at| at < last(now, zone)))
    }

    async fn make(&self, now: Timestamp) -> Result<Result<(), Error>, BoxError> {
        let backups = self.backups.clone();
        let made = background(move || {
            let backup = backups.create(Reason::Nightly, now)?;
            let gone = backups.thin_out(now)?;
            Ok((backup, gone))
        });
        let made: Result<(Backup, usize), Error> = made.await?;
        let mut run = Run {
            job: "backup".to_owned(),
            started_at: now,
            ended_at: self.clock.now(),
            error: None,
            detail: String::new(),
        };
        let trouble = match made {
            Ok((backup, gone)) => {
                run.detail = format!("{}, {} bytes; {gone} gone", backup.name, backup.size_bytes);
                tracing::info!(
                    task = "backup",
                    message_id = events::BACKUP_MADE.id,
                    "backup {}",
                    run.detail
                );
                None
            }
            Err(error) => {
                tracing::error!(
                    task = "backup",
                    message_id = events::BACKUP_FAILED.id,
                    "no backup: {error}"
                );
                run.error = Some(error.to_string());
                Some(error)
            }
        };
        let reason = trouble.as_ref().map(|error| {
            format!(
                "No backup could be made: {error}. `storyline backup list` shows what there is."
            )
        });
        self.flow.note_run(run).await?;
        self.flow.condition(topic::BACKUP, reason, now).await?;
        Ok(trouble.map_or(Ok(()), Err))
    }
}

/// When the hour of backups was last.
fn last(now: Timestamp, zone: TimeZone) -> Timestamp {
    let now = now.to_zoned(zone);
    let of_day = |day: &Zoned| day.with().time(AT).build().ok();
    let yesterday = || now.checked_sub(1.day()).ok();
    of_day(&now)
        .filter(|at| *at <= now)
        .or_else(|| of_day(&yesterday()?))
        .map_or(Timestamp::MIN, |at| at.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hour_is_of_the_wall() {
        let zone = || TimeZone::get("Europe/Berlin").unwrap();
        for (now, hour) in [
            ("2026-11-21T12:00:00Z", "2026-11-21T02:00:00Z"),
            ("2026-11-21T02:00:00Z", "2026-11-21T02:00:00Z"),
            ("2026-11-21T01:59:59Z", "2026-11-20T02:00:00Z"),
            ("2026-07-21T12:00:00Z", "2026-07-21T01:00:00Z"),
        ] {
            assert_eq!(
                last(now.parse().unwrap(), zone()),
                hour.parse().unwrap(),
                "{now}"
            );
        }
    }
}
