//! A file that is changed stays its owner's.

use super::*;
use crate::config::keys::KEYS;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

fn draft(text: &str) -> Draft {
    Draft {
        path: PathBuf::from("/none/s.toml"),
        text: text.to_owned(),
        before: None,
    }
}

/// The file after these settings.
#[track_caller]
fn with(text: &str, settings: &[(&str, &str)]) -> String {
    let mut draft = draft(text);
    for (path, value) in settings {
        draft
            .put(path, value)
            .unwrap_or_else(|c| panic!("{c:?}\n{}", draft.text));
    }
    draft.text
}

#[test]
fn a_setting_takes_the_place_of_its_example_and_of_what_was_set() {
    let shipped = example();
    let once = with(
        &shipped,
        &[
            ("telegram.chat", "-1001"),
            ("team.timezone", "Europe/Berlin"),
            ("team.posts_per_day", "5"),
        ],
    );
    let changed: Vec<(&str, &str)> = shipped
        .lines()
        .zip(once.lines())
        .filter(|(before, after)| before != after)
        .collect();
    assert_eq!(
        changed,
        [
            ("# chat = -1001234567890", "chat = -1001"),
            ("# timezone = \"UTC\"", "timezone = \"Europe/Berlin\""),
            ("# posts_per_day = 3", "posts_per_day = 5"),
        ]
    );
    let twice = with(
        &once,
        &[("team.posts_per_day", "4"), ("telegram.chat", "-2")],
    );
    assert_eq!(twice.matches("posts_per_day = ").count(), 1);
    assert!(twice.contains("\nposts_per_day = 4\n") && twice.contains("\nchat = -2\n"));
    // Taken out, the example is there again.
    let back = with(
        &twice,
        &[
            ("telegram.chat", ""),
            ("team.timezone", ""),
            ("team.posts_per_day", ""),
        ],
    );
    assert_eq!(back, shipped);
}

#[test]
fn every_word_of_the_owners_stays() {
    for (text, settings, expected) in [
        (
            "# ours\n[team]\nname = \"Us\" # we\n\nposts_per_day   =  0x05 # five\n[log]\n",
            &[("team.posts_per_day", "7"), ("team.name", "Wir \"zwei\"")][..],
            "# ours\n[team]\nname = \"Wir \\\"zwei\\\"\" # we\n\nposts_per_day   =  7 # five\n[log]\n",
        ),
        (
            "[team]\nname = \"Us\"\n[log]\nlevel = \"info\"\n",
            &[("team.posts_per_day", "7")],
            "[team]\nposts_per_day = 7\nname = \"Us\"\n[log]\nlevel = \"info\"\n",
        ),
        (
            "[team]",
            &[("team.posts_per_day", "7")],
            "[team]\nposts_per_day = 7\n",
        ),
        (
            "team.name = \"Us\"\n[log]\n",
            &[("team.posts_per_day", "7")],
            "team.posts_per_day = 7\nteam.name = \"Us\"\n[log]\n",
        ),
        ("", &[("telegram.chat", "-1")], "\n[telegram]\nchat = -1\n"),
        (
            "[log]\nlevel = \"info\"",
            &[("team.name", "Us")],
            "[log]\nlevel = \"info\"\n\n[team]\nname = \"Us\"\n",
        ),
        (
            "[ team ] # ours\n  # posts_per_day = 3\n[messages]\ncaption = '''\n[[team]]\n# posts_per_day = 1\n{status} {number}'''\n",
            &[("team.posts_per_day", "7")],
            "[ team ] # ours\nposts_per_day = 7\n  # posts_per_day = 3\n[messages]\ncaption = '''\n[[team]]\n# posts_per_day = 1\n{status} {number}'''\n",
        ),
        (
            "[telegram]\r\n# chat = -1\r\nthread = 3\r\n",
            &[("telegram.chat", "-5"), ("telegram.thread", "")],
            "[telegram]\r\nchat = -5\n# thread = 12\n",
        ),
    ] {
        assert_eq!(with(text, settings), expected, "{text}");
    }
}

#[test]
fn what_would_be_wrong_is_refused_and_changes_nothing() {
    let text = "[team]\nposts_per_day = 3\n";
    for (path, value, says) in [
        ("team.posts_per_day", "99", "it must be 1 to 50"),
        ("team.posts_per_day", "many", "must be a whole number"),
        ("team.timezone", "Europe/Berln", "no such time zone"),
        ("telegram.chat", "@us", "not by its name"),
        ("library.path", "pictures", "must be absolute"),
        ("library.path", "/var/cache", "the library /var/cache holds"),
        (
            "library.path",
            "/var/lib/storyline/x",
            "where the service keeps its records",
        ),
        ("team.posts", "3", "there is no setting"),
        ("team.name", "a\u{7}b", "cannot be written below `[team]`"),
    ] {
        let mut draft = draft(text);
        let complaint = draft.put(path, value).unwrap_err();
        assert!(
            complaint.reason.contains(says),
            "{path} = {value}: {complaint:?}"
        );
        assert_eq!(draft.text, text);
    }
    let inline = draft("team = { name = \"Us\" }\n").put("team.posts_per_day", "5");
    assert!(inline.is_err());
}

#[test]
fn every_setting_can_be_written_and_taken_out() {
    let shipped = example();
    for key in KEYS {
        let needs_another = [
            "token_file",
            "ca_file",
            "webhook_url",
            "key",
            "encrypt_for",
            "copy_to",
            "s3_url",
        ];
        if needs_another.contains(&key.name) || key.section == "messages" {
            continue;
        }
        let unless_shown = if key.section == "alerts" {
            "https://example.org/topic"
        } else {
            "x"
        };
        let value = Some(key.shown()).filter(|it| !it.is_empty());
        let value = value.unwrap_or(unless_shown);
        let once = with(&shipped, &[(&key.path(), value)]);
        assert_eq!(
            once.lines().count(),
            shipped.lines().count(),
            "{}",
            key.path()
        );
        assert_eq!(with(&once, &[(&key.path(), "")]), shipped, "{}", key.path());
    }
}

#[test]
fn a_kept_file_has_the_rights_it_had_and_a_link_leads_where_it_led() {
    let folder = tempfile::tempdir().unwrap();
    let (path, link) = (
        folder.path().join("s.toml"),
        folder.path().join("link.toml"),
    );
    let mut draft = Draft::open(&path).unwrap();
    assert!(draft.is_new());
    draft.put("telegram.chat", "-1").unwrap();
    assert!(!path.exists());
    assert!(draft.keep().unwrap());
    let rights = || std::fs::metadata(&path).unwrap().mode() & 0o777;
    assert_eq!(rights(), 0o640);

    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let mut draft = Draft::open(&link).unwrap();
    assert!(!draft.is_new() && !draft.keep().unwrap());
    draft.put("telegram.chat", "-2").unwrap();
    draft.keep().unwrap();
    assert!(link.is_symlink());
    assert_eq!(rights(), 0o600);
    assert!(
        std::fs::read_to_string(&path)
            .unwrap()
            .contains("\nchat = -2\n")
    );
}
