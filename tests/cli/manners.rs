//! Help, exit codes, pipes, and secrets.

use std::process::Stdio;

use clap::CommandFactory;
use storyline::cli::Cli;

use crate::bench::Bench;

#[test]
fn a_wrong_command_line_is_2_and_says_why() {
    let bench = Bench::new();
    for (line, says) in [
        ("", "Usage: storyline"),
        ("medja list", "a similar subcommand exists: 'media'"),
        ("queue cancel", "NUMBER"),
        (
            "queue cancel forty",
            "a story's number is like `47` or `#47`",
        ),
        ("history list --outcome done", "posted, skipped, rejected"),
        ("history list --limit 0", "0 is not in"),
        (
            "lock add x --kind recent_post",
            "manual_hold, seasonal, skip, rejected",
        ),
        ("lock add x --until soon", "--until"),
        (
            "lock add x --days 3 --until 2099-01-01",
            "cannot be used with",
        ),
        ("media title x", "<TEXT|--clear|--reset>"),
        ("media title x y --clear", "cannot be used with"),
        ("media tag x", "--add <TAGS>"),
        ("media tag x --set a --add b", "cannot be used with"),
        ("media interaction x maybe", "yes, no, auto"),
        ("media category x --reset --new", "cannot be used with"),
        ("media hold x --until soon", "write a day like `2026-12-01`"),
        ("audit list --since soon", "write a day like `2026-12-01`"),
        ("mix set", "CATEGORY=PERCENT"),
        ("mix set memes", "like `memes=70`"),
        ("mix set --none memes=100", "cannot be used with"),
        ("schedule preview --days 0", "0 is not in"),
        ("completions tcsh", "bash"),
    ] {
        let seen = bench.type_in(line);
        assert_eq!(seen.code, 2, "{line}: {seen:?}");
        assert_eq!(seen.stdout, "", "{line}");
        assert!(seen.stderr.contains(says), "{line}: {}", seen.stderr);
    }
}

#[test]
fn every_command_and_argument_is_explained() {
    let mut root = Cli::command();
    root.build();
    let mut commands = vec![root];
    while let Some(command) = commands.pop() {
        let name = command.get_name().to_owned();
        assert!(command.get_about().is_some(), "{name}");
        for argument in command.get_arguments() {
            assert!(
                argument.get_help().is_some(),
                "{name} {}",
                argument.get_id()
            );
        }
        commands.extend(command.get_subcommands().cloned());
    }
}

#[test]
fn help_goes_to_stdout_and_has_the_exit_codes() {
    let bench = Bench::new();
    let help = bench.type_in("--help");
    assert_eq!((help.code, help.stderr.as_str()), (0, ""));
    assert!(
        help.stdout.contains("Exit codes:\n   0  done; all well"),
        "{}",
        help.stdout
    );
    assert!(
        help.stdout.lines().all(|line| line.chars().count() <= 100),
        "{}",
        help.stdout
    );
    assert!(bench.type_in("--version").stdout.starts_with("storyline "));
}

#[test]
fn completions_are_made_for_the_usual_shells() {
    let bench = Bench::new();
    for shell in ["bash", "zsh", "fish"] {
        let seen = bench.type_in(&format!("completions {shell}"));
        assert!(
            seen.stdout.contains("storyline") && seen.stdout.contains("replan"),
            "{shell}"
        );
    }
}

#[tokio::test]
async fn a_reader_that_leaves_early_is_no_trouble() {
    let bench = Bench::with_media().await;
    for words in [
        &["config", "example"][..],
        &["media", "list"],
        &["check"],
        &["completions", "bash"],
        &["media", "list", "--json"],
        &["--help"],
    ] {
        let mut child = bench
            .command()
            .args(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {stderr}");
        assert_eq!(stderr, "", "{words:?}");
    }
}

#[tokio::test]
async fn talk_that_nobody_hears_is_no_trouble() {
    let bench = Bench::with_media().await;
    let mut child = bench
        .command()
        .arg("pause")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    assert!(child.wait().unwrap().success());
}

#[tokio::test]
async fn no_output_ever_holds_a_secret() {
    const CANARY: &str = "AAEcanaryCanaryCanaryCanaryCanaryXx";
    let bench = Bench::with_media().await;
    // Nothing listens there: errors of the network tell their URL, in which the token stands.
    let telegram = format!(
        "[telegram]\ntoken = \"123456789:{CANARY}\"\napi_url = \"http://127.0.0.1:9\"\nchat = -1001\nadmin_chat = 5\n"
    );
    let postgres =
        format!("[database]\nurl = \"postgres://team:{CANARY}@127.0.0.1:9/x\"\n{telegram}");
    let broken = format!("[telegram]\ntoken = \"123456789:{CANARY}\ntokne = \"{CANARY}\"\n");
    let odd =
        format!("[telegram]\ntoken = {CANARY}\n[database]\nurl = \"postgress://a:{CANARY}@b\"\n");
    let lines = [
        "check",
        "check --online",
        "setup --yes",
        "config check",
        "config show",
        "media index",
        "media list",
        "media show cat.png",
        "schedule preview",
        "schedule replan",
        "queue list",
        "queue next",
        "queue cancel 1",
        "history list",
        "stats",
        "lock list",
        "lock add cat.png",
        "lock remove cat.png",
        "media title cat.png Tom",
        "media link cat.png nowhere",
        "media tag cat.png --add a",
        "media interaction cat.png no",
        "media category cat.png merch",
        "media hold cat.png",
        "media release cat.png",
        "media validate",
        "media missing",
        "media dead",
        "audit list",
        "mix show",
        "mix set memes=100",
        "mix history",
        "person list",
        "person stats",
        "person promote x",
        "run list",
        "pause",
        "resume",
        "telegram test",
        "telegram test --send",
    ];
    bench.settings(&telegram);
    for settings in [None, Some(postgres), Some(broken), Some(odd)] {
        let is_bad = settings.is_some();
        if let Some(settings) = settings {
            bench.write_settings(&settings);
        }
        for line in lines.iter().take(if is_bad { 7 } else { lines.len() }) {
            for line in [(*line).to_owned(), format!("{line} --json")] {
                let seen = bench.type_in(&line);
                let all = seen.all();
                assert!(
                    !all.contains(CANARY) && !all.contains("canary"),
                    "{line}: {all}"
                );
            }
        }
    }
}
