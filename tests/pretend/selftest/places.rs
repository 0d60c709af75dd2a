//! Chats of every kind, and how people and the bot stand in them.

use std::time::Duration;

use serde_json::json;

use crate::pretend::telegram::{ANONYMOUS_ADMIN, Status};
use crate::{ANN, BEN, DESK, TEAM, ZED, a_team, picture};

#[tokio::test]
async fn channel_posts_carry_no_person() {
    let (telegram, bot) = a_team().await;
    let sent = bot
        .ok("sendMessage", json!({ "chat_id": DESK, "text": "x" }))
        .await;
    assert_eq!(
        (sent.get("from"), &sent["sender_chat"]["id"]),
        (None, &json!(DESK))
    );
    telegram.post_in_channel(DESK, "/pending");
    let updates = bot.updates(json!({})).await;
    assert_eq!(
        updates.len(),
        1,
        "the bot's own post is not told: {updates:?}"
    );
    assert_eq!(updates[0]["channel_post"].get("from"), None);
}

#[tokio::test]
async fn in_a_group_a_mere_member_hears_only_what_is_meant_for_it() {
    let (telegram, bot) = a_team().await;
    let card = bot.say(TEAM, "card").await;
    telegram.say(BEN, TEAM, "hello all");
    telegram.say(BEN, TEAM, "/status now");
    telegram.say(BEN, TEAM, "/status@other_bot");
    telegram.reply(BEN, TEAM, card, "posted");
    telegram.say_anonymously(TEAM, "/pause");
    let updates = bot.updates(json!({})).await;
    let texts: Vec<_> = updates
        .iter()
        .map(|update| update["message"]["text"].as_str())
        .collect();
    assert_eq!(texts, [Some("/status now"), Some("posted"), Some("/pause")]);
    assert_eq!(
        updates[0]["message"]["entities"],
        json!([{ "type": "bot_command", "offset": 0, "length": 7 }])
    );
    assert_eq!(updates[1]["message"]["reply_to_message"]["text"], "card");
    let anonymous = &updates[2]["message"];
    assert_eq!(
        (&anonymous["from"]["id"], &anonymous["sender_chat"]["id"]),
        (&json!(ANONYMOUS_ADMIN), &json!(TEAM))
    );
}

#[tokio::test]
async fn members_and_strangers_are_told_apart() {
    let (telegram, bot) = a_team().await;
    let status = async |chat: i64, person: i64| {
        let params = json!({ "chat_id": chat, "user_id": person });
        bot.ok("getChatMember", params).await["status"].clone()
    };
    assert_eq!(status(TEAM, ANN).await, "administrator");
    assert_eq!(status(TEAM, BEN).await, "member");
    assert_eq!(status(TEAM, ZED).await, "left");
    telegram.member(TEAM, BEN, Status::Kicked);
    assert_eq!(status(TEAM, BEN).await, "kicked");
    let unknown = bot
        .refused("getChatMember", json!({ "chat_id": TEAM, "user_id": 5 }))
        .await;
    assert_eq!(unknown, "400 Bad Request: user not found");
    let admins = bot
        .ok("getChatAdministrators", json!({ "chat_id": TEAM }))
        .await;
    assert_eq!(admins.as_array().expect("a list").len(), 1);
}

#[tokio::test]
async fn a_bot_that_is_out_is_told_so() {
    let (telegram, bot) = a_team().await;
    let send = async |chat: i64| {
        bot.refused("sendMessage", json!({ "chat_id": chat, "text": "x" }))
            .await
    };
    assert_eq!(send(-5).await, "400 Bad Request: chat not found");
    telegram.change_bot(TEAM, ANN, Status::Kicked);
    assert_eq!(
        send(TEAM).await,
        "403 Forbidden: bot was kicked from the supergroup chat"
    );
    telegram.bot_stands(DESK, Status::Left);
    assert_eq!(
        send(DESK).await,
        "403 Forbidden: bot is not a member of the channel chat"
    );
    telegram.bot_stands(ANN, Status::Kicked);
    assert_eq!(
        send(ANN).await,
        "403 Forbidden: bot was blocked by the user"
    );
    let told = &bot.updates(json!({})).await[0]["my_chat_member"];
    assert_eq!(
        (&told["new_chat_member"]["status"], &told["from"]["id"]),
        (&json!("kicked"), &json!(ANN))
    );
    telegram.bot_stands(TEAM, Status::Member);
    telegram.forbid_sending(TEAM, "photos");
    let answer = bot.send_photo(TEAM, picture(9, 9), &[]).await;
    assert_eq!(
        answer["description"],
        "Bad Request: not enough rights to send photos to the chat"
    );
}

#[tokio::test]
async fn a_forum_has_topics() {
    let (telegram, bot) = a_team().await;
    telegram.forum(-1005, "Forum", &[(7, "Stories")]);
    let send = |thread: i64| json!({ "chat_id": -1005, "message_thread_id": thread, "text": "x" });
    let sent = bot.ok("sendMessage", send(7)).await;
    assert_eq!(
        (&sent["message_thread_id"], &sent["is_topic_message"]),
        (&json!(7), &json!(true))
    );
    assert_eq!(sent["chat"]["is_forum"], true);
    assert_eq!(
        bot.refused("sendMessage", send(8)).await,
        "400 Bad Request: message thread not found"
    );
    telegram.reply(ANN, -1005, 1, "posted");
    assert_eq!(
        bot.updates(json!({})).await[0]["message"]["message_thread_id"],
        7
    );
}

#[tokio::test]
async fn a_group_that_grew_says_where_it_went() {
    let (telegram, bot) = a_team().await;
    telegram.group(-77, "Small");
    telegram.member(-77, ANN, Status::Creator);
    telegram.upgrade_to_supergroup(-77, -10_077);
    let answer = bot
        .call("sendMessage", json!({ "chat_id": -77, "text": "x" }))
        .await;
    assert_eq!(
        answer["description"],
        "Bad Request: group chat was upgraded to a supergroup chat"
    );
    assert_eq!(answer["parameters"]["migrate_to_chat_id"], -10_077);
    bot.say(-10_077, "here").await;
    let updates = bot.updates(json!({})).await;
    assert_eq!(updates[0]["message"]["migrate_to_chat_id"], -10_077);
    assert_eq!(updates[1]["message"]["migrate_from_chat_id"], -77);
}

#[tokio::test]
async fn the_strict_pace_is_one_a_second_and_twenty_a_minute() {
    let (telegram, bot) = a_team().await;
    telegram.keep_strict_pace(true);
    bot.say(TEAM, "0").await;
    let hasty = bot
        .call("sendMessage", json!({ "chat_id": TEAM, "text": "hasty" }))
        .await;
    assert_eq!(
        (&hasty["error_code"], &hasty["parameters"]["retry_after"]),
        (&json!(429), &json!(1))
    );
    for number in 1..20 {
        telegram.advance(Duration::from_secs(1));
        bot.say(TEAM, &number.to_string()).await;
    }
    telegram.advance(Duration::from_secs(1));
    let many = bot
        .call("sendMessage", json!({ "chat_id": TEAM, "text": "many" }))
        .await;
    let wait = many["parameters"]["retry_after"].as_u64().expect("a wait");
    assert!((35..=41).contains(&wait), "{many}");
    telegram.advance(Duration::from_secs(wait));
    bot.say(TEAM, "at last").await;
}

#[tokio::test]
async fn commands_are_kept_by_scope() {
    let (_telegram, bot) = a_team().await;
    let commands = json!([{ "command": "status", "description": "How it stands" }]);
    let scope = json!({ "type": "all_private_chats" });
    bot.ok(
        "setMyCommands",
        json!({ "commands": commands, "scope": scope }),
    )
    .await;
    assert_eq!(
        bot.ok("getMyCommands", json!({ "scope": scope })).await,
        commands
    );
    assert_eq!(bot.ok("getMyCommands", json!({})).await, json!([]));
    let shouted = json!({ "commands": [{ "command": "Status", "description": "x" }] });
    assert_eq!(
        bot.refused("setMyCommands", shouted).await,
        "400 Bad Request: BOT_COMMAND_INVALID"
    );
}
