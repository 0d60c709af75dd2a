//! A box on the bench: a scratch folder with a library and settings, and the binary to type at.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use image::{Rgb, RgbImage};
use jiff::Timestamp;
use storyline::appliance::open_teams;
use storyline::config::{Config, Environment};
use storyline::flow::Flow;

/// How long a fact may take to come true.
const SOON: Duration = Duration::from_secs(20);

pub(crate) struct Bench {
    folder: tempfile::TempDir,
}

/// What was seen.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Seen {
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Both streams and the code, for a transcript.
    pub(crate) fn all(&self) -> String {
        let mut all = self.stdout.clone();
        for line in self.stderr.lines() {
            let _ = writeln!(all, "! {line}");
        }
        if self.code != 0 {
            let _ = writeln!(all, "exit {}", self.code);
        }
        all
    }
}

impl Bench {
    /// A box that has settings and an empty library, and has never run.
    pub(crate) fn new() -> Self {
        let bench = Self {
            folder: tempfile::tempdir_in("/var/tmp").unwrap(),
        };
        fs::create_dir(bench.library()).unwrap();
        bench.settings("");
        bench
    }

    /// A box with a database, a few media (two memes, a shirt, and one that is too small), and two files of no use.
    pub(crate) async fn with_media() -> Self {
        let bench = Self::new();
        bench.picture("memes/cat.png", 1080, 1920, 1);
        bench.picture("memes/dog.png", 1080, 1920, 2);
        bench.picture("merch/shirt.png", 1080, 1920, 3);
        bench.picture("merch/tiny.png", 10, 10, 4);
        fs::write(bench.library().join("memes/notes.txt"), "milk, eggs\n").unwrap();
        bench.flow().await;
        let seen = bench.type_in("media index --examine");
        assert_eq!(seen.code, 0, "{seen:?}");
        bench
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn library(&self) -> PathBuf {
        self.root().join("library")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.root().join("s.db")
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.root().join("storyline.toml")
    }

    /// Writes the settings; `more` goes below the ones that every bench has.
    pub(crate) fn settings(&self, more: &str) {
        let text = format!(
            "[library]\npath = \"{}\"\ncache = \"{}\"\n[database]\nurl = \"sqlite:{}\"\n[team]\ntimezone = \"Europe/Berlin\"\njitter_minutes = 0\n{more}",
            self.library().display(),
            self.root().join("cache").display(),
            self.database().display(),
        );
        self.write_settings(&text);
    }

    pub(crate) fn write_settings(&self, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        fs::write(self.config(), text).unwrap();
        fs::set_permissions(self.config(), fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub(crate) fn picture(&self, path: &str, width: u32, height: u32, shade: u8) {
        let path = self.library().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        RgbImage::from_pixel(width, height, Rgb([shade, 90, 200]))
            .save(path)
            .unwrap();
    }

    /// A sidecar gives a title, and is indexed.
    pub(crate) fn sidecar(&self, path: &str, title: &str) {
        let text = format!("{{\"title\": \"{title}\"}}");
        fs::write(self.library().join(path), text).unwrap();
        let seen = self.type_in("media index");
        assert_eq!(seen.code, 0, "{seen:?}");
    }

    /// The flow that the commands use, made if the box never ran.
    pub(crate) async fn flow(&self) -> Flow {
        let none = Environment::from_iter::<[(String, String); 0]>([]);
        let loaded = Config::load(Some(&self.config()), &none).unwrap();
        open_teams(&loaded.config, Timestamp::now())
            .await
            .unwrap()
            .own()
            .clone()
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_storyline"));
        command
            .env_clear()
            .env("USER", "ann")
            .arg("--config")
            .arg(self.config())
            .current_dir(self.root());
        command
    }

    /// Types a command (words between blanks) and waits for its end.
    #[track_caller]
    pub(crate) fn type_in(&self, line: &str) -> Seen {
        self.run(&line.split_whitespace().collect::<Vec<_>>())
    }

    /// Types a command where programs are found on this path.
    #[track_caller]
    pub(crate) fn with_path(&self, line: &str, path: &str) -> Seen {
        let mut command = self.command();
        command.args(line.split_whitespace()).env("PATH", path);
        self.seen(command.output().unwrap())
    }

    #[track_caller]
    pub(crate) fn run(&self, words: &[&str]) -> Seen {
        self.seen(self.command().args(words).output().unwrap())
    }

    pub(crate) fn seen(&self, output: Output) -> Seen {
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap();
            assert!(!text.contains("panicked"), "{text}");
            timeless(&text.replace(&self.root().display().to_string(), "[box]"))
        };
        Seen {
            code: output.status.code().expect("not ended by a signal"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Starts the service and waits until it works.
    pub(crate) fn serve(&self) -> Serving {
        let serving = self.serve_ill();
        self.wait_for("the service", || serving.log().contains("is at work"));
        serving
    }

    /// The service, which may not be able to work.
    pub(crate) fn serve_ill(&self) -> Serving {
        let log = self.root().join("log");
        let child = self
            .command()
            .arg("serve")
            // It looks again twice in that time.
            .env("WATCHDOG_USEC", "2000000")
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Serving { child, log }
    }

    #[track_caller]
    pub(crate) fn wait_for(&self, what: &str, mut fact: impl FnMut() -> bool) {
        let until = Instant::now() + SOON;
        while !fact() {
            let log = fs::read_to_string(self.root().join("log")).unwrap_or_default();
            assert!(Instant::now() < until, "not in time: {what}\n{log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The service; it ends with this.
pub(crate) struct Serving {
    child: Child,
    log: PathBuf,
}

impl Serving {
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every moment as `Day 0000-00-00 00:00`, so that a transcript is the same every day.
pub(crate) fn timeless(text: &str) -> String {
    const SHAPE: &str = "Day 0000-00-00 00:00";
    let is_moment = |bytes: &[u8]| {
        bytes.len() >= SHAPE.len()
            && SHAPE.bytes().zip(bytes).all(|(shape, byte)| match shape {
                b'0' => byte.is_ascii_digit(),
                letter if letter.is_ascii_alphabetic() => byte.is_ascii_alphabetic(),
                other => other == *byte,
            })
    };
    let bytes = text.as_bytes();
    let mut timeless = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if is_moment(&bytes[at..]) {
            timeless.extend_from_slice(SHAPE.as_bytes());
            at += SHAPE.len();
        } else {
            timeless.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(timeless).unwrap()
}
