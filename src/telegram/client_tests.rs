//! What a hostile or broken server of the Bot API is told and believed.

use teloxide::prelude::Requester;
use teloxide::types::ChatId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

const TOKEN: &str = "123456789:AAF-dS_kf83hGq0aLkdfh39sKDLw02jSldk";
const LETTERS: &str = "AAF-dS_kf83hGq0aLkdfh39sKDLw02jSldk";

/// A bot whose server answers every call with this.
async fn bot(answer: String) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    let network = Network::default();
    Client::new(SecretString::from(TOKEN), url.parse().unwrap(), &network).unwrap()
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
    )
}

async fn trouble(answer: String) -> Trouble {
    let bot = bot(answer).await;
    let request = bot.bot.send_message(ChatId(1), "x");
    bot.call(SMALL_CALL, request).await.unwrap_err()
}

#[tokio::test]
async fn no_trouble_tells_the_token_or_the_half_of_it() {
    let lower = LETTERS.to_lowercase().replace('_', "-");
    for (status, headers, body) in [
        (
            "302 Found",
            format!("Location: https://x.example/bot{TOKEN}/getMe\r\n"),
            String::new(),
        ),
        (
            "308 Permanent",
            format!("Location: https://{LETTERS}.example/\r\n"),
            String::new(),
        ),
        (
            "400 Bad",
            String::new(),
            format!(r#"{{"ok":false,"description":"no {TOKEN}"}}"#),
        ),
        (
            "400 Bad",
            String::new(),
            format!(r#"{{"ok":false,"description":"no {LETTERS} in /bot123456789%3A{LETTERS}"}}"#),
        ),
        ("200 OK", String::new(), format!("<html>{TOKEN}</html>")),
        (
            "200 OK",
            String::new(),
            format!(r#"{{"ok":true,"result":"{TOKEN}"}}"#),
        ),
    ] {
        let told = format!("{:?}", trouble(answer(status, &headers, &body)).await);
        let half = &LETTERS[..12];
        assert!(
            !told.contains(half) && !told.to_lowercase().contains(&lower[..6]),
            "{status}: {told}"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_no_answer_and_names_the_host() {
    let head = "Location: https://portal.example/login?next=x\r\n";
    let trouble = trouble(answer("302 Found", head, "")).await;
    let Trouble::Unreachable(reason) = &trouble else {
        panic!("{trouble:?}");
    };
    assert!(
        reason.contains("`portal.example`") && !reason.contains("login"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_page_an_endless_text_and_half_an_answer_may_have_had_their_effect() {
    let long = format!(r#"{{"ok":true,"result":"{}"}}"#, "x".repeat(2 << 20));
    for (status, body, told) in [
        ("200 OK", "<html>Sign in</html>", "web page"),
        ("502 Bad Gateway", "<html>nginx</html>", "HTTP 502"),
        ("200 OK", &long, "longer than 1048576 bytes"),
        ("200 OK", r#"{"ok":true,"resu"#, "not understood"),
    ] {
        let trouble = trouble(answer(status, "", body)).await;
        let Trouble::Unsure(reason) = &trouble else {
            panic!("{status}: {trouble:?}");
        };
        assert!(reason.contains(told), "{reason}");
    }
}

#[tokio::test]
async fn a_request_that_goes_past_the_client_goes_nowhere_and_knows_no_token() {
    let bot = bot(answer("200 OK", "", r#"{"ok":true,"result":true}"#)).await;
    assert!(!format!("{:?}", bot.bot).contains(&LETTERS[..6]));
    let error = bot.bot.log_out().await.unwrap_err();
    assert!(!format!("{error:?}").contains(&LETTERS[..6]), "{error:?}");
}

#[tokio::test]
async fn a_file_is_fetched_beneath_the_servers_own_folder() {
    let bot = bot(answer("200 OK", "", "abc")).await;
    let mut into = Vec::new();
    bot.download("photos/file_0.jpg", 3, SMALL_CALL, &mut into)
        .await
        .unwrap();
    assert_eq!(into, b"abc");
    let url = bot.url(&["file"], "../../x/../file 0.jpg".split('/'));
    assert_eq!(url.path(), format!("/file/bot{TOKEN}/x/file%200.jpg"));
    let long = bot.download("x", 2, SMALL_CALL, &mut Vec::new()).await;
    assert!(matches!(long, Err(Trouble::Never(_))), "{long:?}");
}
