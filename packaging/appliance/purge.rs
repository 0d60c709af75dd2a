//! A removal and a purge on a machine where the service's user has laid links, and people have left files of their own.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

use super::shell::{apt, done, sh};
use super::{CREDENTIAL, LIBRARY};

/// What the service's user, who may write there, can lay before root comes.
const HOSTILE: &str = r"
set -e
rm -rf /var/lib/storyline/backups /var/lib/storyline/.storyline-backup-AAAAAA /var/cache/storyline/07 /var/cache/storyline/ff
ln -s /root/precious/teams /var/lib/storyline/teams-at-removal
ln -s /root/precious /var/lib/storyline/backups
ln -s /root/precious /var/lib/storyline/.storyline-backup-AAAAAA
ln -s /root/precious/storyline.db /var/lib/storyline/storyline.db.replaced-2026-01-01T000000Z-1
ln -s /root/precious /var/cache/storyline/07
mkdir -p /var/lib/storyline/pictures /var/cache/storyline/ff
cp /tmp/first.jpg /var/lib/storyline/pictures/holiday.jpg
cp /tmp/first.jpg /var/cache/storyline/ff/mine.jpg
";

pub(super) fn what_is_not_the_packages_stays_and_no_link_is_followed() -> Result<()> {
    let hash = format!("{:064}", 7);
    let precious = [
        "teams".to_owned(),
        "storyline.db".to_owned(),
        "manifest.json".to_owned(),
        "2026-01-01T000000Z_nightly.tar.gz".to_owned(),
        format!("{hash}.preview-1.jpg"),
    ];
    sh("mkdir -m 755 /root/precious && chmod 711 /root")?;
    for name in &precious {
        fs::write(format!("/root/precious/{name}"), name)?;
    }
    fs::write("/etc/storyline/notes", "the owner's")?;
    fs::write("/root/hostile", HOSTILE)?;
    sh("chmod 644 /root/hostile && runuser -u storyline -- sh /root/hostile")?;
    let untouched = || -> Result<()> {
        for name in &precious {
            let path = format!("/root/precious/{name}");
            let is = fs::read_to_string(&path).unwrap_or_default();
            ensure!(is == *name, "{path} holds {is:?}");
        }
        Ok(())
    };
    apt("remove storyline")?;
    untouched()?;
    let teams = sh("cat /etc/storyline/teams-at-removal")?;
    ensure!(teams.contains(LIBRARY), "{teams}");
    let database = Path::new("/var/lib/storyline/storyline.db");
    ensure!(database.exists(), "the records are gone");

    let told = apt("purge storyline")?;
    untouched()?;
    let left = sh("find /var/lib/storyline /var/cache/storyline /etc/storyline ! -type d | sort")?;
    let left: Vec<&str> = left.lines().collect();
    ensure!(
        left == [
            "/etc/storyline/notes",
            "/var/cache/storyline/07",
            "/var/cache/storyline/ff/mine.jpg",
            "/var/lib/storyline/.storyline-backup-AAAAAA",
            "/var/lib/storyline/backups",
            "/var/lib/storyline/pictures/holiday.jpg",
        ],
        "left: {left:?}\n{told}"
    );
    for place in [
        "/var/lib/storyline/pictures",
        "/var/cache/storyline/ff",
        "/etc/storyline/notes",
        LIBRARY,
    ] {
        ensure!(told.contains(place), "{place} is not told: {told}");
    }
    ensure!(!Path::new(CREDENTIAL).exists(), "the token is still there");
    sh("rm -r /root/precious /var/lib/storyline /var/cache/storyline /etc/storyline")?;
    done("a purge takes what the package made, follows no link, and tells what it leaves");
    Ok(())
}
