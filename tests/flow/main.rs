//! Weeks of a box's life in seconds: the verbs of the flow against a real database, with a steered clock, a pretend team
//! and an outlet that fails as networks do. What must hold is asked of the records after every life.

#![expect(clippy::unwrap_used, reason = "in a test a surprise is a failure")]

mod audit;
mod desk;
mod harness;
#[cfg(feature = "postgres")]
#[path = "../support/postgres.rs"]
mod postgres_server;

mod albums;
mod announcing;
mod claims;
mod clock_lives;
mod clocks;
mod digest;
mod edits;
mod faults;
mod handins;
mod idle;
mod library;
mod life;
mod lives;
mod model;
mod notices;
mod originals;
mod outages;
mod plan;
mod presses;
mod reminding;
mod settings;
mod stats;
mod swapping;
mod time;
mod trail;
mod undo;
mod waiting;
mod weekly;
