//! Where a SQLite file lies, and what can be wrong with the place: full, read-only, missing, damaged.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use super::*;

fn error_of(path: &Path) -> String {
    match Store::open_sqlite(path) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error @ (Error::Unavailable(_) | Error::Damaged(_))) => error.to_string(),
        Err(other) => panic!("{other:?}"),
    }
}

/// Fills the table of marks until there is no room; returns what is said then.
async fn fill(store: &Store) -> Error {
    for turn in 0..100_000 {
        let line = store
            .write_durably(move |tx| {
                tx.execute(
                    "INSERT INTO state (name, value) VALUES (?1, ?2)",
                    values![format!("{turn}"), "x".repeat(4000)],
                )
            })
            .await;
        if let Err(error) = line {
            return error;
        }
    }
    panic!("there is room without end");
}

async fn count_marks(store: &Store) -> u64 {
    store
        .read(|tx| tx.count("SELECT COUNT(*) FROM state", &[]))
        .await
        .expect("a look")
}

/// Closes a store and waits until it has let go of its file.
async fn closed(bed: Bed) -> tempfile::TempDir {
    let Bed { store, home, .. } = bed;
    drop(store);
    let journal = home.path().with_extension("db-wal");
    wait_for("the end of the store", async || !journal.exists()).await;
    match home {
        Home::Sqlite(folder) => folder,
        #[cfg(feature = "postgres")]
        Home::Postgres(_) => panic!("a server's database is in no folder"),
    }
}

/// Runs this very test once more where it may mount what it likes, with a small disk of its own; returns that disk's
/// folder there. Nothing in the first run, which has nothing else to do. Mounting takes root.
fn small_disk() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("STORYLINE_SMALL_DISK") {
        return Some(folder.into());
    }
    let folder = tempfile::tempdir().expect("a folder");
    let myself = std::env::current_exe().expect("the test's own file");
    let thread = std::thread::current();
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c"])
        .arg("mount -t tmpfs -o size=1m none \"$0\" && exec \"$@\"")
        .arg(folder.path())
        .arg(myself)
        .args(["--exact", thread.name().expect("the test's name")])
        .args(["--nocapture", "--include-ignored"])
        .env("STORYLINE_SMALL_DISK", folder.path())
        .output()
        .expect("`unshare`");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    None
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("missing");
    let path = missing.join("storyline.db");
    assert_eq!(
        error_of(&path),
        format!(
            "the database {} cannot be opened: there is no folder {}",
            path.display(),
            missing.display()
        )
    );
}

#[test]
fn a_folder_in_the_place_of_the_file_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(
        error_of(folder.path()),
        format!(
            "the database {} cannot be opened: it is a folder, and a file is needed",
            folder.path().display()
        )
    );
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("storyline.db");
    let letter = "Dear team, ".repeat(1000);
    std::fs::write(&path, &letter).expect("a letter");
    assert_eq!(
        error_of(&path),
        format!(
            "the database {} is no database, or damaged from its first byte on; if the path is right, keep the file and \
             restore a backup",
            path.display()
        )
    );
    assert_eq!(std::fs::read_to_string(&path).expect("the letter"), letter);
}

#[tokio::test]
async fn a_database_damaged_in_the_middle_says_so_and_stays_as_it_is() {
    let bed = Bed::sqlite().await;
    let team = bed.team;
    bed.write(move |tx| {
        (0..500).try_for_each(|seed| {
            ready_media(tx, team, &format!("memes/{seed}.jpg"), seed).map(drop)
        })
    })
    .await;
    let folder = closed(bed).await;
    let path = folder.path().join("storyline.db");
    let mut bytes = std::fs::read(&path).expect("the database");
    // The schema, in the first pages, is whole: it opens, and the damage shows when its place is read.
    let middle = bytes.len() / 2;
    for byte in bytes.iter_mut().skip(middle) {
        *byte = 0xa5;
    }
    std::fs::write(&path, &bytes).expect("the damage");
    let store = Store::open_sqlite(&path).expect("a store that still opens");
    for _ in 0..2 {
        let error = store
            .read(move |tx| media::list(tx, team, None))
            .await
            .expect_err("damage");
        assert_eq!(
            error.to_string(),
            format!(
                "the database {} is damaged (database disk image is malformed); stop the service, keep the file, and \
                 restore a backup",
                path.display()
            )
        );
    }
    assert!(bytes == std::fs::read(&path).expect("the database"));
}

#[tokio::test]
async fn a_database_that_may_not_grow_says_so_and_goes_on_when_it_may() {
    let bed = Bed::sqlite().await;
    let pages = |count: u64| sql(format!("PRAGMA max_page_count = {count}"));
    let few = pages(80);
    bed.write(move |tx| tx.query(few, &[])).await;
    let error = fill(&bed.store).await;
    assert_eq!(
        error.to_string(),
        format!(
            "the database {} cannot grow: its disk is full; remove what nobody needs (`df -h` tells how much is free); then it goes on by itself",
            bed.home.path().display()
        )
    );
    let before = count_marks(&bed.store).await;
    assert!(before > 0, "nothing of before is lost");
    let many = pages(10_000);
    bed.store
        .read(move |tx| tx.query(many, &[]))
        .await
        .expect("room");
    bed.write(|tx| state::note_time(tx, noon())).await;
    assert_eq!(count_marks(&bed.store).await, before + 1);
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_all_goes_on_when_there_is_room() {
    if !is_root() {
        eprintln!("not root: only the limit of pages was tried, not a full disk");
        return;
    }
    let Some(folder) = small_disk() else {
        return;
    };
    let ballast = folder.join("ballast");
    std::fs::write(&ballast, vec![1; 400_000]).expect("ballast");
    let path = folder.join("storyline.db");
    let store = Store::open_sqlite(&path).expect("a store");
    let error = fill(&store).await;
    assert_eq!(
        error.to_string(),
        format!(
            "the database {} cannot grow: its disk is full; remove what nobody needs (`df -h` tells how much is free); then it goes on by itself",
            path.display()
        )
    );
    let before = count_marks(&store).await;
    assert!(before > 0);
    std::fs::remove_file(ballast).expect("room");
    store
        .write_durably(|tx| state::note_time(tx, noon()))
        .await
        .expect("it goes on");
    assert_eq!(count_marks(&store).await, before + 1);
    let whole = store
        .read(|tx| {
            tx.first("PRAGMA integrity_check", &[])?
                .expect("a line")
                .cells()
                .text()
        })
        .await;
    assert_eq!(whole.expect("a check"), "ok");
}

#[tokio::test]
async fn a_disk_that_became_read_only_says_so_and_all_goes_on_when_it_is_not() {
    if !is_root() {
        eprintln!("not root: a read-only disk was not tried");
        return;
    }
    let Some(folder) = small_disk() else {
        return;
    };
    let path = folder.join("storyline.db");
    let remount = |how: &str| {
        let done = Command::new("mount")
            .args(["-o", &format!("remount,{how}")])
            .arg(&folder)
            .status()
            .expect("`mount`");
        assert!(done.success());
    };
    let store = Store::open_sqlite(&path).expect("a store");
    drop(store);
    let journal = path.with_extension("db-wal");
    wait_for("the end of the store", async || !journal.exists()).await;

    remount("ro");
    let shown = path.display();
    assert_eq!(
        error_of(&path),
        format!(
            "the database {shown} cannot be opened: this user may not write in {}, or its disk is read-only",
            folder.display()
        )
    );
    assert_eq!(
        error_of(&folder.join("new.db")),
        format!(
            "the database {0}/new.db cannot be opened: this user may not write in {0}, or its disk is read-only",
            folder.display()
        )
    );
    remount("rw");
    Store::open_sqlite(&path)
        .expect("a store")
        .write(|tx| state::note_time(tx, noon()))
        .await
        .expect("it goes on");
}

#[test]
fn a_folder_that_this_user_may_not_write_in_is_named() {
    use std::os::unix::fs::PermissionsExt;
    if is_root() {
        return; // Root may write anywhere; the read-only disk above is this test for root.
    }
    let folder = tempfile::tempdir().expect("a folder");
    let only_reading = std::fs::Permissions::from_mode(0o555);
    std::fs::set_permissions(folder.path(), only_reading).expect("its rights");
    let path = folder.path().join("storyline.db");
    assert_eq!(
        error_of(&path),
        format!(
            "the database {} cannot be opened: this user may not write in {}, or its disk is read-only",
            path.display(),
            folder.path().display()
        )
    );
}
