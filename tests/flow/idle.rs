//! A box with nothing to do leaves its card alone.

use storyline::domain::team::TeamSettings;

use crate::harness::*;

#[test]
fn an_idle_day_writes_nothing() {
    let mut the_box = TheBox::with(settings(1, "09:00", "10:00", "UTC")).with_pictures(60);
    the_box.live_until(at("2027-03-02T09:01:00Z"));
    // There is nothing in `merch`, of which the owner is told at once and again a day later.
    the_box.mix(&[("memes", 60), ("merch", 40)]);
    the_box.live_until(at("2027-03-02T09:10:00Z"));
    let watcher = rusqlite::Connection::open(the_box.database()).unwrap();
    let version = || -> i64 {
        watcher
            .query_row("PRAGMA data_version", [], |row| row.get(0))
            .unwrap()
    };
    let before = version();
    the_box.tick = minutes(5);
    the_box.live_until(at("2027-03-03T08:59:00Z"));
    assert_eq!(version(), before);
    the_box.live_until(at("2027-03-03T09:01:00Z"));
    assert_ne!(version(), before);
}

#[test]
fn an_old_library_with_one_new_picture_is_drawn_anew_once() {
    let mut the_box = TheBox::with(TeamSettings {
        repost_ttl_days: 2,
        ..three_a_day()
    })
    .with_pictures(30);
    the_box.live_for(days(20));
    the_box.mix(&[("memes", 50), ("merch", 50)]);
    the_box.look();
    // The turn is of `merch` half the time, and what is new there is soon used up.
    the_box.add_pictures("merch", 2, &[]);
    let drawn = the_box.run(the_box.flow().plan(the_box.now)).unwrap();
    assert!(drawn.withdrawn > 0);
    for _ in 0..12 {
        the_box.run(the_box.flow().plan(the_box.now)).unwrap();
    }
    let drawn = the_box.run(the_box.flow().plan(the_box.now)).unwrap();
    assert_eq!((drawn.planned, drawn.withdrawn), (0, 0));
}
