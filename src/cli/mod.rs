//! EDGE: the terminal. One file a noun; data goes to stdout, talk to stderr. Every command works beside the daemon: both
//! use the database, and the daemon looks at its next tick (half a minute at most) what a command changed.

mod exit;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, Environment, Loaded};

pub use exit::Failure;

/// Turns a folder of pictures into a team's approved Instagram Stories.
#[derive(Debug, Parser)]
#[command(name = "storyline", version, max_term_width = 100)]
pub struct Cli {
    /// The settings' file [default: $STORYLINE_CONFIG, else /etc/storyline/storyline.toml]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service until it is told to stop
    Serve,
}

/// Parses the command line, runs the command, and says how it went.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return exit::usage(&error),
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => exit::report(&failure),
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let environment = Environment::capture();
    let loaded = load(&cli, &environment)?;
    match cli.command {
        Command::Serve => serve::run(&loaded, &environment),
    }
}

fn load(cli: &Cli, environment: &Environment) -> Result<Loaded, Failure> {
    Config::load(cli.config.as_deref(), environment).map_err(Failure::Config)
}
