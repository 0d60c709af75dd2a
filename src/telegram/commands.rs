//! What people may ask for in the chat, and the answers. What a command does is one of the flow's verbs; here are only the
//! words.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use teloxide::utils::command::BotCommands;

use super::message::{duration, moment};
use crate::domain::audit::By;
use crate::domain::entry::Entry;
use crate::domain::outcome::Outcome;
use crate::domain::person::{Deed, Person};
use crate::domain::story::State;
use crate::domain::team::TeamSettings;
use crate::flow::act::Pressed;
use crate::flow::stats::{Deeds, STATS_DAYS, Stats};
use crate::flow::steer::Commanded;
use crate::flow::survey::{Queued, Status};
use crate::flow::{Flow, Result};

/// The commands, each with what the menu says of it.
#[derive(BotCommands, Clone, Copy, Debug, PartialEq, Eq)]
#[command(rename_rule = "lowercase")]
pub enum Command {
    /// how things stand, and what comes next
    Status,
    /// the stories to come, with their pictures if you like
    #[command(aliases = ["pending"])]
    Queue,
    /// send the next story now (admins)
    Next,
    /// send nothing until /resume (admins)
    Pause,
    /// go on after /pause (admins)
    Resume,
    /// change how I work (admins)
    Settings,
    /// my clock is right, though I doubt it (admins)
    TrustClock,
    /// how the latest stories ended
    #[command(aliases = ["posted"])]
    History,
    /// what the last month was like, for the team and for you
    Stats,
    /// which of your teams you speak to
    Team,
    /// what I can do
    #[command(aliases = ["start"])]
    Help,
}

/// What a command comes to.
pub enum Obeyed {
    /// These words.
    Told(String),
    /// The panel of settings is to be shown.
    ShowSettings,
}

impl Command {
    /// What a person must be allowed to do for it.
    #[must_use]
    pub fn deed(self) -> Deed {
        match self {
            Self::Status | Self::Queue | Self::History | Self::Stats | Self::Team | Self::Help => {
                Deed::Look
            }
            Self::Next => Deed::SendNext,
            Self::Pause | Self::Resume => Deed::Pause,
            Self::Settings | Self::TrustClock => Deed::Settings,
        }
    }
}

/// How many stories `/queue` and `/history` show.
const SHOWN: usize = 12;

/// Does what a command asks for and returns the answer. `asker` is nobody for an anonymous administrator, who may look.
///
/// # Errors
/// If the store cannot be read or written; then nothing was done.
pub async fn obey(
    flow: &Flow,
    command: Command,
    asker: Option<&Person>,
    update: u32,
    now: Timestamp,
) -> Result<Obeyed> {
    let told = |text: &str| Ok(Obeyed::Told(text.to_owned()));
    let settings = &flow.settings().await?;
    let zone = &settings.timezone;
    let by = match asker {
        Some(person) if Flow::may(person, command.deed()) => By::from(person),
        None if command.deed() == Deed::Look => By::terminal("nobody"),
        Some(person) if person.deactivated_at.is_some() => {
            return told("Your access is switched off; ask an admin.");
        }
        Some(_) => {
            return told(
                "Only admins may do that. An admin is made with `storyline person promote`.",
            );
        }
        None => {
            return told("I cannot see who you are here; write to me in private for that.");
        }
    };
    Ok(Obeyed::Told(match command {
        Command::Status => status(&flow.status(now).await?, settings, now),
        Command::Queue => queue(&flow.queue().await?, zone),
        Command::History => history(&flow.history(SHOWN as u32).await?, zone),
        Command::Stats => {
            let asker = asker.map(|person| person.id);
            stats(&flow.stats(asker, now).await?)
        }
        Command::TrustClock => {
            let vouched = flow.trust_clock(by, now).await?;
            format!("{} It is {}.", vouched.told(), moment(now, zone))
        }
        Command::Settings => return Ok(Obeyed::ShowSettings),
        Command::Team => format!("This is {}.", settings.name),
        Command::Help => help(asker, flow.has_sisters().await?),
        Command::Next => match flow.send_next(Some(update), by, now).await? {
            Commanded::Sending(number) => format!("#{number} is on its way."),
            Commanded::NothingToSend => {
                "There is nothing to send: everything is locked or in the queue. See /status."
                    .to_owned()
            }
            Commanded::ClockInDoubt => {
                "My clock is in doubt, and nothing is sent until it is right. See /status."
                    .to_owned()
            }
            Commanded::Done | Commanded::AlreadySo => "That was done already.".to_owned(),
        },
        Command::Pause => match flow.pause(Some(update), by, now).await? {
            Commanded::AlreadySo => "It is paused already. /resume goes on.".to_owned(),
            _ => "Paused. Nothing is sent by itself until /resume; buttons still work.".to_owned(),
        },
        Command::Resume => match flow.resume(Some(update), by, now).await? {
            Commanded::AlreadySo => "It was not paused.".to_owned(),
            _ => next_line(flow.status(now).await?.next.as_ref(), zone).map_or_else(
                || "It goes on.".to_owned(),
                |next| format!("It goes on. {next}"),
            ),
        },
    }))
}

/// The answer to a press, as the phone shows it for a moment (at most 200 characters), and whether it must be confirmed.
#[must_use]
pub fn answer(pressed: &Pressed, zone: &TimeZone) -> (String, bool) {
    match pressed {
        Pressed::Ended {
            outcome,
            while_on_it,
        } => {
            let done = match outcome {
                Outcome::Posted => "Noted as posted. Thank you!".to_owned(),
                Outcome::Skipped => "Skipped for now.".to_owned(),
                outcome => format!("Done: {outcome}."),
            };
            match while_on_it {
                Some(name) => (format!("{done} {} was on it too.", brief(name)), true),
                None => (done, false),
            }
        }
        Pressed::TakenBack(outcome) => (format!("Taken back: it is not {outcome}."), false),
        Pressed::TooLate => ("There is nothing to take back any more.".to_owned(), true),
        Pressed::OnlyTheirs(name) => {
            let name = brief(name);
            (format!("Only {name} or an admin may take that back."), true)
        }
        Pressed::Claimed => ("It is yours for 15 minutes.".to_owned(), false),
        Pressed::Released => ("You are not on it any more.".to_owned(), false),
        Pressed::ClaimedBefore(claim) => {
            let (name, at) = (brief(&claim.name), moment(claim.at, zone));
            let text = format!("{name} is on it since {at}. You may finish it all the same.");
            (text, true)
        }
        Pressed::PutOff(at) => (format!("It comes up again: {}.", moment(*at, zone)), false),
        Pressed::PutOffEnough => ("It was put off long enough.".to_owned(), true),
        Pressed::Swapped => ("Here comes another one.".to_owned(), false),
        Pressed::SwappedBefore => {
            let text = "It shows another picture by now. Please look again.";
            (text.to_owned(), true)
        }
        Pressed::SentBefore => {
            let text = "It is on its way, or in the chat by now: swap it there.";
            (text.to_owned(), true)
        }
        Pressed::Redrawn => (
            "The plan was drawn anew. Please look again in a moment.".to_owned(),
            true,
        ),
        Pressed::NothingElse => ("Nothing else fits just now.".to_owned(), true),
        Pressed::SendOriginal => ("The original is on its way.".to_owned(), false),
        Pressed::OriginalTooLarge => {
            let text = "The original has more than 50 MB, which is too much for Telegram. It lies in the library.";
            (text.to_owned(), true)
        }
        Pressed::OriginalSentAt(at) => {
            let at = moment(*at, zone);
            (format!("The original is in the chat since {at}."), true)
        }
        Pressed::Asking => ("Really? Please confirm.".to_owned(), false),
        Pressed::Kept => ("It stays.".to_owned(), false),
        Pressed::EndedBefore {
            outcome,
            by,
            by_asker,
            at,
        } => {
            let at = moment(*at, zone);
            let text = match by {
                _ if *by_asker => format!("You did: {outcome} on {at}."),
                Some(name) => format!("{} was faster: {outcome} on {at}.", brief(name)),
                None if *outcome == Outcome::Cancelled => {
                    format!("It was taken out of the queue on {at}.")
                }
                None => format!("It ended by itself: {outcome} on {at}."),
            };
            (text, true)
        }
        Pressed::Stranger => ("This is for the team of this chat only.".to_owned(), true),
        Pressed::Unasked => (
            "Telegram does not tell me who you are just now. Please press again in a minute."
                .to_owned(),
            true,
        ),
        Pressed::Deactivated => (
            "Your access is switched off; ask an admin.".to_owned(),
            true,
        ),
        Pressed::NotShown => (
            "Its picture is on its way. Please look again in a moment.".to_owned(),
            true,
        ),
        Pressed::Unknown => ("I do not know this story any more.".to_owned(), true),
        Pressed::Repeated => (String::new(), false),
    }
}

/// A name that leaves room for the rest of an answer.
fn brief(name: &str) -> String {
    name.chars().take(60).collect()
}

fn help(asker: Option<&Person>, has_several: bool) -> String {
    let mut text = String::from(
        "I bring the team's stories when their time comes. Post one to Instagram, then press Posted; or Skip it for now, or \
         Reject it for good.\n\
         Send me pictures and clips in private, best as files, and I put them into the library.\n",
    );
    let may = |command: &Command| {
        let may = asker.is_some_and(|person| Flow::may(person, command.deed()));
        (may || command.deed() == Deed::Look) && (has_several || *command != Command::Team)
    };
    for command in Command::bot_commands() {
        if !Command::parse(&command.command, "").is_ok_and(|command| may(&command)) {
            continue;
        }
        text.push_str(&format!(
            "\n/{} {}",
            command.command.trim_start_matches('/'),
            command.description
        ));
    }
    text
}

fn next_line(next: Option<&Queued>, zone: &TimeZone) -> Option<String> {
    next.map(|story| {
        format!(
            "Next: #{} {} at {}.",
            story.number,
            story.name,
            moment(story.due_at, zone)
        )
    })
}

fn status(status: &Status, settings: &TeamSettings, now: Timestamp) -> String {
    let zone = &settings.timezone;
    let mut lines = vec![format!("{} · {}", settings.name, moment(now, zone))];
    if let Some(since) = status.paused_since {
        let by = status.paused_by.as_deref().unwrap_or("somebody");
        lines.push(format!(
            "⏸ Paused by {by} since {}. /resume goes on.",
            moment(since, zone)
        ));
    }
    if settings.dry_run {
        lines.push("🧪 Dry run: nothing is sent.".to_owned());
    }
    lines.push(
        next_line(status.next.as_ref(), zone).unwrap_or_else(|| "Nothing is planned.".to_owned()),
    );
    lines.push(format!(
        "Posted today: {} of {}. Waiting for a press: {}.",
        status.posted_today, settings.posts_per_day, status.awaiting
    ));
    let mut library = format!("Library: {} media, {} ready", status.media, status.ready);
    for (count, what) in [
        (status.to_examine, "being examined"),
        (status.flawed, "with errors"),
        (status.missing, "missing"),
        (status.in_view, "files unfinished or of no use"),
    ] {
        if count > 0 {
            library.push_str(&format!(", {count} {what}"));
        }
    }
    lines.push(format!("{library}."));
    lines.extend(status.alerts.iter().map(ToString::to_string));
    lines.join("\n")
}

fn queue(queue: &[Queued], zone: &TimeZone) -> String {
    if queue.is_empty() {
        return "The queue is empty.".to_owned();
    }
    let mut lines: Vec<String> = queue
        .iter()
        .take(SHOWN)
        .map(|story| {
            let note = match story.state {
                State::Planned => String::new(),
                State::Awaiting => " · waiting for a press".to_owned(),
                other => format!(" · {other}"),
            };
            format!(
                "#{} {} · {}{note}",
                story.number,
                moment(story.due_at, zone),
                story.name
            )
        })
        .collect();
    if queue.len() > SHOWN {
        lines.push(format!("… and {} more", queue.len() - SHOWN));
    }
    lines.join("\n")
}

fn stats(stats: &Stats) -> String {
    let mut lines = vec![format!("The last {STATS_DAYS} days")];
    lines.push(format!("Team: {}", deeds(&stats.team)));
    if let Some(mine) = &stats.mine {
        lines.push(format!("You: {}", deeds(mine)));
    }
    lines.extend(busiest_hours(stats).map(|hours| format!("Busiest hours: {hours}")));
    lines.extend(tags(stats).map(|tags| format!("Tags: {tags}")));
    lines.join("\n")
}

/// `09:00 (12), 13:00 (7)`: when most was posted; nothing if nothing was.
#[must_use]
pub fn busiest_hours(stats: &Stats) -> Option<String> {
    counted(&stats.busiest_hours, |hour| format!("{hour:02}:00"))
}

/// `#sale (12), #tee (7)`: the tags of most posted stories; nothing if they have none.
#[must_use]
pub fn tags(stats: &Stats) -> Option<String> {
    counted(&stats.tags, |tag| format!("#{tag}"))
}

fn counted<T>(counts: &[(T, u64)], name: impl Fn(&T) -> String) -> Option<String> {
    let told = counts.iter();
    let told: Vec<String> = told
        .map(|(what, count)| format!("{} ({count})", name(what)))
        .collect();
    (!told.is_empty()).then(|| told.join(", "))
}

/// `12 posted, half of them within 3 min, 2 skipped, 0 rejected, 1 expired`.
#[must_use]
pub fn deeds(deeds: &Deeds) -> String {
    let took = deeds.median_seconds.map_or_else(String::new, |seconds| {
        let took = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
        format!(", half of them within {}", duration(took))
    });
    format!(
        "{} posted{took}, {} skipped, {} rejected, {} expired",
        deeds.posted, deeds.skipped, deeds.rejected, deeds.expired
    )
}

fn history(entries: &[Entry], zone: &TimeZone) -> String {
    if entries.is_empty() {
        return "Nothing has ended yet.".to_owned();
    }
    entries
        .iter()
        .map(|entry| {
            let name = match entry.number {
                Some(number) => format!("#{number} {}", entry.snapshot.display_name()),
                None => "a slot without a story".to_owned(),
            };
            let by = entry
                .person_name
                .as_ref()
                .map(|name| format!(" by {name}"))
                .unwrap_or_default();
            let taken_back = match entry.withdrawn {
                Some(_) => ", taken back",
                None => "",
            };
            format!(
                "{} · {name} · {}{taken_back}{by}",
                moment(entry.ended_at, zone),
                entry.outcome
            )
        })
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_understood_with_the_bots_name_and_by_their_other_names() {
        assert_eq!(
            Command::parse("/status", "a_bot").ok(),
            Some(Command::Status)
        );
        assert_eq!(
            Command::parse("/queue@a_bot", "a_bot").ok(),
            Some(Command::Queue)
        );
        assert_eq!(
            Command::parse("/pending", "a_bot").ok(),
            Some(Command::Queue)
        );
        assert_eq!(
            Command::parse("/posted", "a_bot").ok(),
            Some(Command::History)
        );
        assert_eq!(Command::parse("/queue@another_bot", "a_bot").ok(), None);
    }
}
