//! Pictures that people send to the bot in private, and their way into the library.

use std::fs;
use std::time::Duration;

use storyline::domain::audit::By;
use storyline::domain::media::Media;
use storyline::domain::person::PersonId;

use crate::harness::{ANN, BEN, CLEO, Office, Plan, TEAM, ZED, drop_picture};
use crate::pretend::telegram::{Action, MediaKind, Message};

const PHOTO: MediaKind = MediaKind::Photo;
const FILE: MediaKind = MediaKind::Document;

/// A picture that is like no other, as a JPEG.
pub(crate) fn picture(name: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    drop_picture(folder.path(), name);
    fs::read(folder.path().join(name)).unwrap()
}

/// An office whose library has two folders.
pub(crate) async fn open() -> Office {
    let office = Office::open().await;
    office.drop_picture("memes/a.jpg");
    office.drop_picture("merch/b.jpg");
    office.wait_until_ready(2).await;
    office
}

/// What a button carries.
pub(crate) fn data_of(message: &Message, button: &str) -> String {
    match &message.button(button).unwrap().action {
        Action::Callback(data) => data.clone(),
        other => panic!("{other:?}"),
    }
}

impl Office {
    pub(crate) fn send(&self, person: i64, kind: MediaKind, name: &str, caption: &str) -> i64 {
        let bytes = picture(name);
        self.telegram
            .send_file(person, person, kind, name, bytes, caption)
    }

    /// Waits until the answer to a message says so.
    pub(crate) async fn see_receipt(&self, person: i64, sent: i64, text: &str) -> Message {
        self.see(|state| {
            let mut messages = state.messages(person).into_iter();
            messages
                .find(|it| it.reply_to == Some(sent) && it.text.contains(text))
                .cloned()
        })
        .await
    }

    /// Somebody sends a file and chooses a folder.
    pub(crate) async fn sends_into(
        &self,
        person: i64,
        kind: MediaKind,
        name: &str,
        caption: &str,
        folder: &str,
    ) -> i64 {
        let sent = self.send(person, kind, name, caption);
        let question = self.see_receipt(person, sent, "Which folder?").await;
        self.telegram.press(person, person, question.id, folder);
        sent
    }

    pub(crate) async fn media_at(&self, path: &str) -> Option<Media> {
        let media = self.flow().media(None).await.unwrap();
        media.into_iter().find(|media| media.path == path)
    }

    fn is_fetched(&self) -> bool {
        !self.telegram.calls_of("getFile").is_empty()
    }

    /// What lies in a folder of the library.
    pub(crate) fn lies_in(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.library().join(folder)).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_lands_as_it_is_with_what_is_said_of_it() {
    let office = open().await;
    let caption = "Our <best> tee, for you #summer #tee\nhttps://shop.example.com/tee";
    let sent = office.send(BEN, FILE, "tee.jpg", caption);
    let question = office
        .see_receipt(BEN, sent, "1 picture. Which folder?")
        .await;
    assert_eq!(
        question.labels(),
        [vec!["memes/", "merch/"], vec!["✖ Cancel"]]
    );
    assert!(!question.text.contains("smaller"), "{}", question.text);
    assert!(
        !office.is_fetched(),
        "nothing is fetched before there is a folder"
    );

    office.telegram.press(BEN, BEN, question.id, "merch/");
    let told = office
        .see_receipt(BEN, sent, "✅ 1 picture is in merch/")
        .await;
    assert_eq!((told.id, told.labels().len()), (question.id, 0));
    let path = office.library().join("merch/tee.jpg");
    assert_eq!(fs::read(path).unwrap(), picture("tee.jpg"));
    assert_eq!(
        office.lies_in("merch"),
        ["b.jpg", "tee.jpg", "tee.jpg.json"]
    );
    // Indexed with all of it at once: nothing was on record in between.
    let media = office.media_at("merch/tee.jpg").await.unwrap();
    assert_eq!(media.category.as_str(), "merch");
    let said = &media.metadata;
    assert_eq!(said.caption.as_deref(), Some("Our <best> tee, for you"));
    assert_eq!(
        said.link_url.as_deref(),
        Some("https://shop.example.com/tee")
    );
    assert_eq!(said.tags, ["summer", "tee"]);
    office.wait_until_ready(3).await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_has_a_name_of_its_own_and_the_folder_is_remembered() {
    let office = open().await;
    office
        .telegram
        .send_file(CLEO, CLEO, MediaKind::Video, "clip.mp4", CLIP, "");
    let question = office.see_said(CLEO, "1 clip. Which folder?").await;
    office.telegram.press(CLEO, CLEO, question.id, "merch/");
    office.see_said(CLEO, "✅ 1 clip is in merch/").await;
    assert_eq!(
        fs::read(office.library().join("merch/clip.mp4")).unwrap(),
        CLIP
    );

    // What Telegram takes for an animation is a clip too; and the team has it.
    office
        .telegram
        .send_file(CLEO, CLEO, MediaKind::Animation, "again.mp4", CLIP, "");
    let question = office.see_said(CLEO, "1 clip. Which folder?").await;
    office.telegram.press(CLEO, CLEO, question.id, "merch/");
    office
        .see_said(CLEO, "again.mp4 is in the library already: merch/clip.mp4")
        .await;

    let sent = office.send(CLEO, PHOTO, "photo.jpg", "");
    let question = office
        .see_receipt(CLEO, sent, "Telegram makes photos smaller")
        .await;
    assert_eq!(question.labels()[0], ["merch/", "memes/"]);
    office.telegram.press(CLEO, CLEO, question.id, "merch/");
    office.see_receipt(CLEO, sent, "✅ 1 picture").await;
    let name = "photo-20270104-080000-1.jpg";
    assert_eq!(office.lies_in("merch"), ["b.jpg", "clip.mp4", name]);
    // Another one in the same second, and one in another person's chat, who chose nothing before.
    let sent = office.send(CLEO, PHOTO, "other.jpg", "");
    let question = office.see_receipt(CLEO, sent, "Which folder?").await;
    office.telegram.press(CLEO, CLEO, question.id, "merch/");
    office.see_receipt(CLEO, sent, "✅ 1 picture").await;
    assert!(
        office
            .lies_in("merch")
            .contains(&"photo-20270104-080000-1 (2).jpg".to_owned())
    );
    let sent = office.send(BEN, PHOTO, "bens.jpg", "");
    let question = office.see_receipt(BEN, sent, "Which folder?").await;
    assert_eq!(question.labels()[0], ["memes/", "merch/"]);
    office.close().await;
}

const CLIP: &[u8] = include_bytes!("clip.mp4");

#[tokio::test(flavor = "multi_thread")]
async fn an_album_is_asked_about_once_and_told_of_together() {
    let office = open().await;
    let known = fs::read(office.library().join("memes/a.jpg")).unwrap();
    let sent = office.telegram.send_album(
        BEN,
        BEN,
        [
            (PHOTO, "1.jpg", picture("1.jpg"), "All #new"),
            (PHOTO, "2.jpg", picture("2.jpg"), ""),
            (PHOTO, "a.jpg", known, ""),
        ],
    );
    office
        .wait_until("all of it is on record", async || {
            office.telegram.updates_waiting() == 0
        })
        .await;
    office.clock.advance(jiff::SignedDuration::from_secs(2));
    office.nudge();
    let question = office
        .see_receipt(BEN, sent[0], "3 pictures. Which folder?")
        .await;
    office.telegram.press(BEN, BEN, question.id, "merch/");
    let told = office
        .see_receipt(BEN, sent[0], "✅ 2 pictures are in merch/")
        .await;
    assert_eq!(
        told.text.lines().nth(1),
        Some("♻️ photo 3 is in the library already: memes/a.jpg (not posted yet).")
    );
    // One caption is said of all of an album.
    for number in 1..=2 {
        let path = format!("merch/photo-20270104-080000-{number}.jpg");
        let media = office.media_at(&path).await.unwrap();
        assert_eq!(media.metadata.tags, ["new"], "{path}");
    }
    assert_eq!(office.times_said(BEN, ""), 1);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_team_has_or_rejected_is_told_and_not_written_again() {
    let office = open().await;
    office
        .sends_into(BEN, FILE, "memes/a.jpg", "", "merch/")
        .await;
    office
        .see_said(BEN, "in the library already: memes/a.jpg (not posted yet)")
        .await;
    let media = office.media_at("merch/b.jpg").await.unwrap();
    office.wait_until_planned(2).await;
    office.it_is("09:00");
    let story = office.story(1).await;
    let team = story.chat;
    let is_b = story.text.contains("b.jpg");
    let (path, shown) = if is_b {
        (media.path.clone(), "merch/b.jpg")
    } else {
        ("memes/a.jpg".to_owned(), "memes/a.jpg")
    };
    office.telegram.press(BEN, team, story.id, "Reject");
    office.see_text(story.id, "eject").await;
    office
        .see(|state| state.message(team, story.id)?.button("Yes").map(|_| ()))
        .await;
    office.telegram.press(BEN, team, story.id, "Yes");
    office.wait_for_history(1).await;
    fs::remove_file(office.library().join(&path)).unwrap();
    office.sends_into(BEN, FILE, shown, "", "merch/").await;
    office.see_said(BEN, "it will not be shown").await;
    assert!(!office.library().join(&path).exists());
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_told_before_it_is_fetched_and_what_is_no_picture_does_not_land() {
    let office = open().await;
    let large = vec![0; (20 << 20) + 1];
    office
        .telegram
        .send_file(BEN, BEN, FILE, "large.mov", large, "");
    let told = office.see_said(BEN, "large.mov: 21 MB are too many").await;
    assert!(
        told.text.contains("at most 20 MB") && told.text.contains("SFTP"),
        "{}",
        told.text
    );
    assert!(told.labels().is_empty() && !office.is_fetched());

    let zip = b"PK\x03\x04 not a picture at all".to_vec();
    office
        .telegram
        .send_file(BEN, BEN, FILE, "tees.zip", zip, "");
    let question = office.see_said(BEN, "1 file. Which folder?").await;
    office.telegram.press(BEN, BEN, question.id, "merch/");
    office.see_said(BEN, "❌ tees.zip: a ZIP archive").await;
    let mut tiny = std::io::Cursor::new(Vec::new());
    let png = image::ImageFormat::Png;
    image::RgbImage::new(20, 20)
        .write_to(&mut tiny, png)
        .unwrap();
    office
        .telegram
        .send_file(BEN, BEN, FILE, "tiny.png", tiny.into_inner(), "");
    let question = office.see_said(BEN, "1 picture. Which folder?").await;
    office.telegram.press(BEN, BEN, question.id, "merch/");
    office.see_said(BEN, "❌ tiny.png: ").await;
    assert_eq!(office.lies_in("merch"), ["b.jpg"]);
    assert!(office.lies_in(".import").is_empty());
    assert!(office.flow().files_in_view().await.unwrap().is_empty());
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_team_may_send_and_only_who_sent_may_choose() {
    let office = open().await;
    office.send(ZED, PHOTO, "zed.jpg", "");
    office.see_said(ZED, "I work for my teams only").await;
    let by = || By::terminal("Ann");
    let sent = office.send(BEN, PHOTO, "ben.jpg", "");
    let question = office.see_receipt(BEN, sent, "Which folder?").await;
    let data = data_of(&question, "merch/");
    office.telegram.press_raw(CLEO, BEN, question.id, &data);
    office.see_answer("Only who sent it may choose").await;
    let now = office.now();
    office
        .flow()
        .set_active(PersonId(BEN), false, by(), now)
        .await
        .unwrap();
    office.telegram.press(BEN, BEN, question.id, "merch/");
    office.see_answer("Your access is switched off").await;
    office.send(BEN, PHOTO, "more.jpg", "");
    office.see_said(BEN, "Your access is switched off").await;
    // In the team's chat a picture is talk.
    office
        .telegram
        .send_file(ANN, TEAM, PHOTO, "x.jpg", picture("x.jpg"), "");
    office
        .flow()
        .set_active(PersonId(BEN), true, by(), now)
        .await
        .unwrap();
    office.telegram.press(BEN, BEN, question.id, "Cancel");
    office.see_receipt(BEN, sent, "Cancelled").await;
    assert!(!office.is_fetched());
    assert_eq!(office.times_said(BEN, "Which folder?"), 0);
    assert!(office.flow().person(PersonId(ZED)).await.unwrap().is_none());
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_library_has_a_folder_to_offer_and_a_webhook_brings_pictures_too() {
    let office = Office::open_with(Plan {
        webhook: true,
        ..Plan::default()
    })
    .await;
    office.see(|state| state.webhook.as_ref().map(|_| ())).await;
    office.telegram.lose_webhook_answers(1);
    let sent = office
        .sends_into(ANN, FILE, "first.jpg", "", "telegram/")
        .await;
    office
        .see_receipt(ANN, sent, "✅ 1 picture is in telegram/")
        .await;
    assert_eq!(
        office.times_said(ANN, "1 picture"),
        1,
        "whatever came twice"
    );
    let state = office.telegram.messages(ANN);
    assert!(state.iter().all(|message| message.chat == ANN));
    tokio::time::timeout(Duration::from_secs(60), office.close())
        .await
        .unwrap();
}
