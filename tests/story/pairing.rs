//! Chats come and go.

use storyline::domain::setting::Setting;

use crate::harness::{ANN, BEN, Office, TEAM};
use crate::pretend::telegram::Status;

const OTHER: i64 = -1_001_000_000_777;

async fn chat(office: &Office) -> Option<i64> {
    office.flow().settings().await.unwrap().chat
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_that_the_bot_is_added_to_is_offered_to_the_owner() {
    let office = Office::open().await;
    office.telegram.supergroup(OTHER, "Another place");
    office.telegram.bot_stands(OTHER, Status::Left);
    office.telegram.member(OTHER, BEN, Status::Member);
    office.telegram.member(OTHER, ANN, Status::Member);
    // Anybody may add a bot to a group; only an admin's is offered.
    office.telegram.change_bot(OTHER, BEN, Status::Member);
    office.telegram.change_bot(OTHER, BEN, Status::Left);
    office.telegram.change_bot(OTHER, ANN, Status::Member);
    let offer = office.see_said(ANN, "Another place").await;
    assert_eq!(chat(&office).await, Some(TEAM), "nobody has decided yet");
    assert_eq!(office.times_said(ANN, "Another place"), 1);
    office.telegram.press(ANN, ANN, offer.id, "Use it");
    office
        .wait_until("it is the team's chat", async || {
            chat(&office).await == Some(OTHER)
        })
        .await;
    office.drop_picture("memes/a.jpg");
    office.wait_until_planned(1).await;
    office.it_is("09:00");
    office.see_said(OTHER, "#1 ·").await;
    let decided = office.flow().decided().await.unwrap();
    let line = decided
        .into_iter()
        .find(|line| line.setting == Setting::Chat);
    assert_eq!(line.unwrap().by.as_deref(), Some("Ann"));
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_is_thrown_out_says_so_to_the_owner_and_when_it_is_back() {
    let office = Office::open().await;
    office.telegram.change_bot(TEAM, BEN, Status::Left);
    office
        .see_said(ANN, "the bot is not in the chat (changed by Ben)")
        .await;
    office.telegram.change_bot(TEAM, BEN, Status::Member);
    office.see_said(ANN, "Over: The team's chat").await;
    assert_eq!(chat(&office).await, Some(TEAM));
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_becomes_a_supergroup_is_followed() {
    let office = Office::open().await;
    office.drop_picture("memes/a.jpg");
    office.wait_until_planned(1).await;
    office.telegram.upgrade_to_supergroup(TEAM, OTHER);
    office
        .wait_until("the number is the new one", async || {
            chat(&office).await == Some(OTHER)
        })
        .await;
    office.it_is("09:00");
    office.see_said(OTHER, "#1 ·").await;
    office.close().await;
}
