use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;

use super::age::{is_installed, make_pair};
use super::folder::Folder;
use super::*;
use crate::backup::{Backup, Backups, Reason};
use crate::store::Store;

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

/// A box with a backup, a key, and a stick.
struct Box {
    folder: tempfile::TempDir,
    backups: Backups,
    made: Backup,
    public: Vec<String>,
    key: PathBuf,
}

impl Box {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("storyline.db");
        drop(Store::open_sqlite(&database).unwrap());
        let backups = Backups::new(folder.path().join("backups"), database, None, 30);
        let made = backups.create(Reason::Nightly, NOW).unwrap();
        let pair = make_pair().await.unwrap();
        let key = folder.path().join("key.txt");
        fs::write(&key, pair.private.expose_secret()).unwrap();
        fs::create_dir(folder.path().join("stick")).unwrap();
        Self {
            folder,
            backups,
            made,
            public: vec![pair.public],
            key,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn stick(&self) -> Folder {
        Folder::new(self.path("stick"), self.backups.database(), 30)
    }

    async fn seal(&self) -> Sealed {
        self.backups.seal(&self.made, &self.public).await.unwrap()
    }

    fn on_the_stick(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path("stick"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn by_hand(line: &str, folder: &Path) -> Output {
    Command::new("sh")
        .args(["-euc", line])
        .current_dir(folder)
        .output()
        .unwrap()
}

#[tokio::test]
async fn any_age_and_any_tar_open_a_copy() {
    let the = Box::new().await;
    let sealed = the.seal().await;
    assert_eq!(sealed.name, "2027-01-15T080000Z_nightly.tar.gz.age");
    assert_eq!(sealed.size_bytes, fs::metadata(&sealed.path).unwrap().len());
    let mode = fs::metadata(&sealed.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    the.stick().put(&sealed, NOW).await.unwrap();
    drop(sealed);
    let line = "age -d -i key.txt stick/2027-01-15T080000Z_nightly.tar.gz.age | tar -xz && ls";
    let opened = by_hand(line, the.folder.path());
    let said = String::from_utf8_lossy(&opened.stdout);
    assert!(opened.status.success(), "{opened:?}");
    assert!(
        said.contains("manifest.json\nstick\nstoryline.db\n"),
        "{said}"
    );
    drop(Store::open_sqlite(&the.path("storyline.db")).unwrap());
}

#[tokio::test]
async fn a_copy_is_opened_by_its_key_whatever_it_is_called() {
    let the = Box::new().await;
    the.stick().put(&the.seal().await, NOW).await.unwrap();
    let copy = the.path("from the chat (1).age");
    let [name] = &the.on_the_stick()[..] else {
        panic!("{:?}", the.on_the_stick())
    };
    fs::rename(the.path("stick").join(name), &copy).unwrap();
    let opened = the.backups.open_sealed(&copy, &the.key).await.unwrap();
    assert_eq!(opened.backup.made_at, NOW);
    assert_eq!(opened.backup.reason, Reason::Nightly);
    assert_eq!(opened.backup.name, "from the chat (1)");
    the.backups.verify(&opened.backup).unwrap();

    let other = make_pair().await.unwrap();
    let wrong = the.path("other.txt");
    fs::write(&wrong, other.private.expose_secret()).unwrap();
    let refused = the.backups.open_sealed(&copy, &wrong).await.unwrap_err();
    assert!(
        refused.to_string().contains("no identity matched"),
        "{refused}"
    );
    // What is no backup inside is told by the name of the copy.
    let line = format!("echo hello | age -r {} > hello.age", the.public[0]);
    assert!(by_hand(&line, the.folder.path()).status.success());
    let hello = the.path("hello.age");
    let refused = the.backups.open_sealed(&hello, &the.key).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("hello.age` is of no use"), "{refused}");
    // Of a key that is torn, nothing is repeated.
    fs::write(&wrong, &other.private.expose_secret()[..40]).unwrap();
    let refused = the.backups.open_sealed(&copy, &wrong).await.unwrap_err();
    assert!(!refused.to_string().contains("KEY-1"), "{refused}");
}

#[tokio::test]
async fn a_stick_that_is_not_there_is_not_made() {
    let the = Box::new().await;
    let sealed = the.seal().await;
    fs::remove_dir(the.path("stick")).unwrap();
    let away = the.stick().put(&sealed, NOW).await.unwrap_err();
    assert!(matches!(away, Unsent::Away(_)), "{away}");
    assert!(away.to_string().contains("plug the stick in"), "{away}");
    assert!(!the.path("stick").exists());
    fs::write(the.path("stick"), "a file").unwrap();
    let refused = the.stick().put(&sealed, NOW).await.unwrap_err();
    assert!(refused.to_string().contains("is no folder"), "{refused}");
}

#[tokio::test]
async fn copies_are_kept_as_long_as_backups_and_the_rest_of_the_stick_is_left_alone() {
    let the = Box::new().await;
    let sealed = the.seal().await;
    fs::write(the.path("stick/holiday.jpg"), "mine").unwrap();
    fs::write(the.path("stick/2020-01-01T000000Z_nightly.tar.gz"), "mine").unwrap();
    for age in 0..20 {
        let at = NOW - SignedDuration::from_hours(24 * (60 + age));
        let name = format!("{}_nightly.tar.gz.age", at.strftime("%Y-%m-%dT%H%M%SZ"));
        fs::write(the.path("stick").join(name), "old").unwrap();
    }
    the.stick().put(&sealed, NOW).await.unwrap();
    let left = the.on_the_stick();
    // The newest seven of before, however old.
    assert_eq!(left.len(), 2 + 7 + 1, "{left:?}");
    assert!(left.contains(&"holiday.jpg".to_owned()), "{left:?}");
    assert!(left.contains(&sealed.name), "{left:?}");
    assert!(
        !left.iter().any(|name| name.starts_with(".storyline")),
        "{left:?}"
    );
}

#[tokio::test]
async fn a_recipient_that_is_none_encrypts_nothing() {
    let the = Box::new().await;
    let wrong = ["age1nothing".to_owned()];
    let refused = the.backups.seal(&the.made, &wrong).await.unwrap_err();
    assert!(refused.to_string().contains("`age` failed: "), "{refused}");
    assert!(is_installed().await);
}
