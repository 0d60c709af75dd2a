//! A start is told of only if it tells something, and once.

use crate::harness::*;

/// What the owner was told of this, newest last.
fn told_of(the_box: &TheBox, words: &str) -> Vec<String> {
    let mut told = the_box.told();
    told.retain(|text| text.contains(words));
    told
}

#[test]
fn an_absence_is_told_with_what_was_missed_and_only_once() {
    let (mut the_box, _) = first_story();
    the_box.tick = minutes(10);
    the_box.live_until(at("2027-03-01T12:00:00Z"));
    the_box.stop_for(minutes(9));
    the_box.live_for(minutes(1));
    assert_eq!(
        the_box.told(),
        Vec::<String>::new(),
        "a restart says nothing"
    );

    the_box.stop_for(hours(6));
    the_box.look();
    assert_eq!(
        the_box.told(),
        [
            "🔵 I was away from Mon 1 Mar, 12:10 to Mon 1 Mar, 18:10: 2 slots were missed, 1 story waits for a press."
        ]
    );
    assert_eq!(the_box.alert("away"), None, "news does not stand");
    the_box.live_for(minutes(5));
    the_box.restart();
    the_box.live_for(days(2));
    assert_eq!(told_of(&the_box, "away").len(), 1);
}

#[test]
fn an_absence_in_which_nothing_was_due_is_told_too() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(60);
    the_box.live_until(at("2027-03-01T10:00:00Z"));
    the_box.stop_for(minutes(45));
    the_box.look();
    assert_eq!(
        the_box.told(),
        [
            "🔵 I was away from Mon 1 Mar, 10:00 to Mon 1 Mar, 10:45: no slot was missed, no story waits for a press."
        ]
    );
}

#[test]
fn after_a_power_cut_only_what_was_missed_proves_an_absence() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(60);
    the_box.live_until(at("2027-03-01T10:00:00Z"));
    the_box.be_off_for(hours(2));
    the_box.live_for(minutes(5));
    assert_eq!(the_box.told(), Vec::<String>::new());
    the_box.be_off_for(hours(6));
    the_box.look();
    let told = the_box.told();
    assert!(
        told.len() == 1 && told[0].contains("until Mon 1 Mar, 18:05, after an end without warning"),
        "{told:?}"
    );
    assert!(told[0].contains("2 slots were missed"), "{told:?}");
}

#[test]
fn a_pause_misses_nothing_that_an_absence_could_be_blamed_for() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(60);
    the_box.live_until(at("2027-03-01T10:00:00Z"));
    the_box.pause();
    the_box.stop_for(hours(9));
    the_box.look();
    assert!(the_box.told()[0].contains("no slot was missed"));
}

#[test]
fn a_board_without_a_clock_tells_of_its_absence_when_it_knows_the_time() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(60);
    the_box.live_until(at("2027-03-01T10:00:00Z"));
    the_box.synchronised = false;
    the_box.stop_for(minutes(1));
    the_box.tick = minutes(1);
    the_box.live_for(minutes(2));
    assert_eq!(the_box.told(), Vec::<String>::new());
    the_box.set_clock(at("2027-03-01T16:00:00Z"));
    the_box.synchronised = true;
    the_box.look();
    assert!(
        the_box.told()[0].contains("from Mon 1 Mar, 10:00 to Mon 1 Mar, 15:58: 1 slot was missed"),
        "{:?}",
        the_box.told()
    );
}

#[test]
fn a_clock_that_nobody_vouches_for_is_believed_after_a_while() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(60);
    the_box.live_until(at("2027-03-01T10:00:00Z"));
    the_box.synchronised = false;
    the_box.stop_for(hours(1));
    the_box.tick = minutes(1);
    the_box.live_for(minutes(9));
    assert_eq!(the_box.told(), Vec::<String>::new());
    the_box.live_for(minutes(2));
    assert!(the_box.told()[0].contains("from Mon 1 Mar, 10:00 to Mon 1 Mar, 11:00"));
}

#[test]
fn another_version_is_told_once() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(60);
    the_box.stop_for(minutes(1));
    the_box.look();
    assert_eq!(the_box.told(), Vec::<String>::new());
    was_another_version(&the_box);
    the_box.stop_for(minutes(1));
    the_box.live_for(days(2));
    the_box.restart();
    the_box.look();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        told_of(&the_box, "runs now"),
        [format!("🔵 Storyline {version} runs now (before: 0.0.9).")]
    );
}

/// As if another version had run before.
fn was_another_version(the_box: &TheBox) {
    let connection = rusqlite::Connection::open(the_box.database()).unwrap();
    let changed = connection.execute(
        "UPDATE state SET value = '0.0.9' WHERE name = 'version'",
        [],
    );
    assert_eq!(changed.unwrap(), 1);
}

/// A hanging service is killed by its watchdog, which takes its time.
#[test]
fn a_new_version_that_does_not_work_names_the_way_back_until_it_has_run_steadily() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(9);
    the_box.tick = minutes(1);
    the_box.live_for(hours(1));
    was_another_version(&the_box);
    the_box.copy = Some("2027-03-01T090000Z_upgrade".to_owned());
    the_box.stop_for(minutes(1));
    for _ in 0..2 {
        assert_eq!(the_box.alert("crashes"), None);
        the_box.live_for(minutes(8));
        the_box.be_off_for(minutes(1));
        the_box.look();
    }
    let told = the_box.alert("crashes").unwrap();
    for part in [
        "since the upgrade from 0.0.9",
        "storyline backup restore 2027-03-01T090000Z_upgrade --force",
        "apt install --allow-downgrades storyline=0.0.9",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    the_box.live_for(minutes(62));
    assert_eq!(the_box.alert("crashes"), None);
    for _ in 0..3 {
        the_box.be_off_for(minutes(1));
        the_box.look();
    }
    assert!(!the_box.alert("crashes").unwrap().contains("0.0.9"));
}

#[test]
fn a_program_that_ends_again_and_again_is_told_of_once_and_when_it_runs_steadily() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(9);
    the_box.tick = minutes(1);
    the_box.live_for(hours(1));
    for _ in 0..2 {
        the_box.be_off_for(minutes(1));
        the_box.look();
    }
    assert_eq!(the_box.alert("crashes"), None);
    for _ in 0..6 {
        the_box.be_off_for(minutes(1));
        the_box.look();
    }
    let told = told_of(&the_box, "started 3 times within 10 minutes");
    assert!(told.len() == 1 && told[0].starts_with("🔴 "), "{told:?}");
    the_box.live_for(minutes(59));
    assert!(the_box.alert("crashes").is_some());
    the_box.live_for(minutes(2));
    assert_eq!(the_box.alert("crashes"), None);
    assert!(
        the_box
            .told()
            .last()
            .unwrap()
            .starts_with("✅ Over: Storyline was started")
    );
}

#[test]
fn starts_after_ends_in_good_order_or_far_apart_are_no_crashes() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(9);
    for _ in 0..4 {
        the_box.stop_for(minutes(1));
    }
    for _ in 0..4 {
        the_box.be_off_for(minutes(6));
    }
    assert_eq!(the_box.alert("crashes"), None);
}
