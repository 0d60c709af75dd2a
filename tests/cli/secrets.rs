//! Secrets in the database: set, listed, encrypted anew, and shown nowhere.

use std::fs;
use std::process::{Command, Stdio};

use crate::bench::{Bench, Seen};

const CANARY: &str = "EAAcanary0123456789";

impl Bench {
    /// Types a command, and this on its stdin.
    fn type_in_with(&self, line: &str, stdin: impl AsRef<[u8]>) -> Seen {
        let file = self.root().join("stdin");
        fs::write(&file, stdin).unwrap();
        let output = self
            .command()
            .args(line.split_whitespace())
            .stdin(Stdio::from(fs::File::open(&file).unwrap()))
            .output()
            .unwrap();
        fs::remove_file(file).unwrap();
        Seen {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Whether the canary is in any file of the box, packed or not.
    fn holds_the_canary(&self) -> bool {
        let found = Command::new("sh")
            .arg("-c")
            .arg(format!(
                "grep -rqa '{CANARY}' . || zcat backups/*.tar.gz 2>/dev/null | grep -qa '{CANARY}'"
            ))
            .current_dir(self.root())
            .status();
        found.unwrap().success()
    }
}

#[tokio::test]
async fn a_secret_is_kept_encrypted_and_shown_nowhere() {
    let bench = Bench::with_media().await;
    // The control: what is not encrypted is found, in a file and in a backup.
    let plain = bench.type_in(&format!("media title cat.png {CANARY}"));
    assert_eq!(plain.code, 0, "{plain:?}");
    assert!(bench.holds_the_canary(), "the control: in the database");
    bench.type_in("backup create");
    fs::remove_file(bench.database()).unwrap();
    let _ = fs::remove_file(bench.root().join("s.db-wal"));
    assert!(bench.holds_the_canary(), "the control: in a backup");

    let bench = Bench::with_media().await;
    let none = bench.type_in("secret list");
    assert!(none.stderr.contains("There is no secret"), "{none:?}");
    let set = bench.type_in_with("secret set instagram.token", format!("{CANARY}\n"));
    assert_eq!((set.code, set.stderr.trim()), (0, "kept, encrypted"));
    bench.type_in("backup create");
    assert!(!bench.holds_the_canary());
    let mut seen = String::new();
    for line in [
        "secret list",
        "secret list --json",
        "audit list --json",
        "backup list --json",
        "check --json",
        "config show --json",
    ] {
        seen += &bench.type_in(line).all();
    }
    let key = fs::read_to_string(bench.root().join("secret.key")).unwrap();
    assert!(seen.contains("instagram.token"), "{seen}");
    assert!(!seen.contains(CANARY) && !seen.contains(key.trim()));
}

#[tokio::test]
async fn a_new_key_takes_the_place_of_the_old_one() {
    let bench = Bench::with_media().await;
    bench.type_in_with("secret set one", CANARY);
    bench.type_in_with("secret set two", "other");
    let key = |bench: &Bench| fs::read_to_string(bench.root().join("secret.key")).unwrap();
    let ids = |bench: &Bench| {
        let listed = bench.type_in("secret list --json").json();
        let all = listed.as_array().unwrap().iter();
        all.map(|one| one["key"].clone()).collect::<Vec<_>>()
    };
    let (before, before_ids) = (key(&bench), ids(&bench));
    let rotated = bench.type_in("secret rotate");
    assert!(
        rotated
            .stderr
            .contains("2 secrets are encrypted with a new key"),
        "{rotated:?}"
    );
    let (after, after_ids) = (key(&bench), ids(&bench));
    assert!(after.lines().count() == 2 && after.ends_with(&before));
    assert!(
        after_ids
            .iter()
            .all(|id| *id == after_ids[0] && *id != before_ids[0])
    );
    let check = bench.type_in("check");
    assert!(
        check.stdout.contains("2 encrypted, and the key is there"),
        "{check:?}"
    );

    fs::remove_file(bench.root().join("secret.key")).unwrap();
    fs::write(bench.root().join("secret.key"), &before).unwrap();
    let check = bench.type_in("check");
    assert_eq!(check.code, 2);
    assert!(
        check.stdout.contains("the key of 2 of 2 is not there"),
        "{check:?}"
    );
    let refused = bench.type_in("secret rotate");
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("bring back the key"), "{refused:?}");
}

#[tokio::test]
async fn nothing_is_put_in_the_place_of_a_secret() {
    let bench = Bench::with_media().await;
    bench.type_in_with("secret set one", CANARY);
    let too_long = vec![b'x'; 64 * 1024 + 1];
    for no_secret in [&b""[..], b"\n", b"  \n", b"\xff\xfe", &too_long] {
        let refused = bench.type_in_with("secret set one", no_secret);
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.stderr.contains("what came on stdin"), "{refused:?}");
    }

    let listed = bench.type_in("secret list --json").json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(bench.type_in("secret remove one").code, 0);
    assert_eq!(bench.type_in("secret remove one").code, 3);
}
