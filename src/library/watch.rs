//! The watcher says at once that something changed. It only makes things fast: whatever it cannot see, the walk finds.
//!
//! It owns its recursion, one watch a folder. A new folder is watched first and listed then, so that whatever was put into
//! it before the watch is found by the listing, and whatever comes later is heard. Nothing of this is done inside notify's
//! handler, which runs on the thread that would have to answer.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use notify::event::{AccessKind, EventKind, ModifyKind, RenameMode};
use notify::{Event, RecommendedWatcher};
use tokio::sync::mpsc::UnboundedSender;

use super::walk::RootProblem;
use super::watching::{Outbox, Watch};
use super::writers::Writers;
use crate::system::lock::lock;

/// What the watcher says. Each is a hint: look before believing, for things may have changed again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// The file at this path is new, was closed by a writer, renamed into place, or its rights changed.
    Look(String),
    /// Whatever was at this path is gone or renamed: a file, or a folder with all that was in it.
    Gone(String),
    /// A metadata file in this folder (empty for the root) changed.
    Metadata(String),
    /// Something may have been missed, for this reason; walk the library.
    Rescan(String),
}

/// Why nothing can be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchProblem {
    /// The library is not there.
    #[error(transparent)]
    Root(#[from] RootProblem),
    /// The system gives no watcher.
    #[error("changes cannot be watched for: {0}; the library is polled instead")]
    System(#[from] notify::Error),
    /// The system gives no thread.
    #[error("the watcher's thread cannot be started: {0}; the library is polled instead")]
    Thread(#[from] io::Error),
}

/// The most events that wait to be taken; of more, the library is walked.
const MOST_HEARD: usize = 50_000;

/// Watches a library until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    blind: Arc<Mutex<Option<String>>>,
    stop: Arc<AtomicBool>,
    inbox: Inbox,
    backlog: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

/// Where the watcher's thread hears. What waits there is bounded: whoever fills the library faster than that is looked after
/// is no reason to run out of memory.
#[derive(Clone, Debug)]
pub(super) struct Inbox {
    sender: Sender<Heard>,
    waiting: Arc<AtomicUsize>,
    missed: Arc<AtomicBool>,
}

impl Inbox {
    fn new(sender: Sender<Heard>) -> Self {
        Self {
            sender,
            waiting: Arc::default(),
            missed: Arc::default(),
        }
    }

    fn event(&self, event: notify::Result<Event>) {
        if self.waiting.fetch_add(1, Ordering::Relaxed) < MOST_HEARD {
            let _ = self.sender.send(Heard::Event(event));
        } else {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.missed.store(true, Ordering::Relaxed);
        }
    }

    /// An event was taken out of it.
    pub(super) fn took(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether something was not heard since the last time.
    pub(super) fn has_missed(&self) -> bool {
        self.missed.swap(false, Ordering::Relaxed)
    }
}

/// What wakes the watcher's thread.
#[derive(Debug)]
pub(super) enum Heard {
    Event(notify::Result<Event>),
    /// Look whether the root is still the same folder.
    CheckRoot,
    Stop,
}

impl Watcher {
    /// Watches the library at this root. All folders are watched when this returns, so a walk that follows misses nothing.
    ///
    /// # Errors
    ///
    /// When the root is not there, or nothing can be watched at all; then poll.
    pub fn start(
        root: &Path,
        changes: UnboundedSender<Change>,
        writers: Writers,
    ) -> Result<Self, WatchProblem> {
        let root = std::path::absolute(root)?;
        let blind = Arc::new(Mutex::new(None));
        let stop = Arc::new(AtomicBool::new(false));
        let (sender, heard) = channel();
        let inbox = Inbox::new(sender);
        let backlog = Arc::new(AtomicUsize::new(0));
        let outbox = Outbox::new(changes, Arc::clone(&backlog));
        let watch = Watch::begin(
            root,
            outbox,
            writers,
            Arc::clone(&blind),
            Arc::clone(&stop),
            inbox.clone(),
        )?;
        let thread = thread::Builder::new()
            .name("library-watch".to_owned())
            .spawn(move || watch.run(&heard))?;
        Ok(Self {
            blind,
            stop,
            inbox,
            backlog,
            thread: Some(thread),
        })
    }

    /// To be called for each change that was taken: too many that wait are told as one.
    pub fn took(&self) {
        let less = |waiting: usize| waiting.checked_sub(1);
        let order = Ordering::Relaxed;
        // It was told by the watcher before this one, if there is none.
        let _ = self.backlog.fetch_update(order, order, less);
    }

    /// Has it look whether the root is still the same folder on the same disk: nobody tells of an unmount. To be called every
    /// little while; the watcher has no timer of its own, so that an idle box sleeps.
    pub fn check_root(&self) {
        let _ = self.inbox.sender.send(Heard::CheckRoot);
    }

    /// Why the library must be polled as well, if it must: changes are missed by the file system's kind, or for want of
    /// watches.
    #[must_use]
    pub fn blind(&self) -> Option<String> {
        lock(&self.blind).clone()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        let _ = self.inbox.sender.send(Heard::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A watcher of the system that says what it hears, without the noise: each write and each opening is an event too. The
/// writers at work are known by the time that anything is said.
pub(super) fn listener(inbox: &Inbox, writers: &Writers) -> notify::Result<RecommendedWatcher> {
    let (inbox, writers) = (inbox.clone(), writers.clone());
    notify::recommended_watcher(move |event: notify::Result<Event>| {
        if let Ok(event) = &event {
            writers.hear(event);
        }
        let is_noise = event.as_ref().is_ok_and(|event| {
            matches!(
                event.kind,
                EventKind::Access(AccessKind::Open(_))
                    | EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Name(RenameMode::Both))
            )
        });
        if !is_noise {
            inbox.event(event);
        }
    })
}

/// Why changes on a file system of this kind are missed: those that other machines, or a program behind it, make.
pub fn deaf(root: &Path) -> Option<String> {
    let kinds: [(u32, &str); 6] = [
        (0x6969, "NFS"),
        (0x517b, "SMB"),
        (0xff53_4d42, "CIFS"),
        (0xfe53_4d42, "SMB2"),
        (0x6573_5546, "FUSE"),
        (0x0102_1997, "9P"),
    ];
    let kind = rustix::fs::statfs(root).ok()?.f_type as u32;
    let (_, name) = kinds.iter().find(|(number, _)| *number == kind)?;
    Some(format!(
        "the library lies on {name}, which does not tell of all changes"
    ))
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
