//! The long poll: numbered, repeated until confirmed, dropped when stale, one poller at a time.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{ANN, SOON, TEAM, a_team};

fn numbers(updates: &[Value]) -> Vec<i64> {
    updates
        .iter()
        .filter_map(|update| update["update_id"].as_i64())
        .collect()
}

#[tokio::test]
async fn updates_come_again_until_confirmed() {
    let (telegram, bot) = a_team().await;
    for text in ["one", "two", "three"] {
        telegram.say(ANN, ANN, text);
    }
    let first = numbers(&bot.updates(json!({ "limit": 2 })).await);
    assert_eq!(first[1], first[0] + 1);
    assert_eq!(numbers(&bot.updates(json!({ "limit": 2 })).await), first);
    let rest = bot.updates(json!({ "offset": first[1] + 1 })).await;
    assert_eq!(rest[0]["message"]["text"], "three");
    telegram.say(ANN, ANN, "four");
    telegram.say(ANN, ANN, "five");
    let last = bot.updates(json!({ "offset": -1 })).await;
    assert_eq!(
        (last.len(), &last[0]["message"]["text"]),
        (1, &json!("five"))
    );
    assert_eq!(telegram.updates_waiting(), 1);
    telegram.renumber_updates(3);
    telegram.say(ANN, ANN, "after a quiet week");
    assert_eq!(numbers(&bot.updates(json!({ "offset": 0 })).await)[1], 3);
}

#[tokio::test]
async fn a_poll_waits_and_wakes_at_once() {
    let (telegram, bot) = a_team().await;
    let started = Instant::now();
    assert!(bot.updates(json!({ "timeout": 1 })).await.is_empty());
    assert!(started.elapsed() >= Duration::from_millis(950));
    let poll = tokio::spawn(async move { bot.updates(json!({ "timeout": 500 })).await });
    telegram
        .wait_for(|state| (state.updates.poll == 2).then_some(()), SOON)
        .await;
    let said = Instant::now();
    telegram.say(ANN, ANN, "hello");
    assert_eq!(poll.await.expect("the poll").len(), 1);
    assert!(said.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn the_older_of_two_pollers_is_sent_away() {
    let (telegram, bot) = a_team().await;
    let other = bot.clone();
    let old =
        tokio::spawn(async move { other.refused("getUpdates", json!({ "timeout": 30 })).await });
    telegram
        .wait_for(|state| (state.updates.poll == 1).then_some(()), SOON)
        .await;
    bot.updates(json!({})).await;
    let conflict = old.await.expect("the older poll");
    assert_eq!(
        conflict,
        "409 Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
    );
}

#[tokio::test]
async fn the_kinds_asked_for_are_remembered() {
    let (telegram, bot) = a_team().await;
    bot.updates(json!({ "allowed_updates": ["callback_query"] }))
        .await;
    telegram.say(ANN, ANN, "unheard");
    let id = bot.ask(TEAM, "?", &[("Posted", "p")]).await;
    telegram.press(ANN, TEAM, id, "p");
    let updates = bot.updates(json!({})).await;
    assert_eq!(updates.len(), 1);
    assert!(updates[0].get("callback_query").is_some());
    bot.updates(json!({ "allowed_updates": [] })).await;
    telegram.say(ANN, ANN, "heard");
    assert_eq!(bot.updates(json!({})).await.len(), 2);
}

#[tokio::test]
async fn presses_are_lost_after_150_seconds_and_messages_after_a_day() {
    let (telegram, bot) = a_team().await;
    let id = bot.ask(TEAM, "?", &[("Posted", "p")]).await;
    telegram.press(ANN, TEAM, id, "p");
    telegram.say(ANN, ANN, "hello");
    telegram.advance(Duration::from_secs(149));
    assert_eq!(telegram.updates_waiting(), 2);
    telegram.advance(Duration::from_secs(1));
    assert_eq!(bot.updates(json!({})).await.len(), 1);
    telegram.advance(Duration::from_secs(86_400));
    assert_eq!(bot.updates(json!({})).await.len(), 0);
    telegram.lose_presses(1);
    telegram.press(ANN, TEAM, id, "p");
    telegram.press(ANN, TEAM, id, "p");
    let hooks = bot.ok("getWebhookInfo", json!({})).await;
    assert_eq!(hooks["pending_update_count"], 1);
    bot.ok("deleteWebhook", json!({ "drop_pending_updates": true }))
        .await;
    assert_eq!(telegram.updates_waiting(), 0);
}
