//! The loop that keeps the records true to the folder: at once where the watcher sees something, at every tick for what is
//! unfinished, and by a scan at the start, every hour, and whenever something may have been missed.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::Instant;

use super::reconcile::Library;
use super::walk::{file_stat, root_identity};
use super::watch::{Change, Watcher};
use crate::domain::alert::topic::WATCHER;
use crate::flow::Error;
use crate::system::background::{background, blocking};
use crate::system::beneath::Folder;
use crate::system::nudge::{TICK, Tick};
use crate::system::supervisor::{BoxError, Pulse};

/// How often the library is scanned although nothing seems to have been missed.
const SCAN_EVERY: Duration = Duration::from_secs(3600);
/// How often it is scanned where changes cannot be watched for.
const POLL_EVERY: Duration = Duration::from_secs(60);
/// How long deletions and doubts are collected: a rename is a deletion and an arrival, in any order.
const COLLECT: Duration = Duration::from_millis(1000);
/// The most files that are looked at in one go; then the loop sees what else there is.
const MOST_AT_ONCE: usize = 64;
/// The most deletions that are collected one by one.
const MOST_GONE: usize = 1_000;
/// How long a file may stay unfinished before the log says so.
const UNFINISHED: Duration = Duration::from_secs(600);

/// The most files of which the log says so.
const MOST_TOLD: usize = 20;

/// How long a batch of files, or a walk of a large library on a slow disk, may take.
const QUIET: Duration = Duration::from_secs(600);

/// Runs until it is time to stop.
///
/// # Errors
/// If the store cannot be read or written.
pub async fn run(library: Library, mut tick: Tick, pulse: Pulse) -> Result<(), BoxError> {
    let mut indexer = Indexer::new(library, pulse.clone()).await?;
    loop {
        pulse.expecting(QUIET);
        let collected = indexer.collect_until;
        tokio::select! {
            () = pulse.stopping() => return Ok(()),
            Some(change) = indexer.changes.recv() => indexer.take(change).await?,
            () = until(collected) => indexer.settle().await?,
            beat = tick.wait() => indexer.tick(beat.is_news).await?,
        }
    }
}

struct Indexer {
    library: Library,
    pulse: Pulse,
    watcher: Option<Watcher>,
    changes: UnboundedReceiver<Change>,
    gone: BTreeSet<String>,
    scan_wanted: bool,
    collect_until: Option<Instant>,
    scanned_at: Instant,
    told_unfinished: BTreeSet<String>,
    /// Whether files were unfinished when it was last looked.
    has_unfinished: bool,
    /// Whether the root is left alone at the next beat without news.
    rests: bool,
}

impl Indexer {
    async fn new(library: Library, pulse: Pulse) -> Result<Self, Error> {
        let (_, changes) = unbounded_channel();
        let mut indexer = Self {
            library,
            pulse,
            watcher: None,
            changes,
            gone: BTreeSet::new(),
            scan_wanted: false,
            collect_until: None,
            scanned_at: Instant::now(),
            told_unfinished: BTreeSet::new(),
            has_unfinished: true,
            rests: false,
        };
        indexer.watch().await?;
        Ok(indexer)
    }

    /// Begins to watch, and scans: what happened before the watches stood was not seen.
    async fn watch(&mut self) -> Result<(), Error> {
        let (sender, changes) = unbounded_channel();
        let root = self.library.root().to_owned();
        let writers = self.library.writers().clone();
        // It lists every folder, and the one before it may still be at that.
        let before = self.watcher.take();
        let started = background(move || {
            drop(before);
            Watcher::start(&root, sender, writers)
        });
        self.pulse.expecting(QUIET);
        match started.await? {
            Ok(watcher) => {
                self.changes = changes;
                self.watcher = Some(watcher);
            }
            Err(problem) => tracing::warn!(task = "index", "{problem}"),
        }
        self.scan().await
    }

    async fn scan(&mut self) -> Result<(), Error> {
        self.scan_wanted = false;
        self.gone.clear();
        self.collect_until = None;
        // A first scan may take many minutes; each batch of it is a sign of life.
        self.pulse.expecting(QUIET);
        let scanned = self
            .library
            .scan(None, |_, _| self.pulse.expecting(QUIET))
            .await?;
        if scanned.away.is_none() {
            self.judge_sight().await?;
        }
        self.scanned_at = Instant::now();
        Ok(())
    }

    /// Says so if changes cannot be watched for, so that the library is polled.
    async fn judge_sight(&self) -> Result<(), Error> {
        let blind = match &self.watcher {
            Some(watcher) => watcher.blind(),
            None => Some("changes in the library cannot be watched for; it is polled".to_owned()),
        };
        let now = self.library.clock().now();
        self.library.flow().condition(WATCHER, blind, now).await
    }

    /// Takes a change and all that wait behind it.
    async fn take(&mut self, first: Change) -> Result<(), Error> {
        let mut looks = BTreeSet::new();
        let mut next = Some(first);
        let mut rescan = false;
        while let Some(change) = next {
            if let Some(watcher) = &self.watcher {
                watcher.took();
            }
            match change {
                Change::Look(path) => {
                    looks.insert(path);
                }
                // So many are left to a scan.
                Change::Gone(_) if self.gone.len() > MOST_GONE => self.scan_wanted = true,
                Change::Gone(path) => {
                    self.gone.insert(path);
                }
                Change::Metadata(_) => self.scan_wanted = true,
                Change::Rescan(reason) => {
                    tracing::info!(task = "index", "the library is scanned: {reason}");
                    rescan = true;
                }
            }
            next = if looks.len() < MOST_AT_ONCE {
                self.changes.try_recv().ok()
            } else {
                None
            };
        }
        if !looks.is_empty() {
            self.look(looks.into_iter().collect()).await?;
        }
        if rescan {
            return self.scan().await;
        }
        self.collect();
        Ok(())
    }

    /// Looks at these files. What vanished is collected with the deletions that were heard of, to be judged together.
    async fn look(&mut self, paths: Vec<String>) -> Result<(), Error> {
        let looked = self.library.look(paths).await?;
        self.gone.extend(looked.vanished);
        self.collect();
        Ok(())
    }

    /// Sees to it that what was collected is acted on.
    fn collect(&mut self) {
        if self.collect_until.is_none() && (self.scan_wanted || !self.gone.is_empty()) {
            self.collect_until = Some(Instant::now() + COLLECT);
        }
    }

    /// Acts on what was collected.
    async fn settle(&mut self) -> Result<(), Error> {
        self.collect_until = None;
        let gone: Vec<String> = std::mem::take(&mut self.gone).into_iter().collect();
        let too_many = !gone.is_empty() && self.library.forget_gone(gone).await?.is_none();
        if self.scan_wanted || too_many {
            self.scan().await?;
        }
        Ok(())
    }

    async fn tick(&mut self, is_news: bool) -> Result<(), Error> {
        self.library.tell_the_rest();
        let still = self.library.writers().forget_the_still();
        self.rests = !is_news && !self.rests;
        match &self.watcher {
            // Its thread has ended: whatever happened since was not heard.
            Some(_) if self.changes.is_closed() => return self.watch().await,
            // Without news every other beat is enough: it wakes the watcher.
            Some(_) if self.rests => {}
            Some(watcher) => watcher.check_root(),
            None => {
                let root = self.library.root().to_owned();
                if blocking(move || root_identity(&root).is_ok()).await? {
                    return self.watch().await;
                }
            }
        }
        let blind = self
            .watcher
            .as_ref()
            .is_none_or(|watcher| watcher.blind().is_some());
        let every = if blind { POLL_EVERY } else { SCAN_EVERY };
        // At the tick nearest to that time: just missed, it would be half a minute later.
        if self.scanned_at.elapsed() + TICK / 2 >= every {
            return self.scan().await;
        }
        // Written, and not closed: nobody will tell that this is all.
        for batch in still.chunks(MOST_AT_ONCE) {
            self.look(batch.to_vec()).await?;
        }
        if is_news || self.has_unfinished {
            self.look_at_unfinished().await?;
        }
        Ok(())
    }

    /// A file may have become whole without an event: through another link, or a mapping. Its stat tells so.
    async fn look_at_unfinished(&mut self) -> Result<(), Error> {
        let now = self.library.clock().now();
        let unfinished = self.library.flow().unfinished_files().await?;
        self.has_unfinished = !unfinished.is_empty();
        if !self.has_unfinished {
            self.told_unfinished.clear();
            return Ok(());
        }
        self.told_unfinished
            .retain(|path| unfinished.iter().any(|file| file.path == *path));
        for file in &unfinished {
            let waits = Duration::try_from(now.duration_since(file.since)).unwrap_or_default();
            if waits > UNFINISHED
                && self.told_unfinished.len() < MOST_TOLD
                && self.told_unfinished.insert(file.path.clone())
            {
                tracing::warn!(
                    task = "index",
                    "{} has been unfinished for {} minutes ({}); send it again",
                    file.path,
                    waits.as_secs() / 60,
                    file.reason
                );
            }
        }
        let root = self.library.root().to_owned();
        let changed: Vec<String> = blocking(move || {
            unfinished
                .into_iter()
                .filter(|file| {
                    let stat = Folder::root(&root).and_then(|root| root.stat(&file.path));
                    stat.map_or(true, |stat| file_stat(&stat) != file.stat)
                })
                .take(MOST_AT_ONCE)
                .map(|file| file.path)
                .collect()
        })
        .await?;
        if !changed.is_empty() {
            self.look(changed).await?;
        }
        Ok(())
    }
}

/// Rests until then; for ever, if there is no then.
async fn until(then: Option<Instant>) {
    match then {
        Some(then) => tokio::time::sleep_until(then).await,
        None => std::future::pending().await,
    }
}
