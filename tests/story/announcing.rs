//! A story is announced in a few words, and its picture put into that message: the team hears of it once, whatever is lost.

use std::time::Duration;

use storyline::domain::outcome::Outcome;

use crate::harness::{ANN, BEN, Office, Plan, TEAM};
use crate::pretend::telegram::{Fault, Message};

/// The number of the team's chat when it has become a supergroup.
const UPGRADED: i64 = -1_002_000_000_002;

async fn an_office_with_a_plan() -> Office {
    let office = Office::open().await;
    office.drop_picture("memes/a.jpg");
    office.wait_until_planned(1).await;
    office
}

/// The first story is announced, and its picture did not get through yet.
async fn an_office_with_an_announcement() -> Office {
    let office = an_office_with_a_plan().await;
    office
        .telegram
        .inject(Fault::DropBefore.on("editMessageMedia"));
    office.it_is("09:00");
    office.wait_for_state(1, "retrying").await;
    office
}

/// The calls that changed something in the team's chat so far, by their names.
fn calls(office: &Office) -> Vec<String> {
    let mut calls = office.telegram.calls();
    let team = TEAM.to_string();
    calls.retain(|call| call.params["chat_id"].to_string().contains(&team));
    let names = calls.into_iter().map(|call| call.method.to_lowercase());
    names.filter(|name| !name.starts_with("get")).collect()
}

fn refusal(text: &str) -> Fault {
    let body =
        format!("{{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: {text}\"}}");
    Fault::ServerError(400, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_picture_takes_two_calls_and_a_known_one_takes_one() {
    let office = an_office_with_a_plan().await;
    office.telegram.inject(
        Fault::Slow(Duration::from_secs(1))
            .on("sendMessage")
            .in_chat(TEAM),
    );
    office.it_is("09:00");
    let announced = office.story_text(1).await;
    assert_eq!(announced.text, "🖼 #1, 09:00: a.jpg");
    assert!(announced.labels().is_empty() && !announced.silent);
    let story = office.story(1).await;
    assert_eq!(story.id, announced.id);
    assert!(story.media.is_some() && story.button("Posted").is_some());
    assert_eq!(calls(&office), ["sendmessage", "editmessagemedia"]);

    // It expires, and the same picture comes up again.
    office.it_is("+1 09:01");
    office.flow().upkeep(office.now()).await.unwrap();
    office.see_text(story.id, "Expired").await;
    office.it_is("+1 13:00");
    office
        .wait_until("it is before the team again", async || {
            office.telegram.messages(TEAM).len() == 2
        })
        .await;
    let announcements = office.telegram.calls_of("sendMessage").into_iter();
    let announcements = announcements.filter(|call| call.params["text"].to_string().contains("🖼"));
    assert_eq!(announcements.count(), 1);
    assert_eq!(office.telegram.calls_of("sendPhoto").len(), 1);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announcement_whose_answer_was_lost_is_sent_once_more_and_says_so() {
    let office = an_office_with_a_plan().await;
    office
        .telegram
        .inject(Fault::DropAfterAccepting.on("sendMessage").in_chat(TEAM));
    office.it_is("09:00");
    office.wait_for_state(1, "unconfirmed").await;
    office.it_is("09:09");
    assert_eq!(office.telegram.messages(TEAM).len(), 1);
    office.it_is("09:11");
    let story = office.story(1).await;
    assert!(story.text.contains("Sent again"), "{}", story.text);
    office.it_is("12:00");
    office.telegram.press(BEN, TEAM, story.id, "Posted");
    office.see_text(story.id, "Posted by Ben").await;
    office.close_with_messages(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_whose_answer_was_lost_is_bound_by_a_press_and_else_put_in_again() {
    for presses in [true, false] {
        let office = an_office_with_a_plan().await;
        office
            .telegram
            .inject(Fault::DropAfterAccepting.on("editMessageMedia"));
        office.it_is("09:00");
        office.wait_for_state(1, "retrying").await;
        let story = office.story_message(1).await.id;
        if presses {
            office.telegram.press(BEN, TEAM, story, "Posted");
            office.see_text(story, "Posted by Ben").await;
        }
        office.it_is("09:06");
        if !presses {
            office.story(1).await;
        }
        office.it_is("09:30");
        let pictures = office.telegram.calls_of("editMessageMedia").len();
        assert_eq!(pictures, if presses { 1 } else { 2 });
        office.close_with_messages(1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_box_that_stops_between_announcement_and_picture_goes_on_with_it() {
    let mut office = an_office_with_a_plan().await;
    office
        .telegram
        .inject(Fault::TimeoutAfterAccepting.on("editMessageMedia"));
    office.it_is("09:00");
    office.story_message(1).await;
    // It waits for an answer that never comes, and is stopped in the midst of that.
    office.stop().await;
    office.start().await;
    assert_ne!(office.state_of(1).await, "unconfirmed");
    let story = office.story(1).await;
    assert!(!story.text.contains("Sent again"), "{}", story.text);
    assert_eq!(office.telegram.calls_of("editMessageMedia").len(), 2);
    office.telegram.press(ANN, TEAM, story.id, "Posted");
    office.see_text(story.id, "Posted by Ann").await;
    office.close_with_messages(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_telegram_refuses_is_told_by_the_announcement() {
    let office = an_office_with_a_plan().await;
    office
        .telegram
        .inject(refusal("IMAGE_PROCESS_FAILED").on("editMessageMedia"));
    office.it_is("09:00");
    let told = office.see_said(TEAM, "Failed at 09:00").await;
    assert!(
        told.media.is_none() && told.text.contains("#1 ·"),
        "{}",
        told.text
    );
    assert_eq!(office.wait_for_history(1).await[0].outcome, Outcome::Failed);
    office.see_said(ANN, "#1 could not be sent").await;
    office.stop_only().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_stands_there_unknown_to_the_box_tells_the_end_too() {
    let office = an_office_with_a_plan().await;
    office
        .telegram
        .inject(Fault::DropAfterAccepting.on("editMessageMedia"));
    office.it_is("09:00");
    office.wait_for_state(1, "retrying").await;
    let story = office.story_message(1).await.id;
    office.telegram.say(ANN, ANN, "/pause");
    office.see_said(ANN, "Paused").await;
    office.it_is("10:30");
    let told = office.see_text(story, "Missed").await;
    assert!(told.media.is_some() && told.labels().is_empty());
    office.close_with_messages(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_may_stand_there_is_put_there_again_however_late() {
    let office = an_office_with_a_plan().await;
    office
        .telegram
        .inject(Fault::DropAfterAccepting.on("editMessageMedia"));
    office.it_is("09:00");
    office.wait_for_state(1, "retrying").await;
    let story = office.story_message(1).await.id;
    office.it_is("10:30");
    office.wait_for_state(1, "awaiting").await;
    office.telegram.press(BEN, TEAM, story, "Posted");
    office.see_text(story, "Posted by Ben").await;
    office.stop_only().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announcement_that_somebody_deleted_comes_anew_once() {
    let office = an_office_with_an_announcement().await;
    let first = office.story_text(1).await.id;
    office.telegram.delete_message(TEAM, first);
    office.it_is("09:06");
    office
        .wait_until("it is known to be gone", async || {
            office.telegram.calls_of("editMessageMedia").len() == 2
                && office.state_of(1).await == "retrying"
        })
        .await;
    office.it_is("09:07");
    let story = office.story(1).await;
    assert!(story.id != first && story.text.contains("Sent again"));
    office.close_with_messages(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announcement_that_stayed_in_a_group_of_old_comes_anew_in_the_supergroup() {
    let office = an_office_with_an_announcement().await;
    office.telegram.upgrade_to_supergroup(TEAM, UPGRADED);
    office.it_is("09:06");
    office
        .wait_until("it is known to have moved", async || {
            office.telegram.calls_of("editMessageMedia").len() == 2
                && office.state_of(1).await == "retrying"
        })
        .await;
    office.it_is("09:07");
    let story = office.see_said(UPGRADED, "#1 ·").await;
    assert!(story.text.contains("Sent again") && story.button("Posted").is_some());
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_puts_no_picture_into_a_text_gets_stories_in_one_call() {
    for words in [
        "message can't be edited",
        "there is no media in the message to edit",
    ] {
        let office = an_office_with_a_plan().await;
        office.drop_picture("memes/b.jpg");
        office.wait_until_planned(2).await;
        office
            .telegram
            .inject(refusal(words).on("editMessageMedia").times(9));
        office.it_is("09:00");
        let story = office.story(1).await;
        assert!(!story.text.contains("Sent again"));
        assert_eq!(
            calls(&office),
            [
                "sendmessage",
                "editmessagemedia",
                "deletemessage",
                "sendphoto"
            ]
        );
        office.telegram.press(BEN, TEAM, story.id, "Posted");
        office.see_text(story.id, "Posted by Ben").await;
        office.it_is("13:00");
        office.story(2).await;
        assert_eq!(office.telegram.calls_of("editMessageMedia").len(), 1);
        assert_eq!(office.telegram.calls_of("sendPhoto").len(), 2);
        office.close_with_messages(2).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_to_be_announced_a_new_picture_takes_one_call() {
    let office = Office::open_with(Plan {
        announce: false,
        ..Plan::default()
    })
    .await;
    office.drop_picture("memes/a.jpg");
    office.wait_until_planned(1).await;
    office.it_is("09:00");
    office.story(1).await;
    assert_eq!(calls(&office), ["sendphoto"]);
    office.close_with_messages(1).await;
}

/// What Telegram says to what it will never take.
const FOR_EVER: &str = "message is too long";

/// What may go wrong with a call; an answer that is waited for in vain takes as long as a client waits.
fn faults() -> Vec<Fault> {
    let page = "<html>Bad Gateway</html>".to_owned();
    vec![
        Fault::DropAfterAccepting,
        Fault::DropBefore,
        Fault::RetryAfter(1),
        Fault::ServerError(502, page.clone()),
        Fault::ServerErrorAfterAccepting(502, page),
        Fault::Unauthorized,
        Fault::Slow(Duration::from_secs(1)),
        Fault::HalfAnswer,
        Fault::CutAnswer,
        Fault::Kicked,
        refusal("message to edit not found"),
        refusal(FOR_EVER),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_goes_wrong_with_a_call_a_story_has_two_messages_at_most_and_one_outcome() {
    let cases = ["sendMessage", "editMessageMedia"]
        .into_iter()
        .flat_map(|method| faults().into_iter().map(move |fault| (method, fault)));
    let mut running = tokio::task::JoinSet::new();
    for (method, fault) in cases {
        if running.len() == 4 {
            running.join_next().await.unwrap().unwrap();
        }
        running.spawn(one_outcome(method, fault));
    }
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
}

/// What the team's chat holds, but for reminders, which come and go.
fn of_stories(office: &Office) -> Vec<Message> {
    let mut messages = office.telegram.messages(TEAM);
    messages.retain(|message| !message.text.starts_with('⏰'));
    messages
}

async fn one_outcome(method: &'static str, fault: Fault) {
    let is_refused = fault == refusal(FOR_EVER);
    let case = format!("{method}: {fault}");
    let office = an_office_with_a_plan().await;
    office.telegram.inject(fault.on(method).in_chat(TEAM));
    // Long enough for every retry, the doubt and the late window.
    for time in ["09:00", "09:06", "09:12", "09:17", "09:38"] {
        office.it_is(time);
        office
            .wait_until(&case, async || {
                office.telegram.faults_left().is_empty() && office.state_of(1).await != "sending"
            })
            .await;
    }
    office
        .wait_until(&case, async || {
            matches!(&*office.state_of(1).await, "awaiting" | "")
        })
        .await;
    let before = of_stories(&office);
    assert!(before.len() <= 2, "{case}\n{}", office.telegram.dump());
    let expected = if is_refused {
        Outcome::Failed
    } else {
        let mut stories = before.iter();
        let story = stories.find(|message| message.button("Posted").is_some());
        let story = story.unwrap_or_else(|| panic!("{case}\n{}", office.telegram.dump()));
        office.telegram.press(BEN, TEAM, story.id, "Posted");
        office.see_text(story.id, "Posted by Ben").await;
        Outcome::Posted
    };
    let ends = office.wait_for_history(1).await;
    let outcomes: Vec<_> = ends.iter().map(|end| end.outcome).collect();
    assert_eq!(outcomes, [expected], "{case}");
    office.it_is("12:00");
    assert_eq!(of_stories(&office).len(), before.len(), "{case}");
    office.stop_only().await;
}
