//! Runs programs of somebody else: for so long, with no more of the machine than they may have, and with nothing of the
//! service's own environment. A program that hangs or eats all memory ends alone, with all that it started, wherever that
//! went.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Resource, Rlimit, Signal, WaitId, WaitIdOptions, kill_process_group,
    pidfd_open, pidfd_send_signal, prlimit, waitid,
};

use super::neutral;

/// What a program may use.
pub struct Leash {
    /// The longest that it may take.
    pub patience: Duration,
    /// The most that is taken of what it puts out, in bytes.
    pub most_output_bytes: u64,
    /// Whether it looks at a file of a stranger, which may have been made to break it or to make it eat all there is.
    pub is_strange: bool,
}

/// Why there is no output.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// It is not there.
    #[error("`{0}` is not on this machine")]
    Missing(String),
    /// It could not be run: that says nothing of the file.
    #[error("{0}")]
    NotRun(String),
    /// It was cut off, because it took too long or too much: it may be the file, or the machine.
    #[error("{0}")]
    CutOff(String),
    /// It says that it failed.
    #[error("{0}")]
    Failed(String),
}

/// What a program said, to its end.
pub struct Said {
    /// Whether it says that it went well.
    pub is_success: bool,
    /// What it put out.
    pub output: Vec<u8>,
    /// The beginning of what it complained of.
    pub complaints: String,
}

/// The most memory that a program may ask for that looks at a stranger's file, in bytes: with the service's own it stays below
/// the unit's limit, and a phone's picture takes less. It holds where the kernel limits nobody's memory, too.
const MOST_MEMORY_BYTES: u64 = 350_000_000;
/// The largest file that it may write, in bytes.
const MOST_FILE_BYTES: u64 = 100_000_000;
/// It may use so many cores all of its time.
const CORES: u64 = 4;
/// The most that is kept of what a program complains of, in bytes.
const MOST_COMPLAINTS_BYTES: u64 = 64 * 1024;
/// The most that is told of it, in characters.
const MOST_TOLD: usize = 200;
/// The name by which all that a program started is found again, whatever group it is in.
const MARK: &str = "STORYLINE_CHILD";
/// How often what it started is looked for, if more of it appears meanwhile.
const ROUNDS: usize = 20;
/// How long one of it may take to be gone before the next is looked at.
const GOING: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};
/// How long what was killed may take to be gone.
const LAST_BREATH: Duration = Duration::from_secs(5);
/// What the kernel takes first where memory runs out.
const FIRST_TO_GO: &str = "1000";

/// What the program puts out. It is at its end when this returns, whatever it was doing, and so is what it started.
///
/// # Errors
/// In plain words, if it cannot be run, takes too long, or says that it failed.
pub fn output_of(command: &mut Command, leash: &Leash) -> Result<Vec<u8>, Ended> {
    output_of_input(command, Stdio::null(), leash)
}

/// The same of a program that is given this as its input: a file that is open, whatever takes its name meanwhile.
///
/// # Errors
/// As those of [`output_of`].
pub fn output_of_input(
    command: &mut Command,
    input: Stdio,
    leash: &Leash,
) -> Result<Vec<u8>, Ended> {
    let name = named(command);
    let said = said(command, input, leash)?;
    if said.is_success {
        return Ok(said.output);
    }
    Err(Ended::Failed(match last_line(&said.complaints) {
        Some(why) => format!("`{name}` could not read it ({why})"),
        None => format!("`{name}` could not read it"),
    }))
}

/// What the program says, whether it went well or not. It is at its end when this returns, and so is what it started.
///
/// # Errors
/// In plain words, if it cannot be run, takes too long, or was ended by the system.
pub fn said_by(command: &mut Command, leash: &Leash) -> Result<Said, Ended> {
    said(command, Stdio::null(), leash)
}

fn said(command: &mut Command, input: Stdio, leash: &Leash) -> Result<Said, Ended> {
    let name = named(command);
    let failed =
        |cause: &dyn std::fmt::Display| Ended::NotRun(format!("`{name}` cannot be run: {cause}"));
    let mark = uuid::Uuid::now_v7().to_string();
    surround(command, input, leash, &mark);
    let mut child = command.spawn().map_err(|cause| match cause.kind() {
        io::ErrorKind::NotFound => Ended::Missing(name.clone()),
        _ => failed(&cause),
    })?;
    // By its handle, and not by its number, which may be somebody else's by the time that it is used.
    let (pid, handle) = match handle_of(&child, leash) {
        Ok(handle) => handle,
        Err(cause) => {
            let _ = child.kill();
            let _ = child.wait();
            return Err(failed(&cause));
        }
    };
    let all = All {
        pid,
        handle,
        mark: format!("{MARK}={mark}"),
    };
    let output = reading(child.stdout.take(), leash.most_output_bytes, false);
    let complaints = reading(child.stderr.take(), MOST_COMPLAINTS_BYTES, true);
    let deadline = Instant::now() + leash.patience;
    let (sender, exited) = channel();
    thread::spawn(move || {
        // It is not taken off the list of processes yet: as long as it is there, nobody else gets its number.
        let ended = waitid(
            WaitId::Pid(pid),
            WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
        );
        let _ = sender.send(ended.map(drop));
    });
    let left = || deadline.saturating_duration_since(Instant::now());
    let is_in_time = exited.recv_timeout(left()).is_ok();
    // What it left behind may hold what is read here open for ever.
    all.end();
    let status = reaped(child, is_in_time, &exited);
    let output = output.recv_timeout(LAST_BREATH).unwrap_or_default();
    let complaints = complaints.recv_timeout(LAST_BREATH).unwrap_or_default();
    let complaints = String::from_utf8_lossy(&complaints).into_owned();
    if !is_in_time {
        return Err(Ended::CutOff(format!(
            "`{name}` did not end within {} seconds",
            leash.patience.as_secs()
        )));
    }
    let status = status.ok_or_else(|| failed(&"it does not end"))?;
    match status.signal() {
        Some(signal)
            if [Signal::KILL, Signal::XCPU]
                .map(Signal::as_raw)
                .contains(&signal) =>
        {
            Err(Ended::CutOff(format!(
                "`{name}` was ended by the system: it took too much memory or time"
            )))
        }
        Some(signal) => Err(Ended::Failed(format!(
            "`{name}` broke down over it (signal {signal})"
        ))),
        None => Ok(Said {
            is_success: status.success(),
            output,
            complaints,
        }),
    }
}

/// What it is given of the world.
fn surround(command: &mut Command, input: Stdio, leash: &Leash, mark: &str) {
    command.env_clear().env("LANG", "C.UTF-8").env(MARK, mark);
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    if leash.is_strange {
        // Each thread would set memory apart that it hardly uses, and that counts.
        command.env("MALLOC_ARENA_MAX", "1");
    }
    command
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
}

fn named(command: &Command) -> String {
    command.get_program().display().to_string()
}

/// A handle to it, by which what it may take of the machine is bounded.
fn handle_of(child: &Child, leash: &Leash) -> rustix::io::Result<(Pid, OwnedFd)> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or(Errno::SRCH)?;
    if leash.is_strange {
        for (resource, most) in [
            (Resource::As, MOST_MEMORY_BYTES),
            (Resource::Fsize, MOST_FILE_BYTES),
            (Resource::Cpu, leash.patience.as_secs().max(1) * CORES),
            (Resource::Core, 0),
        ] {
            let limit = Rlimit {
                current: Some(most),
                maximum: Some(most),
            };
            prlimit(Some(pid), resource, limit)?;
        }
        // Where nothing else bounds it, the kernel is to take it, and not the service.
        if let Err(cause) = fs::write(format!("/proc/{}/oom_score_adj", child.id()), FIRST_TO_GO) {
            tracing::debug!("a program is not the first to go: {cause}");
        }
    }
    Ok((pid, pidfd_open(pid, PidfdFlags::empty())?))
}

/// Reads the beginning of what it says; the rest is read and forgotten, if `to_the_end`, or it hears that nobody listens.
fn reading(
    from: Option<impl Read + Send + 'static>,
    most_bytes: u64,
    to_the_end: bool,
) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let Some(mut from) = from else { return };
        let mut bytes = Vec::new();
        // What was read before it failed is what there is.
        let _ = from.by_ref().take(most_bytes).read_to_end(&mut bytes);
        if to_the_end {
            let _ = io::copy(&mut from, &mut io::sink());
        }
        drop(from);
        // Nobody listens any more if it took too long.
        let _ = sender.send(bytes);
    });
    receiver
}

/// A program and all that it started.
struct All {
    pid: Pid,
    handle: OwnedFd,
    /// What all of them have in their environment.
    mark: String,
}

impl All {
    /// Ends whatever of it is still there. Its own place in the list of processes must not have been given back yet.
    fn end(&self) {
        // What has ended by itself is what is wanted.
        let _ = pidfd_send_signal(&self.handle, Signal::KILL);
        let _ = kill_process_group(self.pid, Signal::KILL);
        // One that left the group may start others while they are looked for.
        for _ in 0..ROUNDS {
            let left: Vec<Pid> = processes().filter(|pid| self.is_of_it(*pid)).collect();
            if left.is_empty() {
                return;
            }
            for pid in left {
                // Once it is held it cannot be another's number any more.
                if let Ok(handle) = pidfd_open(pid, PidfdFlags::empty())
                    && self.is_of_it(pid)
                {
                    let _ = pidfd_send_signal(&handle, Signal::KILL);
                    // Until it has gone, it would be found again.
                    let _ = poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&GOING));
                }
            }
        }
    }

    fn is_of_it(&self, pid: Pid) -> bool {
        let path = format!("/proc/{}/environ", pid.as_raw_nonzero());
        let environment = fs::read(path).unwrap_or_default();
        let mut entries = environment.split(|byte| *byte == 0);
        entries.any(|entry| entry == self.mark.as_bytes())
    }
}

/// The processes that can be seen from here.
fn processes() -> impl Iterator<Item = Pid> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    all.filter_map(|entry| {
        let name: OsString = entry.file_name();
        Pid::from_raw(name.to_str()?.parse().ok()?)
    })
}

/// How it ended; nothing, if it does not although it was killed: it waits for the kernel, and is let go.
fn reaped(
    mut child: Child,
    is_in_time: bool,
    exited: &Receiver<rustix::io::Result<()>>,
) -> Option<ExitStatus> {
    if !is_in_time && exited.recv_timeout(LAST_BREATH).is_err() {
        thread::spawn(move || child.wait());
        return None;
    }
    child.wait().ok()
}

/// The last that it said, shortened, and harmless to whoever reads it.
fn last_line(complaints: &str) -> Option<String> {
    let last = complaints.lines().rfind(|line| !line.trim().is_empty())?;
    let told: String = last.trim().chars().take(MOST_TOLD).collect();
    Some(neutral::line(&told).into_owned())
}

#[cfg(test)]
#[path = "program_tests.rs"]
pub(crate) mod tests;
