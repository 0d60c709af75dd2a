//! A file that is held open from the moment that it is examined until it has left. Whatever takes its name meanwhile is another
//! file. Its bytes may still be written over; so they are hashed once more while they leave, and the end is held back until it
//! is known that all of them are what they were.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::domain::media::Fingerprint;

/// How much is read at once, in bytes.
const PIECE_BYTES: u64 = 256 * 1024;

/// A file that is held open, and what it was when it was examined. A clone holds the same.
#[derive(Clone, Debug)]
pub struct Held(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: File,
    fingerprint: Fingerprint,
    size_bytes: u64,
    has_changed: AtomicBool,
}

/// Why not all of a file left.
#[derive(Debug, thiserror::Error)]
#[error("the file was changed while it was sent")]
struct Changed;

impl Held {
    /// A file of this many bytes, which were found to have this hash.
    #[must_use]
    pub fn new(file: File, fingerprint: Fingerprint, size_bytes: u64) -> Self {
        Self(Arc::new(Inner {
            file,
            fingerprint,
            size_bytes,
            has_changed: AtomicBool::new(false),
        }))
    }

    /// How long it is, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.0.size_bytes
    }

    /// Its bytes from the beginning, however often that is asked for.
    #[must_use]
    pub fn pieces(&self) -> Pieces {
        Pieces {
            held: self.clone(),
            at: 0,
            hasher: blake3::Hasher::new(),
        }
    }

    /// Whether an attempt to send it found that it is not what it was. Then its end did not leave.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.0.has_changed.load(Ordering::Acquire)
    }
}

/// Two are the same if they are to hold the same.
impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.0.fingerprint == other.0.fingerprint
    }
}

impl Eq for Held {}

/// The bytes of a file that is held open, in their order.
#[derive(Debug)]
pub struct Pieces {
    held: Held,
    at: u64,
    hasher: blake3::Hasher,
}

impl Pieces {
    /// The next ones; none at the end. The last are told only if all of them are what was examined.
    ///
    /// # Errors
    /// If they cannot be read, or are not what was examined; see [`Held::has_changed`].
    pub fn next_piece(&mut self) -> io::Result<Vec<u8>> {
        let Inner {
            file,
            fingerprint,
            size_bytes,
            has_changed,
        } = &*self.held.0;
        let changed = || {
            has_changed.store(true, Ordering::Release);
            io::Error::other(Changed)
        };
        let length = (size_bytes - self.at).min(PIECE_BYTES);
        let mut piece = vec![0; length as usize];
        match file.read_exact_at(&mut piece, self.at) {
            Ok(()) => {}
            // It is shorter now.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(changed()),
            Err(error) => return Err(error),
        }
        self.hasher.update(&piece);
        self.at += length;
        let is_whole = self.at == *size_bytes;
        if is_whole && self.hasher.finalize().as_bytes() != fingerprint.as_bytes() {
            return Err(changed());
        }
        Ok(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;
    use std::path::Path;

    fn held(path: &Path, bytes: &[u8]) -> Held {
        fs::write(path, bytes).unwrap();
        let fingerprint = Fingerprint::from_bytes(*blake3::hash(bytes).as_bytes());
        Held::new(File::open(path).unwrap(), fingerprint, bytes.len() as u64)
    }

    /// What leaves, and whether all of it did.
    fn sent(held: &Held) -> (Vec<u8>, bool) {
        let mut pieces = held.pieces();
        let mut left = Vec::new();
        loop {
            match pieces.next_piece() {
                Ok(piece) if piece.is_empty() => return (left, true),
                Ok(piece) => left.extend(piece),
                Err(_) => return (left, false),
            }
        }
    }

    #[test]
    fn what_was_examined_leaves_whatever_takes_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.mp4");
        for length in [0, 1, PIECE_BYTES as usize, PIECE_BYTES as usize * 2 + 7] {
            let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let held = held(&path, &bytes);
            fs::write(folder.path().join("secret"), b"secret").unwrap();
            fs::remove_file(&path).unwrap();
            std::os::unix::fs::symlink("secret", &path).unwrap();
            assert_eq!(sent(&held), (bytes.clone(), true), "{length}");
            assert_eq!(sent(&held), (bytes, true), "again");
            assert!(!held.has_changed());
            fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn what_was_written_over_does_not_leave_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.mp4");
        let bytes = vec![7; PIECE_BYTES as usize + 100];
        let damages: [fn(&Path); 3] = [
            |path| fs::write(path, b"shorter").unwrap(),
            |path| fs::write(path, vec![8; PIECE_BYTES as usize + 100]).unwrap(),
            |path| {
                let file = File::options().write(true).open(path).unwrap();
                file.write_all_at(b"x", PIECE_BYTES + 99).unwrap();
            },
        ];
        for damage in damages {
            let held = held(&path, &bytes);
            damage(&path);
            let (left, is_whole) = sent(&held);
            assert!(!is_whole && left.len() <= PIECE_BYTES as usize);
            assert!(held.has_changed());
        }
        // What was added to it was not examined, and stays.
        let held = held(&path, &bytes);
        let mut file = File::options().append(true).open(&path).unwrap();
        file.write_all(b"and more").unwrap();
        assert_eq!(sent(&held), (bytes, true));
    }
}
