//! A path and its parts, as bytes.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;

/// The parts of a path that stays where it is.
pub(super) fn parts(path: &OsStr) -> io::Result<impl Iterator<Item = &OsStr>> {
    let bytes = path.as_bytes();
    let parts = || bytes.split(|byte| *byte == b'/');
    if bytes.starts_with(b"/") || parts().any(|part| matches!(part, b"." | b"..")) {
        return Err(ErrorKind::NotFound.into());
    }
    Ok(parts()
        .filter(|part| !part.is_empty())
        .map(OsStr::from_bytes))
}

/// Splits a path into its folder, if it has one, and its name.
pub(super) fn split_os(path: &OsStr) -> (Option<&OsStr>, &OsStr) {
    let bytes = path.as_bytes();
    match bytes.iter().rposition(|byte| *byte == b'/') {
        None => (None, path),
        // Not a path from here; the part before must be refused.
        Some(0) => (Some(OsStr::new("/")), OsStr::from_bytes(&bytes[1..])),
        Some(at) => (
            Some(OsStr::from_bytes(&bytes[..at])),
            OsStr::from_bytes(&bytes[at + 1..]),
        ),
    }
}

/// Splits a path into its folder (empty for the root) and its name.
pub(crate) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}
