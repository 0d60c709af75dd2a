//! `storyline history`: how stories ended.

use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use jiff::Timestamp;
use serde::Serialize;

use super::print::{FULL, NUMBER, TEXT, Table, heading, moment, or_dash};
use super::{Failure, Seat};
use crate::domain::entry::{Entry, Withdrawn};
use crate::domain::outcome::Outcome;

#[derive(Debug, Subcommand)]
pub(super) enum History {
    /// List the latest ends of stories, the newest first
    ///
    /// For example, what was posted last: `storyline history list --outcome posted --limit 5`
    List {
        /// How many
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        /// Only those that ended so
        #[arg(long, value_parser = outcome())]
        outcome: Option<Outcome>,
    },
}

fn outcome() -> impl TypedValueParser<Value = Outcome> {
    PossibleValuesParser::new(Outcome::ALL.map(Outcome::as_str))
        .try_map(|word| word.parse::<Outcome>())
}

pub(super) async fn run(seat: &Seat, command: History) -> Result<(), Failure> {
    let History::List { limit, outcome } = command;
    let entries = match outcome {
        Some(outcome) => seat.flow.history_with(outcome, limit).await?,
        None => seat.flow.history(limit).await?,
    };
    let ended: Vec<Ended> = entries.into_iter().map(Ended::from).collect();
    seat.print
        .list(&ended, "No story has ended so far.", |ended| {
            table(seat, ended)
        })
}

/// An entry of the history, as scripts see it.
#[derive(Serialize)]
pub(super) struct Ended {
    /// How people call the story; nothing for a slot that never had one.
    pub(super) number: Option<u64>,
    pub(super) outcome: Outcome,
    pub(super) ended_at: Timestamp,
    due_at: Timestamp,
    sent_at: Option<Timestamp>,
    name: String,
    path: String,
    category: String,
    fingerprint: String,
    /// The category whose turn it was.
    turn: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) by: Option<String>,
    /// When and by whom it was taken back, if it was.
    taken_back: Option<Withdrawn>,
}

impl From<Entry> for Ended {
    fn from(entry: Entry) -> Self {
        Self {
            number: entry.number,
            outcome: entry.outcome,
            ended_at: entry.ended_at,
            due_at: entry.due_at,
            sent_at: entry.sent_at,
            name: entry.snapshot.display_name().to_owned(),
            path: entry.snapshot.path,
            category: entry.snapshot.category,
            fingerprint: entry.snapshot.fingerprint,
            turn: entry.turn.map(|turn| turn.to_string()),
            reason: entry.reason,
            by: entry.person_name,
            taken_back: entry.withdrawn,
        }
    }
}

fn table(seat: &Seat, ended: &[Ended]) -> Table {
    let when = heading("Ended", seat.zone());
    let mut table = Table::new([
        ("Story", NUMBER),
        (&when, FULL),
        ("Outcome", FULL),
        ("Category", FULL),
        ("Name", TEXT),
        ("By", TEXT),
        ("Reason", TEXT),
    ]);
    for entry in ended {
        table.row([
            entry
                .number
                .map_or_else(|| or_dash(None), |number| format!("#{number}")),
            moment(entry.ended_at, seat.zone()),
            match &entry.taken_back {
                Some(_) => format!("{}, taken back", entry.outcome),
                None => entry.outcome.to_string(),
            },
            or_dash(Some(entry.category.as_str()).filter(|name| !name.is_empty())),
            or_dash(Some(entry.name.as_str()).filter(|name| !name.is_empty())),
            or_dash(entry.by.as_deref()),
            entry.reason.clone().unwrap_or_default(),
        ]);
    }
    table
}
