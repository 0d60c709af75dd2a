//! Takes in what lies elsewhere, on a stick that somebody plugged in. It is copied and never moved, only what the team does not
//! have, and each file with what is said of it. The stick may be pulled out at any time: what was copied by then is whole, and
//! the rest comes the next time.

use std::collections::HashSet;

use serde::Serialize;

use super::copy::{copy, put};
use super::draft::{NotCopied, clear};
use super::inspect::{Inspector, NotSeen};
use super::reconcile::Library;
use super::root::Root;
use super::walk::{root_identity, walk_beneath};
use crate::domain::media::{Content, Finding, Metadata};
use crate::flow::Error;
use crate::system::background::background;
use crate::system::beneath::{Folder, Stat};

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
pub async fn import(library: &Library, from: &Root) -> Result<Imported, Error> {
    let mut done = Imported::default();
    if let Some(reason) = library.is_away().await? {
        done.broken_off = Some(reason);
        return Ok(done);
    }
    let root = library.root().to_owned();
    let (source, target) = (from.clone(), root.clone());
    let walked = background(move || {
        let target = Folder::root(&target).map_err(NotCopied::Target)?;
        clear(&target)?;
        let source = source.open().map_err(NotCopied::Source)?;
        walk_beneath(&source).map_err(NotCopied::Source)
    });
    let walked = match walked.await? {
        Ok(walked) => walked,
        Err(problem) => {
            done.broken_off = Some(problem.to_string());
            return Ok(done);
        }
    };
    let mut problems = walked.problems;
    problems.sort();
    for (path, reason) in problems {
        done.left_out.push(LeftOut { path, reason });
    }
    let mut paths: Vec<String> = walked.files.into_iter().map(|file| file.path).collect();
    paths.sort();
    let disk = root_identity(&root).ok();
    let mut inspector = Inspector::of(from.clone());
    let mut taken = HashSet::new();
    for path in paths {
        let seen = path.clone();
        let found;
        (found, inspector) = background(move || (look(&mut inspector, &seen), inspector)).await?;
        if from.open().is_err() {
            break;
        }
        if root_identity(&root).ok() != disk {
            done.broken_off = Some("the library's disk went away".to_owned());
            break;
        }
        let content = match found {
            Ok(content) => content,
            Err(reason) => {
                done.left_out.push(LeftOut { path, reason });
                continue;
            }
        };
        let fingerprint = content.fingerprint;
        if taken.contains(&fingerprint) || library.flow().has_content(fingerprint).await? {
            done.known += 1;
            continue;
        }
        let (source, target, seen) = (from.clone(), root.clone(), path.clone());
        let copying = background(move || {
            let target = Folder::root(&target).map_err(NotCopied::Target)?;
            take(&source, &target, &seen, &content)
        });
        match copying.await? {
            Ok(copied) => {
                taken.insert(fingerprint);
                // The service may not run; then nobody else would know of it before the next stick.
                library.look(vec![copied.clone()]).await?;
                done.copied.push(copied);
            }
            Err(_) if from.open().is_err() => break,
            Err(problem) if problem.is_of_the_disk() => {
                done.broken_off = Some(problem.told(&root));
                break;
            }
            Err(problem) => {
                let reason = problem.told(&root);
                done.left_out.push(LeftOut { path, reason });
            }
        }
    }
    if done.broken_off.is_none() && from.open().is_err() {
        done.broken_off = Some("it was pulled out; plug it in again for the rest".to_owned());
    }
    background(move || Folder::root(&root).map(|root| clear(&root)).ok()).await?;
    Ok(done)
}

/// What a file is that may become a story; or why it may not.
pub(super) fn look(inspector: &mut Inspector, path: &str) -> Result<Box<Content>, String> {
    match inspector.inspect(path).map(|seen| seen.finding) {
        Ok(Finding::Whole(content)) => Ok(content),
        Ok(Finding::Waiting { reason } | Finding::Unusable { reason }) => Err(reason),
        Err(NotSeen::Vanished) => Err("it is not there any more".to_owned()),
        Err(NotSeen::Later(cause)) => Err(format!("it cannot be read: {cause}")),
    }
}

/// Copies one file, and what is said of it. What the file of its folder says comes along in a sidecar: in the library's folder
/// it would speak of pictures that are there already.
fn take(
    source: &Root,
    library: &Folder,
    path: &str,
    content: &Content,
) -> Result<String, NotCopied> {
    let open = || {
        let file = source.open()?.open_file(path)?;
        Stat::of(&file).map(|stat| (file, stat.size_bytes))
    };
    let (file, length) = open().map_err(NotCopied::Source)?;
    let accompany = accompany(library, &content.metadata);
    copy(file, length, content.fingerprint, library, path, accompany)
}

/// Puts what is said of a file beside the path that it is to have.
pub(super) fn accompany(
    library: &Folder,
    metadata: &Metadata,
) -> impl FnMut(&str) -> Result<(), NotCopied> {
    let said = said(metadata);
    move |path| match &said {
        None => Ok(()),
        Some(said) => put(said, library, &format!("{path}.json")),
    }
}

/// All that is said of a file, as its sidecar says it; nothing if that is nothing.
fn said(metadata: &Metadata) -> Option<Vec<u8>> {
    let Ok(serde_json::Value::Object(mut said)) = serde_json::to_value(metadata) else {
        return None;
    };
    said.retain(|_, value| match value {
        serde_json::Value::Null => false,
        serde_json::Value::Array(values) => !values.is_empty(),
        serde_json::Value::Object(values) => !values.is_empty(),
        _ => true,
    });
    if said.is_empty() {
        return None;
    }
    serde_json::to_vec_pretty(&said).ok()
}
