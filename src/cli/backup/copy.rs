//! `storyline backup copy`: sends the newest backup off the box now.

use crate::appliance::copies::{Copies, Sent};
use crate::appliance::open_teams;
use crate::backup::Backup;
use crate::backup::copies::folder::share_a_disk;
use crate::cli::print::{Print, say};
use crate::cli::{Failure, missing_database, told};
use crate::config::{Config, DatabaseUrl};
use crate::system::clock::Clock;
use crate::telegram::client::Client;
use crate::telegram::voice::Voice;

pub(super) async fn run(print: Print, config: &Config) -> Result<(), Failure> {
    if let Some(missing) = missing_database(config) {
        return Err(Failure::Unavailable(missing));
    }
    if config.backup.copies.destinations().is_empty() {
        return Err(Failure::Other(told(
            "no place is set that copies go to",
            "set `copy_to`, `s3_url` or `copy_to_chat` below `[backup]`; `storyline config example` tells of them",
        )));
    }
    let now = Clock::system().now();
    let teams = open_teams(config, now).await?;
    let telegram = &config.telegram;
    let client = telegram
        .token
        .clone()
        .map(|token| Client::new(token, telegram.api_url.clone(), &config.network))
        .transpose()
        .map_err(|error| Failure::plain(error.to_string()))?;
    let copies = Copies::new(config, teams.own().clone(), client.map(Voice::new));
    let nothing = || {
        Failure::NotFound(told(
            "there is no backup yet",
            "`storyline backup create` makes one",
        ))
    };
    let copies = copies.ok_or_else(nothing)?;
    let newest = copies.newest(now).await;
    let newest = newest.map_err(|error| {
        Failure::Unavailable(told(error.to_string(), "run the command with `sudo`"))
    })?;
    let newest = newest.ok_or_else(nothing)?;
    let sent = copies.send_everywhere(&newest, now).await?;
    let folder = &config.backup.copies.folder;
    if let (Some(folder), DatabaseUrl::Sqlite(database)) = (folder, &config.database.url)
        && share_a_disk(folder, database).unwrap_or(false)
    {
        say(&format!(
            "note: {} is on the same disk as the database; is the stick mounted?",
            folder.display()
        ));
    }
    report(print, &newest, &sent)
}

fn report(print: Print, backup: &Backup, sent: &[Sent]) -> Result<(), Failure> {
    if print.is_json() {
        print.json(sent)?;
    }
    for one in sent {
        let place = format!("{} {}", one.destination, one.to);
        match &one.error {
            _ if print.is_json() => {}
            None => say(&format!("{place}: {} is there", backup.name)),
            Some(error) => say(&format!("{place}: {error}")),
        }
    }
    match sent.iter().filter(|one| one.error.is_some()).count() {
        0 => Ok(()),
        failed => Err(Failure::plain(format!(
            "{failed} of {} copies did not get there",
            sent.len()
        ))),
    }
}
