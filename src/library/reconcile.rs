//! What the folder holds and what the records say, brought together. The watcher only makes it fast; a scan finds whatever
//! the watcher could not see, and is what decides that something is gone.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::cache::Cache;
use super::compare::{BATCH, Gone, Ledger, Sight, batches, suspicion};
use super::crowd::Crowd;
use super::examiner::programs;
use super::heic;
use super::inspect::{BEING_WRITTEN, Inspector, NotSeen, really_gone};
use super::studio::is_empty;
use super::writers::Writers;
use crate::domain::audit::By;
use crate::domain::media::{FileStat, Finding, KnownFile, MOST_GONE_AT_ONCE, Sighting};
use crate::domain::run::Run;
use crate::flow::index::Indexed;
use crate::flow::{Error, Flow};
use crate::system::background::{background, blocking};
use crate::system::beneath::Folder;
use crate::system::clock::Clock;
use crate::system::lock::lock;

/// How many files on record are fetched at once.
const PAGE: u32 = 2_000;
/// The most paths that are asked for one by one.
const MOST_ASKED: usize = 1_000;

/// The library of a team, and its records.
#[derive(Clone)]
pub struct Library {
    flow: Flow,
    root: PathBuf,
    cache: Cache,
    clock: Clock,
    /// One that was used, so that its buffer need not be made again.
    inspector: Arc<Mutex<Option<Inspector>>>,
    writers: Writers,
    crowd: Crowd,
}

/// How a scan went.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Scanned {
    /// Files that lie in the library.
    pub files: usize,
    /// What was indexed because of it.
    pub indexed: Indexed,
    /// Why nothing was changed, if the library looks as if its disk were away.
    pub away: Option<String>,
}

/// What was seen at one go.
#[derive(Default)]
struct Seen {
    sightings: Vec<Sighting>,
    vanished: Vec<String>,
}

/// How a look at some files went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// What was indexed because of it.
    pub indexed: Indexed,
    /// The files that were not there.
    pub vanished: Vec<String>,
}

impl Library {
    /// The library at this root; what is made of its pictures is kept in this cache.
    #[must_use]
    pub fn new(flow: Flow, root: &Path, cache: Cache, clock: Clock) -> Self {
        Self {
            flow,
            root: root.to_owned(),
            cache,
            clock,
            inspector: Arc::default(),
            writers: Writers::new(root),
            crowd: Crowd::default(),
        }
    }

    /// Its root.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Who is at work in it, as its watcher hears.
    pub(super) fn writers(&self) -> &Writers {
        &self.writers
    }

    /// The verbs it feeds.
    #[must_use]
    pub fn flow(&self) -> &Flow {
        &self.flow
    }

    /// What was made of its pictures.
    #[must_use]
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// What its clock shows.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Walks the whole library and brings the records up to it. `progress` hears how many of the files to look at are done.
    /// `accepted_by` is who says that files were removed on purpose, however many are gone.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub async fn scan(
        &self,
        accepted_by: Option<By>,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Scanned, Error> {
        let started_at = self.clock.now();
        if heic::converter().is_some() {
            let reasons = [heic::NO_CONVERTER, heic::LATER, heic::CUT_OFF];
            self.flow.reasons_are_gone(reasons).await?;
        }
        self.flow.begin_anew(&programs()).await?;
        let mut ledger = self.ledger().await?;
        let (root, crowd) = (self.root.clone(), self.crowd.clone());
        let walked = blocking(move || Sight::of(&root, &mut ledger, &crowd).map(|it| (it, ledger)));
        let (sight, ledger) = match walked.await? {
            Ok(walked) => walked,
            Err(problem) => return self.away(problem.to_string()).await,
        };
        let gone = self.gone(&sight, &ledger).await?;
        let suspicion = suspicion(&self.root, sight.files, ledger.len(), &gone);
        if let Some(reason) = suspicion.filter(|_| accepted_by.is_none()) {
            return self.away(reason).await;
        }
        let gone = gone.paths;
        self.flow.library_away(None, started_at).await?;

        let (files, total) = (sight.files, sight.to_look_at);
        let overlooked = sight.overlooked + sight.more_problems;
        self.crowd.met(overlooked);
        let mut indexed = self.note_problems(&sight.problems).await?;
        let mut done = 0;
        let mut batches = batches(sight, ledger, &self.root, &self.crowd);
        while let Some(batch) = batches.recv().await {
            progress(done.min(total), total);
            done += batch.len();
            // Two at once: on a small board the disk is slower than a core, and there is more than one of those.
            let (one, other) = batch.split_at(batch.len().min(BATCH));
            let (one, other) =
                tokio::join!(self.inspect(one.to_vec()), self.inspect(other.to_vec()));
            // In the order in which they lie there: of two copies, the first is the place that counts.
            indexed = indexed.plus(self.remember(one?).await?.indexed);
            indexed = indexed.plus(self.remember(other?).await?.indexed);
        }
        progress(total, total);
        self.crowd.tell_the_rest();
        let overlooked = overlooked as u64 + indexed.overlooked;
        self.flow.note_overlooked(overlooked).await?;
        // Last: a file that was moved has its new place by now, and is missing at no moment. The disk may have gone away
        // since, or during the walk.
        let gone = match accepted_by {
            Some(_) => gone,
            None => self.really_gone(gone).await?,
        };
        if !gone.is_empty() {
            let now = self.clock.now();
            indexed = indexed.plus(self.flow.vanished(gone, accepted_by, now).await?);
        }
        if !indexed.is_nothing() {
            let detail = format!(
                "{files} files: {} new, {} known, {} unfinished, {} of no use, {} gone",
                indexed.new, indexed.known, indexed.waiting, indexed.unusable, indexed.gone
            );
            tracing::info!(task = "scan", "{detail}");
            let ended_at = self.clock.now();
            let run = Run {
                job: "scan".to_owned(),
                started_at,
                ended_at,
                error: None,
                detail,
            };
            self.flow.note_run(run).await?;
        }
        self.flow.nudges.plan.notify();
        Ok(Scanned {
            files,
            indexed,
            away: None,
        })
    }

    /// Looks at these files and remembers what was seen. That one was not seen is only told: many at once may be a disk.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub async fn look(&self, paths: Vec<String>) -> Result<Looked, Error> {
        let seen = self.inspect(paths).await?;
        self.remember(seen).await
    }

    /// All that is on record of the files.
    async fn ledger(&self) -> Result<Ledger, Error> {
        let mut ledger = Ledger::default();
        self.each_known(|path, known| ledger.add(&path, &known))
            .await?;
        ledger.sort();
        Ok(ledger)
    }

    /// Tells each file that is on record, a page at a time.
    async fn each_known(&self, mut tell: impl FnMut(String, KnownFile)) -> Result<(), Error> {
        let mut after = String::new();
        loop {
            let page = self.flow.known_files_after(after, PAGE).await?;
            let Some((last, _)) = page.last() else {
                return Ok(());
            };
            after = last.clone();
            page.into_iter().for_each(|(path, known)| tell(path, known));
        }
    }

    /// The files on record that the walk did not see.
    async fn gone(&self, sight: &Sight, ledger: &Ledger) -> Result<Gone, Error> {
        let mut gone = Gone::default();
        if !sight.is_complete(ledger) {
            self.each_known(|path, known| gone.add(path, &known, sight, ledger))
                .await?;
        }
        Ok(gone)
    }

    async fn inspect(&self, paths: Vec<String>) -> Result<Seen, Error> {
        let (root, shelf) = (self.root.clone(), Arc::clone(&self.inspector));
        let writers = self.writers.clone();
        let seen = background(move || {
            let shelf = || lock(&shelf);
            let used = shelf().take();
            let mut inspector = used.unwrap_or_else(|| Inspector::new(&root));
            let mut seen = Seen::default();
            for path in paths {
                match inspector.inspect(&path) {
                    Ok(mut sighting) => {
                        // Its structure says that it is whole, and whoever overwrites it in place that it is not yet.
                        let is_whole = matches!(sighting.finding, Finding::Whole(_));
                        if is_whole && writers.are_at_work_on(&path) {
                            sighting.finding = Finding::Waiting {
                                reason: BEING_WRITTEN.to_owned(),
                            };
                        }
                        seen.sightings.push(sighting);
                    }
                    Err(NotSeen::Vanished) => seen.vanished.push(path),
                    Err(NotSeen::Later(cause)) => {
                        tracing::warn!(task = "index", "{path} cannot be read now: {cause}")
                    }
                }
            }
            *shelf() = Some(inspector);
            seen
        });
        Ok(seen.await?)
    }

    async fn remember(&self, seen: Seen) -> Result<Looked, Error> {
        let mut fresh = Vec::with_capacity(seen.sightings.len());
        for sighting in seen.sightings {
            if self.is_news(&sighting).await? {
                self.crowd.tell(&sighting);
                fresh.push(sighting);
            }
        }
        let mut indexed = Indexed::default();
        if !fresh.is_empty() {
            indexed = self.index(fresh).await?;
        }
        Ok(Looked {
            indexed,
            vanished: seen.vanished,
        })
    }

    /// Forgets files that the watcher saw go, folders with all that was in them. Many at once are left to a scan, which can
    /// tell a person from a disk; then this returns nothing.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub async fn forget_gone(&self, paths: Vec<String>) -> Result<Option<Indexed>, Error> {
        if paths.len() > MOST_ASKED {
            return Ok(None);
        }
        let mut gone = Vec::new();
        for path in paths {
            gone.extend(self.flow.known_below(path).await?);
        }
        gone.sort();
        gone.dedup();
        let root = self.root.clone();
        let gone = blocking(move || {
            let root = Folder::root(&root);
            gone.retain(|path| root.as_ref().map_or(true, |root| root.stat(path).is_err()));
            gone
        })
        .await?;
        if gone.len() > MOST_GONE_AT_ONCE {
            return Ok(None);
        }
        self.forget(gone).await.map(Some)
    }

    async fn really_gone(&self, gone: Vec<String>) -> Result<Vec<String>, Error> {
        if gone.is_empty() {
            return Ok(gone);
        }
        let root = self.root.clone();
        Ok(blocking(move || really_gone(&root, gone)).await?)
    }

    /// Forgets these files, unless the library is away, or they are the last: an empty library is a disk that is away.
    pub(super) async fn forget(&self, gone: Vec<String>) -> Result<Indexed, Error> {
        let gone = self.really_gone(gone).await?;
        if gone.is_empty() {
            return Ok(Indexed::default());
        }
        if self.flow.count_files().await? <= gone.len() as u64 {
            // Only a scan may say so, with its alert.
            return Ok(Indexed::default());
        }
        self.flow.vanished(gone, None, self.clock.now()).await
    }

    /// Whether a sighting tells anything that is not on record: a file that still waits is not written again and again.
    async fn is_news(&self, sighting: &Sighting) -> Result<bool, Error> {
        let Finding::Waiting { .. } = sighting.finding else {
            return Ok(true);
        };
        let known = self.flow.known_file(sighting.path.clone()).await?;
        Ok(known.is_none_or(|known| !known.waiting || known.stat != sighting.stat))
    }

    /// What the walk could not look at is kept in view, with the reason.
    async fn note_problems(&self, problems: &[(String, String)]) -> Result<Indexed, Error> {
        let fresh = problems.iter().map(|(path, reason)| Sighting {
            path: path.clone(),
            stat: FileStat::default(),
            metadata_stamp: String::new(),
            finding: Finding::Unusable {
                reason: reason.clone(),
            },
        });
        let fresh: Vec<Sighting> = fresh.collect();
        if fresh.is_empty() {
            return Ok(Indexed::default());
        }
        fresh.iter().for_each(|sighting| self.crowd.tell(sighting));
        self.index(fresh).await
    }

    /// Remembers what was seen. What is of no use and more than is kept in view, is only known for that.
    async fn index(&self, sightings: Vec<Sighting>) -> Result<Indexed, Error> {
        let (indexed, overlooked) = self.flow.index_seen(sightings, self.clock.now()).await?;
        for one in overlooked {
            self.crowd.add(&one.path, one.stat, &one.metadata_stamp);
        }
        Ok(indexed)
    }

    /// Tells how many files were not told of by name.
    pub(super) fn tell_the_rest(&self) {
        self.crowd.tell_the_rest();
    }

    /// Why nothing should be put into the library now, if nothing should: its disk seems to be away.
    pub(super) async fn is_away(&self) -> Result<Option<String>, Error> {
        let root = self.root.clone();
        let is_empty = blocking(move || is_empty(&root)).await?;
        let is_told = self.flow.is_library_away().await?;
        let is_away = is_told || (is_empty && self.flow.count_files().await? > 0);
        Ok(is_away.then(|| {
            format!(
                "the library {} is empty or not there; is its disk connected and mounted?",
                self.root.display()
            )
        }))
    }

    async fn away(&self, reason: String) -> Result<Scanned, Error> {
        self.flow
            .library_away(Some(reason.clone()), self.clock.now())
            .await?;
        Ok(Scanned {
            files: 0,
            indexed: Indexed::default(),
            away: Some(reason),
        })
    }
}

#[cfg(test)]
#[path = "reconcile_tests.rs"]
mod tests;
