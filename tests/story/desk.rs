//! The buttons that keep a story open, as the team sees them in its chat.

use storyline::config::{Config, Environment};
use storyline::domain::outcome::Outcome;
use storyline::domain::story::MessageRef;

use crate::harness::{ANN, BEN, Office, Plan, TEAM};

/// The first story of the day is before the team; so many pictures are in the library.
async fn at_nine(pictures: usize) -> (Office, i64) {
    let office = Office::open().await;
    for number in 0..pictures {
        office.drop_picture(&format!("memes/{number}.jpg"));
    }
    office.wait_until_ready(pictures as u64).await;
    office.wait_until_planned(1).await;
    office.it_is("09:00");
    let story = office.story(1).await.id;
    (office, story)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_on_it_stands_on_the_message_and_others_may_finish() {
    let (office, story) = at_nine(1).await;
    office.telegram.press(ANN, TEAM, story, "I'm on it");
    office.see_answer("yours for 15 minutes").await;
    let shown = office.see_text(story, "🙋 Ann is on it since 09:00").await;
    assert!(shown.button("Not any more").is_some());
    office.telegram.press(BEN, TEAM, story, "Not any more");
    office.see_answer("Ann is on it since").await;
    office.telegram.press(BEN, TEAM, story, "Posted");
    office
        .see_answer("Noted as posted. Thank you! Ann was on it too.")
        .await;
    office.see_text(story, "Posted by Ben").await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_picture_comes_in_the_same_message() {
    let (office, story) = at_nine(2).await;
    let file = |office: &Office| {
        let message = office.telegram.message(TEAM, story).unwrap();
        message.media.unwrap().file_id
    };
    let (before, title) = (
        file(&office),
        office.telegram.message(TEAM, story).unwrap().text,
    );
    office.telegram.press(ANN, TEAM, story, "Swap");
    office.see_answer("Here comes another one").await;
    office
        .wait_until("the picture is another", async || file(&office) != before)
        .await;
    let after = office.telegram.message(TEAM, story).unwrap();
    assert_ne!(after.text, title);
    assert!(after.text.contains("#1 ·"), "{}", after.text);
    office.telegram.press(BEN, TEAM, story, "Posted");
    let history = office.wait_for_history(1).await;
    assert!(after.text.starts_with(history[0].snapshot.display_name()));
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slip_is_taken_back_within_its_minute() {
    let (office, story) = at_nine(1).await;
    office.telegram.press(ANN, TEAM, story, "Skip");
    office.see_text(story, "Skipped by Ann").await;
    office.telegram.press(BEN, TEAM, story, "Undo");
    office.see_answer("Only Ann or an admin").await;
    office.telegram.press(ANN, TEAM, story, "Undo");
    office.see_answer("Taken back: it is not skipped").await;
    let shown = office.see_text(story, "↩ Taken back by Ann").await;
    assert!(shown.button("Posted").is_some());
    office.telegram.press(BEN, TEAM, story, "Posted");
    office.see_text(story, "Posted by Ben").await;
    let history = office.wait_for_history(2).await;
    let ends: Vec<_> = history
        .iter()
        .map(|entry| (entry.outcome, entry.withdrawn.is_some()))
        .collect();
    assert_eq!(ends, [(Outcome::Posted, false), (Outcome::Skipped, true)]);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_story_is_put_off_and_comes_up_again() {
    let (office, story) = at_nine(1).await;
    office.telegram.press(ANN, TEAM, story, "Later");
    office
        .see_answer("It comes up again: Mon 4 Jan, 11:00")
        .await;
    office
        .see_text(story, "🕒 Again at 11:00, as Ann asked")
        .await;
    office.it_is("10:00");
    assert_eq!(office.times_said(TEAM, "⏰"), 0);
    office.it_is("11:01");
    let reminder = office.see_said(TEAM, "⏰ #1").await;
    assert_eq!(reminder.reply_to, Some(story));
    office.telegram.press(BEN, TEAM, story, "Posted");
    office.see_gone(reminder.id).await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_original_is_one_tap_away_and_uploaded_once() {
    let (office, story) = at_nine(1).await;
    office.telegram.press(ANN, TEAM, story, "Original");
    office.see_answer("The original is on its way").await;
    let documents = |office: &Office| {
        let messages = office.telegram.messages(TEAM);
        let documents = messages
            .into_iter()
            .filter(|message| message.reply_to == Some(story));
        documents
            .filter_map(|message| message.media)
            .collect::<Vec<_>>()
    };
    office
        .wait_until("the file is there", async || documents(&office).len() == 1)
        .await;
    let file = std::fs::read(office.library().join("memes/0.jpg")).unwrap();
    assert_eq!(documents(&office)[0].bytes, file, "byte for byte");
    office.telegram.press(BEN, TEAM, story, "Original");
    office.see_answer("The original is in the chat since").await;
    office.it_is("10:30");
    office.telegram.press(BEN, TEAM, story, "Original");
    office
        .wait_until("it is there again", async || documents(&office).len() == 2)
        .await;
    let [first, second] = &documents(&office)[..] else {
        unreachable!()
    };
    assert_eq!(first.file_id, second.file_id);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_half_an_hour_the_team_is_reminded_once() {
    let (office, story) = at_nine(1).await;
    office.it_is("09:31");
    let reminder = office.see_said(TEAM, "waits for a press since 09:00").await;
    assert_eq!(reminder.reply_to, Some(story));
    // A reply to the reminder counts as well, as soon as the box knows what it is.
    let sent = MessageRef {
        chat: TEAM,
        message: i32::try_from(reminder.id).unwrap(),
    };
    office
        .wait_until("the reminder is on record", async || {
            office.flow().story_of(sent).await.unwrap().is_some()
        })
        .await;
    office.telegram.reply(ANN, TEAM, reminder.id, "posted");
    office.see_text(story, "Posted by Ann").await;
    office.see_gone(reminder.id).await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_has_other_words_in_another_order() {
    let mut office = Office::furnish(Plan::default()).await;
    let text = "[messages]\nended = \"[{name}: ]{outcome}, {time}\"\nposted = \"gepostet\"\nbutton_posted = \"Ist drin\"\n\
                caption = '''\n#{number} · <u>{title}</u> & <a href=\"{link}\">mehr</a>\n<b>{status}</b>\n'''\n";
    let file = office.library().with_file_name("messages.toml");
    let messages = |text: &str| {
        std::fs::write(&file, text).unwrap();
        Config::load(Some(&file), &Environment::default()).map(|loaded| loaded.config.messages)
    };
    let refused = messages(text).unwrap_err().to_string();
    assert!(
        refused.contains("line 1: there is an `&` by itself"),
        "{refused}"
    );
    office.config.messages = messages(&text.replace(" & ", " &amp; ")).unwrap();
    office.start().await;
    office.drop_picture("memes/a & <b>.jpg");
    office.wait_until_ready(1).await;
    office.wait_until_planned(1).await;
    office.it_is("09:00");
    let story = office.story(1).await;
    assert_eq!(story.text, "#1 · a & <b>.jpg & mehr");
    office.telegram.press(ANN, TEAM, story.id, "Ist drin");
    let shown = office.see_text(story.id, "Ann: gepostet, 09:00").await;
    assert_eq!(shown.text, "#1 · a & <b>.jpg & mehr\nAnn: gepostet, 09:00");
    office.close().await;
}
