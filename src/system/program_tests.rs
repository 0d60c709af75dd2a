use super::*;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// A program that does as this script says.
pub(crate) fn program(folder: &tempfile::TempDir, script: &str) -> PathBuf {
    let path = folder.path().join("program");
    // Written under another name: a program that is open for writing cannot be run.
    let draft = folder.path().join("draft");
    fs::write(&draft, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(draft, &path).unwrap();
    path
}

fn leash(patience: Duration) -> Leash {
    Leash {
        patience,
        most_output_bytes: 1000,
        is_strange: true,
    }
}

fn output(script: &str, patience: Duration) -> Result<Vec<u8>, Ended> {
    let folder = tempfile::tempdir().unwrap();
    output_of(
        &mut Command::new(program(&folder, script)),
        &leash(patience),
    )
}

fn text(script: &str) -> String {
    String::from_utf8(output(script, LONG).unwrap()).unwrap()
}

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(500);

#[test]
fn what_it_puts_out_is_had() {
    assert_eq!(text("echo hello"), "hello\n");
}

#[test]
fn a_program_that_never_stops_talking_is_ended() {
    let began = Instant::now();
    output("exec cat /dev/zero", LONG).unwrap_err();
    assert!(began.elapsed() < LONG);
}

#[test]
fn a_program_that_complains_without_end_is_heard_to_a_bound() {
    let reason = output("yes oh-no | head -c 3000000 >&2; exit 1", LONG).unwrap_err();
    let told = reason.to_string();
    assert!(told.contains("(oh-n") && told.len() < 100, "{told}");
    let long = output("head -c 9000 /dev/zero | tr '\\0' 'x' >&2; exit 1", LONG);
    assert!(long.unwrap_err().to_string().len() < 400);
    let steering = output("printf 'a\\033[2Jb' >&2; exit 1", LONG);
    assert!(!steering.unwrap_err().to_string().contains('\u{1b}'));
}

#[test]
fn a_program_that_hangs_is_ended_at_the_limit() {
    let began = Instant::now();
    let reason = output("exec sleep 60", SHORT).unwrap_err();
    assert!(matches!(reason, Ended::CutOff(_)), "{reason}");
    assert!(began.elapsed() < LONG);
}

/// Whether a process with this number is at work.
fn is_at_work(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.rsplit(')')
        .next()
        .is_some_and(|rest| !rest.trim().is_empty() && !rest.trim().starts_with('Z'))
}

#[test]
fn what_a_program_started_ends_with_it_wherever_it_went() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let start = format!(
        "sleep 61 & echo $! >>'{0}'; setsid sh -c 'echo $$ >>\"{0}\"; exec sleep 62' & sleep 0.3",
        pids.display()
    );
    for (end, patience) in [("exit 0", LONG), ("sleep 60", Duration::from_secs(2))] {
        fs::write(&pids, "").unwrap();
        let began = Instant::now();
        let ended = output(&format!("{start}; {end}"), patience);
        assert_eq!(ended.is_ok(), end == "exit 0");
        assert!(began.elapsed() < LONG, "what was left held it open");
        let started = fs::read_to_string(&pids).unwrap();
        assert_eq!(started.lines().count(), 2, "{started}");
        let until = Instant::now() + LONG;
        while started.lines().any(is_at_work) {
            assert!(Instant::now() < until, "{started} still run");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn a_program_that_eats_all_memory_ends_alone() {
    // A word that is doubled until there is no more memory for it.
    let reason = output("w=abcdefgh; while :; do w=$w$w; done", LONG).unwrap_err();
    assert!(matches!(reason, Ended::Failed(_)), "{reason}");
}

#[test]
fn a_program_that_is_killed_by_the_system_is_cut_off() {
    let reason = output("kill -9 $$", LONG).unwrap_err();
    assert!(matches!(reason, Ended::CutOff(_)), "{reason}");
}

#[test]
fn a_program_that_fails_or_is_not_there_is_a_reason() {
    let reason = output("echo half; echo no picture >&2; exit 1", LONG).unwrap_err();
    assert!(matches!(reason, Ended::Failed(_)), "{reason}");
    assert!(reason.to_string().ends_with("(no picture)"), "{reason}");
    let reason = output_of(&mut Command::new("/nowhere/ffmpeg"), &leash(LONG)).unwrap_err();
    assert!(matches!(reason, Ended::Missing(_)), "{reason}");
}

#[test]
fn a_program_gets_so_much_and_is_the_first_to_go() {
    let limits = text("sleep 0.3; ulimit -v; ulimit -t; cat /proc/self/oom_score_adj");
    let expected = [MOST_MEMORY_BYTES / 1024, LONG.as_secs() * CORES, 1000];
    let found: Vec<u64> = limits.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_program_is_told_nothing_of_the_service() {
    let told = text("env | cut -d= -f1 | sort");
    let known = [
        "LANG",
        "MALLOC_ARENA_MAX",
        "OLDPWD",
        "PATH",
        "PWD",
        "SHLVL",
        "_",
        MARK,
    ];
    for name in told.lines() {
        assert!(known.contains(&name), "{name}");
    }
    assert!(
        std::env::vars().count() > known.len(),
        "there is more to tell"
    );
}
