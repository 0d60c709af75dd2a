//! EDGE: the folder. What lies in the library, told as sightings, and pictures made from it.
//!
//! A file's way: [`watch`] says at once that something changed, [`mod@walk`] finds whatever the watcher could not see,
//! [`inspect`] looks at one file ([`whole`]: is its end there; `clip`: what a clip's container tells; [`writers`]: is anybody
//! still at work on it; [`metadata`]: what people say of it), [`mod@examine`] decodes it to the last pixel, and
//! [`mod@render`] makes the pictures that people see, of a clip its [`poster`], which the [`cache`] keeps. [`reconcile`]
//! hands what was seen to the flow; the loops [`indexer`] and [`examiner`] keep that going, and the [`mod@studio`] has the
//! picture ready when a story goes out. What people bring comes in by
//! [`import`], from a stick, and [`mod@intake`], from the chat. Originals are only ever opened for reading.

mod animation;
mod bitmap;
pub mod cache;
mod clean;
mod clip;
mod compare;
mod copy;
mod crowd;
mod decode;
mod draft;
pub mod examine;
pub mod examiner;
mod foreign;
pub mod heic;
mod heic_size;
pub mod import;
pub mod indexer;
pub mod inspect;
pub mod intake;
mod jpeg;
mod link;
mod lookalike;
pub mod metadata;
pub mod names;
pub mod original;
pub mod poster;
pub mod reconcile;
pub mod render;
mod root;
mod spoken;
pub mod studio;
pub mod walk;
pub mod watch;
mod watching;
mod webp;
pub mod whole;
pub mod writers;

pub use cache::Cache;
pub use examine::examine;
pub use inspect::{Inspector, NotSeen};
pub use intake::intake;
pub use metadata::MetadataReader;
pub use original::Original;
pub use reconcile::{Library, Scanned};
pub use render::{Form, Rendered, render};
pub use root::{NoRoot, Root};
pub use studio::{archive, rendered, studio};
pub use walk::{Found, RootProblem, Walk, root_identity, walk};
pub use watch::{Change, WatchProblem, Watcher, deaf};
pub use whole::{Wholeness, wholeness};
pub use writers::Writers;
