//! What counts as a finding where the program guards itself against the panics of others.

/// A decoder's panic is caught by the program and counts only if it gets out; a panic of our own counts wherever it is.
pub fn only_our_own_panics_count() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let is_of_a_crate = panic
            .location()
            .is_some_and(|place| place.file().contains("/registry/"));
        if !is_of_a_crate {
            report(panic);
        }
    }));
}
