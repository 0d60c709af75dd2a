//! Networks that are away, answers that are lost, power that fails: nothing is said twice, nothing is lost.

use proptest::prelude::*;
use storyline::domain::outcome::Outcome;
use storyline::domain::story::State;
use storyline::flow::act::{Pressed, Verb};

use crate::desk::Network;
use crate::harness::*;

/// The same, by a box that announces stories and by one that sends them in one call.
fn both_ways() -> [TheBox; 2] {
    let direct = on_the_way_to_the_first_slot();
    direct.sends_directly();
    [on_the_way_to_the_first_slot(), direct]
}

fn on_the_way_to_the_first_slot() -> TheBox {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(100);
    the_box.live_until(at("2027-03-01T08:59:00Z"));
    the_box.tick = minutes(1);
    the_box
}

#[test]
fn three_hours_without_a_network_use_no_picture_up_and_lock_none() {
    let mut the_box = on_the_way_to_the_first_slot();
    let planned = the_box.queue()[0].path.clone();
    the_box.network(Network::IsAway);
    the_box.live_for(hours(3));
    let attempts = the_box.desk.records().attempts.clone();
    let at_minute: Vec<i64> = attempts
        .iter()
        .map(|(at, _)| at.as_second() / 60 % 60)
        .collect();
    assert_eq!(at_minute, [0, 5, 15, 35, 55, 59]);
    assert!(
        attempts
            .iter()
            .all(|(_, card)| card.media.path == planned && !card.sent_again)
    );
    assert!(
        the_box
            .run(the_box.flow().locks(the_box.now))
            .unwrap()
            .is_empty()
    );
    assert!(the_box.alert("delivery").unwrap().contains("no network"));
    let missed = the_box.ended(Outcome::Missed);
    assert_eq!(missed.len(), 1);
    assert!(missed[0].reason.as_deref().unwrap().contains("no network"));
    the_box.network(Network::Works);
    the_box.live_for(hours(10));
    assert_eq!(the_box.deliveries().len(), 2);
    assert_eq!(the_box.alert("delivery"), None);
    assert!(
        the_box
            .run(the_box.flow().status(the_box.now))
            .unwrap()
            .ready
            == 100
    );
    the_box.audit();
    the_box.audit_slots();
}

#[test]
fn a_late_story_is_told_of_with_its_reason() {
    let mut the_box = on_the_way_to_the_first_slot();
    the_box.network(Network::RefusesTheBox);
    the_box.live_for(minutes(20));
    assert!(the_box.alert("overdue").unwrap().contains("no rights"));
    the_box.network(Network::Works);
    the_box.live_for(minutes(20));
    assert_eq!(the_box.alert("overdue"), None);
    assert_eq!(the_box.deliveries().len(), 1);
}

#[test]
fn a_slot_that_nobody_looks_at_is_told_of() {
    let mut the_box = on_the_way_to_the_first_slot();
    // Dispatch hangs; the rest of the box lives.
    the_box.set_clock(at("2027-03-01T09:15:00Z"));
    the_box.run(the_box.flow().upkeep(the_box.now)).unwrap();
    assert_eq!(
        the_box.alert("overdue"),
        None,
        "it may be looked at just now"
    );
    the_box.run(the_box.flow().upkeep(the_box.now)).unwrap();
    assert!(the_box.alert("overdue").unwrap().contains("late"));
}

#[test]
fn a_network_that_asks_to_wait_for_ever_is_not_asked_for_ever() {
    let mut the_box = on_the_way_to_the_first_slot();
    the_box.send_next();
    the_box.network(Network::AsksToWait(120));
    the_box.live_for(hours(3));
    assert!(the_box.desk.records().attempts.len() <= 62);
    assert_eq!(the_box.ended(Outcome::Missed).len(), 1);
    the_box.audit();
}

#[test]
fn a_lost_answer_leads_to_one_more_message_that_says_so() {
    for (lost, mut the_box) in [Network::LosesTheAnswer, Network::LosesTheMessage]
        .into_iter()
        .flat_map(|lost| both_ways().map(|the_box| (lost, the_box)))
    {
        the_box.team = Team::Looks;
        the_box.once(lost);
        the_box.once(lost);
        the_box.live_for(hours(3));
        let attempts = the_box.desk.records().attempts.clone();
        assert_eq!(attempts.len(), 2, "{lost:?}");
        assert!(!attempts[0].1.sent_again && attempts[1].1.sent_again);
        assert_eq!(attempts[1].0.duration_since(attempts[0].0), minutes(10));
        the_box.live_for(hours(24));
        // Nobody is blamed for not pressing what may never have come.
        let missed = &the_box.ended(Outcome::Missed)[0];
        assert_eq!(missed.number, Some(attempts[0].1.number));
        let reason = missed.reason.as_deref().unwrap();
        assert_eq!(
            reason,
            "nobody is known to have had it; at the last try: no answer"
        );
        the_box.audit();
        the_box.audit_slots();
    }
}

#[test]
fn a_press_on_the_orphan_binds_it_and_nothing_is_sent_again() {
    let [_, mut the_box] = both_ways();
    the_box.team = Team::Looks;
    the_box.once(Network::LosesTheAnswer);
    the_box.live_for(minutes(5));
    let orphan = the_box.arrived()[0].clone();
    assert_eq!(the_box.press(&orphan, Verb::Posted), ended(Outcome::Posted));
    the_box.live_for(hours(2));
    assert_eq!(the_box.arrived().len(), 1);
    assert!(matches!(
        the_box.shown_on(orphan.message).status,
        storyline::flow::outlet::CardStatus::Ended {
            outcome: Outcome::Posted,
            ..
        }
    ));
    the_box.audit();
}

#[test]
fn both_messages_of_one_story_tell_its_end() {
    let [_, mut the_box] = both_ways();
    the_box.team = Team::Looks;
    the_box.once(Network::LosesTheAnswer);
    the_box.live_for(minutes(30));
    let both = the_box.arrived();
    assert_eq!(both.len(), 2);
    assert_eq!(the_box.press(&both[0], Verb::Skip), ended(Outcome::Skipped));
    assert!(matches!(
        the_box.press(&both[1], Verb::Posted),
        Pressed::EndedBefore { .. }
    ));
    the_box.look();
    for arrived in &both {
        assert!(matches!(
            the_box.shown_on(arrived.message).status,
            storyline::flow::outlet::CardStatus::Ended {
                outcome: Outcome::Skipped,
                ..
            }
        ));
    }
    the_box.audit();
}

#[test]
fn a_power_cut_between_any_two_steps_is_put_right_within_a_minute() {
    for (cut, mut the_box) in [Network::PowerFailsBefore, Network::PowerFailsAfter]
        .into_iter()
        .flat_map(|cut| both_ways().map(|the_box| (cut, the_box)))
    {
        the_box.team = Team::Looks;
        the_box.once(cut);
        the_box.live_for(minutes(2));
        let sending = the_box
            .queue()
            .iter()
            .filter(|story| story.state == State::Sending)
            .count();
        assert_eq!(sending, 0);
        the_box.live_for(minutes(20));
        let attempts = the_box.desk.records().attempts.clone();
        assert_eq!(attempts.len(), 2);
        assert_eq!(attempts[0].1.story, attempts[1].1.story);
        assert!(attempts[1].1.sent_again);
        the_box.audit();
        the_box.audit_slots();
    }
}

#[test]
fn after_a_long_power_cut_an_old_story_is_not_sent_again() {
    let [_, mut the_box] = both_ways();
    the_box.team = Team::Looks;
    the_box.once(Network::PowerFailsAfter);
    the_box.set_clock(at("2027-03-01T09:00:00Z"));
    the_box.desk.records().now = the_box.now;
    while the_box.dispatch().is_some() {}
    the_box.be_off_for(hours(3));
    the_box.live_for(minutes(40));
    assert_eq!(the_box.arrived().len(), 1);
    let orphan = the_box.arrived()[0].clone();
    assert_eq!(the_box.press(&orphan, Verb::Posted), ended(Outcome::Posted));
    the_box.audit();
}

#[test]
fn a_task_that_died_while_sending_is_found_by_the_lease() {
    for mut the_box in both_ways() {
        the_box.team = Team::Looks;
        the_box.once(Network::PowerFailsAfter);
        the_box.set_clock(at("2027-03-01T09:00:00Z"));
        the_box.desk.records().now = the_box.now;
        // The supervisor starts the task again, and nobody wakes up.
        while the_box.dispatch().is_some() {}
        the_box.live_for(minutes(8));
        assert_eq!(the_box.queue()[0].state, State::Unconfirmed);
        the_box.live_for(minutes(20));
        assert_eq!(the_box.rang().len(), 2);
        assert_eq!(the_box.queue()[0].state, State::Awaiting);
        the_box.audit();
    }
}

#[test]
fn a_refused_story_fails_and_its_picture_rests() {
    for mut the_box in both_ways() {
        the_box.once(Network::RefusesTheStory);
        the_box.once_at_picture(Network::RefusesTheStory);
        the_box.live_for(hours(1));
        let failed = the_box.ended(Outcome::Failed);
        assert_eq!(failed[0].reason.as_deref(), Some("bad picture"));
        let locks = the_box.run(the_box.flow().locks(the_box.now)).unwrap();
        assert_eq!(locks.len(), 1);
    }
}

#[test]
fn a_picture_that_vanishes_between_two_tries_ends_its_story_and_stops_nothing() {
    let mut the_box = on_the_way_to_the_first_slot();
    let path = the_box.queue()[0].path.clone();
    the_box.once(Network::IsAway);
    the_box.live_for(minutes(3));
    the_box.loses_file(&path);
    the_box.live_for(hours(12));
    assert!(
        the_box.ended(Outcome::Missed)[0]
            .reason
            .as_deref()
            .unwrap()
            .contains("missing")
    );
    assert_eq!(the_box.deliveries().len(), 2);
    the_box.audit_slots();
}

#[test]
fn a_picture_that_vanishes_at_the_last_moment_gives_its_slot_to_another() {
    let mut the_box = on_the_way_to_the_first_slot();
    let first = the_box.queue()[0].clone();
    the_box.set_clock(at("2027-03-01T09:00:00Z"));
    the_box.loses_file(&first.path);
    the_box.desk.records().now = the_box.now;
    while the_box.dispatch() == Some(storyline::flow::dispatch::Step::Handled) {}
    let sent = the_box.arrived()[0].card.clone();
    assert_eq!(sent.number, first.number);
    assert_ne!(sent.media.path, first.path);
}

#[test]
fn nothing_stands_open_for_ever_from_whatever_state() {
    for (network, mut the_box) in [
        Network::IsAway,
        Network::AsksToWait(3600),
        Network::LosesTheMessage,
        Network::LosesTheAnswer,
        Network::RefusesTheBox,
        Network::PowerFailsBefore,
        Network::PowerFailsAfter,
    ]
    .into_iter()
    .flat_map(|network| both_ways().map(|the_box| (network, the_box)))
    {
        the_box.team = Team::Looks;
        the_box.once(network);
        the_box.live_for(minutes(2));
        the_box.pause();
        the_box.network(network);
        the_box.tick = minutes(30);
        the_box.live_for(days(2));
        let open: Vec<State> = the_box.queue().iter().map(|story| story.state).collect();
        assert!(
            open.iter().all(|state| *state == State::Planned),
            "{network:?}: {open:?}"
        );
        the_box.audit();
        the_box.audit_slots();
    }
}

proptest! {
    #![proptest_config(cases(4))]

    #[test]
    fn power_cuts_at_any_moment_lose_no_slot_and_repeat_none(
        settings in crate::time::any_settings(),
        cuts in prop::collection::vec((1_i64..600, prop::bool::ANY, prop::bool::ANY), 1..30),
    ) {
        let count = settings.posts_per_day;
        let mut the_box = TheBox::with(settings).with_pictures(u64::from(count) * 9 + 30);
        for (wait, while_sending, at_picture) in cuts {
            if while_sending {
                let cut = if wait % 2 == 0 { Network::PowerFailsBefore } else { Network::PowerFailsAfter };
                if at_picture { the_box.once_at_picture(cut) } else { the_box.once(cut) }
            }
            the_box.live_for(minutes(wait));
            the_box.restart();
        }
        the_box.live_for(hours(1));
        prop_assert!(the_box.ended(Outcome::Missed).iter().all(|entry| entry.number.is_some()));
        the_box.audit();
        the_box.audit_slots();
        the_box.audit_spacing();
    }
}
