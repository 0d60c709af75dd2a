//! Root at the command line, in a folder that belongs to the service and holds traps: it follows no link there, gives away
//! nothing that is not the service's, and what it makes belongs to the service.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::bench::{Bench, Seen};

/// A user that is on no machine.
const SERVICE: u32 = 4242;

/// A box that belongs to its service, and a folder of root's alone beside it.
struct Trapped {
    bench: Bench,
    outside: tempfile::TempDir,
}

/// Nothing where this is not root: then it is said, and in CI that is a failure.
async fn a_box_of_the_services() -> Option<Trapped> {
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if !is_root {
        assert!(std::env::var_os("CI").is_none(), "these tests need root");
        let told = b"LEFT OUT: not root, so nothing of root's was tried\n";
        let _ = std::io::stderr().write_all(told);
        return None;
    }
    let bench = Bench::with_media().await;
    assert_eq!(bench.type_in("backup create").code, 0);
    let outside = tempfile::tempdir().unwrap();
    fs::set_permissions(outside.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let secret = outside.path().join("shadow");
    fs::write(&secret, "root:secret\n").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let trapped = Trapped { bench, outside };
    trapped.give();
    Some(trapped)
}

impl Trapped {
    fn give(&self) {
        let given = Command::new("chown")
            .args(["-hR", &format!("{SERVICE}:{SERVICE}")])
            .arg(self.bench.root())
            .status();
        assert!(given.unwrap().success());
    }

    fn secret(&self) -> PathBuf {
        self.outside.path().join("shadow")
    }

    fn at(&self, name: &str) -> PathBuf {
        self.bench.root().join(name)
    }

    /// What is root's is as it was.
    #[track_caller]
    fn is_untouched(&self, seen: &Seen) {
        let secret = fs::symlink_metadata(self.secret()).unwrap();
        let facts = (secret.uid(), secret.gid(), secret.mode() & 0o7777);
        assert_eq!(facts, (0, 0, 0o600), "{seen:?}");
        let text = fs::read_to_string(self.secret()).unwrap();
        assert_eq!(text, "root:secret\n", "{seen:?}");
        let names = fs::read_dir(self.outside.path()).unwrap().count();
        assert_eq!(names, 1, "{seen:?}");
        assert!(!seen.all().contains("root:secret"), "{seen:?}");
    }

    /// What in the box is not the service's.
    fn not_the_services(&self) -> String {
        let found = Command::new("find")
            .arg(self.bench.root())
            .args(["-not", "-uid", &SERVICE.to_string()])
            .output();
        String::from_utf8(found.unwrap().stdout).unwrap()
    }

    fn keep_a_secret(&self) -> Seen {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "EAAcanary").unwrap();
        let output = self
            .bench
            .command()
            .args(["secret", "set", "instagram.token"])
            .stdin(Stdio::from(fs::File::open(file.path()).unwrap()))
            .output()
            .unwrap();
        Seen {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

#[tokio::test]
async fn what_root_makes_there_is_the_services() {
    let Some(the) = a_box_of_the_services().await else {
        return;
    };
    // It lies where the service sees nothing.
    let made = the.bench.type_in("backup create --json").json();
    let mine = the.outside.path().join("my backup.tar.gz");
    fs::copy(
        made["path"]
            .as_str()
            .unwrap()
            .replace("[box]", &the.bench.root().display().to_string()),
        &mine,
    )
    .unwrap();
    fs::set_permissions(&mine, fs::Permissions::from_mode(0o600)).unwrap();
    for words in [
        &["backup", "list"][..],
        &["backup", "verify", "latest"],
        &["backup", "restore", "latest", "--force"],
        &["backup", "restore", mine.to_str().unwrap(), "--force"],
        &["pause"],
        &["resume"],
        &["media", "list"],
        &["backup", "create"],
    ] {
        let seen = the.bench.run(words);
        assert_eq!(seen.code, 0, "{words:?}: {seen:?}");
        assert_eq!(the.not_the_services(), "", "{words:?}");
    }
    let seen = the.keep_a_secret();
    assert_eq!(seen.code, 0, "{seen:?}");
    assert_eq!(the.not_the_services(), "");
    let key = fs::metadata(the.at("secret.key")).unwrap();
    assert_eq!(key.mode() & 0o7777, 0o400);
}

#[tokio::test]
async fn what_lies_beside_the_database_leads_root_nowhere() {
    let Some(the) = a_box_of_the_services().await else {
        return;
    };
    let lines = [
        "pause",
        "check",
        "backup create",
        "backup restore latest --force",
        "backup restore latest",
    ];
    for end in [".lock", "-wal", "-shm", "-journal", ""] {
        for is_link in [true, false] {
            for line in lines {
                let trap = the.at(&format!("s.db{end}"));
                let kept = the.at("kept");
                let _ = fs::rename(&trap, &kept);
                match is_link {
                    true => symlink(the.secret(), &trap).unwrap(),
                    false => fs::hard_link(the.secret(), &trap).unwrap(),
                }
                let seen = the.bench.type_in(line);
                the.is_untouched(&seen);
                let _ = fs::remove_file(&trap);
                // What was put aside is the trap too.
                for entry in fs::read_dir(the.bench.root()).unwrap() {
                    let path = entry.unwrap().path();
                    if path.display().to_string().contains(".replaced-") {
                        fs::remove_file(path).unwrap();
                    }
                }
                if end.is_empty() {
                    let seen = the.bench.type_in("backup restore latest --force");
                    assert_eq!(seen.code, 0, "{seen:?}");
                }
                let _ = fs::remove_file(&kept);
            }
        }
    }
}

#[tokio::test]
async fn no_link_in_its_folders_leads_root_out() {
    let Some(the) = a_box_of_the_services().await else {
        return;
    };
    let listed = the.bench.type_in("backup list --json").json();
    let name = listed[0]["name"].as_str().unwrap().to_owned();
    // The folder of the backups.
    fs::rename(the.at("backups"), the.at("kept")).unwrap();
    symlink(the.outside.path(), the.at("backups")).unwrap();
    for line in [
        "backup create",
        "backup list",
        "backup restore latest --force",
    ] {
        let seen = the.bench.type_in(line);
        the.is_untouched(&seen);
        assert_ne!(seen.code, 0, "{seen:?}");
    }
    fs::remove_file(the.at("backups")).unwrap();
    fs::rename(the.at("kept"), the.at("backups")).unwrap();
    // A backup.
    let trap = the.at(&format!("backups/{name}.tar.gz"));
    fs::remove_file(&trap).unwrap();
    symlink(the.secret(), &trap).unwrap();
    for words in [
        &["backup", "list"][..],
        &["backup", "verify", &name],
        &["backup", "restore", trap.to_str().unwrap(), "--force"],
    ] {
        let seen = the.bench.run(words);
        the.is_untouched(&seen);
        assert!(
            seen.code != 0 || seen.stderr.contains("no backup"),
            "{seen:?}"
        );
    }
    // The key of the secrets.
    symlink(the.secret(), the.at("secret.key")).unwrap();
    for seen in [the.keep_a_secret(), the.bench.type_in("secret rotate")] {
        the.is_untouched(&seen);
        assert_ne!(seen.code, 0, "{seen:?}");
    }
}

/// The key of a copy may come from a shell's pipe, and never from one that nobody writes into.
#[test]
fn what_is_named_holds_nobody_up() {
    let bench = Bench::new();
    let pipe = bench.root().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let copy = bench.root().join("copy.tar.gz.age");
    fs::write(&copy, "age-encryption.org/v1\n").unwrap();
    let at = |path: &Path| path.display().to_string();
    for words in [
        vec!["backup".to_owned(), "verify".to_owned(), at(&pipe)],
        vec![
            "backup".into(),
            "verify".into(),
            at(&copy),
            "--key".into(),
            at(&pipe),
        ],
        vec![
            "backup".into(),
            "verify".into(),
            at(&pipe),
            "--key".into(),
            at(&copy),
        ],
        vec!["--config".into(), at(&pipe), "backup".into(), "list".into()],
        vec![
            "setup".into(),
            "--token-file".into(),
            at(&pipe),
            "--yes".into(),
        ],
    ] {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let seen = bench.run(&words);
        assert_ne!(seen.code, 0, "{words:?}: {seen:?}");
    }
    bench.settings(&format!(
        "[telegram]\ntoken_file = \"{}\"\n",
        pipe.display()
    ));
    let seen = bench.type_in("config show");
    assert!(seen.all().contains("a pipe or a device"), "{seen:?}");
}
