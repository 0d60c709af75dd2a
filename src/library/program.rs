//! Runs a program of somebody else on a file of a stranger: for so long, with so much memory, and no longer than it is needed.

use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Resource, Rlimit, Signal, pidfd_open, pidfd_send_signal, prlimit,
};

/// What a program may use.
pub(super) struct Leash {
    /// The longest that it may take.
    pub(super) patience: Duration,
    /// The most that is taken of what it puts out, in bytes.
    pub(super) most_output_bytes: u64,
}

/// Why there is no output.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    /// It could not be run, or not to its end: that says nothing of the file.
    #[error("{0}")]
    NotRun(String),
    /// It says that it failed.
    #[error("{0}")]
    Failed(String),
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
pub(super) fn output_of(command: &mut Command, leash: &Leash) -> Result<Vec<u8>, Ended> {
    let name = command.get_program().display().to_string();
    let failed =
        |cause: &dyn std::fmt::Display| Ended::NotRun(format!("`{name}` cannot be run: {cause}"));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|cause| failed(&cause))?;
    // By its handle, and not by its number, which may be somebody else's by the time that it is used.
    let handle = match handle_of(&child) {
        Ok(handle) => handle,
        Err(cause) => {
            end(&mut child);
            return Err(failed(&cause));
        }
    };
    let (sender, receiver) = mpsc::channel();
    let most_bytes = leash.most_output_bytes;
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(output) = child.stdout.take()
            && output.take(most_bytes).read_to_end(&mut bytes).is_err()
        {
            end(&mut child);
        }
        // Nobody listens any more if it took too long.
        let _ = sender.send(child.wait().map(|status| (bytes, status)));
    });
    let ended = receiver.recv_timeout(leash.patience);
    if ended.is_err() {
        if let Err(cause) = pidfd_send_signal(&handle, Signal::KILL) {
            tracing::debug!("`{name}` ended by itself: {cause}");
        }
        // Until nothing of it is left.
        let _ = receiver.recv();
    }
    match ended {
        Ok(Ok((output, status))) if status.success() => Ok(output),
        Ok(Ok(_)) => Err(Ended::Failed(format!("`{name}` could not read it"))),
        Ok(Err(cause)) => Err(failed(&cause)),
        Err(_) => Err(Ended::NotRun(format!(
            "`{name}` did not end within {} seconds",
            leash.patience.as_secs()
        ))),
    }
}

/// A handle to it, by which what it may take of the machine is bounded.
fn handle_of(child: &Child) -> rustix::io::Result<OwnedFd> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or(Errno::SRCH)?;
    for (resource, most) in [
        (Resource::As, MOST_MEMORY_BYTES),
        (Resource::Fsize, MOST_FILE_BYTES),
    ] {
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        prlimit(Some(pid), resource, limit)?;
    }
    pidfd_open(pid, PidfdFlags::empty())
}

fn end(child: &mut Child) {
    // It may have ended by itself; that is what is wanted.
    let _ = child.kill();
    let _ = child.wait();
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

    fn output(script: &str, patience: Duration) -> Result<Vec<u8>, Ended> {
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
        assert!(matches!(reason, Ended::NotRun(_)), "{reason}");
        assert!(began.elapsed() < LONG);
    }

    #[test]
    fn a_program_that_fails_or_is_not_there_is_a_reason() {
        let reason = output("echo half; exit 1", LONG).unwrap_err();
        assert!(matches!(reason, Ended::Failed(_)), "{reason}");
        let leash = Leash {
            patience: LONG,
            most_output_bytes: 1,
        };
        let reason = output_of(&mut Command::new("/nowhere/ffmpeg"), &leash).unwrap_err();
        assert!(matches!(reason, Ended::NotRun(_)), "{reason}");
    }

    #[test]
    fn a_program_gets_so_much_memory() {
        let output = output("sleep 0.3; ulimit -v", LONG).unwrap();
        let kib: u64 = String::from_utf8(output).unwrap().trim().parse().unwrap();
        assert_eq!(kib, MOST_MEMORY_BYTES / 1024);
    }
}
