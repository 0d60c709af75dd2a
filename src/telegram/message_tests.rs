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
use crate::flow::outlet::Awaiting;

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
