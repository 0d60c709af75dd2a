//! What people ask in the chat, and who may ask for what.

use storyline::domain::audit::By;
use storyline::domain::person::{PersonId, Role};

use crate::harness::{ANN, BEN, Chat, Office, Plan, TEAM};

#[tokio::test(flavor = "multi_thread")]
async fn everybody_may_look_and_only_admins_may_pause() {
    let office = Office::open().await;
    office.drop_picture("memes/a.jpg");
    office.wait_until_planned(1).await;
    office.telegram.say(BEN, TEAM, "/queue");
    office.see_said(TEAM, "#1 Mon 4 Jan, 09:00 · a.jpg").await;
    office.telegram.say(BEN, TEAM, "/pause");
    office.see_said(TEAM, "Only admins may do that").await;

    // Ann's private chat is the admin chat, so she is the owner.
    office.telegram.say(ANN, ANN, "/pause");
    office.see_said(ANN, "Paused.").await;
    let ann = &office.flow().people().await.unwrap()[0];
    assert_eq!((ann.name.as_str(), ann.role), ("Ann", Role::Owner));
    office.it_is("09:00");
    office.telegram.say(ANN, ANN, "/status");
    office.see_said(ANN, "Paused by Ann since").await;
    office.wait_for_history(1).await;
    assert_eq!(
        office.history().await[0].reason.as_deref(),
        Some("the plan was paused")
    );
    office.telegram.say(ANN, ANN, "/resume");
    office.see_said(ANN, "It goes on. Next: #").await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_sends_the_next_story_now() {
    let office = Office::open().await;
    office.drop_picture("memes/a.jpg");
    office.wait_until_planned(1).await;
    office.telegram.say(ANN, ANN, "/next");
    office.see_said(ANN, "#1 is on its way").await;
    office.story(1).await;
    office.telegram.say(ANN, ANN, "/next");
    office.see_said(ANN, "There is nothing to send").await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn help_and_history_answer_and_talk_is_left_alone() {
    let office = Office::open().await;
    office.telegram.say(BEN, TEAM, "lunch?");
    office.telegram.say(BEN, TEAM, "/help");
    let help = office.see_said(TEAM, "/status").await;
    assert!(help.text.contains("/stats what the last"), "{}", help.text);
    office.telegram.say(BEN, TEAM, "/posted");
    office.see_said(TEAM, "Nothing has ended yet").await;
    let said = office
        .telegram
        .messages(TEAM)
        .iter()
        .filter(|m| m.is_from_bot())
        .count();
    assert_eq!(said, 2);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_channel_commands_are_shown_the_way() {
    let office = Office::open_with(Plan {
        chat: Chat::Channel,
        ..Plan::default()
    })
    .await;
    office.telegram.post_in_channel(TEAM, "/status");
    office.see_said(TEAM, "in private").await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_menu_shows_what_a_person_may_ask() {
    let mut office = Office::open().await;
    office.telegram.say(BEN, BEN, "/help");
    let help = office.see_said(BEN, "/stats").await;
    assert!(!help.text.contains("/pause"), "{}", help.text);
    office
        .beside()
        .await
        .set_role(
            PersonId(BEN),
            Role::Admin,
            By::terminal("ann"),
            office.now(),
        )
        .await
        .unwrap();
    office.stop().await;
    office.start().await;
    let menu = |scope: Option<i64>| {
        office.see(move |state| {
            let mut sets = state.commands.iter();
            let set = sets.find(|(of, ..)| of["chat_id"].as_i64() == scope)?;
            Some(set.2.to_string())
        })
    };
    let (bens, everybodys) = (menu(Some(BEN)).await, menu(None).await);
    assert!(bens.contains("pause") && bens.contains("status"), "{bens}");
    assert!(
        !everybodys.contains("pause") && everybodys.contains("status"),
        "{everybodys}"
    );
    office.close().await;
}
