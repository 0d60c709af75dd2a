//! The package as a user has it: installed by apt from the signed repository on a Debian that was just booted, with systemd,
//! journal and all. Run inside of it, as root: `appliance REPOSITORY OLDER VERSION`.
//!
//! What is looked for is looked for before there is anything to find, too: a check that passes on a machine without the
//! package is none.
#![expect(clippy::print_stdout, reason = "it talks to the person who runs it")]

#[path = "../../tests/pretend/mod.rs"]
mod pretend;
mod team;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use pretend::telegram::{Message, PretendTelegram};
use team::{ANN, TEAM, draw, messages_of_stories, open};

const LIBRARY: &str = "/srv/storyline/library";
const SETTINGS: &str = "/etc/storyline/storyline.toml";
const CREDENTIAL: &str = "/etc/credstore/storyline.telegram.token";
/// How often the service is killed while it works.
const KILLS: usize = 20;
/// How long anything may take: on an emulated machine, long.
const PATIENCE: Duration = Duration::from_secs(300);

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [repository, older, newer] = arguments.as_slice() else {
        bail!("usage: appliance REPOSITORY OLDER NEWER");
    };
    let telegram = team::gather().await;
    nothing_is_there()?;
    install(repository, older)?;
    without_a_token()?;
    anybody_of_the_group_drops_a_picture()?;
    set_up(&telegram)?;
    a_story_is_delivered_and_its_press_recorded(&telegram).await?;
    a_hanging_service_is_started_anew()?;
    killed_again_and_again(&telegram).await?;
    upgrade(newer)?;
    what_is_disabled_stays_so()?;
    remove_and_purge()?;
    println!("all is well");
    Ok(())
}

/// Each thing that is looked for later is not there yet.
fn nothing_is_there() -> Result<()> {
    for (name, look) in LOOKS {
        ensure!(
            sh(look).is_err(),
            "{name}: found on a machine without the package"
        );
    }
    done(&format!("the control: {} checks find nothing", LOOKS.len()));
    Ok(())
}

/// What is true of a machine with the package.
const LOOKS: [(&str, &str); 9] = [
    ("the program answers", "storyline --version"),
    (
        "the service is active, which it says itself",
        "systemctl is-active storyline && systemctl show -p Type storyline | grep -x Type=notify",
    ),
    ("the service is enabled", "systemctl is-enabled storyline"),
    ("the user exists", "getent passwd storyline"),
    (
        "the records belong to the user alone",
        "test \"$(stat -c %U:%a /var/lib/storyline)\" = storyline:750",
    ),
    (
        "the library belongs to the group",
        "test \"$(stat -c %G:%a /srv/storyline/library)\" = storyline:2775",
    ),
    (
        "the settings are a conffile that others cannot read",
        "dpkg-query -W -f '${Conffiles}' storyline | grep -q /etc/storyline/storyline.toml && test \"$(stat -c %a /etc/storyline/storyline.toml)\" = 640",
    ),
    (
        "the manual page is there",
        "test -e /usr/share/man/man1/storyline.1.gz",
    ),
    (
        "the journal knows it",
        "journalctl -q -u storyline -o cat | grep -q .",
    ),
];

fn install(repository: &str, version: &str) -> Result<()> {
    fs::create_dir_all("/etc/apt/keyrings")?;
    fs::copy(
        format!("{repository}/storyline.asc"),
        "/etc/apt/keyrings/storyline.asc",
    )?;
    let source =
        format!("deb [signed-by=/etc/apt/keyrings/storyline.asc] file:{repository} stable main\n");
    fs::remove_file("/etc/apt/sources.list").ok();
    fs::write("/etc/apt/sources.list.d/storyline.list", source)?;
    apt("update")?;
    apt(&format!("install storyline={version}"))?;
    for (name, look) in LOOKS {
        until(name, || sh(look).is_ok())?;
    }
    done("installed by apt from the signed repository");
    let exposure = sh(
        "systemd-analyze security storyline | sed -n 's/.*exposure level for .*: \\([0-9.]*\\).*/\\1/p'",
    )?;
    ensure!(
        exposure.parse::<f64>()? <= 1.3,
        "systemd finds it exposed: {exposure}"
    );
    done(&format!("its exposure is {exposure}"));
    Ok(())
}

fn without_a_token() -> Result<()> {
    until("the status says what is missing", || {
        property("StatusText").contains("token")
    })?;
    done("without a token it says what is missing");
    Ok(())
}

/// As over SFTP: by another user, who is in the group.
fn anybody_of_the_group_drops_a_picture() -> Result<()> {
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

fn set_up(telegram: &PretendTelegram) -> Result<()> {
    fs::create_dir_all("/etc/credstore")?;
    fs::write(CREDENTIAL, telegram.token())?;
    sh(&format!("chmod 400 {CREDENTIAL}"))?;
    let mut settings = fs::read_to_string(SETTINGS)?;
    for (key, value) in team::settings(telegram.url()) {
        let line = settings
            .lines()
            .find(|line| line.starts_with(&format!("# {key} =")));
        let line = line
            .with_context(|| format!("`{key}` is in {SETTINGS}"))?
            .to_owned();
        settings = settings.replace(&format!("{line}\n"), &format!("{key} = {value}\n"));
    }
    fs::write(SETTINGS, settings)?;
    // Everything as it is shipped, but sooner.
    let sooner = "[Unit]\nStartLimitIntervalSec=0\n[Service]\nWatchdogSec=6\nRestartSec=100ms\n";
    fs::create_dir_all("/etc/systemd/system/storyline.service.d")?;
    fs::write(
        "/etc/systemd/system/storyline.service.d/sooner.conf",
        sooner,
    )?;
    sh("systemctl daemon-reload && systemctl restart storyline")?;
    for number in 1..=40 {
        draw(Path::new(&format!("{LIBRARY}/memes/{number}.jpg")), number)?;
    }
    until("the pictures are ready", || {
        sh("storyline media list --ready --json").is_ok_and(|list| list.contains("40.jpg"))
    })?;
    Ok(())
}

async fn a_story_is_delivered_and_its_press_recorded(telegram: &PretendTelegram) -> Result<()> {
    ensure!(
        sh("storyline history list --json")?.trim() == "[]",
        "the control: nothing was posted"
    );
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
    Ok(())
}

fn a_hanging_service_is_started_anew() -> Result<()> {
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

async fn killed_again_and_again(telegram: &PretendTelegram) -> Result<()> {
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

fn upgrade(version: &str) -> Result<()> {
    let (before, history) = (main_pid()?, sh("storyline history list --json")?);
    let mut settings = fs::read_to_string(SETTINGS)?;
    settings.push_str("# edited here\n");
    fs::write(SETTINGS, &settings)?;
    apt("install storyline")?;
    let now = sh("dpkg-query -W -f '${Version}' storyline")?;
    ensure!(now == version, "{now} is installed");
    until("it is at work again", || {
        main_pid().is_ok_and(|pid| pid != before) && is_active()
    })?;
    ensure!(
        fs::read_to_string(SETTINGS)? == settings,
        "the settings were changed"
    );
    ensure!(
        sh("storyline history list --json")? == history,
        "the history was changed"
    );
    done("an upgrade starts it anew, and keeps the records and the edited settings");
    Ok(())
}

fn what_is_disabled_stays_so() -> Result<()> {
    sh("systemctl disable --now storyline")?;
    apt("install --reinstall storyline")?;
    ensure!(!is_active(), "it was started");
    ensure!(
        sh("systemctl is-enabled storyline").is_err(),
        "it was enabled"
    );
    sh("systemctl enable --now storyline")?;
    until("it is at work again", is_active)?;
    done("what is disabled stays so");
    Ok(())
}

fn remove_and_purge() -> Result<()> {
    let running = format!("/proc/{}", main_pid()?);
    ensure!(Path::new(&running).exists(), "the control: it runs");
    apt("remove storyline")?;
    ensure!(!Path::new(&running).exists(), "it still runs");
    let database = Path::new("/var/lib/storyline/storyline.db");
    ensure!(
        database.exists() && Path::new(SETTINGS).exists(),
        "records or settings are gone"
    );
    done("removed, it is stopped, and the records and settings stay");
    let told = apt("purge storyline")?;
    ensure!(
        told.contains(LIBRARY),
        "where the pictures are is not told: {told}"
    );
    for gone in [
        "/var/lib/storyline",
        "/var/cache/storyline",
        "/etc/storyline",
        CREDENTIAL,
    ] {
        ensure!(!Path::new(gone).exists(), "{gone} is still there");
    }
    ensure!(
        Path::new(LIBRARY).join("memes/first.jpg").exists(),
        "the pictures are gone"
    );
    done("purged, nothing is left but the pictures, and it says where they are");
    Ok(())
}

/// Has the next story sent, and returns its message.
async fn next(telegram: &PretendTelegram) -> Result<Message> {
    let before = open(telegram).len();
    sh("storyline queue next")?;
    until("the story is in the chat", || open(telegram).len() > before)?;
    open(telegram).pop().context("a story")
}

fn media() -> String {
    sh("storyline media list --json").unwrap_or_default()
}

fn posted() -> usize {
    sh("storyline history list --json").map_or(0, |list| list.matches("\"posted\"").count())
}

fn is_active() -> bool {
    sh("systemctl is-active storyline").is_ok()
}

fn property(name: &str) -> String {
    sh(&format!("systemctl show --value -p {name} storyline")).unwrap_or_default()
}

fn main_pid() -> Result<String> {
    let pid = property("MainPID");
    ensure!(pid != "0" && !pid.is_empty(), "it does not run");
    Ok(pid)
}

fn apt(what: &str) -> Result<String> {
    sh(&format!(
        "DEBIAN_FRONTEND=noninteractive apt-get -q -y {what} 2>&1"
    ))
}

/// What a command prints; its words on stderr, if it fails.
fn sh(command: &str) -> Result<String> {
    let output = Command::new("/bin/sh")
        .args(["-c", command])
        .output()
        .context("no shell")?;
    let text = String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned();
    ensure!(
        output.status.success(),
        "`{command}`: {}\n{text}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(text)
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) -> Result<()> {
    let began = Instant::now();
    while !is_so() {
        if began.elapsed() > PATIENCE {
            let log =
                sh("journalctl -q -u storyline -o cat -n 20; systemctl status storyline; true")
                    .unwrap_or_default();
            bail!("{what}: not within {PATIENCE:?}\n{log}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn done(what: &str) {
    println!("ok  {what}");
}
