//! The records of an installed box: backed up, damaged, and brought back. And its packages: what somebody changed on the way is
//! refused.

use anyhow::{Result, ensure};

use super::shell::{done, is_active, property, sh, until};

const DATABASE: &str = "/var/lib/storyline/storyline.db";

/// What root makes by hand the service can read; nobody else can.
pub(super) fn backed_up() -> Result<String> {
    let listed = sh("storyline backup list --json")?;
    ensure!(!listed.contains("_manual"), "the control: {listed}");
    let made = sh("storyline backup create --json")?;
    let name = made.split('"').find(|word| word.ends_with("_manual"));
    let name = name.unwrap_or_default().to_owned();
    let file = format!("/var/lib/storyline/backups/{name}.tar.gz");
    let owner = sh(&format!("stat -c %U:%a {file}"))?;
    ensure!(owner == "storyline:600", "{file}: {owner}");
    sh(&format!(
        "runuser -u storyline -- storyline backup verify {name}"
    ))?;
    done("a backup is made beside the service, which can read it, and nobody else");
    Ok(name)
}

/// The service starts, says what is wrong and what would help, and works again when that is done.
pub(super) fn damaged_and_brought_back(backup: &str) -> Result<()> {
    let history = sh("storyline history list --json")?;
    let well = sh("storyline check; true")?;
    ensure!(!well.contains("is damaged"), "the control: {well}");
    sh(&format!(
        "systemctl stop storyline && rm -f {DATABASE}-wal {DATABASE}-shm \
         && dd if=/dev/urandom of={DATABASE} bs=4096 seek=1 count=40 conv=notrunc status=none && systemctl start storyline"
    ))?;
    until("the status says what is wrong and what would help", || {
        let status = property("StatusText");
        status.contains("is damaged")
            && status.contains(&format!("backup restore {backup} --force"))
    })?;
    ensure!(is_active(), "it does not stay");
    ensure!(
        sh("test -S /run/storyline/health.sock").is_ok(),
        "nobody can ask it"
    );
    let before = sh(&format!("b2sum {DATABASE}"))?;
    sh("storyline check; test $? = 2")?;
    ensure!(
        sh(&format!("b2sum {DATABASE}"))? == before,
        "the damaged file was written"
    );
    sh(&format!("storyline backup restore {backup} --force"))?;
    until("it is at work again", || {
        is_active() && !property("StatusText").contains("is damaged")
    })?;
    ensure!(
        sh("storyline history list --json")? == history,
        "the history is another"
    );
    ensure!(
        sh(&format!("ls {DATABASE}.replaced-*")).is_ok(),
        "the damaged file is gone"
    );
    sh(&format!("test \"$(stat -c %U {DATABASE})\" = storyline"))?;
    done(
        "a damaged database: the service stays, names the backup, and goes on when it is restored",
    );
    Ok(())
}

/// By apt, which looks at the signature of the index and at the hashes in it.
pub(super) fn tampered_with(repository: &str) -> Result<()> {
    let update = |folder: &str| {
        sh(&format!(
            "echo 'deb [signed-by=/etc/apt/keyrings/storyline.asc] file:{folder} stable main' > /tmp/tried.list
             rm -rf /tmp/lists && mkdir /tmp/lists
             apt-get -q -o Dir::Etc::SourceList=/tmp/tried.list -o Dir::Etc::SourceParts=- -o Dir::State::Lists=/tmp/lists \\
                 -o APT::Update::Error-Mode=any update 2>&1"
        ))
    };
    sh(&format!(
        "rm -rf /tmp/changed && cp -r {repository} /tmp/changed"
    ))?;
    update("/tmp/changed").map_err(|error| error.context("the control: a true copy is taken"))?;
    sh(
        "find /tmp/changed/dists -name Release -exec sed -i 's/^Date: .*/Date: Sat, 01 Jan 2022 00:00:00 UTC/' {} + \
        && find /tmp/changed/dists -name InRelease -exec sed -i 's/^Date: .*/Date: Sat, 01 Jan 2022 00:00:00 UTC/' {} +",
    )?;
    ensure!(
        update("/tmp/changed").is_err(),
        "an index that somebody changed is taken"
    );
    sh(&format!(
        "rm -rf /tmp/changed && cp -r {repository} /tmp/changed \
         && find /tmp/changed/dists -name 'Packages*' -exec sh -c 'echo >> \"$1\"' _ {{}} \\;"
    ))?;
    ensure!(
        update("/tmp/changed").is_err(),
        "a list that somebody changed is taken"
    );
    done("apt refuses a repository that somebody changed");
    Ok(())
}
