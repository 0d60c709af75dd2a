//! Takes in what lies elsewhere, on a stick that somebody plugged in. It is copied and never moved, only what the team does not
//! have, and each file with what is said of it. The stick may be pulled out at any time: what was copied by then is whole, and
//! the rest comes the next time.

use std::collections::HashSet;
use std::path::Path;

use serde::Serialize;

use super::background::background;
use super::beneath::{Folder, split};
use super::copy::{NotCopied, copy, put};
use super::inspect::{Inspector, NotSeen};
use super::metadata::{FOLDER_FILE, sidecar_names};
use super::reconcile::Library;
use super::walk::{root_identity, walk};
use crate::domain::media::{Finding, Fingerprint};
use crate::flow::Error;

/// What came of it.
#[derive(Debug, Default, Serialize)]
pub struct Imported {
    /// Where the new files lie in the library now.
    pub copied: Vec<String>,
    /// How many files hold what the library has already.
    pub known: u64,
    /// What was left on the stick, and why.
    pub left_out: Vec<LeftOut>,
    /// Why it was broken off, if it was.
    pub broken_off: Option<String>,
}

/// A file that was not copied.
#[derive(Debug, Serialize)]
pub struct LeftOut {
    /// Where it lies on the stick.
    pub path: String,
    /// Why, in plain words.
    pub reason: String,
}

/// Copies into the library what is new in this folder, each to the same place in it, and indexes it.
///
/// # Errors
/// If the store cannot be read or written.
pub async fn import(library: &Library, from: &Path) -> Result<Imported, Error> {
    let mut done = Imported::default();
    let source = from.to_owned();
    let walked = match background(move || walk(&source)).await? {
        Ok(walked) => walked,
        Err(problem) => {
            done.broken_off = Some(problem.to_string());
            return Ok(done);
        }
    };
    for (path, reason) in walked.problems {
        done.left_out.push(LeftOut { path, reason });
    }
    let mut paths: Vec<String> = walked.files.into_iter().map(|file| file.path).collect();
    paths.sort();
    let mut taken = HashSet::new();
    for path in paths {
        let (source, seen) = (from.to_owned(), path.clone());
        let found = background(move || look(&source, &seen)).await?;
        let copied = match found {
            Ok(fingerprint) if !taken.insert(fingerprint) => Ok(None),
            Ok(fingerprint) if library.flow().has_content(fingerprint).await? => Ok(None),
            Ok(fingerprint) => {
                let (source, root, seen) =
                    (from.to_owned(), library.root().to_owned(), path.clone());
                background(move || take(&source, &root, &seen, fingerprint).map(Some)).await?
            }
            Err(_) if root_identity(from).is_err() => break,
            Err(reason) => {
                done.left_out.push(LeftOut { path, reason });
                continue;
            }
        };
        match copied {
            Ok(Some(copied)) => {
                // The service may not run; then nobody else would know of it before the next stick.
                library.look(vec![copied.clone()]).await?;
                done.copied.push(copied);
            }
            Ok(None) => done.known += 1,
            Err(NotCopied::Target(error)) => {
                done.broken_off = Some(NotCopied::Target(error).to_string());
                break;
            }
            Err(_) if root_identity(from).is_err() => break,
            Err(problem) => {
                let reason = problem.to_string();
                done.left_out.push(LeftOut { path, reason });
            }
        }
    }
    if done.broken_off.is_none() && root_identity(from).is_err() {
        done.broken_off = Some("it was pulled out; plug it in again for the rest".to_owned());
    }
    Ok(done)
}

/// The fingerprint of a file that may become a story; or why it may not.
fn look(source: &Path, path: &str) -> Result<Fingerprint, String> {
    match Inspector::new(source)
        .inspect(path)
        .map(|seen| seen.finding)
    {
        Ok(Finding::Whole(content)) => Ok(content.fingerprint),
        Ok(Finding::Waiting { reason } | Finding::Unusable { reason }) => Err(reason),
        Err(NotSeen::Vanished) => Err("it is not there any more".to_owned()),
        Err(NotSeen::Later(cause)) => Err(format!("it cannot be read: {cause}")),
    }
}

/// Copies one file, and what is said of it. Its folder's file comes along where the library has none.
fn take(
    source: &Path,
    library: &Path,
    path: &str,
    fingerprint: Fingerprint,
) -> Result<String, NotCopied> {
    let (folder, name) = split(path);
    let place = || Folder::root(source).and_then(|root| root.folder(folder));
    let file = place()
        .and_then(|place| place.open(name))
        .map_err(NotCopied::Source)?;
    copy(file, fingerprint, library, path, |target| {
        let (to_folder, to_name) = split(target);
        let to_folder = library.join(to_folder);
        let sidecars = sidecar_names(name).into_iter().zip(sidecar_names(to_name));
        let pairs = sidecars.filter_map(|(from, to)| from.zip(to));
        let folders = (FOLDER_FILE.to_owned(), FOLDER_FILE.to_owned());
        for (from, to) in pairs.chain([folders]) {
            let spoken = place().and_then(|place| place.open(&from));
            let Ok(spoken) = spoken.and_then(|mut file| {
                let mut bytes = Vec::new();
                std::io::Read::read_to_end(&mut file, &mut bytes).map(|_| bytes)
            }) else {
                continue; // most files have none
            };
            put(&spoken, &to_folder.join(to)).map_err(NotCopied::Target)?;
        }
        Ok(())
    })
}
