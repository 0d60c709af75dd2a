//! The conversation at a terminal, with whoever sits there.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use super::site::{ANN, BEN, SOON, Site, TEAM};
use crate::pretend::telegram::Status;

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
        .sees("Write /start to\n@storyline_pretend_bot")
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

#[tokio::test]
async fn a_chat_without_rights_is_not_taken_and_a_topic_is_chosen_by_writing_in_it() {
    let site = Site::new().await;
    let (desk, forum) = (-1_001_000_000_008, -1_001_000_000_009);
    site.telegram.channel(desk, "Desk");
    site.telegram.bot_stands(desk, Status::Member);
    site.telegram.forum(forum, "Forum", &[(7, "Stories")]);
    site.telegram.bot_stands(forum, Status::Left);
    let mut terminal = Terminal::sit_down(&site);
    terminal.types("Folder of the pictures [", "\n").await;
    let token = format!("{}\n", site.telegram.token());
    terminal
        .types("(what you type is not shown): ", &token)
        .await;
    terminal
        .types("Now add @storyline_pretend_bot", &format!("{desk}\n"))
        .await;
    terminal.sees("hint: make it an administrator").await;
    terminal.sees("I am waiting on.").await;
    site.telegram.change_bot(forum, ANN, Status::Member);
    terminal
        .types(
            "Found “Forum”, a supergroup. Is it the team's chat? [Y/n] ",
            "\n",
        )
        .await;
    terminal.sees("It has topics. Enter takes “General”").await;
    site.telegram
        .say_in_topic(ANN, forum, 7, "/start@storyline_pretend_bot");
    terminal
        .types(
            "Somebody wrote in topic 7. Do stories go there? [Y/n] ",
            "\n",
        )
        .await;
    terminal.types("Ann (@ann) added the bot.", "\n").await;
    terminal.types("Time zone [", "\n").await;
    terminal.types("Stories a day [", "\n").await;
    terminal.types("Between which hours [", "\n").await;
    terminal.types("Shall it be so? [Y/n] ", "\n").await;
    terminal.sees("It is done.").await;
    let (code, text) = terminal.leaves().await;
    assert_eq!(code, 0, "{text}");
    let settings = site.settings();
    assert!(settings.contains("thread = 7") && settings.contains("chat = -1001000000009"));
    assert_eq!(
        site.telegram.messages(forum).last().unwrap().thread,
        Some(7)
    );
}
