//! The page's own endpoints: what it shows and what it can do.

use serde_json::{Value, json};

use crate::{ANN, SOON, TEAM, a_team, picture};

async fn state(url: &str, since: u64) -> Value {
    let answer = reqwest::get(format!("{url}/pretend/state?since={since}")).await;
    answer.expect("an answer").json().await.expect("JSON")
}

async fn post(url: String, body: Value) -> reqwest::Response {
    let request = reqwest::Client::new()
        .post(url)
        .header("content-type", "application/json");
    request
        .body(body.to_string())
        .send()
        .await
        .expect("an answer")
}

#[tokio::test]
async fn the_page_shows_the_chats_and_acts_in_them() {
    let (telegram, bot) = a_team().await;
    let page = telegram.page_url().to_owned();
    let html = reqwest::get(&page)
        .await
        .expect("an answer")
        .text()
        .await
        .expect("text");
    assert!(html.contains("</html>"));
    let keyboard = r#"{"inline_keyboard":[[{"text":"Posted","callback_data":"p"}]]}"#;
    bot.send_photo(TEAM, picture(9, 9), &[("reply_markup", keyboard)])
        .await;
    let shown = state(&page, 0).await;
    let chats = shown["chats"].as_array().expect("chats");
    let team = chats
        .iter()
        .find(|chat| chat["id"] == TEAM)
        .expect("the team's chat");
    assert_eq!(team["messages"][0]["keyboard"][0][0]["text"], "Posted");
    let file = team["messages"][0]["media"]["file"]
        .as_str()
        .expect("a file");
    let picture = reqwest::get(format!("{page}/pretend/file/{file}"))
        .await
        .expect("an answer");
    assert_eq!(picture.headers()["content-type"], "image/png");

    let version = shown["version"].as_u64().expect("a version");
    let (url, body) = (
        format!("{page}/pretend/say"),
        json!({ "person": ANN, "chat": TEAM, "text": "/status" }),
    );
    let (news, said) = tokio::join!(state(&page, version), post(url, body));
    assert_eq!(said.status(), 204);
    assert!(news["version"].as_u64() > Some(version));
    let press = json!({ "person": ANN, "chat": TEAM, "message": 1, "row": 0, "column": 0 });
    let pressed: Value = post(format!("{page}/pretend/press"), press)
        .await
        .json()
        .await
        .expect("JSON");
    assert!(pressed["query"].is_string());
    assert_eq!(telegram.updates_waiting(), 2);
}

#[tokio::test]
async fn the_switches_for_trouble_work() {
    let (telegram, bot) = a_team().await;
    let switch = async |kind: &str| {
        let answer = post(
            format!("{}/pretend/fault", telegram.page_url()),
            json!({ "kind": kind }),
        )
        .await;
        assert_eq!(answer.status(), 204, "{kind}");
    };
    switch("retry").await;
    assert!(bot.refused("getMe", json!({})).await.starts_with("429"));
    switch("lose").await;
    telegram.press_raw(ANN, TEAM, 1, "lost");
    assert_eq!(telegram.updates_waiting(), 0);
    switch("offline").await;
    assert!(bot.try_call("getMe", json!({})).await.is_err());
    switch("online").await;
    bot.ok("getMe", json!({})).await;
    switch("error").await;
    switch("clear").await;
    telegram
        .wait_for(|state| state.faults.is_empty().then_some(()), SOON)
        .await;
}
