//! `storyline run`: what the service did, for diagnosis.

use clap::Subcommand;
use jiff::SignedDuration;

use super::print::{FULL, TEXT, Table, heading, moment};
use super::{Failure, Seat};
use crate::domain::run::Run as Ran;

#[derive(Debug, Subcommand)]
pub(super) enum Run {
    /// List the latest runs of the service's jobs, the newest first; runs are kept for a month
    List {
        /// How many
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
}

pub(super) async fn run(seat: &Seat, command: Run) -> Result<(), Failure> {
    let Run::List { limit } = command;
    let runs = seat.flow.runs(limit).await?;
    seat.print
        .list(&runs, "No job has done anything yet.", |runs| {
            table(seat, runs)
        })
}

fn table(seat: &Seat, runs: &[Ran]) -> Table {
    let started = heading("Started", seat.zone());
    let mut table = Table::new([
        (&started, FULL),
        ("Job", FULL),
        ("Took", FULL),
        ("What it did", TEXT),
    ]);
    for run in runs {
        table.row([
            moment(run.started_at, seat.zone()),
            run.job.clone(),
            took(run.ended_at.duration_since(run.started_at)),
            match &run.error {
                Some(error) => format!("failed: {error}"),
                None => run.detail.clone(),
            },
        ]);
    }
    table
}

/// `0.4 s`, `75 s`.
fn took(time: SignedDuration) -> String {
    if time.as_secs() >= 10 {
        format!("{} s", time.as_secs())
    } else {
        format!("{:.1} s", time.as_secs_f64().max(0.0))
    }
}
