//! A box that the internet reaches: Telegram calls it with what people do.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;
use storyline::domain::outcome::Outcome;
use tokio::io::AsyncWriteExt;

use crate::harness::{ANN, BEN, Office, Plan, TEAM, WEBHOOK_PATH, WEBHOOK_SECRET};
use crate::pretend::telegram::Fault;

const SECRET_HEADER: &str = "X-Telegram-Bot-Api-Secret-Token";

async fn an_office_that_is_called() -> Office {
    Office::open_with(Plan {
        webhook: true,
        ..Plan::default()
    })
    .await
}

/// It is nine, and the first story stands in the chat; returns the number of its message.
async fn a_story(office: &Office) -> i64 {
    office.drop_picture("memes/a.jpg");
    office.wait_until_planned(1).await;
    office.it_is("09:00");
    office.story(1).await.id
}

/// Calls the box as somebody may who knows its address; returns what it answers.
async fn call(office: &Office, secret: Option<&str>, body: impl Into<reqwest::Body>) -> u16 {
    let url = office.config.telegram.webhook_url.clone().unwrap();
    let mut request = reqwest::Client::new().post(url).body(body);
    if let Some(secret) = secret {
        request = request.header(SECRET_HEADER, secret);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    assert_eq!(answer.text().await.unwrap(), "", "an answer tells nothing");
    status
}

/// A press as Telegram would call it in.
fn press_of(office: &Office, person: i64, message: i64, update: u32) -> String {
    let story = office.telegram.message(TEAM, message).unwrap();
    let button = story.button("Posted").unwrap();
    let crate::pretend::telegram::Action::Callback(data) = &button.action else {
        panic!("Posted tells the bot");
    };
    let person = json!({ "id": person, "is_bot": false, "first_name": "Ann" });
    let chat = json!({ "id": TEAM, "type": "supergroup", "title": "Team stories" });
    let message =
        json!({ "message_id": message, "date": 1_798_000_000, "chat": chat, "text": "x" });
    json!({
        "update_id": update,
        "callback_query": {
            "id": "1", "from": person, "message": message, "chat_instance": "1", "data": data,
        },
    })
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_becomes_history_when_telegram_calls_the_box() {
    let office = an_office_that_is_called().await;
    let story = a_story(&office).await;
    office.it_is("09:02");
    office.telegram.press(ANN, TEAM, story, "Posted");
    office.see_answer("Noted as posted").await;
    let done = office
        .see_text(story, "Posted by Ann at 09:02 (2 min)")
        .await;
    assert_eq!(done.labels(), [["↩ Undo"]]);
    let history = office.wait_for_history(1).await;
    assert_eq!(history[0].outcome, Outcome::Posted);
    assert_eq!(history[0].person_name.as_deref(), Some("Ann"));

    // Commands come the same way.
    office.telegram.say(BEN, TEAM, "/queue");
    office.see_said(TEAM, "The queue is empty").await;

    let set = &office.telegram.calls_of("setWebhook")[0].params;
    assert_eq!(set["secret_token"], WEBHOOK_SECRET);
    assert_eq!(
        set["allowed_updates"],
        json!([
            "message",
            "channel_post",
            "callback_query",
            "my_chat_member",
            "chat_member"
        ])
    );
    assert_eq!(office.telegram.calls_of("getUpdates").len(), 0);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_know_the_secret_is_not_heard() {
    let office = an_office_that_is_called().await;
    let story = a_story(&office).await;
    let forged = press_of(&office, ANN, story, 1);
    let longer = format!("{WEBHOOK_SECRET}x");
    let shorter = &WEBHOOK_SECRET[1..];
    for secret in [None, Some(""), Some("wrong"), Some(&*longer), Some(shorter)] {
        assert_eq!(call(&office, secret, forged.clone()).await, 401);
    }
    assert!(office.history().await.is_empty());
    assert!(office.flow().people().await.unwrap().is_empty());
    // With the secret, the very same press counts.
    let forged = call(&office, Some(WEBHOOK_SECRET), forged).await;
    assert_eq!(forged, 200);
    assert_eq!(
        office.history().await.len(),
        1,
        "it was committed before the answer"
    );
    office.see_text(story, "Posted by Ann").await;
    office.stop_only().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_call_of_telegrams_is_refused_and_harms_nothing() {
    let office = an_office_that_is_called().await;
    let story = a_story(&office).await;
    let known = Some(WEBHOOK_SECRET);
    let large = "x".repeat((1 << 20) + 1);
    assert_eq!(call(&office, known, large.clone()).await, 413);
    assert_eq!(
        call(&office, None, large).await,
        401,
        "who is unknown is not listened to"
    );
    for garbage in ["", "{", "[]", "null", "{\"update_id\":\"x\"}", "\u{fffd}\0"] {
        assert_eq!(call(&office, known, garbage).await, 400, "{garbage}");
    }
    // Of a kind that is not known yet: taken, and passed over.
    assert_eq!(
        call(&office, known, r#"{"update_id":7,"novelty":{"a":1}}"#).await,
        200
    );
    // That costs no write: it is taken while the database cannot be written.
    let other = rusqlite::Connection::open(office.database()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let again = call(&office, known, r#"{"update_id":8,"novelty":{"a":1}}"#).await;
    assert_eq!(again, 200);
    other.execute_batch("ROLLBACK").unwrap();

    let url = office.config.telegram.webhook_url.clone().unwrap();
    let client = reqwest::Client::new();
    let got = client
        .get(url.clone())
        .header(SECRET_HEADER, WEBHOOK_SECRET);
    assert_eq!(got.send().await.unwrap().status(), 405);
    for path in ["/", "/telegram", "/telegram/calls/more"] {
        let elsewhere = client.post(url.join(path).unwrap());
        let answer = elsewhere.header(SECRET_HEADER, WEBHOOK_SECRET).send().await;
        assert_eq!(answer.unwrap().status(), 404, "{path}");
    }

    office.telegram.press(BEN, TEAM, story, "Skip");
    office.see_text(story, "Skipped by Ben").await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_that_is_called_in_again_takes_effect_once() {
    let office = an_office_that_is_called().await;
    let story = a_story(&office).await;
    office.telegram.lose_webhook_answers(3);
    office.telegram.press(ANN, TEAM, story, "Posted");
    office.see_text(story, "Posted by Ann").await;
    office
        .see(|state| (state.webhook_answers_to_lose == 0).then_some(()))
        .await;
    office
        .wait_until("all calls are answered", || async {
            office.telegram.updates_waiting() == 0
        })
        .await;
    assert_eq!(office.history().await.len(), 1);
    let ann = &office.flow().people().await.unwrap()[0];
    assert_eq!(ann.tally.posted, 1);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_box_that_was_off_is_called_afterwards() {
    let mut office = an_office_that_is_called().await;
    let story = a_story(&office).await;
    office.stop().await;
    office.telegram.press(BEN, TEAM, story, "Posted");
    let why = office
        .see(|state| state.webhook.as_ref()?.last_error.clone())
        .await
        .1;
    assert_eq!(why, "Connection refused");
    office.start().await;
    office.see_text(story, "Posted by Ben").await;
    let again = office.telegram.message(TEAM, story).unwrap();
    assert!(!again.text.contains("away"), "{}", again.text);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_box_that_was_off_for_long_says_that_presses_may_be_lost() {
    let mut office = an_office_that_is_called().await;
    let story = a_story(&office).await;
    office.stop().await;
    office.telegram.press(BEN, TEAM, story, "Posted");
    office.it_is("09:03");
    office.start().await;
    office.see_text(story, "away").await;
    assert!(office.history().await.is_empty(), "Telegram had dropped it");
    office.telegram.press(BEN, TEAM, story, "Posted");
    office.see_text(story, "Posted by Ben").await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_cannot_be_kept_lose_no_call() {
    let office = an_office_that_is_called().await;
    let story = a_story(&office).await;
    let rival = rusqlite::Connection::open(office.database()).unwrap();
    rival.execute_batch("BEGIN IMMEDIATE").unwrap();
    office.telegram.press(BEN, TEAM, story, "Posted");
    // It is refused, not taken for good.
    office
        .see(|state| state.webhook.as_ref()?.last_error.clone())
        .await;
    assert_eq!(office.telegram.updates_waiting(), 1);
    rival.execute_batch("ROLLBACK").unwrap();
    office.nudge();
    office.see_text(story, "Posted by Ben").await;
    assert_eq!(office.wait_for_history(1).await.len(), 1);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_box_that_is_not_called_any_more_asks_for_itself() {
    let mut office = an_office_that_is_called().await;
    let story = a_story(&office).await;
    office.stop().await;
    office.config.telegram.webhook_url = None;
    office.telegram.press(ANN, TEAM, story, "Skip");
    office.start().await;
    office.see_text(story, "Skipped by Ann").await;
    assert_eq!(office.telegram.calls_of("deleteWebhook").len(), 1);
    office.stop().await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_telegram_refuses_is_told_with_its_reason() {
    let mut office = Office::furnish(Plan {
        webhook: true,
        ..Plan::default()
    })
    .await;
    let refusal = r#"{"ok":false,"error_code":400,"description":"Bad Request: bad webhook: Failed to resolve host: Name or service not known"}"#;
    office.telegram.inject(
        Fault::ServerError(400, refusal.into())
            .on("setWebhook")
            .times(100),
    );
    office.start().await;
    let told = office.see_said(ANN, "Failed to resolve host").await;
    assert!(
        told.text.contains("[telegram] webhook_url"),
        "{}",
        told.text
    );
    office.stop_only().await;
}

#[tokio::test]
async fn an_address_that_leads_nowhere_is_told_and_when_it_is_mended_nothing_is_lost_in_silence() {
    let office = an_office_that_is_called().await;
    let story = a_story(&office).await;
    office.telegram.lead_webhook_astray(true);
    office.telegram.press(BEN, TEAM, story, "Posted");
    office
        .see(|state| state.webhook.as_ref()?.last_error.clone())
        .await;
    office
        .pass_until("the owner is told", || {
            office.times_said(ANN, "1 waiting: Connection refused") > 0
        })
        .await;
    let told = office.see_said(ANN, "1 waiting: Connection refused").await;
    assert!(told.text.contains("webhook_url"), "{}", told.text);
    office.telegram.lead_webhook_astray(false);
    // Other presses may have been dropped meanwhile, so the buttons are offered again; this one was not.
    office.see_text(story, "Posted by Ben").await;
    office
        .see_said(ANN, "Over: Telegram cannot deliver what people do")
        .await;
    office.close().await;
}

#[tokio::test]
async fn a_call_whose_body_never_comes_is_not_waited_for() {
    let office = an_office_that_is_called().await;
    let listen = office.config.telegram.webhook_listen;
    office.see(|state| state.webhook.as_ref().map(drop)).await;
    let mut caller = tokio::net::TcpStream::connect(listen).await.unwrap();
    let head = format!(
        "POST {WEBHOOK_PATH} HTTP/1.1\r\nHost: x\r\n{SECRET_HEADER}: {WEBHOOK_SECRET}\r\nContent-Length: 9\r\n\r\n{{"
    );
    caller.write_all(head.as_bytes()).await.unwrap();
    office
        .pass_until("it is answered", || {
            let mut answer = [0; 12];
            let answered = caller.try_read(&mut answer).is_ok();
            assert!(!answered || &answer == b"HTTP/1.1 408", "{answer:?}");
            answered
        })
        .await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_telegram_that_hangs_does_not_keep_the_box_from_stopping() {
    let mut office = an_office_that_is_called().await;
    office.see(|state| state.webhook.as_ref().map(drop)).await;
    office
        .telegram
        .inject(Fault::TimeoutAfterAccepting.on("getWebhookInfo").times(100));
    let began = std::time::Instant::now();
    office.stop().await;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(3), "it took {took:?}");
    office.close().await;
}

#[tokio::test]
async fn a_quiet_time_is_no_absence() {
    let office = an_office_that_is_called().await;
    let story = a_story(&office).await;
    let looks = || office.telegram.calls_of("getWebhookInfo").len();
    let (began, before) = (tokio::time::Instant::now(), looks());
    office
        .pass_until("Telegram is asked", || looks() >= before + 4)
        .await;
    let took = began.elapsed();
    assert!(took > Duration::from_secs(300), "four times in {took:?}");
    office.telegram.press(BEN, TEAM, story, "Skip");
    office.see_text(story, "Skipped by Ben").await;
    let edits = office.telegram.calls_of("editMessageCaption");
    let away = edits
        .iter()
        .any(|call| call.params.to_string().contains("away"));
    assert!(!away, "{edits:#?}");
    office.close().await;
}

#[tokio::test]
async fn whoever_takes_the_webhook_off_again_and_again_is_told_of() {
    let office = an_office_that_is_called().await;
    office.see(|state| state.webhook.as_ref().map(drop)).await;
    for _ in 0..3 {
        let set = || office.telegram.calls_of("setWebhook").len();
        let before = set();
        office.telegram.take_webhook_off();
        office
            .pass_until("it is set again", || set() > before)
            .await;
        office.see(|state| state.webhook.as_ref().map(drop)).await;
    }
    office
        .see_said(ANN, "Another program takes Telegram's updates away")
        .await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_told_and_the_box_stays_up() {
    let mut office = Office::furnish(Plan {
        webhook: true,
        ..Plan::default()
    })
    .await;
    let taken = std::net::TcpListener::bind(office.config.telegram.webhook_listen).unwrap();
    office.start().await;
    let told = office.see_said(ANN, "calls cannot be taken at").await;
    assert!(told.text.contains("webhook_listen"), "{}", told.text);
    office.drop_picture("memes/a.jpg");
    office.wait_until_ready(1).await;
    drop(taken);
    office.stop_only().await;
}

/// The real program, with everything told that it can tell.
#[tokio::test(flavor = "multi_thread")]
async fn no_log_and_no_command_tells_the_secret() {
    let office = Office::furnish(Plan {
        webhook: true,
        ..Plan::default()
    })
    .await;
    let storyline = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_storyline"));
        command.arg("--config").arg(&office.file);
        command
            .env_remove("NOTIFY_SOCKET")
            .env_remove("JOURNAL_STREAM");
        command.stdin(Stdio::null());
        command
    };
    for words in [
        &["config", "show"][..],
        &["config", "show", "--json"],
        &["config", "check"],
    ] {
        let output = storyline().args(words).output().unwrap();
        let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{told}");
        assert!(!told.contains(WEBHOOK_SECRET), "{told}");
    }

    let log = office.file.with_extension("log");
    let mut daemon = storyline()
        .arg("serve")
        .env("STORYLINE_LOG_LEVEL", "trace")
        .env("STORYLINE_LOG_FORMAT", "json")
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    office
        .see(|state| state.webhook.is_some().then_some(()))
        .await;
    office.telegram.say(ANN, ANN, "/help");
    office.see_said(ANN, "/queue").await;
    assert_eq!(call(&office, Some("wrong"), "{}").await, 401);
    assert_eq!(call(&office, Some(WEBHOOK_SECRET), "{").await, 400);
    let ended = Command::new("kill").arg(daemon.id().to_string()).status();
    assert!(ended.unwrap().success());
    assert!(daemon.wait().unwrap().success());
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("Telegram calls"), "{log}");
    assert!(log.contains("a call held no update"), "{log}");
    for secret in [WEBHOOK_SECRET, office.telegram.token()] {
        assert!(!log.contains(secret), "{log}");
    }
    office.close().await;
}
