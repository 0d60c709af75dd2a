//! What the team is told of the box's own accord: the digest of a day, with a button for each story that may be swapped, and
//! the summary of a week.

use jiff::{SignedDuration, ToSpan};
use teloxide::payloads::{EditMessageTextSetters, SendMessageSetters};
use teloxide::types::{InlineKeyboardButton, InlineKeyboardMarkup};

use super::buttons::encode;
use super::client::SMALL_CALL;
use super::desk::Desk;
use super::message::{duration, plain};
use super::pace::Urgency;
use super::panel::Panel;
use crate::domain::story::{MessageRef, State};
use crate::domain::team::Place;
use crate::flow::act::Verb;
use crate::flow::bulletin::Bulletin;
use crate::flow::digest::{Day, Line, Stage};
use crate::flow::outlet::Trouble;
use crate::flow::weekly::{Tally, Week};

/// How many buttons stand side by side.
const IN_A_ROW: usize = 3;
/// A keyboard has so many buttons at most.
const MOST_BUTTONS: usize = 100;

impl Desk {
    pub(super) async fn send_bulletin(
        &self,
        place: Place,
        bulletin: &Bulletin,
    ) -> Result<MessageRef, Trouble> {
        let (chat, (text, buttons)) = (place.chat, shown(bulletin));
        let request = self.voice.message(place, text).reply_markup(buttons);
        let sent = self.voice.call(chat, Urgency::Later, SMALL_CALL, request);
        let message = sent.await?.id.0;
        Ok(MessageRef { chat, message })
    }

    pub(super) async fn edit_bulletin(
        &self,
        message: MessageRef,
        bulletin: &Bulletin,
    ) -> Result<(), Trouble> {
        self.voice.pace.pass(message.chat, Urgency::Later).await?;
        let (text, buttons) = shown(bulletin);
        let request = self.voice.rewording(message, text).reply_markup(buttons);
        let edited = self.voice.client.ask(SMALL_CALL, request).await;
        self.edited(message.chat, edited).map(drop)
    }
}

fn shown(bulletin: &Bulletin) -> Panel {
    match bulletin {
        Bulletin::Day(day) => (plain(&of_day(day)), swaps(day)),
        Bulletin::Week(week) => (plain(&of_week(week)), InlineKeyboardMarkup::default()),
    }
}

fn of_day(day: &Day) -> String {
    let count = match day.stories.len() {
        1 => "1 story".to_owned(),
        count => format!("{count} stories"),
    };
    let mut lines = vec![format!("☀️ {} · {count}", day.date.strftime("%a %-d %b"))];
    lines.extend(day.stories.iter().map(|story| {
        let time = story.due_at.to_zoned(day.zone.clone()).strftime("%H:%M");
        let swapped = story.swapped_by.as_ref();
        let swapped = swapped.map_or_else(String::new, |by| format!(" · swapped by {by}"));
        let (number, name, stage) = (story.number, &story.name, stage(story));
        format!("{time} #{number} {name}{swapped}{stage}")
    }));
    lines.join("\n")
}

fn stage(story: &Line) -> String {
    match story.stage {
        Stage::Queued(State::Planned) => String::new(),
        Stage::Queued(State::Awaiting) => " · waiting for a press".to_owned(),
        Stage::Queued(state) => format!(" · {state}"),
        Stage::Ended(outcome) => format!(" · {outcome}"),
    }
}

/// A button for each story that nobody has seen yet.
fn swaps(day: &Day) -> InlineKeyboardMarkup {
    let planned = day.stories.iter().filter(|story| story.is_planned());
    let buttons: Vec<InlineKeyboardButton> = planned
        .take(MOST_BUTTONS)
        .map(|story| {
            let data = encode(Verb::SwapAhead, story.story, story.swaps);
            InlineKeyboardButton::callback(format!("🔁 Swap #{}", story.number), data)
        })
        .collect();
    InlineKeyboardMarkup::new(buttons.chunks(IN_A_ROW).map(<[_]>::to_vec))
}

fn of_week(week: &Week) -> String {
    let day = |date: jiff::civil::Date| date.strftime("%a %-d %b").to_string();
    let sunday = week.monday.saturating_add(6.days());
    let (last, before) = (&week.last, &week.before);
    let against = |what: &str, of: fn(&Tally) -> u64| {
        format!("{what}: {} ({} the week before)", of(last), of(before))
    };
    let mut lines = vec![
        format!("📊 {} to {}", day(week.monday), day(sunday)),
        against("Posted", |tally| tally.deeds.posted),
        against("Skipped", |tally| tally.deeds.skipped),
        against("Missed", |tally| tally.missed),
    ];
    let took = |tally: &Tally| {
        let seconds = i64::try_from(tally.deeds.median_seconds?).ok()?;
        Some(duration(SignedDuration::from_secs(seconds)))
    };
    lines.extend(took(last).map(|took_last| {
        let against =
            took(before).map_or_else(String::new, |it| format!(" ({it} the week before)"));
        format!("Half of the posts took no longer than {took_last}{against}.")
    }));
    if !week.people.is_empty() {
        let people = week.people.iter();
        let people: Vec<String> = people
            .map(|(name, count)| format!("{name} ({count})"))
            .collect();
        lines.push(format!("Most diligent: {}", people.join(", ")));
    }
    lines.extend(week.short.iter().map(|short| format!("⏳ {short}")));
    lines.join("\n")
}
