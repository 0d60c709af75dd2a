//! Whoever may put files into the library may put links there too. Nothing is read, written or removed behind one, and what
//! was looked at is what the team sees.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use crate::harness::{BEN, Office, TEAM};
use crate::pretend::telegram::{Fault, MediaKind, Message};
use crate::upload::open;

const FILE: MediaKind = MediaKind::Document;
const CLIP: &[u8] = include_bytes!("clip.mp4");
const SECRET: &[u8] = b"123456:the token of the bot";

/// All that lies in a folder, with what is in it.
fn all_in(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let mut all: Vec<_> = entries
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_where_drafts_are_written_is_told_and_harms_nothing() {
    let office = open().await;
    let outside = office.folder("outside");
    for name in ["storyline.db", "secret.key", "123.part"] {
        fs::write(outside.join(name), name).unwrap();
    }
    let before = all_in(&outside);
    let drafts = office.library().join(".import");
    symlink(&outside, &drafts).unwrap();
    office.sends_into(BEN, FILE, "c.jpg", "", "merch/").await;
    let told = office
        .see_said(BEN, "❌ c.jpg: `.import` in the library is a link")
        .await;
    assert!(
        told.text.contains("links are not followed"),
        "{}",
        told.text
    );
    assert_eq!(all_in(&outside), before);
    assert_eq!(office.lies_in("merch"), ["b.jpg"]);

    // Links under the names that drafts once had lead to nothing either.
    fs::remove_file(&drafts).unwrap();
    fs::create_dir(&drafts).unwrap();
    for ending in ["fetched", "part", "json"] {
        let name = format!("{}.{ending}", std::process::id());
        symlink(outside.join("secret.key"), drafts.join(name)).unwrap();
    }
    office
        .sends_into(BEN, FILE, "c.jpg", "#new", "merch/")
        .await;
    office.see_said(BEN, "✅ 1 picture is in merch/").await;
    assert_eq!(all_in(&outside), before);
    assert_eq!(office.lies_in("merch"), ["b.jpg", "c.jpg", "c.jpg.json"]);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_a_link_takes_no_picture_and_says_so() {
    let office = Office::open().await;
    let outside = office.folder("outside");
    symlink(&outside, office.library().join("telegram")).unwrap();
    office.sends_into(BEN, FILE, "c.jpg", "", "telegram/").await;
    office
        .see_said(BEN, "❌ c.jpg: `telegram` in the library is a link")
        .await;
    assert!(office.telegram.calls_of("getFile").is_empty());
    assert!(all_in(&outside).is_empty());
    office.close().await;
}

/// An office where a clip is announced, and about to be uploaded.
async fn announced() -> (Office, Message) {
    let office = Office::open().await;
    fs::create_dir(office.library().join("memes")).unwrap();
    fs::write(office.library().join("memes/dance.mp4"), CLIP).unwrap();
    office.wait_until_planned(1).await;
    let slow = Fault::Slow(Duration::from_millis(700));
    office.telegram.inject(slow.on("sendMessage").in_chat(TEAM));
    office.it_is("09:00");
    let announcement = office
        .see(|state| state.messages(TEAM).first().map(|it| (*it).clone()))
        .await;
    assert!(announcement.media.is_none());
    (office, announcement)
}

fn has_secret(message: &Message) -> bool {
    let media = message.media.as_ref();
    media.is_some_and(|media| media.bytes.windows(SECRET.len()).any(|it| it == SECRET))
}

/// F4: between the look at a clip and its upload, its name was given to a link that led to the token.
#[tokio::test(flavor = "multi_thread")]
async fn a_clip_that_is_swapped_for_a_secret_leaves_as_what_it_was() {
    let (office, announcement) = announced().await;
    let secret = office.folder("state").join("token");
    fs::write(&secret, SECRET).unwrap();
    let clip = office.library().join("memes/dance.mp4");
    fs::rename(&clip, office.library().join("memes/gone.part")).unwrap();
    symlink(&secret, &clip).unwrap();
    let shown = office
        .see(|state| {
            let message = state.message(TEAM, announcement.id)?;
            message.media.is_some().then(|| message.clone())
        })
        .await;
    assert_eq!(shown.media.as_ref().unwrap().bytes.as_ref(), CLIP);
    assert!(!office.telegram.messages(TEAM).iter().any(has_secret));
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_that_is_written_over_while_it_is_sent_does_not_leave() {
    let (office, announcement) = announced().await;
    let clip = office.library().join("memes/dance.mp4");
    // In place, and of the same length: the file is the same one, its bytes are not.
    let mut other = CLIP.to_vec();
    let middle = other.len() / 2;
    other[middle..middle + SECRET.len()].copy_from_slice(SECRET);
    fs::write(&clip, &other).unwrap();
    office.wait_for_state(1, "retrying").await;
    office
        .wait_until("it is on record as what it is now", async || {
            let media = office.flow().media(None).await.unwrap();
            media.iter().any(|media| media.missing_since.is_some())
        })
        .await;
    office.wait_until_ready(1).await;
    office.it_is("09:01");
    office
        .see_text(
            announcement.id,
            "its file was changed while it was sent, so it was not sent",
        )
        .await;
    let messages = office.telegram.messages(TEAM);
    assert!(messages.iter().all(|message| message.media.is_none()));
    // What the server got of it was no call.
    let broken = office.telegram.unexpected_calls();
    assert!(
        broken.len() == 1 && broken[0].contains("failed to read stream"),
        "{broken:?}"
    );
    office.stop_only().await;
}
