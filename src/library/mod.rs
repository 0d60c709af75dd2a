//! EDGE: the folder. What lies in the library, told as sightings, and pictures made from it.
//!
//! A file's way: [`watch`] says at once that something changed, [`mod@walk`] finds whatever the watcher could not see,
//! [`inspect`] looks at one file ([`whole`]: is its end there; `clip`: what a clip's container tells; [`metadata`]: what people
//! say of it), [`mod@examine`] decodes it to the last pixel, and [`mod@preview`] makes the picture that people see, of a clip
//! its [`poster`]. [`reconcile`] hands what was seen to the flow; the
//! loops [`indexer`] and [`examiner`] keep that going, and the [`mod@studio`] has the picture ready when a story goes out.
//! Originals are only ever opened for reading.

mod beneath;
mod clip;
mod decode;
pub mod examine;
pub mod examiner;
mod foreign;
pub mod indexer;
pub mod inspect;
mod link;
pub mod metadata;
pub mod names;
pub mod poster;
pub mod preview;
pub mod reconcile;
mod spoken;
pub mod studio;
pub mod walk;
pub mod watch;
mod watching;
pub mod whole;

pub use examine::examine;
pub use inspect::{Inspector, NotSeen};
pub use metadata::MetadataReader;
pub use preview::{Preview, preview};
pub use reconcile::{Library, Scanned};
pub use studio::studio;
pub use walk::{Found, RootProblem, Walk, root_identity, walk};
pub use watch::{Change, WatchProblem, Watcher};
pub use whole::{Wholeness, wholeness};
