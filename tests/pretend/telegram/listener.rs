//! Sockets that can fail: a door that shuts, and lines that are cut.
//!
//! Shut, the port refuses new connections and every open one breaks; open again, it is the same port. A single
//! connection can be cut too, by the cord its request came with.

use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Opens and shuts a port.
pub struct Door {
    wanted: watch::Sender<bool>,
    listening: watch::Sender<bool>,
    lines: Mutex<Vec<Cord>>,
}

/// Cuts one connection.
#[derive(Clone)]
pub struct Cord(watch::Sender<bool>);

impl Cord {
    pub fn cut(&self) {
        self.0.send_replace(true);
    }
}

impl Door {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            wanted: watch::Sender::new(true),
            listening: watch::Sender::new(true),
            lines: Mutex::default(),
        })
    }

    pub fn is_open(&self) -> bool {
        *self.wanted.borrow()
    }

    /// Returns when the port refuses connections and all open ones are broken.
    pub async fn shut(&self) {
        self.wanted.send_replace(false);
        self.wait_until(false).await;
        self.cut_all();
    }

    /// Returns when the port listens again.
    pub async fn open(&self) {
        self.wanted.send_replace(true);
        self.wait_until(true).await;
    }

    async fn wait_until(&self, listening: bool) {
        let mut watched = self.listening.subscribe();
        let _ = watched.wait_for(|now| *now == listening).await;
    }

    pub fn cut_all(&self) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.drain(..).for_each(|line| line.cut());
    }

    fn add_line(&self, stream: TcpStream) -> Line {
        let cord = Cord(watch::Sender::new(false));
        let mut watched = cord.0.subscribe();
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.retain(|line| line.0.receiver_count() > 0);
        lines.push(cord.clone());
        Line {
            stream,
            cord,
            is_cut: false,
            cut: Box::pin(async move {
                if watched.wait_for(|cut| *cut).await.is_err() {
                    pending::<()>().await;
                }
            }),
        }
    }
}

/// A listening port behind a door.
pub struct Port {
    listener: Option<TcpListener>,
    address: SocketAddr,
    door: Arc<Door>,
}

impl Port {
    /// Port 0 means any free one.
    pub async fn bind(port: u16, door: Arc<Door>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        Ok(Self {
            address: listener.local_addr()?,
            listener: Some(listener),
            door,
        })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Listener for Port {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        let mut wanted = self.door.wanted.subscribe();
        loop {
            if !*wanted.borrow_and_update() {
                self.listener = None;
                self.door.listening.send_replace(false);
                if wanted.wait_for(|open| *open).await.is_err() {
                    pending::<()>().await;
                }
            }
            let Some(listener) = &self.listener else {
                match TcpListener::bind(self.address).await {
                    Ok(listener) => {
                        self.listener = Some(listener);
                        self.door.listening.send_replace(true);
                    }
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                }
                continue;
            };
            tokio::select! {
                accepted = listener.accept() => if let Ok((stream, from)) = accepted {
                    let _ = stream.set_nodelay(true);
                    return (self.door.add_line(stream), from);
                },
                _ = wanted.changed() => {}
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// A connection that can be cut.
pub struct Line {
    stream: TcpStream,
    cord: Cord,
    is_cut: bool,
    cut: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Line {
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        self.is_cut =
            self.is_cut || *self.cord.0.borrow() || self.cut.as_mut().poll(context).is_ready();
        match self.is_cut {
            true => Err(io::ErrorKind::ConnectionReset.into()),
            false => Ok(()),
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl Connected<IncomingStream<'_, Port>> for Cord {
    fn connect_info(stream: IncomingStream<'_, Port>) -> Self {
        stream.io().cord.clone()
    }
}
