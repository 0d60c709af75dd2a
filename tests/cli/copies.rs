//! Copies off the box, by the real program: to a folder, to a bucket, into a chat; and the way back on another box.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::bench::{Bench, Seen};
use crate::namespaces::can_be_made;
use crate::pretend::telegram::PretendTelegram;
use crate::storage::{SECRET_KEY, Storage};

const ANN: i64 = 11;

/// A box with a backup, whose copies are encrypted for a key that is in `key.txt` of its folder.
struct Box {
    bench: Bench,
    private: String,
    telegram: PretendTelegram,
}

impl Box {
    /// `places` stand below `[backup]`.
    async fn new(places: &str) -> Self {
        let telegram = PretendTelegram::start().await;
        telegram.person(ANN, "Ann");
        telegram.private_chat(ANN);
        let bench = Bench::with_media().await;
        assert_eq!(bench.type_in("backup create").code, 0);
        let made = bench.type_in("backup key --json");
        let private = made.json()["private_key"].as_str().unwrap().to_owned();
        let public = made.json()["public_key"].as_str().unwrap().to_owned();
        fs::write(bench.root().join("key.txt"), &private).unwrap();
        bench.settings(&format!(
            "[backup]\nencrypt_for = \"{public}\"\n{}\n[telegram]\ntoken = \"{}\"\napi_url = \"{}\"\nadmin_chat = {ANN}\n",
            places.replace("[box]", &bench.root().display().to_string()),
            telegram.token(),
            telegram.url(),
        ));
        Self {
            bench,
            private,
            telegram,
        }
    }

    /// The program is waited for on another thread, so that the pretend Telegram can answer it.
    async fn typed(self, line: &'static str) -> (Self, Seen) {
        tokio::task::spawn_blocking(move || {
            let seen = self.bench.type_in(line);
            (self, seen)
        })
        .await
        .unwrap()
    }

    fn stick(&self) -> PathBuf {
        self.bench.root().join("stick")
    }

    fn shows_no_secret(&self, seen: &Seen) {
        let text = seen.all();
        for secret in [&self.private, SECRET_KEY, self.telegram.token(), "X-Amz"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
}

#[tokio::test]
async fn a_copy_gets_to_every_place_and_back_on_another_box() {
    let storage = Storage::start();
    let places = format!(
        "copy_to = \"[box]/stick\"\ncopy_to_chat = true\n{}",
        storage.settings(SECRET_KEY)
    );
    let the = Box::new(&places).await;
    fs::create_dir(the.stick()).unwrap();
    let (the, seen) = the.typed("backup copy").await;
    assert_eq!(seen.code, 0, "{seen:?}\n{}", storage.log());
    the.shows_no_secret(&seen);
    for place in [
        "folder [box]/stick: ",
        "bucket http://127.0.0.1:",
        "chat 11: ",
    ] {
        assert!(seen.stderr.contains(place), "{place}: {seen:?}");
    }

    let in_chat = the.telegram.messages(ANN);
    assert!(in_chat[0].silent, "{in_chat:?}");
    assert!(in_chat[0].text.contains("encrypted"), "{in_chat:?}");
    let [in_bucket] = &storage.files()[..] else {
        panic!("{:?}", storage.files())
    };
    let name = in_bucket.file_name().unwrap().to_str().unwrap();
    assert!(name.ends_with("_manual.tar.gz.age"), "{name}");
    let on_the_stick = fs::read(the.stick().join(name)).unwrap();
    assert_eq!(fs::read(in_bucket).unwrap(), on_the_stick);

    // Anybody who has the key opens it, and nobody else.
    let line = format!("age -d -i key.txt '{}' | tar -tz", in_bucket.display());
    let opened = Command::new("sh")
        .args(["-euc", &line])
        .current_dir(the.bench.root())
        .output()
        .unwrap();
    assert!(
        String::from_utf8_lossy(&opened.stdout).contains("storyline.db"),
        "{opened:?}"
    );

    let other = Bench::new();
    fs::copy(in_bucket, other.root().join("copy.age")).unwrap();
    let unkeyed = other.type_in("backup verify copy.age");
    assert_eq!(unkeyed.code, 2, "{unkeyed:?}");
    assert!(unkeyed.stderr.contains("--key KEYFILE"), "{unkeyed:?}");
    fs::write(other.root().join("key.txt"), &the.private).unwrap();
    let whole = other.type_in("backup verify copy.age --key key.txt");
    assert!(whole.stderr.contains("it is whole: 4 media"), "{whole:?}");
    let restored = other.type_in("backup restore copy.age --key key.txt");
    assert_eq!(restored.code, 0, "{restored:?}");
    the.shows_no_secret(&restored);
    let media = other.type_in("media list --json").json();
    assert_eq!(media.as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn each_place_says_what_is_wrong_with_it_and_shows_no_secret() {
    let storage = Storage::start();
    let places = format!(
        "copy_to = \"[box]/stick\"\ncopy_to_chat = true\n{}",
        storage.settings("canary-of-another-bucket")
    );
    let the = Box::new(&places).await;
    the.telegram.forbid_sending(ANN, "documents");
    let (the, seen) = the.typed("backup copy").await;
    assert_eq!(seen.code, 1, "{seen:?}");
    assert!(!the.stick().exists());
    assert!(storage.files().is_empty());
    for part in [
        "folder [box]/stick: there is no folder `[box]/stick`; plug the stick in",
        "the server refused it: the secret of the access key is another one",
        "(403 SignatureDoesNotMatch)",
        "chat 11: ",
        "3 of 3 copies did not get there",
    ] {
        assert!(seen.stderr.contains(part), "{part}: {seen:?}");
    }
    assert!(!seen.all().contains("canary"), "{seen:?}");
    the.shows_no_secret(&seen);

    let root = the.bench.root().display().to_string();
    let settings = fs::read_to_string(the.bench.config()).unwrap();
    let settings = settings.replace("canary-of-another-bucket", SECRET_KEY);
    the.bench.write_settings(&settings);
    let (the, seen) = the.typed("backup copy --json").await;
    let told = seen.json();
    assert_eq!(told[0]["is_away"], true, "{told}");
    assert_eq!(told[1]["error"], serde_json::Value::Null, "{told}");
    the.shows_no_secret(&seen);

    // A disk that is full, and one that is read-only: each a small one of its own, on the stick's place.
    fs::create_dir(the.stick()).unwrap();
    let disks = [
        ("size=8k", "its disk is full"),
        ("nr_inodes=1", "its inodes are used up"),
        ("ro", "its disk is read-only"),
    ];
    for (options, part) in disks.into_iter().filter(|_| can_be_made()) {
        let line = format!(
            "mount -t tmpfs -o {options} none '{root}/stick'; exec {} --config '{root}/storyline.toml' backup copy",
            env!("CARGO_BIN_EXE_storyline")
        );
        let output = tokio::process::Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-euc", &line])
            .output()
            .await
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(part), "{options}: {said}");
    }
    assert_eq!(storage.files().len(), 1, "the bucket has it all the same");
}

#[tokio::test]
async fn a_check_tells_of_each_place_and_of_what_is_missing() {
    let the = Box::new("copy_to = \"[box]/stick\"\ncopy_to_chat = true").await;
    let (the, seen) = the.typed("check").await;
    assert!(
        seen.stdout
            .contains("folder [box]/stick: none has got there yet"),
        "{seen:?}"
    );
    fs::create_dir(the.stick()).unwrap();
    let (the, seen) = the.typed("backup copy").await;
    assert_eq!(seen.code, 0, "{seen:?}");
    let (the, seen) = the.typed("check").await;
    assert!(
        seen.stdout.contains("_manual got there 0 hours ago"),
        "{seen:?}"
    );
    assert!(
        seen.stdout.contains("is on the same disk as the database"),
        "{seen:?}"
    );
    let nothing = the.bench.root().join("empty");
    fs::create_dir(&nothing).unwrap();
    let unarmed = the.bench.with_path("check", nothing.to_str().unwrap());
    assert!(
        unarmed.stdout.contains("hint: `apt install age`"),
        "{unarmed:?}"
    );
    let seen = the
        .bench
        .with_path("backup key --another", nothing.to_str().unwrap());
    assert!(
        seen.stderr
            .contains("`age-keygen` is not installed; `apt install age`"),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_key_is_shown_once_and_its_public_half_is_written() {
    let bench = Bench::with_media().await;
    let root = bench.root().display();
    bench.settings(&format!("[backup]\ncopy_to = \"{root}/stick\"\n"));
    let refused = bench.type_in("backup copy");
    assert_eq!(refused.code, 78, "{refused:?}");
    assert!(
        refused.stderr.contains("`storyline backup key`"),
        "{refused:?}"
    );

    let made = bench.type_in("backup key");
    assert_eq!(made.code, 0, "{made:?}");
    let private = made.stdout.trim();
    assert!(private.starts_with("AGE-SECRET-KEY-1"), "{made:?}");
    assert!(made.stderr.contains("away from the box"), "{made:?}");
    let settings = fs::read_to_string(bench.config()).unwrap();
    assert!(settings.contains("encrypt_for = \"age1"), "{settings}");
    assert!(!settings.contains(private));
    // Whoever wants to see it again is not shown one that opens nothing.
    let again = bench.type_in("backup key");
    assert_eq!((again.code, again.stdout.as_str()), (1, ""), "{again:?}");
    assert!(again.stderr.contains("--another"), "{again:?}");
    let another = bench.type_in("backup key --another --json");
    assert_eq!(another.json()["is_in_force"], false, "{another:?}");
    let settings_are_wrong = settings.clone() + "\n[log]\nlevel = 3\n";
    fs::write(bench.config(), &settings_are_wrong).unwrap();
    let refused = bench.type_in("backup key --another");
    assert_eq!((refused.code, refused.stdout.as_str()), (78, ""));
    fs::write(bench.config(), &settings).unwrap();
    assert_eq!(fs::read_to_string(bench.config()).unwrap(), settings);
    let none = bench.type_in("backup copy");
    assert!(none.stderr.contains("there is no backup yet"), "{none:?}");
}

/// Of the service that runs beside it, too.
#[tokio::test]
async fn nothing_secret_is_in_a_log_or_in_the_bundle() {
    let storage = Storage::start();
    let places = format!(
        "copy_to = \"[box]/stick\"\n{}",
        storage.settings("canary-of-another-bucket")
    );
    let the = Box::new(&places).await;
    let serving = the.bench.serve();
    let (the, seen) = the.typed("backup copy").await;
    assert_eq!(seen.code, 1, "{seen:?}");
    let (the, bundle) = the.typed("support bundle.tar.gz").await;
    assert_eq!(bundle.code, 0, "{bundle:?}");
    let unpacked = Command::new("tar")
        .args(["-xzOf", "bundle.tar.gz"])
        .current_dir(the.bench.root())
        .output()
        .unwrap();
    let all = serving.log() + &String::from_utf8_lossy(&unpacked.stdout);
    for secret in ["canary", &the.private, "X-Amz"] {
        assert!(!all.contains(secret), "{secret}");
    }
}
