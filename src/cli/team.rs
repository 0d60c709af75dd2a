//! `storyline team`: what a team decided.

use clap::Subcommand;
use serde::Serialize;

use super::exit::told;
use super::print::{FULL, TEXT, Table, moment, or_dash};
use super::{Failure, Seat};
use crate::domain::setting::Setting;
use crate::flow::settings::{Changed, Decided};

#[derive(Debug, Subcommand)]
pub(super) enum Team {
    /// Show what the team decided, and who decided it
    Show,
    /// Change what the team decided; it counts at once
    ///
    /// For example: `storyline team set posts_per_day=5 timezone=Europe/Berlin`. An empty value takes a setting back that
    /// need not be set, as in `thread=`.
    Set {
        /// A setting and its value
        #[arg(value_name = "SETTING=VALUE", value_parser = assignment, required = true)]
        changes: Vec<(Setting, String)>,
    },
}

fn assignment(typed: &str) -> Result<(Setting, String), String> {
    let (name, value) = typed
        .split_once('=')
        .ok_or("write a setting and its value, like `posts_per_day=5`")?;
    Ok((name.trim().parse()?, value.to_owned()))
}

/// A setting, as scripts see it.
#[derive(Serialize)]
struct Shown {
    setting: &'static str,
    value: Option<String>,
    /// Nobody: the file of settings.
    decided_by: Option<String>,
    decided_at: jiff::Timestamp,
}

impl From<Decided> for Shown {
    fn from(decided: Decided) -> Self {
        Self {
            setting: decided.setting.as_str(),
            value: Some(decided.value).filter(|value| !value.is_empty()),
            decided_by: decided.by,
            decided_at: decided.at,
        }
    }
}

pub(super) async fn run(seat: &Seat, command: Team) -> Result<(), Failure> {
    match command {
        Team::Show => show(seat).await,
        Team::Set { changes } => set(seat, changes).await,
    }
}

async fn show(seat: &Seat) -> Result<(), Failure> {
    let mut decided = seat.flow.decided().await?;
    decided.sort_by_key(|decided| decided.setting);
    let shown: Vec<Shown> = decided.into_iter().map(Shown::from).collect();
    seat.print.list(&shown, "", |shown| table(seat, shown))
}

fn table(seat: &Seat, shown: &[Shown]) -> Table {
    let mut table = Table::new([("Setting", FULL), ("Value", TEXT), ("Decided by", TEXT)]);
    for setting in shown {
        let by = setting.decided_by.as_ref().map_or_else(
            || "the file of settings".to_owned(),
            |by| format!("{by}, {}", moment(setting.decided_at, seat.zone())),
        );
        table.row([
            setting.setting.to_owned(),
            or_dash(setting.value.as_deref()),
            by,
        ]);
    }
    table
}

/// All of it is looked at before any of it is done.
async fn set(seat: &Seat, mut changes: Vec<(Setting, String)>) -> Result<(), Failure> {
    // The chat before its topic: another chat has none of the topics of the one before.
    changes.sort_by_key(|(setting, _)| *setting);
    let mut all = seat.config.team.clone();
    for (setting, value) in &changes {
        if let Err(complaint) = setting.put(&mut all, value) {
            let error = format!("{setting} = `{}`: {}", value.trim(), complaint.reason);
            return Err(Failure::Usage(told(&error, &complaint.remedy)));
        }
    }
    for (setting, value) in &changes {
        let (by, now) = (seat.by.clone(), seat.now());
        if let Changed::Refused(complaint) = seat.flow.set(*setting, value.clone(), by, now).await?
        {
            return Err(Failure::Usage(told(&complaint.reason, &complaint.remedy)));
        }
    }
    seat.knock().await?;
    let now_so: Vec<String> = changes
        .iter()
        .map(|(setting, _)| format!("{setting} = {}", setting.shown(&all)))
        .collect();
    let done: std::collections::BTreeMap<&str, String> = changes
        .iter()
        .map(|(setting, _)| (setting.as_str(), setting.shown(&all)))
        .collect();
    seat.print
        .done(&done, &format!("It is so now: {}.", now_so.join(", ")))
}
