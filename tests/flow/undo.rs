//! An outcome is taken back, and all is as it was.

use jiff::SignedDuration;
use storyline::domain::outcome::Outcome;
use storyline::flow::act::{Pressed, Verb};

use crate::harness::*;

#[test]
fn an_outcome_is_taken_back_within_its_minute_and_all_is_as_it_was() {
    for (verb, outcome) in [
        (Verb::Posted, Outcome::Posted),
        (Verb::Skip, Outcome::Skipped),
        (Verb::ReallyReject, Outcome::Rejected),
    ] {
        let (mut the_box, story) = first_story();
        let counters = "SELECT COUNT(*) * 100 + SUM(posted_count) * 10 + SUM(skipped_count) FROM media WHERE last_posted_at IS NULL";
        let before = (
            the_box.count(counters),
            the_box.count("SELECT COUNT(*) FROM locks"),
        );
        assert_eq!(the_box.press(&story, verb), ended(outcome));
        the_box.look();
        assert!(the_box.may_undo(&story));
        the_box.now += SignedDuration::from_secs(59);
        assert_eq!(
            the_box.press(&story, Verb::Undo),
            Pressed::TakenBack(outcome)
        );
        the_box.look();
        assert_eq!(the_box.awaiting(&story).undone_by.as_deref(), Some("Anna"));
        assert_eq!(
            (
                the_box.count(counters),
                the_box.count("SELECT COUNT(*) FROM locks")
            ),
            before
        );
        assert_eq!(the_box.press(&story, Verb::Undo), Pressed::TooLate);
        let kept = the_box.history();
        assert_eq!((kept.len(), kept[0].withdrawn.is_some()), (1, true));
        the_box.audit();
        assert_eq!(the_box.press(&story, Verb::Skip), ended(Outcome::Skipped));
        the_box.live_for(hours(30));
        assert!(!the_box.may_undo(&story));
        the_box.audit();
        the_box.audit_slots();
    }
}

#[test]
fn after_its_minute_an_outcome_stands_and_the_button_goes() {
    let (mut the_box, story) = first_story();
    the_box.press(&story, Verb::Posted);
    the_box.look();
    assert!(the_box.may_undo(&story));
    the_box.live_for(minutes(2));
    assert!(!the_box.may_undo(&story), "it is offered no more");
    assert_eq!(the_box.press(&story, Verb::Undo), Pressed::TooLate);
    assert_eq!(the_box.history()[0].withdrawn, None);
}

#[test]
fn its_minute_is_over_although_the_message_offers_it_still() {
    let (mut the_box, story) = first_story();
    the_box.press(&story, Verb::Posted);
    the_box.look();
    the_box.now += SignedDuration::from_secs(61);
    assert_eq!(the_box.press(&story, Verb::Undo), Pressed::TooLate);
    assert_eq!(the_box.history()[0].withdrawn, None);
}

#[test]
fn a_clock_that_was_set_back_takes_nothing_back() {
    let (mut the_box, story) = first_story();
    the_box.press(&story, Verb::Posted);
    the_box.set_clock(the_box.now - days(20));
    assert_eq!(the_box.press(&story, Verb::Undo), Pressed::TooLate);
    // It is offered for a minute of the steady clock, in case the other is right again at once.
    the_box.look();
    the_box.live_for(jiff::SignedDuration::from_secs(61));
    assert!(!the_box.may_undo(&story));
}

#[test]
fn only_who_did_it_or_an_admin_takes_it_back() {
    let (mut the_box, story) = first_story();
    the_box.press(&story, Verb::Posted);
    let only = Pressed::OnlyTheirs("Anna".to_owned());
    assert_eq!(the_box.press_by_ben(&story, Verb::Undo), only);
    the_box.press(&story, Verb::Undo);
    the_box.press_by_ben(&story, Verb::Skip);
    let taken_back = Pressed::TakenBack(Outcome::Skipped);
    assert_eq!(
        the_box.press(&story, Verb::Undo),
        taken_back,
        "Anna is an admin"
    );
    the_box.audit();
}

#[test]
fn a_picture_that_is_free_at_once_can_be_taken_back_although_it_is_planned_again() {
    let mut settings = three_a_day();
    settings.skip_ttl_days = 0;
    let mut the_box = TheBox::with(settings).with_pictures(1);
    the_box.team = Team::Looks;
    the_box.live_until(at("2027-03-01T09:10:00Z"));
    let story = the_box.arrived()[0].clone();
    the_box.press(&story, Verb::Skip);
    the_box.now += minutes(1);
    the_box.run(the_box.flow().plan(the_box.now)).unwrap();
    assert_eq!(the_box.queue().len(), 1, "it is planned again");
    assert_eq!(
        the_box.press(&story, Verb::Undo),
        Pressed::TakenBack(Outcome::Skipped)
    );
    assert_eq!(the_box.queue().len(), 1);
    the_box.audit();
}

#[test]
fn a_story_that_was_put_off_and_taken_back_waits_anew() {
    let mut settings = three_a_day();
    settings.expire_hours = 1;
    let mut the_box = TheBox::with(settings).with_pictures(20);
    the_box.team = Team::Looks;
    the_box.tick = minutes(1);
    the_box.live_until(at("2027-03-01T09:10:00Z"));
    let story = the_box.arrived()[0].clone();
    the_box.press(&story, Verb::Later);
    the_box.live_until(at("2027-03-01T11:00:00Z"));
    the_box.press(&story, Verb::Posted);
    assert_eq!(
        the_box.press(&story, Verb::Undo),
        Pressed::TakenBack(Outcome::Posted)
    );
    the_box.live_until(at("2027-03-01T11:55:00Z"));
    assert!(
        the_box
            .queue()
            .iter()
            .any(|open| open.number == story.card.number)
    );
    the_box.audit();
}
