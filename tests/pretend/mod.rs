//! Stand-ins for the outside world: real HTTP servers on 127.0.0.1 that behave, and misbehave, as the real ones do.
//!
//! They are test and demo code. They share nothing with the product, so that a misunderstanding in one cannot hide in
//! the other.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a stand-in plays another computer: it has its own clock and tasks, and no one test uses all of it"
)]

pub mod telegram;
