//! A box that is not set up yet, and the pretend Telegram.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::pretend::telegram::{PretendTelegram, Status};

pub(crate) const TEAM: i64 = -1_001_000_000_001;
pub(crate) const ANN: i64 = 11;
pub(crate) const BEN: i64 = 12;
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A folder in which nothing is but a token and the way to Telegram.
pub(crate) struct Site {
    pub(super) folder: tempfile::TempDir,
    pub(crate) telegram: PretendTelegram,
}

impl Site {
    pub(crate) async fn new() -> Self {
        let telegram = PretendTelegram::start().await;
        for (person, name) in [(ANN, "Ann"), (BEN, "Ben")] {
            telegram.person(person, name);
            telegram.private_chat(person);
        }
        telegram.supergroup(TEAM, "Team stories");
        telegram.member(TEAM, ANN, Status::Administrator);
        telegram.bot_stands(TEAM, Status::Left);
        let site = Self {
            folder: tempfile::tempdir().unwrap(),
            telegram,
        };
        fs::write(site.path("token"), format!("{}\n", site.telegram.token())).unwrap();
        let url = site.telegram.url();
        fs::write(
            site.path("s.toml"),
            format!(
                "# ours\n[library]\npath = \"{0}/library\"\ncache = \"{0}/cache\"\n[database]\nurl = \"sqlite:{0}/s.db\"\n\
                 [telegram] # who\napi_url = \"{url}\"\n",
                site.folder.path().display()
            ),
        )
        .unwrap();
        site
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn settings(&self) -> String {
        fs::read_to_string(self.path("s.toml")).unwrap()
    }

    pub(crate) fn setup(&self, options: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_storyline"));
        command
            .env_clear()
            .env("USER", "ann")
            .env("TZ", "Europe/Berlin")
            .current_dir(self.folder.path())
            .args(["--config", "s.toml", "setup"])
            .args(options.split_whitespace())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// What is said, and the code.
    pub(crate) async fn run(&self, options: &str) -> String {
        let child = self.setup(options).spawn().unwrap();
        self.end(child).await
    }

    pub(crate) async fn end(&self, child: Child) -> String {
        let output = tokio::task::spawn_blocking(move || child.wait_with_output())
            .await
            .unwrap()
            .unwrap();
        let mut all = String::from_utf8(output.stdout).unwrap();
        for line in String::from_utf8(output.stderr).unwrap().lines() {
            all.push_str(&format!("! {line}\n"));
        }
        if !output.status.success() {
            all.push_str(&format!("exit {}\n", output.status.code().unwrap()));
        }
        let secret = self.telegram.token().split_once(':').unwrap().1;
        assert!(!all.contains(secret), "{all}");
        all.replace(&self.folder.path().display().to_string(), "[box]")
    }

    pub(crate) async fn is_asked(&self) {
        let asks = |state: &crate::pretend::telegram::State| {
            let mut calls = state.calls.iter();
            calls.find(|call| call.method == "getUpdates").map(drop)
        };
        self.telegram.wait_for(asks, SOON).await;
    }
}
