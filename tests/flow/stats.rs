//! What a month of history tells.

use storyline::flow::act::Verb;

use crate::harness::*;

#[test]
fn a_month_is_told_in_numbers_without_what_was_taken_back() {
    let (mut the_box, story) = first_story();
    the_box.press(&story, Verb::Posted);
    the_box.press(&story, Verb::Undo);
    the_box.press_by_ben(&story, Verb::Posted);
    the_box.live_until(at("2027-03-01T13:01:00Z"));
    let second = the_box.arrived()[1].clone();
    the_box.press(&second, Verb::Skip);
    let stats = the_box
        .run(the_box.flow().stats(Some(ANNA), the_box.now))
        .unwrap();
    assert_eq!((stats.team.posted, stats.team.skipped), (1, 1));
    let mine = stats.mine.unwrap();
    assert_eq!(
        (mine.posted, mine.skipped, mine.median_seconds),
        (0, 1, None)
    );
    // From nine to ten past, less what the delivery took.
    let median_seconds = stats.team.median_seconds.unwrap();
    assert!((590..=600).contains(&median_seconds), "{median_seconds}");
    assert_eq!(stats.busiest_hours, [(9, 1)]);
    the_box.now += days(31);
    let later = the_box
        .run(the_box.flow().stats(None, the_box.now))
        .unwrap();
    assert_eq!(later, Default::default());
}
