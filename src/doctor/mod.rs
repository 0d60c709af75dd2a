//! How the box is: one set of looks for the terminal and for whoever watches the service. Each changes nothing, and says what is
//! found, why, and what to do about it.

mod backups;
mod board;
mod copies;
mod disk;
mod finding;
mod library;
mod machine;
mod network;
mod records;
mod version;
mod ways;

use std::path::Path;

use jiff::Timestamp;

pub use backups::backups;
pub use board::HOT;
pub use copies::age;
pub use finding::{Finding, Findings, State};
pub use library::library;
pub use machine::machine;
pub use network::network;
pub use records::{Service, clock_alone, desk, named, settings_of_all};
pub use version::{newer, version};

use crate::config::{Config, DatabaseUrl};
use crate::domain::team::TeamSettings;
use crate::flow::Error;
use crate::flow::teams::Teams;
use crate::system::board::Board;
use crate::system::mounts;

/// All that is quickly seen, by the service itself too; returns what every team decided.
///
/// # Errors
/// If the records cannot be read.
pub async fn look(
    findings: &mut Findings,
    config: &Config,
    teams: &Teams,
    service: Service,
    now: Timestamp,
) -> Result<Vec<TeamSettings>, Error> {
    let all = records::records(findings, config, teams, service, now).await?;
    let mut growth = disk::Growth::default();
    for (flow, _) in teams.all() {
        let (bytes, files) = flow.taken_in(now - disk::MONTH).await?;
        growth.bytes += bytes;
        growth.files += files;
    }
    let libraries: Vec<&Path> = all.iter().map(|team| team.library.as_path()).collect();
    let mut own = vec![config.library.cache.as_path()];
    if let DatabaseUrl::Sqlite(path) = &config.database.url {
        own.extend(path.parent());
        if let Some(told) = mounts::in_memory(path) {
            findings.warning("disk", told, mounts::REMEDY);
        }
    }
    let folders = libraries.iter().chain(&own).copied();
    let seen = Board::here().look(folders);
    disk::judge(findings, &libraries, &own, growth, &seen);
    board::judge(findings, &seen);
    copies::copies(findings, config, teams.own(), service, now).await?;
    ways::ways(findings, config, teams.own(), now).await?;
    Ok(all)
}
