//! EDGE: the people. The team's chat, where stories are shown and decided, and the owner's, where alerts are told.
//!
//! [`desk`] puts stories there and keeps them true · [`receive`] has what people do, by a [`poll`] or a [`webhook`] · [`hear`]
//! acts on it, one update at a time · [`commands`] answers what they ask · [`message`] is what they see · [`buttons`] is what they press · [`trouble`] is what goes wrong ·
//! [`pace`] is how fast Telegram lets us · [`members`] is who belongs.

pub mod buttons;
pub mod client;
pub mod commands;
pub mod desk;
pub mod hear;
pub mod members;
pub mod message;
pub mod pace;
pub mod poll;
pub mod receive;
pub mod trouble;
pub mod webhook;

use jiff::tz::TimeZone;

/// Where a team's chat is, and what its clock on the wall shows.
#[derive(Clone, Debug)]
pub struct Place {
    /// The chat with the stories.
    pub chat: i64,
    /// The topic of a forum in which they go.
    pub thread: Option<i32>,
    /// The owner's chat, if there is one; if it is a private one, that person is the owner.
    pub admin_chat: Option<i64>,
    /// The chat that is told of alerts: the owner's, else the team's.
    pub alert_chat: i64,
    /// The zone in which times are shown.
    pub timezone: TimeZone,
}
