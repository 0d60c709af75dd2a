//! What people see, in Telegram's HTML. The words and their order are the owner's [`Messages`]; here is what they are filled
//! with, and which buttons make sense.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use teloxide::types::{CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup};

use super::buttons::encode;
use crate::domain::alert::Alert;
pub use crate::domain::calendar::moment;
use crate::domain::messages::{Messages, TEXT_UNITS, Text};
use crate::domain::template::{Placeholder, escape, shortened, units};
use crate::flow::act::Verb;
use crate::flow::outlet::{Card, CardStatus, Detail};

/// The most that a copy button carries.
const COPY_UNITS: usize = 256;

/// The caption of a story's message.
#[must_use]
pub fn caption(card: &Card, messages: &Messages) -> String {
    let zone = &card.zone;
    let metadata = &card.media.metadata;
    let said = |text: &Option<String>| text.clone().unwrap_or_default();
    let needs_a_hand = metadata.needs_a_person() && metadata.link_url.is_none();
    messages
        .get(Text::Caption)
        .filled(|placeholder| match placeholder {
            Placeholder::Status => status(card, messages, zone),
            Placeholder::Again if card.sent_again => messages.plain(Text::Again),
            Placeholder::Needs if needs_a_hand => messages.plain(Text::Needs),
            Placeholder::Link => said(&metadata.link_url),
            Placeholder::Details => details(card),
            Placeholder::Tags if card.detail != Detail::Brief => {
                let tags: Vec<String> = metadata.tags.iter().map(|tag| hashtag(tag)).collect();
                tags.join(" ")
            }
            Placeholder::Caption => said(&metadata.caption),
            other => of_story(other, card, zone),
        })
}

/// The words that announce a story.
#[must_use]
pub fn announcement(card: &Card, messages: &Messages) -> String {
    messages
        .get(Text::Announcement)
        .filled(|placeholder| match placeholder {
            Placeholder::Again if card.sent_again => messages.plain(Text::Again),
            Placeholder::Time => when(card.due_at, card.due_at, &card.zone).1,
            other => of_story(other, card, &card.zone),
        })
}

/// What is put in the place of the placeholders that every story fills; nothing in that of the others.
fn of_story(placeholder: Placeholder, card: &Card, zone: &TimeZone) -> String {
    match placeholder {
        Placeholder::Number => card.number.to_string(),
        Placeholder::Title => card.media.display_name().to_owned(),
        Placeholder::Category if card.detail != Detail::Brief => card.media.category.to_string(),
        Placeholder::Due => moment(card.due_at, zone),
        _ => String::new(),
    }
}

/// Where the file is, how large, and how often it was posted; empty, if nobody wants to know.
fn details(card: &Card) -> String {
    let Detail::Full(facts) = card.detail else {
        return String::new();
    };
    let last = facts.last_posted_at.map(|at| moment(at, &card.zone));
    let posted = match (facts.posted_count, last) {
        (0, _) => "never posted".to_owned(),
        (1, Some(last)) => format!("posted once, {last}"),
        (count, last) => format!("posted {count} times, last {}", last.unwrap_or_default()),
    };
    let path = &card.media.path;
    let (width, height) = (facts.width_px, facts.height_px);
    format!("{path} · {width} × {height} pixels · {posted}")
}

/// The line that tells where a story is; empty, if there is nothing to tell.
fn status(card: &Card, messages: &Messages, zone: &TimeZone) -> String {
    // Who did it, and when.
    let of_event = |placeholder, name: &str, at: Timestamp| {
        let (word, time) = when(at, card.due_at, zone);
        match placeholder {
            Placeholder::Name => name.to_owned(),
            Placeholder::When => format!("{word} {time}"),
            Placeholder::Time => time,
            _ => String::new(),
        }
    };
    let told = |text, name: &str, at| {
        messages
            .get(text)
            .filled(|placeholder| of_event(placeholder, name, at))
    };
    match &card.status {
        CardStatus::AskingReject => messages.plain(Text::Asking),
        CardStatus::Awaiting(awaiting) => {
            if let Some(claim) = &awaiting.claim {
                told(Text::OnIt, &claim.name, claim.at)
            } else if let Some(later) = &awaiting.later {
                told(Text::Later, &later.by, later.at)
            } else if let Some(name) = &awaiting.undone_by {
                told(Text::Undone, name, card.due_at)
            } else if let Some(at) = awaiting.offered_again_at {
                told(Text::Away, "", at)
            } else {
                String::new()
            }
        }
        CardStatus::Ended {
            outcome,
            by,
            at,
            took,
            reason,
            may_undo: _,
        } => messages
            .get(Text::Ended)
            .filled(|placeholder| match placeholder {
                Placeholder::Outcome => messages.plain((*outcome).into()),
                // Nobody took any time over what nobody did.
                Placeholder::Took => by.as_ref().and(*took).map(duration).unwrap_or_default(),
                Placeholder::Reason => reason.clone().unwrap_or_default(),
                other => of_event(other, by.as_deref().unwrap_or_default(), *at),
            }),
    }
}

/// The buttons of a story's message: only those that make sense now.
#[must_use]
pub fn keyboard(card: &Card, messages: &Messages) -> InlineKeyboardMarkup {
    let button = |label, verb| {
        let data = encode(verb, card.story, card.swaps);
        InlineKeyboardButton::callback(messages.plain(label), data)
    };
    match &card.status {
        CardStatus::Ended { may_undo: true, .. } => {
            InlineKeyboardMarkup::new([[button(Text::ButtonUndo, Verb::Undo)]])
        }
        CardStatus::Ended { .. } => InlineKeyboardMarkup::default(),
        CardStatus::AskingReject => InlineKeyboardMarkup::new([[
            button(Text::ButtonRejectYes, Verb::ReallyReject),
            button(Text::ButtonRejectNo, Verb::Keep),
        ]]),
        CardStatus::Awaiting(awaiting) => {
            let metadata = &card.media.metadata;
            let on_it = match &awaiting.claim {
                Some(_) => Text::ButtonNotOnIt,
                None => Text::ButtonOnIt,
            };
            let mut last = vec![button(Text::ButtonSwap, Verb::Swap)];
            if awaiting.may_put_off {
                last.push(button(Text::ButtonLater, Verb::Later));
            }
            let copies: Vec<_> = [
                (Text::ButtonCopyLink, &metadata.link_url),
                (Text::ButtonCopyCaption, &metadata.caption),
            ]
            .into_iter()
            .filter_map(|(label, text)| copy_button(messages.plain(label), text.as_deref()))
            .collect();
            let mut extras = vec![button(on_it, Verb::Claim)];
            if !awaiting.shows_all {
                extras.insert(0, button(Text::ButtonOriginal, Verb::Original));
            }
            let rows = [
                vec![
                    button(Text::ButtonPosted, Verb::Posted),
                    button(Text::ButtonSkip, Verb::Skip),
                    button(Text::ButtonReject, Verb::Reject),
                ],
                copies,
                extras,
                last,
            ];
            InlineKeyboardMarkup::new(rows.into_iter().filter(|row| !row.is_empty()))
        }
    }
}

/// A button that copies a text, if there is one that Telegram copies.
fn copy_button(label: String, text: Option<&str>) -> Option<InlineKeyboardButton> {
    let text = text?.trim();
    (!text.is_empty() && units(text) <= COPY_UNITS).then(|| {
        let copy = CopyTextButton {
            text: text.to_owned(),
        };
        InlineKeyboardButton::copy_text_button(label, copy)
    })
}

/// The reminder of a story that waits.
#[must_use]
pub fn reminder(card: &Card, messages: &Messages) -> String {
    let zone = &card.zone;
    messages
        .get(Text::Reminder)
        .filled(|placeholder| match (placeholder, &card.status) {
            (Placeholder::Time, CardStatus::Awaiting(awaiting)) => awaiting
                .since
                .map(|at| when(at, card.due_at, zone).1)
                .unwrap_or_default(),
            (other, _) => of_story(other, card, zone),
        })
}

/// The message that tells an alert, or that it is over.
#[must_use]
pub fn alert(alert: &Alert) -> String {
    let (mark, text) = (alert.severity.mark(), &alert.text);
    plain(&match (alert.resolved_at, alert.told_at) {
        (Some(_), _) => format!("✅ Over: {text}"),
        (None, Some(_)) => format!("{mark} Still so: {text}"),
        (None, None) => alert.to_string(),
    })
}

/// Plain text as a message, within Telegram's limit.
#[must_use]
pub fn plain(text: &str) -> String {
    escape(&shortened(text, TEXT_UNITS))
}

/// `13:05` on the story's own day, `Sat 21 Nov, 13:05` on another; and the word that goes before it.
fn when(at: Timestamp, due_at: Timestamp, zone: &TimeZone) -> (&'static str, String) {
    let local = at.to_zoned(zone.clone());
    if local.date() == due_at.to_zoned(zone.clone()).date() {
        ("at", local.strftime("%H:%M").to_string())
    } else {
        ("on", moment(at, zone))
    }
}

/// `40 s`, `12 min`, `3 h 5 min`; rounded.
#[must_use]
pub fn duration(took: SignedDuration) -> String {
    let seconds = took.as_millis().max(0).saturating_add(500) / 1000;
    let minutes = (seconds + 30) / 60;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3570 => format!("{minutes} min"),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

/// A tag as Telegram makes it clickable: letters, digits and underscores only.
fn hashtag(tag: &str) -> String {
    let word: String = tag
        .trim_start_matches('#')
        .chars()
        .map(|character| {
            if character.is_alphanumeric() {
                character
            } else {
                '_'
            }
        })
        .collect();
    format!("#{word}")
}

#[cfg(test)]
#[path = "message_states_tests.rs"]
mod states_tests;
#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
