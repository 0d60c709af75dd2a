//! `storyline setup` with a file of settings of one's own, against the pretend Telegram: by options, and at a terminal.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use insta::assert_snapshot;

use crate::pretend::telegram::{Fault, PretendTelegram, Status};

const TEAM: i64 = -1_001_000_000_001;
const ANN: i64 = 11;
const BEN: i64 = 12;
const SOON: Duration = Duration::from_secs(20);

/// A folder in which nothing is but a token and the way to Telegram.
struct Site {
    folder: tempfile::TempDir,
    telegram: PretendTelegram,
}

impl Site {
    async fn new() -> Self {
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

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn settings(&self) -> String {
        fs::read_to_string(self.path("s.toml")).unwrap()
    }

    fn setup(&self, options: &str) -> Command {
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
    async fn run(&self, options: &str) -> String {
        let child = self.setup(options).spawn().unwrap();
        self.end(child).await
    }

    async fn end(&self, child: Child) -> String {
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

    async fn is_asked(&self) {
        let asks = |state: &crate::pretend::telegram::State| {
            let mut calls = state.calls.iter();
            calls.find(|call| call.method == "getUpdates").map(drop)
        };
        self.telegram.wait_for(asks, SOON).await;
    }
}

fn rights(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn options_say_all_and_the_chat_is_found_when_the_bot_is_added() {
    let site = Site::new().await;
    let options = "--yes --token-file token --chat find --posts-per-day 4 --window 10:00-20:00";
    let child = site.setup(options).spawn().unwrap();
    site.is_asked().await;
    site.telegram.change_bot(TEAM, ANN, Status::Member);
    assert_snapshot!(site.end(child).await, @r"
    !
    ! It is done. @storyline_pretend_bot brings 4 a day, 10:00-20:00, Europe/Berlin, to “Team stories”, a supergroup, and said hello there.
    ! Next: start it: `storyline --config [box]/s.toml serve`
    ! Then put pictures into folders of [box]/library.
    ");
    assert_snapshot!(site.settings().replace(&site.folder.path().display().to_string(), "[box]").replace(site.telegram.url(), "[telegram]"), @r#"
    # ours
    [library]
    path = "[box]/library"
    cache = "[box]/cache"
    [database]
    url = "sqlite:[box]/s.db"
    [telegram] # who
    token_file = "[box]/telegram.token"
    admin_chat = 11
    chat = -1001000000001
    api_url = "[telegram]"

    [team]
    window_end = "20:00"
    window_start = "10:00"
    posts_per_day = 4
    timezone = "Europe/Berlin"
    "#);
    assert_eq!(rights(&site.path("telegram.token")), 0o400);
    assert!(site.path("library").is_dir());
    assert_snapshot!(site.telegram.messages(TEAM)[0].text, @r"
    👋 Hello! I am Storyline, and bring your stories here: 4 a day, 10:00-20:00, Europe/Berlin. The first comes as soon as there are pictures in the library.
    Post it to Instagram, and press the button below it that says so; the others are for when you would rather not. /help tells what else I can do.
    ");
    assert_eq!(site.telegram.messages(ANN).len(), 1);
    // What people did is still there for the service.
    assert_eq!(site.telegram.updates_waiting(), 1);

    // Said again, nothing changes, and nobody is greeted twice.
    let before = site.settings();
    let again = site.run("--yes --json").await;
    assert!(again.contains("\"posts_per_day\": 4"), "{again}");
    assert_eq!(site.settings(), before);
    assert_eq!(site.telegram.messages(TEAM).len(), 1);
    assert_eq!(site.telegram.messages(ANN).len(), 1);
    site.telegram.assert_no_unexpected_calls();
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_told_and_nothing_is_changed() {
    let site = Site::new().await;
    site.telegram.change_bot(TEAM, ANN, Status::Member);
    fs::write(site.path("wrong"), "123456:AAwrong").unwrap();
    fs::write(site.path("empty"), "\n").unwrap();
    fs::write(site.path("odd"), "hello").unwrap();
    let before = site.settings();
    let mut told = String::new();
    for options in [
        "",
        "--yes --chat find",
        "--token 123456:AAcanary",
        "--token-file none --chat -1",
        "--token-file empty --chat -1",
        "--token-file odd --chat -1",
        "--token-file wrong --chat -1",
        "--token-file token --chat team",
        "--token-file token --chat -1",
        "--token-file token --chat -1001000000001 --timezone Europe/Berln",
        "--token-file token --chat -1001000000001 --posts-per-day many",
        "--token-file token --chat -1001000000001 --window 9",
        "--library pictures --token-file token --chat -1001000000001",
        "--library s.toml --token-file token --chat -1001000000001",
    ] {
        let options = options.replace("s.toml", &site.path("s.toml").display().to_string());
        let heard = site.run(&options).await;
        told.push_str(&format!("$ {options}\n{heard}"));
    }
    let told = told.replace(&site.folder.path().display().to_string(), "[box]");
    assert_snapshot!(told, @"");
    assert!(!told.contains("\n! AAcanary"), "{told}");
    assert_eq!(site.settings(), before);
    assert!(!site.path("telegram.token").exists() && !site.path("library").exists());
    assert_eq!(site.telegram.messages(TEAM).len(), 0);
}

#[tokio::test]
async fn a_token_comes_by_stdin_too_and_never_makes_way_for_an_empty_one() {
    let site = Site::new().await;
    site.telegram.change_bot(TEAM, ANN, Status::Member);
    let mut child = site
        .setup(&format!("--token-file - --chat {TEAM} --admin {BEN}"))
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(site.telegram.token().as_bytes()).unwrap();
    drop(stdin);
    let heard = site.end(child).await;
    assert!(heard.contains("It is done."), "{heard}");
    assert!(site.settings().contains(&format!("admin_chat = {BEN}")));

    fs::write(site.path("empty"), " \n").unwrap();
    let heard = site.run("--token-file empty").await;
    assert!(heard.contains("exit 2"), "{heard}");
    let kept = fs::read_to_string(site.path("telegram.token")).unwrap();
    assert_eq!(kept.trim(), site.telegram.token());
}

#[tokio::test]
async fn another_program_that_hears_in_its_place_is_told_of() {
    let site = Site::new().await;
    site.telegram
        .inject(Fault::Conflict.on("getUpdates").times(3));
    let heard = site.run("--token-file token --chat find").await;
    assert_snapshot!(heard, @"");
}

#[tokio::test]
async fn what_the_team_decided_later_is_proposed_and_what_is_answered_now_counts() {
    let site = Site::new().await;
    site.telegram.change_bot(TEAM, ANN, Status::Member);
    let heard = site
        .run(&format!(
            "--token-file token --chat {TEAM} --posts-per-day 4"
        ))
        .await;
    assert!(heard.contains("brings 4 a day"), "{heard}");
    let settings = storyline::config::Config::load(
        Some(&site.path("s.toml")),
        &storyline::config::Environment::default(),
    );
    let config = settings.unwrap().config;
    let teams = storyline::appliance::open_teams(&config, jiff::Timestamp::now())
        .await
        .unwrap();
    let flow = teams.own();
    let by = storyline::domain::audit::By::terminal("Ann");
    let posts = storyline::domain::setting::Setting::PostsPerDay;
    flow.set(posts, "6".to_owned(), by, jiff::Timestamp::now())
        .await
        .unwrap();

    let heard = site.run("--yes").await;
    assert!(heard.contains("brings 6 a day"), "{heard}");
    assert!(site.settings().contains("posts_per_day = 4"));
    // The file says four already, and the service has read that: it is decided anew.
    let heard = site.run("--yes --posts-per-day 4").await;
    assert!(heard.contains("brings 4 a day"), "{heard}");
    assert_eq!(flow.settings().await.unwrap().posts_per_day, 4);
}

/// The program at a terminal, and what is seen there.
struct Terminal {
    child: Child,
    keys: Option<ChildStdin>,
    seen: PathBuf,
    at: usize,
}

impl Terminal {
    fn sit_down(site: &Site) -> Self {
        let seen = site.path("seen");
        let command = format!("{} --config s.toml setup", env!("CARGO_BIN_EXE_storyline"));
        let mut child = Command::new("script")
            .args([
                "--quiet",
                "--flush",
                "--return",
                "--command",
                &command,
                "/dev/null",
            ])
            .env("TZ", "Europe/Berlin")
            .env("SHELL", "/bin/sh")
            .current_dir(site.folder.path())
            .stdin(Stdio::piped())
            .stdout(fs::File::create(&seen).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .expect("script(1), of util-linux");
        let keys = child.stdin.take();
        Self {
            child,
            keys,
            seen,
            at: 0,
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.seen).unwrap()).replace('\r', "")
    }

    /// Waits until this is said, after what was awaited before.
    async fn sees(&mut self, words: &str) {
        let until = Instant::now() + SOON;
        loop {
            let text = self.text();
            if let Some(found) = text[self.at..].find(words) {
                self.at += found + words.len();
                return;
            }
            assert!(Instant::now() < until, "`{words}` is not said:\n{text}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn types(&mut self, question: &str, keys: &str) {
        self.sees(question).await;
        let stdin = self.keys.as_mut().unwrap();
        stdin.write_all(keys.as_bytes()).unwrap();
        stdin.flush().unwrap();
    }

    async fn leaves(mut self) -> (i32, String) {
        let until = Instant::now() + SOON;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code().unwrap(), self.text());
            }
            assert!(Instant::now() < until, "it does not end:\n{}", self.text());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn a_conversation_at_the_terminal_sets_up_the_box() {
    let site = Site::new().await;
    site.telegram.forum(-1_001_000_000_009, "Others", &[]);
    site.telegram.bot_stands(-1_001_000_000_009, Status::Left);
    let mut terminal = Terminal::sit_down(&site);
    terminal
        .types("Folder of the pictures [", "pictures\n")
        .await;
    terminal.types("the path must be absolute", "").await;
    terminal.types("Folder of the pictures [", "\n").await;
    terminal.types("@BotFather", "").await;
    terminal
        .types("(what you type is not shown): ", "123456:AAwrong\n")
        .await;
    terminal.sees("Telegram refuses the bot's token").await;
    let token = format!("{}\n", site.telegram.token());
    terminal
        .types("(what you type is not shown): ", &token)
        .await;
    terminal.sees("It is @storyline_pretend_bot").await;
    terminal.sees("Now add @storyline_pretend_bot").await;
    site.telegram
        .change_bot(-1_001_000_000_009, BEN, Status::Member);
    terminal
        .types(
            "Found “Others”, a supergroup. Is it the team's chat? [Y/n] ",
            "n\n",
        )
        .await;
    site.telegram.change_bot(TEAM, BEN, Status::Member);
    terminal
        .types(
            "Found “Team stories”, a supergroup. Is it the team's chat? [Y/n] ",
            "\n",
        )
        .await;
    terminal
        .types(
            "Ben (@ben) added the bot. Do alerts go to them, and is the box theirs? [Y/n] ",
            "n\n",
        )
        .await;
    terminal
        .sees("Write /start to @storyline_pretend_bot")
        .await;
    site.telegram.say(ANN, ANN, "/start");
    terminal
        .types("Ann (@ann) wrote. Is it you? [Y/n] ", "y\n")
        .await;
    terminal.types("Time zone [Europe/Berlin]: ", "\n").await;
    terminal.types("Stories a day [3]: ", "99\n").await;
    terminal.sees("it must be 1 to 50").await;
    terminal.types("Stories a day [3]: ", "2\n").await;
    terminal
        .types("Between which hours [09:00-21:00]: ", "9:00-18:30\n")
        .await;
    assert!(!site.settings().contains("posts_per_day"));
    terminal.types("Shall it be so? [Y/n] ", "\n").await;
    terminal.sees("It is done.").await;
    let (code, text) = terminal.leaves().await;
    assert_eq!(code, 0, "{text}");
    let secret = site.telegram.token().split_once(':').unwrap().1;
    assert!(
        !text.contains(secret) && !text.contains("AAwrong"),
        "{text}"
    );
    let settings = site.settings();
    for line in [
        "admin_chat = 11",
        "posts_per_day = 2",
        "window_end = \"18:30\"",
        "chat = -1001000000001",
    ] {
        assert!(settings.contains(line), "{line}: {settings}");
    }
    assert_eq!(site.telegram.messages(TEAM).len(), 1);
    assert_eq!(site.telegram.messages(-1_001_000_000_009).len(), 0);
}

#[tokio::test]
async fn who_leaves_in_the_middle_leaves_all_as_it_was() {
    let site = Site::new().await;
    fs::remove_file(site.path("s.toml")).unwrap();
    for leave in ["\u{3}", "\u{4}"] {
        let mut terminal = Terminal::sit_down(&site);
        terminal.types("Folder of the pictures [", "\n").await;
        terminal
            .types("(what you type is not shown): ", leave)
            .await;
        terminal.sees("Nothing was changed.").await;
        let (code, text) = terminal.leaves().await;
        assert_eq!(code, 130, "{text}");
        assert!(!site.path("s.toml").exists() && !site.path("library").exists());
    }
}
