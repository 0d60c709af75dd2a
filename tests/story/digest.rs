//! The digest of the morning, and the summary of the week, as the team reads them.

use storyline::domain::audit::By;
use storyline::domain::setting::Setting;

use crate::harness::{ANN, Office, TEAM, ZED};

async fn office_with(settings: &[(Setting, &str)]) -> Office {
    let office = Office::open().await;
    for (setting, value) in settings {
        let by = By::terminal("the test");
        let (flow, now) = (office.flow(), office.now());
        flow.set(*setting, (*value).to_owned(), by, now)
            .await
            .unwrap();
    }
    for name in ["a", "b", "c", "d", "e", "f"] {
        office.drop_picture(&format!("memes/{name}.jpg"));
    }
    office.wait_until_planned(6).await;
    office
}

#[tokio::test(flavor = "multi_thread")]
async fn a_morning_tells_what_comes_and_a_story_is_swapped_before_it_is_sent() {
    let office = office_with(&[(Setting::Digest, "08:30")]).await;
    office.it_is("08:30");
    let digest = office.see_said(TEAM, "☀️ Mon 4 Jan · 3 stories").await;
    let album = office.telegram.messages(TEAM);
    let album: Vec<_> = album.iter().filter(|it| it.album.is_some()).collect();
    assert_eq!(album.len(), 3);
    assert!(album.iter().all(|it| it.silent && it.id < digest.id));
    assert!(!digest.silent);
    assert_eq!(
        digest.labels().concat(),
        ["🔁 Swap #1", "🔁 Swap #2", "🔁 Swap #3"]
    );
    let before = digest.text.lines().nth(2).unwrap().to_owned();
    office.telegram.press(ZED, TEAM, digest.id, "🔁 Swap #2");
    office.see_answer("for the team of this chat only").await;
    office.telegram.press(ANN, TEAM, digest.id, "🔁 Swap #2");
    office.see_answer("Here comes another one.").await;
    let swapped = office.see_text(digest.id, "swapped by Ann").await;
    let line = swapped.text.lines().nth(2).unwrap();
    assert!(line.starts_with("13:00 #2 ") && line.ends_with(" · swapped by Ann"));
    assert_ne!(line, format!("{before} · swapped by Ann"));

    // Once it is sent it has a button of its own; the digest follows.
    let old = digest.button("🔁 Swap #1").unwrap().action.clone();
    office.it_is("09:00");
    office.story(1).await;
    let follows = office.see_text(digest.id, "waiting for a press").await;
    assert_eq!(follows.labels().concat(), ["🔁 Swap #2", "🔁 Swap #3"]);
    let crate::pretend::telegram::Action::Callback(data) = old else {
        panic!("{old:?}");
    };
    office.telegram.press_raw(ANN, TEAM, digest.id, &data);
    office.see_answer("in the chat by now").await;
    assert_eq!(office.times_said(TEAM, "☀️"), 1);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_monday_sums_up_the_week() {
    let office = office_with(&[(Setting::WeeklySummary, "on")]).await;
    office.it_is("09:00");
    let story = office.story(1).await;
    office.telegram.press(ANN, TEAM, story.id, "Posted");
    office.wait_for_history(1).await;
    office.it_is("+7 09:30");
    let week = office.see_said(TEAM, "📊 Mon 4 Jan to Sun 10 Jan").await;
    for line in ["Posted: 1 (0 the week before)", "Most diligent: Ann (1)"] {
        assert!(week.text.contains(line), "{}", week.text);
    }
    assert!(week.keyboard.is_empty());
    office.close().await;
}
