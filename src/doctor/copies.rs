//! Whether copies of the backups leave the box, to each place that they are to go to.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::timeout;

use super::{Findings, Service};
use crate::backup::copies::age::is_installed;
use crate::backup::copies::folder::share_a_disk;
use crate::config::{Config, DatabaseUrl};
use crate::domain::copy::Again;
use crate::flow::{Error, Flow};
use crate::system::background::background;

const SUBJECT: &str = "copies";
/// How long it may take to look at the folder.
const LOOK: Duration = Duration::from_secs(5);
const LATE: &str = "mend what is said; the service tries again within the hour, and `sudo storyline backup copy` now";
const WITH_THE_NEXT: &str =
    "the service sends the next backup, and not this one again; `sudo storyline backup copy` does";
const SOON: &str =
    "the service sends the newest within the hour; `sudo storyline backup copy` sends it now";

/// When the last copy got to each place.
///
/// # Errors
/// If the records cannot be read.
pub(super) async fn copies(
    findings: &mut Findings,
    config: &Config,
    flow: &Flow,
    service: Service,
    now: Timestamp,
) -> Result<(), Error> {
    let destinations = config.backup.copies.destinations();
    let DatabaseUrl::Sqlite(database) = &config.database.url else {
        if !destinations.is_empty() {
            let told = "the database is PostgreSQL: nothing is backed up here, and nothing copied";
            findings.warning(SUBJECT, told, "`pg_dump` makes a backup of a database");
        }
        return Ok(());
    };
    for (destination, name) in destinations {
        let place = format!("{destination} {name}");
        let copied = flow.copied(destination, &name, now).await?;
        let got = match &copied.backup {
            Some(backup) => format!(
                "{place}: {backup} got there {} hours ago",
                copied.waiting(now).as_hours()
            ),
            None => format!("{place}: none has got there yet"),
        };
        match &copied.failed {
            Some(failed) if copied.is_late(now) => {
                findings.warning(SUBJECT, format!("{got}: {}", failed.why), LATE);
            }
            Some(failed) => {
                let again = match failed.again {
                    Again::NextBackup => WITH_THE_NEXT,
                    Again::WhenThere | Again::Later => SOON,
                };
                findings.note(SUBJECT, format!("{got}: {}", failed.why), Some(again));
            }
            None if copied.backup.is_none() => findings.note(SUBJECT, got, Some(SOON)),
            None => findings.ok(SUBJECT, got),
        }
    }
    // A share may hang, and whoever asks the service waits for no share.
    if let (Some(folder), Service::Beside) = (&config.backup.copies.folder, service) {
        apart(findings, folder, database).await;
    }
    Ok(())
}

/// A folder that is not there lies on a stick that is elsewhere, which is where copies should be.
async fn apart(findings: &mut Findings, folder: &Path, database: &Path) {
    let own = database.parent().unwrap_or(database).to_owned();
    let there = folder.to_owned();
    let looked = background(move || share_a_disk(&there, &own).unwrap_or(false));
    let folder = folder.display();
    match timeout(LOOK, looked).await {
        Ok(Ok(true)) => findings.warning(
            SUBJECT,
            format!("folder {folder} is on the same disk as the database: what takes the one takes the other"),
            "if a stick is meant, is it mounted? Else set `[backup] copy_to` to a folder on another disk",
        ),
        Ok(_) => {}
        Err(_) => findings.warning(
            SUBJECT,
            format!("the disk of folder {folder} does not answer"),
            "look at its cable or its network",
        ),
    }
}

/// Whether copies can be encrypted on this machine.
pub async fn age(findings: &mut Findings, config: &Config) {
    let is_sqlite = matches!(config.database.url, DatabaseUrl::Sqlite(_));
    let are_wanted = is_sqlite && !config.backup.copies.destinations().is_empty();
    if are_wanted && !is_installed().await {
        let told = "the program `age`, which encrypts them, is not installed: none leaves the box";
        findings.problem(SUBJECT, told, Some("`apt install age`"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    #[tokio::test]
    async fn a_folder_beside_the_database_is_no_other_disk() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("s.db");
        let mut findings = Findings::default();
        apart(&mut findings, &folder.path().join("none"), &database).await;
        assert_eq!(findings.worst(), State::Ok);
        apart(&mut findings, Path::new("/dev/shm"), &database).await;
        assert_eq!(findings.worst(), State::Ok);
        apart(&mut findings, folder.path(), &database).await;
        assert_eq!(findings.worst(), State::Warning);
    }
}
