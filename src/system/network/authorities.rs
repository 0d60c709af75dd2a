//! Whom TLS trusts: the authorities of the machine's store, which `update-ca-certificates` fills, and those of the settings.
//! Where the machine has no store, those that browsers trust are built in, so that a bare system reaches Telegram.

use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::system::named::open_named;

/// Where systems keep the store: Debian and most others, Fedora, openSUSE, Alpine and BSD.
const STORES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// The largest store that is read, in bytes; Debian's has some 220 kB.
const LARGEST_STORE: u64 = 8 << 20;
/// The largest file of authorities of one's own, in bytes.
const LARGEST_FILE: u64 = 1 << 20;

/// Authorities of one's own, from a file.
#[derive(Clone, PartialEq, Eq)]
pub struct Authorities {
    path: PathBuf,
    certificates: Vec<CertificateDer<'static>>,
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.certificates.len(), self.path.display())
    }
}

/// Why a file gives no authorities.
#[derive(Debug, thiserror::Error)]
pub enum NoAuthorities {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// It holds no certificate, or one that is none.
    #[error("it holds no certificates in PEM (`-----BEGIN CERTIFICATE-----`)")]
    NoPem,
}

impl Authorities {
    /// The authorities in this file, which holds one certificate in PEM or several.
    ///
    /// # Errors
    /// If it is no such file.
    pub fn read(path: &Path) -> Result<Self, NoAuthorities> {
        let certificates = certificates(path, LARGEST_FILE)?;
        let mut store = RootCertStore::empty();
        let (good, bad) = store.add_parsable_certificates(certificates.iter().cloned());
        if good == 0 || bad > 0 {
            return Err(NoAuthorities::NoPem);
        }
        let path = path.to_owned();
        Ok(Self { path, certificates })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The certificates in a file. What is no certificate in it is passed over.
fn certificates(path: &Path, most_bytes: u64) -> io::Result<Vec<CertificateDer<'static>>> {
    let file = open_named(path)?;
    let mut bytes = Vec::new();
    regular(file)?
        .take(most_bytes + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most_bytes {
        let reason = format!("it is larger than {} MB", most_bytes >> 20);
        return Err(io::Error::new(ErrorKind::InvalidData, reason));
    }
    Ok(CertificateDer::pem_slice_iter(&bytes).flatten().collect())
}

/// A pipe gives its content once, and this is read at every start.
fn regular(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(ErrorKind::InvalidInput, "it is no file"))
}

/// Whom the program trusts, and why.
#[derive(Debug)]
pub struct Trust {
    /// The authorities.
    pub roots: RootCertStore,
    /// The machine's store, and how many of them are from there.
    pub store: Option<(PathBuf, usize)>,
    /// How many are the owner's, and where they are from.
    pub own: Option<(PathBuf, usize)>,
    /// Why the store is not the one that was wished for, if it is not.
    pub complaint: Option<String>,
}

impl Trust {
    /// Finds those of the store, which `named` names in place of the usual ones, and adds `own`.
    pub(super) fn find(named: Option<&str>, own: Option<&Authorities>) -> Self {
        Self::among(&STORES, named, own)
    }

    fn among(stores: &[&str], named: Option<&str>, own: Option<&Authorities>) -> Self {
        let mut roots = RootCertStore::empty();
        let mut complaint = None;
        let mut store = None;
        let wished = named.map(|path| (path, true));
        for (path, is_wished) in wished
            .into_iter()
            .chain(stores.iter().map(|path| (*path, false)))
        {
            let found = certificates(Path::new(path), LARGEST_STORE);
            let reason = match found.map(|found| roots.add_parsable_certificates(found).0) {
                Ok(0) => "it holds no certificate".to_owned(),
                Ok(count) => {
                    store = Some((PathBuf::from(path), count));
                    break;
                }
                Err(error) => error.to_string(),
            };
            if is_wished {
                complaint = Some(format!("`SSL_CERT_FILE` names `{path}`: {reason}"));
            }
        }
        if store.is_none() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        let own = own.map(|own| {
            let certificates = own.certificates.iter().cloned();
            (
                own.path.clone(),
                roots.add_parsable_certificates(certificates).0,
            )
        });
        Self {
            roots,
            store,
            own,
            complaint,
        }
    }
}

/// `139 authorities of /etc/ssl/certs/ca-certificates.crt are trusted, and 1 of /etc/storyline/ca.pem`.
impl fmt::Display for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.store {
            Some((path, count)) => write!(
                f,
                "the {count} authorities of {} are trusted",
                path.display()
            )?,
            None => write!(f, "the authorities that are built in are trusted")?,
        }
        match &self.own {
            Some((path, count)) => write!(f, ", and {count} of {}", path.display()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/support/tls/ca.pem"
    ));

    #[test]
    fn a_file_of_authorities_is_a_file_and_holds_certificates() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Authorities::read(&path)
        };
        let two = read(&format!("a word before\n{PEM}{PEM}")).unwrap();
        assert_eq!(two.certificates.len(), 2);
        assert_eq!(two.path(), path);
        let no_certificate = PEM.replace("MIIB", "AAAA");
        for wrong in ["", "milk, eggs", &no_certificate] {
            let error = read(wrong).unwrap_err();
            assert!(error.to_string().contains("PEM"), "{error}");
        }
        let error = read(&"x".repeat(LARGEST_FILE as usize + 1)).unwrap_err();
        assert!(error.to_string().contains("1 MB"), "{error}");
        std::fs::remove_file(&path).unwrap();
        let made = std::process::Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap();
        assert!(made.success());
        for wrong in [
            path.as_path(),
            folder.path(),
            Path::new("/dev/zero"),
            Path::new("/nowhere"),
        ] {
            let error = Authorities::read(wrong).unwrap_err();
            assert!(matches!(error, NoAuthorities::Unreadable(_)), "{error}");
        }
    }

    #[test]
    fn a_machine_without_a_store_trusts_those_that_are_built_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, PEM).unwrap();
        let own = Authorities::read(&path).unwrap();
        let named = Trust::find(path.to_str(), Some(&own));
        assert_eq!(named.store, Some((path.clone(), 1)));
        assert_eq!((named.roots.len(), named.complaint), (2, None));
        let missing = Trust::find(Some("/nowhere"), None);
        assert!(
            missing
                .complaint
                .is_some_and(|told| told.contains("SSL_CERT_FILE"))
        );
        assert!(!missing.roots.is_empty());
        let bare = Trust::among(&[], None, Some(&own));
        assert_eq!(bare.store, None);
        assert_eq!(bare.roots.len(), webpki_roots::TLS_SERVER_ROOTS.len() + 1);
        assert!(
            bare.to_string().contains("built in are trusted, and 1 of"),
            "{bare}"
        );
    }
}
