//! The disks: how much space is left and for how long, and whether a card shows that it wears out.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{Findings, State};
use crate::system::board::Seen;
use crate::system::storage::{Left, NO_FILES, gigabytes, left};
use jiff::SignedDuration;

/// How far back it is asked how much came in.
pub(super) const MONTH: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Less than so much is a problem, in bytes: a database and a story need that.
const TOO_LITTLE_BYTES: u64 = 50_000_000;
/// Less than so much should be seen to, in bytes.
const LITTLE_BYTES: u64 = 500_000_000;
/// And less than so many days, at the pace of the last month.
const FEW_DAYS: u64 = 30;
/// And room for less than so many files.
const FEW_FILES: u64 = 1000;
/// Nobody thinks of what is further away, in days.
const FAR_DAYS: u64 = 3650;

const MAKE_ROOM: &str = "remove what nobody needs (`du -xh --max-depth=2 / | sort -h` tells what takes most), or use a larger disk";
const MAKE_ROOM_FOR_FILES: &str = "remove files that nobody needs, of whatever size (`du --inodes -x / | sort -n | tail` tells where most are), or use a disk that \
     was made with more inodes";
const COPY: &str =
    "copy the backups to another machine, and have a new card at hand: cards wear out";

/// What came in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Growth {
    pub(super) bytes: u64,
    pub(super) files: u64,
}

/// The disks that these folders lie on, each once; so much came into the libraries in the last month.
pub(super) fn judge(
    findings: &mut Findings,
    libraries: &[&Path],
    own: &[&Path],
    came_in: Growth,
    board: &Seen,
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
        let monthly = if is_librarys {
            came_in
        } else {
            Growth::default()
        };
        if board
            .disks
            .iter()
            .any(|disk| disk.number == number && disk.fell)
        {
            let told = format!(
                "the system has made the disk of {} read-only, which it does after errors",
                folder.display()
            );
            findings.problem("disk", told, Some(COPY));
        } else if let Ok(left) = left(folder) {
            match libraries.contains(&folder) {
                // A library may be meant to be; that it cannot be written is told of the library.
                true if left.is_read_only => {}
                _ => room(findings, folder, &left, monthly),
            }
        }
        wear(findings, folder, &block_device(number));
    }
}

fn room(findings: &mut Findings, folder: &Path, left: &Left, monthly: Growth) {
    let folder = folder.display();
    if left.is_read_only {
        let told = format!("the disk of {folder} is read-only: a card does that when it fails");
        return findings.problem("disk", told, Some(COPY));
    }
    let days = |left: u64, monthly: u64| left.saturating_mul(30).checked_div(monthly);
    let (free, all) = (gigabytes(left.bytes), gigabytes(left.all_bytes));
    let mut told = format!("{free} free of {all} for {folder}");
    let days_of_bytes = days(left.bytes, monthly.bytes);
    if let Some(days) = days_of_bytes.filter(|days| *days < FAR_DAYS) {
        told.push_str(&format!(
            "; full in {days} days, at the pace of the last month"
        ));
    }
    let is_soon = |days: Option<u64>| days.is_some_and(|days| days < FEW_DAYS);
    let judged = |left: u64, too_little: u64, little: u64, days| match left {
        left if left < too_little => State::Problem,
        left if left < little || is_soon(days) => State::Warning,
        _ => State::Ok,
    };
    let of_bytes = judged(left.bytes, TOO_LITTLE_BYTES, LITTLE_BYTES, days_of_bytes);
    let files = left.files.unwrap_or(u64::MAX);
    let days_of_files = days(files, monthly.files);
    let of_files = judged(files, NO_FILES + 1, FEW_FILES, days_of_files);
    if of_files > State::Ok {
        let most = left.all_files;
        told.push_str(&format!(
            "; room for {files} more files of {most}, of whatever size (inodes)"
        ));
        if let Some(days) = days_of_files.filter(|days| *days < FAR_DAYS) {
            told.push_str(&format!(", which are used up in {days} days"));
        }
    }
    let remedy = if of_files > of_bytes {
        MAKE_ROOM_FOR_FILES
    } else {
        MAKE_ROOM
    };
    match of_files.max(of_bytes) {
        State::Problem => findings.problem("disk", told, Some(remedy)),
        State::Warning | State::Note => findings.warning("disk", told, remedy),
        State::Ok => findings.ok("disk", told),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::board::Board;

    fn judged(bytes: u64, files: Option<u64>, monthly: Growth) -> (State, String) {
        let left = Left {
            bytes,
            all_bytes: 30_000_000_000,
            files,
            all_files: files.map_or(0, |_| 60_000),
            is_read_only: false,
        };
        let mut findings = Findings::default();
        room(&mut findings, Path::new("/"), &left, monthly);
        let found = &findings.all()[0];
        let remedy = found.remedy.clone().unwrap_or_default();
        (found.state, format!("{}\n{remedy}", found.reason))
    }

    #[test]
    fn what_is_left_is_judged_by_space_and_by_days() {
        for (free, bytes, state, told) in [
            (
                20_000_000_000,
                0,
                State::Ok,
                "20.0 GB free of 30.0 GB for /",
            ),
            (20_000_000_000, 3_000_000_000, State::Ok, "full in 200 days"),
            (
                2_000_000_000,
                3_000_000_000,
                State::Warning,
                "full in 20 days",
            ),
            (400_000_000, 0, State::Warning, "0.4 GB free"),
            (40_000_000, 0, State::Problem, "0.0 GB free"),
        ] {
            let (found, reason) = judged(free, None, Growth { bytes, files: 0 });
            assert_eq!(found, state, "{free}");
            assert!(reason.contains(told), "{reason}");
        }
        let left = Left {
            is_read_only: true,
            ..left(Path::new("/")).unwrap()
        };
        let mut findings = Findings::default();
        room(&mut findings, Path::new("/"), &left, Growth::default());
        assert!(findings.all()[0].reason.contains("read-only"));
    }

    #[test]
    fn room_for_files_is_judged_as_space_is() {
        for (bytes, free, files, state, told) in [
            (20_000_000_000, 30_000, 300, State::Ok, "for /\n"),
            (
                20_000_000_000,
                30_000,
                45_000,
                State::Warning,
                "room for 30000 more files of 60000, of whatever size (inodes), which are used up in 20 days\nremove files",
            ),
            (
                20_000_000_000,
                900,
                0,
                State::Warning,
                "900 more files of 60000, of whatever size (inodes)\nremove files",
            ),
            (20_000_000_000, 0, 0, State::Problem, "du --inodes"),
            // Of both, bytes are the easier to understand.
            (
                40_000_000,
                0,
                0,
                State::Problem,
                "\nremove what nobody needs",
            ),
        ] {
            let (found, reason) = judged(bytes, Some(free), Growth { bytes: 0, files });
            assert_eq!(found, state, "{reason}");
            assert!(reason.contains(told), "{reason}");
        }
    }

    #[test]
    fn a_disk_that_folders_share_is_told_of_once() {
        let folder = tempfile::tempdir().unwrap();
        let within = folder.path().join("within");
        fs::create_dir(&within).unwrap();
        let gone = folder.path().join("gone");
        let mut findings = Findings::default();
        let came_in = Growth::default();
        let mut seen = Board::here().look([folder.path()]);
        judge(
            &mut findings,
            &[folder.path()],
            &[&within, &gone],
            came_in,
            &seen,
        );
        assert_eq!(findings.all().len(), 1, "{findings:?}");
        assert_ne!(findings.worst(), State::Problem, "{findings:?}");
        seen.disks[0].fell = true;
        judge(&mut findings, &[folder.path()], &[&within], came_in, &seen);
        assert_eq!(findings.worst(), State::Problem, "{findings:?}");
    }
}
