//! What people see. Every text is built here, in Telegram's HTML, with the one escaper; lengths count in UTF-16 units after
//! the markup is taken away, as Telegram counts them.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use teloxide::types::{CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup};
use teloxide::utils::html::escape;

use super::buttons::encode;
use crate::domain::alert::Alert;
use crate::domain::outcome::Outcome;
use crate::flow::act::Verb;
use crate::flow::outlet::{Awaiting, Card, CardStatus};

/// The most that a caption holds, in UTF-16 units of visible text.
pub const CAPTION_UNITS: usize = 1024;
/// The most that a message holds, in UTF-16 units of visible text.
pub const TEXT_UNITS: usize = 4096;
/// The most that a copy button carries.
const COPY_UNITS: usize = 256;

/// Visible text and markup, with the visible length kept within a limit.
struct Text {
    html: String,
    left: usize,
}

impl Text {
    fn new(limit: usize) -> Self {
        Self {
            html: String::new(),
            left: limit,
        }
    }

    /// Adds text, cut to `most` units and to what is left, between two pieces of markup.
    fn add(&mut self, open: &str, text: &str, close: &str, most: usize) {
        let cut = shortened(text, most.min(self.left));
        if cut.is_empty() {
            return;
        }
        self.left -= units(&cut);
        self.html.push_str(open);
        self.html.push_str(&escape(&cut));
        self.html.push_str(close);
    }

    fn line(&mut self, open: &str, text: &str, close: &str, most: usize) {
        if text.is_empty() || self.left <= 1 {
            return;
        }
        if !self.html.is_empty() {
            self.html.push('\n');
            self.left -= 1;
        }
        self.add(open, text, close, most);
    }
}

/// The length of a text as Telegram counts it.
fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The text, or as much of it as fits, ending in `…`.
fn shortened(text: &str, most: usize) -> String {
    if units(text) <= most {
        return text.to_owned();
    }
    let mut left = most.saturating_sub(1);
    let mut cut: String = text
        .chars()
        .take_while(|character| {
            let fits = character.len_utf16() <= left;
            left = left.saturating_sub(character.len_utf16());
            fits
        })
        .collect();
    if most > 0 {
        cut.push('…');
    }
    cut
}

/// The caption of a story's message.
#[must_use]
pub fn caption(card: &Card, zone: &TimeZone) -> String {
    let media = &card.media;
    let metadata = &media.metadata;
    let footer = format!(
        "#{} · {} · {}",
        card.number,
        media.category,
        moment(card.due_at, zone)
    );
    let mut text = Text::new(CAPTION_UNITS);
    // The footer and its empty line are always there, however long the rest is.
    text.left -= units(&shortened(&footer, 120)) + 2;

    text.line("<b>", &status_line(card, zone), "</b>", 300);
    if card.sent_again {
        let again = "Sent again: the first message may not have arrived. If you see both, either one counts.";
        text.line("<i>", again, "</i>", 120);
    }
    text.line("<b>", media.display_name(), "</b>", 150);
    if let Some(link) = &metadata.link_url {
        text.line("", "🔗 ", "", 3);
        text.add("<code>", link, "</code>", 330);
    }
    let tags: Vec<String> = metadata.tags.iter().map(|tag| hashtag(tag)).collect();
    text.line("", &tags.join(" "), "", 120);
    if let Some(caption) = metadata
        .caption
        .as_deref()
        .filter(|caption| !caption.trim().is_empty())
    {
        text.add("", "\n\n", "", 2);
        text.add("", caption.trim(), "", usize::MAX);
    }
    if metadata.needs_a_person() && metadata.link_url.is_none() {
        text.line("", "👆 Needs a sticker or a poll by hand.", "", 60);
    }
    text.html.push_str("\n\n");
    text.html.push_str(&escape(&shortened(&footer, 120)));
    text.html
}

fn status_line(card: &Card, zone: &TimeZone) -> String {
    match &card.status {
        CardStatus::Awaiting(awaiting) => awaiting_line(awaiting, card.due_at, zone),
        CardStatus::AskingReject => {
            "Really reject it? It will never be suggested again.".to_owned()
        }
        CardStatus::Ended {
            outcome,
            by,
            at,
            took,
            reason,
            may_undo: _,
        } => {
            let sign = match outcome {
                Outcome::Posted => "✅ Posted",
                Outcome::Skipped => "⏭ Skipped",
                Outcome::Rejected => "🚫 Rejected",
                Outcome::Expired => "⌛ Expired",
                Outcome::Cancelled => "✖ Cancelled",
                Outcome::Missed => "Missed",
                Outcome::Failed => "Failed",
            };
            let by = by
                .as_ref()
                .map(|name| format!(" by {name}"))
                .unwrap_or_default();
            let took = took
                .filter(|_| !by.is_empty())
                .map(|took| format!(" ({})", duration(took)))
                .unwrap_or_default();
            let reason = reason
                .as_ref()
                .map(|why| format!(": {why}"))
                .unwrap_or_default();
            let (word, when) = when(*at, card.due_at, zone);
            format!("{sign}{by} {word} {when}{took}{reason}")
        }
    }
}

fn awaiting_line(awaiting: &Awaiting, due_at: Timestamp, zone: &TimeZone) -> String {
    if let Some(claim) = &awaiting.claim {
        let (_, at) = when(claim.at, due_at, zone);
        return format!("🙋 {} is on it since {at}", claim.name);
    }
    if let Some(later) = &awaiting.later {
        let (word, at) = when(later.at, due_at, zone);
        return format!("🕒 Again {word} {at}, as {} asked", later.by);
    }
    if let Some(name) = &awaiting.undone_by {
        return format!("↩ Taken back by {name}");
    }
    awaiting.offered_again_at.map_or_else(String::new, |at| {
        let (_, at) = when(at, due_at, zone);
        format!("I was away until {at}. If you pressed meanwhile, please press again.")
    })
}

/// The buttons of a story's message: only those that make sense now.
#[must_use]
pub fn keyboard(card: &Card) -> InlineKeyboardMarkup {
    let button = |text: &str, verb| {
        InlineKeyboardButton::callback(text, encode(verb, card.story, card.swaps))
    };
    match &card.status {
        CardStatus::Ended { may_undo: true, .. } => {
            InlineKeyboardMarkup::new([[button("↩ Undo", Verb::Undo)]])
        }
        CardStatus::Ended { .. } => InlineKeyboardMarkup::default(),
        CardStatus::AskingReject => InlineKeyboardMarkup::new([[
            button("🚫 Yes, never again", Verb::ReallyReject),
            button("↩ No, keep it", Verb::Keep),
        ]]),
        CardStatus::Awaiting(awaiting) => {
            let metadata = &card.media.metadata;
            let on_it = match &awaiting.claim {
                Some(_) => "✋ Not any more",
                None => "🙋 I'm on it",
            };
            let mut last = vec![button("🔄 Swap", Verb::Swap)];
            if awaiting.may_put_off {
                last.push(button("🕒 Later", Verb::Later));
            }
            let copies: Vec<_> = copy_button("📋 Copy link", metadata.link_url.as_deref())
                .into_iter()
                .chain(copy_button("📋 Copy caption", metadata.caption.as_deref()))
                .collect();
            let rows = [
                vec![
                    button("✅ Posted", Verb::Posted),
                    button("⏭ Skip", Verb::Skip),
                    button("🚫 Reject", Verb::Reject),
                ],
                copies,
                vec![
                    button("🖼 Original", Verb::Original),
                    button(on_it, Verb::Claim),
                ],
                last,
            ];
            InlineKeyboardMarkup::new(rows.into_iter().filter(|row| !row.is_empty()))
        }
    }
}

/// A button that copies a text, if there is one that Telegram copies.
fn copy_button(label: &str, text: Option<&str>) -> Option<InlineKeyboardButton> {
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
pub fn reminder(card: &Card, zone: &TimeZone) -> String {
    let name = shortened(card.media.display_name(), 150);
    let CardStatus::Awaiting(awaiting) = &card.status else {
        return plain(&format!("⏰ #{} {name} waits for a press.", card.number));
    };
    let since = awaiting.since.map_or_else(String::new, |at| {
        format!(" since {}", when(at, card.due_at, zone).1)
    });
    plain(&format!(
        "⏰ #{} {name} waits for a press{since}.",
        card.number
    ))
}

/// The message that tells an alert, or that it is over.
#[must_use]
pub fn alert(alert: &Alert) -> String {
    let prefix = match (alert.resolved_at, alert.told_at) {
        (Some(_), _) => "✅ Over: ",
        (None, Some(_)) => "⚠️ Still so: ",
        (None, None) => "⚠️ ",
    };
    plain(&format!("{prefix}{}", alert.text))
}

/// Plain text as a message, within Telegram's limit.
#[must_use]
pub fn plain(text: &str) -> String {
    escape(&shortened(text, TEXT_UNITS))
}

/// `Sat 21 Nov, 13:05`.
#[must_use]
pub fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%a %-d %b, %H:%M")
        .to_string()
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
fn duration(took: SignedDuration) -> String {
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
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::entry::Snapshot;
    use crate::domain::ids::StoryId;
    use crate::domain::media::Metadata;

    fn card(title: &str, caption: &str, link: &str, tags: &[String]) -> Card {
        Card {
            story: StoryId::from_bytes([1; 16]),
            number: 47,
            due_at: "2026-11-21T13:05:00Z".parse().unwrap(),
            media: Snapshot {
                fingerprint: String::new(),
                category: "merch".into(),
                path: "merch/under_score*.jpg".into(),
                metadata: Metadata {
                    title: Some(title.into()),
                    caption: Some(caption.into()),
                    link_url: Some(link.into()),
                    tags: tags.to_vec(),
                    ..Metadata::default()
                },
            },
            sent_again: true,
            swaps: 0,
            status: CardStatus::Awaiting(Awaiting::default()),
            place: None,
            zone: TimeZone::UTC,
        }
    }

    fn visible(html: &str) -> String {
        let mut text = String::new();
        let mut in_tag = false;
        for character in html.chars() {
            match character {
                '<' => in_tag = true,
                '>' => in_tag = false,
                other if !in_tag => text.push(other),
                _ => {}
            }
        }
        text.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&amp;", "&")
    }

    proptest! {
        #[test]
        fn whatever_people_write_fits_a_caption(
            title in ".{0,400}", caption in "(.|[😀-😿<>&\"]){0,1500}", link in ".{0,600}",
            tags in prop::collection::vec(".{0,60}", 0..20),
        ) {
            let card = card(&title, &caption, &link, &tags);
            let html = super::caption(&card, &TimeZone::UTC);
            prop_assert!(units(&visible(&html)) <= CAPTION_UNITS, "{}", units(&visible(&html)));
            prop_assert!(html.contains("#47"));
        }
    }

    #[test]
    fn a_message_tells_title_link_tags_caption_time_and_number() {
        let card = Card {
            sent_again: false,
            ..card(
                "Summer <tee>",
                "New drop & more",
                "https://shop.example.com/tee",
                &["new drop".into()],
            )
        };
        assert_eq!(
            super::caption(&card, &TimeZone::get("Europe/Berlin").unwrap()),
            "<b>Summer &lt;tee&gt;</b>\n🔗 <code>https://shop.example.com/tee</code>\n#new_drop\n\nNew drop &amp; more\n\n\
             #47 · merch · Sat 21 Nov, 14:05"
        );
    }

    #[test]
    fn a_link_too_long_to_copy_has_no_button_but_stands_in_the_text() {
        let link = format!("https://shop.example.com/{}", "x".repeat(300));
        let card = card("a", "b", &link, &[]);
        let texts: Vec<String> = keyboard(&card)
            .inline_keyboard
            .concat()
            .into_iter()
            .map(|button| button.text)
            .collect();
        assert!(texts.contains(&"📋 Copy caption".to_owned()));
        assert!(!texts.contains(&"📋 Copy link".to_owned()));
    }
}
