//! A backup every night; the first thing after a start that comes later.

use jiff::civil::time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};

use crate::backup::{Backup, Backups, Error, Reason};
use crate::domain::alert::topic;
use crate::domain::run::Run;
use crate::flow::Flow;
use crate::system::background::background;
use crate::system::clock::{Clock, trusted};
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

    /// Whether none was made since the last night's hour. A board that lost its time does not know.
    async fn is_due(&self, now: Timestamp) -> Result<bool, BoxError> {
        if !trusted(now, None) {
            return Ok(false);
        }
        let zone = self.flow.settings().await?.timezone;
        let backups = self.backups.clone();
        let newest = match background(move || backups.list()).await? {
            // One from the future was made by a clock that was wrong.
            Ok(all) => all
                .iter()
                .map(|backup| backup.made_at)
                .find(|at| *at <= now),
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
    use std::time::{Duration, Instant};

    use super::*;
    use crate::domain::team::TeamSettings;
    use crate::flow::Store;
    use crate::system::nudge::Heart;
    use crate::system::shutdown::Shutdown;
    use crate::system::supervisor::Supervisor;

    /// A box at noon, and how it makes its backups.
    struct Bed {
        folder: tempfile::TempDir,
        clock: Clock,
        heart: Heart,
        flow: Flow,
        backups: Backups,
    }

    impl Bed {
        async fn at_noon() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let database = folder.path().join("storyline.db");
            let clock = Clock::steerable("2026-11-21T12:00:00Z".parse().unwrap());
            let store = Store::open_sqlite(&database).unwrap();
            let flow = Flow::open(store, TeamSettings::default(), clock.now())
                .await
                .unwrap();
            let backups = Backups::new(folder.path().join("backups"), database, None, 30);
            let heart = Heart::new(clock.clone());
            Self {
                folder,
                clock,
                heart,
                flow,
                backups,
            }
        }

        async fn work(&self) -> Supervisor {
            let supervisor = Supervisor::new(Shutdown::new());
            let nightly = Nightly {
                backups: self.backups.clone(),
                flow: self.flow.clone(),
                clock: self.clock.clone(),
            };
            let tick = self.heart.subscribe();
            supervisor.spawn("backup", Duration::from_secs(60), move |pulse| {
                nightly.clone().run(tick.clone(), pulse)
            });
            let beat = || supervisor.states()[0].last_beat;
            let before = beat();
            self.until("the loop begins", async || beat() > before)
                .await;
            supervisor
        }

        /// It is so late now, and the loop looks.
        async fn come(&self, working: &Supervisor, at: &str) {
            let beat = || working.states()[0].last_beat;
            let before = beat();
            self.clock.set(at.parse().unwrap());
            self.heart.beat();
            self.until("the loop looks", async || beat() > before).await;
        }

        async fn until(&self, what: &str, is_so: impl AsyncFn() -> bool) {
            let began = Instant::now();
            while !is_so().await {
                assert!(began.elapsed() < Duration::from_secs(20), "{what}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }

        fn made(&self) -> Vec<String> {
            let all = self.backups.list().unwrap_or_default();
            all.iter()
                .map(|backup| backup.made_at.to_string())
                .collect()
        }

        async fn alert(&self) -> bool {
            let alerts = self.flow.alerts().await.unwrap();
            alerts.iter().any(|alert| alert.topic == topic::BACKUP)
        }
    }

    #[tokio::test]
    async fn one_after_a_start_one_every_night_and_an_alert_while_none_can_be_made() {
        let bed = Bed::at_noon().await;
        let working = bed.work().await;
        let come = async |at| bed.come(&working, at).await;
        come("2026-11-21T12:01:00Z").await;
        assert!(bed.made().is_empty());
        come("2026-11-21T12:03:00Z").await;
        assert_eq!(bed.made(), ["2026-11-21T12:03:00Z"]);
        for at in [
            "2026-11-21T20:00:00Z",
            "2026-11-22T02:59:00Z",
            "2026-11-22T03:01:00Z",
        ] {
            come(at).await;
        }
        let two = ["2026-11-22T03:01:00Z", "2026-11-21T12:03:00Z"];
        assert_eq!(bed.made(), two);
        assert!(!bed.alert().await);

        let (folder, away) = (bed.backups.folder(), bed.folder.path().join("away"));
        std::fs::rename(folder, &away).unwrap();
        std::fs::write(folder, "no folder").unwrap();
        come("2026-11-23T03:01:00Z").await;
        assert!(bed.alert().await);
        std::fs::remove_file(folder).unwrap();
        std::fs::rename(&away, folder).unwrap();
        come("2026-11-23T03:30:00Z").await;
        assert!(bed.alert().await);
        come("2026-11-23T04:02:00Z").await;
        assert!(!bed.alert().await);
        assert_eq!(bed.made()[0], "2026-11-23T04:02:00Z");
        let runs = bed.flow.runs(9).await.unwrap();
        assert_eq!(runs.iter().filter(|run| run.job == "backup").count(), 4);
    }

    #[tokio::test]
    async fn a_clock_that_lost_its_time_makes_none() {
        let bed = Bed::at_noon().await;
        bed.clock.set(Timestamp::UNIX_EPOCH);
        let working = bed.work().await;
        for at in ["1970-01-01T00:03:00Z", "1970-01-02T04:00:00Z"] {
            bed.come(&working, at).await;
            assert!(bed.made().is_empty());
        }
        bed.come(&working, "2026-11-21T12:03:00Z").await;
        assert_eq!(bed.made(), ["2026-11-21T12:03:00Z"]);
    }

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
