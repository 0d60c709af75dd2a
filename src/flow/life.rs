//! One story's life: everything the records tell of it, from the plan to its outcome. What the log says beside is for the
//! terminal to add.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Flow, Result};
use crate::domain::audit::Audited;
use crate::domain::calendar::moment;
use crate::domain::entry::Entry;
use crate::domain::ids::StoryId;
use crate::domain::story::{State, Story};
use crate::store::messages::{Kind, Noted};
use crate::store::{alerts, audit, history, media, messages, settings, stories};

/// What is on record of a story.
#[derive(Clone, Debug)]
pub struct Life {
    /// What became of it, in order.
    pub happenings: Vec<Happening>,
    /// What people changed of it, and of its media while it lived, in order.
    pub changes: Vec<Audited>,
}

/// Something that happened to a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// When.
    pub at: Timestamp,
    /// What, in plain words.
    pub what: String,
    /// Who did it, if a person did.
    pub by: Option<String>,
}

impl Happening {
    fn new(at: Timestamp, what: impl Into<String>) -> Self {
        Self {
            at,
            what: what.into(),
            by: None,
        }
    }

    fn by(self, by: Option<&str>) -> Self {
        Self {
            by: by.map(str::to_owned),
            ..self
        }
    }
}

impl Flow {
    /// The life of the story of a number, as far as it is on record. Nothing if there never was one.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn life(&self, number: u64) -> Result<Option<Life>> {
        let team = self.team;
        self.store
            .read(move |tx| {
                let open = stories::by_number(tx, team, number)?;
                let ends = history::ends_of(tx, team, number)?;
                let Some((id, shown)) = open
                    .as_ref()
                    .map(|story| (story.id, Some(story.media)))
                    .or_else(|| ends.last().map(|entry| (entry.story, entry.media)))
                else {
                    return Ok(None);
                };
                let zone = settings::of(tx, team)?.timezone;
                let from = planned_at(id);
                let until = match &open {
                    Some(_) => Timestamp::MAX,
                    None => ends.last().map_or(from, |entry| entry.ended_at),
                };
                // First what was shown: it is what makes the rest so, at the same moment.
                let mut happenings: Vec<Happening> =
                    messages::of_story(tx, id)?.iter().map(message).collect();
                if let Some(story) = &open {
                    let path = media::get(tx, story.media)?.path;
                    tell_open(story, &path, &zone, &mut happenings);
                }
                tell_ends(&ends, &zone, open.is_some(), &mut happenings);
                for alert in alerts::since(tx, team, from)? {
                    if !speaks_of(&alert.text, number) {
                        continue;
                    }
                    happenings.push(Happening::new(
                        alert.raised_at,
                        format!("alert: {}", alert.text),
                    ));
                    if let Some(at) = alert.resolved_at {
                        happenings.push(Happening::new(
                            at,
                            format!("the alert `{}` is over", alert.topic),
                        ));
                    }
                }
                happenings.sort_by_key(|happening| happening.at);
                Ok(Some(Life {
                    happenings,
                    changes: audit::of_story(tx, id, shown, (from, until))?,
                }))
            })
            .await
    }
}

/// When it was planned: its row was made then.
fn planned_at(story: StoryId) -> Timestamp {
    story.made_at().unwrap_or(Timestamp::UNIX_EPOCH)
}

/// What its row tells of a story that has not ended.
fn tell_open(story: &Story, path: &str, zone: &TimeZone, happenings: &mut Vec<Happening>) {
    let due = moment(story.due_at, zone);
    let planned = match (story.swaps, &story.requested_by) {
        (0, None) => format!("planned for {due}: {path}"),
        (_, None) => format!("planned for {due}"),
        (_, Some(by)) => format!("due {due}, asked for by {by}: {path}"),
    };
    let delivery = &story.delivery;
    let reason = delivery.reason.as_deref().unwrap_or("no reason is known");
    let state = match story.state {
        State::Planned => None,
        State::Sending => Some(format!("attempt {} to send it began", delivery.attempt)),
        State::Retrying => Some(match delivery.retry_at {
            Some(at) => format!("not delivered; again at {}: {reason}", moment(at, zone)),
            None => format!("not delivered: {reason}"),
        }),
        State::Unconfirmed => Some(format!("it may or may not have arrived: {reason}")),
        State::Awaiting => Some("awaits a press".to_owned()),
    };
    let told = [
        (Some(planned_at(story.id)), planned, None),
        (delivery.sent_at, "before the team".to_owned(), None),
        (
            story.swapped_at,
            format!("swapped, {} so far: {path} now", times(story.swaps)),
            story.swapped_by.as_deref(),
        ),
        (
            story.offered_again_at,
            "offered again: the box was away".to_owned(),
            None,
        ),
        (
            story.reject_asked_at,
            "asked whether it is really to be rejected".to_owned(),
            None,
        ),
        (
            story.claim.as_ref().map(|claim| claim.at),
            "somebody is on it".to_owned(),
            story.claim.as_ref().map(|claim| &*claim.name),
        ),
        (
            story.later.as_ref().map(|later| later.at),
            "put off until then".to_owned(),
            story.later.as_ref().map(|later| &*later.by),
        ),
        (story.reminded_at, "the team was reminded".to_owned(), None),
        (
            story.original_at,
            "its original went to the chat".to_owned(),
            None,
        ),
    ];
    for (at, what, by) in told {
        happenings.extend(at.map(|at| Happening::new(at, what).by(by)));
    }
    happenings.extend(state.map(|what| Happening::new(story.state_since, what)));
}

/// What the history tells: one end, or more if outcomes were taken back.
fn tell_ends(ends: &[Entry], zone: &TimeZone, is_open: bool, happenings: &mut Vec<Happening>) {
    if let Some(first) = ends.first().filter(|_| !is_open) {
        let planned = format!("planned for {}", moment(first.due_at, zone));
        happenings.push(Happening::new(planned_at(first.story), planned));
        happenings.extend(
            first
                .sent_at
                .map(|at| Happening::new(at, "before the team")),
        );
    }
    for entry in ends {
        let reason = entry.reason.iter().map(|reason| format!(": {reason}"));
        let what = format!(
            "{}: {}{}",
            entry.outcome,
            entry.snapshot.path,
            reason.collect::<String>()
        );
        happenings.push(Happening::new(entry.ended_at, what).by(entry.person_name.as_deref()));
        happenings.extend(entry.withdrawn.as_ref().map(|withdrawn| {
            Happening::new(withdrawn.at, "taken back").by(withdrawn.by.as_deref())
        }));
    }
}

fn message(noted: &Noted) -> Happening {
    let what = match noted.kind {
        Kind::Story => "shown by",
        Kind::Announcement => "announced, without its picture yet, by",
        Kind::Reminder => "reminded of by",
    };
    let (message, attempt) = (noted.message, noted.attempt);
    let what = format!(
        "{what} message {} in chat {} (attempt {attempt})",
        message.message, message.chat
    );
    Happening::new(noted.at, what)
}

fn times(count: u32) -> String {
    match count {
        1 => "once".to_owned(),
        many => format!("{many} times"),
    }
}

/// Whether a text names the story of this number, and not `#471` for `#47`.
fn speaks_of(text: &str, number: u64) -> bool {
    let name = format!("#{number}");
    text.match_indices(&name).any(|(at, name)| {
        let next = text[at + name.len()..].chars().next();
        !next.is_some_and(|letter| letter.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_speaks_of_the_numbers_that_it_names() {
        let text = "#47 could not be sent, and ended as failed: refused.";
        assert!(speaks_of(text, 47));
        assert!(!speaks_of(text, 4));
        assert!(!speaks_of(text, 7));
        assert!(speaks_of("#471 and #47", 47));
    }
}
