//! An original, opened beneath the library's root for reading only; no link is followed. A picture is read into memory once: what is hashed, decoded
//! and sent are then the same bytes, whatever somebody does to the file meanwhile. A clip is too long for that.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use crate::domain::media::{Fingerprint, MOST_BYTES};
use crate::system::beneath::{Folder, Stat};

/// The bytes of an original picture.
pub struct Original(Vec<u8>);

impl Original {
    /// Reads the file at this path in the library of this root.
    ///
    /// # Errors
    /// As those of [`open`].
    pub fn read(root: &Path, path: &str) -> io::Result<Self> {
        let (file, length) = open(root, path)?;
        let mut bytes = Vec::new();
        bytes.reserve_exact(length as usize + 1);
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(unfit());
        }
        Ok(Self(bytes))
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, given away.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// The hash that a media with these bytes is known by.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::from_bytes(*blake3::hash(&self.0).as_bytes())
    }
}

impl From<Vec<u8>> for Original {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

/// Opens an original, and tells its length in bytes. No link is followed, and nothing is waited for.
///
/// # Errors
/// If it cannot be opened; of the kind [`InvalidInput`](ErrorKind::InvalidInput) if it never will be, because it is no file
/// of at most [`MOST_BYTES`], or lies behind a link.
pub(super) fn open(root: &Path, path: &str) -> io::Result<(File, u64)> {
    let file = Folder::root(root)?
        .open_file(path)
        .map_err(|error| match error.kind() {
            ErrorKind::InvalidInput => unfit(),
            // A file where a folder was.
            ErrorKind::NotADirectory => ErrorKind::NotFound.into(),
            _ => error,
        })?;
    let length = Stat::of(&file)?.size_bytes;
    if length > MOST_BYTES {
        return Err(unfit());
    }
    Ok((file, length))
}

/// The hash that a media with the bytes of this file is known by; it is read piece by piece.
///
/// # Errors
/// If it cannot be read.
pub(super) fn fingerprint_of(file: impl Read) -> io::Result<Fingerprint> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file)?;
    Ok(Fingerprint::from_bytes(hasher.finalize().into()))
}

fn unfit() -> io::Error {
    let megabytes = MOST_BYTES / 1_000_000;
    let reason = format!("it is no file of at most {megabytes} MB");
    io::Error::new(ErrorKind::InvalidInput, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_is_read_and_what_is_none_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("memes")).unwrap();
        fs::write(root.join("memes/cat.jpg"), b"a cat").unwrap();
        let original = Original::read(root, "memes/cat.jpg").unwrap();
        assert_eq!(original.bytes(), b"a cat");
        let hash = *blake3::hash(b"a cat").as_bytes();
        assert_eq!(original.fingerprint(), Fingerprint::from_bytes(hash));

        std::os::unix::fs::symlink("memes/cat.jpg", root.join("link.jpg")).unwrap();
        std::os::unix::fs::symlink("memes", root.join("link")).unwrap();
        let large = fs::File::create(root.join("large.jpg")).unwrap();
        large.set_len(MOST_BYTES + 1).unwrap();
        for unfit in ["link.jpg", "link/cat.jpg", "large.jpg", "memes"] {
            let problem = Original::read(root, unfit).err().unwrap();
            assert_eq!(problem.kind(), ErrorKind::InvalidInput, "{problem}");
        }
        for missing in ["dog.jpg", "memes/cat.jpg/dog.jpg", "../cat.jpg"] {
            let missing = Original::read(root, missing).err().unwrap();
            assert_eq!(missing.kind(), ErrorKind::NotFound);
        }
    }
}
