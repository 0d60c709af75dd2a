//! The settings by buttons and by words, as an admin changes them in the chat.

use storyline::domain::audit::Asked;
use storyline::domain::person::{PersonId, Role};
use storyline::domain::setting::Setting;

use crate::harness::{ANN, BEN, CLEO, Office, TEAM};

/// The panel that Ann opened in the team's chat.
async fn panel() -> (Office, i64) {
    let office = Office::open().await;
    office.telegram.say(ANN, TEAM, "/settings");
    let panel = office.see_said(TEAM, "⚙️ Team").await;
    (office, panel.id)
}

async fn sees_button(office: &Office, message: i64, button: &str) {
    office
        .see(|state| {
            let message = state.message(TEAM, message)?;
            message.button(button).is_some().then_some(())
        })
        .await;
}

async fn setting(office: &Office, setting: Setting) -> String {
    setting.shown(&office.flow().settings().await.unwrap())
}

async fn becomes(office: &Office, wanted: Setting, value: &str) {
    office
        .wait_until("it is so", async || setting(office, wanted).await == value)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_changes_a_setting_by_buttons_and_everybody_sees_who() {
    let (office, panel) = panel().await;
    office.telegram.press(ANN, TEAM, panel, "Stories a day");
    sees_button(&office, panel, "4").await;
    office.telegram.press(ANN, TEAM, panel, "4");
    becomes(&office, Setting::PostsPerDay, "4").await;
    office.see_text(panel, "Ann · Stories a day: 3 → 4").await;
    // What was pressed twice is done once.
    office.telegram.press(ANN, TEAM, panel, "Pause");
    office.telegram.press(ANN, TEAM, panel, "Pause");
    office.see_text(panel, "⏸ Paused").await;
    office.telegram.press(ANN, TEAM, panel, "Resume");
    office
        .wait_until("it goes on", async || {
            let status = office.flow().status(office.now()).await.unwrap();
            status.paused_since.is_none()
        })
        .await;
    let asked = Asked {
        limit: 9,
        ..Asked::default()
    };
    let trail = office.flow().audit(asked).await.unwrap();
    let pauses = trail.iter().filter(|line| line.change.action == "paused");
    assert_eq!(pauses.count(), 1);
    office.telegram.press(ANN, TEAM, panel, "Close");
    office.see_gone(panel).await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_tell_as_much_as_the_team_wants() {
    let (office, panel) = panel().await;
    office.drop_picture("memes/a.jpg");
    office.wait_until_planned(1).await;
    for (button, value) in [("brief", "brief"), ("full", "full")] {
        office.telegram.press(ANN, TEAM, panel, "Messages tell");
        sees_button(&office, panel, button).await;
        office.telegram.press(ANN, TEAM, panel, button);
        becomes(&office, Setting::Verbosity, value).await;
        sees_button(&office, panel, "Messages tell").await;
    }
    office.it_is("09:00");
    let story = office.story(1).await;
    let details = "memes/a.jpg · 1080 × 1920 pixels · never posted";
    assert!(story.text.ends_with(details), "{}", story.text);
    office.telegram.press(ANN, TEAM, panel, "Morning digest");
    sees_button(&office, panel, "08:00").await;
    office.telegram.press(ANN, TEAM, panel, "08:00");
    becomes(&office, Setting::Digest, "08:00").await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_zone_is_found_by_typing() {
    let (office, panel) = panel().await;
    office.telegram.press(ANN, TEAM, panel, "Time zone");
    sees_button(&office, panel, "Write it").await;
    office.telegram.press(ANN, TEAM, panel, "Write it");
    let question = office.see_said(TEAM, "please write time zone").await;
    // Somebody else's answer, and talk that is no answer, mean nothing.
    office
        .telegram
        .reply(BEN, TEAM, question.id, "Europe/Paris");
    office.telegram.say(ANN, TEAM, "good morning");
    office.telegram.reply(ANN, TEAM, question.id, "new york");
    let found = office.see_said(TEAM, "there is no such time zone").await;
    assert_eq!(setting(&office, Setting::Timezone).await, "UTC");
    office
        .telegram
        .press(ANN, TEAM, found.id, "America/New_York");
    becomes(&office, Setting::Timezone, "America/New_York").await;
    office
        .telegram
        .reply(ANN, TEAM, question.id, "Europe/Berlin");
    becomes(&office, Setting::Timezone, "Europe/Berlin").await;
    // The question has its answer, so another one is talk.
    office.telegram.reply(ANN, TEAM, question.id, "Europe/Rome");
    office.telegram.say(ANN, TEAM, "/status");
    office.see_said(TEAM, "Waiting for a press").await;
    assert_eq!(setting(&office, Setting::Timezone).await, "Europe/Berlin");
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mix_is_written_and_must_add_up() {
    let (office, panel) = panel().await;
    office.drop_picture("memes/a.jpg");
    office.drop_picture("merch/b.jpg");
    office.wait_until_ready(2).await;
    office.telegram.press(ANN, TEAM, panel, "Mix");
    let question = office.see_said(TEAM, "the shares of the categories").await;
    office
        .telegram
        .reply(ANN, TEAM, question.id, "memes=70 merch=20");
    office.see_said(TEAM, "add up to 90 %").await;
    office
        .telegram
        .reply(ANN, TEAM, question.id, "memes=70 merk=30");
    office.see_said(TEAM, "no media in a category `merk`").await;
    office
        .telegram
        .reply(ANN, TEAM, question.id, "memes=70, merch=30");
    office
        .wait_until("the mix is set", async || {
            let mix = office.flow().mix(office.now()).await.unwrap();
            mix.iter().any(|share| share.share_ppm == Some(700_000))
        })
        .await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_no_admin_changes_nothing() {
    let (office, panel) = panel().await;
    office.telegram.say(BEN, TEAM, "/settings");
    office.see_said(TEAM, "Only admins may do that").await;
    office.telegram.press(BEN, TEAM, panel, "Stories a day");
    office.see_answer("Only admins may do that.").await;
    // The owner makes Ben an admin; Ben may change settings then, and say nothing of others' roles.
    office.telegram.press(ANN, TEAM, panel, "People");
    office.see_text(panel, "Ben (member)").await;
    office.telegram.press(ANN, TEAM, panel, "Ben: make admin");
    office.see_text(panel, "Ben (admin)").await;
    office.telegram.say(CLEO, TEAM, "/status");
    office.see_said(TEAM, "Library:").await;
    office.telegram.press(BEN, TEAM, panel, "Back");
    office.see_text(panel, "⚙️ Team").await;
    office.telegram.press(BEN, TEAM, panel, "People");
    let people = office.see_text(panel, "Cleo (member)").await;
    assert!(people.button("Cleo").is_none(), "{:?}", people.labels());
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_who_was_met_as_a_member_is_the_owner() {
    let office = Office::open().await;
    let (ann, now) = (PersonId(ANN), office.now());
    office
        .flow()
        .meet(ann, "Ann".to_owned(), None, Role::Member, now)
        .await
        .unwrap();
    office.telegram.say(ANN, TEAM, "/settings");
    office.see_said(TEAM, "⚙️ Team").await;
    let person = office.flow().person(ann).await.unwrap().unwrap();
    assert_eq!(person.role, Role::Owner);
    office.close().await;
}
