//! Any bytes as a picture that is decoded to its last pixel, and becomes a thumbnail.

#![no_main]

use libfuzzer_sys::fuzz_target;
use storyline::domain::media::{Examination, Format};
use storyline::library::{Original, Wholeness, examine, wholeness};

#[path = "../guard.rs"]
mod guard;

fuzz_target!(init: guard::only_our_own_panics_count(), |bytes: &[u8]| {
    if wholeness(bytes) == Wholeness::Whole(Format::Heic) {
        return; // another program decodes it
    }
    let (examination, thumbnail) = examine(&Original::from(bytes.to_vec()));
    match examination {
        Examination::Sound { width_px, height_px, .. } => {
            assert!(width_px > 0 && height_px > 0);
            assert!(thumbnail.is_some_and(|made| made.width_px.max(made.height_px) <= 320));
        }
        Examination::Flawed { reason } => assert!(!reason.is_empty()),
    }
});
