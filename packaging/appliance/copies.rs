//! A backup leaves the box, encrypted, for a stick that somebody plugged in.

use std::fs;

use anyhow::{Result, ensure};

use super::SETTINGS;
use super::shell::{done, sh};

const STICK: &str = "/media/stick";
const UNIT: &str = "/run/systemd/system/copy.service";

/// By what runs under the very rules that the service does: on this system, with its `age`, and this stick.
pub(super) fn leave_the_box_encrypted() -> Result<()> {
    sh(&format!(
        "mkdir -p {STICK} && mount -t tmpfs none {STICK} && install -d -o storyline {STICK}/backups"
    ))?;
    let key = sh("storyline backup key")?;
    ensure!(key.starts_with("AGE-SECRET-KEY-"), "it shows no key");
    fs::write("/root/key", &key)?;
    sh(&format!(
        "sed -i 's|^# copy_to = .*|copy_to = \"{STICK}/backups\"|' {SETTINGS} && storyline config show | grep '{STICK}'"
    ))?;
    let unit = sh(
        "cat /usr/lib/systemd/system/storyline.service || cat /lib/systemd/system/storyline.service",
    )?;
    let is_of_a_service = |line: &&str| {
        ["Restart=", "WatchdogSec=", "StartLimit", "After="]
            .iter()
            .any(|name| line.starts_with(name))
    };
    let unit: Vec<&str> = unit.lines().filter(|line| !is_of_a_service(line)).collect();
    let unit = unit
        .join("\n")
        .replace("storyline serve", "storyline backup copy")
        .replace("Type=notify", "Type=oneshot")
        .replace("RuntimeDirectory=storyline", "RuntimeDirectory=copy")
        .replace("%t/storyline", "%t/copy");
    fs::create_dir_all("/run/systemd/system")?;
    fs::write(UNIT, &unit)?;
    let copy = || sh("systemctl daemon-reload && systemctl start copy");
    ensure!(
        copy().is_err(),
        "the control: it writes where it was not let"
    );
    let told = sh("journalctl -q -u copy -o cat")?;
    ensure!(told.contains("ReadWritePaths"), "it says only: {told}");

    fs::write(
        UNIT,
        unit + &format!("\n[Service]\nReadWritePaths=-{STICK}\n"),
    )?;
    copy()?;
    let held = sh(&format!(
        "age --decrypt -i /root/key {STICK}/backups/*.tar.gz.age | tar -tz"
    ))?;
    ensure!(held.contains("storyline.db"), "it holds only: {held}");
    ensure!(
        sh(&format!("tar -tzf {STICK}/backups/*.tar.gz.age")).is_err(),
        "it is not encrypted"
    );
    let places = "/etc/storyline /var/lib/storyline /var/cache/storyline /var/log /run";
    ensure!(
        sh(&format!("grep -rqaF -f /root/key {places}")).is_err(),
        "the private key is on the box"
    );
    done("a backup leaves the box for a stick, encrypted, under the service's own rules");
    Ok(())
}

/// What is missing in root's eyes may be there in the eyes of somebody who must not look.
pub(super) fn a_secret_of_roots_keeps_nobody_from_working() -> Result<()> {
    let anna = || sh("runuser -u anna -- storyline media list");
    anna()?;
    sh(&format!(
        "cp {SETTINGS} /root/settings && sed -i -e 's|^# s3_url = .*|s3_url = \"http://127.0.0.1:9/bucket\"|' \
         -e 's|^# s3_access_key = .*|s3_access_key = \"box\"|' {SETTINGS}"
    ))?;
    let missing = sh("storyline config check 2>&1; test $? = 78 && echo missing")?;
    ensure!(
        missing.ends_with("missing") && missing.contains("s3_secret_key"),
        "the control: {missing}"
    );
    sh(
        "chmod 700 /etc/credstore && echo canary | install -m 400 /dev/stdin /etc/credstore/storyline.backup.s3_secret_key",
    )?;
    sh("storyline config check")?;
    anna()?;
    let refused = sh("runuser -u storyline -- storyline serve 2>&1; test $? = 78 && echo refused")?;
    ensure!(refused.ends_with("refused"), "it serves without: {refused}");
    sh(&format!(
        "cp /root/settings {SETTINGS} && rm /etc/credstore/storyline.backup.s3_secret_key"
    ))?;
    done("a secret that is root's alone keeps nobody of the group from working");
    Ok(())
}
