//! What people say of a file, gathered from where they may say it. Later wins: the folder's `metadata.json` (its defaults,
//! then its item), the file's own name, the sidecar beside it (`cat.json` or `cat.jpg.json`). No mistake in any of these
//! keeps a file from being indexed.

use std::collections::HashMap;
use std::io::{self, Read};
use std::path::Path;

use serde_json::Value;

use super::link;
use super::root::Root;
use super::spoken::{self, FolderSpoken};
use super::walk::joined;
use crate::domain::media::Metadata;
use crate::system::beneath::{Folder, Kind, Stat, split};

/// The name of the file that speaks of a whole folder.
pub(super) const FOLDER_FILE: &str = "metadata.json";
/// The largest metadata file that is read.
const MOST_BYTES: u64 = 1_000_000;
/// The most folders whose `metadata.json` is kept in memory, taken apart.
const MOST_FOLDERS: usize = 32;

/// The names of the sidecars of a file, the weaker first.
pub(super) fn sidecar_names(name: &str) -> [Option<String>; 2] {
    let stem = name.rsplit_once('.').map(|(stem, _)| stem);
    let short = stem.map(|stem| format!("{stem}.json"));
    [
        short.filter(|short| !short.eq_ignore_ascii_case(FOLDER_FILE)),
        Some(format!("{name}.json")),
    ]
}

/// Length and time of a metadata file: when they differ, it is to be read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    size_bytes: u64,
    seconds: i64,
    nanoseconds: i64,
}

impl Stamp {
    pub(super) fn of(stat: &Stat) -> Self {
        Self {
            size_bytes: stat.size_bytes,
            seconds: stat.modified_ns.div_euclid(1_000_000_000),
            nanoseconds: stat.modified_ns.rem_euclid(1_000_000_000),
        }
    }

    /// One text for the folder's file and the two sidecars; empty when there is none.
    pub(super) fn join(stamps: [Option<Self>; 3]) -> String {
        let mut text = String::new();
        for (place, stamp) in ["f", "s", "t"].into_iter().zip(stamps) {
            if let Some(stamp) = stamp {
                let Self {
                    size_bytes,
                    seconds,
                    nanoseconds,
                } = stamp;
                text.push_str(&format!("{place}{size_bytes}.{seconds}.{nanoseconds:09}"));
            }
        }
        text
    }
}

/// What was gathered of one file.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) metadata: Metadata,
    pub(super) problems: Vec<String>,
    pub(super) stamp: String,
}

/// Reads metadata, a folder's file once for all its files.
#[derive(Debug)]
pub struct MetadataReader {
    root: Root,
    folders: HashMap<String, (Stamp, FolderSpoken)>,
}

impl MetadataReader {
    /// A reader for the library at this root.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self::of(Root::of_library(root))
    }

    /// A reader for the files beneath this root.
    pub(super) fn of(root: Root) -> Self {
        Self {
            root,
            folders: HashMap::new(),
        }
    }

    /// What is said of the file at this path in the library, and what was wrong with it, in plain words.
    pub fn read(&mut self, path: &str) -> (Metadata, Vec<String>) {
        let folder = self.root.open().and_then(|root| root.folder(split(path).0));
        match folder {
            Ok(folder) => {
                let gathered = self.gather(&folder, path);
                (gathered.metadata, gathered.problems)
            }
            Err(_) => (Metadata::default(), Vec::new()),
        }
    }

    /// The same, with the stamp, of a file whose folder is open already.
    pub(super) fn gather(&mut self, folder: &Folder, path: &str) -> Gathered {
        let (folder_path, name) = split(path);
        let mut problems = Vec::new();
        let mut metadata = Metadata::default();

        let folder_stamp = self.refresh(folder, folder_path, &mut problems);
        if let Some((_, spoken)) = self.folders.get(folder_path) {
            problems.extend_from_slice(&spoken.problems);
            metadata = spoken.defaults.clone();
            if let Some((item, item_problems)) = spoken.items.get(name) {
                metadata = metadata.overlaid_with(item.clone());
                problems.extend_from_slice(item_problems);
            }
        }

        match link::in_file_name(name) {
            Ok(link_url) => metadata.link_url = link_url.or(metadata.link_url),
            Err(reason) => problems.push(format!("`{path}`: {reason}")),
        }

        let sidecars = sidecar_names(name).map(|sidecar| {
            let sidecar = sidecar?;
            let stamp = stamp(folder, &sidecar)?;
            let file = joined(folder_path, &sidecar);
            match load(folder, &sidecar, &file) {
                Ok(value) => {
                    let (said, wrong) = spoken::item(&file, "", value);
                    metadata = std::mem::take(&mut metadata).overlaid_with(said);
                    problems.extend(wrong);
                }
                Err(problem) => problems.push(problem),
            }
            Some(stamp)
        });
        let [short, long] = sidecars;
        Gathered {
            metadata,
            problems,
            stamp: Stamp::join([folder_stamp, short, long]),
        }
    }

    /// Takes the folder's file apart anew if it changed.
    fn refresh(
        &mut self,
        folder: &Folder,
        path: &str,
        problems: &mut Vec<String>,
    ) -> Option<Stamp> {
        let Some(stamp) = stamp(folder, FOLDER_FILE) else {
            self.folders.remove(path);
            return None;
        };
        if self
            .folders
            .get(path)
            .is_some_and(|(known, _)| *known == stamp)
        {
            return Some(stamp);
        }
        self.folders.remove(path);
        let file = joined(path, FOLDER_FILE);
        let spoken = match load(folder, FOLDER_FILE, &file) {
            Ok(value) => spoken::folder(&file, value),
            Err(problem) => FolderSpoken {
                problems: vec![problem],
                ..FolderSpoken::default()
            },
        };
        // What was written during the read has another stamp, and is read again then.
        if self::stamp(folder, FOLDER_FILE) != Some(stamp) {
            problems.extend(spoken.problems);
            return Some(stamp);
        }
        if self.folders.len() >= MOST_FOLDERS {
            self.folders.clear();
        }
        self.folders.insert(path.to_owned(), (stamp, spoken));
        Some(stamp)
    }
}

/// The stamp of a metadata file, if there is one. Links are not followed.
fn stamp(folder: &Folder, name: &str) -> Option<Stamp> {
    let stat = folder.stat(name).ok()?;
    (stat.kind == Kind::File).then(|| Stamp::of(&stat))
}

/// Reads a metadata file; an error is what is wrong with it, in plain words.
fn load(folder: &Folder, name: &str, file: &str) -> Result<Value, String> {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        folder
            .open_file(name)?
            .take(MOST_BYTES + 1)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes =
        read().map_err(|cause| format!("`{file}` cannot be read: {cause}; it is left out"))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(format!(
            "`{file}` is larger than {} MB; it is left out",
            MOST_BYTES / 1_000_000
        ));
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    serde_json::from_slice(text).map_err(|cause| {
        format!("`{file}` is no valid JSON: {cause}; it is left out until it is mended")
    })
}

#[cfg(test)]
#[path = "metadata_tests.rs"]
mod tests;
