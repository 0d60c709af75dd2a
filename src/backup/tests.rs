use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use jiff::SignedDuration;
use rusqlite::Connection;

use super::*;
use crate::store::Store;

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

/// A box with a database, and a place for its backups.
pub(super) struct Box {
    folder: TempDir,
    pub(super) backups: Backups,
}

impl Box {
    pub(super) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("storyline.toml");
        fs::write(&settings, "# the settings\n").unwrap();
        let database = folder.path().join("storyline.db");
        drop(Store::open_sqlite(&database).unwrap());
        let backups = Backups::new(folder.path().join("backups"), database, Some(settings), 30);
        let new = Self { folder, backups };
        new.note("first");
        new
    }

    pub(super) fn database(&self) -> &Path {
        self.backups.database()
    }

    pub(super) fn note(&self, value: &str) {
        let connection = Connection::open(self.database()).unwrap();
        connection
            .execute(
                "INSERT OR REPLACE INTO state (name, value) VALUES ('test', ?1)",
                [value],
            )
            .unwrap();
    }

    /// Enough rows that the database has pages of its own for them.
    pub(super) fn fill(&self) {
        let connection = Connection::open(self.database()).unwrap();
        connection
            .execute_batch(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
                 INSERT INTO state (name, value) SELECT 'row ' || i, hex(randomblob(40)) FROM n;
                 PRAGMA wal_checkpoint(TRUNCATE);",
            )
            .unwrap();
    }

    pub(super) fn noted(path: &Path) -> String {
        Connection::open(path)
            .unwrap()
            .query_one("SELECT value FROM state WHERE name = 'test'", [], |row| {
                row.get(0)
            })
            .unwrap()
    }

    fn in_folder(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.backups.folder())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// Writes over the middle of a file.
fn damage(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8192].fill(0x5a);
    fs::write(path, bytes).unwrap();
}

#[test]
fn what_was_there_comes_back_and_what_it_replaces_is_kept() {
    let the = Box::new();
    // Somebody works with it meanwhile, and has not brought everything into the file itself.
    let service = Connection::open(the.database()).unwrap();
    the.note("of that time");
    let made = the.backups.create(Reason::Manual, NOW).unwrap();
    assert_eq!(made.name, "2027-01-15T080000Z_manual");
    assert_eq!(the.backups.verify(&made).unwrap().count("state"), 1);
    the.note("later");
    drop(service);

    let refused = the.backups.restore(&made, false, NOW).unwrap_err();
    assert!(matches!(refused, Error::Exists(_)), "{refused}");
    assert_eq!(Box::noted(the.database()), "later");
    let restored = the.backups.restore(&made, true, NOW).unwrap();
    assert_eq!(Box::noted(the.database()), "of that time");
    assert_eq!(Box::noted(&restored.replaced.unwrap()), "later");
    // And once more: nothing that was kept is overwritten.
    the.note("even later");
    let again = the.backups.restore(&made, true, NOW).unwrap();
    assert_eq!(Box::noted(&again.replaced.unwrap()), "even later");
    Store::open_sqlite(the.database()).unwrap();
}

#[test]
fn a_database_that_is_gone_comes_back_without_force() {
    let the = Box::new();
    let made = the.backups.create(Reason::Nightly, NOW).unwrap();
    let store = Store::open_sqlite(the.database()).unwrap();
    fs::remove_file(the.database()).unwrap();
    drop(store);
    let restored = the.backups.restore(&made, false, NOW).unwrap();
    assert_eq!(Box::noted(the.database()), "first");
    assert_eq!(restored.manifest.made_at, NOW);
}

#[tokio::test]
async fn nothing_is_replaced_under_a_service() {
    let the = Box::new();
    let made = the.backups.create(Reason::Nightly, NOW).unwrap();
    let service = Store::open_sqlite(the.database()).unwrap();
    assert!(service.claim().await.unwrap());
    let refused = the.backups.restore(&made, true, NOW).unwrap_err();
    assert!(matches!(refused, Error::InUse(_)), "{refused}");
    drop(service);
}

#[test]
fn any_tar_opens_it_and_nobody_else_may() {
    let the = Box::new();
    let made = the.backups.create(Reason::Nightly, NOW).unwrap();
    let listed = Command::new("tar")
        .arg("-tzf")
        .arg(&made.path)
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&listed.stdout),
        "manifest.json\nstoryline.toml\nstoryline.db\n"
    );
    let unpacked = Command::new("tar")
        .args(["-C", &the.folder.path().display().to_string(), "-xzOf"])
        .arg(&made.path)
        .arg("storyline.toml")
        .output()
        .unwrap();
    assert_eq!(unpacked.stdout, b"# the settings\n");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode(&made.path), mode(the.backups.folder())),
        (0o600, 0o700)
    );
}

#[test]
fn a_damaged_database_makes_no_backup() {
    let the = Box::new();
    the.fill();
    damage(the.database());
    let refused = the.backups.create(Reason::Nightly, NOW).unwrap_err();
    assert!(refused.to_string().contains("damaged"), "{refused}");
    assert_eq!(the.in_folder(), [] as [String; 0]);
    let glanced = Store::look_over(the.database()).unwrap_err();
    assert!(glanced.to_string().contains("damaged"), "{glanced}");
}

#[test]
fn a_backup_that_is_not_what_it_was_is_found_out_and_replaces_nothing() {
    let the = Box::new();
    the.fill();
    let made = the.backups.create(Reason::Nightly, NOW).unwrap();
    let whole = fs::read(&made.path).unwrap();
    the.note("now");
    for broken in [Vec::new(), whole[..whole.len() / 2].to_vec(), {
        let mut bytes = whole.clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xff;
        bytes
    }] {
        fs::write(&made.path, broken).unwrap();
        for refused in [
            the.backups.verify(&made).map(drop),
            the.backups.restore(&made, true, NOW).map(drop),
        ] {
            let refused = refused.unwrap_err();
            assert!(matches!(refused, Error::Broken { .. }), "{refused}");
        }
        assert_eq!(Box::noted(the.database()), "now");
    }
    // And on a box that never ran, nothing is left that would tell of a database.
    let bare = tempfile::tempdir().unwrap();
    let fresh = Backups::new(
        bare.path().join("backups"),
        bare.path().join("storyline.db"),
        None,
        30,
    );
    fresh.restore(&made, false, NOW).unwrap_err();
    assert_eq!(fs::read_dir(bare.path()).unwrap().count(), 0);
}

#[test]
fn names_are_its_own_and_the_rest_of_the_folder_is_left_alone() {
    let the = Box::new();
    let first = the.backups.create(Reason::Manual, NOW).unwrap();
    let second = the.backups.create(Reason::Manual, NOW).unwrap();
    assert_ne!(first.path, second.path);
    fs::write(the.backups.folder().join("notes.tar.gz"), "mine").unwrap();
    fs::write(
        the.backups.folder().join(".storyline-backup-x9Yz01"),
        "cut off",
    )
    .unwrap();
    fs::create_dir(the.backups.folder().join(".storyline-backup-abcdef")).unwrap();
    fs::create_dir(the.backups.folder().join(".git")).unwrap();
    fs::create_dir(the.backups.folder().join(".storyline-backup-of-mine")).unwrap();
    let way_back = the.folder.path().join(".storyline-backup-ABCDEF");
    fs::create_dir(&way_back).unwrap();
    let names = |all: Vec<Backup>| all.into_iter().map(|one| one.name).collect::<Vec<_>>();
    let all = [second.name.clone(), first.name.clone()];
    assert_eq!(names(the.backups.list().unwrap()), all);
    for name in ["latest", &second.name, &format!("{}.tar.gz", second.name)] {
        assert_eq!(the.backups.find(name).unwrap().name, second.name);
    }
    let path = first.path.display().to_string();
    assert_eq!(the.backups.find(&path).unwrap().name, first.name);
    assert!(matches!(the.backups.find("other"), Err(Error::NotThere(_))));

    // By the clock of the files, which is not the pretended one.
    assert_eq!(the.backups.thin_out(NOW).unwrap(), 0);
    let far = NOW + SignedDuration::from_hours(24 * 365);
    assert_eq!(the.backups.thin_out(far).unwrap(), 0, "the latest few stay");
    let left = [
        ".git",
        ".storyline-backup-of-mine",
        "2027-01-15T080000Z_manual.tar.gz",
        "2027-01-15T080000Z_manual_2.tar.gz",
        "notes.tar.gz",
    ];
    assert_eq!(the.in_folder(), left);
    assert!(!way_back.exists());
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let the = Box::new();
    fs::write(the.backups.folder(), "a file").unwrap();
    let refused = the.backups.create(Reason::Manual, NOW).unwrap_err();
    let folder = the.backups.folder().display().to_string();
    assert!(refused.to_string().contains(&folder), "{refused}");
}

#[test]
fn an_upgrade_that_fails_again_and_again_fills_no_disk() {
    let the = Box::new();
    let schema = the
        .backups
        .create(Reason::Manual, NOW)
        .unwrap()
        .manifest()
        .unwrap()
        .schema;
    let schema = i64::try_from(schema).unwrap();
    for minute in 0..300 {
        let now = NOW + SignedDuration::from_mins(minute);
        the.backups.before_upgrade(schema, now).unwrap();
    }
    let all = the.backups.list().unwrap();
    let upgrades = all.iter().filter(|one| one.reason == Reason::Upgrade);
    assert_eq!(upgrades.count(), 3);
}
