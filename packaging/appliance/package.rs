//! The package: what is true of a machine that has it and of none other; its upgrade, and its end.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

use super::shell::{apt, done, is_active, main_pid, sh, until};
use super::{CREDENTIAL, LIBRARY, SETTINGS};

/// Each thing that is looked for later is not there yet.
pub(super) fn nothing_is_there() -> Result<()> {
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
const LOOKS: [(&str, &str); 10] = [
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
        "the settings are no conffile, and others cannot read them",
        "! dpkg-query -W -f '${Conffiles}' storyline | grep -q . && test \"$(stat -c %U:%G:%a /etc/storyline/storyline.toml)\" = root:storyline:640",
    ),
    (
        "the changelog points to a file that is there",
        "test -e \"$(zcat /usr/share/doc/storyline/changelog*.gz | grep -o '/usr/share/doc/[^ ]*gz')\"",
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

pub(super) fn add_repository(repository: &str) -> Result<()> {
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
    Ok(())
}

pub(super) fn install(version: &str) -> Result<()> {
    apt(&format!("install storyline={version}"))?;
    for (name, look) in LOOKS {
        until(name, || sh(look).is_ok())?;
    }
    done("installed by apt from the signed repository");
    exposed_at_most("storyline", 1.3)
}

/// How much systemd finds that a unit may do: 0 is nothing, 10 all.
pub(super) fn exposed_at_most(unit: &str, most: f64) -> Result<()> {
    let exposure = sh(&format!(
        "systemd-analyze security {unit} | sed -n 's/.*exposure level for .*: \\([0-9.]*\\).*/\\1/p'"
    ))?;
    ensure!(
        exposure.parse::<f64>()? <= most,
        "systemd finds {unit} exposed: {exposure}"
    );
    done(&format!("the exposure of {unit} is {exposure}"));
    Ok(())
}

pub(super) fn what_is_disabled_stays_so() -> Result<()> {
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

pub(super) fn remove_and_purge(version: &str) -> Result<()> {
    apt(&format!("install storyline={version}"))?;
    until("it is at work", || is_active() && main_pid().is_ok())?;
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
