//! What is in a backup: a `tar.gz` with `manifest.json` first, so that it is quickly read, the settings, and the database.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tar::{Archive, Builder, Header};

use super::{Error, Reason};
use crate::store::snapshot::Content;

const MANIFEST: &str = "manifest.json";
const SETTINGS: &str = "storyline.toml";
const DATABASE: &str = "storyline.db";

/// More than any manifest takes, in bytes.
const MOST_MANIFEST_BYTES: u64 = 1_000_000;

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
                    "it says {rows} rows of `{table}` and holds {holds}"
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
    settings: Option<&Path>,
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
        let text = std::fs::read(settings)?;
        append(SETTINGS, text.len() as u64, &mut text.as_slice())?;
    }
    append(
        DATABASE,
        manifest.database_bytes,
        &mut File::open(database)?,
    )?;
    tar.into_inner()?.finish()?.flush()?;
    file.sync_all()
}

/// What the backup at `path` says of itself.
pub(super) fn manifest(path: &Path) -> Result<Manifest, Error> {
    let text = with(path, MANIFEST, |entry| {
        let mut text = Vec::new();
        entry.take(MOST_MANIFEST_BYTES).read_to_end(&mut text)?;
        Ok(text)
    })?;
    serde_json::from_slice(&text).map_err(|error| Error::broken(path, &error))
}

/// Unpacks the database of the backup at `path` to `target`, as it was when it was copied, and brings it to the disk.
pub(super) fn unpack(path: &Path, manifest: &Manifest, target: &Path) -> Result<(), Error> {
    let unwritten = |error: &io::Error| Error::folder(target, error);
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(target)
        .map_err(|error| unwritten(&error))?;
    let mut both = Both(&mut file, blake3::Hasher::new(), None);
    let copied = with(path, DATABASE, |entry| {
        io::copy(&mut entry.take(manifest.database_bytes), &mut both).map(drop)
    });
    // A full disk is no flaw of the backup.
    if let Some(error) = &both.2 {
        return Err(unwritten(error));
    }
    copied?;
    let found = both.1.finalize().to_hex().to_string();
    file.sync_all().map_err(|error| unwritten(&error))?;
    if found != manifest.database_blake3 {
        return Err(Error::broken(path, &"its database was changed since"));
    }
    Ok(())
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

/// Reads what is called so in the backup at `path`.
fn with<T>(
    path: &Path,
    name: &str,
    read: impl FnOnce(&mut dyn Read) -> io::Result<T>,
) -> Result<T, Error> {
    let look = || {
        let mut archive = Archive::new(GzDecoder::new(BufReader::new(File::open(path)?)));
        for entry in archive.entries()? {
            let mut entry = entry?;
            if entry.path()?.as_os_str() == name {
                return Ok(Some(read(&mut entry)?));
            }
        }
        Ok(None)
    };
    look()
        .map_err(|error: io::Error| Error::broken(path, &error))?
        .ok_or_else(|| Error::broken(path, &format!("there is no `{name}` in it")))
}
