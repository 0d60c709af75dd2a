//! `storyline setup`, as root: by options, and at a terminal that somebody leaves.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::pretend::telegram::{PretendTelegram, Status};
use super::shell::{done, is_active, media, sh, until};
use super::team::{ANN, TEAM, draw};
use super::{CREDENTIAL, LIBRARY, SETTINGS};

const DROP_IN: &str = "/etc/systemd/system/storyline.service.d/library.conf";

pub(super) fn set_up(telegram: &PretendTelegram) -> Result<()> {
    let settings = fs::read_to_string(SETTINGS)?;
    let line = "# api_url = \"https://api.telegram.org\"\n";
    ensure!(settings.contains(line), "`api_url` is in {SETTINGS}");
    let url = format!("api_url = {:?}\n", telegram.url());
    fs::write(SETTINGS, settings.replace(line, &url))?;
    // Everything as it is shipped, but sooner.
    let sooner = "[Unit]\nStartLimitIntervalSec=0\n[Service]\nWatchdogSec=6\nRestartSec=100ms\n";
    fs::create_dir_all("/etc/systemd/system/storyline.service.d")?;
    fs::write(
        "/etc/systemd/system/storyline.service.d/sooner.conf",
        sooner,
    )?;
    sh("systemctl daemon-reload")?;
    fs::write("/root/token", telegram.token())?;
    telegram.change_bot(TEAM, ANN, Status::Member);
    // In somebody's home, which others cannot go through.
    sh("install -d -m 700 -o anna /home/anna")?;
    let home = "/home/anna/stories";
    sh(&format!(
        "storyline setup --yes --token-file /root/token --chat find --window 00:00-00:00 --library {home}"
    ))?;
    let looks = [
        format!("test \"$(stat -c %U:%a {CREDENTIAL})\" = root:400"),
        format!(
            "test \"$(stat -c %G:%a {SETTINGS} {home} | xargs)\" = 'storyline:640 storyline:2775'"
        ),
        format!("grep -x 'chat = {TEAM}' {SETTINGS}"),
        format!("grep -x 'admin_chat = {ANN}' {SETTINGS}"),
        "storyline telegram test".to_owned(),
        format!("test -e {DROP_IN}"),
    ];
    for look in &looks {
        sh(look)?;
    }
    draw(&Path::new(home).join("at-home.jpg"), 1000)?;
    until("a picture in a home is indexed", || {
        media().contains("at-home.jpg")
    })?;
    sh(&format!(
        "storyline setup --yes --library {LIBRARY} && test ! -e {DROP_IN} && rm -r {home}"
    ))?;
    ensure!(
        telegram.messages(TEAM).len() == 1,
        "it says hello once: {}",
        telegram.dump()
    );
    done("set up by its command: with a library in a home, and back again");
    for number in 1..=40 {
        draw(Path::new(&format!("{LIBRARY}/memes/{number}.jpg")), number)?;
    }
    until("the pictures are ready", || {
        sh("storyline media list --ready --json").is_ok_and(|list| list.contains("40.jpg"))
    })?;
    Ok(())
}

/// At a terminal: the service makes way while the bot is awaited in another chat, and is back when somebody leaves.
pub(super) fn who_leaves_setup_leaves_all_as_it_was() -> Result<()> {
    let settings = fs::read_to_string(SETTINGS)?;
    let mut setup = Command::new("script")
        .args(["-qec", "storyline setup --chat find", "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    let mut keys = setup.stdin.take().context("keys")?;
    keys.write_all(b"\n\n")?;
    until("the service makes way", || !is_active())?;
    keys.write_all(b"\x03")?;
    until("it is at work again", is_active)?;
    let code = setup.wait()?.code();
    ensure!(code == Some(130), "it ended with {code:?}");
    ensure!(
        fs::read_to_string(SETTINGS)? == settings,
        "the settings were changed"
    );
    done("who leaves setup in the middle leaves all as it was");
    Ok(())
}

/// The service's user may write anything into the records; root does not act on it.
pub(super) fn what_only_the_records_say_is_not_done_by_root() -> Result<()> {
    let secret = "/home/anna/private";
    sh(&format!("install -d -m 700 -o anna -g anna {secret}"))?;
    let as_it_was = || {
        sh(&format!(
            "test \"$(stat -c %U:%G:%a {secret})\" = anna:anna:700"
        ))
    };
    let service = |words: &str| sh(&format!("runuser -u storyline -- storyline {words}"));
    let setup = |words: &str| sh(&format!("storyline setup --yes {words} 2>&1"));
    service(&format!("team add Other --library {secret}"))?;
    let told = setup("")?;
    ensure!(
        told.contains("is not opened to the service") && told.contains("--open"),
        "{told}"
    );
    sh(&format!("test ! -e {DROP_IN}"))?;
    setup(&format!("--open {secret}"))?;
    sh(&format!("grep -x 'BindPaths=\"-{secret}\"' {DROP_IN}"))?;
    // What root said once need not be said again.
    setup("")?;
    sh(&format!("grep -F {secret} {DROP_IN}"))?;
    as_it_was()?;
    service("team remove Other")?;
    setup("")?;
    sh(&format!("test ! -e {DROP_IN}"))?;

    sh("systemctl stop storyline")?;
    service(&format!("team set library={secret}"))?;
    let refused = sh("storyline setup --yes 2>&1; test $? = 2 && echo refused")?;
    ensure!(
        refused.ends_with("refused") && refused.contains("nobody here has said so"),
        "{refused}"
    );
    as_it_was()?;
    for place in ["/var/lib/storyline/x", "/srv/link/x", "/"] {
        sh("ln -sfn /var/lib/storyline /srv/link")?;
        let refused = service(&format!("team set library={place}"));
        ensure!(refused.is_err(), "{place} is a library now");
    }
    service(&format!("team set library={LIBRARY}"))?;
    sh("rm /srv/link && systemctl start storyline")?;
    until("it is at work again", is_active)?;
    done("what only the records say is not done by root");
    Ok(())
}
