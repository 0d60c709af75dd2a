//! The `storyline` command.
fn main() {}
