//! The service at work: it indexes, sends and records; it is hung, and killed again and again.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::pretend::telegram::{Message, PretendTelegram};
use super::shell::{done, is_active, main_pid, media, not_tried, property, sh, until};
use super::team::{ANN, TEAM, draw, messages_of_stories, open};
use super::{LIBRARY, journal};

/// How often the service is killed while it works.
const KILLS: usize = 20;

pub(super) fn without_a_token() -> Result<()> {
    until("the status says what is missing", || {
        property("StatusText").contains("token")
    })?;
    done("without a token it says what is missing");
    Ok(())
}

/// As over SFTP: by another user, who is in the group.
pub(super) fn anybody_of_the_group_drops_a_picture() -> Result<()> {
    sh("useradd --groups storyline anna")?;
    let control = sh("storyline media list --json").context("the program beside the service")?;
    ensure!(!control.contains("first.jpg"), "{control}");
    draw(Path::new("/tmp/first.jpg"), 0)?;
    sh("chmod 644 /tmp/first.jpg")?;
    sh(&format!(
        "runuser -u anna -- sh -c 'umask 002; mkdir {LIBRARY}/memes && cp /tmp/first.jpg {LIBRARY}/memes/'"
    ))?;
    until("the picture is indexed", || {
        media().contains("memes/first.jpg")
    })?;
    done("what somebody of the group drops is indexed, without a token");
    Ok(())
}

pub(super) async fn a_story_is_delivered_and_its_press_recorded(
    telegram: &PretendTelegram,
) -> Result<()> {
    ensure!(
        sh("storyline history list --json")?.trim() == "[]",
        "the control: nothing was posted"
    );
    journal::tells_nothing()?;
    let story = next(telegram).await?;
    let look = "journalctl -q -u storyline STORY=1 OUTCOME=posted -o cat | grep -q .";
    ensure!(
        sh(look).is_err(),
        "the control: the journal knows of no outcome yet"
    );
    telegram.press(ANN, TEAM, story.id, "Posted");
    until("the press is on record", || {
        sh("storyline history list --json").is_ok_and(|list| list.contains("\"posted\""))
    })?;
    until("the journal tells of it, by its fields", || {
        sh(look).is_ok()
    })?;
    let entry = sh("journalctl -q -u storyline STORY=1 OUTCOME=posted PERSON=Ann -o json")?;
    ensure!(entry.contains("\"TEAM\":"), "whose it is: {entry}");
    let logged = sh("journalctl -q -u storyline -o export")? + &sh("systemctl show storyline")?;
    ensure!(
        !logged.contains(telegram.token()),
        "the token is in the log"
    );
    done("a story is delivered, its press recorded, and the journal tells both by their fields");
    journal::tells_a_life()?;
    Ok(())
}

pub(super) fn a_hanging_service_is_started_anew() -> Result<()> {
    let (hanging, began) = (main_pid()?, Instant::now());
    ensure!(
        property("NRestarts") == "0",
        "the control: it was not started anew yet"
    );
    sh(&format!("kill -STOP {hanging}"))?;
    until("it is started anew", || {
        main_pid().is_ok_and(|pid| pid != hanging) && is_active()
    })?;
    let tells = sh("journalctl -q -u storyline -o cat | grep -i watchdog")?;
    ensure!(!tells.is_empty(), "the journal tells why");
    done(&format!(
        "a service that hangs is started anew, after {:.0?}",
        began.elapsed()
    ));
    Ok(())
}

/// What converts pictures runs in the service's own group, and may take all the memory of it.
pub(super) fn a_child_that_eats_all_memory_ends_alone() -> Result<()> {
    ensure!(
        property("OOMPolicy") == "continue",
        "{}",
        property("OOMPolicy")
    );
    let (pid, most) = (main_pid()?, property("MemoryMax"));
    let group = property("ControlGroup");
    let folders = [
        (format!("/sys/fs/cgroup{group}"), "memory.max"),
        (
            format!("/sys/fs/cgroup/memory{group}"),
            "memory.limit_in_bytes",
        ),
    ];
    let limits = |(folder, limit): &&(String, &str)| {
        sh(&format!("cat {folder}/{limit}")).is_ok_and(|is| is == most)
    };
    let Some((folder, _)) = folders.iter().find(limits) else {
        not_tried(
            "a child that eats all memory ends alone: this kernel gives systemd no memory groups",
        );
        return Ok(());
    };
    let killed = sh(&format!(
        "sh -c 'echo $$ > {folder}/cgroup.procs && exec tail /dev/zero'; echo $?"
    ))?;
    ensure!(killed.ends_with("137"), "it ended with {killed}");
    std::thread::sleep(Duration::from_secs(3));
    ensure!(
        main_pid()? == pid && is_active(),
        "the service ended as well"
    );
    done("a child that eats all memory ends alone");
    Ok(())
}

pub(super) async fn killed_again_and_again(telegram: &PretendTelegram) -> Result<()> {
    let mut pressed = 1;
    for round in 0..KILLS {
        draw(
            Path::new(&format!("{LIBRARY}/memes/late{round}.jpg")),
            100 + round,
        )?;
        sh("storyline queue next")?;
        if round % 4 == 0 {
            let open = open(telegram);
            if let Some(story) = open.first() {
                telegram.press(ANN, TEAM, story.id, "Posted");
                pressed += 1;
            }
        }
        tokio::time::sleep(Duration::from_millis(37 * (round as u64 % 11))).await;
        let killed = main_pid()?;
        sh(&format!("kill -KILL {killed}"))?;
        until("it is at work again", || {
            main_pid().is_ok_and(|pid| pid != killed) && is_active()
        })?;
    }
    until("all pictures are indexed", || {
        (0..KILLS).all(|round| media().contains(&format!("memes/late{round}.jpg")))
    })?;
    until("all presses are on record", || posted() == pressed)?;
    let database = "/var/lib/storyline/storyline.db";
    let integrity = sh(&format!(
        "sqlite3 {database} 'PRAGMA integrity_check; PRAGMA foreign_key_check'"
    ))?;
    ensure!(integrity.trim() == "ok", "{integrity}");
    let twice = sh(&format!(
        "sqlite3 {database} 'SELECT story_id FROM history GROUP BY story_id HAVING COUNT(*) > 1'"
    ))?;
    ensure!(twice.is_empty(), "two outcomes: {twice}");
    let messages = messages_of_stories(telegram);
    let most = messages.values().max().copied().unwrap_or_default();
    ensure!((1..=2).contains(&most), "messages of a story: {messages:?}");
    done(&format!(
        "killed {KILLS} times while it works: the records are whole, {pressed} presses of {pressed} on record, \
         {} stories with {most} messages at most",
        messages.len()
    ));
    Ok(())
}

/// Has the next story sent, and returns its message.
async fn next(telegram: &PretendTelegram) -> Result<Message> {
    let before = open(telegram).len();
    sh("storyline queue next")?;
    until("the story is in the chat", || open(telegram).len() > before)?;
    open(telegram).pop().context("a story")
}

fn posted() -> usize {
    sh("storyline history list --json").map_or(0, |list| list.matches("\"posted\"").count())
}
