//! Trouble on request does what it says, to whom it says, as often as it says.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::pretend::telegram::Fault;
use crate::{Client, DESK, TEAM, a_team};

/// Sends one message; returns the error, or the status and body.
async fn send(bot: &Client) -> Result<(u16, String), reqwest::Error> {
    let request = json!({ "chat_id": TEAM, "text": "x" });
    let answer = tokio::time::timeout(
        Duration::from_millis(700),
        bot.try_call("sendMessage", request),
    )
    .await;
    let Ok(answer) = answer else {
        return Ok((0, "no answer".into()));
    };
    let answer = answer?;
    Ok((answer.status().as_u16(), answer.text().await?))
}

#[tokio::test]
async fn each_fault_has_its_face_and_its_effect() {
    let (telegram, bot) = a_team().await;
    let html = "<h1>Bad Gateway</h1>".to_owned();
    let mut sent = 0;
    for (fault, face, has_effect) in [
        (Fault::TimeoutAfterAccepting, "no answer", true),
        (Fault::DropAfterAccepting, "error", true),
        (Fault::DropBefore, "error", false),
        (Fault::RetryAfter(7), "\"retry_after\":7", false),
        (Fault::ServerError(502, html.clone()), "<h1>Bad", false),
        (Fault::ServerErrorAfterAccepting(500, html), "<h1>Bad", true),
        (Fault::Conflict, "409", false),
        (Fault::Unauthorized, "401", false),
        (
            Fault::Kicked,
            "bot was kicked from the supergroup chat",
            false,
        ),
        (Fault::HalfAnswer, "{\"ok\":true", true),
        (Fault::CutAnswer, "error", true),
        (
            Fault::Slow(Duration::from_millis(300)),
            "\"message_id\"",
            true,
        ),
    ] {
        telegram.inject(fault.clone().on("SendMessage").in_chat(TEAM));
        bot.say(DESK, "another chat is spared").await;
        let started = Instant::now();
        let answer = match send(&bot).await {
            Ok((_, body)) => body,
            Err(_) => "error".to_owned(),
        };
        assert!(answer.contains(face), "{fault}: {answer}");
        sent += usize::from(has_effect);
        assert_eq!(telegram.messages(TEAM).len(), sent, "{fault}");
        assert!(telegram.faults_left().is_empty());
        if matches!(fault, Fault::Slow(_)) {
            assert!(started.elapsed() >= Duration::from_millis(300));
        }
        if fault == Fault::HalfAnswer {
            assert!(serde_json::from_str::<serde_json::Value>(&answer).is_err());
        }
    }
    assert_eq!(send(&bot).await.expect("an answer").0, 200);
    telegram.assert_no_unexpected_calls();
}

#[tokio::test]
async fn a_fault_lasts_as_often_as_told() {
    let (telegram, bot) = a_team().await;
    telegram.inject(Fault::RetryAfter(1).on("sendMessage").times(2));
    for expected in [429, 429, 200] {
        assert_eq!(send(&bot).await.expect("an answer").0, expected);
    }
    let outcomes: Vec<_> = telegram
        .calls()
        .into_iter()
        .map(|call| call.outcome)
        .collect();
    assert_eq!(outcomes, ["429 retry after 1", "429 retry after 1", "ok"]);
}

#[tokio::test]
async fn offline_refuses_connections_and_comes_back_on_the_same_port() {
    let (telegram, bot) = a_team().await;
    let other = bot.clone();
    let poll =
        tokio::spawn(async move { other.try_call("getUpdates", json!({ "timeout": 30 })).await });
    telegram
        .wait_for(
            |state| (state.updates.poll == 1).then_some(()),
            Duration::from_secs(5),
        )
        .await;
    telegram.go_offline().await;
    assert!(
        poll.await.expect("the poll").is_err(),
        "an open poll breaks"
    );
    let error = send(&bot).await.expect_err("nobody listens");
    assert!(error.is_connect(), "{error:?}");
    let page = reqwest::get(telegram.page_url())
        .await
        .expect("the page stays");
    assert_eq!(page.status(), 200);
    telegram.come_back().await;
    assert_eq!(send(&bot).await.expect("an answer").0, 200);
}

#[tokio::test]
async fn a_missed_deadline_shows_the_chat() {
    let (telegram, bot) = a_team().await;
    bot.ask(TEAM, "Story #47", &[("Posted", "p")]).await;
    let waiting = tokio::spawn(async move {
        let never = |_: &crate::pretend::telegram::State| None::<()>;
        telegram.wait_for(never, Duration::from_millis(20)).await;
    });
    let panic = waiting.await.expect_err("it must give up").into_panic();
    let words = panic.downcast_ref::<String>().expect("words");
    assert!(
        words.contains("Story #47") && words.contains("[Posted]") && words.contains("faults.rs"),
        "{words}"
    );
}
