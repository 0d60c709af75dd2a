//! The words and the rules. Everything here is pure: no clock, no input or output, no SQL, no randomness of its own;
//! what a rule needs to know is handed to it. The words are the ones people see (see the map in `lib.rs`).

pub mod alert;
pub mod audit;
pub mod calendar;
pub mod category;
pub mod clip;
pub mod edit;
pub mod entry;
mod fingerprint;
pub mod framing;
pub mod ids;
pub mod link;
pub mod lock;
pub mod lookalike;
pub mod media;
pub mod messages;
pub mod nearest;
pub mod outcome;
pub mod person;
pub mod plan;
pub mod run;
pub mod runway;
pub mod setting;
pub mod story;
pub mod team;
pub mod template;
pub mod written;
