//! What systemd is told: that the service can work, what it is doing, that it stops, and, for the watchdog, that every
//! task moves. Without systemd all of it does nothing.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{Instant, timeout};

use super::nudge::{TICK, Tick};
use super::supervisor::{BoxError, Pulse, Stuck, Supervisor};
use crate::system::lock::lock;

type Send = dyn Fn(&[NotifyState<'_>]) -> io::Result<()> + std::marker::Send + Sync;

/// The line to systemd. Clones share it.
#[derive(Clone)]
pub struct Systemd(Arc<Inner>);

struct Inner {
    send: Box<Send>,
    watchdog: Option<Duration>,
    status: Mutex<String>,
}

impl Systemd {
    /// The one this process was given, by `NOTIFY_SOCKET` and `WATCHDOG_USEC`.
    #[must_use]
    pub fn new() -> Self {
        Self::with(sd_notify::notify, sd_notify::watchdog_enabled())
    }

    /// One whose watchdog wants to be fed within `watchdog`, and how often it was.
    #[cfg(test)]
    pub(crate) fn counting(watchdog: Duration) -> (impl Fn() -> usize, Self) {
        let meals = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counted = Arc::clone(&meals);
        let send = move |_: &[NotifyState<'_>]| {
            counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Ok(())
        };
        let count = move || meals.load(std::sync::atomic::Ordering::Relaxed);
        (count, Self::with(send, Some(watchdog)))
    }

    /// One that sends through `send`, where the watchdog wants to be fed within `watchdog`.
    fn with(
        send: impl Fn(&[NotifyState<'_>]) -> io::Result<()> + std::marker::Send + Sync + 'static,
        watchdog: Option<Duration>,
    ) -> Self {
        Self(Arc::new(Inner {
            send: Box::new(send),
            watchdog,
            status: Mutex::default(),
        }))
    }

    /// Says that the service can work.
    pub fn ready(&self) {
        self.send(&NotifyState::Ready);
    }

    /// Says in plain words what the service is doing; sent only when it changes.
    pub fn status(&self, text: &str) {
        // A line break would begin another assignment.
        let text = text.lines().collect::<Vec<_>>().join(" ");
        let mut last = lock(&self.0.status);
        if *last != text {
            self.send(&NotifyState::Status(&text));
            *last = text;
        }
    }

    /// Says that the service stops.
    pub fn stopping(&self) {
        self.send(&NotifyState::Stopping);
    }

    /// How often to feed the watchdog: half of the time it waits. `None` without a watchdog.
    #[must_use]
    pub fn watchdog_interval(&self) -> Option<Duration> {
        self.0.watchdog.map(|longest| longest / 2)
    }

    /// Feeds the watchdog.
    pub fn feed(&self) {
        if self.0.watchdog.is_some() {
            self.send(&NotifyState::Watchdog);
        }
    }

    /// Feeds the watchdog while every task moves, until it is time to stop; a task of the supervisor. A stuck task is named
    /// in the log and the watchdog goes hungry, so that systemd starts the process anew. Looks on every tick; a timer of
    /// its own serves only a watchdog that is shorter than two ticks, and a tick that is late.
    ///
    /// # Errors
    /// None; the type is the supervisor's.
    pub async fn feed_while_all_move(
        self,
        supervisor: Supervisor,
        mut tick: Tick,
        pulse: Pulse,
    ) -> Result<(), BoxError> {
        let interval = self.watchdog_interval().unwrap_or(TICK * 2);
        let mut known = Vec::new();
        loop {
            let stuck = supervisor.stuck(Instant::now());
            tell(&stuck, &mut known);
            if stuck.is_empty() {
                self.feed();
            }
            pulse.beat();
            tokio::select! {
                () = pulse.stopping() => return Ok(()),
                // A tick and its absence are the same to us: look again.
                _ = timeout(interval, tick.wait()) => {}
            }
        }
    }

    fn send(&self, state: &NotifyState<'_>) {
        if let Err(error) = (self.0.send)(std::slice::from_ref(state)) {
            tracing::warn!("systemd could not be told `{state}`: {error}");
        }
    }
}

impl Default for Systemd {
    fn default() -> Self {
        Self::new()
    }
}

/// Logs each task once when it is found stuck, and once when it moves again.
fn tell(stuck: &[Stuck], known: &mut Vec<&'static str>) {
    for Stuck { name: task, quiet } in stuck {
        if !known.contains(task) {
            let seconds = quiet.as_secs();
            tracing::error!(
                task,
                "task `{task}` has not moved for {seconds} s; the watchdog is not fed until it does"
            );
        }
    }
    for task in &*known {
        if !stuck.iter().any(|stuck| stuck.name == *task) {
            tracing::warn!(task, "task `{task}` moves again");
        }
    }
    *known = stuck.iter().map(|stuck| stuck.name).collect();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::clock::Clock;
    use crate::system::nudge::Heart;
    use crate::system::shutdown::Shutdown;
    use std::os::unix::net::UnixDatagram;

    /// A socket as systemd has it, in place of the one that `NOTIFY_SOCKET` names, and the line to it.
    fn listening(watchdog: Option<Duration>) -> (UnixDatagram, Systemd, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_nonblocking(true).unwrap();
        let send = move |states: &[NotifyState<'_>]| {
            let text: String = states.iter().map(|state| format!("{state}\n")).collect();
            let line = UnixDatagram::unbound()?;
            line.send_to(text.as_bytes(), &path).map(drop)
        };
        (socket, Systemd::with(send, watchdog), directory)
    }

    fn heard(socket: &UnixDatagram) -> Vec<String> {
        let mut buffer = [0; 512];
        std::iter::from_fn(|| {
            let length = socket.recv(&mut buffer).ok()?;
            Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
        })
        .collect()
    }

    #[test]
    fn systemd_is_told_once_what_did_not_change() {
        let (socket, systemd, _directory) = listening(None);
        systemd.status("Waiting\nfor a token");
        systemd.ready();
        systemd.status("Waiting for a token");
        systemd.status("Idle");
        systemd.feed();
        systemd.stopping();
        assert_eq!(
            heard(&socket),
            [
                "STATUS=Waiting for a token\n",
                "READY=1\n",
                "STATUS=Idle\n",
                "STOPPING=1\n"
            ]
        );
        assert_eq!(systemd.watchdog_interval(), None);
    }

    #[test]
    fn a_lost_line_to_systemd_stops_nothing() {
        Systemd::with(|_| Err(io::Error::other("gone")), None).ready();
    }

    /// Runs the feeding beside a task that beats every 20 s for `moving`, and counts the meals in ten minutes.
    async fn meals(watchdog: Duration, moving: Duration) -> usize {
        let (socket, systemd, _directory) = listening(Some(watchdog));
        let supervisor = Supervisor::new(Shutdown::new());
        let heart = Heart::new(Clock::system());
        let tick = heart.subscribe();
        supervisor.spawn("heart", TICK * 2, move |pulse| heart.clone().run(pulse));
        supervisor.spawn("poller", Duration::from_secs(45), move |pulse| async move {
            let end = Instant::now() + moving;
            while Instant::now() < end {
                tokio::time::sleep(Duration::from_secs(20)).await;
                pulse.beat();
            }
            std::future::pending().await
        });
        let watched = supervisor.clone();
        supervisor.spawn("watchdog", TICK * 2, move |pulse| {
            systemd
                .clone()
                .feed_while_all_move(watched.clone(), tick.clone(), pulse)
        });
        let mut meals = 0;
        for _ in 0..599 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            // The socket holds only a few words that nobody reads, and then makes the speaker wait.
            meals += heard(&socket).len();
        }
        meals
    }

    #[tokio::test(start_paused = true)]
    async fn the_watchdog_is_fed_on_the_tick_while_every_task_moves() {
        let for_ever = Duration::from_secs(100_000);
        assert_eq!(meals(Duration::from_secs(120), for_ever).await, 20);
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_watchdog_is_fed_in_time() {
        let for_ever = Duration::from_secs(100_000);
        let fed = meals(Duration::from_secs(20), for_ever).await;
        assert!((60..=80).contains(&fed), "{fed}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_watchdog_goes_hungry_when_a_task_hangs() {
        // It moves for the last time at 100 s, so it is stuck from 145 s on: fed at 0, 30, 60, 90, 120.
        let fed = meals(Duration::from_secs(120), Duration::from_secs(100)).await;
        assert_eq!(fed, 5);
    }
}
