//! The life of one story, of the records and of the journal.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use insta::assert_snapshot;

use crate::bench::{Bench, Seen};

/// What `journalctl --output=json` wrote of a story that was posted, in the far future.
const ENTRIES: &str = r##"{"__CURSOR":"s=1","__REALTIME_TIMESTAMP":"4071556800100000","PRIORITY":"5","MESSAGE":"#1 is before the team","MESSAGE_ID":"64644389a9224763968d546c747ff092","STORY":"1","ATTEMPT":"1","TEAM":"Storyline","_PID":"812"}
{"__CURSOR":"s=2","__REALTIME_TIMESTAMP":"4071556860200000","PRIORITY":"5","MESSAGE":"#1 posted by Ann","STORY":"1","OUTCOME":"posted","PERSON":"Ann","TEAM":"Storyline","_PID":"812"}
"##;

/// A story that was sent out of turn, and then taken out of the queue.
async fn a_bench() -> Bench {
    let bench = Bench::with_media().await;
    for line in ["schedule replan", "queue next", "queue cancel #1"] {
        let seen = bench.type_in(line);
        assert_eq!(seen.code, 0, "{line}: {seen:?}");
    }
    bench
}

/// Types it where `journalctl` does as this script says; without one, it is not there.
fn with_journal(bench: &Bench, line: &str, script: Option<&str>) -> Seen {
    let folder = bench.root().join("programs");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).unwrap();
    if let Some(script) = script {
        let draft = folder.join("draft");
        fs::write(&draft, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&draft, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(draft, folder.join("journalctl")).unwrap();
    }
    bench.with_path(line, folder.to_str().unwrap())
}

/// Without the seconds, and without when it was to be sent: those are others each time.
fn told(seen: &Seen) -> String {
    let all = seen.all();
    let lines = all.lines().map(|line| {
        let line = line
            .split_once("planned for ")
            .map_or(line.to_owned(), |(before, _)| {
                format!("{before}planned for …")
            });
        line.split_once(" 00:00:")
            .map_or(line.clone(), |(day, rest)| {
                format!("{day} 00:00{}", &rest[2..])
            })
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn records_and_journal_tell_a_life_together() {
    let bench = a_bench().await;
    let entries = bench.root().join("entries");
    fs::write(&entries, ENTRIES).unwrap();
    // It tells nothing unless it is asked right.
    let script = format!(
        "case \"$*\" in *--unit=storyline*--output=json*--since=@*STORY=1) exec /bin/cat {} ;; esac\nexit 1",
        entries.display()
    );
    let seen = with_journal(&bench, "log #1", Some(&script));
    assert_snapshot!(told(&seen), @r"
    When (Europe/Berlin)     From     What                                                                                    By
    Day 0000-00-00 00:00  records  planned for …
    Day 0000-00-00 00:00  records  #1: sent next, due Day 0000-00-00 00:00 → due Day 0000-00-00 00:00                      ann
    Day 0000-00-00 00:00  records  cancelled: memes/dog.png: taken out of the queue by ann
    Day 0000-00-00 00:00  records  #1: cancelled, due Day 0000-00-00 00:00, path memes/dog.png, state planned → cancelled  ann
    Day 0000-00-00 00:00  journal  #1 is before the team
    Day 0000-00-00 00:00  journal  #1 posted by Ann                                                                        Ann
    ");
    let lines = with_journal(&bench, "log 1 --json", Some(&script)).json();
    let last = lines.as_array().unwrap().last().unwrap();
    assert_eq!(last["source"], "journal");
    assert_eq!(last["by"], "Ann");
    assert_eq!(last["at"], "2099-01-08T12:01:00.2Z");
}

#[tokio::test]
async fn a_journal_that_tells_nothing_is_a_note_and_no_failure() {
    let bench = a_bench().await;
    for (script, note) in [
        (
            None,
            "note: `journalctl` is not on this machine; this is what is on record\n",
        ),
        (
            Some("exit 0"),
            "note: the journal says nothing of it: it reaches back only so far, and root and the group `systemd-journal` may read it\n",
        ),
        (
            Some(
                "echo 'No journal files were opened due to insufficient permissions.' >&2; exit 1",
            ),
            "note: the journal cannot be read: No journal files were opened due to insufficient permissions.\n",
        ),
    ] {
        let seen = with_journal(&bench, "log 1", script);
        assert_eq!((seen.code, &*seen.stderr), (0, note));
        assert!(seen.stdout.contains("#1: cancelled"), "{seen:?}");
    }
}

#[tokio::test]
async fn a_story_that_never_was_is_told_so() {
    let bench = a_bench().await;
    assert_snapshot!(bench.type_in("log 4711").all(), @r"
    ! error: there is no story #4711, and never was one
    ! hint: `storyline queue list` and `storyline history list` show the numbers
    exit 3
    ");
    assert_eq!(bench.type_in("log cat").code, 2);
}
