//! Which names are passed over: what programs leave behind while they write, and what systems keep for themselves. Whatever
//! else lies in the library is looked at, for its content decides what it is.

/// Ends of names that programs give to what they have not finished, or keep as a backup.
const UNFINISHED_ENDS: [&str; 6] = [".part", ".partial", ".filepart", ".tmp", "~", ".crdownload"];
/// Ends that only files have: exiftool's, which are common enough as the end of a folder's name.
const UNFINISHED_FILE_ENDS: [&str; 2] = ["_exiftool_tmp", "_original"];
/// Files that systems and editors leave.
const LEFT_FILES: [&str; 3] = ["4913", "Thumbs.db", "desktop.ini"];
/// Folders that storage boxes and file systems keep for themselves: thumbnails, bins, snapshots.
const KEPT_FOLDERS: [&str; 6] = [
    "@eaDir",
    "lost+found",
    "#recycle",
    "#snapshot",
    "$RECYCLE.BIN",
    "System Volume Information",
];

/// The longest name that is given to a file, in bytes: file systems take 255, and ` (2)` and `.json` are to fit behind it.
const LONGEST: usize = 200;
/// The longest ending that is kept of a name that is too long, with its dot, in bytes.
const LONGEST_ENDING: usize = 10;

/// Whether a file with this name is passed over without a word.
#[must_use]
pub fn is_passed_over(name: &str) -> bool {
    looks_unfinished(name)
        || ends_in(name, &UNFINISHED_FILE_ENDS)
        || is_one_of(name, &LEFT_FILES)
        || is_one_of(name, &KEPT_FOLDERS)
        || is_of_sed(name)
}

/// Whether a folder with this name is passed over, with all that is in it.
#[must_use]
pub fn is_folder_passed_over(name: &str) -> bool {
    looks_unfinished(name) || is_one_of(name, &KEPT_FOLDERS)
}

/// Whether a file with this name speaks of others (`metadata.json`, a sidecar) and is no media itself.
#[must_use]
pub fn is_metadata(name: &str) -> bool {
    ends_in(name, &[".json"])
}

/// The name under which a file may lie in the library, as like to this one as can be; nothing if it would be passed over.
#[must_use]
pub fn safe(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let shown: String = last.chars().filter(|letter| !letter.is_control()).collect();
    let shown = shown.trim_start_matches(['.', ' ']).trim_end();
    let (stem, ending) = match shown.rfind('.') {
        Some(at) if shown.len() - at <= LONGEST_ENDING => shown.split_at(at),
        _ => (shown, ""),
    };
    let stem = &stem[..stem.floor_char_boundary(LONGEST - ending.len())];
    let name = format!("{stem}{ending}");
    (!name.is_empty() && !is_passed_over(&name) && !is_metadata(&name)).then_some(name)
}

fn looks_unfinished(name: &str) -> bool {
    name.starts_with('.') || ends_in(name, &UNFINISHED_ENDS)
}

fn ends_in(name: &str, ends: &[&str]) -> bool {
    let name = name.as_bytes();
    ends.iter().any(|end| {
        name.len() >= end.len()
            && name[name.len() - end.len()..].eq_ignore_ascii_case(end.as_bytes())
    })
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|other| name.eq_ignore_ascii_case(other))
}

/// `sed -i` writes to `sed` and six random letters or digits. Plain words (`sedatives`) are no such name.
fn is_of_sed(name: &str) -> bool {
    name.strip_prefix("sed").is_some_and(|random| {
        random.len() == 6
            && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && !random.bytes().all(|byte| byte.is_ascii_lowercase())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_leave_while_they_write_is_passed_over() {
        for name in [
            ".cat.jpg.aB3xYz",
            "cat.jpg.part",
            "cat.jpg.PARTIAL",
            "cat.jpg.filepart",
            "cat.TMP",
            "cat.jpg~",
            "cat.jpg.crdownload",
            "._cat.jpg",
            ".~tmp~",
            "cat.jpg_exiftool_tmp",
            "cat.jpg_original",
            "sedAb3xYz",
            "4913",
            "thumbs.db",
            "Desktop.ini",
        ] {
            assert!(is_passed_over(name), "{name}");
        }
    }

    #[test]
    fn whatever_else_there_is_is_looked_at() {
        for name in [
            "cat.jpg",
            "cat",
            "sedatives",
            "sedan.jpg",
            "original.jpg",
            "Füße 🐈.png",
            "part",
            "tmp.gif",
            "4913.jpg",
        ] {
            assert!(!is_passed_over(name), "{name}");
        }
    }

    #[test]
    fn folders_of_storage_boxes_are_passed_over_and_a_folder_of_originals_is_not() {
        for name in ["@eaDir", ".stfolder", "lost+found", "#recycle", "x.part"] {
            assert!(is_folder_passed_over(name), "{name}");
        }
        for name in ["memes_original", "4913", "memes", "sedAb3xYz"] {
            assert!(!is_folder_passed_over(name), "{name}");
        }
    }

    #[test]
    fn a_name_from_elsewhere_stays_as_far_as_it_can() {
        for (name, safe_name) in [
            ("Füße 🐈.png", Some("Füße 🐈.png")),
            ("../../etc/tee.jpg", Some("tee.jpg")),
            ("C:\\Users\\Ann\\tee.jpg", Some("tee.jpg")),
            (".hidden.jpg", Some("hidden.jpg")),
            ("te\u{0}e\n.jpg ", Some("tee.jpg")),
            ("tee", Some("tee")),
            ("..", None),
            ("", None),
            ("a/", None),
            ("tee.jpg.part", None),
            ("metadata.json", None),
        ] {
            assert_eq!(safe(name).as_deref(), safe_name, "{name}");
        }
        let long = safe(&format!("{}.jpeg", "ä".repeat(150))).unwrap();
        assert!(long.len() <= LONGEST && long.ends_with("ä.jpeg"), "{long}");
        assert!(safe(&"x.".repeat(300)).is_some_and(|name| name.len() <= LONGEST));
    }

    #[test]
    fn json_speaks_of_others() {
        assert!(is_metadata("metadata.json") && is_metadata("CAT.JSON"));
        assert!(!is_metadata("json") && !is_metadata("cat.jsonl"));
    }
}
