//! What a process has cost so far, as the kernel counts it.

use std::fs;
use std::ops::Sub;

/// Counters of a process that only grow.
pub(crate) struct Cost {
    /// User and system time, in seconds; the kernel counts in hundredths.
    pub(crate) cpu: f64,
    /// Bytes that went, or will go, to the disk: pages made dirty, each counted whole.
    pub(crate) to_disk: u64,
    /// How often a thread that waited went on.
    pub(crate) wake_ups: u64,
}

impl Cost {
    /// Of a process that runs.
    pub(crate) fn of(pid: u32) -> Self {
        let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("a process");
        let status = threads.map(|thread| thread.expect("a thread").path().join("status"));
        Self {
            cpu: cpu_of(pid),
            to_disk: number_in(&format!("/proc/{pid}/io"), "write_bytes:"),
            wake_ups: status
                .map(|path| number_in(&path.display().to_string(), "voluntary_ctxt_switches:"))
                .sum(),
        }
    }
}

impl Sub for Cost {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            cpu: self.cpu - before.cpu,
            to_disk: self.to_disk - before.to_disk,
            // Threads end, and take their counts with them.
            wake_ups: self.wake_ups.saturating_sub(before.wake_ups),
        }
    }
}

pub(crate) fn resident_kb(pid: u32) -> u64 {
    number_in(&format!("/proc/{pid}/smaps_rollup"), "Rss:")
}

fn cpu_of(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("a process");
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .expect("fields")
        .split_whitespace()
        .collect();
    (fields[11].parse::<f64>().expect("ticks") + fields[12].parse::<f64>().expect("ticks")) / 100.0
}

fn number_in(path: &str, name: &str) -> u64 {
    let text = fs::read_to_string(path).expect("a process");
    let line = text
        .lines()
        .find(|line| line.starts_with(name))
        .expect("a line");
    line.split_whitespace()
        .nth(1)
        .expect("a number")
        .parse()
        .expect("a number")
}
