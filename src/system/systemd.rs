//! What systemd is told: that the service can work, what it is doing, that it stops, and, for the watchdog, that every
//! task moves. Without systemd all of it does nothing, and a systemd that does not listen keeps nobody waiting: what it has to
//! know is told again.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::nudge::{TICK, Tick};
use super::supervisor::{BoxError, Pulse, Stuck, Supervisor};
use crate::system::lock::lock;

/// The watchdog's food. A meal that was missed is not made up for: by then a task may hang.
const MEAL: &str = "WATCHDOG=1";

type Send = dyn Fn(&str) -> io::Result<()> + std::marker::Send + Sync;

/// The line to systemd. Clones share it.
#[derive(Clone)]
pub struct Systemd(Arc<Inner>);

struct Inner {
    send: Box<Send>,
    watchdog: Option<Duration>,
    status: Mutex<String>,
    /// What systemd did not take yet, in order.
    owed: Mutex<Vec<String>>,
}

impl Systemd {
    /// The one this process was given, by `NOTIFY_SOCKET` and `WATCHDOG_USEC`.
    #[must_use]
    pub fn new() -> Self {
        let socket = std::env::var_os("NOTIFY_SOCKET").filter(|socket| !socket.is_empty());
        let send = move |word: &str| match &socket {
            Some(socket) => speak(socket, word),
            None => Ok(()),
        };
        Self::with(send, watchdog())
    }

    /// One whose watchdog wants to be fed within `watchdog`, and how often it was.
    #[cfg(test)]
    pub(crate) fn counting(watchdog: Duration) -> (impl Fn() -> usize, Self) {
        let meals = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counted = Arc::clone(&meals);
        let send = move |_: &str| {
            counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Ok(())
        };
        let count = move || meals.load(std::sync::atomic::Ordering::Relaxed);
        (count, Self::with(send, Some(watchdog)))
    }

    /// One that sends through `send`, where the watchdog wants to be fed within `watchdog`.
    fn with(
        send: impl Fn(&str) -> io::Result<()> + std::marker::Send + Sync + 'static,
        watchdog: Option<Duration>,
    ) -> Self {
        Self(Arc::new(Inner {
            send: Box::new(send),
            watchdog,
            status: Mutex::default(),
            owed: Mutex::default(),
        }))
    }

    /// Says that the service can work.
    pub fn ready(&self) {
        self.tell("READY=1".to_owned());
    }

    /// Says in plain words what the service is doing; sent only when it changes.
    pub fn status(&self, text: &str) {
        // A line break would begin another assignment.
        let text = text.lines().collect::<Vec<_>>().join(" ");
        let mut last = lock(&self.0.status);
        if *last != text {
            self.tell(format!("STATUS={text}"));
            *last = text;
        }
    }

    /// Says that the service stops.
    pub fn stopping(&self) {
        self.tell("STOPPING=1".to_owned());
    }

    /// How often to feed the watchdog: half of the time it waits. `None` without a watchdog.
    #[must_use]
    pub fn watchdog_interval(&self) -> Option<Duration> {
        self.0.watchdog.map(|longest| longest / 2)
    }

    /// Feeds the watchdog.
    pub fn feed(&self) {
        self.make_up();
        if self.0.watchdog.is_some() {
            self.send(MEAL);
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
        let half = self.watchdog_interval().unwrap_or(TICK * 2);
        // Two ticks long, it is fed on the tick, and a timer would only come a moment before that.
        let interval = if half < TICK { half } else { half + half / 2 };
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

    /// Tells systemd what it has to know: now, or as soon as it listens.
    fn tell(&self, word: String) {
        let topic = |word: &str| word.split('=').next().map(str::to_owned);
        let mut owed = lock(&self.0.owed);
        owed.retain(|old| topic(old) != topic(&word));
        owed.push(word);
        drop(owed);
        self.make_up();
    }

    /// Tells what is owed, as far as systemd listens.
    fn make_up(&self) {
        let mut owed = lock(&self.0.owed);
        let told = owed.iter().take_while(|word| self.send(word)).count();
        owed.drain(..told);
    }

    /// False if systemd does not listen just now; what it can never be told counts as told.
    fn send(&self, word: &str) -> bool {
        match (self.0.send)(word) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!("systemd could not be told `{word}`: {error}");
                error.kind() != ErrorKind::WouldBlock
            }
        }
    }
}

/// Says a word to the socket that systemd named, and waits for nobody.
fn speak(socket: &OsStr, word: &str) -> io::Result<()> {
    let line = UnixDatagram::unbound()?;
    line.set_nonblocking(true)?;
    match socket.as_bytes().strip_prefix(b"@") {
        Some(name) => line.connect_addr(&SocketAddr::from_abstract_name(name)?)?,
        None => line.connect(socket)?,
    }
    line.send(word.as_bytes()).map(drop)
}

/// How long the watchdog waits for its food, if there is one and it watches this process.
fn watchdog() -> Option<Duration> {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let microseconds = number("WATCHDOG_USEC").filter(|of| *of > 0)?;
    let is_ours =
        number("WATCHDOG_PID").is_none_or(|process| process == u64::from(std::process::id()));
    is_ours.then(|| Duration::from_micros(microseconds))
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

    /// A socket as systemd has it, in place of the one that `NOTIFY_SOCKET` names, and the line to it.
    fn listening(watchdog: Option<Duration>) -> (UnixDatagram, Systemd, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_nonblocking(true).unwrap();
        let send = move |word: &str| speak(path.as_os_str(), word);
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
                "STATUS=Waiting for a token",
                "READY=1",
                "STATUS=Idle",
                "STOPPING=1"
            ]
        );
        assert_eq!(systemd.watchdog_interval(), None);
    }

    #[test]
    fn a_lost_line_to_systemd_stops_nothing() {
        Systemd::with(|_| Err(io::Error::other("gone")), None).ready();
    }

    #[test]
    fn a_systemd_that_does_not_listen_keeps_nobody_waiting_and_is_told_later() {
        let (socket, systemd, _directory) = listening(Some(Duration::from_secs(60)));
        // More than any socket holds.
        (0..2000).for_each(|_| systemd.feed());
        systemd.status("Waiting");
        systemd.ready();
        systemd.status("At work");
        let held = heard(&socket);
        assert!(held.len() < 2000 && held.iter().all(|word| word == MEAL));
        systemd.feed();
        assert_eq!(heard(&socket), ["READY=1", "STATUS=At work", MEAL]);
    }

    #[test]
    fn a_socket_without_a_path_is_spoken_to() {
        let name = format!("storyline-{}", std::process::id());
        let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap());
        let socket = socket.unwrap();
        speak(OsStr::new(&format!("@{name}")), "READY=1").unwrap();
        socket.set_nonblocking(true).unwrap();
        assert_eq!(heard(&socket), ["READY=1"]);
    }

    /// Runs the feeding beside a task that beats every 20 s for `moving`, and counts the meals in ten minutes.
    async fn meals(watchdog: Duration, moving: Duration) -> usize {
        let (socket, systemd, _directory) = listening(Some(watchdog));
        let supervisor = Supervisor::new(Shutdown::new());
        let heart = Heart::new(Clock::system());
        let tick = heart.subscribe();
        supervisor.spawn("heart", TICK * 2, move |pulse| {
            heart.clone().run(async || Some(()), pulse)
        });
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
