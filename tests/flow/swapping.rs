//! A story is given another picture, and nobody ends what they did not see.

use storyline::domain::outcome::Outcome;
use storyline::flow::act::{Press, Pressed, Saw, Verb};
use storyline::flow::outlet::NoPicture;

use crate::desk::Network;
use crate::harness::*;

#[test]
fn another_picture_takes_the_place_and_a_late_tap_means_nothing() {
    let (mut the_box, story) = first_story();
    let before = the_box.shown(&story).media.path;
    let late = the_box.a_press(story.card.story, story.message, Verb::Posted);
    assert_eq!(the_box.press(&story, Verb::Swap), Pressed::Swapped);
    the_box.look();
    let shown = the_box.shown(&story);
    assert_ne!(shown.media.path, before);
    assert_eq!((shown.number, shown.swaps), (story.card.number, 1));
    assert_eq!(
        the_box.desk.records().replaced.len(),
        1,
        "the chat shows another picture"
    );
    let told = the_box
        .run(the_box.flow().press(late, the_box.now))
        .unwrap();
    assert_eq!(told, Pressed::SwappedBefore);
    assert!(the_box.history().is_empty());

    assert_eq!(the_box.press(&story, Verb::Posted), ended(Outcome::Posted));
    assert_eq!(the_box.history()[0].snapshot.path, shown.media.path);
    assert_eq!(
        the_box.press(&story, Verb::Undo),
        Pressed::TakenBack(Outcome::Posted)
    );
    the_box.look();
    assert_eq!(the_box.shown(&story).swaps, 1, "it is still the other one");
    assert_eq!(the_box.desk.records().replaced.len(), 1);
    // What was swapped out is left alone for a day, and comes back.
    let locks = the_box.run(the_box.flow().locks(the_box.now)).unwrap();
    assert_eq!((locks.len(), &locks[0].path), (1, &before));
    the_box.live_for(days(25));
    assert!(
        the_box
            .arrived()
            .iter()
            .any(|arrived| arrived.card.media.path == before)
    );
    the_box.audit();
    the_box.audit_slots();
}

#[test]
fn a_reply_from_before_a_swap_means_nothing_and_one_after_it_counts() {
    let (mut the_box, story) = first_story();
    let reply = |the_box: &mut TheBox, at| Press {
        saw: Saw::At(at),
        ..the_box.a_press(story.card.story, story.message, Verb::Posted)
    };
    let before = the_box.now;
    the_box.now += minutes(1);
    the_box.press(&story, Verb::Swap);
    let now = the_box.now;
    for (said_at, has_followed, answer) in [
        (now, false, Pressed::SwappedBefore),
        (before, true, Pressed::SwappedBefore),
        (now, true, ended(Outcome::Posted)),
    ] {
        if has_followed {
            the_box.look();
        }
        let press = reply(&mut the_box, said_at);
        let pressed = the_box
            .run(the_box.flow().press(press, the_box.now))
            .unwrap();
        assert_eq!(pressed, answer);
    }
}

#[test]
fn two_who_swap_at_once_swap_once() {
    let (mut the_box, story) = first_story();
    let presses = [(); 2].map(|()| the_box.a_press(story.card.story, story.message, Verb::Swap));
    let answers = presses.map(|press| {
        the_box
            .run(the_box.flow().press(press, the_box.now))
            .unwrap()
    });
    assert_eq!(answers, [Pressed::Swapped, Pressed::SwappedBefore]);
}

#[test]
fn where_all_is_planned_the_next_story_gives_up_its_picture() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(2);
    the_box.team = Team::Looks;
    the_box.live_until(at("2027-03-01T09:10:00Z"));
    let story = the_box.arrived()[0].clone();
    assert_eq!(
        the_box.queue().len(),
        2,
        "the other one is planned for one o'clock"
    );
    assert_eq!(the_box.press(&story, Verb::Swap), Pressed::Swapped);
    the_box.look();
    assert_ne!(the_box.shown(&story).media.path, story.card.media.path);
    let next = &the_box.queue()[1];
    assert!(
        next.due_at >= the_box.now + days(1),
        "nothing is left for one o'clock"
    );
    the_box.live_for(days(2));
    the_box.audit();
    the_box.audit_slots();
}

#[test]
fn where_nothing_else_fits_the_story_stays_as_it_is() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(1);
    the_box.team = Team::Looks;
    the_box.live_until(at("2027-03-01T09:10:00Z"));
    let story = the_box.arrived()[0].clone();
    assert_eq!(the_box.press(&story, Verb::Swap), Pressed::NothingElse);
    assert_eq!(the_box.press(&story, Verb::Posted), ended(Outcome::Posted));
}

#[test]
fn a_swapped_picture_is_shown_when_its_disk_is_back() {
    let (mut the_box, story) = first_story();
    the_box.press(&story, Verb::Swap);
    the_box.network(Network::IsAway);
    the_box.look();
    assert_eq!(the_box.shown(&story).swaps, 0);
    the_box.network(Network::Works);
    the_box.live_for(minutes(60));
    assert_eq!(the_box.shown(&story).swaps, 1);
    assert_eq!(the_box.desk.records().replaced.len(), 1);
}

#[test]
fn a_reply_to_a_reminder_from_before_a_swap_counts_for_what_is_shown() {
    let (mut the_box, story) = first_story();
    the_box.live_until(at("2027-03-01T09:40:00Z"));
    let reminder = *the_box.desk.records().reminders.iter().next().unwrap();
    the_box.press(&story, Verb::Swap);
    the_box.look();
    let press = Press {
        saw: Saw::At(the_box.now),
        ..the_box.a_press(story.card.story, reminder, Verb::Posted)
    };
    let pressed = the_box
        .run(the_box.flow().press(press, the_box.now))
        .unwrap();
    assert_eq!(pressed, ended(Outcome::Posted));
    assert_eq!(
        the_box.history()[0].snapshot.path,
        the_box.shown(&story).media.path
    );
}

#[test]
fn a_picture_that_cannot_be_shown_leaves_buttons_that_work() {
    let (mut the_box, story) = first_story();
    the_box.press(&story, Verb::Swap);
    the_box.makes_no_pictures(NoPicture::Missing);
    the_box.look();
    assert_eq!(the_box.shown(&story).swaps, 1);
    assert!(the_box.desk.records().replaced.is_empty());
    the_box.makes_pictures();
    assert_eq!(the_box.press(&story, Verb::Swap), Pressed::Swapped);
    the_box.look();
    assert_eq!(the_box.desk.records().replaced.len(), 1);
}

#[test]
fn a_slot_that_is_due_gives_up_nothing() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(2);
    the_box.team = Team::Looks;
    the_box.live_until(at("2027-03-01T09:10:00Z"));
    let story = the_box.arrived()[0].clone();
    // Its time has come, and the disk is away: it waits.
    the_box.makes_no_pictures(NoPicture::Away("no disk".to_owned()));
    the_box.live_until(at("2027-03-01T13:10:00Z"));
    assert_eq!(the_box.arrived().len(), 1);
    assert_eq!(the_box.press(&story, Verb::Swap), Pressed::NothingElse);
    the_box.makes_pictures();
    the_box.look();
    assert_eq!(the_box.arrived().len(), 2);
    the_box.audit_slots();
}
