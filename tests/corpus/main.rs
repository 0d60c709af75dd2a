//! Real photographs, and the flawed files that other projects have gathered over the years: what is made of each is held
//! against a table, whose sizes and colours are those that another program sees (`judge.py`). `packaging/corpus` fetches the
//! files; `cargo test --test corpus -- --nocapture` shows what each gave.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

mod look;
mod table;

use std::fs;
use std::path::Path;

use storyline::library::Inspector;

/// The most memory that the whole run may take, in bytes: the largest picture that is decoded, and some.
const MOST_MEMORY_BYTES: u64 = 700_000_000;

#[test]
fn every_picture_and_clip_is_seen_as_it_is_or_says_why_not() {
    let library = tempfile::tempdir().unwrap();
    let mut inspector = Inspector::new(library.path());
    let mut wrong = Vec::new();
    let mut kinds = std::collections::BTreeMap::new();
    for line in table::lines() {
        let bytes = table::bytes(&line.name);
        let path = library.path().join(&line.name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &bytes).unwrap();
        let seen = look::look(
            &mut inspector,
            library.path(),
            &line.name,
            &look::forms(&line.expected),
        );
        let verdict = look::compared(&line.expected, &seen);
        println!(
            "{:<60} {seen}{}",
            line.name,
            verdict
                .as_ref()
                .map_or_else(|wrong| format!("   WRONG: {wrong}"), Clone::clone)
        );
        if let Err(reason) = verdict {
            wrong.push(format!("{}: {reason}", line.name));
        }
        *kinds.entry(seen.kind()).or_insert(0) += 1;
        assert!(
            fs::read(&path).unwrap() == bytes,
            "{} was touched",
            line.name
        );
        fs::remove_file(path).unwrap();
    }
    let peak = peak_memory_bytes();
    println!("{kinds:?}; at most {} MB of memory", peak / 1_000_000);
    assert!(
        wrong.is_empty(),
        "{} are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(peak < MOST_MEMORY_BYTES, "it took {peak} bytes of memory");
}

/// The most memory that this process ever had, in bytes.
fn peak_memory_bytes() -> u64 {
    let status = fs::read_to_string(Path::new("/proc/self/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim()
        .strip_suffix(" kB")
        .unwrap()
        .parse::<u64>()
        .unwrap()
        * 1024
}
