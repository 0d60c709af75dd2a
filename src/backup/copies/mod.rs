//! Copies that leave the box: a backup is [`seal`]ed by `age` for a key that is not here, and put into a [`folder`] on a stick or
//! a share, or into a [`bucket`]. Each place fails on its own; what does not get there now is sent again later.

pub mod age;
pub mod bucket;
pub mod folder;
mod seal;

use crate::system::background::CutOff;

pub use seal::{Opened, SealError, Sealed};

/// What the name of every copy ends with.
const ENDING: &str = ".tar.gz.age";

/// Why a copy did not get to its place; in plain words, with what to do.
#[derive(Debug, thiserror::Error)]
pub enum Unsent {
    /// The place is not there just now, as a stick that is in a drawer.
    #[error("{0}")]
    Away(String),
    /// It will not get there, or may be there all the same: nothing to be tried again.
    #[error("{0}")]
    Settled(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

impl From<CutOff> for Unsent {
    fn from(cut_off: CutOff) -> Self {
        Self::Failed(cut_off.to_string())
    }
}

/// `4.7 MB`.
fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests;
