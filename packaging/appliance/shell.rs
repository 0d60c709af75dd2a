//! What is typed on the machine, and what is seen there.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// How long anything may take: on an emulated machine, long.
const PATIENCE: Duration = Duration::from_secs(300);

pub(super) fn media() -> String {
    sh("storyline media list --json").unwrap_or_default()
}

pub(super) fn is_active() -> bool {
    sh("systemctl is-active storyline").is_ok()
}

pub(super) fn property(name: &str) -> String {
    sh(&format!("systemctl show --value -p {name} storyline")).unwrap_or_default()
}

pub(super) fn main_pid() -> Result<String> {
    let pid = property("MainPID");
    ensure!(pid != "0" && !pid.is_empty(), "it does not run");
    Ok(pid)
}

pub(super) fn apt(what: &str) -> Result<String> {
    sh(&format!(
        "DEBIAN_FRONTEND=noninteractive apt-get -q -y {what} 2>&1 < /dev/null"
    ))
}

/// What a command prints; its words on stderr, if it fails.
pub(super) fn sh(command: &str) -> Result<String> {
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

pub(super) fn until(what: &str, mut is_so: impl FnMut() -> bool) -> Result<()> {
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

pub(super) fn done(what: &str) {
    println!("ok  {what}");
}

/// What this machine gives no way to try; it must not look as if it were well.
pub(super) fn not_tried(what: &str) {
    println!("NOT TRIED  {what}");
}
