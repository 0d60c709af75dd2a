//! What people see, in every case; and that it is fit to be sent whatever people write.

use proptest::prelude::*;

use super::*;
use crate::config::Config;
use crate::domain::entry::Snapshot;
use crate::domain::ids::StoryId;
use crate::domain::media::Metadata;
use crate::domain::messages::CAPTION_UNITS;
use crate::domain::outcome::Outcome;
use crate::domain::template::tests::{anything, captions, seen as seen_in};
use crate::flow::outlet::{Awaiting, Facts};

/// The texts as they are unless changed.
pub(super) fn messages() -> Messages {
    Config::default().messages
}

pub(super) fn card(title: &str, caption: &str, link: &str, tags: &[String]) -> Card {
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
        zone: TimeZone::get("Europe/Berlin").unwrap(),
        detail: Detail::Normal,
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
        let html = super::caption(&card, &messages());
        prop_assert!(units(&visible(&html)) <= CAPTION_UNITS, "{}", units(&visible(&html)));
        prop_assert!(html.contains("#47"));
    }

    #[test]
    fn whatever_people_and_owners_write_can_be_sent(
        template in captions(), title in anything(300), words in anything(1500), link in anything(600),
        tags in prop::collection::vec(anything(60), 0..20), name in anything(200), reason in anything(400),
    ) {
        let Ok(template) = Text::Caption.parse(&template) else {
            return Ok(());
        };
        let ours = messages();
        let messages = Messages::new(|text| match text {
            Text::Caption => template.clone(),
            other => ours.get(other).clone(),
        });
        let card = Card {
            detail: Detail::Full(Facts {
                width_px: u32::MAX,
                height_px: u32::MAX,
                posted_count: u32::MAX,
                last_posted_at: Some(Timestamp::UNIX_EPOCH),
            }),
            status: CardStatus::Ended {
                outcome: Outcome::Failed,
                by: Some(name),
                at: Timestamp::UNIX_EPOCH,
                took: Some(SignedDuration::MAX),
                reason: Some(reason),
                may_undo: true,
            },
            ..card(&title, &words, &link, &tags)
        };
        for html in [
            super::caption(&card, &messages),
            super::reminder(&card, &messages),
            super::announcement(&card, &messages),
        ] {
            let seen = seen_in(&html).map_err(|why| TestCaseError::fail(format!("{why}: {html}")))?;
            prop_assert!(units(&seen) <= CAPTION_UNITS, "{}", units(&seen));
            prop_assert!(seen.contains("47"));
        }
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
        super::caption(&card, &messages()),
        "<b>Summer &lt;tee&gt;</b>\n🔗 <code>https://shop.example.com/tee</code>\n#new_drop\n\nNew drop &amp; more\n\n\
         #47 · merch · Sat 21 Nov, 14:05"
    );
}

#[test]
fn a_message_tells_as_much_as_the_team_wants() {
    let told = |detail| {
        let card = Card {
            detail,
            sent_again: false,
            ..card("Tee", "New <drop>", "https://a.b/c", &["new".into()])
        };
        super::caption(&card, &messages())
    };
    let head = "<b>Tee</b>\n🔗 <code>https://a.b/c</code>";
    assert_eq!(
        told(Detail::Brief),
        format!("{head}\n\nNew &lt;drop&gt;\n\n#47 · Sat 21 Nov, 14:05")
    );
    let normal = format!("{head}\n#new\n\nNew &lt;drop&gt;\n\n#47 · merch · Sat 21 Nov, 14:05");
    assert_eq!(told(Detail::Normal), normal);
    for (posted_count, posted) in [
        (0, "never posted"),
        (1, "posted once, Sun 1 Nov, 13:00"),
        (3, "posted 3 times, last Sun 1 Nov, 13:00"),
    ] {
        let facts = Facts {
            width_px: 1080,
            height_px: 1920,
            posted_count,
            last_posted_at: Some("2026-11-01T12:00:00Z".parse().unwrap()),
        };
        let details = format!("merch/under_score*.jpg · 1080 × 1920 pixels · {posted}");
        assert_eq!(told(Detail::Full(facts)), format!("{normal}\n{details}"));
    }
}

#[test]
fn an_announcement_tells_number_local_time_and_title_and_whether_it_comes_again() {
    let card = card("Summer <tee>", "", "", &[]);
    assert_eq!(
        super::announcement(&card, &messages()),
        "🖼 #47, 14:05: <b>Summer &lt;tee&gt;</b>\n\
         <i>Sent again: the first message may not have arrived. If you see both, either one counts.</i>"
    );
    let card = Card {
        sent_again: false,
        ..card
    };
    assert_eq!(
        super::announcement(&card, &messages()),
        "🖼 #47, 14:05: <b>Summer &lt;tee&gt;</b>"
    );
}

#[test]
fn a_link_too_long_to_copy_has_no_button_but_stands_in_the_text() {
    let link = format!("https://shop.example.com/{}", "x".repeat(300));
    let card = card("a", "b", &link, &[]);
    let texts: Vec<String> = keyboard(&card, &messages())
        .inline_keyboard
        .concat()
        .into_iter()
        .map(|button| button.text)
        .collect();
    assert!(texts.contains(&"📋 Copy caption".to_owned()));
    assert!(!texts.contains(&"📋 Copy link".to_owned()));
}

#[test]
fn a_reminder_says_which_story_waits_and_since_when() {
    let mut card = card("Summer <tee>", "", "", &[]);
    assert_eq!(
        super::reminder(&card, &messages()),
        "⏰ #47 Summer &lt;tee&gt; waits for a press."
    );
    card.status = CardStatus::Awaiting(Awaiting {
        since: Some("2026-11-22T07:00:00Z".parse().unwrap()),
        ..Awaiting::default()
    });
    assert_eq!(
        super::reminder(&card, &messages()),
        "⏰ #47 Summer &lt;tee&gt; waits for a press since Sun 22 Nov, 08:00."
    );
}

#[test]
fn the_original_is_offered_where_less_of_it_is_shown() {
    let buttons = |shows_all: bool| {
        let card = Card {
            status: CardStatus::Awaiting(Awaiting {
                shows_all,
                ..Awaiting::default()
            }),
            ..card("", "", "", &[])
        };
        let keyboard = super::keyboard(&card, &messages());
        let rows = keyboard.inline_keyboard.into_iter().flatten();
        rows.map(|button| button.text).collect::<Vec<_>>()
    };
    let original = "🖼 Original".to_owned();
    assert!(buttons(false).contains(&original));
    let left = buttons(true);
    assert!(!left.contains(&original) && left.contains(&"🙋 I'm on it".to_owned()));
}
