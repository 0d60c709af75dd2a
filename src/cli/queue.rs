//! `storyline queue`: the stories that have not ended yet.

use clap::Subcommand;
use serde::Serialize;

use super::exit::told;
use super::print::{FULL, NUMBER, TEXT, Table, heading, moment, say};
use super::{Failure, Seat};
use crate::domain::story::State;
use crate::flow::steer::Commanded;
use crate::flow::survey::Queued;

#[derive(Debug, Subcommand)]
pub(super) enum Queue {
    /// List the stories that are planned, on their way, or before the team
    List,
    /// Send the next story now
    ///
    /// If the next slot is near, the story counts as that slot's; else the slot gets another one.
    Next,
    /// Take stories out of the queue
    ///
    /// For example: `storyline queue cancel 47 48`. Their media may be chosen again; `storyline lock add` keeps one out.
    Cancel {
        /// The numbers, with or without `#`
        #[arg(required = true, value_name = "NUMBER", value_parser = number)]
        numbers: Vec<u64>,
    },
}

pub(super) fn number(typed: &str) -> Result<u64, String> {
    typed
        .trim_start_matches('#')
        .parse()
        .map_err(|_| "a story's number is like `47` or `#47`".to_owned())
}

pub(super) async fn run(seat: &Seat, command: Queue) -> Result<(), Failure> {
    match command {
        Queue::List => {
            let queue = seat.flow.queue().await?;
            seat.print.list(
                &queue,
                "The queue is empty; `storyline check` says why, if it should not be.",
                |queue| table(seat, queue),
            )
        }
        Queue::Next => next(seat).await,
        Queue::Cancel { numbers } => cancel(seat, numbers).await,
    }
}

fn table(seat: &Seat, queue: &[Queued]) -> Table {
    let due = heading("Due", seat.zone());
    let mut table = Table::new([
        ("Story", NUMBER),
        (&due, FULL),
        ("State", FULL),
        ("Category", FULL),
        ("Name", TEXT),
        ("Note", TEXT),
    ]);
    for story in queue {
        let asked = story
            .requested_by
            .iter()
            .map(|by| format!("asked for by {by}"));
        let note: Vec<String> = asked.chain(story.reason.clone()).collect();
        table.row([
            format!("#{}", story.number),
            moment(story.due_at, seat.zone()),
            story.state.to_string(),
            story.category.to_string(),
            story.name.clone(),
            note.join("; "),
        ]);
    }
    table
}

#[derive(Serialize)]
struct Next {
    number: u64,
}

async fn next(seat: &Seat) -> Result<(), Failure> {
    let by = seat.by.clone();
    let number = match seat.flow.send_next(None, by, seat.now()).await? {
        Commanded::Sending(number) => number,
        Commanded::ClockInDoubt => {
            return Err(Failure::Other(told(
                "the clock is in doubt, and nothing is sent until it is right",
                "`date` shows the time; if it is right, `storyline clock trust` says so",
            )));
        }
        _ => {
            return Err(Failure::Other(told(
                "there is nothing to send: no media fits",
                "`storyline media list --ready` shows what could be sent, `storyline lock list` what is kept back",
            )));
        }
    };
    seat.knock().await?;
    let when = if seat.flow.is_served().await? {
        "within half a minute"
    } else {
        "as soon as the service runs"
    };
    let sentence = format!("#{number} is sent {when}.");
    seat.print.done(&Next { number }, &sentence)
}

#[derive(Serialize)]
struct Cancelled {
    number: u64,
    cancelled: bool,
}

async fn cancel(seat: &Seat, numbers: Vec<u64>) -> Result<(), Failure> {
    let mut done = Vec::new();
    let mut missing = Vec::new();
    for number in numbers {
        let cancelled = seat
            .flow
            .cancel(number, seat.by.clone(), seat.now())
            .await?
            == Some(true);
        done.push(Cancelled { number, cancelled });
        if !cancelled {
            missing.push(number);
        } else if !seat.print.is_json() {
            say(&format!("#{number} is out of the queue."));
        }
    }
    if done.iter().any(|one| one.cancelled) {
        seat.knock().await?;
    }
    if seat.print.is_json() {
        seat.print.json(&done)?;
    }
    match missing.as_slice() {
        [] => Ok(()),
        [number] => Err(Failure::NotFound(told(
            why_missing(seat, *number).await?,
            candidates(seat).await?,
        ))),
        several => {
            let several: Vec<String> = several.iter().map(|number| format!("#{number}")).collect();
            Err(Failure::NotFound(told(
                format!("{} are not in the queue", several.join(", ")),
                candidates(seat).await?,
            )))
        }
    }
}

async fn why_missing(seat: &Seat, number: u64) -> Result<String, Failure> {
    Ok(match seat.flow.entry(number).await? {
        Some(entry) => format!(
            "#{number} has ended: {} on {}",
            entry.outcome,
            moment(entry.ended_at, seat.zone())
        ),
        None => format!("#{number} is not in the queue"),
    })
}

async fn candidates(seat: &Seat) -> Result<String, Failure> {
    let queue = seat.flow.queue().await?;
    let (first, more) = (queue.iter().take(5), queue.len().saturating_sub(5));
    let mut numbers: Vec<String> = first
        .map(|story| match story.state {
            State::Planned => format!("#{}", story.number),
            state => format!("#{} ({state})", story.number),
        })
        .collect();
    if numbers.is_empty() {
        return Ok("the queue is empty".to_owned());
    }
    if more > 0 {
        numbers.push(format!("{more} more (`storyline queue list`)"));
    }
    Ok(format!("the queue has {}", numbers.join(", ")))
}
