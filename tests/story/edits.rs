//! What is said of a picture while its story awaits a press.

use storyline::domain::audit::{Asked, By};
use storyline::domain::edit::{Edit, Field};
use storyline::domain::person::PersonId;

use crate::harness::{ANN, Office, TEAM};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_of_a_picture_shows_in_its_message_and_stays_when_a_sidecar_comes() {
    let office = Office::open().await;
    office.drop_picture("merch/tee.jpg");
    office.wait_until_planned(1).await;
    office.it_is("09:00");
    let story = office.story(1).await;
    assert!(story.text.starts_with("tee.jpg"), "{}", story.text);

    // Somebody at the terminal, beside the service.
    let beside = office.beside().await;
    let say = async |edit: Edit| {
        let media = beside.media(None).await.unwrap().remove(0);
        let by = By::terminal("ben");
        beside.edit(media, edit, by, office.now()).await.unwrap();
        office.nudge();
    };
    say(Edit::title("Summer <tee>").unwrap()).await;
    say(Edit::link("https://shop.example.com/tee").unwrap()).await;
    let shown = office
        .see_text(story.id, "🔗 https://shop.example.com/tee")
        .await;
    assert!(shown.text.starts_with("Summer <tee>\n"), "{}", shown.text);
    assert_eq!(
        shown.labels(),
        [
            vec!["✅ Posted", "⏭ Skip", "🚫 Reject"],
            vec!["📋 Copy link"],
            vec!["🖼 Original", "🙋 I'm on it"],
            vec!["🔄 Swap", "🕒 Later"],
        ]
    );

    // What a file says counts where nobody said otherwise, and the message follows it too.
    let note = r#"{"title": "A tee", "caption": "New drop"}"#;
    std::fs::write(office.library().join("merch/tee.json"), note).unwrap();
    let shown = office.see_text(story.id, "New drop").await;
    assert!(shown.text.starts_with("Summer <tee>\n"), "{}", shown.text);
    say(Edit::reset(Field::Title)).await;
    office.see_text(story.id, "A tee\n").await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_paused_in_the_chat_is_in_the_audit_log_by_number() {
    let office = Office::open().await;
    office.telegram.say(ANN, ANN, "/pause");
    office.see_said(ANN, "Paused.").await;
    office.telegram.say(ANN, ANN, "/resume");
    office.see_said(ANN, "It goes on").await;
    // Whoever may not, changes nothing.
    office.telegram.say(crate::harness::BEN, TEAM, "/pause");
    office.see_said(TEAM, "Only admins may do that").await;
    let asked = Asked {
        limit: 9,
        ..Asked::default()
    };
    let lines = office.flow().audit(asked).await.unwrap();
    let mut told: Vec<_> = lines
        .iter()
        .map(|line| (line.change.action.as_str(), line.by.as_str(), line.person))
        .collect();
    told.sort(); // both in the same moment, by the clock on the table
    let ann = Some(PersonId(ANN));
    assert_eq!(told, [("paused", "Ann", ann), ("resumed", "Ann", ann)]);
    office.close().await;
}
