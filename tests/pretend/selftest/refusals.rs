//! What is refused is refused in the server's own words.

use serde_json::{Value, json};

use crate::{Client, TEAM, a_team, picture};

async fn html(bot: &Client, text: &str) -> String {
    let params = json!({ "chat_id": TEAM, "text": text, "parse_mode": "HTML" });
    bot.refused("sendMessage", params).await
}

async fn button(bot: &Client, button: Value) -> String {
    let markup = json!({ "inline_keyboard": [[button]] });
    let params = json!({ "chat_id": TEAM, "text": "x", "reply_markup": markup });
    bot.refused("sendMessage", params).await
}

#[tokio::test]
async fn broken_html_is_refused() {
    let (telegram, bot) = a_team().await;
    let refused = "400 Bad Request: can't parse entities: ";
    for (text, why) in [
        ("a <br> b", "Unsupported start tag \"br\" at byte offset 2"),
        (
            "<b>bold",
            "Can't find end tag corresponding to start tag \"b\"",
        ),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        (
            "<b><i>x</b></i>",
            "Unmatched end tag at byte offset 7, expected \"</i>\", found \"</b>\"",
        ),
        ("1 < 2", "Unsupported start tag \"\" at byte offset 2"),
        ("1 <2", "Unclosed start tag at byte offset 2"),
    ] {
        assert_eq!(html(&bot, text).await, format!("{refused}{why}"), "{text}");
    }
    assert_eq!(
        html(&bot, " \n<b> </b>").await,
        "400 Bad Request: message text is empty"
    );
    assert_eq!(telegram.unexpected_calls().len(), 7);
    assert!(telegram.messages(TEAM).is_empty());
}

#[tokio::test]
async fn html_is_counted_after_parsing_and_in_utf16() {
    let (telegram, bot) = a_team().await;
    let send = |text: String| json!({ "chat_id": TEAM, "text": text, "parse_mode": "HTML" });
    bot.ok(
        "sendMessage",
        send(format!("<b>{}</b>", "&amp;".repeat(4096))),
    )
    .await;
    bot.ok("sendMessage", send("😀".repeat(2048))).await;
    assert_eq!(
        bot.refused("sendMessage", send("😀".repeat(2049))).await,
        "400 Bad Request: message is too long"
    );
    let caption = "x".repeat(1025);
    let answer = bot
        .send_photo(TEAM, picture(9, 9), &[("caption", &caption)])
        .await;
    assert_eq!(
        answer["description"],
        "Bad Request: message caption is too long"
    );
    let mixed = "😀<s>a</s> <pre><code class=\"language-rust\">let</code></pre><blockquote expandable>&#x41;&lt;</blockquote> &nbsp;";
    bot.ok("sendMessage", send(mixed.to_owned())).await;
    let shown = telegram.message(TEAM, 3).expect("the third message");
    assert_eq!(shown.text, "😀a letA< &nbsp;");
    let seen: Vec<_> = shown
        .entities
        .iter()
        .map(|e| (e.kind.as_str(), e.offset, e.length))
        .collect();
    assert_eq!(
        seen,
        [
            ("strikethrough", 2, 1),
            ("pre", 4, 3),
            ("expandable_blockquote", 7, 2)
        ]
    );
    assert_eq!(shown.entities[1].language.as_deref(), Some("rust"));
}

#[tokio::test]
async fn a_button_has_one_action_within_its_limits() {
    let (_telegram, bot) = a_team().await;
    let data = |data: String| json!({ "text": "x", "callback_data": data });
    assert_eq!(
        button(&bot, data("é".repeat(33))).await,
        "400 Bad Request: BUTTON_DATA_INVALID"
    );
    assert_eq!(
        button(&bot, data(String::new())).await,
        "400 Bad Request: BUTTON_DATA_INVALID"
    );
    let url = json!({ "text": "x", "url": "instagram://story-camera" });
    assert_eq!(
        button(&bot, url).await,
        "400 Bad Request: BUTTON_URL_INVALID"
    );
    let copy = json!({ "text": "x", "copy_text": { "text": "y".repeat(257) } });
    assert_eq!(
        button(&bot, copy).await,
        "400 Bad Request: BUTTON_COPY_TEXT_INVALID"
    );
    for none_or_two in [
        json!({ "text": "x" }),
        json!({ "text": "x", "url": "https://x.example", "callback_data": "y" }),
    ] {
        let refused = button(&bot, none_or_two).await;
        assert!(
            refused.ends_with("a button must have exactly one action"),
            "{refused}"
        );
    }
    let style = json!({ "text": "x", "callback_data": "y", "style": "loud" });
    assert_eq!(
        button(&bot, style).await,
        "400 Bad Request: invalid button style specified"
    );
}

#[tokio::test]
async fn pictures_out_of_bounds_are_refused() {
    let (_telegram, bot) = a_team().await;
    let refused = async |bytes: Vec<u8>| {
        let answer = bot.send_photo(TEAM, bytes, &[]).await;
        format!(
            "{} {}",
            answer["error_code"],
            answer["description"].as_str().unwrap_or_default()
        )
    };
    assert_eq!(
        refused(b"not a picture".to_vec()).await,
        "400 Bad Request: IMAGE_PROCESS_FAILED"
    );
    assert_eq!(
        refused(picture(5, 101)).await,
        "400 Bad Request: PHOTO_INVALID_DIMENSIONS"
    );
    assert_eq!(
        refused(picture(5000, 5001)).await,
        "400 Bad Request: PHOTO_INVALID_DIMENSIONS"
    );
    let mut heavy = picture(9, 9);
    heavy.resize((10 << 20) + 1, 0);
    assert!(refused(heavy).await.contains("too big for a photo"));
    let mut huge = picture(9, 9);
    huge.resize((50 << 20) + 1, 0);
    assert_eq!(refused(huge).await, "413 Request Entity Too Large");
}

#[tokio::test]
async fn wrong_tokens_and_methods_are_refused_and_noted() {
    let (telegram, bot) = a_team().await;
    let stranger = Client {
        base: format!("{}/bot1:wrong", telegram.url()),
        ..bot.clone()
    };
    let answer = stranger.call("getMe", json!({})).await;
    assert_eq!(
        answer,
        json!({ "ok": false, "error_code": 401, "description": "Unauthorized" })
    );
    assert_eq!(
        bot.refused("sendHug", json!({})).await,
        "404 Not Found: method not found"
    );
    assert_eq!(telegram.unexpected_calls().len(), 2);
}

#[tokio::test]
async fn files_over_twenty_megabytes_cannot_be_fetched() {
    let (telegram, bot) = a_team().await;
    telegram.send_file(
        crate::ANN,
        crate::ANN,
        crate::pretend::telegram::MediaKind::Document,
        "raw.png",
        vec![7; (20 << 20) + 1],
        "",
    );
    let update = &bot.updates(json!({})).await[0];
    assert_eq!(update["message"]["document"]["file_name"], "raw.png");
    let id = &update["message"]["document"]["file_id"];
    assert_eq!(
        bot.refused("getFile", json!({ "file_id": id })).await,
        "400 Bad Request: file is too big"
    );
}
