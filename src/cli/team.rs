//! `storyline team`: the teams of the box, and what each decided.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde::Serialize;

use super::exit::told;
use super::print::{FULL, TEXT, Table, moment, or_dash};
use super::{Failure, Seat};
use crate::config::Places;
use crate::domain::setting::Setting;
use crate::domain::written::Complaint;
use crate::flow;
use crate::flow::settings::{Changed, Decided};
use crate::flow::teams::Enrolled;

#[derive(Debug, Subcommand)]
pub(super) enum Team {
    /// List the teams
    List,
    /// Add a team, with a chat, a library, a plan and people of its own
    ///
    /// For example: `storyline team add "Club" --library /srv/storyline/club`, then add the bot to the team's chat. A team that
    /// was removed comes back with all that is on record of it.
    Add {
        /// Its name
        name: String,
        /// The folder that is watched for it [default: one of its name beside the library of the box's own team]
        #[arg(long, value_name = "FOLDER")]
        library: Option<PathBuf>,
    },
    /// Remove a team: its open stories are cancelled, and nothing is done for it any more
    ///
    /// Its history, its media and its folder stay as they are.
    Remove {
        /// Its name
        name: String,
    },
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

impl Team {
    /// Whether it is about one team that `--team` names.
    pub(super) fn is_of_one(&self) -> bool {
        matches!(self, Self::Show | Self::Set { .. })
    }
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
        Team::List => list(seat),
        Team::Add { name, library } => add(seat, &name, library).await,
        Team::Remove { name } => remove(seat, &name).await,
        Team::Show => show(seat).await,
        Team::Set { changes } => set(seat, changes).await,
    }
}

/// A team, as scripts see it.
#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    chat: Option<i64>,
    library: &'a Path,
}

impl<'a> From<&'a flow::teams::Team> for Listed<'a> {
    fn from(team: &'a flow::teams::Team) -> Self {
        Self {
            name: &team.name,
            chat: team.home.map(|home| home.chat),
            library: &team.library,
        }
    }
}

fn list(seat: &Seat) -> Result<(), Failure> {
    let all = seat.teams.all().iter();
    let listed: Vec<Listed<'_>> = all.map(|(_, team)| Listed::from(team)).collect();
    seat.print.list(&listed, "", |listed| {
        let mut table = Table::new([("Team", TEXT), ("Chat", FULL), ("Library", FULL)]);
        for team in listed {
            table.row([
                team.name.to_owned(),
                or_dash(team.chat.map(|chat| chat.to_string()).as_deref()),
                team.library.display().to_string(),
            ]);
        }
        table
    })
}

async fn add(seat: &Seat, name: &str, library: Option<PathBuf>) -> Result<(), Failure> {
    // As it is called without links and `..`; it need not be there yet.
    let whole = |path: PathBuf| std::fs::canonicalize(&path).or_else(|_| std::path::absolute(path));
    let library = library.map(whole).transpose().map_err(|error| {
        Failure::Usage(told(error.to_string(), "name the folder by its whole path"))
    })?;
    // What is wrong with the name is told by `Teams::add`, and before what would be wrong with the folder.
    if seat.teams.named(name).is_none() && !name.trim().is_empty() {
        let proposed = seat.teams.library_of_a_new(name).await?;
        apart(seat, name, library.as_deref().unwrap_or(&proposed))?;
    }
    let added = seat.teams.add(name, library, seat.by.clone(), seat.now());
    let (team, is_back) = match added.await? {
        Enrolled::Done(team) => (team, false),
        Enrolled::Back(team) => (team, true),
        Enrolled::Refused(complaint) => return Err(refused(&complaint)),
    };
    seat.knock().await?;
    let begin = if is_back { "is back" } else { "is there" };
    let mut next = Vec::new();
    if !team.library.is_dir() {
        next.push(format!("make the folder {}", team.library.display()));
    }
    if team.home.is_none() {
        next.push(format!(
            "add the bot to the team's chat, or say `storyline team set chat=… --team {:?}`",
            team.name
        ));
    }
    let sentence = match next.as_slice() {
        [] => format!("The team {} {begin}.", team.name),
        next => format!(
            "The team {} {begin}. Next, {}.",
            team.name,
            next.join(" and ")
        ),
    };
    seat.print.done(&Listed::from(&team), &sentence)
}

async fn remove(seat: &Seat, name: &str) -> Result<(), Failure> {
    let Some(flow) = seat.teams.named(name) else {
        return Err(Failure::NotFound(told(
            format!("there is no team called `{name}`"),
            "`storyline team list` shows the teams",
        )));
    };
    match seat.teams.remove(flow, seat.by.clone(), seat.now()).await? {
        Enrolled::Refused(complaint) => Err(refused(&complaint)),
        Enrolled::Done(team) | Enrolled::Back(team) => {
            seat.knock().await?;
            let sentence = format!(
                "The team {} is removed; what is on record of it stays, and so does {}.",
                team.name,
                team.library.display()
            );
            seat.print.done(&Listed::from(&team), &sentence)
        }
    }
}

fn refused(complaint: &Complaint) -> Failure {
    Failure::Usage(told(&complaint.reason, &complaint.remedy))
}

/// The library of the team of this name lies apart from what the service keeps, and from those of the other teams.
fn apart(seat: &Seat, name: &str, library: &Path) -> Result<(), Failure> {
    let others = seat.teams.all().iter().map(|(_, team)| team);
    let others = others.filter(|team| team.name != name);
    let others = others.map(|team| (&*team.name, &*team.library));
    match Places::of(&seat.config).refuse_library(library, others) {
        Some(complaint) => Err(refused(&complaint)),
        None => Ok(()),
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

/// How each is written is looked at before any of it is done.
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
    if changes.iter().any(|(it, _)| *it == Setting::Library) {
        apart(seat, &seat.config.team.name, &all.library)?;
    }
    for (setting, value) in &changes {
        let (by, now) = (seat.by.clone(), seat.now());
        let changed = seat.flow.set(*setting, value.clone(), by, now).await?;
        // What was done by now counts, whatever else another team stands in the way of.
        seat.knock().await?;
        if let Changed::Refused(complaint) = changed {
            return Err(refused(&complaint));
        }
    }
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
