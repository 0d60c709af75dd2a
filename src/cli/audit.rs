//! `storyline audit`: who changed what by hand.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::civil::DateTime;
use serde_json::Value;

use super::media::find;
use super::print::{FULL, TEXT, Table, heading, moment, or_dash};
use super::when::{moment_of, when};
use super::{Failure, Seat};
use crate::domain::audit::{Asked, Audited, Subject};

#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// List what people changed, the newest first; what became of stories is in `storyline history`
    ///
    /// For example: `storyline audit list --media merch/tee.jpg --since 2026-11-01`
    List(List),
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only what was said of this media, and its locks: its path, the end of its path, or the beginning of its fingerprint
    #[arg(long, value_name = "MEDIA")]
    media: Option<String>,
    /// Only from this day on, or this day and time
    #[arg(long, value_name = "TIME", value_parser = when)]
    since: Option<DateTime>,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

pub(super) async fn run(seat: &Seat, command: Audit) -> Result<(), Failure> {
    let Audit::List(options) = command;
    let media = match &options.media {
        Some(typed) => Some(find(seat, typed).await?.id),
        None => None,
    };
    let since = options.since.map(|since| moment_of(seat, since));
    let asked = Asked {
        media,
        since: since.transpose()?,
        limit: options.limit,
    };
    let lines = seat.flow.audit(asked).await?;
    seat.print
        .list(&lines, "Nobody has changed anything that fits.", |lines| {
            table(seat, lines)
        })
}

fn table(seat: &Seat, lines: &[Audited]) -> Table {
    let when = heading("When", seat.zone());
    let mut table = Table::new([
        (&when, FULL),
        ("By", TEXT),
        ("What", TEXT),
        ("Change", FULL),
        ("Before", TEXT),
        ("After", TEXT),
    ]);
    for line in lines {
        let change = &line.change;
        table.row([
            moment(line.at, seat.zone()),
            line.by.clone(),
            what(change.subject, &change.name),
            change.action.clone(),
            words(seat, &change.before),
            words(seat, &change.after),
        ]);
    }
    table
}

/// `merch/tee.jpg`, `#47`, `the mix`.
fn what(subject: Subject, name: &str) -> String {
    match subject {
        Subject::Media | Subject::Lock | Subject::Person | Subject::Story => name.to_owned(),
        Subject::Team if name.is_empty() => "the plan".to_owned(),
        Subject::Team => name.to_owned(),
        Subject::Mix | Subject::Clock => format!("the {subject}"),
    }
}

/// A value in people's words; a line ends where a text has an end of line, and is told as one.
pub(super) fn words(seat: &Seat, value: &Value) -> String {
    match value {
        Value::Null => or_dash(None),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => match text.parse::<Timestamp>() {
            Ok(at) => moment(at, seat.zone()),
            Err(_) => text.replace('\n', " ⏎ "),
        },
        Value::Array(values) if values.is_empty() => or_dash(None),
        Value::Array(values) => joined(values.iter().map(|value| words(seat, value))),
        Value::Object(facts) => joined(
            facts
                .iter()
                .map(|(name, value)| format!("{name} {}", words(seat, value))),
        ),
    }
}

fn joined(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(", ")
}
