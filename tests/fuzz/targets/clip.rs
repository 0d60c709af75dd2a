//! Any bytes as a clip: its container is read to its end, without a panic and within bounds.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use storyline::domain::media::Examination;
use storyline::library::examine::examine_clip;

fuzz_target!(|bytes: &[u8]| {
    let examined = examine_clip(Cursor::new(bytes)).expect("memory is always read");
    if let Examination::Sound {
        width_px,
        height_px,
        ..
    } = examined
    {
        assert!(width_px > 0 && height_px > 0);
    }
});
