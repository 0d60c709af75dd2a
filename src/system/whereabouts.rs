//! Where a path really leads: through links and `..`, as far as it exists, and which folders the kernel says these are. With
//! it, two paths can be compared without another look at the disk.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

/// The most links that are followed, as for the kernel.
const MOST_LINKS: u32 = 40;
/// How long the disks may take to answer. One that hangs must not keep the program from starting.
const PATIENCE: Duration = Duration::from_secs(2);

/// How one folder lies to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lies {
    /// They are the same.
    Same,
    /// The first lies somewhere in the other.
    Within,
    /// The other lies somewhere in the first.
    Around,
}

/// A path, and where it leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whereabouts {
    /// The path without links and `..`; what does not exist yet is taken by its name.
    real: PathBuf,
    /// The folder itself by device and inode, if it exists.
    itself: Option<(u64, u64)>,
    /// It and the folders above it that exist, by device and inode.
    chain: Vec<(u64, u64)>,
}

impl Whereabouts {
    /// Asks the disks where these paths lead, all at once. A disk that does not answer within two seconds leaves the paths as
    /// they are written.
    #[must_use]
    pub fn of_all(paths: &[PathBuf]) -> Vec<Self> {
        let (sender, receiver) = mpsc::channel();
        let asked = paths.to_vec();
        let asking = std::thread::Builder::new().spawn(move || {
            let found: Vec<Self> = asked.iter().map(|path| Self::of(path)).collect();
            // Nobody listens any more after the time is over.
            let _ = sender.send(found);
        });
        let found = asking
            .ok()
            .and_then(|_| receiver.recv_timeout(PATIENCE).ok());
        found.unwrap_or_else(|| paths.iter().map(|path| Self::as_written(path)).collect())
    }

    /// Asks the disk where a path leads, for however long it takes.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        let real = followed(path);
        let id = |path: &Path| {
            let metadata = fs::metadata(path).ok()?;
            Some((metadata.dev(), metadata.ino()))
        };
        Self {
            itself: id(&real),
            chain: real.ancestors().filter_map(id).collect(),
            real,
        }
    }

    fn as_written(path: &Path) -> Self {
        Self {
            real: path.to_owned(),
            itself: None,
            chain: Vec::new(),
        }
    }

    /// The path without links and `..`.
    #[must_use]
    pub fn real(&self) -> &Path {
        &self.real
    }

    /// How this folder lies to another; `None` if they have nothing in common. A disk that is mounted at two places is one and
    /// the same.
    #[must_use]
    pub fn to(&self, other: &Self) -> Option<Lies> {
        match (self.holds(other), other.holds(self)) {
            (true, true) => Some(Lies::Same),
            (true, false) => Some(Lies::Around),
            (false, true) => Some(Lies::Within),
            (false, false) => None,
        }
    }

    /// Whether the other is this folder, or lies in it.
    fn holds(&self, other: &Self) -> bool {
        let is_above = self.itself.is_some_and(|id| other.chain.contains(&id));
        is_above || other.real.starts_with(&self.real)
    }
}

/// The path without links and `..`. Unlike `canonicalize`, it goes on where nothing exists, and through a link to nothing.
fn followed(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut rest: VecDeque<OsString> = path.iter().map(OsString::from).collect();
    let (mut real, mut links) = (PathBuf::from("/"), 0);
    while let Some(part) = rest.pop_front() {
        match Path::new(&part).components().next() {
            Some(Component::RootDir) => real = PathBuf::from("/"),
            Some(Component::ParentDir) => {
                real.pop();
            }
            Some(Component::Normal(name)) => {
                let next = real.join(name);
                match fs::read_link(&next) {
                    Ok(target) if links < MOST_LINKS => {
                        links += 1;
                        for part in target.iter().rev() {
                            rest.push_front(part.to_owned());
                        }
                    }
                    _ => real = next,
                }
            }
            _ => {}
        }
    }
    real
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_and_dots_are_followed_to_where_nothing_is_yet() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().canonicalize().unwrap();
        fs::create_dir_all(at.join("state/deep")).unwrap();
        symlink(at.join("state/deep"), at.join("whole")).unwrap();
        symlink("state/none/../none", at.join("dangling")).unwrap();
        symlink(at.join("round"), at.join("round")).unwrap();
        let real = |path: &str| {
            let found = Whereabouts::of(&at.join(path));
            found.real().strip_prefix(&at).unwrap().to_owned()
        };
        for (path, leads_to) in [
            ("state", "state"),
            ("whole/x/y", "state/deep/x/y"),
            ("whole/../x", "state/x"),
            ("dangling/z", "state/none/z"),
            ("none/../state/./deep/", "state/deep"),
            ("round", "round"),
        ] {
            assert_eq!(real(path), Path::new(leads_to), "{path}");
        }
        let all = Whereabouts::of_all(&[at.join("whole"), at.join("state")]);
        assert_eq!(all[0].to(&all[1]), Some(Lies::Within));
    }

    #[test]
    fn one_folder_lies_in_another_by_its_path_or_by_what_the_kernel_says() {
        let at = |real: &str, itself: u64, above: &[u64]| Whereabouts {
            real: real.into(),
            itself: (itself != 0).then_some((1, itself)),
            chain: above.iter().map(|id| (1, *id)).collect(),
        };
        let state = at("/var/lib/x", 5, &[5, 4, 3, 2]);
        for (other, lies) in [
            (at("/var/lib/x", 5, &[5, 4, 3, 2]), Some(Lies::Same)),
            (at("/var/lib/x/y", 0, &[5, 4, 3, 2]), Some(Lies::Within)),
            (at("/var", 3, &[3, 2]), Some(Lies::Around)),
            (at("/", 2, &[2]), Some(Lies::Around)),
            (at("/var/lib/xy", 0, &[4, 3, 2]), None),
            // Mounted a second time.
            (at("/mnt/again", 5, &[5, 9, 2]), Some(Lies::Same)),
            (at("/mnt/again/y", 0, &[5, 9, 2]), Some(Lies::Within)),
            (at("/mnt/lib", 4, &[4, 9, 2]), Some(Lies::Around)),
        ] {
            assert_eq!(other.to(&state), lies, "{other:?}");
        }
    }
}
