use super::*;
use crate::domain::setting::Setting;
use crate::domain::team::TeamSettings;

#[test]
fn what_a_team_may_change_has_the_bounds_and_the_default_that_the_file_has() {
    let defaults = TeamSettings::default();
    for setting in Setting::ALL {
        let key = find(&setting.key()).unwrap();
        assert_eq!(key.default, setting.shown(&defaults), "{setting}");
        if let Some(bounds) = setting.bounds() {
            assert_eq!(key.kind, Kind::Whole(bounds), "{setting}");
        }
    }
    let of_team = KEYS.iter().filter(|key| key.section == "team");
    for key in of_team {
        assert!(
            Setting::ALL
                .iter()
                .any(|setting| setting.key() == key.path()),
            "{}",
            key.path()
        );
    }
}

#[test]
fn every_key_is_in_a_section_documented_and_named_once() {
    let mut names: Vec<_> = KEYS.iter().map(Key::environment_name).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), KEYS.len());
    for key in KEYS {
        assert!(SECTIONS.iter().any(|section| section.name == key.section));
        assert!(key.doc.ends_with('.'), "{}", key.path());
        assert_eq!(find(&key.path()).map(Key::path), Some(key.path()));
    }
    assert!(find("team.posts").is_none());
    assert!(find("posts_per_day").is_none());
}
