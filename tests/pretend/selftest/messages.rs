//! Messages go out, are shown, edited, answered and taken away.

use serde_json::json;

use crate::pretend::telegram::{Action, Fault, MediaKind, Pressed};
use crate::{ANN, BEN, DESK, SOON, TEAM, a_team, picture};

#[tokio::test]
async fn a_photo_arrives_as_uploaded_in_several_sizes() {
    let (telegram, bot) = a_team().await;
    let bytes = picture(1080, 1920);
    let keyboard =
        r#"{"inline_keyboard":[[{"text":"✅ Posted","callback_data":"p1:x","style":"success"}]]}"#;
    let fields = [
        (
            "caption",
            "<b>Summer</b> &amp; <a href=\"https://x.example/\">tee</a> ",
        ),
        ("parse_mode", "HTML"),
        ("reply_markup", keyboard),
    ];
    let answer = bot.send_photo(TEAM, bytes.clone(), &fields).await;
    let photo = &answer["result"]["photo"];
    let sides: Vec<_> = photo
        .as_array()
        .expect("sizes")
        .iter()
        .map(|size| (&size["width"], &size["height"]))
        .collect();
    assert_eq!(sides.len(), 4, "{answer}");
    assert_eq!(sides[3], (&json!(720), &json!(1280)));
    assert_eq!(answer["result"]["caption"], "Summer & tee");
    assert_eq!(
        answer["result"]["caption_entities"],
        json!([
            { "type": "bold", "offset": 0, "length": 6 },
            { "type": "text_link", "offset": 9, "length": 3, "url": "https://x.example/" },
        ])
    );
    let shown = telegram.message(TEAM, 1).expect("message 1");
    assert_eq!(shown.media.as_ref().expect("a photo").bytes, bytes);
    assert_eq!(shown.labels(), [["✅ Posted"]]);
    assert_eq!(
        shown.button("Posted").expect("a button").action,
        Action::Callback("p1:x".into())
    );
    // The same file may be sent again by its id, and fetched.
    let id = photo[3]["file_id"].as_str().expect("a file id");
    let again = bot
        .ok("sendPhoto", json!({ "chat_id": TEAM, "photo": id }))
        .await;
    assert_eq!(
        again["photo"][3]["file_unique_id"],
        photo[3]["file_unique_id"]
    );
    let file = bot.ok("getFile", json!({ "file_id": id })).await;
    let path = file["file_path"].as_str().expect("a path");
    let url = format!("{}/file/bot{}/{path}", telegram.url(), telegram.token());
    let fetched = reqwest::get(url)
        .await
        .expect("an answer")
        .bytes()
        .await
        .expect("bytes");
    assert_eq!(fetched, bytes);
    let wrong_kind = bot
        .refused("sendDocument", json!({ "chat_id": TEAM, "document": id }))
        .await;
    assert_eq!(
        wrong_kind,
        "400 Bad Request: can't use file of type Photo as Document"
    );
    telegram.assert_no_unexpected_calls();
}

#[tokio::test]
async fn parameters_may_be_a_query_a_form_or_json() {
    let (telegram, bot) = a_team().await;
    let client = reqwest::Client::new();
    let got = client
        .get(format!("{}/sendmessage?chat_id={ANN}&text=one", bot.base))
        .send()
        .await;
    assert_eq!(got.expect("an answer").status(), 200);
    let form = client
        .post(format!("{}/SendMessage", bot.base))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!(
            "chat_id={ANN}&text=two+%26+three&reply_parameters=%7B%22message_id%22%3A1%7D"
        ));
    assert_eq!(form.send().await.expect("an answer").status(), 200);
    bot.say(ANN, "four").await;
    let texts: Vec<_> = telegram
        .messages(ANN)
        .into_iter()
        .map(|message| message.text)
        .collect();
    assert_eq!(texts, ["one", "two & three", "four"]);
    assert_eq!(
        telegram.message(ANN, 2).expect("message 2").reply_to,
        Some(1)
    );
    assert_eq!(
        telegram.calls()[1].params["reply_parameters"]["message_id"],
        1
    );
}

#[tokio::test]
async fn a_text_becomes_a_picture_and_stays_editable() {
    let (telegram, bot) = a_team().await;
    let id = bot.ask(TEAM, "Story due 14:00", &[("Wait", "w")]).await;
    let caption = json!({ "chat_id": TEAM, "message_id": id, "caption": "x" });
    let caption = bot.refused("editMessageCaption", caption).await;
    assert_eq!(
        caption,
        "400 Bad Request: there is no caption in the message to edit"
    );
    let media = json!({ "type": "photo", "media": "attach://f0", "caption": "<i>Tee</i>", "parse_mode": "HTML" });
    let form = reqwest::multipart::Form::new()
        .text("chat_id", TEAM.to_string())
        .text("message_id", id.to_string())
        .text("media", media.to_string())
        .part(
            "f0",
            reqwest::multipart::Part::bytes(picture(30, 40)).file_name("f0"),
        );
    let request = reqwest::Client::new()
        .post(format!("{}/editMessageMedia", bot.base))
        .multipart(form);
    assert_eq!(request.send().await.expect("an answer").status(), 200);
    let shown = telegram.message(TEAM, id).expect("the message");
    assert_eq!((shown.text.as_str(), shown.keyboard.len()), ("Tee", 0));
    assert_eq!(shown.media.expect("a photo").kind, MediaKind::Photo);

    let edit = json!({ "chat_id": TEAM, "message_id": id, "caption": "Posted by Ann" });
    bot.ok("editMessageCaption", edit.clone()).await;
    let again = bot.refused("editMessageCaption", edit).await;
    assert!(
        again
            .starts_with("400 Bad Request: message is not modified: specified new message content")
    );
    let text = bot
        .refused(
            "editMessageText",
            json!({ "chat_id": TEAM, "message_id": id, "text": "x" }),
        )
        .await;
    assert_eq!(
        text,
        "400 Bad Request: there is no text in the message to edit"
    );
    telegram.delete_message(TEAM, id);
    let gone = bot
        .refused(
            "editMessageReplyMarkup",
            json!({ "chat_id": TEAM, "message_id": id }),
        )
        .await;
    assert_eq!(gone, "400 Bad Request: message to edit not found");
}

#[tokio::test]
async fn an_album_is_one_message_a_picture() {
    let (telegram, bot) = a_team().await;
    let photo = bot.send_photo(TEAM, picture(9, 9), &[]).await;
    let id = &photo["result"]["photo"][0]["file_id"];
    let item = |caption: &str| json!({ "type": "photo", "media": id, "caption": caption });
    let album = json!({ "chat_id": TEAM, "media": [item("one"), item("two")] });
    let sent = bot.ok("sendMediaGroup", album).await;
    assert_eq!(sent[0]["media_group_id"], sent[1]["media_group_id"]);
    assert_eq!(telegram.messages(TEAM).len(), 3);
    let alone = json!({ "chat_id": TEAM, "media": [item("one")] });
    assert!(
        bot.refused("sendMediaGroup", alone)
            .await
            .starts_with("400")
    );
}

#[tokio::test]
async fn a_press_is_answered_once() {
    let (telegram, bot) = a_team().await;
    let id = bot
        .ask(TEAM, "Post it?", &[("Posted", "p"), ("Skip", "s")])
        .await;
    let Pressed::Query(query) = telegram.press(BEN, TEAM, id, "Posted") else {
        panic!("a callback button makes a query");
    };
    let update = &bot.updates(json!({})).await[0]["callback_query"];
    assert_eq!(
        (&update["id"], &update["data"]),
        (&json!(query), &json!("p"))
    );
    assert_eq!(
        (&update["from"]["id"], &update["message"]["message_id"]),
        (&json!(BEN), &json!(id))
    );
    let answer = json!({ "callback_query_id": query, "text": "Thank you", "show_alert": true });
    bot.ok("answerCallbackQuery", answer.clone()).await;
    let second = bot.refused("answerCallbackQuery", answer).await;
    assert_eq!(
        second,
        "400 Bad Request: query is too old and response timeout expired or query ID is invalid"
    );
    let answered = telegram
        .wait_for(|state| state.answers.first().cloned(), SOON)
        .await;
    assert_eq!(
        (answered.text.as_deref(), answered.show_alert),
        (Some("Thank you"), true)
    );

    telegram.forget_message(TEAM, id);
    telegram.press_raw(BEN, TEAM, id, "forged");
    let updates = bot.updates(json!({ "offset": -1 })).await;
    let message = &updates[0]["callback_query"]["message"];
    assert_eq!((&message["date"], message.get("text")), (&json!(0), None));
}

#[tokio::test]
#[should_panic(expected = "has no single button “Reject”")]
async fn a_person_cannot_press_what_is_not_there() {
    let (telegram, bot) = a_team().await;
    let id = bot.ask(TEAM, "Post it?", &[("Posted", "p")]).await;
    telegram.press(BEN, TEAM, id, "Reject");
}

#[tokio::test]
async fn copy_and_link_buttons_stay_on_the_phone() {
    let (telegram, bot) = a_team().await;
    let row = json!([
        { "text": "Copy", "copy_text": { "text": "https://x.example" } },
        { "text": "Open", "url": "https://www.instagram.com/" },
    ]);
    let params =
        json!({ "chat_id": TEAM, "text": "x", "reply_markup": { "inline_keyboard": [row] } });
    bot.ok("sendMessage", params).await;
    assert_eq!(
        telegram.press(ANN, TEAM, 1, "Copy"),
        Pressed::Copied("https://x.example".into())
    );
    assert_eq!(
        telegram.press(ANN, TEAM, 1, "Open"),
        Pressed::Opened("https://www.instagram.com/".into())
    );
    assert_eq!(telegram.updates_waiting(), 0);
}

#[tokio::test]
async fn only_young_messages_can_be_deleted() {
    let (telegram, bot) = a_team().await;
    let (young, old) = (bot.say(DESK, "young").await, bot.say(DESK, "old").await);
    bot.ok(
        "deleteMessage",
        json!({ "chat_id": DESK, "message_id": young }),
    )
    .await;
    telegram.advance(std::time::Duration::from_secs(48 * 3600 + 1));
    let refused = bot
        .refused(
            "deleteMessage",
            json!({ "chat_id": DESK, "message_id": old }),
        )
        .await;
    assert_eq!(refused, "400 Bad Request: message can't be deleted");
    assert_eq!(telegram.messages(DESK).len(), 1);
}

#[tokio::test]
async fn an_album_of_a_person_is_one_and_a_file_on_its_way_may_break() {
    let (telegram, bot) = a_team().await;
    telegram.private_chat(ANN);
    let file = |name, caption| (MediaKind::Document, name, picture(30, 40), caption);
    telegram.send_album(ANN, ANN, [file("a.png", "Both"), file("b.png", "")]);
    let updates = bot.updates(json!({})).await;
    let [first, second] = [&updates[0]["message"], &updates[1]["message"]];
    assert_eq!(first["media_group_id"], second["media_group_id"]);
    assert_eq!(
        (&first["caption"], &first["document"]["file_name"]),
        (&json!("Both"), &json!("a.png"))
    );
    let id = &second["document"]["file_id"];
    let file = bot.ok("getFile", json!({ "file_id": id })).await;
    let path = file["file_path"].as_str().expect("a path");
    let url = format!("{}/file/bot{}/{path}", telegram.url(), telegram.token());
    for fault in [Fault::CutAnswer, Fault::DropBefore] {
        telegram.inject(fault.on("download"));
        let answer = reqwest::get(&url).await;
        let read = match answer {
            Ok(answer) => answer.bytes().await,
            Err(error) => Err(error),
        };
        assert!(read.is_err());
    }
    let answer = reqwest::get(&url).await.expect("an answer");
    assert_eq!(answer.bytes().await.expect("the file"), picture(30, 40));
    assert_eq!(telegram.calls_of("download").len(), 3);
}
