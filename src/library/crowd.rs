//! What is of no use and too much to be kept in view one by one. Any uploader may leave a million files that are no pictures:
//! the first are on record and told, of the others each is a number here, so that it is not looked at again until it changes.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::domain::media::{FileStat, Finding, Sighting};
use crate::system::lock::lock;

/// The most that are remembered; what is more is looked at with each scan.
const MOST: usize = 2_000_000;
/// How many are told by name in an hour; of the others, how many they were.
const NAMED: usize = 20;
/// How long it takes until so many are told by name again.
const WINDOW: Duration = Duration::from_secs(3600);

/// Files that are known for being of no use, though not on record. Clones share them, for as long as the process lives.
#[derive(Clone, Default)]
pub(super) struct Crowd {
    keys: RandomState,
    known: Arc<Mutex<HashSet<u64>>>,
    told: Arc<Mutex<Told>>,
}

/// What the log was told.
#[derive(Default)]
struct Told {
    since: Option<Instant>,
    named: usize,
    unnamed: u64,
}

impl Crowd {
    fn key(&self, path: &str, stat: FileStat, metadata_stamp: &str) -> u64 {
        let FileStat {
            size_bytes,
            modified_ns,
            changed_ns,
            inode,
        } = stat;
        let all = (
            path,
            size_bytes,
            modified_ns,
            changed_ns,
            inode,
            metadata_stamp,
        );
        self.keys.hash_one(all)
    }

    /// Whether a file is one of them, as it is.
    pub(super) fn holds(&self, path: &str, stat: FileStat, metadata_stamp: &str) -> bool {
        lock(&self.known).contains(&self.key(path, stat, metadata_stamp))
    }

    /// Takes in a file that is of no use.
    pub(super) fn add(&self, path: &str, stat: FileStat, metadata_stamp: &str) {
        let key = self.key(path, stat, metadata_stamp);
        let mut known = lock(&self.known);
        if known.len() < MOST {
            known.insert(key);
        }
    }

    /// A walk met so many of them. Where most are gone or are other ones by now, all are forgotten.
    pub(super) fn met(&self, count: usize) {
        let mut known = lock(&self.known);
        if known.len() > 2 * count + 10_000 {
            *known = HashSet::new();
        }
    }

    /// Tells of a file that was looked at: by name, as long as there are few.
    pub(super) fn tell(&self, sighting: &Sighting) {
        let path = &sighting.path;
        match &sighting.finding {
            Finding::Whole(content) => {
                let media = content.fingerprint;
                tracing::debug!(task = "index", %media, "{path} is whole");
                for problem in &content.metadata_problems {
                    if self.may_name() {
                        tracing::warn!(task = "index", %media, "{path}: {problem}");
                    }
                }
            }
            Finding::Waiting { reason } if self.may_name() => {
                tracing::info!(task = "index", "{path} is not whole yet: {reason}");
            }
            Finding::Unusable { reason } if self.may_name() => {
                tracing::warn!(task = "index", "{path} cannot be used: {reason}");
            }
            Finding::Waiting { .. } | Finding::Unusable { .. } => {}
        }
    }

    fn may_name(&self) -> bool {
        let mut told = lock(&self.told);
        if told.since.is_none_or(|since| since.elapsed() >= WINDOW) {
            told.since = Some(Instant::now());
            told.named = 0;
        }
        let may = told.named < NAMED;
        told.named += usize::from(may);
        told.unnamed += u64::from(!may);
        may
    }

    /// Tells how many were not told by name since the last time, if any were. To be called every little while.
    pub(super) fn tell_the_rest(&self) {
        let rest = std::mem::take(&mut lock(&self.told).unnamed);
        if rest > 0 {
            tracing::warn!(
                task = "index",
                "{rest} more files cannot be used, are not whole, or have metadata that cannot be read; `storyline check` \
                 tells what is wrong with the first of them"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn junk(number: usize, size_bytes: u64) -> Sighting {
        Sighting {
            path: format!("junk/{number}"),
            stat: FileStat {
                size_bytes,
                ..FileStat::default()
            },
            metadata_stamp: String::new(),
            finding: Finding::Unusable {
                reason: "no picture".to_owned(),
            },
        }
    }

    fn holds(crowd: &Crowd, junk: &Sighting) -> bool {
        crowd.holds(&junk.path, junk.stat, &junk.metadata_stamp)
    }

    #[test]
    fn a_file_is_one_of_them_until_it_changes_or_most_are_gone() {
        let crowd = Crowd::default();
        for one in (0..20_000).map(|number| junk(number, 1)) {
            crowd.add(&one.path, one.stat, "");
        }
        let clone = crowd.clone();
        assert!(holds(&clone, &junk(7, 1)));
        assert!(!holds(&clone, &junk(7, 2)), "it has changed");
        assert!(!holds(&clone, &junk(20_001, 1)));
        crowd.met(19_000);
        assert!(holds(&clone, &junk(7, 1)));
        crowd.met(100);
        assert!(!holds(&clone, &junk(7, 1)));
    }

    #[test]
    fn a_few_are_named_and_the_rest_is_counted() {
        let crowd = Crowd::default();
        (0..500).for_each(|number| crowd.tell(&junk(number, 1)));
        let told = || {
            let told = lock(&crowd.told);
            (told.named, told.unnamed)
        };
        assert_eq!(told(), (NAMED, 500 - NAMED as u64));
        crowd.tell_the_rest();
        assert_eq!(told(), (NAMED, 0));
    }
}
