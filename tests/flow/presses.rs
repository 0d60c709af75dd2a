//! First press wins; everybody else is told the truth.

use storyline::domain::outcome::Outcome;
use storyline::flow::act::{Pressed, Verb};
use storyline::flow::steer::Commanded;

use crate::harness::*;

#[test]
fn a_hundred_presses_at_once_are_one_outcome_one_lock_and_one_step_of_the_counters() {
    let (mut the_box, arrived) = first_story();
    let verbs = [Verb::Posted, Verb::Skip, Verb::ReallyReject];
    let presses: Vec<_> = (0..100)
        .map(|number| the_box.a_press(arrived.card.story, arrived.message, verbs[number % 3]))
        .collect();
    let (flow, now) = (the_box.flow(), the_box.now);
    let answers: Vec<Pressed> = the_box.run(async {
        let taps: Vec<_> = presses
            .into_iter()
            .map(|press| {
                let flow = flow.clone();
                tokio::spawn(async move { flow.press(press, now).await.unwrap() })
            })
            .collect();
        let mut answers = Vec::new();
        for tap in taps {
            answers.push(tap.await.unwrap());
        }
        answers
    });
    let won: Vec<&Pressed> = answers
        .iter()
        .filter(|answer| matches!(answer, Pressed::Ended { .. }))
        .collect();
    assert_eq!(won.len(), 1);
    let Pressed::Ended { outcome: won, .. } = won[0] else {
        unreachable!()
    };
    let told = |answer: &&Pressed| matches!(answer, Pressed::EndedBefore { outcome, by, .. } if outcome == won && by.as_deref() == Some("Anna"));
    assert_eq!(answers.iter().filter(told).count(), 99);
    assert_eq!(the_box.history().len(), 1);
    assert_eq!(the_box.count("SELECT COUNT(*) FROM locks"), 1);
    let counted = "SELECT posted_count + skipped_count + rejected_count FROM people";
    assert_eq!(the_box.count(counted), 1);
    assert_eq!(
        the_box.count("SELECT SUM(posted_count + skipped_count) FROM media"),
        i64::from(*won != Outcome::Rejected)
    );
}

#[test]
fn the_same_press_delivered_twice_takes_effect_once() {
    let (mut the_box, arrived) = first_story();
    let press = the_box.a_press(arrived.card.story, arrived.message, Verb::Reject);
    let flow = the_box.flow();
    assert_eq!(
        the_box.run(flow.press(press, the_box.now)).unwrap(),
        Pressed::Asking
    );
    assert_eq!(
        the_box.run(flow.press(press, the_box.now)).unwrap(),
        Pressed::Repeated
    );
}

#[test]
fn really_rejected_is_never_chosen_again_as_copy_rename_or_return() {
    let mut the_box = TheBox::with(three_a_day());
    the_box.sees_file("memes/bad.jpg", 1);
    the_box.team = Team::Looks;
    the_box.live_until(at("2027-03-01T09:10:00Z"));
    let bad = the_box.arrived()[0].clone();
    assert_eq!(
        the_box.press(&bad, Verb::ReallyReject),
        ended(Outcome::Rejected)
    );
    the_box.sees_file("merch/copy.jpg", 1);
    the_box.live_for(days(1));
    the_box.loses_file("memes/bad.jpg");
    the_box.loses_file("merch/copy.jpg");
    the_box.live_for(days(1));
    the_box.sees_file("other/back.jpg", 1);
    the_box.live_for(days(60));
    assert_eq!(the_box.arrived().len(), 1);
    the_box.audit();
    the_box.audit_slots();
}

#[test]
fn posted_rests_thirty_days_and_skipped_forty_five() {
    for (verb, rest) in [(Verb::Posted, 30), (Verb::Skip, 45)] {
        let mut the_box = TheBox::with(settings(1, "09:00", "10:00", "UTC"));
        the_box.sees_file("memes/only.jpg", 1);
        the_box.team = Team::Looks;
        the_box.tick = hours(12);
        the_box.live_until(at("2027-03-01T09:00:00Z"));
        let only = the_box.arrived()[0].clone();
        the_box.press(&only, verb);
        the_box.live_for(days(50));
        let again = the_box.deliveries()[1].duration_since(only.at);
        assert_eq!(again, days(rest));
    }
}

#[test]
fn send_next_near_a_slot_is_that_slot() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(60);
    the_box.live_until(at("2027-03-01T12:30:00Z"));
    assert!(matches!(the_box.send_next(), Commanded::Sending(_)));
    the_box.live_until(at("2027-03-01T16:00:00Z"));
    assert_eq!(
        the_box.deliveries(),
        [at("2027-03-01T09:00:00Z"), at("2027-03-01T12:30:00Z")]
    );
    the_box.audit_slots();
}

#[test]
fn send_next_far_from_a_slot_is_one_more() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(60);
    the_box.live_until(at("2027-03-01T09:30:00Z"));
    the_box.send_next();
    the_box.live_until(at("2027-03-01T16:00:00Z"));
    assert_eq!(the_box.deliveries().len(), 3);
    the_box.audit_slots();
    the_box.audit();
}

#[test]
fn a_wish_is_fulfilled_during_a_pause_and_not_a_day_later() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(60);
    the_box.live_until(at("2027-03-01T10:00:00Z"));
    the_box.pause();
    the_box.send_next();
    the_box.live_for(minutes(1));
    assert_eq!(the_box.deliveries().len(), 2);
    the_box.send_next();
    the_box.be_off_for(days(1));
    the_box.live_for(minutes(5));
    assert_eq!(the_box.deliveries().len(), 2);
    the_box.audit();
}

#[test]
fn a_cancelled_slot_is_not_filled_again() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(60);
    the_box.look();
    let first = the_box.queue()[0].number;
    the_box
        .run(the_box.flow().cancel(first, anna(), the_box.now))
        .unwrap();
    the_box.live_for(days(1));
    assert_eq!(the_box.deliveries().len(), 2);
    the_box.audit_slots();
}

#[test]
fn after_an_absence_open_stories_are_offered_again() {
    let (mut the_box, arrived) = first_story();
    let message = arrived.message;
    the_box.be_off_for(minutes(30));
    the_box.look();
    assert!(matches!(
        the_box.shown_on(message).status,
        storyline::flow::outlet::CardStatus::Awaiting(awaiting) if awaiting.offered_again_at.is_some()
    ));
}
