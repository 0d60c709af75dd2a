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
        // Until then there is nothing to do, as far as the last look told.
        let mut done_until = None;
        loop {
            pulse.beat();
            let beat = tokio::select! {
                () = pulse.stopping() => return Ok(()),
                beat = tick.wait() => beat,
            };
            let now = self.clock.now();
            if !beat.is_news && done_until.is_some_and(|until| now < until) {
                continue;
            }
            // In either direction: a clock that was set back must not put it off by a year.
            if not_before.duration_since(now) > AGAIN {
                not_before = now;
            }
            done_until = None;
            if now < not_before {
                continue;
            }
            match self.due(now).await? {
                Due::Now => {
                    if self.make(now).await?.is_err() {
                        not_before = now + AGAIN;
                    }
                }
                Due::At(then) => done_until = Some(then),
                Due::Unknown => {}
            }
        }
    }

    /// One is due if none was made since the last night's hour. By a clock that is ahead the old ones would be thrown away.
    async fn due(&self, now: Timestamp) -> Result<Due, BoxError> {
        if !self.flow.trusts_clock(now).await? {
            return Ok(Due::Unknown);
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
        Ok(match newest {
            Some(at) if at >= last(now, zone.clone()) => Due::At(next(now, zone)),
            _ => Due::Now,
        })
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

/// When a backup is to be made.
enum Due {
    Now,
    At(Timestamp),
    /// A board that lost its time does not know.
    Unknown,
}

fn of_day(day: &Zoned) -> Option<Zoned> {
    day.with().time(AT).build().ok()
}

/// When the hour of backups is next.
fn next(now: Timestamp, zone: TimeZone) -> Timestamp {
    let now = now.to_zoned(zone);
    let tomorrow = || now.checked_add(1.day()).ok();
    of_day(&now)
        .filter(|at| *at > now)
        .or_else(|| of_day(&tomorrow()?))
        .map_or(now.timestamp(), |at| at.timestamp())
}

/// When the hour of backups was last.
fn last(now: Timestamp, zone: TimeZone) -> Timestamp {
    let now = now.to_zoned(zone);
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

    #[tokio::test]
    async fn without_news_the_next_night_is_waited_for() {
        let bed = Bed::at_noon().await;
        let working = bed.work().await;
        bed.come(&working, "2026-11-21T12:03:00Z").await;
        bed.come(&working, "2026-11-21T12:04:00Z").await;
        let quietly = async |at: &str| {
            let beat = || working.states()[0].last_beat;
            let before = beat();
            bed.clock.set(at.parse().unwrap());
            bed.heart.beat_quietly();
            bed.until("the loop answers", async || beat() > before)
                .await;
        };
        // Nothing looks there, so nobody misses it until there is news.
        std::fs::remove_dir_all(bed.backups.folder()).unwrap();
        quietly("2026-11-22T01:00:00Z").await;
        assert!(bed.made().is_empty());
        bed.come(&working, "2026-11-22T01:00:30Z").await;
        bed.come(&working, "2026-11-22T01:01:00Z").await;
        quietly("2026-11-22T02:59:30Z").await;
        assert_eq!(bed.made(), ["2026-11-22T01:00:30Z"]);
        quietly("2026-11-22T03:00:00Z").await;
        assert_eq!(bed.made(), ["2026-11-22T03:00:00Z", "2026-11-22T01:00:30Z"]);
    }

    #[test]
    fn the_hour_is_of_the_wall() {
        let zone = || TimeZone::get("Europe/Berlin").unwrap();
        for (now, before, after) in [
            (
                "2026-11-21T12:00:00Z",
                "2026-11-21T02:00:00Z",
                "2026-11-22T02:00:00Z",
            ),
            (
                "2026-11-21T02:00:00Z",
                "2026-11-21T02:00:00Z",
                "2026-11-22T02:00:00Z",
            ),
            (
                "2026-11-21T01:59:59Z",
                "2026-11-20T02:00:00Z",
                "2026-11-21T02:00:00Z",
            ),
            (
                "2026-07-21T12:00:00Z",
                "2026-07-21T01:00:00Z",
                "2026-07-22T01:00:00Z",
            ),
        ] {
            let at = |text: &str| -> Timestamp { text.parse().unwrap() };
            assert_eq!(last(at(now), zone()), at(before), "{now}");
            assert_eq!(next(at(now), zone()), at(after), "{now}");
        }
    }
}
