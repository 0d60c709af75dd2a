//! How the machine itself is, as the kernel tells it in `/sys` and `/proc`: its power, its heat, its disks. Where a machine does
//! not tell, nothing is known. All of it is read beneath a root, so that a test can be a machine of its own.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What no sensor means, in thousandths of a degree Celsius.
const ABSURD: i64 = 150_000;

/// Where the kernel tells of a machine.
#[derive(Clone, Debug)]
pub struct Board(PathBuf);

/// How a machine is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Its power; `None` where it does not tell (a Raspberry Pi does).
    pub power: Option<Power>,
    /// Its hottest part, in degrees Celsius.
    pub celsius: Option<i64>,
    /// The disks of the folders that were asked for, each once.
    pub disks: Vec<Disk>,
}

/// What a Raspberry Pi knows of its power.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Power {
    /// The voltage is too low now.
    pub is_low: bool,
    /// It was since the start.
    pub was_low: bool,
    /// The processor is slowed down now, for lack of power or for heat.
    pub is_slowed: bool,
    /// It was since the start.
    pub was_slowed: bool,
}

/// A disk, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// The folder that lies on it.
    pub folder: PathBuf,
    /// The number of its file system.
    pub number: u64,
    /// Whether the kernel has made it read-only, which it does after errors; nobody who mounts it wanted that.
    pub fell: bool,
    /// The errors that its file system (ext4) has on record.
    pub errors: u64,
    /// How often it did not read or write since it was plugged in; `None` where it does not count.
    pub failures: Option<u64>,
}

impl Board {
    /// This machine.
    #[must_use]
    pub fn here() -> Self {
        Self::at(Path::new("/"))
    }

    /// The machine that is told of beneath this root.
    #[must_use]
    pub fn at(root: &Path) -> Self {
        Self(root.to_owned())
    }

    /// Looks at all of it, and at the disks of these folders.
    #[must_use]
    pub fn look<'a>(&self, folders: impl IntoIterator<Item = &'a Path>) -> Seen {
        let mut disks: Vec<Disk> = Vec::new();
        for folder in folders {
            // What is not there is told elsewhere.
            let Ok(number) = fs::metadata(folder).map(|there| there.dev()) else {
                continue;
            };
            if disks.iter().all(|disk| disk.number != number) {
                disks.push(self.disk(folder, number));
            }
        }
        Seen {
            power: self.power(),
            celsius: self.celsius(),
            disks,
        }
    }

    /// By the firmware; without it, by the voltage's alarm alone.
    fn power(&self) -> Option<Power> {
        let platform = entries(&self.0.join("sys/devices/platform"));
        let firmware = platform
            .iter()
            .filter(|path| name(path).starts_with("soc"))
            .flat_map(|path| entries(path))
            .filter(|path| name(path).ends_with(":firmware"));
        let bits = firmware
            .filter_map(|path| text(&path.join("get_throttled")))
            .find_map(|text| u32::from_str_radix(text.trim_start_matches("0x"), 16).ok());
        if let Some(bits) = bits {
            let is = |bit: u32| bits & (1 << bit) != 0;
            return Some(Power {
                is_low: is(0),
                is_slowed: is(1) || is(2) || is(3),
                was_low: is(16),
                was_slowed: is(17) || is(18) || is(19),
            });
        }
        let monitors = entries(&self.0.join("sys/class/hwmon"));
        let volt = monitors
            .iter()
            .find(|path| text(&path.join("name")).as_deref() == Some("rpi_volt"))?;
        let is_low = text(&volt.join("in0_lcrit_alarm")).as_deref() == Some("1");
        Some(Power {
            is_low,
            was_low: is_low,
            ..Power::default()
        })
    }

    fn celsius(&self) -> Option<i64> {
        let zones = entries(&self.0.join("sys/class/thermal"));
        let told = zones
            .iter()
            .filter(|path| name(path).starts_with("thermal_zone"))
            .filter_map(|path| text(&path.join("temp"))?.parse::<i64>().ok())
            .filter(|thousandths| (0..ABSURD).contains(thousandths));
        told.max().map(|thousandths| thousandths / 1000)
    }

    fn disk(&self, folder: &Path, number: u64) -> Disk {
        let (major, minor) = (rustix::fs::major(number), rustix::fs::minor(number));
        let device = self.0.join(format!("sys/dev/block/{major}:{minor}"));
        let device = fs::canonicalize(&device).unwrap_or(device);
        let errors = self.0.join("sys/fs/ext4").join(name(&device));
        let errors = text(&errors.join("errors_count")).and_then(|text| text.parse().ok());
        // The disk of a partition is the folder above it.
        let failures = ["device/ioerr_cnt", "../device/ioerr_cnt"]
            .iter()
            .find_map(|path| text(&device.join(path)))
            .and_then(|text| u64::from_str_radix(text.trim_start_matches("0x"), 16).ok());
        let mounts = text(&self.0.join("proc/self/mountinfo")).unwrap_or_default();
        let id = format!("{major}:{minor}");
        Disk {
            folder: folder.to_owned(),
            number,
            fell: mounts.lines().any(|line| has_fallen(line, &id)),
            errors: errors.unwrap_or(0),
            failures,
        }
    }
}

/// Whether a line of `mountinfo` tells that the file system of this number is read-only although it was mounted otherwise.
fn has_fallen(line: &str, id: &str) -> bool {
    let Some((mount, system)) = line.split_once(" - ") else {
        return false;
    };
    let has = |options: Option<&str>, one: &str| {
        options.is_some_and(|options| options.split(',').any(|option| option == one))
    };
    let mut mount = mount.split(' ');
    if mount.nth(2) != Some(id) {
        return false;
    }
    let (own, system) = (mount.nth(2), system.split(' ').nth(2));
    // Since Linux 6.13 the kernel keeps what fell apart from what was mounted so.
    has(own, "rw") && (has(system, "ro") || has(system, "emergency_ro"))
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn text(path: &Path) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{text}\n")).unwrap();
    }

    #[test]
    fn a_machine_that_tells_nothing_is_not_known() {
        let root = tempfile::tempdir().unwrap();
        let seen = Board::at(root.path()).look([]);
        assert_eq!(seen, Seen::default());
        // This one tells what it tells, and nothing absurd.
        let here = Board::here().look([root.path()]);
        assert_eq!(here.disks.len(), 1);
        assert!(here.celsius.is_none_or(|celsius| celsius < 150));
    }

    #[test]
    fn the_firmware_tells_of_the_power_and_without_it_the_alarm_does() {
        let root = tempfile::tempdir().unwrap();
        let (board, path) = (Board::at(root.path()), root.path());
        write(path, "sys/class/hwmon/hwmon0/name", "cpu_thermal");
        write(path, "sys/class/hwmon/hwmon1/name", "rpi_volt");
        let power = |board: &Board| board.look([]).power.unwrap();
        for (alarm, is_low) in [("0", false), ("1", true)] {
            write(path, "sys/class/hwmon/hwmon1/in0_lcrit_alarm", alarm);
            assert_eq!(power(&board).is_low, is_low);
        }
        let firmware = "sys/devices/platform/soc/soc:firmware/get_throttled";
        for (bits, is) in [
            ("0", [false; 4]),
            ("50005", [true; 4]),
            ("0x50000", [false, true, false, true]),
            ("80008", [false, false, true, true]),
        ] {
            write(path, firmware, bits);
            let Power {
                is_low,
                was_low,
                is_slowed,
                was_slowed,
            } = power(&board);
            assert_eq!([is_low, was_low, is_slowed, was_slowed], is, "{bits}");
        }
    }

    #[test]
    fn the_hottest_part_counts_and_a_broken_sensor_does_not() {
        let root = tempfile::tempdir().unwrap();
        for (zone, temp) in [(0, "54321"), (1, "81900"), (2, "-273000"), (3, "999999")] {
            let path = format!("sys/class/thermal/thermal_zone{zone}/temp");
            write(root.path(), &path, temp);
        }
        write(
            root.path(),
            "sys/class/thermal/cooling_device0/temp",
            "99000",
        );
        assert_eq!(Board::at(root.path()).look([]).celsius, Some(81));
    }

    #[test]
    fn a_disk_tells_of_its_errors_and_the_kernel_of_its_fall() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path();
        let number = fs::metadata(path).unwrap().dev();
        let id = format!(
            "{}:{}",
            rustix::fs::major(number),
            rustix::fs::minor(number)
        );
        let disk = |told: &str| {
            let line = told.replace("ID", &id);
            write(path, "proc/self/mountinfo", &line);
            let mut disks = Board::at(path).look([path, path]).disks;
            assert_eq!(disks.len(), 1);
            disks.remove(0)
        };
        let mounted = |own: &str, system: &str| {
            format!(
                "36 35 ID / /var {own},noatime shared:1 - ext4 /dev/sda1 {system},errors=remount-ro"
            )
        };
        assert!(!disk(&mounted("rw", "rw")).fell);
        assert!(!disk(&mounted("ro", "ro")).fell);
        assert!(disk(&mounted("rw", "ro")).fell);
        assert!(disk(&mounted("rw", "rw,emergency_ro")).fell);
        assert!(!disk(&mounted("rw", "ro").replace("ID", "999:999")).fell);

        assert_eq!(disk("").failures, None);
        let device = "sys/devices/usb/block/sda";
        write(path, &format!("{device}/device/ioerr_cnt"), "0x1f");
        write(path, &format!("{device}/sda1/partition"), "1");
        write(path, "sys/fs/ext4/sda1/errors_count", "3");
        let link = path.join("sys/dev/block").join(&id);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(path.join(device).join("sda1"), link).unwrap();
        let told = disk("");
        assert_eq!((told.errors, told.failures), (3, Some(31)));
    }
}
