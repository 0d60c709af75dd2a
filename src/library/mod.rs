//! The folder's edge: what lies in the library, told as sightings, and pictures made from it. It knows no database; the flow
//! feeds the store from these functions.
//!
//! A file's way: [`watch`] says at once that something changed, [`mod@walk`] finds whatever the watcher could not see,
//! [`inspect`] looks at one file ([`whole`]: is its end there; [`metadata`]: what people say of it), [`mod@examine`] decodes it
//! to the last pixel, and [`mod@preview`] makes the picture that people see. Originals are only ever opened for reading.

mod beneath;
mod decode;
pub mod examine;
mod foreign;
pub mod inspect;
mod link;
pub mod metadata;
pub mod names;
pub mod preview;
mod spoken;
pub mod walk;
pub mod watch;
mod watching;
pub mod whole;

pub use examine::examine;
pub use inspect::{Inspector, NotSeen};
pub use metadata::MetadataReader;
pub use preview::{Preview, preview};
pub use walk::{Found, RootProblem, Walk, root_identity, walk};
pub use watch::{Change, WatchProblem, Watcher};
pub use whole::{Wholeness, wholeness};
