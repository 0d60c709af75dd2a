//! Copies a file into the library such that no half of it is ever seen there: under a name that is passed over, hashed on the
//! way, flushed to the disk, read back and hashed again, and only then renamed. What lies there already is never replaced, and
//! nothing is written or removed behind a link.

use std::io::{self, Read};

use super::draft::{Draft, MOST_NAMESAKES, NotCopied, namesake};
use super::original::fingerprint_of;
use crate::domain::media::Fingerprint;
use crate::system::beneath::{Folder, Kind, Stat};

/// Copies a file, which has this fingerprint, to this path in the library, or beside it under a similar name; returns the path
/// that it has now. Before it is seen there, `accompany` is called with that path, to put its sidecars in place.
pub(super) fn copy(
    file: impl Read,
    length: u64,
    fingerprint: Fingerprint,
    library: &Folder,
    path: &str,
    accompany: impl FnMut(&str) -> Result<(), NotCopied>,
) -> Result<String, NotCopied> {
    if let Some(name) = there_already(length, fingerprint, library, path) {
        return Ok(name);
    }
    let mut draft = Draft::new(library, ".part")?;
    draft.fill(file, fingerprint)?;
    draft.land(library, path, accompany)
}

/// The path or the namesake of it that holds these bytes, so many: an import that was killed may have left it before it was on
/// record.
pub(super) fn there_already(
    length: u64,
    fingerprint: Fingerprint,
    library: &Folder,
    path: &str,
) -> Option<String> {
    let is_it = |(name, stat): &(String, Stat)| {
        stat.kind == Kind::File
            && stat.size_bytes == length
            && library
                .open_file(name)
                .and_then(|file| fingerprint_of(file.take(length + 1)))
                .is_ok_and(|it| it == fingerprint)
    };
    (1..=MOST_NAMESAKES)
        .map(|number| namesake(path, number))
        .map_while(|name| library.stat(&name).ok().map(|stat| (name, stat)))
        .find(is_it)
        .map(|(name, _)| name)
}

/// Writes a small file at once, unless it is there already. Another file in its place is an error of the kind
/// [`AlreadyExists`](io::ErrorKind::AlreadyExists).
pub(super) fn put(bytes: &[u8], library: &Folder, path: &str) -> Result<(), NotCopied> {
    let is_there = || -> io::Result<bool> {
        let mut there = Vec::new();
        let most = bytes.len() as u64 + 1;
        library
            .open_file(path)?
            .take(most)
            .read_to_end(&mut there)?;
        Ok(there == bytes)
    };
    if is_there().unwrap_or(false) {
        return Ok(());
    }
    let mut draft = Draft::new(library, ".json")?;
    let written = draft.write(bytes);
    written
        .and_then(|()| draft.place(library, path))
        .map_err(NotCopied::Target)
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::super::draft::{DRAFTS, clear};

    fn fingerprint(bytes: &[u8]) -> Fingerprint {
        Fingerprint::from_bytes(*blake3::hash(bytes).as_bytes())
    }

    fn held(library: &Path) -> Folder {
        Folder::root(library).unwrap()
    }

    fn copied(library: &Path, bytes: &[u8], as_if: &[u8]) -> Result<String, NotCopied> {
        let length = bytes.len() as u64;
        copy(
            bytes,
            length,
            fingerprint(as_if),
            &held(library),
            "merch/cup.jpg",
            |_| Ok(()),
        )
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
        clear(&held(library.path())).unwrap();
        assert_eq!(names(library.path()), ["merch"]);
    }

    /// F1, F2: a link in place of the drafts' folder emptied the folder of the records; one in place of a draft overwrote them.
    #[test]
    fn where_drafts_are_written_no_link_leads() {
        let (library, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let kept = ["storyline.db", "999999.db", "draft-0123.part", "secret.key"];
        for name in kept {
            fs::write(outside.path().join(name), name).unwrap();
        }
        let is_unharmed = || {
            assert_eq!(names(outside.path()).len(), kept.len());
            for name in kept {
                let there = fs::read_to_string(outside.path().join(name)).unwrap();
                assert_eq!(there, name);
            }
        };
        let drafts = library.path().join(DRAFTS);
        let refuses = || {
            let root = held(library.path());
            for refused in [
                clear(&root).unwrap_err(),
                Draft::new(&root, ".part").map(drop).unwrap_err(),
                copied(library.path(), b"a cup", b"a cup").unwrap_err(),
                put(b"{}", &root, "cup.json").unwrap_err(),
            ] {
                assert!(matches!(refused, NotCopied::NoFolder(_)), "{refused}");
                assert!(refused.to_string().contains("`.import`"), "{refused}");
                assert!(!refused.is_of_the_disk());
            }
        };
        symlink(outside.path(), &drafts).unwrap();
        refuses();
        fs::remove_file(&drafts).unwrap();
        fs::write(&drafts, b"a file").unwrap();
        refuses();
        fs::remove_file(&drafts).unwrap();
        is_unharmed();

        fs::create_dir(&drafts).unwrap();
        let writer = std::process::id();
        for ending in ["part", "fetched", "json"] {
            let foretold = drafts.join(format!("{writer}.{ending}"));
            symlink(outside.path().join("secret.key"), foretold).unwrap();
        }
        copied(library.path(), b"a cup", b"a cup").unwrap();
        put(b"{}", &held(library.path()), "cup.json").unwrap();
        is_unharmed();
    }

    /// F3: what goes to a folder that is a link stayed outside, and was told to be in.
    #[test]
    fn a_folder_that_is_a_link_takes_nothing() {
        let (library, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        symlink(outside.path(), library.path().join("merch")).unwrap();
        fs::write(outside.path().join("cup.jpg"), b"a cup").unwrap();
        let refused = copied(library.path(), b"a cup", b"a cup").unwrap_err();
        assert!(matches!(&refused, NotCopied::NoFolder(folder) if folder == "merch"));
        put(b"{}", &held(library.path()), "merch/cup.jpg.json").unwrap_err();
        assert_eq!(names(outside.path()), ["cup.jpg"]);
        // Nor is a file in the folder's place one.
        fs::remove_file(library.path().join("merch")).unwrap();
        fs::write(library.path().join("merch"), b"").unwrap();
        let refused = copied(library.path(), b"a cup", b"a cup").unwrap_err();
        assert!(matches!(refused, NotCopied::NoFolder(_)), "{refused}");
        // A link in the file's place is passed by, whatever it leads to.
        fs::remove_file(library.path().join("merch")).unwrap();
        fs::create_dir(library.path().join("merch")).unwrap();
        symlink(
            outside.path().join("cup.jpg"),
            library.path().join("merch/cup.jpg"),
        )
        .unwrap();
        let landed = copied(library.path(), b"a cup", b"a cup").unwrap();
        assert_eq!(landed, "merch/cup (2).jpg");
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
            let root = held(library.path());
            let mut draft = Draft::new(&root, ".part").unwrap();
            draft.write(said).unwrap();
            draft.land(&root, "merch/cup.jpg", |path| {
                put(said, &root, &format!("{path}.json"))
            })
        };
        assert_eq!(land(b"{ }").unwrap(), "merch/cup (2).jpg");
        assert_eq!(land(b"{}").unwrap(), "merch/cup.jpg");
        let said = ["cup (2).jpg.json", "cup.jpg.json"].map(|it| fs::read(merch.join(it)).unwrap());
        assert_eq!(said, [b"{ }".to_vec(), b"{}".to_vec()]);
    }

    #[test]
    fn a_library_that_cannot_be_written_is_told_from_a_bad_stick() {
        let library = tempfile::tempdir().unwrap();
        let root = held(library.path());
        fs::remove_dir(library.path()).unwrap();
        let target = Draft::new(&root, ".part").map(drop).unwrap_err();
        assert!(matches!(target, NotCopied::Target(_)), "{target}");
        let folder = tempfile::tempdir().unwrap();
        let file = fs::File::open(folder.path()).unwrap();
        let root = held(folder.path());
        let source = copy(file, 1, fingerprint(b""), &root, "a.jpg", |_| Ok(())).unwrap_err();
        assert!(matches!(source, NotCopied::Source(_)), "{source}");
    }
}
