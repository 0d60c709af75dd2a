//! Who may import whom, held by reading the source: the map in `src/lib.rs` stays true.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Every room and the rooms it may name.
fn may_import() -> BTreeMap<&'static str, Vec<&'static str>> {
    let edge = vec!["flow", "domain", "config", "system"];
    BTreeMap::from([
        ("domain", vec![]),
        ("system", vec![]),
        ("config", vec!["domain", "system"]),
        ("store", vec!["domain", "system"]),
        ("backup", vec!["store", "system"]),
        ("flow", vec!["domain", "store", "system"]),
        ("library", edge.clone()),
        ("telegram", edge.clone()),
        // It may look at everything, and changes nothing.
        (
            "doctor",
            vec![
                "store", "backup", "flow", "domain", "config", "system", "library",
            ],
        ),
        (
            "appliance",
            vec![
                "doctor", "store", "backup", "flow", "domain", "config", "system", "library",
                "telegram",
            ],
        ),
        // The terminal may look into an edge for the commands that are about it.
        (
            "cli",
            vec![
                "appliance",
                "backup",
                "doctor",
                "flow",
                "domain",
                "config",
                "system",
                "library",
                "telegram",
            ],
        ),
    ])
}

/// The source files at or below a path, with their text; what is built there is none of ours.
fn gather(path: &Path, files: &mut Vec<(String, String)>) {
    if path.ends_with("target") {
        return;
    }
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            gather(&entry.unwrap().path(), files);
        }
    } else if path.extension().is_some_and(|ending| ending == "rs") {
        files.push((
            path.display().to_string(),
            fs::read_to_string(path).unwrap(),
        ));
    }
}

/// The source files of a room, with their text.
fn files_of(room: &str) -> Vec<(String, String)> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    gather(&source.join(room), &mut files);
    let single = source.join(format!("{room}.rs"));
    if single.exists() {
        gather(&single, &mut files);
    }
    assert!(!files.is_empty(), "there is no room `{room}`");
    files
}

/// The rooms that a text names by `crate::ROOM`, or in `use crate::{ROOM, …}`.
fn imports(text: &str) -> Vec<String> {
    let first_word = |text: &str| -> String {
        let is_word = |letter: &char| letter.is_alphanumeric() || *letter == '_';
        text.trim_start().chars().take_while(is_word).collect()
    };
    let mut found = Vec::new();
    for (at, name) in text.match_indices("crate::") {
        let is_longer_word =
            text[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_');
        let rest = &text[at + name.len()..];
        if is_longer_word {
            continue;
        }
        match rest.strip_prefix('{') {
            Some(list) => {
                let list = list.split('}').next().unwrap_or(list);
                found.extend(list.split(',').map(first_word));
            }
            None => found.push(first_word(rest)),
        }
    }
    found
}

#[test]
fn every_room_imports_only_what_the_map_allows() {
    let allowed = may_import();
    let mut wrong = Vec::new();
    for (room, may) in &allowed {
        for (file, text) in files_of(room) {
            for import in imports(&text) {
                let is_room = allowed.contains_key(import.as_str());
                if is_room && import != *room && !may.contains(&import.as_str()) {
                    wrong.push(format!("{file} names crate::{import}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What only one place may do, and why.
const BANS: [(&str, &[&str], &str); 5] = [
    (
        "Timestamp::now(",
        &["system/clock.rs"],
        "only the clock asks for the time; everybody else is told",
    ),
    (
        "Zoned::now(",
        &["system/clock.rs"],
        "only the clock asks for the time; everybody else is told",
    ),
    (
        "SystemTime::now(",
        &["system/clock.rs"],
        "only the clock asks for the time; everybody else is told",
    ),
    (
        "tokio::spawn(",
        &[
            "system/supervisor.rs",
            "system/signals.rs",
            "system/aside.rs",
        ],
        "loops belong to the supervisor, talk goes aside",
    ),
    (
        "thread::sleep(",
        &[],
        "it holds up a thread; wait for a fact",
    ),
];

#[test]
fn the_time_and_new_tasks_have_one_door_each() {
    let mut wrong = Vec::new();
    for (file, text) in may_import().into_keys().flat_map(files_of) {
        // Unit tests stand at the end of a file, or in a file of their own.
        let is_test = file.contains("tests");
        let program = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (call, doors, reason) in BANS {
            if !is_test && program.contains(call) && !doors.iter().any(|door| file.ends_with(door))
            {
                wrong.push(format!("{file} calls {call}…): {reason}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What an HTTP client is needed for may be named anywhere; who sends by one does it in one place, within limits.
#[test]
fn every_call_to_the_world_outside_goes_by_one_door() {
    const DOOR: &str = "system/http_client.rs";
    const HARMLESS: [&str; 2] = ["Url", "multipart"];
    let first_word = |text: &str| -> String {
        let is_word = |letter: &char| letter.is_alphanumeric() || *letter == '_';
        text.chars().take_while(is_word).collect()
    };
    let mut wrong = Vec::new();
    for (file, text) in may_import().into_keys().flat_map(files_of) {
        if file.ends_with(DOOR) {
            continue;
        }
        let program = text.split("#[cfg(test)]").next().unwrap_or_default();
        let named = program.split("reqwest::").skip(1).map(first_word);
        wrong.extend(
            named
                .filter(|name| !HARMLESS.contains(&name.as_str()))
                .map(|name| format!("{file} names reqwest::{name}; only {DOOR} sends")),
        );
        let is_test = file.contains("tests");
        for call in [".send()", ".send_ref()", ".download_file(", ".unbounded("] {
            let is_client = call == ".unbounded(" && file.ends_with("telegram/client.rs");
            if !is_test && !is_client && program.contains(call) {
                wrong.push(format!("{file} calls {call}; only {DOOR} sends"));
            }
        }
        // What the library would upload by itself is lost on its way through the door.
        for file_of in ["InputFile::file(", "InputFile::memory(", "InputFile::read("] {
            if program.contains(file_of) {
                wrong.push(format!(
                    "{file} has {file_of}…); telegram/attachments.rs attaches files"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Rooms that work in folders that others may write: whoever opens a path there follows whatever link somebody put in it.
const AMONG_STRANGERS: [&str; 2] = ["library", "telegram"];

/// What follows links, or may.
const FOLLOWS_LINKS: [&str; 22] = [
    "CWD",
    "fs::read(",
    "fs::read_to_string(",
    "fs::read_dir(",
    "fs::read_link(",
    "fs::metadata(",
    "fs::symlink_metadata(",
    "fs::canonicalize(",
    "fs::write(",
    "fs::copy(",
    "fs::rename(",
    "fs::hard_link(",
    "fs::remove_",
    "fs::create_dir",
    "fs::set_permissions(",
    "fs::chown(",
    "File::open(",
    "File::create",
    "OpenOptions",
    "WalkDir",
    ".exists()",
    ".is_file()",
];

/// Where that is done all the same, and why it may be.
const MAY_FOLLOW: [(&str, &[&str], &str); 2] = [
    (
        "library/heic.rs",
        &["fs::metadata(", "fs::write(", "File::open(", ".is_file()"],
        "a converter that its owner installed works in a folder that is nobody else's, and lasts no longer than it",
    ),
    (
        "library/cache.rs",
        &["fs::create_dir"],
        "where the cache begins is the owner's word",
    ),
];

#[test]
fn among_strangers_every_path_goes_by_the_one_door() {
    let mut wrong = Vec::new();
    let mut used = Vec::new();
    for (file, text) in AMONG_STRANGERS.into_iter().flat_map(files_of) {
        let program = text.split("#[cfg(test)]").next().unwrap_or_default();
        if file.contains("tests") {
            continue;
        }
        for call in FOLLOWS_LINKS.iter().filter(|call| program.contains(**call)) {
            let may = MAY_FOLLOW
                .iter()
                .find(|(door, calls, _)| file.ends_with(door) && calls.contains(call));
            match may {
                Some((door, ..)) => used.push((*door, *call)),
                None => wrong.push(format!("{file} calls {call}…: use system::beneath")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // An exception that nobody needs any more goes.
    for (door, calls, reason) in MAY_FOLLOW {
        for call in calls {
            assert!(used.contains(&(door, *call)), "{door} {call}: {reason}");
        }
    }
}

#[test]
fn every_room_is_on_the_map() {
    let map = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let rooms: Vec<&str> = map
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    let known: Vec<&str> = may_import().into_keys().collect();
    for room in &rooms {
        assert!(known.contains(room), "`{room}` has no line in this table");
        assert!(
            map.contains(&format!("[`{room}`]")),
            "`{room}` is not in the map's prose"
        );
    }
    assert_eq!(rooms.len(), known.len());
}

#[test]
fn imports_are_found_however_they_are_written() {
    assert_eq!(imports("use crate::flow::Error;"), ["flow"]);
    assert_eq!(
        imports("use crate::{config, flow::Error};"),
        ["config", "flow"]
    );
    assert_eq!(imports("fn f(id: crate::store::Store) {}"), ["store"]);
    assert_eq!(imports("other_crate::flow::Error"), Vec::<String>::new());
}

#[test]
fn no_file_has_outgrown_its_one_idea() {
    let mut files: Vec<(String, String)> = may_import().into_keys().flat_map(files_of).collect();
    for folder in ["tests", "benches"] {
        gather(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join(folder),
            &mut files,
        );
    }
    let long: Vec<String> = files
        .into_iter()
        .filter(|(_, text)| text.lines().count() > 450)
        .map(|(file, text)| format!("{file} has {} lines", text.lines().count()))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

/// What the records' rooms ask of files by a path, and why no held folder does it.
const BY_PATH: [(&str, &[&str], &str); 7] = [
    (
        "store/place.rs",
        &["fs::", "File::options("],
        "SQLite takes a path; the lock is opened as it is, and looked at when it is open; root is nobody special there",
    ),
    (
        "store/watched.rs",
        &["fs::"],
        "whether the path still leads to what was opened is the question itself",
    ),
    (
        "backup/mod.rs",
        &["fs::", "tempfile::"],
        "the owner's own paths, of which root makes nothing as root; a scratch folder is a new one of a random name",
    ),
    (
        "backup/archive.rs",
        &["File::open(", "File::options("],
        "in a scratch folder that nobody else looks into",
    ),
    (
        "copies/seal.rs",
        &["File::options("],
        "in a scratch folder that nobody else looks into",
    ),
    (
        "copies/folder.rs",
        &["fs::", "File::open("],
        "on which disk two of the owner's paths are; and an open file, by the number of its handle",
    ),
    (
        "copies/bucket.rs",
        &["fs::", "File::open("],
        "an open file, by the number of its handle",
    ),
];

/// Others may write in the folders of the records: what lies there is reached beneath a folder that is held.
#[test]
fn the_records_rooms_reach_files_beneath_a_folder_that_is_held() {
    let calls = [
        "fs::",
        "File::open(",
        "File::options(",
        "OpenOptions",
        "tempfile::",
        ".exists()",
        ".read_dir(",
        ".canonicalize(",
    ];
    let mut used = Vec::new();
    let mut wrong = Vec::new();
    for (file, text) in ["store", "backup"].into_iter().flat_map(files_of) {
        if file.contains("tests") {
            continue;
        }
        let program = text.split("#[cfg(test)]").next().unwrap_or_default();
        // Words, and calls by a handle.
        let program = program
            .replace("os::unix::fs::", "")
            .replace("rustix::fs::", "");
        let lines = program.lines().map(str::trim_start);
        let code: Vec<&str> = lines
            .filter(|line| !line.starts_with("//") && !line.starts_with("use "))
            .collect();
        let code = code.join("\n");
        for call in calls.into_iter().filter(|call| code.contains(call)) {
            let may = BY_PATH
                .iter()
                .any(|(place, may, _)| file.ends_with(place) && may.contains(&call));
            match may {
                true => used.push((file.clone(), call)),
                false => wrong.push(format!(
                    "{file} calls {call}…: hold the folder (`system::beneath`), or say here why not"
                )),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (place, may, why) in BY_PATH {
        for call in may {
            let is_used = used
                .iter()
                .any(|(file, used)| file.ends_with(place) && used == call);
            assert!(is_used, "{place} calls {call} no more: {why}");
        }
    }
}

/// A secret that the service may be given is the owner's no more after a purge.
#[test]
fn a_purge_removes_every_secret_that_the_unit_names() {
    let file =
        |path: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let purge = file("debian/postrm").replace("\\\n", " ");
    let list = purge
        .lines()
        .find(|line| line.contains("for secret in"))
        .unwrap();
    let removed: Vec<&str> = list.split([' ', ';']).collect();
    let unit = file("systemd/storyline.service");
    let named: Vec<&str> = unit
        .lines()
        .filter_map(|line| line.strip_prefix("LoadCredential=")?.split(':').next())
        .collect();
    assert!(named.len() > 4, "{named:?}");
    for secret in named {
        assert!(
            removed.contains(&secret),
            "{secret} is left behind by a purge"
        );
    }
}
