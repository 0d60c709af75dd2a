//! Backups that somebody prepared, and folders of them with what is none: refused in clear words, at once, with nothing left
//! behind.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use rusqlite::Connection;
use tar::{Builder, EntryType, Header};

use super::tests::Box;
use super::*;

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);
const TRAP: &str = "2027-01-15T080000Z_manual.tar.gz";

/// What lies in the box, with its folders.
fn all_in(the: &Box) -> Vec<String> {
    let output = Command::new("find").arg(the.root()).output().unwrap();
    let mut all: Vec<String> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    all.sort();
    all
}

/// A thing in an archive.
struct Thing<'a> {
    name: &'a str,
    kind: EntryType,
    leads_to: Option<&'a str>,
    /// What its header says, where that is something else than its bytes.
    says: Option<u64>,
    bytes: &'a [u8],
}

impl<'a> Thing<'a> {
    fn file(name: &'a str, bytes: &'a [u8]) -> Self {
        Self {
            name,
            kind: EntryType::Regular,
            leads_to: None,
            says: None,
            bytes,
        }
    }

    fn of(self, kind: EntryType) -> Self {
        Self { kind, ..self }
    }
}

fn pack(path: &Path, things: &[Thing<'_>]) {
    let packed = GzEncoder::new(File::create(path).unwrap(), Compression::fast());
    let mut tar = Builder::new(packed);
    for thing in things {
        let mut header = Header::new_gnu();
        // As it is, for the builder refuses what leads out.
        header.as_mut_bytes()[..thing.name.len()].copy_from_slice(thing.name.as_bytes());
        header.set_entry_type(thing.kind);
        header.set_mode(0o600);
        header.set_size(thing.says.unwrap_or(thing.bytes.len() as u64));
        if let Some(target) = thing.leads_to {
            header.as_mut_bytes()[157..157 + target.len()].copy_from_slice(target.as_bytes());
        }
        header.set_cksum();
        tar.append(&header, thing.bytes).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap().flush().unwrap();
}

fn must_be_refused(the: &Box, path: &Path, why: &str) {
    let before = all_in(the);
    let began = std::time::Instant::now();
    let found = the.backups.find(&path.display().to_string());
    let refused = match found {
        Err(refused) => vec![refused],
        Ok(found) => vec![
            the.backups.verify(&found).map(drop).expect_err(why),
            the.backups
                .restore(&found, true, NOW)
                .map(drop)
                .expect_err(why),
        ],
    };
    for refused in refused {
        assert!(refused.to_string().contains(why), "{why}: {refused}");
    }
    assert!(
        began.elapsed().as_secs() < 60,
        "{why}: {:?}",
        began.elapsed()
    );
    assert_eq!(all_in(the), before, "{why}");
    assert_eq!(Box::noted(the.database()), "first");
}

#[test]
fn an_archive_that_others_prepared_is_refused_and_leaves_nothing_behind() {
    let the = Box::new();
    let made = the.backups.create(Reason::Manual, NOW).unwrap();
    let manifest = made.manifest().unwrap();
    let says = serde_json::to_vec(&manifest).unwrap();
    let with = |change: &dyn Fn(&mut Manifest)| {
        let mut other = manifest.clone();
        change(&mut other);
        serde_json::to_vec(&other).unwrap()
    };
    let path = the.root().join("theirs.tar.gz");
    let first = || Thing::file("manifest.json", &says);
    let refused = |things: &[Thing<'_>], why: &str| {
        pack(&path, things);
        must_be_refused(&the, &path, why);
    };

    let odd = "something that Storyline does not put there";
    for kind in [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Directory,
        EntryType::Fifo,
        EntryType::Char,
        EntryType::GNUSparse,
        EntryType::GNULongName,
        EntryType::XHeader,
    ] {
        let leads = Thing {
            leads_to: Some("/etc/passwd"),
            ..Thing::file("storyline.db", b"").of(kind)
        };
        refused(&[first(), leads], odd);
    }
    for name in [
        "/etc/passwd",
        "../../storyline.db",
        "./storyline.db",
        "notes",
    ] {
        refused(&[first(), Thing::file(name, b"x")], odd);
        refused(&[Thing::file(name, b"x"), first()], odd);
    }
    // A name that takes a terabyte, and one of twenty megabytes.
    let long = Thing::file("././@LongLink", b"x").of(EntryType::GNULongName);
    let long = Thing {
        says: Some(1 << 40),
        ..long
    };
    refused(&[long], odd);
    let zeros = vec![0; 20_000_000];
    refused(
        &[Thing::file("x", &zeros).of(EntryType::GNULongName), first()],
        odd,
    );
    refused(&[Thing::file("manifest.json", &zeros)], "too long");
    let thousands: Vec<Thing<'_>> = (0..5000)
        .map(|_| Thing::file("storyline.toml", b""))
        .collect();
    refused(&thousands, "there is no `manifest.json` in it");
    refused(&[first()], "there is no `storyline.db` in it");

    let database = vec![0; 20_000_000];
    let large = with(&|it| it.database_bytes = 20_000_000);
    let zeros = Thing::file("storyline.db", &database);
    refused(
        &[Thing::file("manifest.json", &large), zeros],
        "its database was changed since",
    );
    let zeros = Thing::file("storyline.db", &database);
    refused(&[first(), zeros], "not as long as it says");
    let huge = with(&|it| it.database_bytes = 1 << 60);
    let zeros = Thing {
        says: Some(1 << 60),
        ..Thing::file("storyline.db", b"x")
    };
    refused(
        &[Thing::file("manifest.json", &huge), zeros],
        "disk is full",
    );
    let shown = with(&|it| it.version = "1\u{1b}[2J\u{202e}".to_owned());
    refused(
        &[Thing::file("manifest.json", &shown)],
        "not what Storyline writes",
    );
    fs::write(&path, "no archive at all").unwrap();
    must_be_refused(&the, &path, "of no use");
}

/// A backup of a database that was changed so.
fn changed(the: &Box, sql: &str) -> PathBuf {
    let copy = the.root().join("changed.db");
    let _ = fs::remove_file(&copy);
    snapshot::copy(the.database(), &copy).unwrap();
    let database = Connection::open(&copy).unwrap();
    database.execute_batch(sql).unwrap();
    drop(database);
    let content = snapshot::examine(&copy).unwrap();
    let manifest = Manifest::of(&copy, content, Reason::Manual, NOW).unwrap();
    let path = the.root().join("changed.tar.gz");
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(&path)
        .unwrap();
    archive::write(&file, &manifest, &copy, None).unwrap();
    fs::remove_file(copy).unwrap();
    path
}

#[test]
fn a_database_with_another_schema_is_refused_by_name() {
    let the = Box::new();
    for (sql, why) in [
        (
            "CREATE TRIGGER evil AFTER INSERT ON state BEGIN DELETE FROM history; END",
            "a trigger \"evil\"",
        ),
        (
            "CREATE VIEW bulletins_of_all AS SELECT * FROM bulletins",
            "a view \"bulletins_of_all\"",
        ),
        (
            "DROP TABLE uploads; CREATE VIEW uploads AS SELECT 1 AS token",
            "a view \"uploads\"",
        ),
        ("DROP TABLE bulletins", "no table \"bulletins\""),
        (
            "CREATE TABLE more (a TEXT CHECK (length(zeroblob(1000)) > 0))",
            "a table \"more\"",
        ),
        (
            "DROP TABLE uploads; CREATE TABLE uploads (a TEXT)",
            "the table \"uploads\" is another",
        ),
        (
            "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
             VALUES (999, 'future', '2030-01-01T00:00:00Z', '1')",
            "schema version 999 and this program knows versions up to",
        ),
        (
            "DELETE FROM refinery_schema_history",
            "no database of Storyline",
        ),
    ] {
        let path = changed(&the, sql);
        must_be_refused(&the, &path, why);
    }
    // What SQLite itself adds to plan queries is no reason.
    let path = changed(&the, "ANALYZE");
    let found = the.backups.find(&path.display().to_string()).unwrap();
    the.backups.restore(&found, true, NOW).unwrap();
    assert_eq!(Box::noted(the.database()), "first");
}

#[test]
fn a_backup_is_brought_back_whatever_it_is_called_and_wherever_it_lies() {
    let the = Box::new();
    let made = the.backups.create(Reason::Nightly, NOW).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    for name in ["my-backup.tar.gz", "of last year.tgz", "backup"] {
        let path = elsewhere.path().join(name);
        fs::copy(&made.path, &path).unwrap();
        let found = the.backups.find(&path.display().to_string()).unwrap();
        assert_eq!(
            (found.made_at, found.reason, found.size_bytes),
            (NOW, Reason::Nightly, made.size_bytes)
        );
        the.backups.verify(&found).unwrap();
        the.note("later");
        the.backups.restore(&found, true, NOW).unwrap();
        assert_eq!(Box::noted(the.database()), "first");
    }
    // In the folder itself too, under a name that the list does not know.
    let renamed = the.backups.folder().join("before the fair.tar.gz");
    fs::rename(&made.path, &renamed).unwrap();
    let found = the.backups.find(&renamed.display().to_string()).unwrap();
    the.backups.verify(&found).unwrap();
    assert!(the.backups.list().unwrap().is_empty());

    let none = elsewhere.path().join("none.tar.gz");
    let told = the.backups.find(&none.display().to_string()).unwrap_err();
    assert!(matches!(told, Error::NotThere(_)), "{told}");
    let told = the.backups.find(&elsewhere.path().display().to_string());
    let told = told.unwrap_err().to_string();
    assert!(told.contains("it is a folder, and no file"), "{told}");
}

#[test]
fn what_has_a_backups_name_and_is_none_holds_nobody_up() {
    let the = Box::new();
    fs::create_dir(the.backups.folder()).unwrap();
    let trap = the.backups.folder().join(TRAP);
    let elsewhere = the.root().join("elsewhere");
    fs::write(&elsewhere, "mine").unwrap();
    let pipe = |path: &Path| {
        let made = Command::new("mkfifo").arg(path).status().unwrap();
        assert!(made.success());
    };
    let device = |path: &Path| drop(UnixListener::bind(path).unwrap());
    let link = |path: &Path| symlink(&elsewhere, path).unwrap();
    let nowhere = |path: &Path| symlink("nowhere", path).unwrap();
    let folder = |path: &Path| fs::create_dir(path).unwrap();
    let traps: [&dyn Fn(&Path); 5] = [&pipe, &device, &link, &nowhere, &folder];
    for lay in traps {
        lay(&trap);
        assert!(the.backups.list().unwrap().is_empty());
        let told = the.backups.find(&trap.display().to_string());
        assert!(told.is_err());
        let told = the.backups.find(TRAP);
        assert!(told.is_err());
        // It takes another name, and that one is left alone.
        let made = the.backups.create(Reason::Manual, NOW).unwrap();
        assert_ne!(made.path, trap);
        the.backups.thin_out(NOW).unwrap();
        fs::remove_file(&made.path).unwrap();
        let kind = fs::symlink_metadata(&trap).unwrap().file_type();
        assert!(kind.is_fifo() || kind.is_socket() || kind.is_symlink() || kind.is_dir());
        match kind.is_dir() {
            true => fs::remove_dir(&trap).unwrap(),
            false => fs::remove_file(&trap).unwrap(),
        }
    }
    assert_eq!(fs::read(&elsewhere).unwrap(), b"mine");
    // A hole of a terabyte, and one packed of zeros that never end.
    File::create(&trap).unwrap().set_len(1 << 40).unwrap();
    let all = the.backups.list().unwrap();
    assert_eq!(all.len(), 1);
    all[0].manifest().unwrap_err();
    the.backups.verify(&all[0]).unwrap_err();
    let endless = the
        .backups
        .folder()
        .join("2027-01-14T080000Z_manual.tar.gz");
    let mut packed = GzEncoder::new(File::create(endless).unwrap(), Compression::best());
    for _ in 0..50 {
        packed.write_all(&vec![0; 1_000_000]).unwrap();
    }
    packed.finish().unwrap();
    the.backups.list().unwrap()[1].manifest().unwrap_err();
}

/// SQLite takes what lies beside a database for its own, and undoes by it what it never did.
#[test]
fn nothing_that_lay_beside_the_database_is_taken_for_the_restored_ones() {
    let the = Box::new();
    the.fill();
    let made = the.backups.create(Reason::Manual, NOW).unwrap();
    // A change that was cut off: what undoes it lies beside.
    let copy = the.root().join("copy.db");
    fs::copy(the.database(), &copy).unwrap();
    let other = Connection::open(&copy).unwrap();
    other
        .execute_batch(
            "PRAGMA journal_mode = DELETE; PRAGMA cache_spill = 1; PRAGMA cache_size = 5; BEGIN; DELETE FROM state;",
        )
        .unwrap();
    let journal = fs::read(the.root().join("copy.db-journal")).unwrap();
    assert!(journal.len() > 4096 && journal[0] == 0xd9, "a hot journal");
    drop(other);
    for end in ["-journal", "-wal", "-shm"] {
        fs::write(the.root().join(format!("storyline.db{end}")), &journal).unwrap();
    }
    let restored = the.backups.restore(&made, true, NOW).unwrap();
    let aside = restored.replaced.unwrap();
    for end in ["-journal", "-wal", "-shm"] {
        assert!(!the.root().join(format!("storyline.db{end}")).exists());
        let kept = fs::read(format!("{}{end}", aside.display())).unwrap();
        assert_eq!(kept, journal);
    }
    assert_eq!(Box::noted(the.database()), "first");
    let examined = snapshot::examine(the.database()).unwrap();
    assert_eq!(examined.rows["state"], 5001);
}
