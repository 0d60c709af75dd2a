//! Whether alerts arrive: by a real server on loopback, and by a program that takes the place of `sendmail`.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::thread::JoinHandle;

use crate::bench::Bench;

/// Answers so many calls with this status, and returns what was said.
fn served(calls: usize, status: &'static str) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let heard = std::thread::spawn(move || {
        let mut all = Vec::new();
        for stream in listener.incoming().take(calls) {
            let mut stream = stream.unwrap();
            let mut said = Vec::new();
            let mut piece = [0; 4096];
            while !is_whole(&said) {
                let length = stream.read(&mut piece).unwrap();
                assert!(length > 0, "cut off");
                said.extend_from_slice(&piece[..length]);
            }
            write!(
                stream,
                "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
            .unwrap();
            all.push(String::from_utf8(said).unwrap());
        }
        all
    });
    (address, heard)
}

fn is_whole(said: &[u8]) -> bool {
    let text = String::from_utf8_lossy(said);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        line.to_ascii_lowercase()
            .strip_prefix("content-length: ")?
            .parse()
            .ok()
    });
    body.len() >= length.unwrap_or(0)
}

fn sendmail(bench: &Bench, script: &str) -> String {
    program(bench, "sendmail", script)
}

/// A path on which this program does as the script says.
fn program(bench: &Bench, name: &str, script: &str) -> String {
    let folder = bench.root().join("programs");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).unwrap();
    let draft = folder.join("draft");
    fs::write(&draft, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(draft, folder.join(name)).unwrap();
    format!("{}:/usr/bin:/bin", folder.display())
}

#[tokio::test]
async fn a_test_goes_each_way_and_no_address_is_shown() {
    let bench = Bench::new();
    bench.flow().await;
    let (address, heard) = served(2, "200 OK");
    bench.settings(&format!(
        "[alerts]\nwebhook_url = \"http://{address}/canary-hook?key=canary\"\nntfy_url = \"http://{address}/canary-topic\"\nsendmail = \"ann@example.org\"\n"
    ));
    let mail = bench.root().join("mail");
    let path = sendmail(
        &bench,
        &format!("{{ echo \"$@\"; cat; }} > {}", mail.display()),
    );
    let seen = bench.with_path("alert test", &path);
    assert_eq!(seen.code, 0, "{seen:?}");
    for line in [
        "webhook 127.0.0.1: it was taken",
        "ntfy 127.0.0.1: it was taken",
        "mail ann@example.org: it was taken",
    ] {
        assert!(seen.stdout.contains(line), "{seen:?}");
    }
    assert!(!format!("{seen:?}").contains("canary"), "{seen:?}");
    let heard = heard.join().unwrap();
    assert!(
        heard[0].starts_with("POST /canary-hook?key=canary "),
        "{heard:?}"
    );
    assert!(heard[0].contains("\"stage\":\"test\""), "{heard:?}");
    assert!(heard[1].starts_with("POST /canary-topic "), "{heard:?}");
    assert!(
        heard[1].to_ascii_lowercase().contains("priority: low"),
        "{heard:?}"
    );
    let mail = fs::read_to_string(mail).unwrap();
    assert!(
        mail.starts_with("-i ann@example.org\nTo: ann@example.org\nSubject: Storyline on "),
        "{mail}"
    );
    assert!(mail.contains("\n\nThis is a test"), "{mail}");
}

#[tokio::test]
async fn a_way_that_does_not_work_says_why() {
    let bench = Bench::new();
    bench.flow().await;
    let (address, heard) = served(1, "404 Not Found");
    bench.settings(&format!(
        "[alerts]\nwebhook_url = \"http://{address}/canary-hook\"\nntfy_url = \"http://127.0.0.1:1/canary-topic\"\nsendmail = \"ann@example.org\"\n"
    ));
    let path = sendmail(&bench, "echo 'no account for ann' >&2; exit 78");
    let seen = bench.with_path("alert test", &path);
    assert_eq!(seen.code, 2, "{seen:?}");
    for part in [
        "the server answered 404",
        "ntfy 127.0.0.1: ",
        "`sendmail` failed (exit status: 78) no account for ann",
    ] {
        assert!(seen.stdout.contains(part), "{part}: {seen:?}");
    }
    assert!(!format!("{seen:?}").contains("canary"), "{seen:?}");
    heard.join().unwrap();
    let seen = bench.with_path("alert test", "/nowhere");
    assert!(
        seen.stdout.contains("`sendmail` is not installed"),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_check_tells_of_each_way_and_without_one_nothing() {
    let bench = Bench::new();
    bench.flow().await;
    assert!(!bench.type_in("check").stdout.contains("webhook"));
    let seen = bench.type_in("alert test");
    assert!(seen.stdout.contains("there is no second way"), "{seen:?}");
    bench.settings("[alerts]\nheartbeat_url = \"https://ping.example.org/canary-of-the-ping\"\nsendmail = \"ann@example.org\"\n");
    let seen = bench.type_in("check");
    for part in [
        "heartbeat ping.example.org: nothing has gone there yet",
        "mail ann@example.org",
    ] {
        assert!(seen.stdout.contains(part), "{part}: {seen:?}");
    }
    assert!(!format!("{seen:?}").contains("canary"), "{seen:?}");
}

#[tokio::test]
async fn a_newer_version_is_told_of_and_what_is_not_known_is_said() {
    let bench = Bench::new();
    bench.flow().await;
    for (script, told) in [
        (
            "echo 'storyline:'; echo '  Installed: 0.1.0'; echo '  Candidate: 9.0.0'",
            "and 9.0.0 is there",
        ),
        (
            "echo 'storyline:'; echo '  Installed: 0.1.0'; echo '  Candidate: 0.1.0'",
            "the newest that apt knows",
        ),
        ("exit 0", "is not known"),
    ] {
        let path = program(&bench, "apt-cache", script);
        let seen = bench.with_path("check", &path);
        assert!(seen.stdout.contains(told), "{told}: {seen:?}");
    }
    let seen = bench.with_path("check", "/nowhere");
    assert!(
        seen.stdout
            .contains("whether there is a newer one is not known"),
        "{seen:?}"
    );
}
