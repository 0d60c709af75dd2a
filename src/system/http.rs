//! Answers HTTP requests: the plumbing beneath every listener of ours. Nobody knows who calls, so connections are few and
//! none may dawdle. It speaks plain HTTP/1; certificates are the business of the web server in front of it.

use std::future::Future;
use std::io;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::shutdown::Shutdown;

/// So many connections are open at a time; further ones wait to be accepted.
const MOST_CONNECTIONS: usize = 64;
/// How long the head of a request may take, and how long a connection may rest between two: longer than web servers keep one
/// that they do not use, so that it is they who end it.
const HEAD: Duration = Duration::from_secs(65);
/// The most that the head of a request may hold, in bytes.
const LARGEST_HEAD: usize = 16 * 1024;
/// How long the requests that are at work when it is time to stop have left.
const GRACE: Duration = Duration::from_secs(1);
/// The pause when no connection can be accepted, as when the process has too many files open.
const PAUSE: Duration = Duration::from_millis(500);

/// Where connections come in.
pub trait Listener {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Waits for the next.
    fn next(&self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    async fn next(&self) -> io::Result<TcpStream> {
        Ok(self.accept().await?.0)
    }
}

impl Listener for UnixListener {
    type Stream = UnixStream;

    async fn next(&self) -> io::Result<UnixStream> {
        Ok(self.accept().await?.0)
    }
}

/// Has `router` answer what comes in by `listener`, until `closing` is signalled; what is at work then is still answered, if
/// it takes no longer than a second. What the router does has to bring its own limits.
pub async fn serve(listener: impl Listener, router: Router, closing: &Shutdown) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            () = closing.wait() => break,
            Some(_) = open.join_next() => {}
            accepted = listener.next(), if open.len() < MOST_CONNECTIONS => match accepted {
                Ok(stream) => {
                    open.spawn(answer(stream, router.clone(), closing.clone()));
                }
                Err(error) => {
                    tracing::warn!("a connection could not be accepted: {error}");
                    tokio::time::sleep(PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    // Whatever is left then is cut off with the set.
    let _ = timeout(GRACE, async { while open.join_next().await.is_some() {} }).await;
}

/// Answers the requests of one connection.
async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    closing: Shutdown,
) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closing.wait() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!("a connection ended badly: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::Notify;

    const REQUEST: &str = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

    /// A listener that answers `/` at once and `/slow` never, and how to end it.
    async fn listen() -> (std::net::SocketAddr, Shutdown, tokio::task::JoinHandle<()>) {
        listen_for(Arc::default()).await
    }

    /// The same, which tells when `/slow` is asked for.
    async fn listen_for(
        slow: Arc<Notify>,
    ) -> (std::net::SocketAddr, Shutdown, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", get(|| async { "well" })).route(
            "/slow",
            get(async move || {
                slow.notify_one();
                std::future::pending::<()>().await;
            }),
        );
        let closing = Shutdown::new();
        let serving = tokio::spawn({
            let closing = closing.clone();
            async move { serve(listener, router, &closing).await }
        });
        (address, closing, serving)
    }

    /// Sends this, and returns everything that comes back until the connection is closed.
    async fn exchange(address: std::net::SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        answer
    }

    #[tokio::test]
    async fn it_answers_and_an_endless_head_is_cut_short() {
        let (address, closing, serving) = listen().await;
        let answer = exchange(address, REQUEST).await;
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.ends_with("well"),
            "{answer}"
        );
        let endless = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(4 * LARGEST_HEAD));
        let answer = exchange(address, &endless).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
            "{answer}"
        );
        closing.signal();
        serving.await.unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[tokio::test]
    async fn a_request_without_end_does_not_keep_it_from_stopping() {
        let slow = Arc::new(Notify::new());
        let (address, closing, serving) = listen_for(Arc::clone(&slow)).await;
        // It comes in first, so it is in when the other one is.
        let idle = TcpStream::connect(address).await.unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream
            .write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        slow.notified().await;
        closing.signal();
        timeout(GRACE * 3, serving)
            .await
            .expect("it stops within its grace")
            .unwrap();
        drop((stream, idle));
    }

    #[tokio::test]
    async fn connections_beyond_the_most_wait_for_their_turn() {
        let (address, closing, serving) = listen().await;
        let mut idle = Vec::new();
        for _ in 0..MOST_CONNECTIONS {
            idle.push(TcpStream::connect(address).await.unwrap());
        }
        let mut waiting = TcpStream::connect(address).await.unwrap();
        waiting.write_all(REQUEST.as_bytes()).await.unwrap();
        // Others are answered after it has asked.
        for served in idle.iter_mut().take(3) {
            let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
            served.write_all(request).await.unwrap();
            let mut first = [0; 12];
            served.read_exact(&mut first).await.unwrap();
            assert_eq!(&first, b"HTTP/1.1 200");
            let early = waiting.try_read(&mut first).unwrap_err();
            assert_eq!(early.kind(), std::io::ErrorKind::WouldBlock);
        }
        idle.clear();
        let mut answer = String::new();
        waiting.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("well"), "{answer}");
        closing.signal();
        serving.await.unwrap();
    }
}
