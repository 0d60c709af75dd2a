//! An original, opened for reading only; a link is not followed. A picture is read into memory once: what is hashed, decoded
//! and sent are then the same bytes, whatever somebody does to the file meanwhile. A clip is too long for that.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::domain::media::{Fingerprint, MOST_BYTES};

/// The bytes of an original picture.
pub struct Original(Vec<u8>);

impl Original {
    /// Reads the file at this path.
    ///
    /// # Errors
    /// As those of [`open`].
    pub fn read(path: &Path) -> io::Result<Self> {
        let file = open(path)?;
        let mut bytes = Vec::new();
        bytes.reserve_exact(file.metadata()?.len() as usize + 1);
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

/// Opens an original: for reading, following no link and waiting for nothing.
///
/// # Errors
/// If it cannot be opened; of the kind [`InvalidInput`](ErrorKind::InvalidInput) if it never will be, because it is no file
/// of at most [`MOST_BYTES`].
pub fn open(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)
        .map_err(|error| match Errno::from_io_error(&error) {
            Some(Errno::LOOP) => unfit(),
            _ => error,
        })?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() > MOST_BYTES {
        return Err(unfit());
    }
    Ok(file)
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
        let path = folder.path().join("cat.jpg");
        fs::write(&path, b"a cat").unwrap();
        assert_eq!(Original::read(&path).unwrap().bytes(), b"a cat");
        let hash = *blake3::hash(b"a cat").as_bytes();
        let original = Original::read(&path).unwrap();
        assert_eq!(original.fingerprint(), Fingerprint::from_bytes(hash));

        let link = folder.path().join("link.jpg");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let large = folder.path().join("large.jpg");
        let sparse = fs::File::create(&large).unwrap();
        sparse.set_len(MOST_BYTES + 1).unwrap();
        for unfit in [&link, &large, folder.path()] {
            let problem = Original::read(unfit).err().unwrap();
            assert_eq!(problem.kind(), ErrorKind::InvalidInput, "{problem}");
        }
        let missing = Original::read(&folder.path().join("dog.jpg"));
        assert_eq!(missing.err().unwrap().kind(), ErrorKind::NotFound);
    }
}
