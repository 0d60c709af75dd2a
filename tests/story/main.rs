//! The appliance seen from outside, in the owner's and the team's words: the real program over a real database, a real folder
//! and real HTTP to a stand-in for Telegram. Only the time of day is pretended.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

#[path = "../pretend/mod.rs"]
mod pretend;

#[path = "../support/address.rs"]
mod address;
mod harness;

mod albums;
mod announcing;
mod chat;
mod clock;
mod desk;
mod digest;
mod edits;
mod forged;
mod journey;
mod library;
mod members;
mod outages;
mod pairing;
mod presses;
mod seen;
mod settings;
mod strangers;
mod teams;
mod trouble;
mod upload;
mod upload_trouble;
mod webhook;
