//! How a command ends: a code that scripts can tell apart, and a sentence for people on stderr.

use std::process::ExitCode;

use crate::appliance;
use crate::config::Problems;
use crate::flow;

/// Something went wrong.
const FAILURE: u8 = 1;
/// The command line is wrong; clap's own code.
const USAGE: u8 = 2;
/// What was asked for is not there.
const NOT_FOUND: u8 = 3;
/// The settings are wrong.
const CONFIG: u8 = 78;
/// The database or Telegram is out of reach just now; try again later.
const UNAVAILABLE: u8 = 69;

/// Why a command could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The settings are wrong.
    #[error(transparent)]
    Config(Problems),
    /// The database.
    #[error(transparent)]
    Store(#[from] flow::Error),
    /// The service.
    #[error(transparent)]
    Appliance(#[from] appliance::Trouble),
    /// What was asked for is not there.
    #[error("{0}")]
    NotFound(String),
    /// Something is out of reach just now.
    #[error("{0}")]
    Unavailable(String),
    /// Anything else, in plain words.
    #[error("{0}")]
    Other(String),
}

impl Failure {
    fn code(&self) -> u8 {
        match self {
            Self::Config(_) => CONFIG,
            Self::NotFound(_) => NOT_FOUND,
            Self::Unavailable(_) | Self::Store(_) => UNAVAILABLE,
            Self::Appliance(_) | Self::Other(_) => FAILURE,
        }
    }
}

/// Says what went wrong, and returns the code for it.
#[expect(
    clippy::print_stderr,
    reason = "this is where a command talks to people"
)]
pub(super) fn report(failure: &Failure) -> ExitCode {
    eprintln!("storyline: {failure}");
    ExitCode::from(failure.code())
}

/// Says what is wrong with the command line, or prints the help that was asked for.
pub(super) fn usage(error: &clap::Error) -> ExitCode {
    // Nothing can be said if stdout and stderr are closed.
    let _ = error.print();
    if error.use_stderr() {
        ExitCode::from(USAGE)
    } else {
        ExitCode::SUCCESS
    }
}
