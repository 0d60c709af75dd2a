//! Looks after the machine itself every few minutes: its power, its heat, its disks. What is wrong is an alert, raised once; it is
//! over only when all has been well for a while, so that what comes and goes is told of once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::timeout;

use crate::doctor::{HOT, newer};
use crate::domain::alert::topic::{DISK_ERRORS, DISK_READ_ONLY, HEAT, POWER};
use crate::flow::Flow;
use crate::system::background::background;
use crate::system::board::{Board, Seen};
use crate::system::clock::Clock;
use crate::system::nudge::Tick;
use crate::system::supervisor::{BoxError, Pulse};

/// How often it looks.
const EVERY: SignedDuration = SignedDuration::from_mins(5);
/// How long a look may take: a disk may hang.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often the lists of packages are asked for a newer version; they are brought up to date once a day.
const ASK_EVERY: SignedDuration = SignedDuration::from_hours(24);
/// How long a box that was just started has other things to do.
const FIRST_ASKED: SignedDuration = SignedDuration::from_hours(1);
/// How long that may take, with what may come before and after it.
const ASKING: Duration = Duration::from_secs(90);
/// What comes and goes is over when it has not come for so long.
const QUIET: SignedDuration = SignedDuration::from_hours(24);
/// What was hot is not any more below so many degrees Celsius.
const COOL: i64 = 72;
/// A burst of work makes it hot for a moment; so many looks in a row are no burst.
const HOT_LOOKS: u32 = 2;

const WEAK: &str = "The box's power is too weak: its voltage fell too low. It may stop at any moment, and its card suffers. It needs the \
                    power supply that is made for it, with its own cable.";
const TOO_HOT: &str = "The box is too hot and slows itself down. It needs air: a fan or a heat sink, away from the sun.";

/// What looks after the machine has at hand.
#[derive(Clone)]
pub(super) struct Sentinel {
    pub(super) board: Board,
    /// Whose disks are looked at.
    pub(super) folders: Vec<PathBuf>,
    /// The box's own team, whom its alerts concern.
    pub(super) flow: Flow,
    pub(super) clock: Clock,
}

impl Sentinel {
    pub(super) async fn run(self, mut tick: Tick, pulse: Pulse) -> Result<(), BoxError> {
        let mut watch = Watch::since(self.clock.now());
        let (mut asked_at, mut has_asked) = (self.clock.now(), false);
        let mut looked_at: Option<Timestamp> = None;
        loop {
            pulse.beat();
            tokio::select! {
                () = pulse.stopping() => return Ok(()),
                _ = tick.wait() => {}
            }
            let now = self.clock.now();
            // In either direction: a clock that was set back must not put it off.
            if looked_at.is_some_and(|at| now.duration_since(at).abs() < EVERY) {
                continue;
            }
            looked_at = Some(now);
            let (board, folders) = (self.board.clone(), self.folders.clone());
            let look = background(move || board.look(folders.iter().map(PathBuf::as_path)));
            if let Ok(Ok(seen)) = timeout(PATIENCE, look).await {
                self.tell(&mut watch, &seen, now).await;
            }
            let since = now.duration_since(asked_at).abs();
            if since >= ASK_EVERY || !has_asked && since >= FIRST_ASKED {
                (asked_at, has_asked) = (now, true);
                pulse.expecting(ASKING);
                self.ask_for_a_newer_version(now).await;
            }
        }
    }

    /// Of the system's lists of packages. What is not known is not told.
    async fn ask_for_a_newer_version(&self, now: Timestamp) {
        let asked = timeout(ASKING, background(newer)).await;
        if let Ok(Ok(Ok(Some(version)))) = asked
            && let Err(error) = self.flow.newer_version(&version, now).await
        {
            tracing::debug!("a newer version is not told: {error}");
        }
    }

    async fn tell(&self, watch: &mut Watch, seen: &Seen, now: Timestamp) {
        for (topic, reason) in watch.judge(seen, now) {
            let is_wrong = reason.is_some();
            // What stands as it was told is not written again and again.
            if watch.told.get(topic) == Some(&reason) {
                continue;
            }
            match self.flow.condition(topic, reason.clone(), now).await {
                Ok(()) => drop(watch.told.insert(topic, reason)),
                // The records cannot tell it, which is told itself; it is tried again.
                Err(error) => tracing::debug!("`{topic}` ({is_wrong}) is not recorded: {error}"),
            }
        }
    }
}

/// What was seen so far.
struct Watch {
    hot: u32,
    /// When the power was too weak last, or since when it is looked at.
    weak_at: Timestamp,
    was_low: Option<bool>,
    /// When a disk failed last, or since when they are looked at.
    failed_at: Timestamp,
    failing: Option<String>,
    is_weak: bool,
    failures: BTreeMap<u64, u64>,
    told: BTreeMap<&'static str, Option<String>>,
}

impl Watch {
    fn since(now: Timestamp) -> Self {
        Self {
            hot: 0,
            weak_at: now,
            was_low: None,
            failed_at: now,
            failing: None,
            is_weak: false,
            failures: BTreeMap::new(),
            told: BTreeMap::new(),
        }
    }

    /// What is wrong, and what is not any more. Of what is in between nothing is said.
    fn judge(&mut self, seen: &Seen, now: Timestamp) -> Vec<(&'static str, Option<String>)> {
        let mut judged = Vec::new();
        judged.extend(self.heat(seen).map(|reason| (HEAT, reason)));
        judged.extend(self.power(seen, now).map(|reason| (POWER, reason)));
        let fell = seen.disks.iter().find(|disk| disk.fell).map(|disk| {
            format!(
                "The system has made the disk of {} read-only, which it does after errors: nothing can be written there. A new \
                 start of the box may mend it for a while; a card that did this should be replaced.",
                disk.folder.display()
            )
        });
        judged.push((DISK_READ_ONLY, fell));
        judged.extend(self.errors(seen, now).map(|reason| (DISK_ERRORS, reason)));
        judged
    }

    fn heat(&mut self, seen: &Seen) -> Option<Option<String>> {
        match seen.celsius? {
            HOT.. => {
                self.hot += 1;
                (self.hot >= HOT_LOOKS).then(|| Some(TOO_HOT.to_owned()))
            }
            celsius => {
                self.hot = 0;
                (celsius < COOL).then_some(None)
            }
        }
    }

    fn power(&mut self, seen: &Seen, now: Timestamp) -> Option<Option<String>> {
        let power = seen.power?;
        // A fall between two looks leaves a mark. One from before the first look was told then, or is old.
        let fell = power.was_low && self.was_low.replace(power.was_low) == Some(false);
        self.was_low = Some(power.was_low);
        if power.is_low || fell {
            (self.weak_at, self.is_weak) = (now, true);
        } else if now.duration_since(self.weak_at).abs() >= QUIET {
            self.is_weak = false;
            return Some(None);
        }
        self.is_weak.then(|| Some(WEAK.to_owned()))
    }

    fn errors(&mut self, seen: &Seen, now: Timestamp) -> Option<Option<String>> {
        for disk in &seen.disks {
            let Some(failures) = disk.failures else {
                continue;
            };
            // Many disks count a few when they are plugged in: only more of them tell something.
            let before = self.failures.insert(disk.number, failures);
            if before.is_some_and(|before| failures > before) {
                let folder = disk.folder.display();
                self.failed_at = now;
                self.failing = Some(format!(
                    "The disk of {folder} did not read or write what it should. Make sure that there is a copy of what matters; a \
                     card or stick that does this is about to fail."
                ));
            }
        }
        if let Some(disk) = seen.disks.iter().find(|disk| disk.errors > 0) {
            return Some(Some(format!(
                "The file system of {} has errors on record. It should be looked through (`fsck`) when the box is off, and a card that \
                 makes errors replaced.",
                disk.folder.display()
            )));
        }
        if now.duration_since(self.failed_at).abs() >= QUIET {
            self.failing = None;
            return Some(None);
        }
        self.failing.clone().map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::team::TeamSettings;
    use crate::flow::Store;
    use crate::system::board::{Disk, Power};
    use std::fs;

    fn at(minutes: i64) -> Timestamp {
        let began: Timestamp = "2027-01-01T12:00:00Z".parse().unwrap();
        began + SignedDuration::from_mins(minutes)
    }

    /// What is said of a topic: that it is wrong, that it is well, or nothing.
    fn said(watch: &mut Watch, topic: &str, seen: &Seen, minutes: i64) -> Option<bool> {
        let judged = watch.judge(seen, at(minutes));
        let of_topic = judged.into_iter().find(|(one, _)| *one == topic);
        of_topic.map(|(_, reason)| reason.is_some())
    }

    #[test]
    fn heat_is_told_when_it_stays_and_is_over_when_it_is_cool() {
        let mut watch = Watch::since(at(0));
        for (minutes, celsius, told) in [
            (5, 60, Some(false)),
            (10, 85, None),
            (15, 75, None),
            (20, 80, None),
            (25, 80, Some(true)),
            (30, 75, None),
            (35, 71, Some(false)),
        ] {
            let seen = Seen {
                celsius: Some(celsius),
                ..Seen::default()
            };
            assert_eq!(said(&mut watch, HEAT, &seen, minutes), told, "{minutes}");
        }
        assert_eq!(said(&mut watch, HEAT, &Seen::default(), 40), None);
    }

    #[test]
    fn weak_power_that_comes_and_goes_is_told_of_once_a_day() {
        let mut watch = Watch::since(at(0));
        let seen = |is_low, was_low| Seen {
            power: Some(Power {
                is_low,
                was_low,
                ..Power::default()
            }),
            ..Seen::default()
        };
        let day = 24 * 60;
        for (minutes, is_low, was_low, told) in [
            // From before the service was there.
            (5, false, true, None),
            (10, true, true, Some(true)),
            (15, false, true, Some(true)),
            (5 + day, false, true, Some(true)),
            (10 + day, false, true, Some(false)),
            (15 + day, false, false, Some(false)),
            // It fell between two looks.
            (20 + day, false, true, Some(true)),
        ] {
            let told_now = said(&mut watch, POWER, &seen(is_low, was_low), minutes);
            assert_eq!(told_now, told, "{minutes}");
        }
    }

    #[test]
    fn a_disk_is_told_of_when_it_fails_more_often_than_before() {
        let mut watch = Watch::since(at(0));
        let seen = |errors, failures| Seen {
            disks: vec![Disk {
                folder: "/srv".into(),
                number: 1,
                fell: false,
                errors,
                failures: Some(failures),
            }],
            ..Seen::default()
        };
        let day = 24 * 60;
        for (minutes, errors, failures, told) in [
            (5, 0, 18, None),
            (10, 0, 18, None),
            (15, 0, 19, Some(true)),
            (20, 0, 19, Some(true)),
            (15 + day, 0, 19, Some(false)),
            (20 + day, 1, 19, Some(true)),
            (25 + day, 0, 19, Some(false)),
        ] {
            let told_now = said(&mut watch, DISK_ERRORS, &seen(errors, failures), minutes);
            assert_eq!(told_now, told, "{minutes}");
        }
    }

    #[tokio::test]
    async fn what_is_wrong_with_the_machine_is_an_alert_until_it_is_not() {
        let root = tempfile::tempdir().unwrap();
        let zone = root.path().join("sys/class/thermal/thermal_zone0");
        fs::create_dir_all(&zone).unwrap();
        let store = Store::open_sqlite(&root.path().join("s.db")).unwrap();
        let flow = Flow::open(store, TeamSettings::default(), at(0))
            .await
            .unwrap();
        let sentinel = Sentinel {
            board: Board::at(root.path()),
            folders: vec![root.path().to_owned()],
            flow: flow.clone(),
            clock: Clock::steerable(at(0)),
        };
        let mut watch = Watch::since(at(0));
        let mut minutes = 0;
        for (temp, alerts) in [("85000", 0), ("85000", 1), ("75000", 1), ("60000", 0)] {
            fs::write(zone.join("temp"), temp).unwrap();
            minutes += 5;
            let seen = sentinel.board.look([root.path()]);
            sentinel.tell(&mut watch, &seen, at(minutes)).await;
            let standing = flow.alerts().await.unwrap();
            let hot = standing.iter().filter(|alert| alert.topic == HEAT);
            assert_eq!(hot.count(), alerts, "{temp}");
        }
    }
}
