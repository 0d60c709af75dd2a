//! Transcripts: what is typed in the terminal, and what is seen. The real binary, a scratch configuration, a small library.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it is"
)]

#[path = "../pretend/mod.rs"]
mod pretend;

#[path = "../support/address.rs"]
mod address;
#[path = "../support/namespaces.rs"]
mod namespaces;

mod alerts;
mod backups;
mod bench;
mod checking;
mod copies;
mod deciding;
mod editing;
mod log;
mod looking;
mod manners;
mod online;
mod people;
mod places;
mod root;
mod secrets;
mod serving;
mod setup;
mod sticks;
mod storage;
mod support;
mod team;
