//! The pictures of what comes, as an album, where somebody asks for them.

use crate::harness::{ANN, BEN, Chat, Office, Plan, TEAM, ZED};
use crate::pretend::telegram::{MediaKind, Message};

/// Waits for an album of so many pictures in a chat.
async fn sees_album(office: &Office, chat: i64, pictures: usize) -> Vec<Message> {
    office
        .see(|state| {
            let is_shown = |message: &&&Message| message.album.is_some();
            let album: Vec<Message> = state
                .messages(chat)
                .iter()
                .filter(is_shown)
                .map(|message| Message::clone(message))
                .collect();
            (album.len() >= pictures).then_some(album)
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_shows_its_pictures_where_somebody_asks_and_once() {
    let topic = 12;
    let office = Office::open_with(Plan {
        chat: Chat::Forum(topic),
        ..Plan::default()
    })
    .await;
    for path in ["memes/a.jpg", "memes/<b>.jpg", "memes/c.jpg"] {
        office.drop_picture(path);
    }
    office.wait_until_planned(3).await;
    office
        .telegram
        .say_in_topic(BEN, TEAM, topic.into(), "/queue");
    let queue = office.see_said(TEAM, "#3 Mon 4 Jan, 17:00").await;
    office
        .telegram
        .press(BEN, TEAM, queue.id, "🖼 Show pictures");
    office.see_answer("The pictures are on their way.").await;
    let album = sees_album(&office, TEAM, 3).await;
    let told: Vec<&str> = album
        .iter()
        .map(|message| message.text.split(" · ").next().unwrap())
        .collect();
    assert_eq!(
        told,
        [
            "#1 Mon 4 Jan, 09:00",
            "#2 Mon 4 Jan, 13:00",
            "#3 Mon 4 Jan, 17:00"
        ]
    );
    assert!(
        album
            .iter()
            .any(|message| message.text.ends_with("<b>.jpg"))
    );
    for message in &album {
        assert!(message.silent, "nobody is woken");
        assert_eq!(message.thread, Some(topic.into()));
        assert_eq!(message.album, album[0].album);
        assert!(message.keyboard.is_empty());
    }
    // Again: it stands above.
    office
        .telegram
        .press(ANN, TEAM, queue.id, "🖼 Show pictures");
    office.see_answer("They stand above").await;
    assert_eq!(office.telegram.calls_of("sendMediaGroup").len(), 1);

    // What was uploaded once is sent by its id: in another chat, and when the story's time comes.
    office.telegram.say(BEN, BEN, "/queue");
    let queue = office.see_said(BEN, "#3 Mon 4 Jan, 17:00").await;
    office.telegram.press(BEN, BEN, queue.id, "🖼 Show pictures");
    let again = sees_album(&office, BEN, 3).await;
    for (first, again) in album.iter().zip(&again) {
        let id = |message: &Message| message.media.as_ref().unwrap().file_id.clone();
        assert_eq!(id(first), id(again));
    }
    office.it_is("09:00");
    let story = office.story(1).await;
    let id = |message: &Message| message.media.as_ref().unwrap().file_id.clone();
    assert!(album.iter().any(|shown| id(shown) == id(&story)));
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_picture_alone_is_a_photo_and_strangers_see_none() {
    let office = Office::open().await;
    office.telegram.say(BEN, BEN, "/queue");
    let empty = office.see_said(BEN, "The queue is empty").await;
    assert!(empty.keyboard.is_empty());
    office.drop_picture("memes/a.jpg");
    office.wait_until_planned(1).await;
    office.telegram.say(BEN, TEAM, "/queue");
    let queue = office.see_said(TEAM, "#1 Mon 4 Jan, 09:00").await;
    office
        .telegram
        .press(ZED, TEAM, queue.id, "🖼 Show pictures");
    office.see_answer("for the team of this chat only").await;
    office
        .telegram
        .press(BEN, TEAM, queue.id, "🖼 Show pictures");
    let photo = office
        .see(|state| {
            let messages = state.messages(TEAM);
            let is_photo = |message: &&Message| message.media.is_some();
            messages.into_iter().find(is_photo).cloned()
        })
        .await;
    assert_eq!(photo.text, "#1 Mon 4 Jan, 09:00 · a.jpg");
    assert_eq!(photo.media.unwrap().kind, MediaKind::Photo);
    assert!(photo.silent && photo.album.is_none());
    assert!(office.telegram.calls_of("sendMediaGroup").is_empty());
    office.close().await;
}
