//! The thread that owns the database, and what waits for it: whoever only looks goes first, then all that must be on the disk,
//! in one commit, and then the next of what is written in the background. So a hundred presses wait for one write of the
//! disk, and none of them for a library that is taken in.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Receiver;

use tokio::sync::oneshot;
use tracing::Span;

use super::engine::{Engine, Mode, Strict, Tx};
use super::error::{Error, Result};

/// What the thread is asked for.
pub(super) enum Job {
    /// A transaction.
    Work(Mode, Box<dyn Work>),
    /// Something of the engine itself.
    Engine(Errand),
}

/// What is done on the engine, which answers for itself.
type Errand = Box<dyn FnOnce(&mut dyn Engine) + Send>;

/// What is done in a transaction, for somebody who waits for it.
pub(super) trait Work: Send {
    /// Does it. May be run again, if the connection was lost before the end of the transaction.
    fn run(&mut self, tx: &mut dyn Tx) -> Result<()>;

    /// Tells what came of it, when the transaction has ended so.
    fn answer(self: Box<Self>, committed: Result<()>);
}

/// A closure, and who waits for what it returns.
pub(super) struct Asked<T, W> {
    work: W,
    /// What it logs tells whose it is, on that thread too.
    whose: Span,
    done: Result<T>,
    answer: oneshot::Sender<Result<T>>,
}

impl<T, W> Asked<T, W> {
    pub(super) fn new(work: W, answer: oneshot::Sender<Result<T>>) -> Self {
        Self {
            work,
            whose: Span::current(),
            done: Err(Error::unexpected("a transaction ended without its result")),
            answer,
        }
    }
}

impl<T: Send, W: FnMut(&mut dyn Tx) -> Result<T> + Send> Work for Asked<T, W> {
    fn run(&mut self, tx: &mut dyn Tx) -> Result<()> {
        let _whose = self.whose.enter();
        let mut tx = Strict::new(tx);
        // A panic in one caller's closure rolls back what it did, and ends there.
        let done = catch_unwind(AssertUnwindSafe(|| (self.work)(&mut tx))).unwrap_or_else(|_| {
            Err(Error::unexpected(
                "a transaction panicked; it was rolled back",
            ))
        });
        self.done = tx.verdict().and(done);
        self.done.as_ref().map(drop).map_err(Clone::clone)
    }

    fn answer(self: Box<Self>, committed: Result<()>) {
        // Nobody waits any more if the caller was stopped; the work is done all the same.
        let _ = self.answer.send(committed.and(self.done));
    }
}

/// Works until nobody can ask for anything any more.
pub(super) fn run(jobs: &Receiver<Job>, engine: &mut dyn Engine) {
    let (mut looks, mut durable, mut others) = (VecDeque::new(), Vec::new(), VecDeque::new());
    loop {
        let is_idle = looks.is_empty() && durable.is_empty() && others.is_empty();
        let first = match is_idle.then(|| jobs.recv()) {
            Some(Ok(job)) => Some(job),
            Some(Err(_)) => return,
            None => None,
        };
        for job in first.into_iter().chain(jobs.try_iter()) {
            match job {
                Job::Work(Mode::Read, work) => looks.push_back(work),
                Job::Work(Mode::Durable, work) => durable.push(work),
                Job::Work(Mode::Write, work) => others.push_back(work),
                Job::Engine(work) => work(engine),
            }
        }
        if let Some(look) = looks.pop_front() {
            transact(engine, Mode::Read, vec![look]);
        } else if !durable.is_empty() {
            transact(engine, Mode::Durable, std::mem::take(&mut durable));
        } else if let Some(work) = others.pop_front() {
            transact(engine, Mode::Write, vec![work]);
        }
    }
}

/// Does all of it in one transaction. What fails leaves no trace, and takes nothing of the rest with it.
fn transact(engine: &mut dyn Engine, mode: Mode, mut works: Vec<Box<dyn Work>>) {
    let committed = engine.transaction(mode, &mut |tx| match works.as_mut_slice() {
        [only] => only.run(tx),
        several => several.iter_mut().try_for_each(|work| apart(tx, work)),
    });
    for work in works {
        work.answer(committed.clone());
    }
}

fn apart(tx: &mut dyn Tx, work: &mut Box<dyn Work>) -> Result<()> {
    tx.execute("SAVEPOINT work", &[])?;
    if let Err(error) = work.run(tx) {
        // A disk that is full, or a connection that is lost, ends the whole transaction.
        tx.execute("ROLLBACK TO SAVEPOINT work", &[])
            .map_err(|_| error)?;
    }
    tx.execute("RELEASE SAVEPOINT work", &[])?;
    Ok(())
}
