//! Whether copies of the backups leave the box, to each place that they are to go to.

use std::path::Path;

use jiff::Timestamp;

use super::Findings;
use crate::backup::copies::age::is_installed;
use crate::backup::copies::folder::share_a_disk;
use crate::config::{Config, DatabaseUrl};
use crate::domain::copy::Destination;
use crate::flow::{Error, Flow};

const SUBJECT: &str = "copies";
const SEND: &str = "`storyline backup copy` sends one now and says why, if it cannot; `journalctl -u storyline TASK=backup` tells more";

/// When the last copy got to each place.
///
/// # Errors
/// If the records cannot be read.
pub(super) async fn copies(
    findings: &mut Findings,
    config: &Config,
    flow: &Flow,
    now: Timestamp,
) -> Result<(), Error> {
    // Of a server's database nothing is backed up here.
    let DatabaseUrl::Sqlite(database) = &config.database.url else {
        return Ok(());
    };
    for (destination, name) in config.backup.copies.destinations() {
        let copied = flow.copied(destination, &name).await?;
        let place = format!("{destination} {name}");
        let soon =
            "the service sends the newest within the hour; `storyline backup copy` sends it now";
        match copied {
            None => findings.note(
                SUBJECT,
                format!("{place}: none has got there yet"),
                Some(soon),
            ),
            Some(copied) => {
                let hours = copied.waiting(now).as_hours();
                let told = match &copied.backup {
                    Some(backup) => format!("{place}: {backup} got there {hours} hours ago"),
                    None => format!("{place}: none has got there in {hours} hours"),
                };
                match (copied.is_late(now), &copied.backup) {
                    (true, _) => findings.warning(SUBJECT, told, remedy(destination)),
                    (false, None) => findings.note(SUBJECT, told, Some(soon)),
                    (false, Some(_)) => findings.ok(SUBJECT, told),
                }
            }
        }
    }
    if let Some(folder) = &config.backup.copies.folder {
        apart(findings, folder, database);
    }
    Ok(())
}

/// A folder that is not there lies on a stick that is elsewhere, which is where copies should be.
fn apart(findings: &mut Findings, folder: &Path, database: &Path) {
    let own = database.parent().unwrap_or(database);
    if share_a_disk(folder, own).unwrap_or(false) {
        let told = format!(
            "folder {} is on the same disk as the database: what takes the one takes the other",
            folder.display()
        );
        let remedy = "if a stick is meant, is it mounted? Else set `[backup] copy_to` to a folder on another disk";
        findings.warning(SUBJECT, told, remedy);
    }
}

fn remedy(destination: Destination) -> &'static str {
    match destination {
        Destination::Folder => {
            "plug the stick in, or look at the share; `storyline backup copy` sends one now and says why, if it cannot"
        }
        Destination::Bucket | Destination::Chat => SEND,
    }
}

/// Whether copies can be encrypted on this machine.
pub async fn age(findings: &mut Findings, config: &Config) {
    if !config.backup.copies.destinations().is_empty() && !is_installed().await {
        let told = "the program `age`, which encrypts them, is not installed: none leaves the box";
        findings.problem(SUBJECT, told, Some("`apt install age`"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    #[test]
    fn a_folder_beside_the_database_is_no_other_disk() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("s.db");
        let mut findings = Findings::default();
        apart(&mut findings, &folder.path().join("none"), &database);
        assert_eq!(findings.worst(), State::Ok);
        apart(&mut findings, Path::new("/dev/shm"), &database);
        assert_eq!(findings.worst(), State::Ok);
        apart(&mut findings, folder.path(), &database);
        assert_eq!(findings.worst(), State::Warning);
    }
}
