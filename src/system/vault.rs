//! Encrypts what must be stored and never shown: XChaCha20-Poly1305, bound to the place where it is kept, with a key that is kept
//! elsewhere.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, Generate, Payload};
use chacha20poly1305::{Key as Bytes, KeyInit, XChaCha20Poly1305, XNonce};
use data_encoding::{BASE64, HEXLOWER};
use secrecy::{ExposeSecret, SecretString};

use super::named::text_of;
use super::owner::Owner;
use super::replace::replace;

/// How long a nonce is, in bytes.
const NONCE: usize = 24;
/// More than all keys that were ever made take, in bytes.
const MOST_BYTES: u64 = 1_000_000;
/// How long a key is, in bytes.
const KEY: usize = 32;

/// Why a secret cannot be encrypted or decrypted. It never holds a part of one.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The file of keys cannot be used.
    #[error("the key at `{}` cannot be used: {why}", path.display())]
    KeyFile {
        /// Which.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// What was given is no key.
    #[error("it is no key: each line must be 64 hexadecimal digits")]
    NoKey,
    /// There is no such key.
    #[error("the key {0} that it was encrypted with is not there")]
    KeyMissing(String),
    /// It is not what was encrypted.
    #[error("it was changed since it was encrypted")]
    Changed,
}

/// One key.
#[derive(Clone)]
struct Key {
    id: String,
    text: SecretString,
    cipher: XChaCha20Poly1305,
}

impl Key {
    fn parse(line: &str) -> Result<Self, VaultError> {
        let bytes = HEXLOWER.decode(line.trim().to_lowercase().as_bytes());
        let bytes: [u8; KEY] = bytes
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(VaultError::NoKey)?;
        // Tells keys apart, and tells nothing of them.
        let hash = blake3::derive_key("storyline 2026 the name of a key", &bytes);
        Ok(Self {
            id: HEXLOWER.encode(&hash[..6]),
            text: HEXLOWER.encode(&bytes).into(),
            cipher: XChaCha20Poly1305::new(&Bytes::from(bytes)),
        })
    }

    fn generate() -> Result<Self, VaultError> {
        let bytes = Bytes::generate();
        Self::parse(&HEXLOWER.encode(&bytes))
    }
}

/// What was encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// With which key.
    pub key: String,
    /// The nonce and what follows from it, in base64.
    pub text: String,
}

/// The keys at hand: the first encrypts, each decrypts what it encrypted.
#[derive(Clone)]
pub struct Keys(Vec<Key>);

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}

impl Keys {
    /// Those in a text, a line each.
    ///
    /// # Errors
    /// If a line is no key, or there is none.
    pub fn parse(text: &SecretString) -> Result<Self, VaultError> {
        let lines = text.expose_secret().lines();
        let keys = lines
            .filter(|line| !line.trim().is_empty())
            .map(Key::parse)
            .collect::<Result<Vec<_>, _>>()?;
        match keys.is_empty() {
            true => Err(VaultError::NoKey),
            false => Ok(Self(keys)),
        }
    }

    /// Those in a file; `None` if it is not there.
    ///
    /// # Errors
    /// If the file cannot be read, or holds something else.
    pub fn load(path: &Path) -> Result<Option<Self>, VaultError> {
        match as_owner(path, || text_of(path, MOST_BYTES)) {
            Ok(text) => Self::parse(&text.into())
                .map(Some)
                .map_err(|error| key_file(path, &error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(key_file(path, &error)),
        }
    }

    /// Those in a file, which is made with a new key if it is not there.
    ///
    /// # Errors
    /// If the file cannot be read or made, or holds something else.
    pub fn load_or_make(path: &Path) -> Result<Self, VaultError> {
        if let Some(keys) = Self::load(path)? {
            return Ok(keys);
        }
        let keys = Self(vec![Key::generate()?]);
        keys.write(path)?;
        Ok(keys)
    }

    /// The same with a new one before them, for what is encrypted from now on.
    ///
    /// # Errors
    /// None that is known.
    pub fn with_a_new_one(&self) -> Result<Self, VaultError> {
        let mut keys = vec![Key::generate()?];
        keys.extend(self.0.iter().cloned());
        Ok(Self(keys))
    }

    /// Waits until nobody else sets a secret or changes the key, and holds that as long as the file is open.
    ///
    /// # Errors
    /// If it cannot be held.
    pub fn hold(path: &Path) -> Result<File, VaultError> {
        // The folder itself: it is there, and nothing is left behind.
        let folder = path.parent().unwrap_or(Path::new("/"));
        let hold = || File::open(folder).and_then(|folder| folder.lock().map(|()| folder));
        as_owner(path, hold).map_err(|error| key_file(path, &error))
    }

    /// Their names.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|key| &*key.id)
    }

    /// Writes them to a file that its owner alone can read; whole or not at all. It belongs to whoever its folder does.
    ///
    /// # Errors
    /// If that cannot be done; the file is as it was then.
    pub fn write(&self, path: &Path) -> Result<(), VaultError> {
        let lines = self.0.iter().map(|key| key.text.expose_secret());
        let text = SecretString::from(lines.fold(String::new(), |text, line| text + line + "\n"));
        as_owner(path, || {
            replace(path, text.expose_secret().as_bytes(), 0o400)
        })
        .map_err(|error| key_file(path, &error))
    }

    /// Encrypts a secret for a place, which is told by its name.
    ///
    /// # Errors
    /// None that is known: the cipher fails only at sizes that no secret has.
    pub fn seal(&self, place: &str, secret: &SecretString) -> Result<Sealed, VaultError> {
        let key = &self.0[0];
        let nonce = XNonce::generate();
        let payload = Payload {
            msg: secret.expose_secret().as_bytes(),
            aad: place.as_bytes(),
        };
        let sealed = key.cipher.encrypt(&nonce, payload);
        let mut bytes = nonce.to_vec();
        bytes.extend(sealed.map_err(|_| VaultError::Changed)?);
        Ok(Sealed {
            key: key.id.clone(),
            text: BASE64.encode(&bytes),
        })
    }

    /// Decrypts what was encrypted for that place.
    ///
    /// # Errors
    /// If its key is not among them, or it is not what was encrypted there.
    pub fn open(&self, place: &str, sealed: &Sealed) -> Result<SecretString, VaultError> {
        let key = self.0.iter().find(|key| key.id == sealed.key);
        let key = key.ok_or_else(|| VaultError::KeyMissing(sealed.key.clone()))?;
        let bytes = BASE64.decode(sealed.text.as_bytes());
        let bytes = bytes.map_err(|_| VaultError::Changed)?;
        let (nonce, msg) = bytes.split_at_checked(NONCE).ok_or(VaultError::Changed)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| VaultError::Changed)?;
        let aad = place.as_bytes();
        let opened = key.cipher.decrypt(&nonce, Payload { msg, aad });
        let text = opened
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or(VaultError::Changed)?;
        Ok(text.into())
    }
}

/// Root does it as whoever the folder belongs to, which is where a link could be put in its way.
fn as_owner<T: Send>(path: &Path, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    Owner::of(path)?.work(work)?
}

fn key_file(path: &Path, why: &dyn fmt::Display) -> VaultError {
    VaultError::KeyFile {
        path: path.to_owned(),
        why: why.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn secret() -> SecretString {
        "EAAcanary".into()
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_and_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_make(&folder.path().join("key")).unwrap();
        let sealed = keys.seal("studio/instagram", &secret()).unwrap();
        assert!(!sealed.text.contains("canary"));
        assert_ne!(keys.seal("studio/instagram", &secret()).unwrap(), sealed);
        let opened = keys.open("studio/instagram", &sealed).unwrap();
        assert_eq!(opened.expose_secret(), "EAAcanary");
        assert!(keys.open("club/instagram", &sealed).is_err());
        for at in [0, sealed.text.len() / 2, sealed.text.len() - 3] {
            let mut text = sealed.text.clone().into_bytes();
            text[at] = if text[at] == b'A' { b'B' } else { b'A' };
            let text = String::from_utf8(text).unwrap();
            let changed = Sealed {
                text,
                ..sealed.clone()
            };
            assert!(keys.open("studio/instagram", &changed).is_err(), "{at}");
        }
        let short = Sealed {
            text: "AAAA".into(),
            ..sealed
        };
        assert!(keys.open("studio/instagram", &short).is_err());
    }

    #[test]
    fn a_new_key_seals_and_the_old_one_opens_what_it_sealed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let old = Keys::load_or_make(&path).unwrap();
        let sealed = old.seal("x", &secret()).unwrap();
        let both = old.with_a_new_one().unwrap();
        both.write(&path).unwrap();
        let both = Keys::load(&path).unwrap().unwrap();
        assert_eq!(both.ids().nth(1), old.ids().next());
        assert!(both.open("x", &sealed).is_ok());
        let again = both.seal("x", &secret()).unwrap();
        assert!(matches!(
            old.open("x", &again),
            Err(VaultError::KeyMissing(_))
        ));
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o400);
    }

    #[test]
    fn what_is_no_key_is_refused_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        for text in ["", "\n\n", "canary", &"z".repeat(64), &"a".repeat(63)] {
            fs::write(&path, text).unwrap();
            let error = Keys::load(&path).unwrap_err().to_string();
            assert!(
                error.contains("64 hexadecimal digits") && !error.contains("canary"),
                "{error}"
            );
            fs::remove_file(&path).unwrap();
        }
        assert!(Keys::load(&path).unwrap().is_none());
        let keys = Keys::load_or_make(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(!format!("{keys:?}").contains(text.trim()));
    }

    /// Against another's program: `openssl` knows the cipher beneath, but not with a long nonce; so the vectors of the draft
    /// that describes it (draft-irtf-cfrg-xchacha-03, A.3.1).
    #[test]
    fn it_is_the_cipher_that_others_call_so() {
        let hex = |text: &str| HEXLOWER.decode(text.as_bytes()).unwrap();
        let key = "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f";
        let key = Key::parse(key).unwrap();
        let nonce = XNonce::try_from(&hex("404142434445464748494a4b4c4d4e4f5051525354555657")[..]);
        let text = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
        let payload = Payload {
            msg: text,
            aad: &hex("50515253c0c1c2c3c4c5c6c7"),
        };
        let sealed = key.cipher.encrypt(&nonce.unwrap(), payload).unwrap();
        assert_eq!(
            HEXLOWER.encode(&sealed[..16]),
            "bd6d179d3e83d43b9576579493c0e939"
        );
        assert_eq!(
            HEXLOWER.encode(&sealed[sealed.len() - 16..]),
            "c0875924c1c7987947deafd8780acf49"
        );
    }
}
