//! What goes wrong while a picture is on its way from a phone into the library, and that nothing is lost or done twice.

use std::fs;

use crate::harness::{BEN, Office};
use crate::pretend::telegram::{Fault, MediaKind};
use crate::upload::{data_of, open, picture};

const FILE: MediaKind = MediaKind::Document;

#[tokio::test(flavor = "multi_thread")]
async fn a_press_that_comes_twice_does_nothing_twice() {
    let office = open().await;
    let sent = office.send(BEN, FILE, "tee.jpg", "");
    let question = office.see_receipt(BEN, sent, "Which folder?").await;
    office
        .telegram
        .inject(Fault::DropAfterAccepting.on("getFile").times(1));
    for folder in ["merch/", "memes/", "Cancel"] {
        let data = data_of(&question, folder);
        office.telegram.press_raw(BEN, BEN, question.id, &data);
    }
    office.see_answer("It was to go to merch/ already").await;
    office
        .wait_until("the fetching failed", async || {
            office.telegram.faults_left().is_empty()
        })
        .await;
    office.it_is("08:02");
    office
        .see_receipt(BEN, sent, "✅ 1 picture is in merch/")
        .await;
    assert_eq!(office.lies_in("memes"), ["a.jpg"]);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_the_box_is_switched_off_between_two_steps() {
    let mut office = open().await;
    // Between the sending and the question: what is asked cannot be said.
    office
        .telegram
        .inject(Fault::DropBefore.on("sendMessage").times(1));
    let sent = office.send(BEN, FILE, "tee.jpg", "Tee #summer");
    office
        .wait_until("the question failed", async || {
            office.telegram.faults_left().is_empty()
        })
        .await;
    office.stop().await;
    office.it_is("08:02");
    office.start().await;
    let question = office.see_receipt(BEN, sent, "Which folder?").await;
    // Between the question and the choice.
    office.stop().await;
    office.telegram.press(BEN, BEN, question.id, "merch/");
    // Between the choice and the fetching.
    office
        .telegram
        .inject(Fault::DropBefore.on("getFile").times(1));
    office.start().await;
    office
        .wait_until("the fetching failed", async || {
            office.telegram.faults_left().is_empty()
        })
        .await;
    office.stop().await;
    office.it_is("08:05");
    office.start().await;
    office
        .see_receipt(BEN, sent, "✅ 1 picture is in merch/")
        .await;
    let media = office.media_at("merch/tee.jpg").await.unwrap();
    assert_eq!(media.metadata.tags, ["summer"]);
    assert_eq!(
        office.lies_in("merch"),
        ["b.jpg", "tee.jpg", "tee.jpg.json"]
    );
    office.close().await;
}

/// Waits until this was called so often. What is noted of a call is noted with the time at which it began.
async fn called(office: &Office, method: &str, times: usize) {
    office
        .wait_until("it was called", async || {
            office.telegram.calls_of(method).len() == times
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_breaks_is_tried_again_and_given_up_with_the_reason() {
    let office = open().await;
    let inject = |fault: Fault, method, times| {
        office.telegram.inject(fault.on(method).times(times));
    };
    inject(Fault::RetryAfter(30), "getFile", 1);
    inject(Fault::CutAnswer, "download", 1);
    let sent = office.sends_into(BEN, FILE, "tee.jpg", "", "merch/").await;
    called(&office, "getFile", 1).await;
    office.it_is("08:01");
    called(&office, "download", 1).await;
    office.it_is("08:03");
    office
        .see_receipt(BEN, sent, "✅ 1 picture is in merch/")
        .await;
    let path = office.library().join("merch/tee.jpg");
    assert_eq!(fs::read(path).unwrap(), picture("tee.jpg"));

    inject(Fault::ServerError(404, "gone".to_owned()), "download", 5);
    let sent = office.sends_into(BEN, FILE, "mug.jpg", "", "merch/").await;
    for (tries, time) in ["08:05", "08:11", "08:27", "09:13"].into_iter().enumerate() {
        called(&office, "download", 3 + tries).await;
        office.it_is(time);
    }
    let told = office.see_receipt(BEN, sent, "❌ mug.jpg: ").await;
    assert!(told.text.contains("404"), "{}", told.text);
    assert!(told.text.contains("Please send it again"), "{}", told.text);
    assert!(!told.text.contains("pretend-token"), "{}", told.text);
    assert!(!office.library().join("merch/mug.jpg").exists());
    office.close().await;
}
