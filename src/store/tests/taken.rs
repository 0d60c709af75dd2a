//! A database whose files are taken away, replaced or emptied under whoever works with it.

use std::fs;
use std::path::Path;

use super::*;

/// A store on a file, with marks that are in the file itself and one that was only written ahead.
async fn at_work(folder: &Path) -> (Store, PathBuf) {
    let path = folder.join("storyline.db");
    let store = Store::open_sqlite(&path).expect("a store");
    let other = rusqlite::Connection::open(&path).expect("the database");
    other
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .expect("all of it in one file");
    drop(other);
    mark(&store, "one").await.expect("a mark");
    (store, path)
}

async fn mark(store: &Store, name: &'static str) -> Result<u64> {
    store
        .write_durably(move |tx| {
            tx.execute(
                "INSERT INTO state (name, value) VALUES (?1, 'x')",
                values![name],
            )
        })
        .await
}

async fn has(store: &Store, name: &'static str) -> Result<bool> {
    let found = store
        .read(move |tx| tx.count("SELECT COUNT(*) FROM state WHERE name = ?1", values![name]))
        .await;
    Ok(found? > 0)
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

async fn must_be_lost(store: &Store, why: &str) {
    for _ in 0..2 {
        for told in [
            mark(store, "two").await.err(),
            has(store, "one").await.err(),
        ] {
            let told = told.expect("a database that is lost");
            assert!(matches!(told, Error::Lost(_)), "{told:?}");
            assert!(told.to_string().contains(why), "{told}");
        }
    }
}

#[tokio::test]
async fn one_that_is_deleted_takes_nothing_more_and_is_not_made_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, path) = at_work(folder.path()).await;
    assert!(store.claim().await.expect("a claim"));
    fs::remove_file(&path).expect("a database");
    must_be_lost(&store, "was deleted, moved away or replaced").await;
    assert!(!path.exists());
    let anew = Store::open_sqlite(&path)
        .err()
        .expect("no new one in silence");
    assert!(anew.to_string().contains("was there and is gone"), "{anew}");
}

/// Whoever deletes all that lies there, deletes the lock too, by which the loss would be known.
#[tokio::test]
async fn one_that_is_deleted_with_its_lock_is_known_to_have_been_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, path) = at_work(folder.path()).await;
    assert!(store.claim().await.expect("a claim"));
    for end in ["", "-wal", "-shm", ".lock"] {
        fs::remove_file(beside(&path, end)).expect("a file");
    }
    must_be_lost(&store, "was deleted").await;
    let anew = Store::open_sqlite(&path)
        .err()
        .expect("no new one in silence");
    assert!(anew.to_string().contains("was there and is gone"), "{anew}");
}

/// The press that is on its way when it happens is not acknowledged.
#[tokio::test]
async fn what_is_committed_into_a_file_that_is_gone_is_not_done() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, path) = at_work(folder.path()).await;
    let gone = path.clone();
    let told = store
        .write_durably(move |tx| {
            fs::remove_file(&gone).expect("a database");
            tx.execute("INSERT INTO state (name, value) VALUES ('two', 'x')", &[])
        })
        .await;
    assert!(matches!(told, Err(Error::Lost(_))), "{told:?}");
}

#[tokio::test]
async fn one_that_is_moved_away_and_put_back_has_lost_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, path) = at_work(folder.path()).await;
    let away = folder.path().join("away.db");
    fs::rename(&path, &away).expect("another name");
    must_be_lost(&store, "was deleted, moved away or replaced").await;
    fs::rename(&away, &path).expect("its name");
    must_be_lost(&store, "was deleted, moved away or replaced").await;
    let anew = Store::open_sqlite(&path).expect("a store");
    assert!(has(&anew, "one").await.expect("a look"));
}

/// What was written ahead of the one of before would be taken for the new one's.
#[tokio::test]
async fn one_that_takes_its_place_is_left_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, path) = at_work(folder.path()).await;
    let other = folder.path().join("other.db");
    let prepared = Store::open_sqlite(&other).expect("another");
    mark(&prepared, "other").await.expect("a mark");
    drop(prepared);
    wait_for("its end", async || !beside(&other, "-wal").exists()).await;
    fs::rename(&other, &path).expect("its place");
    must_be_lost(&store, "replaced").await;
    let anew = Store::open_sqlite(&path).expect("a store");
    assert!(has(&anew, "other").await.expect("a look"));
    assert!(!has(&anew, "one").await.expect("a look"));
    Store::look_through(&path).expect("a whole one");
}

#[tokio::test]
async fn one_that_is_emptied_or_cut_off_takes_nothing_more() {
    for half in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, path) = at_work(folder.path()).await;
        let file = fs::File::options().write(true).open(&path).expect("it");
        let length = file.metadata().expect("its length").len();
        let left = if half { length / 2 } else { 0 };
        file.set_len(left).expect("less");
        must_be_lost(&store, "was emptied or cut off").await;
        drop(store);
        assert_eq!(file.metadata().expect("its length").len(), left);
    }
}

#[tokio::test]
async fn one_that_is_rewritten_by_its_owner_is_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, path) = at_work(folder.path()).await;
    store
        .write(|tx| {
            for number in 0..500 {
                let name = format!("{number}");
                tx.execute(
                    "INSERT INTO state (name, value) VALUES (?1, ?2)",
                    values![name, "x".repeat(1000)],
                )?;
            }
            tx.execute("DELETE FROM state WHERE name <> 'one'", &[])
        })
        .await
        .expect("a large one");
    let length = || fs::metadata(&path).expect("it").len();
    let owner = rusqlite::Connection::open(&path).expect("the database");
    owner
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .expect("all of it in one file");
    assert!(has(&store, "one").await.expect("a look"));
    let before = length();
    owner
        .execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")
        .expect("a shorter one");
    assert!(length() < before, "{} {before}", length());
    assert!(has(&store, "one").await.expect("a look"));
    mark(&store, "two").await.expect("a mark");
}

#[tokio::test]
async fn what_lies_beside_it_is_missed_and_nothing_in_it_is_lost() {
    for end in ["-wal", "-shm"] {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, path) = at_work(folder.path()).await;
        fs::remove_file(beside(&path, end)).expect("what lies beside");
        must_be_lost(&store, "lost a file beside it").await;
        let anew = Store::open_sqlite(&path).expect("a store");
        assert!(has(&anew, "one").await.expect("a look"), "{end}");
        mark(&anew, "two").await.expect("a mark");
        Store::look_through(&path).expect("a whole one");
    }
}

#[tokio::test]
async fn a_lock_that_is_deleted_lets_no_other_daemon_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, path) = at_work(folder.path()).await;
    assert!(store.claim().await.expect("a claim"));
    fs::remove_file(beside(&path, ".lock")).expect("a lock");
    mark(&store, "two").await.expect("it goes on");
    let other = Store::open_sqlite(&path).expect("a second store");
    assert!(!other.claim().await.expect("no claim"));
    assert!(other.is_claimed().await.expect("a claim"));

    // Where the other one was faster, the first does nothing more.
    fs::remove_file(beside(&path, ".lock")).expect("a lock");
    assert!(other.claim().await.expect("a claim"));
    let told = mark(&store, "three").await.expect_err("two of them");
    assert!(told.to_string().contains("another storyline"), "{told}");
    mark(&other, "three").await.expect("the other one works");
}

#[tokio::test]
async fn what_is_no_file_beside_it_holds_nobody_up_and_is_named() {
    for end in ["", "-wal", "-shm", "-journal"] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("storyline.db");
        let pipe = beside(&path, end);
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.expect("mkfifo").success());
        let told = [
            Store::open_sqlite(&path).err(),
            Store::look_over(&path).err(),
            Store::look_through(&path).err(),
        ];
        for told in told {
            let told = told.expect("a pipe").to_string();
            let named = format!("{} is a pipe", pipe.display());
            assert!(told.contains(&named), "{told}");
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("storyline.db");
    fs::write(folder.path().join("other"), "other").expect("a file");
    for end in ["-wal", "-shm", "-journal"] {
        let second = beside(&path, end);
        fs::hard_link(folder.path().join("other"), &second).expect("a second name");
        let told = Store::open_sqlite(&path).err().expect("a second name");
        assert!(told.to_string().contains("second name"), "{told}");
        fs::remove_file(&second).expect("it");
    }
    // A lock that is a link, or a second name, locks nothing.
    let store = Store::open_sqlite(&path).expect("a store");
    let lock = beside(&path, ".lock");
    std::os::unix::fs::symlink(folder.path().join("other"), &lock).expect("a link");
    let told = store.claim().await.expect_err("a link").to_string();
    assert!(told.contains("it is a link; remove it"), "{told}");
    fs::remove_file(&lock).expect("it");
    fs::hard_link(folder.path().join("other"), &lock).expect("a second name");
    store.claim().await.expect_err("a second name");
    store.is_claimed().await.expect_err("a second name");
}
