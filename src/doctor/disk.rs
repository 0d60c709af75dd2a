//! The disks: how much space is left and for how long, and whether a card shows that it wears out.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use rustix::fs::{StatVfs, StatVfsMountFlags, statvfs};

use super::Findings;

/// How far back it is asked how much came in.
pub(super) const MONTH: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Less than so much is a problem, in bytes: a database and a story need that.
const TOO_LITTLE_BYTES: u64 = 50_000_000;
/// Less than so much should be seen to, in bytes.
const LITTLE_BYTES: u64 = 500_000_000;
/// And less than so many days, at the pace of the last month.
const FEW_DAYS: u64 = 30;

const MAKE_ROOM: &str = "remove what nobody needs (`du -xh --max-depth=2 / | sort -h` tells what takes most), or use a larger disk";
const COPY: &str =
    "copy the backups to another machine, and have a new card at hand: cards wear out";

/// The disks that these folders lie on, each once; so much came into them in the last month, in bytes.
pub(super) fn judge(
    findings: &mut Findings,
    libraries: &[&Path],
    own: &[&Path],
    came_in_bytes: u64,
) {
    let mut disks: BTreeMap<u64, &Path> = BTreeMap::new();
    for folder in libraries.iter().chain(own) {
        // What is not there is told elsewhere.
        if let Ok(metadata) = fs::metadata(folder) {
            disks.entry(metadata.dev()).or_insert(folder);
        }
    }
    for (number, folder) in disks {
        // What comes in lies in the library, which is the first of the folders.
        let is_librarys = libraries.first() == Some(&folder);
        let daily = if is_librarys { came_in_bytes / 30 } else { 0 };
        if let Ok(space) = statvfs(folder) {
            let is_read_only = space.f_flag.contains(StatVfsMountFlags::RDONLY);
            match libraries.contains(&folder) {
                // A library may be meant to be; that it cannot be written is told of the library.
                true if is_read_only => {}
                _ => room(findings, folder, &space, daily),
            }
        }
        wear(findings, folder, &block_device(number));
    }
}

fn room(findings: &mut Findings, folder: &Path, space: &StatVfs, daily_bytes: u64) {
    let folder = folder.display();
    if space.f_flag.contains(StatVfsMountFlags::RDONLY) {
        let told = format!("the disk of {folder} is read-only: a card does that when it fails");
        return findings.problem("disk", told, Some(COPY));
    }
    let (free, all) = (
        space.f_bavail * space.f_frsize,
        space.f_blocks * space.f_frsize,
    );
    let days = free.checked_div(daily_bytes);
    let mut told = format!(
        "{} free of {} for {folder}",
        gigabytes(free),
        gigabytes(all)
    );
    if let Some(days) = days.filter(|days| *days < 3650) {
        told.push_str(&format!(
            "; full in {days} days, at the pace of the last month"
        ));
    }
    if free < TOO_LITTLE_BYTES {
        findings.problem("disk", told, Some(MAKE_ROOM));
    } else if free < LITTLE_BYTES || days.is_some_and(|days| days < FEW_DAYS) {
        findings.warning("disk", told, MAKE_ROOM);
    } else {
        findings.ok("disk", told);
    }
}

/// What the kernel knows of the disk itself. An SD card says nothing of its wear; its errors, and eMMC, do.
fn wear(findings: &mut Findings, folder: &Path, device: &Path) {
    let folder = folder.display();
    let name = device.file_name().unwrap_or_default();
    let errors = Path::new("/sys/fs/ext4").join(name).join("errors_count");
    if let Some(errors) = number(&errors).filter(|errors| *errors > 0) {
        findings.problem(
            "disk",
            format!("the file system of {folder} has {errors} errors on record"),
            Some(COPY),
        );
    }
    // The disk of a partition is the folder above it.
    let health = |of: &str| {
        [
            device.join("device").join(of),
            device.join("../device").join(of),
        ]
        .into_iter()
        .find_map(|path| fs::read_to_string(path).ok())
    };
    let end_of_life = health("pre_eol_info").and_then(|text| hexadecimal(&text));
    if end_of_life.is_some_and(|stage| stage >= 2) {
        findings.warning(
            "disk",
            format!("the chip of {folder} says that it is worn out"),
            COPY,
        );
    }
    let tenths = health("life_time").and_then(|text| text.split(' ').filter_map(hexadecimal).max());
    if let Some(tenths) = tenths.filter(|tenths| *tenths >= 9) {
        let told = format!(
            "the chip of {folder} has used {} % of its life",
            tenths * 10
        );
        findings.warning("disk", told, COPY);
    }
}

fn block_device(number: u64) -> PathBuf {
    let (major, minor) = (rustix::fs::major(number), rustix::fs::minor(number));
    let link = PathBuf::from(format!("/sys/dev/block/{major}:{minor}"));
    fs::canonicalize(&link).unwrap_or(link)
}

fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn hexadecimal(text: &str) -> Option<u64> {
    u64::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok()
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    #[test]
    fn what_is_left_is_judged_by_space_and_by_days() {
        let folder = Path::new("/");
        let mut space = statvfs(folder).unwrap();
        (space.f_frsize, space.f_blocks, space.f_flag) =
            (1, 30_000_000_000, StatVfsMountFlags::empty());
        for (free, daily, state, told) in [
            (
                20_000_000_000,
                0,
                State::Ok,
                "20.0 GB free of 30.0 GB for /",
            ),
            (20_000_000_000, 100_000_000, State::Ok, "full in 200 days"),
            (
                2_000_000_000,
                100_000_000,
                State::Warning,
                "full in 20 days",
            ),
            (400_000_000, 0, State::Warning, "0.4 GB free"),
            (40_000_000, 0, State::Problem, "0.0 GB free"),
        ] {
            space.f_bavail = free;
            let mut findings = Findings::default();
            room(&mut findings, folder, &space, daily);
            assert_eq!(findings.worst(), state, "{free}");
            let reason = &findings.all()[0].reason;
            assert!(reason.contains(told), "{reason}");
        }
        space.f_flag = StatVfsMountFlags::RDONLY;
        let mut findings = Findings::default();
        room(&mut findings, folder, &space, 0);
        assert!(findings.all()[0].reason.contains("read-only"));
    }

    #[test]
    fn a_disk_that_folders_share_is_told_of_once() {
        let folder = tempfile::tempdir().unwrap();
        let within = folder.path().join("within");
        fs::create_dir(&within).unwrap();
        let gone = folder.path().join("gone");
        let mut findings = Findings::default();
        judge(&mut findings, &[folder.path()], &[&within, &gone], 0);
        assert_eq!(findings.all().len(), 1, "{findings:?}");
    }
}
