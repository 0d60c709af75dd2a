//! `storyline stats`: what the last month was like.

use clap::Args;
use serde::Serialize;

use super::person::find;
use super::print::Table;
use super::{Failure, Seat};
use crate::flow::stats::{Deeds, STATS_DAYS, Stats as Numbers};
use crate::telegram::commands::{busiest_hours, deeds, tags};

#[derive(Debug, Args)]
pub(super) struct Stats {
    /// Also what this person did: @username, name, or Telegram's number for them
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    person: Option<String>,
}

/// The numbers, as scripts see them.
#[derive(Serialize)]
struct Told<'a> {
    days: i64,
    team: &'a Deeds,
    person: Option<Person<'a>>,
    busiest_hours: Vec<Hour>,
    tags: Vec<Tag<'a>>,
}

#[derive(Serialize)]
struct Person<'a> {
    name: String,
    #[serde(flatten)]
    deeds: &'a Deeds,
}

#[derive(Serialize)]
struct Hour {
    hour: i8,
    posted: u64,
}

#[derive(Serialize)]
struct Tag<'a> {
    tag: &'a str,
    posted: u64,
}

pub(super) async fn run(seat: &Seat, command: Stats) -> Result<(), Failure> {
    let person = match command.person {
        Some(typed) => Some(find(seat, &typed).await?),
        None => None,
    };
    let id = person.as_ref().map(|person| person.id);
    let numbers = seat.flow.stats(id, seat.now()).await?;
    let hours = numbers.busiest_hours.iter();
    let tags = numbers.tags.iter();
    let told = Told {
        days: STATS_DAYS,
        team: &numbers.team,
        person: person
            .zip(numbers.mine.as_ref())
            .map(|(person, deeds)| Person {
                name: person.name,
                deeds,
            }),
        busiest_hours: hours
            .map(|(hour, posted)| Hour {
                hour: *hour,
                posted: *posted,
            })
            .collect(),
        tags: tags
            .map(|(tag, posted)| Tag {
                tag,
                posted: *posted,
            })
            .collect(),
    };
    seat.print.thing(&told, |told| table(told, &numbers))
}

/// In the words of the chat.
fn table(told: &Told, numbers: &Numbers) -> Table {
    let mut table = Table::facts();
    table.fact("Days", told.days.to_string());
    table.fact("Team", deeds(told.team));
    if let Some(person) = &told.person {
        table.fact(&person.name, deeds(person.deeds));
    }
    table.fact("Busiest hours", busiest_hours(numbers));
    table.fact("Tags", tags(numbers));
    table
}
