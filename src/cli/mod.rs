//! EDGE: the terminal. One file a noun; data goes to stdout, talk to stderr. Every command works beside the daemon: both
//! use the database, and the daemon looks at its next tick (half a minute at most) what a command changed.
//!
//! The doc comments of the arguments are what `--help` shows and what the manual page is made from.

mod alert;
mod audit;
mod backup;
mod check;
mod clock;
mod completions;
mod config;
mod exit;
mod history;
mod lock;
mod log;
#[cfg(test)]
mod manual;
mod media;
mod mix;
mod near;
mod person;
mod plan;
mod print;
mod queue;
mod run;
mod schedule;
mod secret;
mod serve;
mod service;
mod setup;
mod stats;
mod support;
mod team;
mod telegram;
mod when;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::appliance::open_teams;
use crate::config::{Config, DatabaseUrl, Environment, Loaded};
use crate::domain::audit::By;
use crate::flow::Flow;
use crate::flow::teams::Teams;
use crate::system::clock::Clock;

use exit::told;
pub use exit::{Failure, Told};
use print::Print;

/// Turns a folder of pictures into a team's approved Instagram Stories.
///
/// `storyline serve` is the service itself; every other command looks at what it does or tells it something, and works while
/// it runs: the service notices within half a minute. What is asked for goes to stdout, all else to stderr.
#[derive(Debug, Parser)]
#[command(name = "storyline", bin_name = "storyline", version, max_term_width = 100, after_help = exit::HELP)]
pub struct Cli {
    /// The file of settings [default: $STORYLINE_CONFIG, else /etc/storyline/storyline.toml]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON, for scripts; times are RFC 3339 in UTC
    #[arg(long, global = true)]
    json: bool,
    /// The team, by its name; needed where the box has several
    #[arg(long, global = true, value_name = "NAME")]
    team: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service until it is told to stop
    Serve,
    /// Ask for what the box needs, and have it work: the pictures' folder, the bot, the chat, the hours
    ///
    /// It begins with `sudo storyline setup`. What is set already is proposed, and only what is answered otherwise is changed. Nothing
    /// is, before the last question is answered. Without a terminal, options say what else is asked for.
    Setup(setup::Setup),
    /// Look at everything and say what is wrong and what to do
    Check(check::Check),
    /// Write what whoever helps wants to know into one file, with nothing secret in it
    Support(support::Support),
    /// See what is set, and whether it is right
    #[command(subcommand)]
    Config(config::Config),
    /// The pictures of the library
    #[command(subcommand)]
    Media(media::Media),
    /// The plan: what will be sent when
    #[command(subcommand)]
    Schedule(schedule::Schedule),
    /// The stories that have not ended yet
    #[command(subcommand)]
    Queue(queue::Queue),
    /// How stories ended
    #[command(subcommand)]
    History(history::History),
    /// Tell the life of one story, from the plan to its outcome: what is on record, and what the journal says beside
    ///
    /// For example: `storyline log 47`. The journal is asked on this machine; who may not read it (root and the group
    /// `systemd-journal` may) is told the records alone.
    Log(log::Log),
    /// Show what the last month was like: how much was posted, how fast, when, and with which tags
    ///
    /// For example: `storyline stats --person @ann`
    Stats(stats::Stats),
    /// What keeps a media out of the plan
    #[command(subcommand)]
    Lock(lock::Lock),
    /// The shares of the categories in the plan
    #[command(subcommand)]
    Mix(mix::Mix),
    /// The teams of the box, and what each decided
    #[command(subcommand)]
    Team(team::Team),
    /// The people of the team
    #[command(subcommand)]
    Person(person::Person),
    /// Who changed what by hand
    #[command(subcommand)]
    Audit(audit::Audit),
    /// What the service did, for diagnosis
    #[command(subcommand)]
    Run(run::Run),
    /// What must be used and never shown, kept encrypted in the database
    #[command(subcommand)]
    Secret(secret::Secret),
    /// Copies of the records, and the way back to one
    #[command(subcommand)]
    Backup(backup::Backup),
    /// Pause the plan: nothing is sent by itself until `storyline resume`
    Pause,
    /// Go on with the plan; what went by in the pause is not made up for
    Resume,
    /// Alerts, and the ways that they go
    #[command(subcommand)]
    Alert(alert::Alert),
    /// The box's clock
    #[command(subcommand)]
    Clock(clock::Clock),
    /// The bot and its chats
    #[command(subcommand)]
    Telegram(telegram::Telegram),
    /// Print the completions for a shell
    ///
    /// For bash: `storyline completions bash > /etc/bash_completion.d/storyline`
    Completions(completions::Completions),
}

/// Parses the command line, runs the command, and says how it went.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return exit::usage(&error),
    };
    let is_service = matches!(cli.command, Command::Serve);
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if is_service => exit::report_in_time(failure),
        Err(failure) => exit::report(&failure),
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let environment = Environment::capture();
    let print = Print::new(cli.json);
    let path = cli.config.as_deref();
    let load = || Config::load(path, &environment).map_err(Failure::Config);
    match cli.command {
        Command::Serve => serve::run(&load()?, &environment),
        Command::Config(command) => wait(config::run(print, command, path, &environment)),
        Command::Completions(shell) => completions::run(print, &shell),
        Command::Support(support) => wait(support::run(print, support, path, &environment)),
        Command::Check(check) => wait(check::run(print, check, path, &environment)),
        Command::Backup(backup::Backup::Key { another }) => {
            wait(backup::key::run(print, another, path, &environment))
        }
        Command::Backup(command) => wait(backup::run(print, command, &load()?.config)),
        Command::Setup(options) => wait(setup::run(print, options, path, &environment)),
        Command::Telegram(command) => wait(telegram::run(print, command, &load()?.config)),
        Command::Alert(command) => wait(alert::run(print, command, &load()?)),
        command => wait(async {
            let seat = Seat::take(print, load()?, &environment).await?;
            beside_the_daemon(command, seat, cli.team.as_deref()).await
        }),
    }
}

async fn beside_the_daemon(
    command: Command,
    seat: Seat,
    team: Option<&str>,
) -> Result<(), Failure> {
    let seat = match &command {
        Command::Team(command) if !command.is_of_one() => seat,
        Command::Clock(_) => seat,
        _ => seat.at(team).await?,
    };
    match command {
        Command::Media(command) => media::run(&seat, command).await,
        Command::Schedule(command) => schedule::run(&seat, command).await,
        Command::Queue(command) => queue::run(&seat, command).await,
        Command::History(command) => history::run(&seat, command).await,
        Command::Log(command) => log::run(&seat, command).await,
        Command::Stats(command) => stats::run(&seat, command).await,
        Command::Lock(command) => lock::run(&seat, command).await,
        Command::Mix(command) => mix::run(&seat, command).await,
        Command::Team(command) => team::run(&seat, command).await,
        Command::Person(command) => person::run(&seat, command).await,
        Command::Audit(command) => audit::run(&seat, command).await,
        Command::Run(command) => run::run(&seat, command).await,
        Command::Clock(command) => clock::run(&seat, command).await,
        Command::Secret(command) => secret::run(&seat, command).await,
        Command::Pause => plan::pause(&seat).await,
        Command::Resume => plan::resume(&seat).await,
        Command::Serve
        | Command::Setup(_)
        | Command::Check(_)
        | Command::Support(_)
        | Command::Config(_)
        | Command::Backup(_)
        | Command::Telegram(_)
        | Command::Alert(_)
        | Command::Completions(_) => Ok(()),
    }
}

/// Runs a command to its end; none needs more than this one thread.
fn wait(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::plain(format!("the runtime cannot be started: {error}")))?
        .block_on(command)
}

/// Where a person sits at the terminal: what a command has at hand.
struct Seat {
    config: Config,
    teams: Teams,
    /// The team's whose desk it is; the box's own until one is chosen.
    flow: Flow,
    print: Print,
    clock: Clock,
    /// Who asks.
    by: By,
}

impl Seat {
    async fn take(
        print: Print,
        loaded: Loaded,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let config = loaded.config;
        if let Some(missing) = missing_database(&config) {
            return Err(Failure::Unavailable(missing));
        }
        let clock = Clock::system();
        let teams = open_teams(&config, clock.now()).await?;
        Ok(Self {
            flow: teams.own().clone(),
            teams,
            print,
            clock,
            by: By::terminal(login_name(environment)),
            config,
        })
    }

    /// At the desk of the team of this name; without a name, of the only one.
    async fn at(self, name: Option<&str>) -> Result<Self, Failure> {
        let all = self.teams.all();
        let names: Vec<&str> = all.iter().map(|(_, team)| &*team.name).collect();
        let flow = match name {
            Some(name) => self.teams.named(name).ok_or_else(|| {
                let hint = near::hint(
                    &near::near(name, names),
                    "`storyline team list` shows the teams",
                );
                Failure::NotFound(told(format!("there is no team called `{name}`"), &hint))
            })?,
            None if all.len() == 1 => self.teams.own(),
            None => {
                return Err(Failure::Usage(told(
                    format!("the box has several teams: {}", names.join(", ")),
                    "say which one with `--team NAME`",
                )));
            }
        };
        let flow = flow.clone();
        // What the team decided since counts, and not the first values of the file.
        let team = flow.settings().await?;
        Ok(Self {
            flow,
            config: Config {
                team,
                ..self.config
            },
            ..self
        })
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn zone(&self) -> &TimeZone {
        &self.config.team.timezone
    }

    /// Has the daemon notice that something was changed.
    async fn knock(&self) -> Result<(), Failure> {
        Ok(self.flow.knock(self.now()).await?)
    }
}

/// Why there is no database yet, if there is none. Only the service makes one: made by a command that was run with `sudo`, it
/// would not belong to the service's user.
fn missing_database(config: &Config) -> Option<Told> {
    let DatabaseUrl::Sqlite(path) = &config.database.url else {
        return None;
    };
    let is_missing = matches!(path.try_exists(), Ok(false));
    let lost = is_missing
        .then(|| crate::appliance::backups(config)?.must_not_be_lost().err())
        .flatten();
    if let Some(lost) = lost {
        let hint = "`storyline backup list` shows all there are";
        return Some(told(lost.to_string(), hint));
    }
    is_missing.then(|| {
        told(
            format!(
                "there is no database at `{}` yet: the service has not run",
                path.display()
            ),
            "start it with `systemctl start storyline` (or `storyline serve`); if it runs, its `database.url` is another",
        )
    })
}

fn login_name(environment: &Environment) -> &str {
    ["SUDO_USER", "USER"]
        .iter()
        .find_map(|name| environment.get(name))
        .unwrap_or("the command line")
}
