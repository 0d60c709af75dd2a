//! `storyline alert`: whether alerts arrive.

use clap::Subcommand;

use super::print::Print;
use super::{Failure, check, missing_database};
use crate::appliance::{open_teams, tell_owner, try_each};
use crate::config::{Config, Loaded, Problems};
use crate::doctor::Findings;
use crate::system::clock::Clock;

#[derive(Debug, Subcommand)]
pub(super) enum Alert {
    /// Send one by each way, the chat and those of `[alerts]`, and say how it went
    Test,
}

pub(super) async fn run(print: Print, command: Alert, loaded: &Loaded) -> Result<(), Failure> {
    let Alert::Test = command;
    // Without its secrets a way would be passed over in silence.
    if !loaded.withheld.is_empty() {
        return Err(Failure::Config(Problems(loaded.withheld.clone())));
    }
    let config = &loaded.config;
    let mut findings = Findings::default();
    by_chat(&mut findings, config).await?;
    let tried = try_each(config).await.map_err(|error| {
        Failure::plain(format!("the network library cannot be set up: {error}"))
    })?;
    if tried.is_empty() {
        let more = "`[alerts]` in the settings has a webhook, ntfy and mail";
        findings.note(
            "alerts",
            "there is no second way, should Telegram fail",
            Some(more),
        );
    }
    for (way, to, went) in tried {
        match went {
            Ok(()) => findings.ok("alerts", format!("{way} {to}: it was taken")),
            Err(why) => findings.problem("alerts", format!("{way} {to}: {why}"), None),
        }
    }
    check::tell(print, &findings)
}

async fn by_chat(findings: &mut Findings, config: &Config) -> Result<(), Failure> {
    if config.telegram.token.is_none() {
        let none = "there is no bot token: no alert goes to a chat";
        findings.note("telegram", none, Some("`storyline setup` asks for one"));
        return Ok(());
    }
    let now = Clock::system().now();
    let home = match missing_database(config) {
        Some(_) => config.team.home(),
        None => {
            let teams = open_teams(config, now).await?;
            teams.own().settings().await?.home()
        }
    };
    let text = "This is a test, by `storyline alert test`: alerts arrive here.";
    match tell_owner(config, home, text, now).await {
        Ok(()) => findings.ok("telegram", "it was taken"),
        Err(why) => findings.problem("telegram", why, None),
    }
    Ok(())
}
