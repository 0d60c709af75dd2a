//! `storyline check`: looks at everything, and says what is wrong and what to do. It changes nothing.

use std::path::Path;

use clap::Args;

use super::print::Print;
use super::{Failure, Told, missing_database, service, telegram};
use crate::appliance::{self, open_teams};
use crate::config::{Config, Environment, Problem};
use crate::doctor::{self, Finding, Findings, Service, State};
use crate::domain::team::TeamSettings;
use crate::flow::Error;
use crate::system::clock::Clock;
use crate::system::neutral;

#[derive(Debug, Args)]
pub(super) struct Check {
    /// Ask Telegram too, as `storyline telegram test` does
    #[arg(long)]
    online: bool,
}

pub(super) async fn run(
    print: Print,
    options: Check,
    path: Option<&Path>,
    environment: &Environment,
) -> Result<(), Failure> {
    let findings = gather(path, environment, options.online).await;
    tell(print, &findings)
}

/// Looks at everything.
pub(super) async fn gather(
    path: Option<&Path>,
    environment: &Environment,
    online: bool,
) -> Findings {
    let mut findings = Findings::default();
    match Config::load(path, environment) {
        Err(problems) => {
            for problem in &problems.0 {
                let (what, remedy) = setting(problem);
                findings.problem("settings", what, Some(remedy));
            }
        }
        Ok(loaded) => {
            let from = loaded.path.as_ref().map_or_else(
                || "there is no file; the defaults hold".to_owned(),
                |path| path.display().to_string(),
            );
            findings.ok("settings", from);
            for warning in &loaded.warnings {
                let (what, remedy) = setting(warning);
                findings.note("settings", what, Some(remedy));
            }
            let config = &loaded.config;
            let teams = look_around(&mut findings, config).await;
            findings.extend(service::tasks(config, environment).await);
            doctor::age(&mut findings, config).await;
            doctor::network(&mut findings, config);
            doctor::version(&mut findings);
            telegram(&mut findings, config, &teams, online).await;
        }
    }
    findings
}

fn setting(problem: &Problem) -> (String, &str) {
    let what = format!("{}: {}", super::config::place(problem), problem.reason);
    (what, &problem.remedy)
}

/// Looks at all but Telegram; returns what the teams decided, or the file's first values if there are no records.
async fn look_around(findings: &mut Findings, config: &Config) -> Vec<TeamSettings> {
    let now = Clock::system().now();
    let opened = match missing_database(config) {
        Some(missing) => Err(missing),
        None => open_teams(config, now).await.map_err(broken),
    };
    let looked = match opened {
        Ok(teams) => doctor::look(findings, config, &teams, Service::Beside, now)
            .await
            .map_err(broken),
        Err(missing) => {
            doctor::library(findings, &config.team.library);
            doctor::clock_alone(findings, now);
            Err(missing)
        }
    };
    let teams = looked.unwrap_or_else(|told| {
        findings.of_team(None);
        findings.problem("database", told.error, told.hint.as_deref());
        vec![config.team.clone()]
    });
    if missing_database(config).is_none() {
        doctor::machine(findings, config, &teams);
    }
    if let Some(backups) = appliance::backups(config) {
        doctor::backups(findings, &backups, now);
    }
    teams
}

fn broken(error: Error) -> Told {
    let failure = Failure::from(error);
    Told {
        hint: failure.hint().map(str::to_owned),
        error: failure.to_string(),
    }
}

async fn telegram(findings: &mut Findings, config: &Config, teams: &[TeamSettings], online: bool) {
    if online {
        telegram::ask(findings, config, teams, false).await;
        return;
    }
    let settings = &config.telegram;
    doctor::desk(findings, settings, teams);
    for team in teams {
        findings.of_team(doctor::named(team, teams));
        if let (true, Some(chat)) = (settings.token.is_some(), team.chat) {
            findings.ok(
                "telegram",
                format!("a token and the chat {chat} are set (`--online` asks Telegram)"),
            );
        }
    }
}

/// Prints what was found; the worst of it is how the command ends.
pub(super) fn tell(print: Print, findings: &Findings) -> Result<(), Failure> {
    if print.is_json() {
        print.json(findings.all())?;
    } else {
        print.text(&lines(findings.all()))?;
    }
    match (
        findings.count(State::Problem),
        findings.count(State::Warning),
    ) {
        (0, 0) => Ok(()),
        (0, warnings) => Err(Failure::Warnings(warnings)),
        (problems, _) => Err(Failure::Problems(problems)),
    }
}

fn lines(found: &[Finding]) -> String {
    let shown = |finding: &Finding| match &finding.team {
        Some(team) => neutral::line(&format!("{team}: {}", finding.subject)).into_owned(),
        None => neutral::line(&finding.subject).into_owned(),
    };
    let width = found.iter().map(|one| shown(one).chars().count()).max();
    let width = width.unwrap_or(0);
    let mut text = String::new();
    for finding in found {
        let (state, subject) = (finding.state.name(), shown(finding));
        let reason = neutral::line(&finding.reason);
        text.push_str(&format!("{state:<7}  {subject:<width$}  {reason}\n"));
        if let Some(remedy) = &finding.remedy {
            let remedy = neutral::line(remedy);
            text.push_str(&format!("{:<7}  {:<width$}  hint: {remedy}\n", "", ""));
        }
    }
    text
}
