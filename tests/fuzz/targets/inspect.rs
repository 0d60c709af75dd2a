//! Any bytes as a file of the library: the look at it ends, tells something, and tells what the bytes alone tell.

#![no_main]

use std::fs;
use std::sync::{LazyLock, Mutex};

use libfuzzer_sys::fuzz_target;
use storyline::domain::media::Finding;
use storyline::library::{Inspector, Wholeness, wholeness};

#[path = "../guard.rs"]
mod guard;

/// A folder in memory, and its inspector.
static LIBRARY: LazyLock<(std::path::PathBuf, Mutex<Inspector>)> = LazyLock::new(|| {
    let folder =
        std::path::PathBuf::from(format!("/dev/shm/storyline-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder in memory");
    let inspector = Mutex::new(Inspector::new(&folder));
    (folder, inspector)
});

fuzz_target!(init: guard::only_our_own_panics_count(), |bytes: &[u8]| {
    let (folder, inspector) = &*LIBRARY;
    fs::write(folder.join("picture"), bytes).expect("a file in memory");
    let sighting = inspector.lock().expect("one thread").inspect("picture").expect("it is there");
    match (sighting.finding, wholeness(bytes)) {
        (Finding::Whole(content), Wholeness::Whole(format)) => {
            assert_eq!(content.format, format);
            assert!(content.width_px > 0 && content.height_px > 0);
            assert_eq!(content.clip.is_some(), format.is_clip());
        }
        (Finding::Unusable { .. }, Wholeness::Whole(_) | Wholeness::Foreign { .. }) => {}
        (Finding::Waiting { .. }, Wholeness::Unfinished { .. }) => {}
        (finding, wholeness) => panic!("{finding:?}, but {wholeness:?}"),
    }
});
