//! `storyline config`: what is set, and whether it is right.

use std::path::Path;

use clap::Subcommand;
use serde::Serialize;

use super::print::{FULL, Print, TEXT, Table, or_dash, say};
use super::{Failure, missing_database};
use crate::appliance::open_teams;
use crate::config::{self, Environment, Problem, Problems, Shown};
use crate::system::clock::Clock;

#[derive(Debug, Subcommand)]
pub(super) enum Config {
    /// Say everything that is wrong with the settings, and what to do
    Check,
    /// Show all settings, and where each was set; of secrets only that they are set
    Show,
    /// Print the documented example, with every setting and its default
    ///
    /// For example: `storyline config example > /etc/storyline/storyline.toml`
    Example,
}

pub(super) async fn run(
    print: Print,
    command: Config,
    path: Option<&Path>,
    environment: &Environment,
) -> Result<(), Failure> {
    let load = || config::Config::load(path, environment);
    match command {
        Config::Example => print.text(&config::example()),
        Config::Check => check(print, load()),
        Config::Show => {
            let loaded = load().map_err(Failure::Config)?;
            let mut shown = loaded.show();
            overlay(&mut shown, &loaded.config).await;
            print.list(&shown, "", table)
        }
    }
}

/// What counts now: what the box's own team decided, or what the file said when the service last read it.
async fn overlay(shown: &mut [Shown], config: &config::Config) {
    if missing_database(config).is_some() {
        return;
    }
    let Ok(teams) = open_teams(config, Clock::system().now()).await else {
        return; // `storyline check` says why
    };
    let flow = teams.own();
    let unread = flow.unread(&config.team).await.unwrap_or_default();
    for decided in flow.decided().await.unwrap_or_default() {
        let key = decided.setting.key();
        let Some(line) = shown.iter_mut().find(|line| line.key == key) else {
            continue;
        };
        let is_unread = unread.contains(&decided.setting);
        line.origin = match (&decided.by, is_unread) {
            (None, false) => continue,
            (Some(by), false) => format!("the database: decided by {by}"),
            (_, true) => {
                let said = or_dash(line.value.as_deref());
                format!(
                    "the database; {said} from {} counts when the service starts again",
                    line.origin
                )
            }
        };
        line.value = Some(decided.value).filter(|value| !value.is_empty());
    }
}

fn table(settings: &[Shown]) -> Table {
    let mut table = Table::new([("Setting", FULL), ("Value", TEXT), ("Set in", TEXT)]);
    for setting in settings {
        table.row([
            setting.key.clone(),
            or_dash(setting.value.as_deref()),
            setting.origin.clone(),
        ]);
    }
    table
}

/// A problem of the settings, as scripts see it.
#[derive(Serialize)]
struct Mistake {
    key: String,
    /// `problem` stops the service, `note` does not.
    state: &'static str,
    value: Option<String>,
    origin: Option<String>,
    reason: String,
    remedy: String,
}

fn mistake(problem: &Problem, state: &'static str) -> Mistake {
    Mistake {
        key: problem.key.clone(),
        state,
        value: problem.value.clone(),
        origin: problem.origin.as_ref().map(ToString::to_string),
        reason: problem.reason.clone(),
        remedy: problem.remedy.clone(),
    }
}

fn check(print: Print, loaded: Result<config::Loaded, Problems>) -> Result<(), Failure> {
    match loaded {
        Ok(loaded) => {
            if print.is_json() {
                let notes = loaded.warnings.iter();
                let notes: Vec<_> = notes.map(|problem| mistake(problem, "note")).collect();
                return print.json(&notes);
            }
            for warning in &loaded.warnings {
                say(&format!("note: {}: {}", place(warning), warning.reason));
                say(&format!("hint: {}", warning.remedy));
            }
            say(&match loaded.path {
                Some(path) => format!("The settings in `{}` are right.", path.display()),
                None => "There is no file of settings; the defaults are right.".to_owned(),
            });
            Ok(())
        }
        Err(problems) => {
            if print.is_json() {
                let mistakes: Vec<_> = problems
                    .0
                    .iter()
                    .map(|problem| mistake(problem, "problem"))
                    .collect();
                print.json(&mistakes)?;
            }
            Err(Failure::Config(problems))
        }
    }
}

/// `team.posts_per_day = 0 (/etc/storyline/storyline.toml:12)`.
pub(super) fn place(problem: &Problem) -> String {
    let value = problem.value.as_ref();
    let origin = problem.origin.as_ref();
    format!(
        "{}{}{}",
        problem.key,
        value.map_or_else(String::new, |value| format!(" = {value}")),
        origin.map_or_else(String::new, |origin| format!(" ({origin})")),
    )
}
