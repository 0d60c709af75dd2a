//! The real program as systemd sees it: it says when it is ready, feeds the watchdog, ends when told, and loses nothing when
//! it is killed.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

#[path = "process/gone.rs"]
mod gone;
#[path = "process/mute.rs"]
mod mute;
#[path = "support/namespaces.rs"]
mod namespaces;
#[path = "pretend/mod.rs"]
mod pretend;

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pretend::telegram::{PretendTelegram, Status};
use tempfile::TempDir;

const TEAM: i64 = -1_001_000_000_001;
const ANN: i64 = 11;
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder with a config, a library of pictures, and a chat.
struct Site {
    telegram: PretendTelegram,
    folder: TempDir,
    socket: UnixDatagram,
}

impl Site {
    /// `window` is the team's hours, as two `HH:MM`.
    async fn new(pictures: u32, posts_per_day: u32, window: (String, String)) -> Self {
        let telegram = PretendTelegram::start().await;
        telegram.person(ANN, "Ann");
        telegram.supergroup(TEAM, "Team stories");
        telegram.member(TEAM, ANN, Status::Administrator);
        let folder = tempfile::tempdir_in("/var/tmp").unwrap();
        let library = folder.path().join("library/memes");
        std::fs::create_dir_all(&library).unwrap();
        for number in 0..pictures {
            draw(&library.join(format!("{number}.png")), number);
        }
        let text = format!(
            "[library]\npath = \"{root}/library\"\ncache = \"{root}/cache\"\n[database]\nurl = \"sqlite:{root}/storyline.db\"\n[telegram]\n\
             token = \"{token}\"\napi_url = \"{url}\"\nchat = {TEAM}\n[team]\nposts_per_day = {posts_per_day}\n\
             window_start = \"{start}\"\nwindow_end = \"{end}\"\njitter_minutes = 0\n",
            root = folder.path().display(),
            token = telegram.token(),
            url = telegram.url(),
            start = window.0,
            end = window.1,
        );
        std::fs::write(folder.path().join("storyline.toml"), text).unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self {
            telegram,
            folder,
            socket,
        }
    }

    fn config(&self) -> std::path::PathBuf {
        self.folder.path().join("storyline.toml")
    }

    fn serve(&self) -> Daemon {
        self.serve_watched("2000000")
    }

    /// The same, with a watchdog that waits for so many microseconds.
    fn serve_watched(&self, watchdog: &str) -> Daemon {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))
            .unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_storyline"));
        let serving = self.serving(&mut command);
        let watched = serving.env("WATCHDOG_USEC", watchdog);
        Daemon(watched.stderr(log).spawn().unwrap())
    }

    /// The program, however it is started, as systemd would run it.
    fn serving<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .arg("--config")
            .arg(self.config())
            .arg("serve")
            .env("NOTIFY_SOCKET", self.folder.path().join("notify"))
            .env("WATCHDOG_USEC", "2000000")
            .env("RUNTIME_DIRECTORY", self.folder.path())
            .env_remove("JOURNAL_STREAM")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Waits until systemd would hear this.
    fn hear(&self, wanted: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut buffer = [0; 4096];
        while Instant::now() < deadline {
            let Ok(length) = self.socket.recv(&mut buffer) else {
                break;
            };
            let said = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if said.contains(wanted) {
                return said;
            }
        }
        panic!("`{wanted}` was not heard\n{}", self.log());
    }

    /// What the service answers, and with which code, when it is asked by another's program.
    fn get(&self, path: &str) -> (u16, String) {
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--write-out", "%{http_code}"])
            .arg("--unix-socket")
            .arg(self.folder.path().join("health.sock"))
            .arg(format!("http://storyline{path}"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, code) = text.split_at(text.len() - 3);
        (code.parse().unwrap(), body.to_owned())
    }

    /// What the command line answers, as JSON.
    fn ask(&self, words: &[&str]) -> serde_json::Value {
        let output = Command::new(env!("CARGO_BIN_EXE_storyline"))
            .arg("--config")
            .arg(self.config())
            .args(words)
            .arg("--json")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

struct Daemon(Child);

impl Daemon {
    fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.0.id().to_string())
            .status();
        assert!(status.unwrap().success());
    }

    /// How often a thread of it that waited went on; those that have ended take their counts with them.
    fn wake_ups(&self) -> u64 {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.0.id())).unwrap();
        let counts = threads.flatten().filter_map(|thread| {
            let status = std::fs::read_to_string(thread.path().join("status")).ok()?;
            let mut lines = status.lines();
            let line = lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
            line.trim().parse::<u64>().ok()
        });
        counts.sum()
    }

    /// Waits for the end; returns how it ended and how long that took.
    fn end(&mut self) -> (Option<i32>, Duration) {
        let began = Instant::now();
        (self.0.wait().unwrap().code(), began.elapsed())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn draw(path: &Path, number: u32) {
    let [red, green, blue, _] = number.wrapping_mul(0x9e37_79b9).to_le_bytes();
    image::RgbImage::from_pixel(270, 480, image::Rgb([red, green, blue]))
        .save(path)
        .unwrap();
}

/// From this minute on, for so many minutes.
fn window_from_now(minutes: i64) -> (String, String) {
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    let end = now.saturating_add(jiff::Span::new().minutes(minutes));
    (
        now.strftime("%H:%M").to_string(),
        end.strftime("%H:%M").to_string(),
    )
}

fn all_day() -> (String, String) {
    ("00:00".to_owned(), "00:00".to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_that_it_is_ready_feeds_the_watchdog_and_ends_when_told() {
    let site = Site::new(3, 3, all_day()).await;
    let mut daemon = site.serve();
    site.hear("READY=1");
    site.hear("STATUS=");
    site.hear("WATCHDOG=1");
    site.hear("WATCHDOG=1");
    daemon.signal("TERM");
    site.hear("STOPPING=1");
    let (code, took) = daemon.end();
    assert_eq!(code, Some(0), "{}", site.log());
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(!site.log().contains(site.telegram.token()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_box_sleeps() {
    // Nothing is due before the test is over.
    let far = |hours: i64| {
        let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
        let then = now.saturating_add(jiff::Span::new().hours(hours));
        then.strftime("%H:%M").to_string()
    };
    let site = Site::new(3, 1, (far(6), far(8))).await;
    let daemon = site.serve_watched("120000000");
    site.hear("STATUS=At work");
    // The first beat comes half a minute after the start, and has everybody look.
    tokio::time::sleep(Duration::from_secs(40)).await;
    let before = daemon.wake_ups();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let wake_ups = daemon.wake_ups().saturating_sub(before);
    // There are two beats in it, and a poll that ends: some 16 on an idle machine. One timer more, or one loop that looks at
    // its rows by every beat, is seen.
    assert!(wake_ups <= 40, "{wake_ups} wake-ups a minute");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_one_on_the_same_database_says_so_and_ends() {
    let site = Site::new(1, 3, all_day()).await;
    let _first = site.serve();
    site.hear("READY=1");
    let mut second = site.serve();
    let (code, _) = second.end();
    assert_eq!(code, Some(1));
    assert!(
        site.log().contains("another storyline is running on"),
        "{}",
        site.log()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_network_at_its_start_it_works_all_the_same() {
    let site = Site::new(2, 3, all_day()).await;
    site.telegram.go_offline().await;
    let mut daemon = site.serve();
    site.hear("READY=1");
    let deadline = Instant::now() + PATIENCE;
    while site
        .ask(&["media", "list", "--ready"])
        .as_array()
        .unwrap()
        .len()
        < 2
    {
        assert!(Instant::now() < deadline, "{}", site.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    site.telegram.come_back().await;
    site.telegram.say(ANN, TEAM, "/status");
    site.telegram
        .wait_for(
            |state| {
                let messages = state.messages(TEAM);
                messages
                    .iter()
                    .any(|message| message.text.contains("Posted today"))
                    .then_some(())
            },
            Duration::from_secs(60),
        )
        .await;
    daemon.signal("TERM");
    assert_eq!(daemon.end().0, Some(0));
}

/// Slots come every two seconds and a half, Ann presses whatever she sees, and the box is killed again and again in the
/// middle of it.
#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_it_loses_no_press_and_doubles_no_story() {
    let site = Site::new(60, 50, window_from_now(2)).await;
    let mut noted: BTreeSet<i64> = BTreeSet::new();
    let mut pressed: BTreeSet<i64> = BTreeSet::new();
    for round in 0_u64..15 {
        let mut daemon = site.serve();
        site.hear("READY=1");
        // A different instant each time, between the steps of whatever it does.
        let until = Instant::now() + Duration::from_millis(300 + round * 997 % 2400);
        while Instant::now() < until {
            for message in site.telegram.messages(TEAM) {
                let open = message.button("✅ Posted").is_some();
                if message.is_from_bot() && open && pressed.insert(message.id) {
                    site.telegram.press(ANN, TEAM, message.id, "✅ Posted");
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        daemon.signal("KILL");
        daemon.end();
        noted.extend(noted_presses(&site));
    }

    // Left in peace for a while, it finishes what can be finished.
    let mut daemon = site.serve();
    site.hear("READY=1");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let history = site.ask(&["history", "list", "--limit", "1000"]);
        let posted = outcomes(&history, "posted");
        noted.extend(noted_presses(&site));
        if posted >= noted.len() && !noted.is_empty() {
            break;
        }
        assert!(
            Instant::now() < deadline,
            "{posted} of {} noted presses\n{}",
            noted.len(),
            site.log()
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    daemon.signal("TERM");
    assert_eq!(daemon.end().0, Some(0));

    let history = site.ask(&["history", "list", "--limit", "1000"]);
    let numbers: Vec<u64> = history
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| entry["number"].as_u64())
        .collect();
    let once: BTreeSet<u64> = numbers.iter().copied().collect();
    assert_eq!(numbers.len(), once.len(), "a story ended twice");

    let mut messages: BTreeMap<String, u32> = BTreeMap::new();
    for message in site.telegram.messages(TEAM) {
        if let Some(sign) = message
            .text
            .split_whitespace()
            .find(|word| word.starts_with('#'))
        {
            *messages.entry(sign.to_owned()).or_default() += 1;
        }
    }
    assert!(
        messages.len() >= 5,
        "the test saw too little: {messages:?}\n{}",
        site.log()
    );
    assert!(messages.values().all(|count| *count <= 2), "{messages:?}");
    assert!(!site.log().contains("panicked"), "{}", site.log());
    assert!(!site.log().contains(site.telegram.token()));

    let check = rusqlite::Connection::open(site.folder.path().join("storyline.db")).unwrap();
    let sound: String = check
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(sound, "ok");
}

/// The presses that Ann was told are noted; from then on they must never be lost.
fn noted_presses(site: &Site) -> BTreeSet<i64> {
    let answers = site.telegram.answers();
    answers
        .iter()
        .enumerate()
        .filter(|(_, answer)| {
            answer
                .text
                .as_deref()
                .is_some_and(|text| text.contains("Noted as posted"))
        })
        .map(|(index, _)| i64::try_from(index).unwrap())
        .collect()
}

fn outcomes(history: &serde_json::Value, outcome: &str) -> usize {
    let entries = history.as_array().unwrap().iter();
    entries.filter(|entry| entry["outcome"] == outcome).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_by_http_hears_what_a_check_finds() {
    let site = Site::new(3, 3, all_day()).await;
    let _daemon = site.serve();
    site.hear("STATUS=At work");
    // Its pictures are indexed in the first moments.
    let deadline = Instant::now() + PATIENCE;
    let health: serde_json::Value = loop {
        let (code, health) = site.get("/health");
        if code == 200 {
            break serde_json::from_str(&health).unwrap();
        }
        assert!(Instant::now() < deadline, "{code} {health}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let subjects: Vec<&str> = health["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["subject"].as_str().unwrap())
        .collect();
    for subject in [
        "database", "service", "clock", "library", "media", "disk", "backups",
    ] {
        assert!(subjects.contains(&subject), "{subject}: {health}");
    }
    let (code, metrics) = site.get("/metrics");
    assert_eq!(code, 200);
    for line in [
        "# TYPE storyline_media gauge",
        "storyline_media{team=\"Storyline\",state=\"all\"} 3",
        "storyline_stories{team=\"Storyline\",outcome=\"posted\"} 0",
        "storyline_task_restarts_total{task=\"index\"} 0",
    ] {
        assert!(metrics.lines().any(|one| one == line), "{line}\n{metrics}");
    }
    assert!(!(metrics + &health.to_string()).contains(site.telegram.token()));

    std::fs::remove_dir_all(site.folder.path().join("library")).unwrap();
    let (code, health) = site.get("/health");
    assert_eq!(code, 503, "{health}");
    assert!(health.contains("is not there"), "{health}");
    assert_eq!(site.get("/other").0, 404);
}
