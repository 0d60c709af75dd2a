//! Backups from the terminal, and the service where the database is damaged or gone.

use std::fs;

use crate::bench::Bench;

#[tokio::test]
async fn a_backup_is_made_listed_verified_and_restored() {
    let bench = Bench::with_media().await;
    let none = bench.type_in("backup list");
    assert!(
        none.stderr
            .contains("There is no backup in [box]/backups yet"),
        "{none:?}"
    );

    let made = bench.type_in("backup create --json").json();
    let name = made["name"].as_str().unwrap();
    assert!(name.ends_with("_manual"), "{made}");
    let listed = bench.type_in("backup list --json").json();
    assert_eq!(listed[0]["name"], name);
    assert_eq!(listed[0]["manifest"]["rows"]["media"], 4);
    let shown = bench.type_in("backup list");
    assert!(
        shown.stdout.contains("4 media, 0 ended stories, schema"),
        "{shown:?}"
    );
    let verified = bench.type_in(&format!("backup verify {name}"));
    assert_eq!(
        (verified.code, verified.stderr.contains("it is whole")),
        (0, true)
    );

    bench.type_in("pause");
    let refused = bench.type_in("backup restore latest");
    assert_eq!(refused.code, 1);
    assert!(
        refused.stderr.contains("there is a database at [box]/s.db"),
        "{refused:?}"
    );
    assert!(refused.stderr.contains("--force"), "{refused:?}");
    let restored = bench.type_in("backup restore latest --force");
    assert_eq!(restored.code, 0, "{restored:?}");
    assert!(
        restored.stderr.contains("kept: [box]/s.db.replaced-"),
        "{restored:?}"
    );
    // It was not paused then.
    let again = bench.type_in("pause");
    assert!(again.stderr.contains("The plan is paused"), "{again:?}");
    assert_eq!(
        bench
            .type_in("media list --json")
            .json()
            .as_array()
            .unwrap()
            .len(),
        4
    );

    let unknown = bench.type_in("backup verify nothing");
    assert_eq!(unknown.code, 3);
    assert!(
        unknown.stderr.contains("there is no backup `nothing`"),
        "{unknown:?}"
    );
}

#[tokio::test]
async fn nothing_is_restored_under_the_service() {
    let bench = Bench::with_media().await;
    let _serving = bench.serve();
    assert_eq!(bench.type_in("backup create").code, 0);
    let refused = bench.type_in("backup restore latest --force");
    assert_eq!(refused.code, 69, "{refused:?}");
    assert!(
        refused.stderr.contains("systemctl stop storyline"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_box_that_never_ran_has_nothing_to_back_up() {
    let bench = Bench::new();
    let refused = bench.type_in("backup create");
    assert_eq!(refused.code, 69, "{refused:?}");
    assert!(
        refused.stderr.contains("there is no database"),
        "{refused:?}"
    );
    assert!(!bench.root().join("backups").exists());
}

/// It says what is wrong and what would help, makes no new one, and begins by itself when there is one that works.
#[tokio::test]
async fn where_the_database_is_damaged_the_service_stays_and_waits_for_a_restore() {
    let bench = Bench::with_media().await;
    let made = bench.type_in("backup create --json").json();
    let name = made["name"].as_str().unwrap();
    let mut bytes = fs::read(bench.database()).unwrap();
    // All pages but the first.
    bytes[4096..].fill(0x5a);
    fs::write(bench.database(), &bytes).unwrap();
    for file in ["s.db-wal", "s.db-shm"] {
        let _ = fs::remove_file(bench.root().join(file));
    }

    let serving = bench.serve_ill();
    bench.wait_for("it says what is wrong", || {
        let log = serving.log();
        log.contains("is damaged")
            && log.contains(&format!("storyline backup restore {name} --force"))
    });
    assert_eq!(fs::read(bench.database()).unwrap(), bytes, "it was written");
    let restored = bench.type_in("backup restore latest --force");
    assert_eq!(restored.code, 0, "{restored:?}");
    bench.wait_for("it is at work", || serving.log().contains("is at work"));
}

/// A program of before does not touch what a newer one wrote, and names the backup from before.
#[tokio::test]
async fn where_the_database_is_newer_the_service_names_the_way_back() {
    let bench = Bench::with_media().await;
    let made = bench.type_in("backup create --json").json();
    let name = made["name"].as_str().unwrap();
    let database = rusqlite::Connection::open(bench.database()).unwrap();
    database
        .execute_batch(
            "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
             VALUES (999, 'future', '2030-01-01T00:00:00Z', '1')",
        )
        .unwrap();
    drop(database);
    assert_eq!(
        bench.type_in("backup create").code,
        0,
        "a copy of it can be made"
    );
    let serving = bench.serve_ill();
    bench.wait_for("it names the backup of before", || {
        let log = serving.log();
        log.contains("schema version 999") && log.contains(&format!("restore {name} --force"))
    });
}

/// Whoever deletes all files in the state folder deletes the lock too; the folder of the backups tells that there was one.
#[tokio::test]
async fn where_nothing_is_left_of_the_database_none_is_made_in_silence() {
    let bench = Bench::with_media().await;
    drop(bench.serve());
    let trace = bench.root().join("backups/.storyline-database");
    let told = fs::read_to_string(&trace).unwrap();
    for file in ["s.db", "s.db-wal", "s.db-shm", "s.db.lock"] {
        let _ = fs::remove_file(bench.root().join(file));
    }
    let asked = bench.type_in("media list");
    assert_eq!(asked.code, 69, "{asked:?}");
    assert!(asked.stderr.contains("was there and is gone"), "{asked:?}");
    let serving = bench.serve_ill();
    bench.wait_for("it says that one is missing", || {
        serving.log().contains("s.db was there and is gone")
    });
    assert!(!bench.database().exists(), "an empty one was made");

    // On purpose, it is as the file itself says.
    assert!(told.contains("delete both this file and"), "{told}");
    fs::remove_file(&trace).unwrap();
    let _ = fs::remove_file(bench.root().join("s.db.lock"));
    bench.wait_for("it begins anew", || serving.log().contains("is at work"));
}
