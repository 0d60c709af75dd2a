//! `storyline schedule`: what will be sent when.

use clap::Subcommand;

use super::print::{FULL, NUMBER, TEXT, Table, count, heading, moment, or_dash, say};
use super::{Failure, Seat};
use crate::flow::schedule::Preview;

#[derive(Debug, Subcommand)]
pub(super) enum Schedule {
    /// Show what will be sent, if nothing changes
    ///
    /// Stories with a number are in the queue already; what lies beyond is chosen when the plan gets there, by the same rule.
    Preview {
        /// How many days ahead
        #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=60))]
        days: u32,
    },
    /// Choose anew for every slot that was not sent yet
    ///
    /// The plan follows changes by itself; this is for when you want another choice. Stories keep their numbers and times.
    Replan,
}

pub(super) async fn run(seat: &Seat, command: Schedule) -> Result<(), Failure> {
    match command {
        Schedule::Preview { days } => preview(seat, days).await,
        Schedule::Replan => replan(seat).await,
    }
}

async fn preview(seat: &Seat, days: u32) -> Result<(), Failure> {
    let lines = seat.flow.preview(days, seat.now()).await?;
    let status = seat.flow.status(seat.now()).await?;
    if status.paused_since.is_some() && !seat.print.is_json() {
        say("The plan is paused: none of this is sent before `storyline resume`.");
    }
    seat.print
        .list(&lines, "No slot lies ahead.", |lines| table(seat, lines))
}

fn table(seat: &Seat, lines: &[Preview]) -> Table {
    let due = heading("Due", seat.zone());
    let mut table = Table::new([
        (&due, FULL),
        ("Story", NUMBER),
        ("Category", FULL),
        ("Name", TEXT),
        ("File", TEXT),
    ]);
    for line in lines {
        let number = line.number.map(|number| format!("#{number}"));
        table.row([
            moment(line.at, seat.zone()),
            or_dash(number.as_deref()),
            or_dash(Some(line.category.as_str()).filter(|name| !name.is_empty())),
            line.name
                .clone()
                .unwrap_or_else(|| "(nothing fits)".to_owned()),
            or_dash(line.path.as_deref()),
        ]);
    }
    table
}

async fn replan(seat: &Seat) -> Result<(), Failure> {
    let drawn = seat.flow.replan(seat.by.clone(), seat.now()).await?;
    seat.knock().await?;
    let mut sentence = format!(
        "The plan is drawn anew: {} planned, {} taken out before.",
        count(u64::from(drawn.planned), "story", "stories"),
        drawn.withdrawn
    );
    if drawn.empty > 0 {
        sentence.push_str(&format!(
            " For {} nothing fits; `storyline check` says why.",
            count(u64::from(drawn.empty), "slot", "slots")
        ));
    }
    seat.print.done(&drawn, &sentence)
}
