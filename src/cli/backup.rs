//! `storyline backup`: copies of the records, and the way back to one. It needs no database that works.

mod copy;
pub(super) mod key;
mod named;

use clap::Subcommand;
use serde::Serialize;

use named::Named;

use super::print::{FULL, NUMBER, Print, TEXT, Table, count, heading, moment, say};
use super::{Failure, told};
use crate::appliance;
use crate::backup::{self, Backups, Manifest, Reason};
use crate::config::Config;
use crate::system::clock::Clock;

#[derive(Debug, Subcommand)]
pub(super) enum Backup {
    /// Make one now, beside the service; the service makes one every night by itself
    Create,
    /// List them, the newest first
    List,
    /// Unpack one into scratch, look through every page of it and count its rows
    Verify(Named),
    /// Put one in the place of the database
    ///
    /// What was recorded after it was made is not in it: look through the chat for what was posted since. For example:
    /// `storyline backup restore latest --force`
    Restore {
        #[command(flatten)]
        named: Named,
        /// Replace the database that is there; it is kept beside the new one
        #[arg(long)]
        force: bool,
    },
    /// Send the newest, encrypted, to every place that copies go to; the service does so every night by itself
    Copy,
    /// Make the key that copies are encrypted for, and show what opens them, this once
    ///
    /// Its public half is written into the settings. Keep the private one away from the box: in a password manager, or on paper.
    Key {
        /// One more, where copies are encrypted for one already
        #[arg(long)]
        another: bool,
    },
}

pub(super) async fn run(print: Print, command: Backup, config: &Config) -> Result<(), Failure> {
    let Some(backups) = appliance::backups(config) else {
        return Err(Failure::Unavailable(told(
            "the database is PostgreSQL, whose server has backups of its own".to_owned(),
            "`pg_dump` makes one of a database, `pg_restore` brings it back",
        )));
    };
    let now = Clock::system().now();
    match command {
        Backup::Create => {
            if let Some(missing) = super::missing_database(config) {
                return Err(Failure::Unavailable(missing));
            }
            let made = backups.create(Reason::Manual, now)?;
            let sentence = format!("backup {}, {}", made.name, size(made.size_bytes));
            print.done(&made, &sentence)
        }
        Backup::List => list(print, config, &backups),
        Backup::Verify(named) => {
            let found = named.find(&backups).await?;
            let manifest = backups.verify(found.backup())?;
            print.done(&manifest, &format!("it is whole: {}", holds(&manifest)))
        }
        Backup::Restore { named, force } => {
            let found = named.find(&backups).await?;
            let restored = backups.restore(found.backup(), force, now)?;
            print.done(
                &restored,
                &format!("restored: {}", holds(&restored.manifest)),
            )?;
            if let Some(replaced) = &restored.replaced {
                say(&format!(
                    "what was there before is kept: {}",
                    replaced.display()
                ));
            }
            say(&format!(
                "what was recorded after {} is not in it: look through the chat for what was posted since",
                moment(restored.manifest.made_at, &config.team.timezone)
            ));
            Ok(())
        }
        Backup::Copy => copy::run(print, config).await,
        // It is made before the settings are read, which may lack nothing else.
        Backup::Key { .. } => Ok(()),
    }
}

/// A backup as it is listed.
#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    backup: backup::Backup,
    /// What it says of itself; nothing, if it cannot be read.
    manifest: Option<Manifest>,
}

fn list(print: Print, config: &Config, backups: &Backups) -> Result<(), Failure> {
    let all = backups.list()?.into_iter().map(|backup| Listed {
        manifest: backup.manifest().ok(),
        backup,
    });
    let zone = &config.team.timezone;
    let none = format!("There is no backup in {} yet.", backups.folder().display());
    print.list(&all.collect::<Vec<_>>(), &none, |all| {
        let made = heading("Made", zone);
        let mut table = Table::new([
            ("Name", FULL),
            (&made, FULL),
            ("Size", NUMBER),
            ("What is in it", TEXT),
        ]);
        for one in all {
            let holds = one.manifest.as_ref().map(holds);
            table.row([
                one.backup.name.clone(),
                moment(one.backup.made_at, zone),
                size(one.backup.size_bytes),
                holds.unwrap_or_else(|| "it cannot be read".to_owned()),
            ]);
        }
        table
    })
}

/// `3,000 media, 412 ended stories, schema 12, by 0.1.0`.
fn holds(manifest: &Manifest) -> String {
    format!(
        "{} media, {}, schema {}, by {}",
        manifest.count("media"),
        count(manifest.count("history"), "ended story", "ended stories"),
        manifest.schema,
        manifest.version
    )
}

fn size(bytes: u64) -> String {
    match bytes {
        0..100_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

impl From<backup::Error> for Failure {
    fn from(error: backup::Error) -> Self {
        let text = error.to_string();
        match error {
            backup::Error::Database(error) => Self::Store(error),
            backup::Error::NotThere(_) => {
                Self::NotFound(told(text, "`storyline backup list` shows all there are"))
            }
            backup::Error::InUse(_) => {
                Self::Unavailable(told(text, "stop it first: `systemctl stop storyline`"))
            }
            backup::Error::Exists(_) => Self::Other(told(
                text,
                "with `--force` the backup takes its place, and it is kept beside it",
            )),
            backup::Error::Broken { .. } => {
                Self::Other(told(text, "`storyline backup list` shows the others"))
            }
            backup::Error::Folder { .. } => Self::Other(told(
                text,
                "look at its rights and at the space of its disk (`df -h`), or set `[backup] folder`",
            )),
        }
    }
}
