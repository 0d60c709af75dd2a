//! Tests of the stand-ins themselves.

#[path = "mod.rs"]
mod pretend;
