//! The service's unit: stopping and starting it, and opening it to a library that lies elsewhere.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::super::Failure;
use super::super::exit::told;
use super::super::print::say;
use crate::domain::written::Complaint;
use crate::system::program::{Leash, said_by};
use crate::system::replace::replace;
use crate::system::storage::why;

/// The longest that systemd is waited for: a start may bring the records to a new version first.
const PATIENCE: Duration = Duration::from_secs(16 * 60);
/// The service, as systemd calls it.
const UNIT: &str = "storyline";
/// What opens the service to another library, and what takes pictures from a USB stick.
const DROP_INS: [&str; 2] = [
    "/etc/systemd/system/storyline.service.d/library.conf",
    "/etc/systemd/system/storyline-usb@.service.d/library.conf",
];
/// What the unit is open to as it is shipped.
const OPEN: &str = "/srv/storyline/library";
/// Where people live; the unit sees nothing of it.
const HOMES: [&str; 2] = ["/home", "/root"];
/// What is the machine's, or looks different to the service.
const MACHINES: [&str; 19] = [
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib64",
    "/proc",
    "/run",
    "/sbin",
    "/sys",
    "/tmp",
    "/usr",
    "/var/backups",
    "/var/cache",
    "/var/lib",
    "/var/log",
    "/var/mail",
    "/var/spool",
    "/var/tmp",
];
/// Where nothing but what the owner put there lies, beneath one that is the machine's.
const FREE: [&str; 1] = ["/run/media"];

/// Whether systemd runs this machine, and knows the service.
pub(super) fn is_installed() -> bool {
    // As `sd_booted(3)` finds out.
    Path::new("/run/systemd/system").is_dir()
        && systemctl(&["show", "-p", "LoadState", "--value", UNIT])
            .is_ok_and(|state| state == "loaded" || state == "masked")
}

pub(super) fn is_active() -> bool {
    systemctl(&["is-active", "--quiet", UNIT]).is_ok()
}

pub(super) fn is_enabled() -> bool {
    systemctl(&["is-enabled", "--quiet", UNIT]).is_ok()
}

/// Starts it anew, and returns when it is at work.
pub(super) fn restart() -> Result<(), Failure> {
    systemctl(&["restart", UNIT]).map(drop).map_err(|error| {
        let hint =
            "`journalctl -u storyline -n 20` tells why; then `storyline setup` goes on from here";
        Failure::Other(told(format!("the service does not start: {error}"), hint))
    })
}

/// The service, while it is stopped; it is started again when this ends, however it ends.
pub(super) struct Stopped(());

impl Stopped {
    pub(super) fn begin() -> Result<Self, Failure> {
        systemctl(&["stop", UNIT]).map_err(|error| {
            Failure::plain(format!(
                "the service cannot be stopped for a moment: {error}"
            ))
        })?;
        Ok(Self(()))
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        if let Err(error) = systemctl(&["start", UNIT]) {
            say(&format!("The service could not be started again: {error}"));
            say("hint: `systemctl start storyline`");
        }
    }
}

/// Asks systemd for something; in a group of its own, so that a Ctrl-C ends the asking and not what was asked for.
fn systemctl(words: &[&str]) -> Result<String, String> {
    let leash = Leash {
        patience: PATIENCE,
        most_output_bytes: 1_000_000,
        is_strange: false,
    };
    let mut command = Command::new("systemctl");
    let said = said_by(command.args(words), &leash).map_err(|ended| ended.to_string())?;
    if said.is_success {
        Ok(String::from_utf8_lossy(&said.output).trim().to_owned())
    } else {
        Err(said.complaints.trim().to_owned())
    }
}

/// Why a folder cannot be the service's library, if it cannot.
pub(super) fn unfit(library: &Path) -> Option<Complaint> {
    let is_in = |places: &[&str]| places.iter().any(|place| library.starts_with(place));
    let depth = library.components().count() - 1;
    let is_home = HOMES
        .iter()
        .any(|homes| library.starts_with(homes) && depth <= Path::new(homes).components().count());
    // Keys and settings of people lie in such folders of their homes.
    let is_hidden = is_in(&HOMES) && {
        let mut parts = library.iter();
        parts.any(|part| part.as_bytes().starts_with(b"."))
    };
    if depth < 2 || is_home || is_hidden || (is_in(&MACHINES) && !is_in(&FREE)) {
        return Some(Complaint::new(
            "it is the machine's or somebody's home, and what lies there is not all pictures",
            "name a folder of its own, such as `/srv/storyline/library`",
        ));
    }
    let is_plain =
        |letter: char| !letter.is_control() && !turns(letter) && !"\"\\%:".contains(letter);
    let is_known = library
        .to_str()
        .is_some_and(|path| path.chars().all(is_plain));
    (!is_known).then(|| {
        Complaint::new(
            "systemd cannot be told of a name with quotes, backslashes, `%`, `:` or unseen characters in it",
            "name the folder otherwise",
        )
    })
}

/// Whether a character is unseen and turns the direction of the text around it, or ends its line.
fn turns(letter: char) -> bool {
    matches!(letter, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Whether the service sees a library already: the unit as shipped is open to it, or root has opened it before.
pub(super) fn sees(library: &Path) -> bool {
    let written = fs::read_to_string(DROP_INS[0]).unwrap_or_default();
    library.starts_with(OPEN) || opened(&written).any(|path| path == library)
}

/// The folders that a drop-in of ours opens.
fn opened(drop_in: &str) -> impl Iterator<Item = &Path> {
    let paths = drop_in.lines().filter_map(|line| {
        let (name, path) = line.split_once("=\"-")?;
        let is_ours = matches!(name, "ReadWritePaths" | "BindPaths");
        path.strip_suffix('"').filter(|_| is_ours)
    });
    paths.map(Path::new)
}

/// Has the unit see these libraries, and no other place that it did not see as shipped; whether that changes anything.
pub(super) fn open_to(libraries: &[PathBuf]) -> Result<bool, Failure> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let wanted = drop_in(libraries, &mounts);
    let mut is_other = false;
    for path in DROP_INS.map(Path::new) {
        if fs::read_to_string(path).ok() == wanted {
            continue;
        }
        let done = match &wanted {
            Some(text) => written(path, text),
            None => fs::remove_file(path),
        };
        done.map_err(|error| {
            let error = format!(
                "`{}` cannot be written: {}",
                path.display(),
                why(path, &error)
            );
            Failure::Other(told(
                error,
                "is there space on the disk, and may it be written?",
            ))
        })?;
        is_other = true;
    }
    if is_other {
        systemctl(&["daemon-reload"]).map_err(Failure::plain)?;
    }
    Ok(is_other)
}

fn written(path: &Path, text: &str) -> io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    replace(path, text.as_bytes(), 0o644)
}

/// What opens the unit to these libraries; nothing where it is open to all of them. `mounts` is the kernel's table. What systemd
/// would take for something else than a folder's name never gets there, whoever let it through.
fn drop_in(libraries: &[PathBuf], mounts: &str) -> Option<String> {
    let elsewhere: Vec<&PathBuf> = libraries
        .iter()
        .filter(|library| !library.starts_with(OPEN) && unfit(library).is_none())
        .collect();
    if elsewhere.is_empty() {
        return None;
    }
    let mut text = String::from(
        "# Written by `storyline setup`, which writes it anew: what the service needs to see its library.\n",
    );
    let mut disks: Vec<String> = elsewhere
        .iter()
        .filter_map(|library| mount_point(library, mounts))
        .map(|point| mount_unit(&point))
        .collect();
    disks.sort();
    disks.dedup();
    if !disks.is_empty() {
        let disks = disks.join(" ");
        let _ = write!(
            text,
            "\n[Unit]\n\
             # Its disk is mounted first. If that is missing, the service starts all the same, and says so; it sees the disk\n\
             # when that is mounted later. (`RequiresMountsFor=` would keep it from starting, and stop it with the disk.)\n\
             Wants={disks}\nAfter={disks}\n"
        );
    }
    text.push_str("\n[Service]\n");
    let is_home = |library: &Path| HOMES.iter().any(|home| library.starts_with(home));
    for library in elsewhere.iter().filter(|library| !is_home(library)) {
        let _ = writeln!(text, "ReadWritePaths=\"-{}\"", library.display());
    }
    let mut homes = elsewhere
        .iter()
        .filter(|library| is_home(library))
        .peekable();
    if homes.peek().is_some() {
        text.push_str(
            "# People's homes stay out of sight but for this folder. It is put where it was, so it need not be theirs to go\n\
             # through the home itself. (`ProtectHome=no` would show all homes, and not let it through one with mode 0700.)\n\
             ProtectHome=tmpfs\n",
        );
    }
    for library in homes {
        let _ = writeln!(text, "BindPaths=\"-{}\"", library.display());
    }
    Some(text)
}

/// Where the disk is mounted that this path is on, unless it is the system's own.
fn mount_point(path: &Path, mounts: &str) -> Option<PathBuf> {
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(4));
    points
        .map(unescaped)
        .filter(|point| path.starts_with(point))
        .max_by_key(|point| point.components().count())
        .filter(|point| point != Path::new("/"))
}

/// A path of the kernel's table, in which blanks are written `\040`, and other bytes that would end a field likewise.
fn unescaped(text: &str) -> PathBuf {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let number = after.get(..3).filter(|_| *first == b'\\');
        let number = number.and_then(|digits| str::from_utf8(digits).ok());
        match number.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[3..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    OsString::from_vec(bytes).into()
}

/// What systemd calls the unit that mounts a disk there; see `systemd-escape(1)`.
fn mount_unit(point: &Path) -> String {
    let path = point.as_os_str().as_bytes();
    let mut name = String::new();
    for (at, byte) in path.iter().copied().skip(1).enumerate() {
        match byte {
            b'/' => name.push('-'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b':' => name.push(char::from(byte)),
            b'.' if at > 0 => name.push('.'),
            // Writing to a String cannot fail.
            other => {
                let _ = write!(name, "\\x{other:02x}");
            }
        }
    }
    name + ".mount"
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "22 1 179:2 / / rw,noatime - ext4 /dev/mmcblk0p2 rw\n\
                          31 22 8:1 / /mnt/my\\040disk-1 rw shared:3 - ext4 /dev/sda1 rw\n";

    fn of(libraries: &[&str]) -> Option<String> {
        let libraries: Vec<PathBuf> = libraries.iter().map(PathBuf::from).collect();
        drop_in(&libraries, MOUNTS)
    }

    #[test]
    fn the_unit_as_shipped_needs_nothing_for_its_own_library() {
        assert_eq!(of(&["/srv/storyline/library"]), None);
        assert_eq!(of(&["/srv/storyline/library/all"]), None);
    }

    #[test]
    fn a_folder_elsewhere_is_opened_and_a_disk_is_waited_for() {
        let plain = of(&["/srv/storyline/library", "/srv/storyline/club"]).unwrap();
        assert!(
            plain.ends_with("\n[Service]\nReadWritePaths=\"-/srv/storyline/club\"\n"),
            "{plain}"
        );
        assert!(
            !plain.contains("[Unit]") && !plain.contains("ProtectHome"),
            "{plain}"
        );

        let disk = of(&["/mnt/my disk-1/stories"]).unwrap();
        assert!(
            disk.contains(
                "\nWants=mnt-my\\x20disk\\x2d1.mount\nAfter=mnt-my\\x20disk\\x2d1.mount\n"
            ),
            "{disk}"
        );
        assert!(
            disk.ends_with("\nReadWritePaths=\"-/mnt/my disk-1/stories\"\n"),
            "{disk}"
        );
    }

    #[test]
    fn of_a_home_nothing_else_is_seen() {
        let home = of(&["/home/ann/stories"]).unwrap();
        assert!(
            home.ends_with("\nProtectHome=tmpfs\nBindPaths=\"-/home/ann/stories\"\n"),
            "{home}"
        );
        assert!(!home.contains("ReadWritePaths"), "{home}");
    }

    #[test]
    fn what_is_the_machines_is_no_library() {
        for no in [
            "/",
            "/srv",
            "/mnt",
            "/home",
            "/home/ann",
            "/root",
            "/etc/pictures",
            "/tmp/x",
            "/var/lib/storyline/x",
            "/run/x/y",
            "/srv/a\"b",
            "/srv/a%b",
            "/home/ann/a:b",
            "/home/ann/.ssh",
            "/home/ann/x/.config/y",
            "/var/spool/x",
            "/srv/a\nReadWritePaths=/",
            "/srv/a\\b",
            "/srv/a\u{202e}b",
            "/srv/a\u{2028}b",
            "/srv/a\tb",
        ] {
            assert!(unfit(Path::new(no)).is_some(), "{no}");
        }
        for yes in [
            "/srv/storyline/library",
            "/home/ann/pictures",
            "/mnt/disk",
            "/media/ann/USB STICK",
            "/run/media/ann/x",
            "/data/ä",
        ] {
            assert_eq!(unfit(Path::new(yes)), None, "{yes}");
        }
    }

    #[test]
    fn nothing_but_a_folder_gets_into_the_unit_whoever_let_it_through() {
        for hostile in [
            "/",
            "/etc",
            "/root/x/..",
            "/srv/a\"\nExecStartPre=+/bin/sh",
            "/srv/%h",
            "/srv/x\\",
        ] {
            assert_eq!(of(&[hostile]), None, "{hostile}");
        }
        let both = of(&["/srv/a\nb", "/srv/it's one", "/home/ann/x"]).unwrap();
        let opened: Vec<&Path> = opened(&both).collect();
        assert_eq!(
            opened,
            [Path::new("/srv/it's one"), Path::new("/home/ann/x")]
        );
    }

    #[test]
    fn a_disk_is_called_as_systemd_calls_it() {
        assert_eq!(
            mount_unit(Path::new("/mnt/my disk-1/ä.b")),
            "mnt-my\\x20disk\\x2d1-\\xc3\\xa4.b.mount"
        );
        assert_eq!(mount_unit(Path::new("/.x")), "\\x2ex.mount");
        assert_eq!(
            unescaped("/a\\040b\\134\\012c\\9"),
            Path::new("/a b\\\nc\\9")
        );
    }
}
