//! Puts a file in place of another in one step: whoever reads it finds the old one or the new one, whole, even after a power
//! cut.

use std::fs::{File, Metadata, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

use tempfile::NamedTempFile;

/// The rights of a file, without what kind of file it is.
const RIGHTS: u32 = 0o7777;

/// Writes a file of root's or one's own, which has these rights from the beginning.
///
/// # Errors
/// If it cannot be written, or brought to the disk.
pub fn replace(path: &Path, contents: &[u8], rights: u32) -> io::Result<()> {
    put(path, contents, None, rights)
}

/// Writes a file that keeps its owner, its group and its rights; a new one has these rights.
///
/// # Errors
/// If it cannot be written, or brought to the disk.
pub fn rewrite(path: &Path, contents: &[u8], rights: u32) -> io::Result<()> {
    match std::fs::metadata(path) {
        Ok(before) => put(path, contents, Some(&before), before.mode() & RIGHTS),
        Err(error) if error.kind() == io::ErrorKind::NotFound => replace(path, contents, rights),
        Err(error) => Err(error),
    }
}

fn put(path: &Path, contents: &[u8], owner: Option<&Metadata>, rights: u32) -> io::Result<()> {
    // Nobody else may read it until it is whose it shall be.
    let mut draft = NamedTempFile::new_in(folder(path))?;
    draft.write_all(contents)?;
    let file = draft.as_file();
    if let Some(owner) = owner {
        let is = file.metadata()?;
        if (is.uid(), is.gid()) != (owner.uid(), owner.gid()) {
            fchown(file, Some(owner.uid()), Some(owner.gid()))?;
        }
    }
    file.set_permissions(Permissions::from_mode(rights))?;
    file.sync_all()?;
    draft.persist(path)?;
    File::open(folder(path))?.sync_all()
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        folder => folder.unwrap_or(Path::new("/")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_with_the_rights_it_shall_have() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let rights = || std::fs::metadata(&path).unwrap().mode() & RIGHTS;
        replace(&path, b"one", 0o400).unwrap();
        assert_eq!(rights(), 0o400);
        replace(&path, b"two", 0o400).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");

        std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        rewrite(&path, b"three", 0o600).unwrap();
        assert_eq!(
            (std::fs::read(&path).unwrap(), rights()),
            (b"three".to_vec(), 0o640)
        );
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(replace(&folder.path().join("none/x"), b"", 0o400).is_err());
        assert_eq!(super::folder(Path::new("x")), Path::new("."));
    }
}
