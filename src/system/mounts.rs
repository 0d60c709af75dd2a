//! What lies in memory and looks like a disk: a temporary file system, or an overlay whose changes go to one, as where the
//! "Overlay File System" of Raspberry Pi OS keeps a card from being written.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, openat};

use super::named::text_of;

/// What is to be done about records in memory.
pub const REMEDY: &str =
    "put the database onto a partition of its own, on a disk, and name it there: `[database] url`";

/// More than any list of mounts takes, in bytes.
const MOST_BYTES: u64 = 10_000_000;
/// How many overlays may lie one on the other.
const DEEPEST: u32 = 8;
/// File systems that are memory (`filesystems` in the kernel's documentation: tmpfs.rst, ramfs-rootfs-initramfs.rst).
const MEMORY: [&str; 3] = ["tmpfs", "ramfs", "rootfs"];
/// Disks that are memory.
const MEMORY_DISKS: [&str; 2] = ["/dev/zram", "/dev/ram"];
/// What the kernel is told where the changes of the root lie in memory and nothing else shows it: by `raspi-config`, and by
/// the package `overlayroot`.
const OVERLAID: [&str; 2] = ["boot=overlay", "overlayroot=tmpfs"];

/// In plain words, why what is recorded in the file at this path is gone with the power; `None` if it is not, or nobody knows.
#[must_use]
pub fn in_memory(path: &Path) -> Option<String> {
    let mounts = text_of(Path::new("/proc/self/mountinfo"), MOST_BYTES).ok()?;
    let id = mount_of(path.parent().unwrap_or(path)).ok()?;
    // The service itself is not let see it.
    let kernel = text_of(Path::new("/proc/cmdline"), MOST_BYTES).unwrap_or_default();
    judge(path, &mounts, &id, &kernel)
}

/// The number of the mount that a folder is on.
fn mount_of(folder: &Path) -> io::Result<String> {
    let folder = File::from(openat(
        CWD,
        folder,
        OFlags::PATH | OFlags::CLOEXEC,
        Mode::empty(),
    )?);
    let facts = format!("/proc/self/fdinfo/{}", folder.as_raw_fd());
    let facts = text_of(Path::new(&facts), MOST_BYTES)?;
    let id = facts.lines().find_map(|line| line.strip_prefix("mnt_id:"));
    let id = id.ok_or(io::ErrorKind::NotFound)?;
    Ok(id.trim().to_owned())
}

/// A line of `mountinfo` (proc_pid_mountinfo(5)).
struct Mount<'a> {
    id: &'a str,
    at: PathBuf,
    kind: &'a str,
    source: &'a str,
    options: &'a str,
}

impl<'a> Mount<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (before, after) = line.split_once(" - ")?;
        let mut before = before.split(' ');
        let mut after = after.split(' ');
        Some(Self {
            id: before.next()?,
            at: unescaped(before.nth(3)?).into(),
            kind: after.next()?,
            source: after.next()?,
            options: after.next().unwrap_or_default(),
        })
    }

    /// Where the changes of an overlay go.
    fn upper(&self) -> Option<PathBuf> {
        let mut options = self.options.split(',');
        let upper = options.find_map(|one| one.strip_prefix("upperdir="))?;
        Some(unescaped(upper).into())
    }
}

/// Blanks and the like are written as `\040`.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let byte = part
            .get(..3)
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match byte {
            Some(byte) => {
                whole.push(char::from(byte));
                whole.push_str(&part[3..]);
            }
            None => {
                whole.push('\\');
                whole.push_str(part);
            }
        }
    }
    whole
}

fn judge(path: &Path, mounts: &str, id: &str, kernel: &str) -> Option<String> {
    let mounts: Vec<Mount<'_>> = mounts.lines().filter_map(Mount::parse).collect();
    let mount = mounts.iter().find(|mount| mount.id == id)?;
    let why = why(mount, &mounts, kernel, DEEPEST)?;
    Some(format!(
        "{} lies in memory ({why}): a power cut takes what lies in memory, and what was posted is posted again",
        path.display()
    ))
}

/// Why what is on this mount lies in memory, if it does.
fn why(mount: &Mount<'_>, mounts: &[Mount<'_>], kernel: &str, deepest: u32) -> Option<String> {
    let at = mount.at.display();
    if MEMORY.contains(&mount.kind) {
        return Some(format!("{} at {at}", mount.kind));
    }
    if MEMORY_DISKS
        .iter()
        .any(|disk| mount.source.starts_with(disk))
    {
        return Some(format!("{} at {at}", mount.source));
    }
    let upper = mount.upper().filter(|_| mount.kind == "overlay")?;
    // The last that was mounted there is the one that is seen; what is seen through the overlay itself tells nothing.
    let others = mounts
        .iter()
        .filter(|other| other.at != mount.at && upper.starts_with(&other.at));
    let below = others.max_by_key(|other| other.at.components().count());
    if let Some(below) = below
        && deepest > 0
    {
        let why = why(below, mounts, kernel, deepest - 1)?;
        return Some(format!("an overlay at {at}, whose changes go to {why}"));
    }
    let mut words = kernel.split_whitespace();
    let word = words.find(|word| OVERLAID.iter().any(|known| word.starts_with(known)))?;
    Some(format!(
        "an overlay at {at}, by `{word}` at the start of the machine"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &str = "25 1 179:2 / / rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw\n\
                        29 25 0:25 / /run rw,nosuid shared:5 - tmpfs tmpfs rw,size=800000k\n\
                        31 25 0:27 / /var/lib/a\\040b rw - ramfs none rw\n\
                        32 25 8:1 / /data rw - ext4 /dev/sda1 rw\n\
                        33 25 254:0 / /var/log rw - ext4 /dev/zram0 rw\n";

    #[test]
    fn what_is_on_a_disk_is_told_from_what_is_in_memory() {
        let told = |id: &str| judge(Path::new("/x/s.db"), CARD, id, "quiet boot=overlay");
        for disk in ["25", "32", "none"] {
            assert_eq!(told(disk), None, "{disk}");
        }
        for (id, why) in [
            ("29", "(tmpfs at /run)"),
            ("31", "(ramfs at /var/lib/a b)"),
            ("33", "(/dev/zram0 at /var/log)"),
        ] {
            let told = told(id).unwrap();
            assert!(
                told.contains(why) && told.starts_with("/x/s.db lies in memory"),
                "{told}"
            );
        }
    }

    #[test]
    fn an_overlay_is_what_its_changes_lie_on() {
        let overlay = |upper: &str, others: &str| {
            format!(
                "40 1 0:30 / / rw - overlay overlayroot rw,lowerdir=/media/root-ro,upperdir={upper},workdir=/w\n{others}"
            )
        };
        let told =
            |mounts: &str, kernel: &str| judge(Path::new("/var/lib/s.db"), mounts, "40", kernel);
        // As the package `overlayroot` mounts it.
        let memory = "41 40 0:31 / /media/root-rw rw - tmpfs tmpfs-root rw\n\
                      42 40 179:2 / /media/root-ro ro - ext4 /dev/mmcblk0p2 ro\n";
        let found = told(&overlay("/media/root-rw/overlay", memory), "").unwrap();
        assert!(
            found.contains("an overlay at /, whose changes go to tmpfs at /media/root-rw"),
            "{found}"
        );
        let disk = "41 40 8:1 / /media/root-rw rw - ext4 /dev/sda1 rw\n";
        assert_eq!(told(&overlay("/media/root-rw/overlay", disk), ""), None);
        // One whose upper folder was mounted before the root, and is in no list: an older `raspi-config`, and a container.
        let hidden = overlay("/upper/data", "");
        let found = told(&hidden, "console=tty1 boot=overlay root=PARTUUID=1").unwrap();
        assert!(found.contains("by `boot=overlay`"), "{found}");
        assert_eq!(told(&hidden, "console=tty1 root=PARTUUID=1"), None);
        // One that may not be written has no such folder.
        let none = "40 1 0:30 / / ro - overlay overlay ro,lowerdir=/a:/b\n";
        assert_eq!(told(none, "boot=overlay"), None);
        // An overlay upon an overlay.
        let twice = "41 40 0:31 / /o rw - overlay overlay rw,lowerdir=/a,upperdir=/m/u,workdir=/m/w\n\
                     42 40 0:32 / /m rw - tmpfs tmpfs rw\n";
        let found = told(&overlay("/o/u", twice), "").unwrap();
        assert!(found.contains("tmpfs at /m"), "{found}");
    }

    #[test]
    fn the_machines_own_list_is_read() {
        assert!(mount_of(Path::new("/")).unwrap().parse::<u64>().is_ok());
        let shared = Path::new("/dev/shm/storyline.db");
        if text_of(Path::new("/proc/mounts"), MOST_BYTES)
            .unwrap()
            .contains("tmpfs /dev/shm ")
        {
            assert!(in_memory(shared).unwrap().contains("tmpfs at /dev/shm"));
        }
        assert_eq!(in_memory(Path::new("/none/of/it")), None);
    }
}
