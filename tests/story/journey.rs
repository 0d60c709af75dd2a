//! The main job, told as the manual tells it.

use storyline::domain::outcome::Outcome;

use crate::harness::{ANN, BEN, Chat, Office, Plan, TEAM, drop_picture};
use crate::pretend::telegram::{MediaKind, Pressed};

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_dropped_in_the_morning_is_history_by_noon() {
    let office = Office::open().await;

    // Somebody drops a picture, with a note of what to say and where it leads.
    office.drop_picture("merch/tee.jpg");
    let note = r#"{"title": "Summer tee", "caption": "New drop <3", "link_url": "https://shop.example.com/tee", "tags": ["summer", "tee"]}"#;
    std::fs::write(office.library().join("merch/tee.json"), note).unwrap();
    office.wait_until_ready(1).await;
    office
        .wait_until("the title is known", || async {
            office.flow().media(None).await.unwrap()[0]
                .metadata
                .title
                .is_some()
        })
        .await;
    office.wait_until_planned(1).await;
    assert!(
        office.telegram.messages(TEAM).is_empty(),
        "nothing is sent before its time"
    );

    // At nine the story stands in the chat.
    office.it_is("09:00");
    let story = office.story(1).await;
    assert_eq!(
        story.text,
        "Summer tee\n🔗 https://shop.example.com/tee\n#summer #tee\n\nNew drop <3\n\n#1 · merch · Mon 4 Jan, 09:00"
    );
    assert_eq!(
        story.labels(),
        [
            vec!["✅ Posted", "⏭ Skip", "🚫 Reject"],
            vec!["📋 Copy link", "📋 Copy caption"],
            vec!["🖼 Original", "🙋 I'm on it"],
            vec!["🔄 Swap", "🕒 Later"],
        ]
    );
    let photo = story.media.as_ref().unwrap();
    assert_eq!((photo.width, photo.height), (1080, 1920));

    // Ann copies the link, posts the story to Instagram, and says so.
    let copied = office.telegram.press(ANN, TEAM, story.id, "Copy link");
    assert_eq!(
        copied,
        Pressed::Copied("https://shop.example.com/tee".to_owned())
    );
    office.it_is("09:02");
    office.telegram.press(ANN, TEAM, story.id, "Posted");
    office.see_answer("Noted as posted").await;

    // Everybody sees who did, when, and how long it took. For a minute it can be taken back.
    let done = office
        .see_text(story.id, "Posted by Ann at 09:02 (2 min)")
        .await;
    assert_eq!(done.labels(), [["↩ Undo"]]);
    office.it_is("09:04");
    office
        .wait_until("the buttons are gone", async || {
            let message = office.telegram.message(TEAM, story.id).unwrap();
            message.labels().is_empty()
        })
        .await;

    // And it is history, with the picture locked for a month.
    let history = office.wait_for_history(1).await;
    assert_eq!(history[0].outcome, Outcome::Posted);
    assert_eq!(history[0].person_name.as_deref(), Some("Ann"));
    assert_eq!(history[0].snapshot.display_name(), "Summer tee");
    let locks = office.flow().locks(office.now()).await.unwrap();
    assert_eq!(locks[0].kind.as_str(), "recent_post");
    assert_eq!(locks[0].until.unwrap().to_string(), "2027-02-03T09:02:00Z");
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_stories_a_day_go_out_at_their_times_and_one_is_skipped() {
    let office = Office::open().await;
    for name in ["a", "b", "c", "d"] {
        office.drop_picture(&format!("memes/{name}.jpg"));
    }
    office.wait_until_planned(4).await;
    for (number, time) in [(1, "09:00"), (2, "13:00"), (3, "17:00")] {
        office.it_is(time);
        let story = office.story(number).await;
        let button = if number == 2 { "Skip" } else { "Posted" };
        office.telegram.press(BEN, TEAM, story.id, button);
        office.wait_for_history(number as usize).await;
    }
    let outcomes: Vec<Outcome> = office
        .history()
        .await
        .iter()
        .rev()
        .map(|entry| entry.outcome)
        .collect();
    assert_eq!(
        outcomes,
        [Outcome::Posted, Outcome::Skipped, Outcome::Posted]
    );
    let ben = &office.flow().people().await.unwrap()[0];
    assert_eq!((ben.tally.posted, ben.tally.skipped), (2, 1));
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_channel_works_as_well() {
    let office = Office::open_with(Plan {
        chat: Chat::Channel,
        ..Plan::default()
    })
    .await;
    office.drop_picture("memes/a.png");
    office.wait_until_planned(1).await;
    office.it_is("09:00");
    let story = office.story(1).await;
    office.telegram.press(BEN, TEAM, story.id, "Posted");
    office.see_text(story.id, "Posted by Ben").await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_forum_stories_go_to_their_topic() {
    let office = Office::open_with(Plan {
        chat: Chat::Forum(7),
        ..Plan::default()
    })
    .await;
    office.drop_picture("memes/a.jpg");
    office.wait_until_planned(1).await;
    office.it_is("09:00");
    assert_eq!(office.story(1).await.thread, Some(7));
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_sends_nothing_and_says_what_it_would_do() {
    let office = Office::open_with(Plan {
        dry_run: true,
        ..Plan::default()
    })
    .await;
    office.drop_picture("memes/a.jpg");
    office.wait_until_planned(1).await;
    office.it_is("09:00");
    let history = office.wait_for_history(1).await;
    assert_eq!(history[0].outcome, Outcome::Cancelled);
    assert!(history[0].reason.as_ref().unwrap().starts_with("dry run"));
    assert!(office.telegram.messages(TEAM).is_empty());
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_that_came_while_the_box_was_off_are_found_at_its_start() {
    let mut office = Office::furnish(Plan::default()).await;
    drop_picture(&office.library(), "memes/a.jpg");
    drop_picture(&office.library(), "merch/b.webp");
    office.start().await;
    office.wait_until_planned(2).await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_is_shown_as_a_video_that_plays_in_the_chat() {
    let office = Office::open().await;
    let clip = include_bytes!("clip.mp4");
    std::fs::create_dir(office.library().join("memes")).unwrap();
    std::fs::write(office.library().join("memes/dance.mp4"), clip).unwrap();
    office.wait_until_planned(1).await;
    office.it_is("09:00");
    let story = office.story(1).await;
    let shown = story.media.as_ref().expect("a clip is shown");
    assert_eq!(shown.kind, MediaKind::Video);
    assert_eq!(shown.bytes.as_ref(), clip, "as it is, byte for byte");
    office.telegram.press(BEN, TEAM, story.id, "Posted");
    office.see_text(story.id, "Posted by Ben").await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_moves_is_shown_moving() {
    let office = Office::open().await;
    let red = [200, 20].map(|red| {
        image::Frame::new(image::RgbaImage::from_pixel(
            540,
            960,
            image::Rgba([red, 0, 0, 255]),
        ))
    });
    let mut gif = Vec::new();
    image::codecs::gif::GifEncoder::new(&mut gif)
        .encode_frames(red)
        .unwrap();
    std::fs::create_dir(office.library().join("memes")).unwrap();
    std::fs::write(office.library().join("memes/wave.gif"), &gif).unwrap();
    office.wait_until_planned(1).await;
    office.it_is("09:00");
    let story = office.story(1).await;
    let shown = story.media.as_ref().expect("an animation is shown");
    assert_eq!(shown.kind, MediaKind::Animation);
    assert_eq!(shown.bytes.as_ref(), gif, "as it is, byte for byte");
    office.telegram.press(BEN, TEAM, story.id, "Posted");
    office.see_text(story.id, "Posted by Ben").await;
    office.close().await;
}
