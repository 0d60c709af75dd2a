//! EDGE: the people. The team's chat, where stories are shown and decided, and the owner's, where alerts are told.
//!
//! [`desk`] puts stories there and keeps them true · [`receive`] has what people do, by a [`poll`] or a [`webhook`] ·
//! [`hear`] acts on it, one update at a time · [`commands`] answers what they ask · [`message`] is what they see ·
//! [`picture`] is how a picture goes over the wire · [`buttons`] is what they press · [`steward`] changes settings, which
//! [`panel`] shows · [`pairing`] minds in which chats the bot is · [`trouble`] is what goes wrong · [`pace`] is how fast Telegram
//! lets us · [`members`] is who belongs.

pub mod buttons;
pub mod client;
pub mod commands;
pub mod desk;
pub mod hear;
pub mod members;
pub mod message;
pub mod pace;
pub mod pairing;
pub mod panel;
mod picture;
pub mod poll;
pub mod receive;
pub mod steward;
pub mod trouble;
pub mod webhook;
