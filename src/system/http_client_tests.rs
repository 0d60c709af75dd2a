//! Servers that nobody would wish for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const LIMITS: Limits = Limits {
    bytes: 1 << 20,
    time: Duration::from_secs(2),
};

/// A server that sends `head`, and then `piece` over and over. Returns its address, the requests that it had, and how many
/// bytes it got rid of.
async fn endless(
    head: &'static str,
    piece: Vec<u8>,
) -> (
    Url,
    tokio::sync::mpsc::UnboundedReceiver<String>,
    Arc<AtomicU64>,
) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://{}/bot123456:TEST/getMe",
        listener.local_addr().unwrap()
    );
    let (heard, requests) = tokio::sync::mpsc::unbounded_channel();
    let sent = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&sent);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (piece, heard, sent) = (piece.clone(), heard.clone(), Arc::clone(&counter));
            tokio::spawn(async move {
                let _ = heard.send(request(&mut stream).await);
                let _ = stream.write_all(head.as_bytes()).await;
                while !piece.is_empty() && stream.write_all(&piece).await.is_ok() {
                    sent.fetch_add(piece.len() as u64, Ordering::Relaxed);
                }
            });
        }
    });
    (url.parse().unwrap(), requests, sent)
}

async fn request(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut buffer = [0; 1024];
    while !text.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(1..) => text.extend_from_slice(&buffer),
            _ => break,
        }
        text.retain(|byte| *byte != 0);
    }
    String::from_utf8_lossy(&text).into_owned()
}

async fn ask(url: &Url) -> Result<HttpAnswer, HttpError> {
    let client = HttpClient::new().unwrap();
    client
        .call(url.clone(), Body::Json(b"{}".to_vec()), LIMITS)
        .await
}

#[tokio::test]
async fn an_answer_without_end_is_read_no_further_than_its_limit() {
    for head in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 500 X\r\nContent-Type: application/json\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n",
    ] {
        let (url, _requests, sent) = endless(head, vec![b'1'; 1 << 16]).await;
        let error = ask(&url).await.unwrap_err();
        assert!(
            matches!(error, HttpError::TooLong(_, _) | HttpError::Lost(_)),
            "{head}: {error:?}"
        );
        // What the sockets' buffers hold besides.
        let sent = sent.load(Ordering::Relaxed);
        assert!(sent < 16 << 20, "{head}: {sent} bytes were taken");
    }
}

#[tokio::test]
async fn a_length_beyond_the_limit_is_not_waited_for() {
    let (url, ..) = endless(
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
        Vec::new(),
    )
    .await;
    assert_eq!(
        ask(&url).await.unwrap_err(),
        HttpError::TooLong(200, LIMITS.bytes)
    );
}

#[tokio::test]
async fn heads_without_end_end_with_the_time_or_sooner() {
    for (head, piece) in [
        ("", "HTTP/1.1 100 Continue\r\n\r\n"),
        ("", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
        ("HTTP/1.1 200 OK\r\n", "X: y\r\n"),
        (
            "HTTP/1.1 200 OK\r\nX: ",
            "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy",
        ),
    ] {
        let (url, ..) = endless(head, piece.as_bytes().to_vec()).await;
        let limit = LIMITS.time * 2;
        let error = timeout(limit, ask(&url))
            .await
            .expect("it ends")
            .unwrap_err();
        assert!(
            matches!(error, HttpError::Late(_) | HttpError::Lost(_)),
            "{piece}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_only_its_host_is_told() {
    let (other, mut heard, _) =
        endless("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Vec::new()).await;
    for (status, location, host) in [
        (301, other.as_str(), "127.0.0.1"),
        (302, "//evil.example/bot123456:TEST/x", "evil.example"),
        (
            303,
            "https://u:123456:TEST@evil.example/?t=123456:TEST",
            "evil.example",
        ),
        (307, "/other", "127.0.0.1"),
        (308, ":", "127.0.0.1"),
    ] {
        let head =
            format!("HTTP/1.1 {status} X\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        let (url, ..) = endless(head.leak(), Vec::new()).await;
        let error = ask(&url).await.unwrap_err();
        let host = host.to_owned();
        assert_eq!(error, HttpError::Elsewhere { status, host });
        assert!(!error.to_string().contains("TEST"), "{error}");
    }
    assert!(heard.try_recv().is_err(), "the redirect was followed");
}

#[tokio::test]
async fn no_header_and_no_error_holds_the_address_of_the_call() {
    let head =
        "HTTP/1.1 200 OK\r\nDate: Tue, 01 Dec 2026 10:00:00 GMT\r\nContent-Length: 2\r\n\r\nok";
    let (url, mut heard, _) = endless(head, Vec::new()).await;
    let answer = ask(&url).await.unwrap();
    assert_eq!(
        (answer.status, answer.body.as_slice()),
        (200, b"ok".as_slice())
    );
    assert_eq!(answer.date, Some("2026-12-01T10:00:00Z".parse().unwrap()));
    let request = heard.recv().await.unwrap();
    let (line, headers) = request.split_once("\r\n").unwrap();
    assert!(
        line.contains("123456:TEST") && !headers.contains("TEST"),
        "{request}"
    );
    for wrong in [
        "http://127.0.0.1:9/bot123456:TEST/x",
        "http://123456:TEST@127.0.0.1:9/",
        "foo://TEST/",
    ] {
        let error = ask(&wrong.parse().unwrap()).await.unwrap_err();
        assert!(matches!(error, HttpError::Unreachable(_)), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("TEST"), "{error:?}");
    }
}

#[tokio::test]
async fn a_download_stops_at_its_size() {
    let client = HttpClient::new().unwrap();
    let limits = Limits {
        bytes: 100_000,
        ..LIMITS
    };
    let (url, ..) = endless("HTTP/1.1 200 OK\r\n\r\n", vec![b'1'; 1 << 16]).await;
    let mut into = Vec::new();
    let error = client.download(url, &mut into, limits).await.unwrap_err();
    assert_eq!(error, HttpError::TooLong(200, 100_000));
    assert!(into.len() <= 100_000, "{} bytes were kept", into.len());
    let (url, ..) = endless(
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
        Vec::new(),
    )
    .await;
    into.clear();
    assert_eq!(client.download(url, &mut into, limits).await, Ok(3));
    assert_eq!(into, b"abc");
    let (url, ..) = endless(
        "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nabc",
        Vec::new(),
    )
    .await;
    into.clear();
    assert!(client.download(url, &mut into, limits).await.is_err());
    assert!(into.is_empty());
}
