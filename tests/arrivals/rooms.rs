//! Where the program runs: in the open, or in namespaces of its own, where watches are few or a disk can be mounted without
//! anything of it being felt outside.

use std::path::Path;
use std::process::Command;

/// Where the program runs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Room {
    /// As any program.
    Open,
    /// In a user namespace that has only so many watches. `/proc/sys/user` is of the namespace; the one in
    /// `/proc/sys/fs/inotify` would be the whole machine's.
    FewWatches(u32),
    /// In a mount namespace, with a tmpfs for the library's disk.
    OwnDisk,
    /// In a mount namespace, with another folder mounted over the library's.
    Bound,
}

impl Room {
    /// Whether it sees other disks than we do.
    pub(crate) fn has_own_disks(self) -> bool {
        matches!(self, Self::OwnDisk | Self::Bound)
    }

    /// What the program's own words are to follow.
    pub(crate) fn command(self, library: &Path) -> Command {
        let enter = match self {
            Self::Open => return Command::new("env"),
            Self::FewWatches(watches) => {
                format!("echo {watches} > /proc/sys/user/max_inotify_watches; exec \"$@\"")
            }
            Self::OwnDisk => {
                format!(
                    "{KEEP} mount -t tmpfs disk \"$root\"; cp -a \"$root.kept/.\" \"$root\"; exec \"$@\""
                )
            }
            Self::Bound => format!("{KEEP} mount --bind \"$root.kept\" \"$root\"; exec \"$@\""),
        };
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "bash", "-euc"]);
        command.args([&enter, "bash"]).env("root", library);
        command
    }
}

/// What lies in the library is put aside, so that nothing is in it while no disk is.
const KEEP: &str = "mv \"$root\" \"$root.kept\"; mkdir \"$root\";";
