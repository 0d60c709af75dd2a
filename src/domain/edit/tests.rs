//! What may be said of a media by hand, and what counts then.

use super::text::MOST_TAGS;
use super::*;

fn files_say() -> Metadata {
    Metadata {
        title: Some("Tee".into()),
        link_url: Some("https://shop.example.com/tee".into()),
        tags: vec!["Summer".into(), "tee".into()],
        requires_interaction: Some(true),
        ..Metadata::default()
    }
}

fn edited(edits: &[Edit]) -> Edits {
    let all = edits.iter().try_fold(Edits::default(), |edits, edit| {
        let tags = edits.over(files_say()).tags;
        edits.with(edit, &tags)
    });
    all.expect("edits")
}

fn words(tags: &[&str]) -> Vec<String> {
    tags.iter().map(|tag| (*tag).to_owned()).collect()
}

#[test]
fn an_edit_wins_over_the_files_and_may_say_that_there_is_none() {
    let edits = edited(&[
        Edit::title(" Shirt ").expect("a title"),
        Edit::clear(Field::Link),
        Edit::clear(Field::Tags),
    ]);
    let counts = edits.over(files_say());
    assert_eq!(counts.title.as_deref(), Some("Shirt"));
    assert_eq!((counts.link_url, counts.tags), (None, Vec::new()));
    assert_eq!(
        counts.requires_interaction,
        Some(true),
        "nothing was said of it"
    );
    assert_eq!(edits.fields(), [Field::Title, Field::Link, Field::Tags]);
}

#[test]
fn what_is_taken_back_is_as_the_files_say() {
    let all = [
        Field::Title,
        Field::Caption,
        Field::Link,
        Field::Tags,
        Field::Interaction,
        Field::Category,
    ];
    let mut edits: Vec<Edit> = all.into_iter().map(Edit::clear).collect();
    edits.push(Edit::category("merch").expect("a category"));
    edits.extend(all.into_iter().map(Edit::reset));
    let edits = edited(&edits);
    assert!(edits.is_empty());
    assert_eq!(edits.over(files_say()), files_say());
    assert_eq!(edits.category_at("memes/a.jpg"), Category::new("memes"));
}

#[test]
fn interaction_by_itself_is_decided_by_the_link() {
    let edits = edited(&[Edit::clear(Field::Interaction), Edit::clear(Field::Link)]);
    assert!(!edits.over(files_say()).needs_a_person());
    let edits = edited(&[Edit::interaction(false)]);
    assert!(!edits.over(files_say()).needs_a_person());
}

#[test]
fn tags_are_added_and_taken_away_whatever_their_case_and_number_sign() {
    let more = Edit::more_tags(&words(&["#Beach", "TEE", "beach"]), &words(&["summer"]));
    let edits = edited(&[more.expect("tags")]);
    assert_eq!(edits.over(files_say()).tags, ["tee", "Beach"]);
    let many: Vec<String> = (0..MOST_TAGS).map(|number| format!("t{number}")).collect();
    let full = edited(&[Edit::tags(&many).expect("just enough")]);
    let one_more = Edit::more_tags(&words(&["x"]), &[]).expect("a tag");
    let told = full.with(&one_more, &many).expect_err("too many");
    assert_eq!(
        told.to_string(),
        "16 tags are too many; a media may have 15"
    );
}

#[test]
fn edits_come_back_from_their_text() {
    let edits = edited(&[
        Edit::title("null").expect("a title"),
        Edit::clear(Field::Caption),
        Edit::tags(&words(&["a"])).expect("tags"),
        Edit::interaction(false),
        Edit::category("merch").expect("a category"),
    ]);
    let text = serde_json::to_string(&edits).expect("text");
    assert_eq!(
        text,
        r#"{"title":"null","caption":null,"tags":["a"],"requires_interaction":false,"category":"merch"}"#
    );
    assert_eq!(serde_json::from_str::<Edits>(&text).expect("edits"), edits);
    assert!(
        serde_json::from_str::<Edits>("{}")
            .expect("edits")
            .is_empty()
    );
}

#[test]
fn what_cannot_be_shown_is_refused_in_plain_words() {
    let told = |edit: Result<Edit, NotAnEdit>| edit.expect_err("refused").to_string();
    assert_eq!(told(Edit::title("  ")), "the title is empty");
    assert_eq!(
        told(Edit::title("a\nb")),
        "the title has more than one line"
    );
    assert_eq!(
        told(Edit::caption("ding\u{7}")),
        "the caption holds a control character, which nobody can see (U+0007)"
    );
    // An emoji is two units, as Telegram counts.
    assert!(Edit::title(&"🎉".repeat(50)).is_ok());
    assert_eq!(
        told(Edit::title(&"🎉".repeat(51))),
        "the title has 102 characters; at most 100 fit"
    );
    assert!(Edit::caption("two\r\nlines").is_ok());
    assert_eq!(
        told(Edit::link("shop.example.com")),
        "`shop.example.com` is no link that starts with `https://` or `http://`"
    );
    assert!(Edit::link("javascript:alert(1)").is_err());
    assert!(Edit::link(&format!("https://example.com/{}", "x".repeat(300))).is_err());
    assert!(Edit::tags(&words(&["#"])).is_err());
    assert!(Edit::category("memes/2027").is_err());
}
