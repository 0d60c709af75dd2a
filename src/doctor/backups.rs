//! Whether there is a backup that is young enough.

use jiff::{SignedDuration, Timestamp};

use super::Findings;
use crate::backup::Backups;

/// One night that failed is tried again; after two somebody should look.
const OLD: SignedDuration = SignedDuration::from_hours(50);
/// So many nights are no accident.
const TOO_OLD: SignedDuration = SignedDuration::from_hours(24 * 7);

/// How old the newest backup is; returns when it was made.
pub fn backups(findings: &mut Findings, backups: &Backups, now: Timestamp) -> Option<Timestamp> {
    let make = "`storyline backup create` makes one and says why, if it cannot; `journalctl -u storyline TASK=backup` tells more";
    let all = match backups.list() {
        Ok(all) => all,
        Err(error) => {
            findings.warning("backups", error.to_string(), make);
            return None;
        }
    };
    let future = all.iter().filter(|backup| backup.made_at > now).count();
    if future > 0 {
        let told =
            format!("{future} of them are of a time to come: the clock was wrong then, or is now");
        findings.warning("backups", told, "if the clock is right, remove those files");
    }
    let Some(newest) = all.iter().find(|backup| backup.made_at <= now) else {
        let soon = "the service makes one within minutes, and every night; `storyline backup create` makes one now";
        findings.note("backups", "there is none yet", Some(soon));
        return None;
    };
    let age = now.duration_since(newest.made_at);
    let told = format!(
        "{}, the newest of {} hours ago, in {}",
        all.len(),
        age.as_hours(),
        backups.folder().display()
    );
    if age > TOO_OLD {
        findings.problem("backups", told, Some(make));
    } else if age > OLD {
        findings.warning("backups", told, make);
    } else {
        findings.ok("backups", told);
    }
    Some(newest.made_at)
}
