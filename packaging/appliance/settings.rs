//! The file of settings through the package's life: made once, the owner's from then on, and asked about by nobody.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

use super::SETTINGS;
use super::shell::{apt, done, is_active, main_pid, sh, until};

/// How upgrades are made where nobody sits: by hand, by a script, and as `unattended-upgrades` does.
const WAYS: [&str; 3] = [
    "",
    "-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold",
    "-o Dpkg::Options::=--force-confnew",
];

fn is_installed(version: &str) -> Result<()> {
    let now = sh("dpkg-query -W -f '${db:Status-Abbrev}${Version}' storyline")?;
    ensure!(now == format!("ii {version}"), "{now} is installed");
    Ok(())
}

/// A package that had it as a conffile makes way for one that has not, whether it was changed or not.
pub(super) fn what_was_a_conffile_is_the_owners(conffile: &str, newer: &str) -> Result<()> {
    for (way, is_changed) in [(WAYS[0], false), (WAYS[0], true), (WAYS[1], true)] {
        apt(&format!("install storyline={conffile}"))?;
        let is_conffile = "dpkg-query -W -f '${Conffiles}' storyline | grep storyline.toml";
        sh(is_conffile)?;
        let mut settings = fs::read_to_string(SETTINGS)?;
        ensure!(settings.contains("of an older version"), "{settings}");
        if is_changed {
            settings = settings.replace("# posts_per_day = 3", "posts_per_day = 4");
            fs::write(SETTINGS, &settings)?;
        }
        apt(&format!("{way} install storyline={newer}"))?;
        is_installed(newer)?;
        ensure!(
            fs::read_to_string(SETTINGS)? == settings,
            "the settings were changed"
        );
        let beside = sh("ls -A /etc/storyline")?;
        ensure!(beside == "storyline.toml", "beside them lies: {beside}");
        let shown = sh("storyline config show --json")?;
        ensure!(
            !is_changed || shown.contains("storyline.toml:"),
            "they are not read: {shown}"
        );
        sh("systemctl stop storyline")?;
        apt("purge storyline")?;
        ensure!(
            !Path::new("/etc/storyline").exists(),
            "they are still there"
        );
    }
    done("settings that were a conffile go through an upgrade, changed and unchanged");
    Ok(())
}

/// What the older package has as its example is another than the newer one's; `setup` has written the file in between.
pub(super) fn an_upgrade_asks_nobody(older: &str, newer: &str) -> Result<()> {
    let history = sh("storyline history list --json")?;
    let mut settings = fs::read_to_string(SETTINGS)?;
    settings.push_str("# edited here\n");
    fs::write(SETTINGS, &settings)?;
    for way in WAYS {
        let before = main_pid()?;
        let example = sh("cat /usr/share/storyline/storyline.toml")?;
        apt(&format!("{way} install storyline={newer}"))?;
        is_installed(newer)?;
        ensure!(
            sh("cat /usr/share/storyline/storyline.toml")? != example,
            "the control: the example is another"
        );
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
        if way != WAYS[WAYS.len() - 1] {
            apt(&format!("--allow-downgrades install storyline={older}"))?;
            until("the older one is at work", is_active)?;
        }
    }
    done("an upgrade starts it anew, asks nobody, and keeps the records and the edited settings");
    // Who wants no file has none after an upgrade either.
    fs::rename(SETTINGS, "/root/settings-kept")?;
    apt("install --reinstall storyline")?;
    ensure!(!Path::new(SETTINGS).exists(), "it was made anew");
    fs::rename("/root/settings-kept", SETTINGS)?;
    sh("systemctl restart storyline")?;
    until("it is at work again", is_active)
}

pub(super) fn an_ordinary_user_is_told_to_use_sudo() -> Result<()> {
    for command in [
        "check",
        "config show",
        "config check",
        "team list",
        "media list",
    ] {
        let told = sh(&format!(
            "runuser -u nobody -- storyline {command} 2>&1; true"
        ))?;
        ensure!(told.contains("with `sudo`"), "{command}: {told}");
    }
    done("an ordinary user is told to use sudo");
    Ok(())
}
