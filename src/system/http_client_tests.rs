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
    let client = HttpClient::new(&Network::default()).unwrap();
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
    let client = HttpClient::new(&Network::default()).unwrap();
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

/// A proxy that answers each `CONNECT` and each call with this; returns its address, and what it was asked.
async fn proxy(answer: &'static str) -> (String, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let (url, heard, _) = endless(answer, Vec::new()).await;
    (format!("127.0.0.1:{}", url.port().unwrap()), heard)
}

async fn ask_by(proxy: &str, server: &str) -> Result<HttpAnswer, HttpError> {
    let proxy = Proxy::parse(proxy, "[network] proxy").unwrap();
    let client = HttpClient::new(&Network::new(Some(proxy), None)).unwrap();
    client
        .call(server.parse().unwrap(), Body::Nothing, LIMITS)
        .await
}

#[tokio::test]
async fn a_proxy_is_named_where_it_is_the_reason() {
    let denied = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
    let refused = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
    let (denied, mut heard) = proxy(denied).await;
    let (refused, _heard) = proxy(refused).await;
    let servers = [
        "https://telegram.invalid/bot123456:TEST/x",
        "http://telegram.invalid/x",
    ];
    for (proxy, server, told) in [
        (
            format!("http://canary:canary@{denied}"),
            servers[0],
            "wants another user or password",
        ),
        (
            format!("http://canary:canary@{denied}"),
            servers[1],
            "wants another user or password",
        ),
        (
            format!("http://canary:canary@{refused}"),
            servers[0],
            "does not lead there",
        ),
        (
            "http://canary:canary@127.0.0.1:9".to_owned(),
            servers[0],
            "Connection refused",
        ),
        (
            "socks5h://canary:canary@127.0.0.1:9".to_owned(),
            servers[0],
            "no connection comes about",
        ),
    ] {
        let error = ask_by(&proxy, server).await.unwrap_err();
        let HttpError::Unreachable(reason) = &error else {
            panic!("{proxy}: {error:?}");
        };
        assert!(
            reason.contains(told) && reason.contains("`[network] proxy`"),
            "{proxy}: {reason}"
        );
        assert!(reason.contains("127.0.0.1"), "{reason}");
        assert!(
            !reason.contains("canary") && !reason.contains("TEST"),
            "{reason}"
        );
    }
    let asked = heard.recv().await.unwrap();
    assert!(
        asked.starts_with("CONNECT telegram.invalid:443 "),
        "{asked}"
    );
    assert!(
        asked.contains("Basic Y2FuYXJ5OmNhbmFyeQ==") && !asked.contains("TEST"),
        "{asked}"
    );
}

#[tokio::test]
async fn a_call_goes_by_socks_and_the_proxy_finds_the_name() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = [0; 3];
        stream.read_exact(&mut hello).await.unwrap();
        stream.write_all(&[5, 0]).await.unwrap();
        let mut wish = [0; 5];
        stream.read_exact(&mut wish).await.unwrap();
        let mut name = vec![0; usize::from(wish[4]) + 2];
        stream.read_exact(&mut name).await.unwrap();
        stream
            .write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])
            .await
            .unwrap();
        request(&mut stream).await;
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        stream.write_all(answer).await.unwrap();
        (hello, String::from_utf8_lossy(&name).into_owned())
    });
    let answer = ask_by(&format!("socks5h://{address}"), "http://telegram.invalid/x").await;
    assert_eq!(answer.unwrap().body, b"ok");
    let (hello, name) = serving.await.unwrap();
    assert_eq!(hello[0], 5);
    assert!(name.starts_with("telegram.invalid"), "{name:?}");
}

#[test]
fn a_reason_that_can_be_mended_tells_how() {
    for (cause, told) in [
        ("invalid peer certificate: UnknownIssuer", "ca_file"),
        (
            "invalid peer certificate: certificate expired: verification time 1",
            "timedatectl",
        ),
        (
            "invalid peer certificate: certificate not valid for name \"x\"",
            "another name",
        ),
        (
            "failed to lookup address information: Name or service not known",
            "getent",
        ),
        ("Connection refused (os error 111)", "nothing listens"),
    ] {
        assert!(hint(cause).contains(told), "{cause}");
    }
}

/// A server with a certificate of an authority that no machine knows; it answers `ok` to everything.
async fn private_server() -> Url {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};

    let chain =
        CertificateDer::pem_slice_iter(include_bytes!("../../tests/support/tls/server.pem"));
    let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
    let key = include_bytes!("../../tests/support/tls/server.key");
    let key = PrivateKeyDer::from_pem_slice(key).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let mut buffer = [0; 1024];
                let _ = stream.read(&mut buffer).await;
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
                let _ = stream.write_all(answer).await;
                let _ = stream.flush().await;
            }
        }
    });
    format!("https://localhost:{port}/x").parse().unwrap()
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_by_the_settings_and_by_the_store() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/tls/ca.pem");
    let own = crate::system::network::Authorities::read(path.as_ref()).unwrap();
    let variables = [("SSL_CERT_FILE", path)];
    let environment = crate::system::environment::Environment::from_iter(variables);
    let server = private_server().await;
    let ask = async |network: Network| {
        let client = HttpClient::new(&network).unwrap();
        client.call(server.clone(), Body::Nothing, LIMITS).await
    };
    let error = ask(Network::default()).await.unwrap_err();
    assert!(
        matches!(&error, HttpError::Unreachable(reason) if reason.contains("`[network] ca_file`")),
        "{error:?}"
    );
    for trusting in [
        Network::new(None, Some(own)),
        Network::default().within(&environment),
    ] {
        assert_eq!(ask(trusting).await.unwrap().body, b"ok");
    }
}
