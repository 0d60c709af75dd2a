//! What takes a while to look at, or what the service is not let see: for a person at the terminal.

use std::path::Path;

use walkdir::WalkDir;

use super::Findings;
use crate::config::{Config, DatabaseUrl};
use crate::domain::team::TeamSettings;
use crate::store::Store;

const WATCHES: &str = "/proc/sys/fs/inotify/max_user_watches";

/// Whether the database is whole on every page, and whether all folders can be watched.
pub fn machine(findings: &mut Findings, config: &Config, teams: &[TeamSettings]) {
    if let DatabaseUrl::Sqlite(path) = &config.database.url {
        match Store::look_through(path) {
            Ok(()) => findings.ok("database", "every page of it is whole"),
            Err(error) => findings.problem("database", error.to_string(), None),
        }
    }
    let most: Option<u64> = std::fs::read_to_string(WATCHES)
        .ok()
        .and_then(|text| text.trim().parse().ok());
    let folders: u64 = teams.iter().map(|team| folders(&team.library)).sum();
    if let Some(most) = most {
        watches(findings, folders, most);
    }
}

fn watches(findings: &mut Findings, folders: u64, most: u64) {
    let told = format!("{folders} folders to watch, and the system allows {most} for all programs");
    if folders.saturating_mul(5) > most.saturating_mul(4) {
        let more = folders.saturating_mul(4).max(8192);
        findings.warning(
            "watches",
            told,
            &format!("`echo fs.inotify.max_user_watches={more} | sudo tee /etc/sysctl.d/60-storyline.conf`, and start the box anew"),
        );
    } else {
        findings.ok("watches", told);
    }
}

fn folders(root: &Path) -> u64 {
    let all = WalkDir::new(root).into_iter().flatten();
    all.filter(|entry| entry.file_type().is_dir()).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    #[test]
    fn too_few_watches_are_told_of_before_they_run_out() {
        for (folders, most, state) in [
            (10, 8192, State::Ok),
            (6553, 8192, State::Ok),
            (6554, 8192, State::Warning),
            (9000, 8192, State::Warning),
        ] {
            let mut findings = Findings::default();
            watches(&mut findings, folders, most);
            assert_eq!(findings.worst(), state, "{folders}");
        }
    }
}
