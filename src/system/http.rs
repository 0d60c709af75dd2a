//! Answers HTTP requests: the plumbing beneath every listener of ours. Nobody knows who calls, so connections are few, none
//! may dawdle, and where all places are taken, a newcomer gets the place of one that has asked nothing yet. It speaks plain
//! HTTP/1; certificates are the business of the web server in front of it.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, Id, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use super::shutdown::Shutdown;

/// So many connections are open at a time. Each costs a few kilobytes.
const MOST_CONNECTIONS: usize = 256;
/// How long the head of a request may take, from its first byte on, or from the beginning of the connection.
const HEAD: Duration = Duration::from_secs(5);
/// How long a connection may rest between two requests: longer than web servers keep one that they do not use, so that it is
/// they who end it.
const REST: Duration = Duration::from_secs(65);
/// How long a request may be at work, its body and its answer included.
const WORK: Duration = Duration::from_secs(90);
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

    /// Waits for the next, and tells from which address it comes, if it has one.
    fn next(&self) -> impl Future<Output = io::Result<(Self::Stream, Option<IpAddr>)>> + Send;
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    async fn next(&self) -> io::Result<(TcpStream, Option<IpAddr>)> {
        let (stream, from) = self.accept().await?;
        Ok((stream, Some(house(from.ip()))))
    }
}

impl Listener for UnixListener {
    type Stream = UnixStream;

    async fn next(&self) -> io::Result<(UnixStream, Option<IpAddr>)> {
        Ok((self.accept().await?.0, None))
    }
}

/// Who has one address of IPv6 has the 2^64 beside it too.
fn house(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        address => address,
    }
}

/// How far a connection is, and until when it may be there.
#[derive(Clone, Copy, Debug)]
struct Course {
    phase: Phase,
    since: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The head of a request is awaited, or has begun.
    Head,
    /// A request is at work.
    Work,
    /// One was answered, and the next has not begun.
    Rest,
}

impl Course {
    fn now(phase: Phase) -> Self {
        let since = Instant::now();
        Self { phase, since }
    }

    fn until(self) -> Instant {
        self.since
            + match self.phase {
                Phase::Head => HEAD,
                Phase::Work => WORK,
                Phase::Rest => REST,
            }
    }
}

/// The connections that are open.
#[derive(Default)]
struct Places(HashMap<Id, Place>);

struct Place {
    from: Option<IpAddr>,
    course: watch::Receiver<Course>,
    handle: AbortHandle,
}

impl Places {
    /// Frees a place of a connection that has asked nothing: of those from the address that has the most of them, the one
    /// that waits longest. False if all are at work.
    fn free(&mut self) -> bool {
        let waiting = || {
            self.0.iter().filter_map(|(id, place)| {
                let course = *place.course.borrow();
                (course.phase != Phase::Work).then_some((*id, place.from, course.since))
            })
        };
        let mut crowds: HashMap<Option<IpAddr>, usize> = HashMap::new();
        for (_, from, _) in waiting() {
            *crowds.entry(from).or_default() += 1;
        }
        let longest = waiting().max_by_key(|(_, from, since)| {
            let crowd = crowds.get(from).copied().unwrap_or_default();
            (crowd, std::cmp::Reverse(*since))
        });
        let freed = longest.and_then(|(id, ..)| self.0.remove(&id));
        freed.map(|place| place.handle.abort()).is_some()
    }
}

/// Has `router` answer what comes in by `listener`, until `closing` is signalled; what is at work then is still answered, if
/// it takes no longer than a second. What the router does has to bring its own limits, of no more than 90 s.
pub async fn serve(listener: impl Listener, router: Router, closing: &Shutdown) {
    let (mut open, mut places) = (JoinSet::new(), Places::default());
    let rested = Arc::new(Notify::new());
    loop {
        // One place is always free, unless all that are taken are at work.
        let has_place = places.0.len() < MOST_CONNECTIONS || places.free();
        tokio::select! {
            () = closing.wait() => break,
            Some(ended) = open.join_next_with_id() => {
                let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
                places.0.remove(&id);
            }
            () = rested.notified(), if !has_place => {}
            accepted = listener.next(), if has_place => match accepted {
                Ok((stream, from)) => {
                    let (told, course) = watch::channel(Course::now(Phase::Head));
                    let service = TowerToHyperService::new(router.clone());
                    let progress = Progress { told, rested: Arc::clone(&rested) };
                    let handle = open.spawn(answer(stream, service, progress, closing.clone()));
                    places.0.insert(handle.id(), Place { from, course, handle });
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

/// Tells how far a connection is.
struct Progress {
    told: watch::Sender<Course>,
    rested: Arc<Notify>,
}

impl Progress {
    fn works(&self) {
        self.told.send_replace(Course::now(Phase::Work));
    }

    fn rests(&self) {
        self.told.send_replace(Course::now(Phase::Rest));
        self.rested.notify_one();
    }

    /// Bytes came in: of the request at work, or the first ones of the next.
    fn reads(&self) {
        self.told.send_if_modified(|course| {
            let begins = course.phase == Phase::Rest;
            if begins {
                *course = Course::now(Phase::Head);
            }
            begins
        });
    }
}

/// Answers the requests of one connection.
async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    service: TowerToHyperService<Router>,
    progress: Progress,
    closing: Shutdown,
) {
    let progress = &progress;
    let service = service_fn(move |request: Request<Incoming>| {
        progress.works();
        let answering = service.call(request);
        async move {
            let answered = answering.await;
            progress.rests();
            answered
        }
    });
    let watched = Watched { stream, progress };
    let connection = http1::Builder::new()
        .header_read_timeout(None::<Duration>)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(watched), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = overdue(progress.told.subscribe()) => return,
        () = closing.wait() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!("a connection ended badly: {error}");
    }
}

/// Waits until a connection has been for too long where it is.
async fn overdue(mut course: watch::Receiver<Course>) {
    loop {
        let until = course.borrow_and_update().until();
        tokio::select! {
            () = sleep_until(until) => return,
            changed = course.changed() => if changed.is_err() { return; },
        }
    }
}

/// A connection of which it is told when the next request begins.
struct Watched<'a, S> {
    stream: S,
    progress: &'a Progress,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<'_, S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.progress.reads();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<'_, S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
