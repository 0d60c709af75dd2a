//! Storyline turns a folder of pictures into a team's approved Instagram Stories.

pub mod appliance;
pub mod cli;
pub mod config;
pub mod domain;
pub mod flow;
pub mod library;
pub mod store;
pub mod system;
pub mod telegram;
