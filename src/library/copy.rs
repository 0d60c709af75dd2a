//! Copies a file into the library such that no half of it is ever seen there: under a name that is passed over, hashed on the
//! way, flushed to the disk, read back and hashed again, and only then renamed. What lies there already is never replaced.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{Advice, CWD, RenameFlags, fadvise, renameat_with};
use rustix::io::Errno;

use super::original::fingerprint_of;
use crate::domain::media::Fingerprint;
use crate::system::beneath::split;
use crate::system::storage;

/// Files of one name that are told apart by a number.
const MOST_NAMESAKES: u32 = 999;

/// Why a file was not copied.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotCopied {
    /// What it was to be copied from.
    #[error("it cannot be read: {0}")]
    Source(#[source] io::Error),
    /// What it was to be copied to.
    #[error("it cannot be written into the library: {0}")]
    Target(#[source] io::Error),
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
}

/// The folder in the library in which files are written; nothing in it is looked at.
const DRAFTS: &str = ".import";

/// Removes what an import that was killed has left behind.
pub(super) fn clear(library: &Path) {
    let drafts = library.join(DRAFTS);
    let left = fs::read_dir(&drafts).into_iter().flatten().flatten();
    for draft in left {
        let name = draft.file_name();
        let writer = Path::new("/proc").join(Path::new(&name).file_stem().unwrap_or_default());
        if !writer.exists() {
            drop(Draft(draft.path()));
        }
    }
    // Kept while another import is at work.
    let _ = fs::remove_dir(drafts);
}

/// Copies `file`, which has this fingerprint, to this path in the library, or beside it under a similar name; returns the path
/// that it has now. Before it is seen there, `accompany` is called with that path, to put its sidecars in place.
pub(super) fn copy(
    file: File,
    fingerprint: Fingerprint,
    library: &Path,
    path: &str,
    accompany: impl FnMut(&str) -> Result<(), NotCopied>,
) -> Result<String, NotCopied> {
    if let Some(name) = there_already(&file, fingerprint, library, path) {
        return Ok(name);
    }
    let draft = Draft::in_library(library, "part").map_err(NotCopied::Target)?;
    draft.fill(file, fingerprint)?;
    draft.land(library, path, accompany)
}

/// The path or the namesake of it that holds these bytes: an import that was killed may have left it before it was on record.
pub(super) fn there_already(
    file: &File,
    fingerprint: Fingerprint,
    library: &Path,
    path: &str,
) -> Option<String> {
    let length = file.metadata().ok()?.len();
    let is_it = |name: &String| {
        let there = library.join(name);
        fs::symlink_metadata(&there).is_ok_and(|it| it.is_file() && it.len() == length)
            && File::open(&there)
                .and_then(fingerprint_of)
                .is_ok_and(|it| it == fingerprint)
    };
    (1..=MOST_NAMESAKES)
        .map(|number| namesake(path, number))
        .take_while(|name| fs::symlink_metadata(library.join(name)).is_ok())
        .find(is_it)
}

/// Writes a small file at once, unless it is there already. Another file in its place is an error of the kind
/// [`AlreadyExists`](ErrorKind::AlreadyExists).
pub(super) fn put(bytes: &[u8], library: &Path, path: &str) -> io::Result<()> {
    let target = &library.join(path);
    if fs::symlink_metadata(target).is_ok_and(|it| it.is_file()) && fs::read(target)? == bytes {
        return Ok(());
    }
    let draft = Draft::in_library(library, "json")?;
    let mut file = File::create(&draft.0)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    rename_to_nothing(&draft.0, target)
}

/// The path itself, then `merch/cup (2).jpg`, and so on.
fn namesake(path: &str, number: u32) -> String {
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

/// Renames a file, and replaces nothing.
fn rename_to_nothing(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some file systems do not know how; then nothing was there a moment ago.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => fs::rename(from, to),
        renamed => Ok(renamed?),
    }
}

/// A file that is being written; what is not renamed goes.
pub(super) struct Draft(PathBuf);

impl Draft {
    pub(super) fn in_library(library: &Path, ending: &str) -> io::Result<Self> {
        let drafts = library.join(DRAFTS);
        fs::create_dir_all(&drafts)?;
        let writer = std::process::id();
        Ok(Self(drafts.join(format!("{writer}.{ending}"))))
    }

    /// Its path in the library.
    pub(super) fn path(&self) -> String {
        let name = self.0.file_name().unwrap_or_default();
        format!("{DRAFTS}/{}", name.to_string_lossy())
    }

    /// Opens it, with nothing in it.
    pub(super) fn create(&self) -> Result<File, NotCopied> {
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&self.0)
            .map_err(NotCopied::Target)
    }

    /// Opens what was written into it, which is on the disk then.
    pub(super) fn written(&self) -> Result<File, NotCopied> {
        let written = File::open(&self.0).map_err(NotCopied::Target)?;
        written.sync_all().map_err(NotCopied::Target)?;
        Ok(written)
    }

    /// Gives it this path in the library, or that of a namesake; returns which. `accompany` is called with it before.
    pub(super) fn land(
        self,
        library: &Path,
        path: &str,
        mut accompany: impl FnMut(&str) -> Result<(), NotCopied>,
    ) -> Result<String, NotCopied> {
        let folder = library.join(split(path).0);
        fs::create_dir_all(&folder).map_err(NotCopied::Target)?;
        for number in 1..=MOST_NAMESAKES {
            let name = namesake(path, number);
            let target = library.join(&name);
            if fs::symlink_metadata(&target).is_ok() {
                continue;
            }
            let landed = accompany(&name)
                .and_then(|()| rename_to_nothing(&self.0, &target).map_err(NotCopied::Target));
            match landed {
                Ok(()) => {
                    let flushed = File::open(&folder).and_then(|folder| folder.sync_all());
                    return flushed.map(|()| name).map_err(NotCopied::Target);
                }
                // A file, or a sidecar that speaks of another one.
                Err(NotCopied::Target(error)) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        let error = format!("{path} and {MOST_NAMESAKES} namesakes are there already");
        Err(NotCopied::Target(io::Error::other(error)))
    }

    fn fill(&self, mut file: File, fingerprint: Fingerprint) -> Result<(), NotCopied> {
        let mut draft = self.create()?;
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
        if let Err(cause) = fadvise(&draft, 0, None, Advice::DontNeed) {
            tracing::debug!("what was copied may be checked in memory only: {cause}");
        }
        let written = self.written()?;
        let read = Fingerprint::from_bytes(*hasher.finalize().as_bytes());
        let read_back = fingerprint_of(written).map_err(NotCopied::Target)?;
        if read == fingerprint && read_back == fingerprint {
            Ok(())
        } else {
            Err(NotCopied::Differs)
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0)
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!("{} is left behind: {error}", self.0.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(bytes: &[u8]) -> Fingerprint {
        Fingerprint::from_bytes(*blake3::hash(bytes).as_bytes())
    }

    fn copied(library: &Path, bytes: &[u8], as_if: &[u8]) -> Result<String, NotCopied> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        io::Seek::rewind(&mut file).unwrap();
        copy(file, fingerprint(as_if), library, "merch/cup.jpg", |_| {
            Ok(())
        })
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name();
        let mut names: Vec<_> = entries
            .map(|entry| name(entry).into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_namesake_is_never_replaced() {
        let library = tempfile::tempdir().unwrap();
        for (bytes, name) in [
            (&b"a cup"[..], "merch/cup.jpg"),
            (b"another", "merch/cup (2).jpg"),
            (b"a third", "merch/cup (3).jpg"),
        ] {
            assert_eq!(copied(library.path(), bytes, bytes).unwrap(), name);
            assert_eq!(fs::read(library.path().join(name)).unwrap(), bytes);
        }
        // What an import that was killed had copied already.
        assert_eq!(
            copied(library.path(), b"another", b"another").unwrap(),
            "merch/cup (2).jpg"
        );
        assert_eq!(names(&library.path().join("merch")).len(), 3);
        assert_eq!(namesake("cup", 2), "cup (2)");
        let says = namesake("merch/cup__https-a-example.jpg", 2);
        assert_eq!(says, "merch/cup (2)__https-a-example.jpg");
        clear(library.path());
        assert_eq!(names(library.path()), ["merch"]);
    }

    #[test]
    fn what_is_read_differently_is_not_copied_and_leaves_nothing() {
        let library = tempfile::tempdir().unwrap();
        let differs = copied(library.path(), b"a cup", b"a mug").unwrap_err();
        assert!(matches!(differs, NotCopied::Differs), "{differs}");
        assert!(!library.path().join("merch").exists());
        assert!(names(&library.path().join(DRAFTS)).is_empty());
    }

    #[test]
    fn a_sidecar_that_speaks_of_another_picture_is_left_alone() {
        let library = tempfile::tempdir().unwrap();
        let merch = library.path().join("merch");
        fs::create_dir(&merch).unwrap();
        fs::write(merch.join("cup.jpg.json"), b"{}").unwrap();
        let land = |said: &'static [u8]| {
            let draft = Draft::in_library(library.path(), "part").unwrap();
            draft.create().unwrap().write_all(said).unwrap();
            draft.land(library.path(), "merch/cup.jpg", |path| {
                let path = format!("{path}.json");
                put(said, library.path(), &path).map_err(NotCopied::Target)
            })
        };
        assert_eq!(land(b"{ }").unwrap(), "merch/cup (2).jpg");
        assert_eq!(land(b"{}").unwrap(), "merch/cup.jpg");
        let said = ["cup (2).jpg.json", "cup.jpg.json"].map(|it| fs::read(merch.join(it)).unwrap());
        assert_eq!(said, [b"{ }".to_vec(), b"{}".to_vec()]);
    }

    #[test]
    fn a_library_that_cannot_be_written_is_told_from_a_bad_stick() {
        let library = tempfile::NamedTempFile::new().unwrap();
        let target = copied(library.path(), b"a cup", b"a cup").unwrap_err();
        assert!(matches!(target, NotCopied::Target(_)), "{target}");
        let folder = tempfile::tempdir().unwrap();
        let file = File::open(folder.path()).unwrap();
        let source = copy(file, fingerprint(b""), folder.path(), "a.jpg", |_| Ok(())).unwrap_err();
        assert!(matches!(source, NotCopied::Source(_)), "{source}");
    }
}
