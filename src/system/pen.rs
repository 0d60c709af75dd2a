//! Writes the log, so that nobody else waits for it: a journal that hangs or a pipe that nobody reads holds up no task. What is
//! told lies in a bounded queue, and one ordinary thread writes it, asleep while there is nothing to write.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::lock::lock;

/// How much may wait to be written, in bytes: some thousand lines.
const MOST_BYTES: usize = 1_000_000;
/// What an entry takes beside its text, in bytes.
const ENTRY_BYTES: usize = 64;
/// What the thread needs: it only writes.
const STACK_BYTES: usize = 128 * 1024;

/// What the log is written on.
pub(super) trait Paper: Send + 'static {
    /// Writes an entry; it may take as long as it takes.
    ///
    /// # Errors
    /// If the entry is not written, and is not going to be.
    fn write(&mut self, entry: &[u8]) -> io::Result<()>;

    /// The entry that tells that so many were lost.
    fn lost(&self, count: u64) -> Vec<u8>;
}

/// The queue of what is to be written. Clones share it; each write is an entry.
#[derive(Clone, Default)]
pub(super) struct Pen(Arc<Shared>);

#[derive(Default)]
struct Shared {
    held: Mutex<Held>,
    /// Something is to be written.
    filled: Condvar,
    /// All is written.
    written: Condvar,
}

#[derive(Default)]
struct Held {
    entries: VecDeque<Vec<u8>>,
    bytes: usize,
    /// How many entries were dropped, or could not be written, since that was last told.
    lost: u64,
    is_writing: bool,
}

impl Held {
    fn is_written(&self) -> bool {
        self.entries.is_empty() && !self.is_writing
    }

    fn take(&mut self) -> Option<Vec<u8>> {
        let entry = self.entries.pop_front()?;
        self.bytes -= entry.len() + ENTRY_BYTES;
        Some(entry)
    }
}

impl Pen {
    /// One that writes on this.
    ///
    /// # Errors
    /// If there is no thread to be had.
    pub(super) fn on(paper: impl Paper) -> io::Result<Self> {
        let pen = Self::default();
        let shared = Arc::clone(&pen.0);
        thread::Builder::new()
            .name("log".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || shared.write_for_ever(paper))?;
        Ok(pen)
    }

    /// Has an entry written. It never waits: where too much lies there already, the oldest goes.
    pub(super) fn put(&self, entry: Vec<u8>) {
        let mut held = lock(&self.0.held);
        held.bytes += entry.len() + ENTRY_BYTES;
        held.entries.push_back(entry);
        while held.bytes > MOST_BYTES && held.take().is_some() {
            held.lost += 1;
        }
        self.0.filled.notify_one();
    }

    /// Waits until all is written, but no longer than this. False if it was not.
    pub(super) fn finish(&self, patience: Duration) -> bool {
        let held = lock(&self.0.held);
        let waited = self
            .0
            .written
            .wait_timeout_while(held, patience, |held| !held.is_written());
        waited
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .is_written()
    }
}

impl Shared {
    fn write_for_ever(&self, mut paper: impl Paper) {
        let mut failed = 0;
        loop {
            let (lost, entry) = self.next(failed);
            failed = 0;
            if lost > 0 && paper.write(&paper.lost(lost)).is_err() {
                failed = lost;
            }
            if paper.write(&entry).is_err() {
                failed += 1;
            }
        }
    }

    /// The next entry, when there is one, and how many were lost before it. `failed` could not be written.
    fn next(&self, failed: u64) -> (u64, Vec<u8>) {
        let mut held = lock(&self.held);
        held.lost += failed;
        loop {
            if let Some(entry) = held.take() {
                held.is_writing = true;
                return (std::mem::take(&mut held.lost), entry);
            }
            held.is_writing = false;
            self.written.notify_all();
            held = wait(&self.filled, held);
        }
    }
}

fn wait<'a>(filled: &Condvar, held: MutexGuard<'a, Held>) -> MutexGuard<'a, Held> {
    filled.wait(held).unwrap_or_else(PoisonError::into_inner)
}

impl io::Write for Pen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
    use std::time::Instant;

    const LONG: Duration = Duration::from_secs(20);
    const SHORT: Duration = Duration::from_millis(50);

    /// A reader who takes an entry when asked to, and not before. Gone, nothing can be written.
    struct Slow(SyncSender<String>);

    impl Paper for Slow {
        fn write(&mut self, entry: &[u8]) -> io::Result<()> {
            let text = String::from_utf8_lossy(entry).into_owned();
            self.0.send(text).map_err(io::Error::other)
        }

        fn lost(&self, count: u64) -> Vec<u8> {
            format!("{count} lost").into_bytes()
        }
    }

    fn slow() -> (Pen, Receiver<String>) {
        let (sender, receiver) = sync_channel(0);
        (Pen::on(Slow(sender)).unwrap(), receiver)
    }

    #[test]
    fn what_is_put_is_written_in_order() {
        let (pen, reader) = slow();
        for word in ["one", "two", "three"] {
            pen.put(word.into());
        }
        assert!(!pen.finish(SHORT), "nobody has read yet");
        let read: Vec<String> = reader.iter().take(3).collect();
        assert_eq!(read, ["one", "two", "three"]);
        assert!(pen.finish(LONG));
    }

    #[test]
    fn where_nobody_reads_nobody_waits_and_what_was_lost_is_told_when_somebody_does() {
        let (pen, reader) = slow();
        pen.put("first".into());
        while !lock(&pen.0.held).is_writing {
            thread::yield_now();
        }
        let began = Instant::now();
        let line = |number: usize| format!("{number:0>936}");
        for number in 0..5000 {
            pen.put(line(number).into());
        }
        assert!(began.elapsed() < LONG);
        // The writer holds the first; a thousand lie in the queue.
        let read: Vec<String> = reader.iter().take(1002).collect();
        assert_eq!(
            read[..3],
            ["first".to_owned(), "4000 lost".to_owned(), line(4000)]
        );
        assert_eq!(read[1001], line(4999));
        assert!(pen.finish(LONG));
    }

    #[test]
    fn what_cannot_be_written_counts_as_lost_and_the_end_waits_for_nothing() {
        let (pen, reader) = slow();
        drop(reader);
        for _ in 0..3 {
            pen.put("unread".into());
        }
        assert!(pen.finish(LONG));
        assert_eq!(lock(&pen.0.held).lost, 3);
    }
}
