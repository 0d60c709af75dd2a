//! Who is at work: the files that were written to and not closed since. A picture that is overwritten in place has its
//! beginning and its end all the time, so its structure does not tell that its middle is half new; its writer does, by not
//! having closed it. Any look at it, by a scan above all, waits for that.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use notify::Event;
use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind, RenameMode};

use super::names;
use super::walk::relative;
use crate::system::beneath::split;
use crate::system::lock::lock;

/// After so long without a write a file is looked at although nobody closed it: some programs keep open what they wrote, and
/// `truncate(2)` writes without opening.
const STILL: Duration = Duration::from_secs(30);

/// The writers at work in one library. A clone tells the same.
#[derive(Clone, Debug)]
pub struct Writers {
    root: PathBuf,
    /// The last write to each file that was not closed since, by its path in the library.
    wrote: Arc<Mutex<HashMap<String, Instant>>>,
}

impl Writers {
    /// Nobody is at work yet in the library at this root.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        let absolute: io::Result<PathBuf> = std::path::absolute(root);
        Self {
            root: absolute.unwrap_or_else(|_| root.to_owned()),
            wrote: Arc::default(),
        }
    }

    /// Whether somebody writes to the file at this path in the library, as far as was heard.
    #[must_use]
    pub fn are_at_work_on(&self, path: &str) -> bool {
        let wrote = lock(&self.wrote);
        wrote.get(path).is_some_and(|last| last.elapsed() < STILL)
    }

    /// Forgets the writers that have been still for long, and tells the files, for a look. To be called every little while.
    pub(super) fn forget_the_still(&self) -> Vec<String> {
        let mut wrote = lock(&self.wrote);
        let is_still = |_: &String, last: &mut Instant| last.elapsed() >= STILL;
        wrote.extract_if(is_still).map(|(path, _)| path).collect()
    }

    /// Takes in an event, on the thread that tells of it: a few words for each write, whatever its size.
    pub(super) fn hear(&self, event: &Event) {
        if event.need_rescan() {
            lock(&self.wrote).clear();
            return;
        }
        let path = |index: usize| relative(&self.root, event.paths.get(index)?);
        let Some(first) = path(0) else {
            return;
        };
        match event.kind {
            EventKind::Modify(ModifyKind::Data(_)) => {
                let now = Instant::now();
                let mut wrote = lock(&self.wrote);
                match wrote.get_mut(first) {
                    Some(last) => *last = now,
                    None if is_of_no_interest(first) => {}
                    None => {
                        wrote.insert(first.to_owned(), now);
                    }
                }
            }
            // What is renamed to a place is another file than the one that was written there.
            EventKind::Access(AccessKind::Close(AccessMode::Write))
            | EventKind::Remove(_)
            | EventKind::Modify(ModifyKind::Name(RenameMode::To)) => {
                lock(&self.wrote).remove(first);
            }
            // Its writer goes with it.
            EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => {
                let mut wrote = lock(&self.wrote);
                let last = wrote.remove(first);
                if let (Some(last), Some(second)) = (last, path(1))
                    && !is_of_no_interest(second)
                {
                    wrote.insert(second.to_owned(), last);
                }
            }
            _ => {}
        }
    }
}

/// Whether a file at this path is no media, by its name.
fn is_of_no_interest(path: &str) -> bool {
    let (_, name) = split(path);
    names::is_passed_over(name) || names::is_metadata(name)
}

#[cfg(test)]
mod tests {
    use notify::event::{DataChange, RemoveKind};

    use super::*;

    const WRITTEN: EventKind = EventKind::Modify(ModifyKind::Data(DataChange::Any));
    const CLOSED: EventKind = EventKind::Access(AccessKind::Close(AccessMode::Write));

    fn heard(events: &[(EventKind, &[&str])]) -> Writers {
        let writers = Writers::new(Path::new("/library"));
        for (kind, paths) in events {
            let event = paths.iter().fold(Event::new(*kind), |event, path| {
                event.add_path(Path::new("/library").join(path))
            });
            writers.hear(&event);
        }
        writers
    }

    #[test]
    fn a_writer_is_at_work_from_its_first_write_until_it_closes() {
        let writers = heard(&[(WRITTEN, &["memes/cat.jpg"]), (WRITTEN, &["dog.jpg"])]);
        assert!(writers.are_at_work_on("memes/cat.jpg") && writers.are_at_work_on("dog.jpg"));
        assert!(!writers.are_at_work_on("cat.jpg"));
        let removed = EventKind::Remove(RemoveKind::File);
        for end in [CLOSED, removed] {
            let writers = heard(&[(WRITTEN, &["cat.jpg"]), (end, &["cat.jpg"])]);
            assert!(!writers.are_at_work_on("cat.jpg"), "{end:?}");
        }
        let writers = heard(&[(WRITTEN, &["a"]), (CLOSED, &["a"]), (WRITTEN, &["a"])]);
        assert!(writers.are_at_work_on("a"), "another has not closed it");
    }

    #[test]
    fn a_writer_goes_with_its_file_and_not_with_the_name() {
        let to = EventKind::Modify(ModifyKind::Name(RenameMode::To));
        let both = EventKind::Modify(ModifyKind::Name(RenameMode::Both));
        let writers = heard(&[(WRITTEN, &["a"]), (to, &["b"]), (both, &["a", "b"])]);
        assert!(writers.are_at_work_on("b") && !writers.are_at_work_on("a"));
        let writers = heard(&[(WRITTEN, &["b"]), (to, &["b"])]);
        assert!(!writers.are_at_work_on("b"));
    }
}
