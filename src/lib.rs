//! Storyline turns a folder of pictures into a team's approved Instagram Stories.

pub mod config;
pub mod domain;
pub mod system;
