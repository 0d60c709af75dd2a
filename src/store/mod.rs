//! The memory. One thread owns the database; everybody else hands it closures. A closure is one transaction, or one part of
//! it that stands or falls alone, it is short, and it cannot await, so nobody can ever hold a transaction open across a
//! network call.
//!
//! Above the engines there are only plain functions, one file a table, that are composed in such a closure:
//!
//! ```text
//! store.write(move |tx| { history::add(tx, &entry)?; locks::add(tx, &lock)?; stories::remove(tx, id) }).await?;
//! ```

mod engine;
mod error;
pub(crate) mod foreign;
mod migrations;
pub(crate) mod place;
#[cfg(feature = "postgres")]
mod postgres;
mod queue;
pub(crate) mod snapshot;
mod sqlite;
mod value;
mod watched;

pub(crate) mod alerts;
pub(crate) mod attempts;
pub(crate) mod audit;
pub(crate) mod bulletins;
pub(crate) mod edits;
pub(crate) mod files;
pub(crate) mod future;
pub(crate) mod handins;
pub(crate) mod history;
pub(crate) mod locks;
pub(crate) mod looks;
pub(crate) mod media;
pub(crate) mod messages;
pub(crate) mod mix;
pub(crate) mod people;
pub(crate) mod runs;
pub(crate) mod secrets;
pub(crate) mod settings;
pub(crate) mod state;
pub(crate) mod stories;
pub(crate) mod supply;
pub(crate) mod teams;
pub(crate) mod undos;
pub(crate) mod updates;
pub(crate) mod uploads;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use tokio::sync::oneshot;

pub(crate) use engine::Tx;
use engine::{Engine, Mode};
pub use error::{Error, Result};
use queue::{Asked, Job};

use crate::system::owner::Owner;

/// How long a writer waits for another process (the daemon for the command line, or the reverse).
const PATIENCE: Duration = Duration::from_secs(10);

/// The store. Clones share the one thread; it ends with the last of them.
#[derive(Clone)]
pub struct Store {
    jobs: mpsc::Sender<Job>,
}

impl Store {
    /// Opens the SQLite database at `path` (made if there is none) and brings its schema to this version.
    ///
    /// # Errors
    /// If it cannot be opened, is damaged, or was written by a newer version.
    pub fn open_sqlite(path: &Path) -> Result<Self> {
        let path = path.to_owned();
        Self::start(move || {
            as_owner(&path)?;
            sqlite::Sqlite::open(&path, PATIENCE)
        })
    }

    /// Opens the SQLite database at `path` (made if there is none), has `before_migration` make a copy of it if its schema is
    /// an older one, whose version that is told, and brings its schema to this version.
    ///
    /// # Errors
    /// If it cannot be opened, is damaged, was written by a newer version, or no copy could be made.
    pub(crate) fn open_sqlite_after(
        path: &Path,
        before_migration: impl FnOnce(i64) -> Result<()> + Send + 'static,
    ) -> Result<Self> {
        let path = path.to_owned();
        let before_migration = Box::new(before_migration);
        Self::start(move || {
            as_owner(&path)?;
            let sqlite = sqlite::Sqlite::open(&path, PATIENCE)?;
            Ok(sqlite.before_migration(before_migration))
        })
    }

    /// Whether the SQLite database at `path` is whole, by a quick look. There need be none yet.
    ///
    /// # Errors
    /// If it is damaged, or was there and is gone.
    pub fn look_over(path: &Path) -> Result<()> {
        worked_as_owner(path, || snapshot::glance(path))
    }

    /// The same, of every page and every row; it takes as long as reading the file does.
    ///
    /// # Errors
    /// If it is damaged, or not there.
    pub fn look_through(path: &Path) -> Result<()> {
        worked_as_owner(path, || snapshot::examine(path).map(drop))
    }

    /// Connects to a PostgreSQL database and brings its schema to this version.
    ///
    /// # Errors
    /// If the server cannot be reached, or its schema is of a newer version.
    #[cfg(feature = "postgres")]
    pub fn open_postgres(url: &str) -> Result<Self> {
        let url = url.to_owned();
        Self::start(move || postgres::Postgres::open(&url, PATIENCE))
    }

    /// Starts the thread. The engine is opened on it too: PostgreSQL's client must not be used where futures run.
    fn start<E: Engine>(open: impl FnOnce() -> Result<E> + Send + 'static) -> Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let (ready, opened) = mpsc::channel();
        std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || {
                let mut engine = match open().and_then(|mut engine| {
                    engine.migrate()?;
                    Ok(engine)
                }) {
                    Ok(engine) => engine,
                    Err(error) => {
                        let _ = ready.send(Err(error));
                        return;
                    }
                };
                let _ = ready.send(Ok(()));
                queue::run(&queue, &mut engine);
            })
            .map_err(|error| Error::Unavailable(format!("thread cannot be started: {error}")))?;
        opened.recv().map_err(|_| Error::Closed)??;
        Ok(Self { jobs })
    }

    /// Runs a transaction that only looks.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.run(Mode::Read, work).await
    }

    /// Runs a transaction that writes. A power cut may undo the last moments of such transactions, never half of one.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.run(Mode::Write, work).await
    }

    /// Runs a transaction that is on the disk when this returns: for what a person was told is done, and for what must be
    /// known before a message leaves the box.
    pub(crate) async fn write_durably<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.run(Mode::Durable, work).await
    }

    /// A mark that is another one after every change of the records, whoever made it.
    ///
    /// # Errors
    /// If that cannot be found out.
    pub(crate) async fn edition(&self) -> Result<String> {
        self.on_the_engine(|engine| engine.edition()).await
    }

    /// Claims the database for this store, as long as it lives. False if another daemon has it.
    ///
    /// # Errors
    /// If the claim cannot be tried.
    pub async fn claim(&self) -> Result<bool> {
        self.on_the_engine(|engine| engine.claim()).await
    }

    /// Whether a daemon has claimed the database.
    ///
    /// # Errors
    /// If that cannot be found out.
    pub async fn is_claimed(&self) -> Result<bool> {
        self.on_the_engine(|engine| engine.is_claimed()).await
    }

    async fn run<T: Send + 'static>(
        &self,
        mode: Mode,
        work: impl FnMut(&mut dyn Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, result) = oneshot::channel();
        let work = Box::new(Asked::new(work, answer));
        self.ask(Job::Work(mode, work), result).await
    }

    async fn on_the_engine<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Engine) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, result) = oneshot::channel();
        let job = Job::Engine(Box::new(move |engine| drop(answer.send(work(engine)))));
        self.ask(job, result).await
    }

    async fn ask<T>(&self, job: Job, result: oneshot::Receiver<Result<T>>) -> Result<T> {
        self.jobs.send(job).map_err(|_| Error::Closed)?;
        result.await.map_err(|_| Error::Closed)?
    }
}

/// Has the thread of a database be whoever the database belongs to, where that is another than root.
fn as_owner(path: &Path) -> Result<()> {
    let owner = Owner::of(path).and_then(Owner::assume);
    owner.map_err(|error| not_as_owner(path, &error))
}

fn worked_as_owner<T: Send>(path: &Path, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let worked = Owner::of(path).and_then(|owner| owner.work(work));
    worked.map_err(|error| not_as_owner(path, &error))?
}

fn not_as_owner(path: &Path, error: &std::io::Error) -> Error {
    let path = path.display();
    Error::Unavailable(format!(
        "{path} cannot be opened as whoever it belongs to: {error}"
    ))
}

/// A fresh id, which sorts by the moment it was made.
pub(crate) fn fresh<T: From<uuid::Uuid>>(now: jiff::Timestamp) -> T {
    let seconds = u64::try_from(now.as_second()).unwrap_or(0);
    let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
    uuid::Uuid::new_v7(uuid::Timestamp::from_unix(
        uuid::NoContext,
        seconds,
        nanoseconds,
    ))
    .into()
}
