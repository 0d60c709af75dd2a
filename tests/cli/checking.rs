//! `check` and `config check`.

use insta::assert_snapshot;

use crate::bench::Bench;

#[test]
fn a_box_that_never_ran_is_told_so_and_nothing_is_made() {
    let bench = Bench::new();
    let check = bench.type_in("check");
    assert_eq!(check.code, 2);
    assert!(
        check.stdout.contains("the service has not run"),
        "{check:?}"
    );
    for line in ["queue list", "media index", "pause", "run list --json"] {
        let seen = bench.type_in(line);
        assert_eq!((seen.code, seen.stdout.as_str()), (69, ""), "{line}");
    }
    assert_snapshot!(bench.type_in("queue list").all(), @r#"
    ! error: there is no database at `[box]/s.db` yet: the service has not run
    ! hint: start it with `systemctl start storyline` (or `storyline serve`); if it runs, its `database.url` is another
    exit 69
    "#);
    assert!(!bench.database().exists());
}

#[tokio::test]
async fn a_check_says_what_is_wrong_and_what_to_do() {
    let bench = Bench::with_media().await;
    let check = bench.type_in("check");
    let lines: Vec<&str> = check
        .stdout
        .lines()
        .filter(|line| {
            let of_the_machine = ["board", "clock", "database", "disk", "version", "watches"];
            !of_the_machine
                .iter()
                .any(|what| line.contains(&format!("  {what} ")))
        })
        .collect();
    assert_snapshot!(lines.join("\n"), @r#"
    ok       settings  [box]/storyline.toml
    problem  service   it does not run: nothing is indexed and nothing is sent
                       hint: start it with `systemctl start storyline`; `journalctl -u storyline` tells why it stopped
    ok       library   [box]/library
    note     media     4 media, 3 ready, 1 with errors
                       hint: `storyline media list --flawed` shows which, `storyline media show` why
    note     plan      nothing is planned
                       hint: `storyline schedule preview` shows what would be; the service plans as soon as it can send
    note     file      memes/notes.txt: a text, not a picture; pictures (JPEG, PNG, GIF, WebP) and clips (MP4, MOV) can become stories
    note     backups   there is none yet
                       hint: the service makes one within minutes, and every night; `storyline backup create` makes one now
    problem  telegram  no bot token is set: pictures are indexed and nothing is sent
                       hint: `storyline setup` asks for it, and tells how @BotFather makes one
    problem  telegram  no chat is set: nothing is sent
                       hint: add the bot to the team's chat, or say `storyline team set chat=…`: the number of its channel or group
    "#);
    assert_snapshot!(check.stderr, @"3 problems");
    let findings = bench.type_in("check --json");
    assert_eq!(findings.code, 2);
    for finding in findings.json().as_array().unwrap() {
        assert!(finding["subject"].is_string() && finding["reason"].is_string());
        let state = finding["state"].as_str().unwrap();
        assert!(["ok", "note", "problem"].contains(&state), "{state}");
    }
    bench.type_in("pause");
    assert!(
        bench
            .type_in("check")
            .stdout
            .contains("paused by ann since")
    );
    std::fs::remove_dir_all(bench.library()).unwrap();
    let away = bench.type_in("check");
    assert!(
        away.stdout.contains("is not there; is its disk connected"),
        "{away:?}"
    );
}

#[test]
fn ten_mistakes_are_told_at_once() {
    let bench = Bench::new();
    bench.write_settings(
        "[library]\npath = \"pictures\"\n[database]\nurl = \"mysql://x\"\n[telegram]\nchat = \"team\"\nthread = 0\napi_url = \
         \"here\"\ntokne = \"x\"\n[team]\ntimezone = \"Mars/Olympus\"\nposts_per_day = 0\nwindow_start = \"25:00\"\n[log]\nlevel = \
         \"loud\"\n",
    );
    let seen = bench.type_in("config check");
    assert_eq!(seen.code, 78);
    assert_eq!(
        seen.stderr.matches("error: ").count(),
        10,
        "{}",
        seen.stderr
    );
    assert_eq!(seen.stderr.matches("hint: ").count(), 10, "{}", seen.stderr);
    assert!(
        seen.stderr.contains("did you mean `token`?"),
        "{}",
        seen.stderr
    );
    let mistakes = bench.type_in("config check --json");
    assert_eq!(mistakes.code, 78);
    assert_eq!(mistakes.json().as_array().unwrap().len(), 10);
    assert_eq!(mistakes.json()[0]["state"], "problem");
    // Every other command says the same.
    assert_eq!(bench.type_in("queue list").stderr, seen.stderr);
    assert_eq!(bench.type_in("queue list").code, 78);
    let check = bench.type_in("check");
    assert_eq!(check.code, 2);
    assert_eq!(check.stdout.matches("problem  settings").count(), 10);
}

#[test]
fn right_settings_are_right_and_the_example_is_too() {
    let bench = Bench::new();
    assert_snapshot!(bench.type_in("config check").all(), @"! The settings in `[box]/storyline.toml` are right.");
    assert_eq!(bench.type_in("config check --json").stdout, "[]\n");
    let shown = bench.type_in("config show --json").json();
    let zone = shown
        .as_array()
        .unwrap()
        .iter()
        .find(|setting| setting["key"] == "team.timezone")
        .unwrap();
    assert_eq!(zone["value"], "Europe/Berlin");
    assert_eq!(zone["origin"], "[box]/storyline.toml:7");
    let example = bench.type_in("config example").stdout;
    bench.write_settings(&example);
    assert_eq!(bench.type_in("config check").code, 0);
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let bench = Bench::with_media().await;
    let database = rusqlite::Connection::open(bench.database()).unwrap();
    database
        .execute(
            "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) VALUES (999, 'x', '2026-01-01T00:00:00Z', '1')",
            [],
        )
        .unwrap();
    drop(database);
    let refused = bench.type_in("queue list");
    assert_eq!(refused.code, 1);
    for said in [
        "the database has schema version 999 and this program knows versions up to",
        "install the newer Storyline again, or restore the backup that was made before the upgrade",
    ] {
        assert!(refused.stderr.contains(said), "{refused:?}");
    }
    let check = bench.type_in("check");
    assert_eq!(check.code, 2);
    assert!(check.stdout.contains("schema version 999"), "{check:?}");
}

#[tokio::test]
async fn an_alert_is_as_grave_in_a_check_as_it_is() {
    let bench = Bench::with_media().await;
    let database = rusqlite::Connection::open(bench.database()).unwrap();
    for (number, topic) in [("0", "runway_7"), ("1", "watcher"), ("2", "delivery")] {
        database
            .execute(
                "INSERT INTO alerts (id, team_id, topic, text, raised_at)
                 SELECT '00000000-0000-7000-8000-00000000000' || ?1, id, ?2, 'so it is', 0 FROM teams",
                [number, topic],
            )
            .unwrap();
    }
    let found = bench.type_in("check --json").json();
    let alerts: Vec<_> = found
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["subject"] == "alert")
        .collect();
    let states: Vec<_> = alerts
        .iter()
        .map(|one| one["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["problem", "warning", "note"]);
    assert!(
        alerts[1]["reason"]
            .as_str()
            .unwrap()
            .starts_with("🟡 so it is (since")
    );
}

/// What lies in memory looks like a disk with much space, and is gone with the power.
#[tokio::test]
async fn records_in_memory_are_warned_of() {
    if !crate::namespaces::can_be_made() {
        return;
    }
    let bench = Bench::with_media().await;
    let on_a_disk = bench.type_in("check");
    assert!(!on_a_disk.all().contains("lies in memory"), "{on_a_disk:?}");
    let upon = "mount -t tmpfs disk \"$room\"; cp -a \"$root\" \"$room/kept\"";
    for (mounting, why) in [
        ("mount --bind \"$room/kept\" \"$root\"", "(tmpfs at "),
        (
            "mkdir \"$room/up\" \"$room/work\"; mount -t overlay overlay -o lowerdir=\"$root\",upperdir=\"$room/up\",workdir=\"$room/work\" \"$root\"",
            "whose changes go to tmpfs at ",
        ),
    ] {
        let room = tempfile::tempdir_in("/var/tmp").unwrap();
        let command = bench.command();
        let output = std::process::Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "bash", "-euc"])
            .arg(format!("{upon}; {mounting}; cd \"$root\"; exec \"$@\""))
            .arg("bash")
            .arg(command.get_program())
            .args(command.get_args())
            .arg("check")
            .env("root", bench.root())
            .env("room", room.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("s.db lies in memory"), "{said}\n{output:?}");
        assert!(said.contains(why), "{said}");
        assert!(said.contains("a partition of its own"), "{said}");
    }
}
