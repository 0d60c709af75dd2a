use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use notify::ErrorKind;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;

/// A library that is watched, and what was heard of it.
struct Watched {
    above: tempfile::TempDir,
    watcher: Option<Watcher>,
    changes: UnboundedReceiver<Change>,
    heard: Vec<Change>,
}

fn watched(prepare: impl FnOnce(&Path)) -> Watched {
    let above = tempfile::tempdir().unwrap();
    let root = above.path().join("library");
    fs::create_dir(&root).unwrap();
    prepare(&root);
    let (sender, changes) = unbounded_channel();
    let watcher = Watcher::start(&root, sender, Writers::new(&root)).unwrap();
    assert_eq!(watcher.blind(), None);
    Watched {
        above,
        watcher: Some(watcher),
        changes,
        heard: Vec::new(),
    }
}

impl Watched {
    fn path(&self, path: &str) -> PathBuf {
        self.above.path().join("library").join(path)
    }

    fn outside(&self, path: &str) -> PathBuf {
        self.above.path().join(path)
    }

    fn hear(&mut self) {
        while let Ok(change) = self.changes.try_recv() {
            self.heard.push(change);
        }
    }

    #[track_caller]
    fn until(&mut self, what: &str, mut is_so: impl FnMut(&[Change]) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(15);
        loop {
            self.hear();
            if is_so(&self.heard) {
                return;
            }
            assert!(Instant::now() < deadline, "{what}; heard {:?}", self.heard);
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[track_caller]
    fn until_heard(&mut self, change: &Change) {
        self.until(&format!("{change:?} is not heard"), |heard| {
            heard.contains(change)
        });
    }

    /// Everything that was heard up to now, for sure: a last file is written, and heard of.
    #[track_caller]
    fn everything(&mut self) -> Vec<Change> {
        let last = format!("last-{}.jpg", self.heard.len());
        fs::write(self.path(&last), b"x").unwrap();
        self.until_heard(&look(&last));
        let mut heard = std::mem::take(&mut self.heard);
        heard.retain(|change| *change != look(&last));
        // A file may be heard of when it is created and when it is closed.
        heard.dedup();
        heard
    }
}

fn look(path: &str) -> Change {
    Change::Look(path.to_owned())
}

fn gone(path: &str) -> Change {
    Change::Gone(path.to_owned())
}

#[test]
fn a_copied_file_is_heard_of_when_its_writer_closes_it() {
    let mut library = watched(|root| fs::create_dir(root.join("memes")).unwrap());
    fs::write(library.outside("cat.jpg"), vec![7; 300_000]).unwrap();
    fs::copy(library.outside("cat.jpg"), library.path("memes/cat.jpg")).unwrap();
    library.until_heard(&look("memes/cat.jpg"));
    assert!(library.everything().len() <= 3);
}

#[test]
fn a_slow_writer_is_heard_of_at_the_end_and_not_at_each_write() {
    let mut library = watched(|_| {});
    let mut file = File::create(library.path("slow.jpg")).unwrap();
    for _ in 0..200 {
        file.write_all(&[1; 1000]).unwrap();
        thread::sleep(Duration::from_micros(200));
    }
    assert!(library.everything().len() <= 1, "it is not closed yet");
    drop(file);
    library.until_heard(&look("slow.jpg"));
    assert_eq!(library.everything(), [look("slow.jpg")]);
}

#[test]
fn a_rename_into_place_is_heard_of_and_the_temporary_name_is_not() {
    let mut library = watched(|_| {});
    fs::write(library.path(".cat.jpg.Xy12ab"), b"x").unwrap();
    fs::rename(library.path(".cat.jpg.Xy12ab"), library.path("cat.jpg")).unwrap();
    assert_eq!(library.everything(), [look("cat.jpg")]);
    fs::write(library.outside("dog.jpg"), b"x").unwrap();
    fs::rename(library.outside("dog.jpg"), library.path("dog.jpg")).unwrap();
    assert_eq!(library.everything(), [look("dog.jpg")]);
}

#[test]
fn folders_made_and_filled_in_a_burst_lose_no_file() {
    let mut library = watched(|_| {});
    for number in 0..200 {
        let folder = format!("{number}/s/t/u");
        fs::create_dir_all(library.path(&folder)).unwrap();
        fs::write(library.path(&format!("{folder}/cat.jpg")), b"x").unwrap();
    }
    for number in 0..200 {
        library.until_heard(&look(&format!("{number}/s/t/u/cat.jpg")));
    }
}

#[test]
fn every_file_of_a_folder_moved_in_is_heard_of_and_later_ones_too() {
    let mut library = watched(|_| {});
    fs::create_dir_all(library.outside("new/deep")).unwrap();
    fs::write(library.outside("new/a.jpg"), b"x").unwrap();
    fs::write(library.outside("new/deep/b.jpg"), b"x").unwrap();
    fs::rename(library.outside("new"), library.path("new")).unwrap();
    library.until_heard(&look("new/a.jpg"));
    library.until_heard(&look("new/deep/b.jpg"));
    fs::write(library.path("new/deep/c.jpg"), b"x").unwrap();
    library.until_heard(&look("new/deep/c.jpg"));
}

#[test]
fn a_renamed_folder_is_gone_under_its_old_name_and_heard_of_under_its_new_one() {
    let mut library = watched(|root| {
        fs::create_dir_all(root.join("memes/deep")).unwrap();
        fs::write(root.join("memes/deep/a.jpg"), b"x").unwrap();
    });
    fs::rename(library.path("memes"), library.path("jokes")).unwrap();
    library.until_heard(&gone("memes"));
    library.until_heard(&look("jokes/deep/a.jpg"));
    fs::write(library.path("jokes/deep/b.jpg"), b"x").unwrap();
    library.until_heard(&look("jokes/deep/b.jpg"));
    fs::rename(library.path("jokes"), library.path("memes")).unwrap();
    library.until_heard(&gone("jokes"));
    fs::write(library.path("memes/deep/c.jpg"), b"x").unwrap();
    library.until_heard(&look("memes/deep/c.jpg"));
}

#[test]
fn a_folder_replaced_at_once_is_gone_and_looked_at_again() {
    let mut library = watched(|root| {
        fs::create_dir(root.join("memes")).unwrap();
        fs::write(root.join("memes/old.jpg"), b"x").unwrap();
    });
    for round in 0..30 {
        fs::remove_dir_all(library.path("memes")).unwrap();
        fs::create_dir(library.path("memes")).unwrap();
        fs::write(library.path(&format!("memes/{round}.jpg")), b"x").unwrap();
        library.until_heard(&look(&format!("memes/{round}.jpg")));
    }
    let heard = library.everything();
    let last_gone = heard.iter().rposition(|change| *change == gone("memes"));
    let last_look = heard
        .iter()
        .rposition(|change| *change == look("memes/29.jpg"));
    assert!(last_gone < last_look, "{heard:?}");
}

#[test]
fn a_hard_link_and_a_deletion_are_heard_of() {
    let mut library = watched(|root| fs::write(root.join("cat.jpg"), b"x").unwrap());
    fs::hard_link(library.path("cat.jpg"), library.path("dog.jpg")).unwrap();
    library.until_heard(&look("dog.jpg"));
    fs::remove_file(library.path("cat.jpg")).unwrap();
    library.until_heard(&gone("cat.jpg"));
}

#[test]
fn a_json_is_heard_of_as_metadata_of_its_folder() {
    let mut library = watched(|root| fs::create_dir(root.join("memes")).unwrap());
    fs::write(library.path("memes/cat.json"), b"{}").unwrap();
    assert_eq!(library.everything(), [Change::Metadata("memes".to_owned())]);
    fs::remove_file(library.path("memes/cat.json")).unwrap();
    assert_eq!(library.everything(), [Change::Metadata("memes".to_owned())]);
    fs::write(library.path("metadata.json"), b"{}").unwrap();
    library.until_heard(&Change::Metadata(String::new()));
}

#[test]
fn a_file_that_gets_other_rights_is_looked_at() {
    use std::os::unix::fs::PermissionsExt;
    let mut library = watched(|root| fs::write(root.join("cat.jpg"), b"x").unwrap());
    let open = fs::Permissions::from_mode(0o600);
    fs::set_permissions(library.path("cat.jpg"), open).unwrap();
    library.until_heard(&look("cat.jpg"));
}

#[test]
fn a_root_that_goes_and_comes_back_is_to_be_walked_and_is_watched_again() {
    let mut library = watched(|root| fs::create_dir(root.join("memes")).unwrap());
    for away in ["removed", "renamed"] {
        let is_rescan = |change: &Change| matches!(change, Change::Rescan(_));
        if away == "removed" {
            fs::remove_dir_all(library.path("")).unwrap();
        } else {
            fs::rename(library.path(""), library.outside("elsewhere")).unwrap();
        }
        library.until(away, |heard| heard.iter().any(is_rescan));
        library.heard.clear();
        fs::create_dir(library.path("")).unwrap();
        library.watcher.as_ref().unwrap().check_root();
        library.until("come back", |heard| heard.iter().any(is_rescan));
        // Again and again: late word of the old root makes the watcher begin anew once more, which tells of a walk instead.
        let cat = library.path("cat.jpg");
        library.until("watched again", |heard| {
            fs::write(&cat, b"x").unwrap();
            heard.contains(&look("cat.jpg"))
        });
        library.heard.clear();
    }
}

#[test]
fn a_folder_passed_over_is_not_entered() {
    let mut library = watched(|root| fs::create_dir(root.join("@eaDir")).unwrap());
    fs::create_dir_all(library.path(".stversions/memes")).unwrap();
    fs::write(library.path(".stversions/memes/cat.jpg"), b"x").unwrap();
    fs::write(library.path("@eaDir/cat.jpg"), b"x").unwrap();
    assert_eq!(library.everything(), []);
}

#[test]
fn a_watcher_that_is_dropped_ends() {
    let mut library = watched(|_| {});
    library.watcher = None;
    library.hear();
    assert!(library.changes.is_closed());
}

#[test]
fn a_missing_root_cannot_be_watched() {
    let above = tempfile::tempdir().unwrap();
    let (sender, _changes) = unbounded_channel();
    let gone = above.path().join("gone");
    let started = Watcher::start(&gone, sender, Writers::new(&gone));
    assert!(matches!(
        started,
        Err(WatchProblem::Root(RootProblem::Missing(_)))
    ));
}

#[test]
fn after_an_overflow_the_library_is_to_be_walked_and_is_still_watched() {
    let mut library = watched(|root| fs::create_dir(root.join("memes")).unwrap());
    let overflow = Event::new(EventKind::Other).set_flag(notify::event::Flag::Rescan);
    let watcher = library.watcher.as_ref().unwrap();
    watcher.inbox.event(Ok(overflow));
    library.until("a rescan", |heard| {
        heard
            .iter()
            .any(|change| matches!(change, Change::Rescan(_)))
    });
    fs::write(library.path("memes/cat.jpg"), b"x").unwrap();
    library.until_heard(&look("memes/cat.jpg"));
}

#[test]
fn out_of_watches_the_library_is_to_be_walked_and_the_watcher_says_that_it_is_blind() {
    let mut library = watched(|_| {});
    let watcher = library.watcher.as_ref().unwrap();
    let problem = notify::Error::new(ErrorKind::MaxFilesWatch);
    watcher.inbox.event(Err(problem));
    library.until_heard(&Change::Rescan("out of watches".to_owned()));
    let blind = library.watcher.as_ref().unwrap().blind().unwrap();
    assert!(blind.contains("max_user_watches"), "{blind}");
    fs::write(library.path("cat.jpg"), b"x").unwrap();
    library.until_heard(&look("cat.jpg"));
}
