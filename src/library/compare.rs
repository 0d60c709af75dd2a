//! What a walk saw beside what is on record: what is to be looked at, what is gone, and whether so much of it that a disk
//! seems to be away. Of each file on record two numbers are held and not its path: a library may have a million.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use tokio::sync::mpsc::{Receiver, channel};

use super::crowd::Crowd;
use super::walk::{Found, Met, RootProblem, is_hidden, visit, visit_at};
use crate::domain::media::{FileStat, KnownFile, looks_like_a_missing_disk};
use crate::system::aside::aside;
use crate::system::background::background;
use crate::system::beneath::Folder;

/// How many files are remembered in one transaction: enough to make it cheap, few enough that a press never waits for it.
pub(super) const BATCH: usize = 32;
/// The most paths that are held at once; of more, the folder is walked again.
const MOST_HELD: usize = 10_000;
/// The most of what a walk could not look at that is told one by one.
const MOST_PROBLEMS: usize = 1_000;

/// What is on record of each file, in two numbers.
#[derive(Default)]
pub(super) struct Ledger {
    keys: RandomState,
    rows: Vec<Row>,
}

struct Row {
    path: u64,
    /// How it was; zero, if it is to be looked at in any case.
    state: u64,
    is_seen: bool,
}

impl Ledger {
    /// Takes in a file; [`sort`](Self::sort) comes after the last.
    pub(super) fn add(&mut self, path: &str, known: &KnownFile) {
        let state = match known.waiting {
            true => 0,
            false => self.state(known.stat, &known.metadata_stamp),
        };
        self.rows.push(Row {
            path: self.keys.hash_one(path),
            state,
            is_seen: false,
        });
    }

    pub(super) fn sort(&mut self) {
        self.rows.sort_unstable_by_key(|row| row.path);
    }

    /// How many files are on record.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    fn state(&self, stat: FileStat, metadata_stamp: &str) -> u64 {
        let FileStat {
            size_bytes,
            modified_ns,
            changed_ns,
            inode,
        } = stat;
        let all = (size_bytes, modified_ns, changed_ns, inode, metadata_stamp);
        self.keys.hash_one(all) | 1
    }

    fn at(&self, path: &str) -> Option<usize> {
        let path = self.keys.hash_one(path);
        let found = self.rows.binary_search_by_key(&path, |row| row.path);
        found.ok()
    }

    /// Whether a file is on record at this path.
    pub(super) fn has(&self, path: &str) -> bool {
        self.at(path).is_some()
    }

    /// Whether a file is on record as it is.
    fn has_as_it_is(&self, found: &Found) -> bool {
        self.at(&found.path)
            .is_some_and(|at| self.rows[at].state == self.state(found.stat, &found.metadata_stamp))
    }

    fn see(&mut self, path: &str) {
        if let Some(at) = self.at(path) {
            self.rows[at].is_seen = true;
        }
    }

    /// How many files on record were not seen.
    fn unseen(&self) -> usize {
        self.rows.iter().filter(|row| !row.is_seen).count()
    }

    fn has_seen(&self, path: &str) -> bool {
        self.at(path).is_some_and(|at| self.rows[at].is_seen)
    }
}

/// What one walk saw, beside what is on record.
#[derive(Default)]
pub(super) struct Sight {
    /// Files that lie there.
    pub(super) files: usize,
    /// How many of them are to be looked at.
    pub(super) to_look_at: usize,
    /// Their paths; fewer, if there are too many to hold.
    pub(super) held: Vec<String>,
    /// How many are known for being of no use, though not on record.
    pub(super) overlooked: usize,
    /// What could not be looked at, and why: a path, escaped where it is no text.
    pub(super) problems: Vec<(String, String)>,
    /// How many more of those there are.
    pub(super) more_problems: usize,
    /// Paths at which files may lie though they could not be looked into.
    unseen: Vec<String>,
    /// Where what is to be looked at lies on its disk.
    inodes: HashSet<u64>,
}

impl Sight {
    /// Walks the library, and has the ledger know what was seen. Nothing is read but what a folder tells.
    pub(super) fn of(root: &Path, ledger: &mut Ledger, crowd: &Crowd) -> Result<Self, RootProblem> {
        let mut sight = Self::default();
        visit_at(root, |met| {
            sight.take(met, ledger, crowd);
            ControlFlow::Continue(())
        })?;
        Ok(sight)
    }

    fn take(&mut self, met: Met, ledger: &mut Ledger, crowd: &Crowd) {
        match met {
            Met::File(found) => {
                self.files += 1;
                ledger.see(&found.path);
                if ledger.has_as_it_is(&found) {
                    return;
                }
                if crowd.holds(&found.path, found.stat, &found.metadata_stamp) {
                    self.overlooked += 1;
                    return;
                }
                self.to_look_at += 1;
                if ledger.len() > 0 {
                    self.inodes.insert(found.stat.inode);
                }
                if self.held.len() < MOST_HELD {
                    self.held.push(found.path);
                }
            }
            Met::Problem(problem) => {
                ledger.see(&problem.path);
                if problem.may_hide {
                    if self.unseen.len() < MOST_PROBLEMS {
                        self.unseen.push(problem.path.clone());
                    } else {
                        // Too many to tell apart: anything may lie anywhere.
                        self.unseen[0] = String::new();
                    }
                }
                if ledger.has(&problem.path) {
                    return;
                }
                if crowd.holds(&problem.path, FileStat::default(), "") {
                    self.overlooked += 1;
                } else if self.problems.len() < MOST_PROBLEMS {
                    self.problems.push((problem.path, problem.reason));
                } else {
                    crowd.add(&problem.path, FileStat::default(), "");
                    self.more_problems += 1;
                }
            }
        }
    }

    /// Whether a file may be at this path although the walk did not find it: it, or a folder around it, could not be
    /// looked into. Such a file must not be taken for gone.
    fn may_hide(&self, path: &str) -> bool {
        is_hidden(&self.unseen, path)
    }

    /// Whether every file on record was seen.
    pub(super) fn is_complete(&self, ledger: &Ledger) -> bool {
        ledger.unseen() == 0
    }

    /// Whether all that is to be looked at is held.
    pub(super) fn holds_all(&self) -> bool {
        self.held.len() == self.to_look_at
    }
}

/// What is to be looked at, some files at a time: what the walk holds, or what another walk tells, where that is not all.
pub(super) fn batches(
    sight: Sight,
    ledger: Ledger,
    root: &Path,
    crowd: &Crowd,
) -> Receiver<Vec<String>> {
    let (sender, batches) = channel(2);
    let (root, crowd) = (root.to_owned(), crowd.clone());
    aside(async move {
        let told = background(move || {
            let mut batch = Vec::new();
            let mut tell = |path: String| {
                batch.push(path);
                let is_full = batch.len() == 2 * BATCH;
                if is_full && sender.blocking_send(std::mem::take(&mut batch)).is_err() {
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            };
            let told = if sight.holds_all() {
                let _ = sight.held.into_iter().try_for_each(&mut tell);
                Ok(())
            } else {
                drop(sight);
                look_again(&root, &ledger, &crowd, &mut tell)
            };
            // Nobody listens any more if the scan was given up.
            let _ = sender.blocking_send(batch);
            told
        });
        if let Ok(Err(cause)) = told.await {
            tracing::warn!(task = "index", "the rest is left to the next scan: {cause}");
        }
    });
    batches
}

/// Walks once more, and tells what is to be looked at, until nobody listens.
pub(super) fn look_again(
    root: &Path,
    ledger: &Ledger,
    crowd: &Crowd,
    mut tell: impl FnMut(String) -> ControlFlow<()>,
) -> io::Result<()> {
    visit(&Folder::root(root)?, &mut |met| match met {
        Met::File(found)
            if !ledger.has_as_it_is(&found)
                && !crowd.holds(&found.path, found.stat, &found.metadata_stamp) =>
        {
            tell(found.path)
        }
        _ => ControlFlow::Continue(()),
    })
}

/// The files on record that were not seen.
#[derive(Default)]
pub(super) struct Gone {
    /// Where they lay.
    pub(super) paths: Vec<String>,
    /// How many of them do not lie elsewhere in the library either.
    really: usize,
}

impl Gone {
    /// Takes in a file on record, if it was not seen, as far as the walk could see.
    pub(super) fn add(&mut self, path: String, known: &KnownFile, sight: &Sight, ledger: &Ledger) {
        if ledger.has_seen(&path) || sight.may_hide(&path) {
            return;
        }
        // What was only moved within the library is not gone.
        self.really += usize::from(!sight.inodes.contains(&known.stat.inode));
        self.paths.push(path);
    }
}

/// Why so much is gone that it looks like a disk that is away.
pub(super) fn suspicion(root: &Path, files: usize, known: usize, gone: &Gone) -> Option<String> {
    let root = root.display();
    let remedy = "Nothing was changed. Is its disk connected and mounted? If the files were removed on purpose, say so with \
                  `storyline media index --accept-missing`.";
    if files == 0 && known > 0 {
        return Some(format!(
            "The library {root} is empty, and {known} files were in it. {remedy}"
        ));
    }
    looks_like_a_missing_disk(known, gone.really).then(|| {
        format!(
            "{} of {known} files are gone from the library {root} at once. {remedy}",
            gone.really
        )
    })
}
