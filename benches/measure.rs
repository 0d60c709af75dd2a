//! What the program costs, measured on the real binary: `measure BINARY [--pictures N] [--idle SECONDS] [--stories N] [--presses]`.
//!
//! It draws a library of pictures, indexes it beside `b3sum` (if that is installed), scans it again, and then runs the daemon
//! on it against the stand-in for Telegram: resident memory, processor time, wake-ups and disk writes of an idle minute, the
//! time from a start to its readiness, from a closed file to its row, from a slot's moment to the chat and to the picture with
//! its buttons, and from a press to its row; and what a story writes. These are figures to look at and to compare side by side,
//! not tests: machines differ, and are noisy. With `--stories` or `--presses` only those are measured.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that tells figures"
)]

#[path = "crowd.rs"]
mod crowd;
#[path = "pictures.rs"]
mod pictures;
#[path = "../tests/pretend/mod.rs"]
mod pretend;
#[path = "process.rs"]
mod process;
#[path = "stories.rs"]
mod stories;

use std::fs;
use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pictures::{draw_library, picture};
use pretend::telegram::{PretendTelegram, Status};
use process::{Cost, resident_kb};
use rusqlite::{Connection, OpenFlags};

const TEAM: i64 = -1_001_000_000_001;
const ANN: i64 = 11;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str, default: u64| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1))
            .map_or(default, |text| text.parse().expect("a number"))
    };
    let Some(binary) = arguments.first().filter(|first| !first.starts_with('-')) else {
        eprintln!(
            "usage: measure BINARY [--pictures N] [--idle SECONDS] [--stories N] [--presses]"
        );
        std::process::exit(2);
    };
    let pictures = usize::try_from(option("--pictures", 3000)).expect("a count");
    if arguments.iter().any(|argument| argument == "--presses") {
        return crowd::presses_in_a_scan(Path::new(binary), pictures).await;
    }
    let stories = usize::try_from(option("--stories", 25)).expect("a count");
    let site = Site::new(Path::new(binary)).await;
    println!(
        "binary: {:.2} MB",
        fs::metadata(binary).expect("the binary").len() as f64 / 1e6
    );
    let bytes = draw_library(&site.library(), pictures);
    println!("library: {pictures} pictures, {:.2} GB", bytes as f64 / 1e9);

    if arguments.iter().any(|argument| argument == "--stories") {
        return stories::dues_and_presses(&site, stories).await;
    }
    index(&site);
    let mut daemon = site.serve(site.telegram_config(3, ("00:00".into(), "00:00".into())));
    let database = site.database();
    let began = Instant::now();
    examined(&database);
    println!(
        "examining {pictures} pictures: {:.1} s, in the background",
        began.elapsed().as_secs_f64()
    );
    first_backup(&daemon, &site);
    idle(&daemon, &site, Duration::from_secs(option("--idle", 60)));
    drops(&site, &database);
    site.stop(&mut daemon);
    starts(
        &site,
        &site.telegram_config(3, ("00:00".into(), "00:00".into())),
    );

    stories::dues_and_presses(&site, stories).await;
    crowd::presses_in_a_scan(Path::new(binary), pictures).await;
}

/// Processor time of indexing, and of an unchanged scan, beside `b3sum` on the same files, in turn.
fn index(site: &Site) {
    let files = format!(
        "find {} -type f -print0 | xargs -0 b3sum > /dev/null",
        site.library().display()
    );
    let has_b3sum = Command::new("b3sum").arg("--version").output().is_ok();
    let config = site.telegram_config(3, ("00:00".into(), "00:00".into()));
    let run = format!(
        "{} --config {} media index >/dev/null 2>&1",
        site.binary.display(),
        config.display()
    );
    // The command makes no database of its own: the service does, at its first start.
    let mut first = site.serve(config);
    site.wait_for_database();
    site.stop(&mut first);
    let forget = "DELETE FROM files; DELETE FROM stories; DELETE FROM history; DELETE FROM media; DELETE FROM runs";
    let (mut sums, mut firsts, mut again) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..5 {
        if has_b3sum {
            sums.push(cpu_seconds(&files));
        }
        let database =
            Connection::open(site.folder.path().join("storyline.db")).expect("a database");
        database.execute_batch(forget).expect("an empty database");
        drop(database);
        firsts.push(cpu_seconds(&run));
        again.push(cpu_seconds(&run));
    }
    println!(
        "indexing: {:.3} s of CPU (median of 5)",
        median(&mut firsts)
    );
    if has_b3sum {
        println!(
            "  b3sum:  {:.3} s; ratio {:.2}",
            median(&mut sums),
            median(&mut firsts) / median(&mut sums)
        );
    } else {
        println!("  b3sum is not installed; `cargo install b3sum` for the comparison");
    }
    println!(
        "unchanged scan: {:.0} ms of CPU (median of 5)",
        median(&mut again) * 1e3
    );
}

/// The one that every box makes soon after its first start.
fn first_backup(daemon: &Child, site: &Site) {
    let before = Cost::of(daemon.id());
    let folder = site.folder.path().join("backups");
    let made = || {
        let is_made = |name: &str| name.ends_with(".tar.gz");
        let mut names = fs::read_dir(&folder).ok()?.flatten();
        names.find(|file| file.file_name().to_str().is_some_and(is_made))
    };
    let began = Instant::now();
    let file = loop {
        match made() {
            Some(file) => break file,
            None => std::thread::sleep(Duration::from_secs(1)),
        }
        assert!(
            began.elapsed() < Duration::from_secs(600),
            "no backup is made"
        );
    };
    std::thread::sleep(Duration::from_secs(5)); // it is put on record
    let cost = Cost::of(daemon.id()) - before;
    println!(
        "the first backup, and all until then: {} bytes to the disk; the file has {}",
        cost.to_disk,
        file.metadata().expect("a file").len()
    );
}

/// Memory, processor time, wake-ups and writes while nothing happens.
fn idle(daemon: &Child, site: &Site, time: Duration) {
    let (before, files) = (Cost::of(daemon.id()), site.database_files());
    std::thread::sleep(time);
    let cost = Cost::of(daemon.id()) - before;
    let are_untouched = site.database_files() == files;
    let (day, minute) = (86_400 / time.as_secs(), 60.0 / time.as_secs_f64());
    println!(
        "idle: {:.1} MB resident",
        resident_kb(daemon.id()) as f64 / 1e3
    );
    println!(
        "  in {} s: {:.0} ms of CPU, {:.0} wake-ups a minute, {} bytes to the disk ({} a day), database files {}",
        time.as_secs(),
        cost.cpu * 1e3,
        cost.wake_ups as f64 * minute,
        cost.to_disk,
        cost.to_disk * day,
        if are_untouched {
            "untouched"
        } else {
            "CHANGED"
        }
    );
}

/// From the start of the process to its word that it can work, with the whole library on record.
fn starts(site: &Site, config: &Path) {
    let path = site.folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    let mut times = Vec::new();
    for _ in 0..20 {
        let mut service = site.service(config);
        service.env("NOTIFY_SOCKET", &path);
        let began = Instant::now();
        let mut daemon = service.spawn().expect("the binary runs");
        let mut word = [0; 512];
        loop {
            let length = socket.recv(&mut word).expect("a word");
            if word[..length].starts_with(b"READY=1") {
                break;
            }
        }
        times.push(began.elapsed().as_secs_f64());
        site.stop(&mut daemon);
        socket.set_nonblocking(true).expect("a socket");
        while socket.recv(&mut word).is_ok() {}
        socket.set_nonblocking(false).expect("a socket");
    }
    tell("start to READY", &mut times);
}

/// The time from the close of a new file to its row.
fn drops(site: &Site, database: &Connection) {
    let mut times = Vec::new();
    let mut row = database
        .prepare("SELECT COUNT(*) FROM files WHERE path = ?1 AND state = 'whole'")
        .expect("a query");
    for number in 0..200 {
        let path = format!("memes/drop-{number}.jpg");
        let bytes = picture(1_000_000 + number, 600_000);
        let mut file = fs::File::create(site.library().join(&path)).expect("a file");
        file.write_all(&bytes).expect("room on the disk");
        drop(file);
        let closed = Instant::now();
        while row
            .query_row([&path], |row| row.get::<_, i64>(0))
            .expect("an answer")
            == 0
        {
            std::thread::sleep(Duration::from_micros(200));
            assert!(
                closed.elapsed() < Duration::from_secs(10),
                "{path} was not indexed"
            );
        }
        times.push(closed.elapsed().as_secs_f64());
        std::thread::sleep(Duration::from_millis(30));
    }
    tell("closed file to row", &mut times);
}

struct Site {
    binary: PathBuf,
    folder: tempfile::TempDir,
    telegram: PretendTelegram,
}

impl Site {
    async fn new(binary: &Path) -> Self {
        let telegram = PretendTelegram::start().await;
        telegram.person(ANN, "Ann");
        telegram.private_chat(ANN);
        telegram.supergroup(TEAM, "Team stories");
        telegram.member(TEAM, ANN, Status::Administrator);
        Self {
            binary: binary.canonicalize().expect("the binary"),
            folder: tempfile::tempdir().expect("a folder"),
            telegram,
        }
    }

    fn library(&self) -> PathBuf {
        self.folder.path().join("library")
    }

    fn telegram_config(&self, posts_per_day: u32, (start, end): (String, String)) -> PathBuf {
        let root = self.folder.path().display();
        let path = self.folder.path().join("storyline.toml");
        let text = format!(
            "[library]\npath = \"{root}/library\"\ncache = \"{root}/cache\"\n[database]\nurl = \"sqlite:{root}/storyline.db\"\n[telegram]\n\
             token = \"{}\"\napi_url = \"{}\"\nchat = {TEAM}\nadmin_chat = {ANN}\n[team]\nposts_per_day = {posts_per_day}\njitter_minutes = 0\n\
             window_start = \"{start}\"\nwindow_end = \"{end}\"\n",
            self.telegram.token(),
            self.telegram.url(),
        );
        fs::write(&path, text).expect("a config");
        path
    }

    fn serve(&self, config: PathBuf) -> Child {
        self.service(&config).spawn().expect("the binary runs")
    }

    fn service(&self, config: &Path) -> Command {
        let log = fs::File::create(self.folder.path().join("log")).expect("a log");
        let mut service = Command::new(&self.binary);
        service.arg("--config").arg(config).arg("serve");
        // What is unpacked for a moment is in memory, as the unit has it.
        service.env("TMPDIR", "/dev/shm");
        service.stdin(Stdio::null()).stderr(log);
        service
    }

    fn wait_for_database(&self) {
        let log = self.folder.path().join("log");
        while !fs::read_to_string(&log)
            .expect("a log")
            .contains("is at work")
        {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn stop(&self, daemon: &mut Child) {
        let _ = Command::new("kill").arg(daemon.id().to_string()).status();
        let _ = daemon.wait();
    }

    fn database(&self) -> Connection {
        let path = self.folder.path().join("storyline.db");
        let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .expect("a database");
        database
            .busy_timeout(Duration::from_secs(5))
            .expect("a time-out");
        database
    }

    fn database_files(&self) -> Vec<(u64, std::time::SystemTime)> {
        ["", "-wal"]
            .iter()
            .filter_map(|suffix| {
                fs::metadata(self.folder.path().join(format!("storyline.db{suffix}"))).ok()
            })
            .map(|file| (file.len(), file.modified().expect("a time")))
            .collect()
    }
}

/// Waits until all pictures that were drawn may be sent.
fn examined(database: &Connection) {
    let mut left = database
        .prepare("SELECT COUNT(*) = 0 OR COUNT(*) > COUNT(examined_at) FROM media")
        .expect("a query");
    while left
        .query_row([], |row| row.get::<_, bool>(0))
        .expect("an answer")
    {
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// User and system time of a shell command and its children, in seconds.
fn cpu_seconds(command: &str) -> f64 {
    let timed = format!("TIMEFORMAT='%3U %3S'; time {{ {command}; }}");
    let output = Command::new("bash")
        .args(["-c", &timed])
        .output()
        .expect("bash");
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().last().expect("a time");
    line.split_whitespace()
        .map(|part| part.parse::<f64>().expect("seconds"))
        .sum()
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn tell(what: &str, times: &mut [f64]) {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize] * 1e3;
    println!(
        "{what}: median {:.1} ms, p99 {:.1} ms, longest {:.1} ms, of {}",
        at(0.5),
        at(0.99),
        at(1.0),
        times.len()
    );
}
