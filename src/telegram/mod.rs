//! EDGE: the people. The team's chat, where stories are shown and decided, and the owner's, where alerts are told.
//!
//! [`desk`] puts stories there and keeps them true · [`receive`] has what people do, by a [`poll`] or a [`webhook`] ·
//! [`hear`] finds out whose it is (in private, `whose`), one update at a time, and the [`clerk`] of that team's desk acts on it · [`heard`] is what
//! they write, `tapped` what they press, [`commands`] answers what they ask, of which the [`menu`] shows what they may, with an [`album`] if they like ·
//! [`message`] is what they see, [`picture`] how a picture goes over the wire, `bulletin` what they are told unasked, `alarm` what the owner is,
//! an [`enclosure`] a file for the owner ·
//! [`buttons`] is what they press · [`steward`] changes settings, which [`panel`] shows · [`uploads`] takes what people send
//! for the library, which the [`courier`] fetches and the [`receipt`] tells of · [`pairing`] minds in which chats the bot is,
//! [`rights`] what it may do there · [`voice`] says it all, and [`pace`] is how fast Telegram lets it · [`trouble`] is what
//! goes wrong · [`members`] is who belongs, `belonging` finds out, the [`strangers`] are all others, and `lanes` has them wait for the team · the
//! [`scout`] finds the team's chat before any of it is at work.

mod alarm;
pub mod album;
mod answer;
pub mod attachments;
mod belonging;
mod bulletin;
pub mod buttons;
pub mod clerk;
pub mod client;
pub mod commands;
pub mod courier;
pub mod desk;
pub mod enclosure;
pub mod hear;
pub mod heard;
mod lanes;
pub mod members;
pub mod menu;
pub mod message;
pub mod pace;
pub mod pairing;
pub mod panel;
mod picture;
pub mod poll;
pub mod receipt;
pub mod receive;
pub mod rights;
pub mod scout;
mod server_files;
pub mod steward;
pub mod strangers;
mod tapped;
pub mod trouble;
mod turns;
pub mod uploads;
pub mod voice;
pub mod webhook;
mod whose;
