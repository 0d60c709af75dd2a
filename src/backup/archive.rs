//! What is in a backup: a `tar.gz` with `manifest.json` first, so that it is quickly read, the settings, and the database.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tar::{Archive, Builder, EntryType, Header};

use super::{Error, Reason};
use crate::store::snapshot::Content;

const MANIFEST: &str = "manifest.json";
const SETTINGS: &str = "storyline.toml";
const DATABASE: &str = "storyline.db";

/// All that is in one, in this order.
const NAMES: [&str; 3] = [MANIFEST, SETTINGS, DATABASE];

/// More than any manifest takes, in bytes.
const MOST_MANIFEST_BYTES: u64 = 1_000_000;
/// The same of the settings.
pub(super) const MOST_SETTINGS_BYTES: u64 = 1_000_000;
/// The same of all that stands around them.
const MOST_HEADERS_BYTES: u64 = 64 * 1024;
/// The longest name of a table, and of a version, in bytes.
const LONGEST_WORD: usize = 64;

/// What a backup says of itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// When it was made.
    pub made_at: Timestamp,
    /// Why.
    pub reason: Reason,
    /// By which version of the program.
    pub version: String,
    /// The number of the database's newest migration.
    pub schema: u64,
    /// How large the database is, in bytes.
    pub database_bytes: u64,
    /// Its BLAKE3, in hexadecimal.
    pub database_blake3: String,
    /// How many rows each of its tables has.
    pub rows: BTreeMap<String, u64>,
}

impl Manifest {
    /// That of a copied database, which holds this.
    pub(super) fn of(
        copy: &Path,
        content: Content,
        reason: Reason,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let measure = || {
            let mut hasher = blake3::Hasher::new();
            let bytes = io::copy(&mut File::open(copy)?, &mut hasher)?;
            Ok((bytes, hasher.finalize().to_hex().to_string()))
        };
        let (database_bytes, database_blake3) =
            measure().map_err(|error| Error::folder(copy, &error))?;
        Ok(Self {
            made_at: now,
            reason,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            schema: content.schema,
            database_bytes,
            database_blake3,
            rows: content.rows,
        })
    }

    /// Whether it holds this and nothing else; in plain words, if not.
    pub(super) fn must_be(&self, found: &Content) -> Result<(), String> {
        if self.schema != found.schema {
            return Err(format!(
                "it says schema {} and holds {}",
                self.schema, found.schema
            ));
        }
        for (table, rows) in &self.rows {
            let holds = found.rows.get(table).copied().unwrap_or_default();
            if holds != *rows {
                return Err(format!(
                    "it says {rows} rows of {table:?} and holds {holds}"
                ));
            }
        }
        Ok(())
    }

    /// How many rows a table has.
    #[must_use]
    pub fn count(&self, table: &str) -> u64 {
        self.rows.get(table).copied().unwrap_or_default()
    }
}

/// Writes a backup, and brings it to the disk.
pub(super) fn write(
    file: &File,
    manifest: &Manifest,
    database: &Path,
    settings: Option<&str>,
) -> io::Result<()> {
    let packed = GzEncoder::new(BufWriter::new(file), Compression::default());
    let mut tar = Builder::new(packed);
    let text = serde_json::to_vec_pretty(manifest)?;
    let mut append = |name: &str, bytes: u64, data: &mut dyn Read| {
        let mut header = Header::new_gnu();
        header.set_size(bytes);
        header.set_mode(0o600);
        header.set_mtime(u64::try_from(manifest.made_at.as_second()).unwrap_or(0));
        tar.append_data(&mut header, name, data)
    };
    append(MANIFEST, text.len() as u64, &mut text.as_slice())?;
    if let Some(settings) = settings {
        append(SETTINGS, settings.len() as u64, &mut settings.as_bytes())?;
    }
    append(
        DATABASE,
        manifest.database_bytes,
        &mut File::open(database)?,
    )?;
    tar.into_inner()?.finish()?.flush()?;
    file.sync_all()
}

/// What a backup says of itself; `path` is what it is called.
pub(super) fn manifest(file: &File, path: &Path) -> Result<Manifest, Error> {
    let broken = |why: &dyn std::fmt::Display| Error::broken(path, why);
    let most = MOST_MANIFEST_BYTES + MOST_HEADERS_BYTES;
    let text = with(file, path, MANIFEST, most, |entry, bytes| {
        if bytes > MOST_MANIFEST_BYTES {
            return Err(odd("what it says of itself is too long"));
        }
        let mut text = Vec::new();
        entry.read_to_end(&mut text)?;
        Ok(text)
    })?;
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|error| broken(&error))?;
    // It is shown, and may be anybody's.
    let is_plain =
        |text: &str| text.len() <= LONGEST_WORD && text.bytes().all(|byte| byte.is_ascii_graphic());
    let are_plain = manifest.rows.keys().all(|table| is_plain(table));
    match are_plain && is_plain(&manifest.version) {
        true => Ok(manifest),
        false => Err(broken(
            &"what it says of itself is not what Storyline writes",
        )),
    }
}

/// Unpacks the database of a backup to `target`, as it was when it was copied, and brings it to the disk. `path` is what the
/// backup is called.
pub(super) fn unpack(
    file: &File,
    path: &Path,
    manifest: &Manifest,
    target: &Path,
) -> Result<(), Error> {
    let unwritten = |error: &io::Error| Error::folder(target, error);
    must_have_room(target, manifest.database_bytes).map_err(|error| unwritten(&error))?;
    let mut into = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(target)
        .map_err(|error| unwritten(&error))?;
    let mut both = Both(&mut into, blake3::Hasher::new(), None);
    let most = manifest
        .database_bytes
        .saturating_add(MOST_MANIFEST_BYTES + MOST_SETTINGS_BYTES + MOST_HEADERS_BYTES);
    let copied = with(file, path, DATABASE, most, |entry, bytes| {
        if bytes != manifest.database_bytes {
            return Err(odd("its database is not as long as it says"));
        }
        io::copy(entry, &mut both).map(drop)
    });
    // A full disk is no flaw of the backup.
    if let Some(error) = &both.2 {
        return Err(unwritten(error));
    }
    copied?;
    let found = both.1.finalize().to_hex().to_string();
    into.sync_all().map_err(|error| unwritten(&error))?;
    if found != manifest.database_blake3 {
        return Err(Error::broken(path, &"its database was changed since"));
    }
    Ok(())
}

/// Whether there is room for so many bytes at this path, and a little more for whoever else writes there.
fn must_have_room(path: &Path, bytes: u64) -> io::Result<()> {
    let space = rustix::fs::statvfs(path.parent().unwrap_or(path))?;
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    match bytes.saturating_add(bytes / 10) <= free {
        true => Ok(()),
        false => Err(io::ErrorKind::StorageFull.into()),
    }
}

/// A file, the hash of what goes into it, and why no more does.
struct Both<'a>(&'a mut File, blake3::Hasher, Option<io::Error>);

impl Write for Both<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.0.write(bytes).inspect_err(|error| {
            self.2 = Some(io::Error::new(error.kind(), error.to_string()));
        })?;
        self.1.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Reads what is called so in a backup: a plain file, of which there are no more than these, in this order. Whatever stands in
/// it, no more than `most_bytes` are unpacked, and none of its paths is used.
fn with<T>(
    file: &File,
    path: &Path,
    name: &str,
    most_bytes: u64,
    read: impl FnOnce(&mut dyn Read, u64) -> io::Result<T>,
) -> Result<T, Error> {
    let look = || {
        let mut file = file;
        file.rewind()?;
        let unpacked = GzDecoder::new(BufReader::new(file)).take(most_bytes);
        let mut archive = Archive::new(unpacked);
        // Raw: longer names and holes, which others pack otherwise, would be read into memory whatever they take.
        for entry in archive.entries()?.raw(true).take(NAMES.len()) {
            let mut entry = entry?;
            let is_ours = NAMES
                .iter()
                .any(|one| *entry.path_bytes() == *one.as_bytes());
            if !is_ours || entry.header().entry_type() != EntryType::Regular {
                return Err(odd("it holds something that Storyline does not put there"));
            }
            if *entry.path_bytes() == *name.as_bytes() {
                let bytes = entry.size();
                return Ok(Some(read(&mut entry, bytes)?));
            }
        }
        Ok(None)
    };
    look()
        .map_err(|error: io::Error| Error::broken(path, &error))?
        .ok_or_else(|| Error::broken(path, &format!("there is no `{name}` in it")))
}

fn odd(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
