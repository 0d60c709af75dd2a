//! A file on its way into the library, under a name that is passed over and that nobody can foretell, in a folder that must be
//! one: nothing is written or removed behind a link. When it is whole, it lands in its place, and replaces nothing there.

use std::io::{self, ErrorKind, Read, Seek, Write};
use std::ops::ControlFlow;
use std::path::Path;

use rustix::fs::{Advice, FlockOperation, fadvise, flock};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::original::fingerprint_of;
use crate::domain::media::{Fingerprint, MOST_BYTES};
use crate::system::beneath::{Folder, Kind, Scratch, Stat, is_link, split};
use crate::system::storage;

/// Files of one name that are told apart by a number.
pub(super) const MOST_NAMESAKES: u32 = 999;
/// What a folder or a file of the library may be used for, before the process's mask.
const FOLDER_RIGHTS: u32 = 0o777;
const FILE_RIGHTS: u32 = 0o666;
/// How often a draft is begun when others clear up at that very moment.
const MOST_BEGINNINGS: u32 = 3;

/// Why a file was not copied.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotCopied {
    /// What it was to be copied from.
    #[error("it cannot be read: {0}")]
    Source(#[source] io::Error),
    /// What it was to be copied to.
    #[error("it cannot be written into the library: {0}")]
    Target(#[source] io::Error),
    /// The folder that it was to be put into leads elsewhere, or is none.
    #[error(
        "`{0}` in the library is a link or a file, not a folder, and links are not followed; whoever looks after the library must remove it"
    )]
    NoFolder(String),
    /// What was read is not what was read before, or what was written is not what was read.
    #[error("it was read differently twice; the stick or its file may be damaged")]
    Differs,
}

impl NotCopied {
    /// In plain words; what is wrong with the library's disk is looked at now.
    pub(super) fn told(&self, library: &Path) -> String {
        match self {
            Self::Target(error) => {
                let why = storage::why(library, error);
                format!("it cannot be written into the library: {why}")
            }
            other => other.to_string(),
        }
    }

    /// Whether nothing else can be copied either: the disk is full, or fails.
    pub(super) fn is_of_the_disk(&self) -> bool {
        let Self::Target(error) = self else {
            return false;
        };
        let kinds = [
            ErrorKind::StorageFull,
            ErrorKind::QuotaExceeded,
            ErrorKind::ReadOnlyFilesystem,
            ErrorKind::PermissionDenied,
        ];
        kinds.contains(&error.kind())
            || matches!(Errno::from_io_error(error), Some(Errno::IO | Errno::NODEV))
    }

    /// What an error of making or entering this folder means.
    fn entering(folder: &str, error: io::Error) -> Self {
        if is_link(&error) || error.kind() == ErrorKind::NotADirectory {
            Self::NoFolder(folder.to_owned())
        } else {
            Self::Target(error)
        }
    }
}

/// The folder in the library in which files are written; nothing in it is looked at.
pub(super) const DRAFTS: &str = ".import";
/// How many drafts are looked at each time: whoever may write there may have made a million names.
const MOST_CLEARED: usize = 1_000;
/// What the name of a draft begins with.
const DRAFT: &str = "draft-";

/// Removes what an import that was killed has left behind. Only this process's own user's drafts go, and none that somebody
/// is at work on.
///
/// # Errors
/// If the place of the drafts leads elsewhere, or is no folder.
pub(super) fn clear(library: &Folder) -> Result<(), NotCopied> {
    let drafts = match library.folder(DRAFTS) {
        Ok(drafts) => drafts,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(NotCopied::entering(DRAFTS, error)),
    };
    let mut left = Vec::new();
    let listed = drafts.each(|name, kind| {
        if let (Some(name), Kind::File) = (name.to_str(), kind)
            && name.starts_with(DRAFT)
        {
            left.push(name.to_owned());
        }
        if left.len() < MOST_CLEARED {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    if let Err(error) = listed {
        tracing::debug!("the drafts cannot be listed: {error}");
    }
    for name in left {
        if let Err(error) = clear_one(&drafts, &name) {
            tracing::debug!("the draft {name} is left behind: {error}");
        }
    }
    // Kept while another import is at work.
    let _ = library.remove_folder(DRAFTS);
    Ok(())
}

fn clear_one(drafts: &Folder, name: &str) -> io::Result<()> {
    let file = drafts.open_file(name)?;
    let stat = Stat::of(&file)?;
    // With a second name, it is somebody's picture.
    if stat.owner != geteuid().as_raw() || stat.names != 1 {
        return Ok(());
    }
    // Its writer holds a lock on it as long as it lives.
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    drafts.remove_file(name)
}

/// The path itself, then `merch/cup (2).jpg`, and so on.
pub(super) fn namesake(path: &str, number: u32) -> String {
    if number == 1 {
        return path.to_owned();
    }
    let (folder, name) = split(path);
    // Before what its name may say of it: `cup__https-shop-example-com.jpg` leads somewhere.
    let end = name.find("__").or(name.rfind('.')).unwrap_or(name.len());
    let (stem, ending) = name.split_at(end);
    let slash = if folder.is_empty() { "" } else { "/" };
    format!("{folder}{slash}{stem} ({number}){ending}")
}

/// A file that is being written; what is given no place goes.
pub(super) struct Draft(Scratch);

impl Draft {
    pub(super) fn new(library: &Folder, ending: &str) -> Result<Self, NotCopied> {
        let mut beginnings = 1..=MOST_BEGINNINGS;
        loop {
            let drafts = library
                .create_folder(DRAFTS, FOLDER_RIGHTS)
                .map_err(|error| NotCopied::entering(DRAFTS, error))?;
            beginnings.next();
            let begun = drafts
                .scratch(DRAFT, ending, FILE_RIGHTS)
                .and_then(|scratch| {
                    // Where locks are unknown, nobody can hold one against it either.
                    let _ = flock(scratch.file(), FlockOperation::NonBlockingLockExclusive);
                    drafts.stat(scratch.name()).map(|_| Self(scratch))
                });
            match begun {
                Ok(draft) => return Ok(draft),
                // Somebody cleared up between two of these steps.
                Err(error) if error.kind() == ErrorKind::NotFound && !beginnings.is_empty() => {}
                Err(error) => return Err(NotCopied::Target(error)),
            }
        }
    }

    /// Its path in the library.
    pub(super) fn path(&self) -> String {
        format!("{DRAFTS}/{}", self.0.name())
    }

    /// The file, for somebody else to write into.
    pub(super) fn file(&self) -> Result<std::fs::File, NotCopied> {
        self.0.file().try_clone().map_err(NotCopied::Target)
    }

    /// How much was written into it, in bytes; that is on the disk then.
    pub(super) fn written(&self) -> Result<u64, NotCopied> {
        let file = self.0.file();
        file.sync_all()
            .and_then(|()| Stat::of(file))
            .map(|stat| stat.size_bytes)
            .map_err(NotCopied::Target)
    }

    /// Gives it this path in the library, or that of a namesake; returns which. `accompany` is called with it before.
    pub(super) fn land(
        mut self,
        library: &Folder,
        path: &str,
        mut accompany: impl FnMut(&str) -> Result<(), NotCopied>,
    ) -> Result<String, NotCopied> {
        let folder = split(path).0;
        let held = library
            .create_folder(folder, FOLDER_RIGHTS)
            .map_err(|error| NotCopied::entering(folder, error))?;
        for number in 1..=MOST_NAMESAKES {
            let path = namesake(path, number);
            let name = split(&path).1;
            if held.stat(name).is_ok() {
                continue;
            }
            let landed = accompany(&path)
                .and_then(|()| self.0.place_new(&held, name).map_err(NotCopied::Target));
            match landed {
                Ok(()) => {
                    let flushed = held.sync();
                    return flushed.map(|()| path).map_err(NotCopied::Target);
                }
                // A file, or a sidecar that speaks of another one.
                Err(NotCopied::Target(error)) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        let error = format!("{path} and {MOST_NAMESAKES} namesakes are there already");
        Err(NotCopied::Target(io::Error::other(error)))
    }

    /// Gives it this very path, where nothing may be.
    pub(super) fn place(mut self, library: &Folder, path: &str) -> io::Result<()> {
        self.0.place_new(library, path)
    }

    /// Writes all of it, and brings it to the disk.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.0.file();
        file.write_all(bytes)?;
        file.sync_all()
    }

    pub(super) fn fill(
        &mut self,
        file: impl Read,
        fingerprint: Fingerprint,
    ) -> Result<(), NotCopied> {
        let mut draft = self.0.file();
        // One that grows meanwhile is not written for ever.
        let mut file = file.take(MOST_BYTES + 1);
        let mut hasher = blake3::Hasher::new();
        let mut piece = vec![0; 256 * 1024];
        loop {
            let length = match file.read(&mut piece) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(NotCopied::Source(error)),
            };
            hasher.update(&piece[..length]);
            draft
                .write_all(&piece[..length])
                .map_err(NotCopied::Target)?;
        }
        draft.sync_all().map_err(NotCopied::Target)?;
        // So that it is read from the disk, and not from memory.
        if let Err(cause) = fadvise(draft, 0, None, Advice::DontNeed) {
            tracing::debug!("what was copied may be checked in memory only: {cause}");
        }
        let read = Fingerprint::from_bytes(*hasher.finalize().as_bytes());
        let read_back = draft.rewind().and_then(|()| fingerprint_of(draft));
        if read == fingerprint && read_back.map_err(NotCopied::Target)? == fingerprint {
            Ok(())
        } else {
            Err(NotCopied::Differs)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::fs;
    use std::os::unix::fs::symlink;

    fn held(library: &Path) -> Folder {
        Folder::root(library).unwrap()
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_namesake_is_told_apart_before_what_its_name_says() {
        assert_eq!(namesake("cup", 2), "cup (2)");
        let says = namesake("merch/cup__https-a-example.jpg", 2);
        assert_eq!(says, "merch/cup (2)__https-a-example.jpg");
    }

    #[test]
    fn only_what_a_killed_import_left_behind_is_cleared() {
        let library = tempfile::tempdir().unwrap();
        let drafts = library.path().join(DRAFTS);
        let at_work = Draft::new(&held(library.path()), ".part").unwrap();
        fs::write(drafts.join("draft-0123.part"), b"left").unwrap();
        // Not ours: by its name, and by its second name.
        fs::write(drafts.join("holiday.jpg"), b"a picture").unwrap();
        fs::write(library.path().join("cat.jpg"), b"a cat").unwrap();
        fs::hard_link(library.path().join("cat.jpg"), drafts.join("draft-cat")).unwrap();
        symlink(library.path().join("cat.jpg"), drafts.join("draft-link")).unwrap();
        fs::create_dir(drafts.join("draft-folder")).unwrap();
        clear(&held(library.path())).unwrap();
        let mut kept = ["draft-cat", "draft-folder", "draft-link", "holiday.jpg"]
            .map(str::to_owned)
            .to_vec();
        kept.insert(0, at_work.0.name().to_owned());
        kept.sort();
        assert_eq!(names(&drafts), kept);
        assert_eq!(fs::read(library.path().join("cat.jpg")).unwrap(), b"a cat");
        drop(at_work);
        assert_eq!(names(&drafts).len(), 4);
    }
}
