//! `storyline log`: one story's life, of the records and of the journal together.

mod journal;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::audit::words;
use super::exit::told;
use super::print::{FULL, TEXT, Table, heading, say};
use super::queue::number;
use super::{Failure, Seat};
use crate::domain::audit::Audited;
use crate::flow::life::Life;

#[derive(Debug, Args)]
pub(super) struct Log {
    /// Its number, with or without `#`
    #[arg(value_name = "STORY", value_parser = number)]
    story: u64,
}

/// Who tells something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Source {
    Records,
    Journal,
}

/// Something that happened, as scripts see it.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Line {
    at: Timestamp,
    source: Source,
    what: String,
    /// Who did it, if a person did.
    by: Option<String>,
}

pub(super) async fn run(seat: &Seat, command: Log) -> Result<(), Failure> {
    let number = command.story;
    let Some(life) = seat.flow.life(number).await? else {
        return Err(Failure::NotFound(told(
            format!("there is no story #{number}, and never was one"),
            "`storyline queue list` and `storyline history list` show the numbers",
        )));
    };
    let teams = seat.teams.all();
    let mine = seat.flow.team();
    let others: Vec<&str> = teams
        .iter()
        .filter(|(flow, _)| flow.team() != mine)
        .map(|(_, team)| &*team.name)
        .collect();
    let first = life.happenings.first();
    let born = first.map_or(Timestamp::UNIX_EPOCH, |first| first.at);
    let journal = journal::of_story(number, born, &others)
        .await
        .unwrap_or_else(|note| {
            say(&format!("note: {note}"));
            Vec::new()
        });
    let lines = merged(recorded(seat, life), journal);
    seat.print.list(&lines, "Nothing is known of it.", |lines| {
        table(seat, lines)
    })
}

/// What the records tell.
fn recorded(seat: &Seat, life: Life) -> Vec<Line> {
    let happened = life.happenings.into_iter().map(|happening| Line {
        at: happening.at,
        source: Source::Records,
        what: happening.what,
        by: happening.by,
    });
    let changed = life.changes.into_iter().map(|line| Line {
        at: line.at,
        source: Source::Records,
        what: changed(seat, &line),
        by: Some(line.by),
    });
    happened.chain(changed).collect()
}

/// `memes/cat.jpg: title set, – → Tom`.
fn changed(seat: &Seat, line: &Audited) -> String {
    let change = &line.change;
    format!(
        "{}: {}, {} → {}",
        change.name,
        change.action,
        words(seat, &change.before),
        words(seat, &change.after)
    )
}

/// Both in order of time. What was written and told at once is first the record: the log line follows from it.
fn merged(mut records: Vec<Line>, journal: Vec<Line>) -> Vec<Line> {
    records.extend(journal);
    // In milliseconds, as the records are kept: the journal's microseconds must not come before what they tell of.
    records.sort_by_key(|line| (line.at.as_millisecond(), line.source));
    records
}

fn table(seat: &Seat, lines: &[Line]) -> Table {
    let when = heading("When", seat.zone());
    let mut table =
        Table::new([(&when, FULL), ("From", FULL), ("What", TEXT), ("By", TEXT)]).wrapped();
    for line in lines {
        let local = line.at.to_zoned(seat.zone().clone());
        table.row([
            local.strftime("%a %Y-%m-%d %H:%M:%S").to_string(),
            match line.source {
                Source::Records => "records",
                Source::Journal => "journal",
            }
            .to_owned(),
            line.what.clone(),
            line.by.clone().unwrap_or_default(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(at: &str, source: Source, what: &str) -> Line {
        Line {
            at: at.parse().unwrap(),
            source,
            what: what.to_owned(),
            by: None,
        }
    }

    #[test]
    fn what_happened_is_told_in_order_and_the_record_before_the_log_of_it() {
        let records = vec![
            line("2026-11-21T12:00:00.500Z", Source::Records, "posted"),
            line("2026-11-21T09:00:00Z", Source::Records, "planned"),
        ];
        let journal = vec![
            line("2026-11-21T12:00:00.500123Z", Source::Journal, "#1 posted"),
            line("2026-11-21T10:00:00Z", Source::Journal, "#1 is before"),
        ];
        let told: Vec<String> = merged(records, journal)
            .into_iter()
            .map(|line| line.what)
            .collect();
        assert_eq!(told, ["planned", "#1 is before", "posted", "#1 posted"]);
    }
}
