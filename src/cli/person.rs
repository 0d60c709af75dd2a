//! `storyline person`: the people of the team.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::exit::told;
use super::near::{hint, near};
use super::print::{FULL, NUMBER, TEXT, Table, heading, moment, or_dash};
use super::{Failure, Seat};
use crate::domain::person::{Person as Member, PersonId, Role};

#[derive(Debug, Subcommand)]
pub(super) enum Person {
    /// List the people of the team; they are met when they first press a button or write to the bot
    List,
    /// Make a person an admin, who may also pause, resume and send the next story
    Promote(Whom),
    /// Lower a person's role by one: an owner becomes an admin, an admin a member
    Demote(Whom),
    /// Refuse a person's presses from now on
    Deactivate(Whom),
    /// Take a person's presses again
    Activate(Whom),
    /// Show how many stories each person has posted, skipped and rejected
    Stats,
}

#[derive(Debug, Args)]
pub(super) struct Whom {
    /// The person: @username, name, or Telegram's number for them
    #[arg(value_name = "PERSON", allow_hyphen_values = true)]
    person: String,
}

pub(super) async fn run(seat: &Seat, command: Person) -> Result<(), Failure> {
    match command {
        Person::List => {
            let people = seat.flow.people().await?;
            seat.print
                .list(&people, NOBODY, |people| list(seat, people))
        }
        Person::Stats => {
            let people = seat.flow.people().await?;
            let stats: Vec<Stats> = people.iter().map(Stats::of).collect();
            seat.print.list(&stats, NOBODY, tallies)
        }
        Person::Promote(whom) => give_role(seat, &whom, Role::promoted).await,
        Person::Demote(whom) => give_role(seat, &whom, demoted).await,
        Person::Deactivate(whom) => set_active(seat, &whom, false).await,
        Person::Activate(whom) => set_active(seat, &whom, true).await,
    }
}

const NOBODY: &str =
    "Nobody is on record yet: people are met when they first press a button or write to the bot.";

fn demoted(role: Role) -> Role {
    match role {
        Role::Owner => Role::Admin,
        Role::Admin | Role::Member => Role::Member,
    }
}

fn list(seat: &Seat, people: &[Member]) -> Table {
    let since = heading("Since", seat.zone());
    let mut table = Table::new([
        ("Name", TEXT),
        ("Username", FULL),
        ("Number", NUMBER),
        ("Role", FULL),
        ("Active", FULL),
        (&since, FULL),
    ]);
    for person in people {
        table.row([
            person.name.clone(),
            or_dash(at_name(person).as_deref()),
            person.id.to_string(),
            person.role.to_string(),
            match (person.left_at, person.deactivated_at) {
                (Some(_), _) => "left",
                (None, Some(_)) => "no",
                (None, None) => "yes",
            }
            .to_owned(),
            moment(person.joined_at, seat.zone()),
        ]);
    }
    table
}

#[derive(Serialize)]
struct Stats {
    id: PersonId,
    name: String,
    username: Option<String>,
    posted: u64,
    skipped: u64,
    rejected: u64,
}

impl Stats {
    fn of(person: &Member) -> Self {
        Self {
            id: person.id,
            name: person.name.clone(),
            username: person.username.clone(),
            posted: person.tally.posted,
            skipped: person.tally.skipped,
            rejected: person.tally.rejected,
        }
    }
}

fn tallies(stats: &[Stats]) -> Table {
    let mut table = Table::new([
        ("Name", TEXT),
        ("Posted", NUMBER),
        ("Skipped", NUMBER),
        ("Rejected", NUMBER),
    ]);
    for person in stats {
        table.row([
            person.name.clone(),
            person.posted.to_string(),
            person.skipped.to_string(),
            person.rejected.to_string(),
        ]);
    }
    table
}

fn at_name(person: &Member) -> Option<String> {
    person.username.as_ref().map(|name| format!("@{name}"))
}

async fn give_role(seat: &Seat, whom: &Whom, next: impl Fn(Role) -> Role) -> Result<(), Failure> {
    let mut person = find(seat, &whom.person).await?;
    let (before, role) = (person.role, next(person.role));
    let sentence = if role == before {
        format!("{} was {} already.", person.name, a(role))
    } else {
        seat.flow
            .set_role(person.id, role, seat.by.clone(), seat.now())
            .await?;
        seat.knock().await?;
        person.role = role;
        format!("{} is {} now.", person.name, a(role))
    };
    seat.print.done(&person, &sentence)
}

fn a(role: Role) -> &'static str {
    match role {
        Role::Member => "a member",
        Role::Admin => "an admin",
        Role::Owner => "the owner",
    }
}

async fn set_active(seat: &Seat, whom: &Whom, active: bool) -> Result<(), Failure> {
    let mut person = find(seat, &whom.person).await?;
    let now = seat.now();
    let was_active = person.deactivated_at.is_none();
    if was_active != active {
        seat.flow
            .set_active(person.id, active, seat.by.clone(), now)
            .await?;
        seat.knock().await?;
        person.deactivated_at = (!active).then_some(now);
    }
    let name = &person.name;
    let sentence = match (active, was_active == active) {
        (true, false) => format!("{name}'s presses are taken again."),
        (true, true) => format!("{name} was active already."),
        (false, false) => format!("{name}'s presses are refused from now on."),
        (false, true) => format!("{name} was deactivated already."),
    };
    seat.print.done(&person, &sentence)
}

/// The one person of the team who is called so.
pub(super) async fn find(seat: &Seat, typed: &str) -> Result<Member, Failure> {
    let people = seat.flow.people().await?;
    let mut called_so: Vec<&Member> = people
        .iter()
        .filter(|person| is_called(person, typed))
        .collect();
    match called_so.as_slice() {
        [one] => Ok((*one).clone()),
        [] => {
            let names: Vec<String> = people
                .iter()
                .flat_map(|person| [Some(person.name.clone()), at_name(person)])
                .flatten()
                .collect();
            Err(Failure::NotFound(told(
                format!("nobody of the team is called `{typed}`"),
                hint(
                    &near(typed, names.iter().map(String::as_str)),
                    "`storyline person list` shows everybody",
                ),
            )))
        }
        _ => {
            called_so.truncate(5);
            let candidates: Vec<String> = called_so
                .iter()
                .map(|person| {
                    let username = at_name(person).map_or_else(String::new, |name| name + ", ");
                    format!("{} ({username}{})", person.name, person.id)
                })
                .collect();
            Err(Failure::NotFound(told(
                format!(
                    "several people are called `{typed}`: {}",
                    candidates.join("; ")
                ),
                "say who by @username or number",
            )))
        }
    }
}

fn is_called(person: &Member, typed: &str) -> bool {
    let same = |name: &str, typed: &str| name.to_lowercase() == typed.to_lowercase();
    let is_username = |typed| {
        let username = person.username.as_deref();
        username.is_some_and(|username| same(username, typed))
    };
    match typed.strip_prefix('@') {
        Some(username) => is_username(username),
        None => person.id.to_string() == typed || same(&person.name, typed) || is_username(typed),
    }
}
