//! Runs a program of somebody else on a file of a stranger: for so long, with so much memory, and no longer than it is needed.

use std::io::Read;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, prlimit};

/// What a program may use.
pub(super) struct Leash {
    /// The longest that it may take.
    pub(super) patience: Duration,
    /// The most that is taken of what it puts out, in bytes.
    pub(super) most_output_bytes: u64,
}

/// The most memory that it may have, in bytes.
const MOST_MEMORY_BYTES: u64 = 1_500_000_000;
/// The largest file that it may write, in bytes.
const MOST_FILE_BYTES: u64 = 100_000_000;

/// What the program puts out. It is at its end when this returns, whatever it was doing.
///
/// # Errors
///
/// In plain words, if it cannot be run, takes too long, or says that it failed.
pub(super) fn output_of(command: &mut Command, leash: &Leash) -> Result<Vec<u8>, String> {
    let name = command.get_program().display().to_string();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|cause| format!("`{name}` cannot be run: {cause}"))?;
    bound(&child);
    let output = child
        .stdout
        .take()
        .and_then(|output| output_within(output, leash));
    let has_failed = ended(&mut child, output.is_some())?;
    let output = output.ok_or_else(|| {
        let seconds = leash.patience.as_secs();
        format!("`{name}` did not end within {seconds} seconds")
    })?;
    if has_failed {
        return Err(format!("`{name}` could not read it"));
    }
    Ok(output)
}

/// Bounds what it may take of the machine, where the kernel lets us; time is bounded all the same.
fn bound(child: &Child) {
    let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else {
        return;
    };
    for (resource, most) in [
        (Resource::As, MOST_MEMORY_BYTES),
        (Resource::Fsize, MOST_FILE_BYTES),
    ] {
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        if let Err(cause) = prlimit(Some(pid), resource, limit) {
            tracing::debug!("a program's resources are not bounded: {cause}");
        }
    }
}

/// All that comes out, up to the limit; nothing if it takes too long. The reader ends with the program at the latest.
fn output_within(output: ChildStdout, leash: &Leash) -> Option<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    let most_bytes = leash.most_output_bytes;
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if output.take(most_bytes).read_to_end(&mut bytes).is_ok() {
            // Nobody listens any more if it took too long.
            let _ = sender.send(bytes);
        }
    });
    receiver.recv_timeout(leash.patience).ok()
}

/// Whether the program says that it failed. Whoever has closed its output is given a moment to end by itself; then, or if it
/// never did, it is ended, and nothing of it is left.
fn ended(child: &mut Child, is_done: bool) -> Result<bool, String> {
    const MOMENT: Duration = Duration::from_millis(10);
    let lost = |cause| format!("it cannot be ended: {cause}");
    for _ in 0..if is_done { 50 } else { 0 } {
        if let Some(status) = child.try_wait().map_err(lost)? {
            return Ok(!status.success());
        }
        std::thread::sleep(MOMENT);
    }
    // It may have ended by itself meanwhile; that is what is wanted.
    let _ = child.kill();
    child.wait().map(|_| false).map_err(lost)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;
    use std::time::Instant;

    /// A program that does as this script says.
    pub(in crate::library) fn program(folder: &tempfile::TempDir, script: &str) -> PathBuf {
        let path = folder.path().join("program");
        // Written under another name: a program that is open for writing cannot be run.
        let draft = folder.path().join("draft");
        fs::write(&draft, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&draft, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(draft, &path).unwrap();
        path
    }

    fn output(script: &str, patience: Duration) -> Result<Vec<u8>, String> {
        let folder = tempfile::tempdir().unwrap();
        let leash = Leash {
            patience,
            most_output_bytes: 1000,
        };
        output_of(&mut Command::new(program(&folder, script)), &leash)
    }

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn what_it_puts_out_is_had() {
        assert_eq!(output("echo hello", LONG).unwrap(), b"hello\n");
    }

    #[test]
    fn a_program_that_never_stops_talking_is_ended() {
        let began = Instant::now();
        output("exec cat /dev/zero", LONG).unwrap_err();
        assert!(began.elapsed() < LONG);
    }

    #[test]
    fn a_program_that_hangs_is_ended_at_the_limit() {
        let began = Instant::now();
        let reason = output("exec sleep 60", Duration::from_millis(200)).unwrap_err();
        assert!(reason.contains("did not end within"), "{reason}");
        assert!(began.elapsed() < LONG);
    }

    #[test]
    fn a_program_that_fails_or_is_not_there_is_a_reason() {
        let reason = output("echo half; exit 1", LONG).unwrap_err();
        assert!(reason.contains("could not read it"), "{reason}");
        let leash = Leash {
            patience: LONG,
            most_output_bytes: 1,
        };
        let reason = output_of(&mut Command::new("/nowhere/ffmpeg"), &leash).unwrap_err();
        assert!(reason.contains("cannot be run"), "{reason}");
    }

    #[test]
    fn a_program_gets_so_much_memory() {
        let output = output("sleep 0.3; ulimit -v", LONG).unwrap();
        let kib: u64 = String::from_utf8(output).unwrap().trim().parse().unwrap();
        assert_eq!(kib, MOST_MEMORY_BYTES / 1024);
    }
}
