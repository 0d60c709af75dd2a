//! How a command ends: a code that scripts can tell apart, and a sentence for people on stderr.

use std::io;
use std::process::ExitCode;
use std::sync::mpsc::channel;
use std::time::Duration;

use super::print::say;
use crate::appliance::Trouble;
use crate::config::{Problem, Problems};
use crate::flow;
use crate::system::neutral;

/// It could not be done.
const FAILURE: u8 = 1;
/// A check found warnings and nothing worse, as monitoring programs take it.
const WARNINGS: u8 = 1;
/// The command line is wrong; clap's own code.
const USAGE: u8 = 2;
/// A check found problems, as monitoring programs take it.
const PROBLEMS: u8 = 2;
/// What was named is not there, or several things are called so.
const NOT_FOUND: u8 = 3;
/// The database, the library or Telegram is out of reach just now; try again later. From sysexits.h.
const UNAVAILABLE: u8 = 69;
/// The settings are wrong. From sysexits.h.
const CONFIG: u8 = 78;
/// Somebody pressed Ctrl-C; what shells say then.
const INTERRUPTED: u8 = 130;

/// How long the service tries to say why it ends, where nobody may read stderr.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The codes, for `--help`.
pub(super) const HELP: &str = "\
Exit codes:
   0  done; all well
   1  it could not be done, or a check found warnings and nothing worse
   2  the command line is wrong, or a check found problems
   3  what was named is not there, or several things are called so
  69  the database, the library or Telegram is out of reach just now
  78  the settings are wrong (`storyline config check`)
 130  somebody ended it with Ctrl-C, and nothing was changed";

/// Why a command could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The settings are wrong.
    #[error("the settings are wrong")]
    Config(Problems),
    /// The database.
    #[error(transparent)]
    Store(#[from] flow::Error),
    /// The service.
    #[error(transparent)]
    Appliance(#[from] Trouble),
    /// The command line is wrong in a way that only its meaning shows.
    #[error("{0}")]
    Usage(Told),
    /// What was named is not there, or several things are called so.
    #[error("{0}")]
    NotFound(Told),
    /// Something is out of reach just now.
    #[error("{0}")]
    Unavailable(Told),
    /// Anything else, in plain words.
    #[error("{0}")]
    Other(Told),
    /// A check found nothing worse than warnings, and has told them.
    #[error("{0} warnings")]
    Warnings(usize),
    /// A check found problems, and has told them.
    #[error("{0} problems")]
    Problems(usize),
    /// Whoever was asked would rather not answer.
    #[error("Nothing was changed.")]
    Interrupted,
    /// Nobody reads stdout any more, as with `| head`; there is nothing left to do, and nothing wrong.
    #[error("stdout is closed")]
    Unread,
}

/// What is wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Told {
    /// What is wrong, with what.
    pub error: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Failure {
    /// What nothing can be advised on.
    pub(super) fn plain(error: String) -> Self {
        Self::Other(Told { error, hint: None })
    }
}

/// What is wrong, and what to do about it.
pub(super) fn told(error: impl Into<String>, hint: impl Into<String>) -> Told {
    Told {
        error: error.into(),
        hint: Some(hint.into()),
    }
}

impl From<io::Error> for Failure {
    /// An error of writing to stdout.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::Unread;
        }
        Self::Other(told(
            format!("the output cannot be written: {error}"),
            "is there space on the disk?",
        ))
    }
}

impl Failure {
    fn code(&self) -> u8 {
        match self {
            Self::Config(_) => CONFIG,
            Self::NotFound(_) => NOT_FOUND,
            // Waiting does not help against a newer database.
            Self::Store(flow::Error::Newer { .. })
            | Self::Appliance(Trouble::Store(flow::Error::Newer { .. })) => FAILURE,
            Self::Unavailable(_) | Self::Store(_) | Self::Appliance(Trouble::Store(_)) => {
                UNAVAILABLE
            }
            Self::Warnings(_) => WARNINGS,
            Self::Problems(_) => PROBLEMS,
            Self::Usage(_) => USAGE,
            Self::Appliance(_) | Self::Other(_) => FAILURE,
            Self::Interrupted => INTERRUPTED,
            Self::Unread => 0,
        }
    }

    pub(super) fn hint(&self) -> Option<&str> {
        match self {
            Self::Usage(told)
            | Self::NotFound(told)
            | Self::Unavailable(told)
            | Self::Other(told) => told.hint.as_deref(),
            Self::Store(error) | Self::Appliance(Trouble::Store(error)) => match error {
                flow::Error::Busy(_) => Some("try again in a moment"),
                flow::Error::Unavailable(reason) if reason.contains("cannot be opened") => {
                    Some("the service's files belong to its user: run the command with `sudo`")
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// Says what went wrong, and returns the code for it.
pub(super) fn report(failure: &Failure) -> ExitCode {
    match failure {
        Failure::Unread => {}
        Failure::Config(Problems(problems)) => problems.iter().for_each(report_problem),
        Failure::Warnings(1) => say("1 warning"),
        Failure::Warnings(count) => say(&format!("{count} warnings")),
        Failure::Problems(1) => say("1 problem"),
        Failure::Problems(count) => say(&format!("{count} problems")),
        // It may end the line of a question.
        Failure::Interrupted => say(&format!("\n{failure}")),
        failure => {
            // One line each: what was named must not look like a line of its own.
            say(&neutral::line(&format!("error: {failure}")));
            if let Some(hint) = failure.hint() {
                say(&neutral::line(&format!("hint: {hint}")));
            }
        }
    }
    ExitCode::from(failure.code())
}

/// The same for the service, whose end must not hang on whoever reads its stderr.
pub(super) fn report_in_time(failure: Failure) -> ExitCode {
    let code = failure.code();
    let (said, heard) = channel();
    std::thread::spawn(move || {
        report(&failure);
        // Nobody waits any more if it took too long.
        let _ = said.send(());
    });
    // Whether it was heard or not, the service ends.
    let _ = heard.recv_timeout(LAST_WORDS);
    ExitCode::from(code)
}

fn report_problem(problem: &Problem) {
    say(&format!(
        "error: {}: {}",
        super::config::place(problem),
        problem.reason
    ));
    say(&format!("hint: {}", problem.remedy));
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
