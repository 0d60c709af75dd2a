//! Transcripts: what is typed in the terminal, and what is seen. The real binary, a scratch configuration, a small library.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it is"
)]

#[path = "../pretend/mod.rs"]
mod pretend;

mod backups;
mod bench;

mod checking;
mod deciding;
mod editing;
mod log;
mod looking;
mod manners;
mod online;
mod people;
mod secrets;
mod serving;
mod setup;
mod support;
mod team;
