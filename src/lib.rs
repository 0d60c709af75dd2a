//! Storyline turns a folder of pictures into a team's approved Instagram Stories.
//!
//! # The journey of a picture
//!
//! Somebody drops a file into the *library*. [`library`] sees it the instant it is whole, and hands the *flow* what it saw;
//! `flow::index` remembers it as a *media*. `flow::schedule` chooses a media for each *slot* of the days ahead and makes it a
//! *story*. When its time has come, `flow::dispatch` puts it into the team's chat by way of an *outlet*, the desk of
//! [`telegram`]. A person posts it to Instagram and presses **Posted**; `flow::act` ends the story, and it is *history*.
//!
//! ```text
//!  library ──▶ flow::index ─▶ flow::schedule ─▶ flow::dispatch ─▶ flow::act ──▶ history
//!              file→media     media→story       story→outlet      press→outcome
//!                   └──────────────────── store (rows) ────────────────────┘
//! ```
//!
//! Every stage reads rows and writes rows, and the rows are the truth. A nudge from one stage to the next only saves waiting;
//! the slow tick makes up for each one that is lost. So any stage may crash at any moment, and the next start resumes.
//!
//! # The rooms, in the order of the flow
//!
//! * [`domain`]: the words and the rules. Pure: it is told the time, and asks nobody for anything.
//! * [`store`]: the memory. SQLite, or PostgreSQL; one SQL text for both; one closure is one transaction.
//! * [`backup`]: the memory's copies, the way back to one of them, and those that leave the box.
//! * [`flow`]: the verbs. A tap in Telegram and a command in the terminal call the same function.
//! * [`library`]: EDGE, the folder. Watch, walk, inspect, examine, render.
//! * [`telegram`]: EDGE, the people. The desk, the receiver, what people see and press.
//! * [`cli`]: EDGE, the terminal. One file a noun.
//! * [`config`]: what the owner decided for the box, and first for its own team.
//! * [`doctor`]: how all of it is, why, and what to do about it.
//! * [`system`]: the body. Clock, supervisor, systemd, log, HTTP.
//! * [`appliance`]: builds all of it from the config, and runs it until told to stop.
//!
//! Who may name whom is held by `tests/architecture.rs`: edges never name each other nor the store, and nothing in the middle
//! names an edge.

pub mod appliance;
pub mod backup;
pub mod cli;
pub mod config;
pub mod doctor;
pub mod domain;
pub mod flow;
pub mod library;
pub mod store;
pub mod system;
pub mod telegram;
