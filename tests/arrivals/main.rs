//! Arrivals, with the real tools: the real program watches a real folder, and `cp`, `rsync`, `sftp` and their like bring
//! pictures into it, at once or slowly, whole or killed half-way. Every whole file is found, by the watcher and not by the
//! hourly scan, and no half file is ever taken for a picture.
//!
//! Linux tells of changes as it likes, and so do the tools: nothing of it is pretended here.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

#[path = "../support/address.rs"]
mod address;
#[path = "../support/namespaces.rs"]
mod namespaces;
mod pictures;
mod records;
mod rooms;
mod site;
mod tools;

mod absence;
mod changing;
mod copying;
mod halves;
mod many;
