//! Hours in which the server fails, in every way there is: whatever the order, a story is shown twice at most, one that nobody
//! had never ends as if somebody had slept over it, and what can still be shown is, as soon as the server works again.

use proptest::prelude::*;
use storyline::domain::outcome::Outcome;
use storyline::domain::story::State;

use crate::desk::Network;
use crate::harness::*;

/// Ways in which a server fails for a while. None of them refuses a story.
fn troubles() -> impl Strategy<Value = Network> {
    prop::sample::select(vec![
        Network::IsAway,
        Network::LosesTheMessage,
        Network::LosesTheMessage,
        Network::LosesTheAnswer,
        Network::AsksToWait(1),
        Network::AsksToWait(90),
        Network::AsksToWait(7_200),
        Network::RefusesTheBox,
        Network::Works,
    ])
}

/// At nine the server fails so, for so long.
fn after(network: Network, length: jiff::SignedDuration, direct: bool) -> TheBox {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(50);
    the_box.team = Team::Looks;
    if direct {
        the_box.sends_directly();
    }
    the_box.live_until(at("2027-03-01T08:59:00Z"));
    the_box.tick = minutes(1);
    the_box.network(network);
    the_box.live_until(at("2027-03-01T09:00:00Z") + length);
    the_box
}

#[test]
fn three_quarters_of_an_hour_of_server_errors_delay_a_story_and_end_none() {
    for direct in [false, true] {
        let mut the_box = after(Network::LosesTheMessage, minutes(45), direct);
        assert_eq!(
            the_box.desk.records().attempts.len(),
            1,
            "once, and no more"
        );
        let asked = the_box.desk.records().greetings;
        assert!((10..=20).contains(&asked), "asked {asked} times");
        let why = the_box.alert("delivery").unwrap();
        assert!(why.contains("502 Bad Gateway"), "{why}");
        the_box.network(Network::Works);
        the_box.live_for(minutes(5));
        assert_eq!(the_box.arrived().len(), 1);
        assert!(the_box.arrived()[0].card.sent_again);
        assert_eq!(the_box.alert("delivery"), None);
        the_box.live_for(hours(6));
        assert_eq!(the_box.arrived().len(), 2);
        the_box.audit();
        the_box.audit_slots();
        the_box.audit_spacing();
    }
}

#[test]
fn a_story_that_came_due_while_the_server_failed_was_never_tried_and_is_missed_with_the_reason() {
    let mut the_box = after(Network::LosesTheMessage, hours(8), true);
    // Nine o'clock was tried; one o'clock was not, for it was known by then.
    assert_eq!(the_box.desk.records().attempts.len(), 1);
    let missed = the_box.ended(Outcome::Missed);
    let reason = missed[0].reason.as_deref().unwrap();
    assert!(reason.contains("it could not be sent in time"), "{reason}");
    assert!(reason.contains("502 Bad Gateway"), "{reason}");
    the_box.network(Network::Works);
    the_box.live_for(hours(2));
    assert_eq!(the_box.arrived().len(), 1, "five o'clock, and no flood");
    // That of nine o'clock may have been seen: it is kept for a press, and nobody is blamed in the end.
    the_box.live_for(hours(16));
    let missed = the_box.ended(Outcome::Missed);
    let kept = missed.iter().find(|end| end.number == Some(1)).unwrap();
    assert!(kept.reason.as_deref().unwrap().contains("nobody is known"));
    the_box.audit();
    the_box.audit_slots();
}

#[test]
fn a_box_that_starts_anew_keeps_the_repetition_until_the_server_works() {
    let mut the_box = after(Network::LosesTheMessage, minutes(5), true);
    the_box.restart();
    the_box.live_for(minutes(40));
    assert_eq!(the_box.desk.records().attempts.len(), 1);
    the_box.network(Network::Works);
    the_box.live_for(minutes(4));
    assert_eq!(the_box.arrived().len(), 1);
}

#[test]
fn a_server_that_asks_for_a_second_without_end_is_not_asked_every_second() {
    let mut the_box = after(Network::AsksToWait(1), minutes(50), false);
    let attempts = the_box.desk.records().attempts.len();
    assert!((8..=25).contains(&attempts), "{attempts}");
    let why = the_box.alert("overdue").unwrap();
    assert!(why.contains("Telegram asks for patience"), "{why}");
    the_box.network(Network::Works);
    the_box.live_for(minutes(6));
    assert_eq!(the_box.arrived().len(), 1);
}

#[test]
fn a_server_that_asks_for_hours_is_obeyed_and_people_are_told_why() {
    let mut the_box = after(Network::AsksToWait(5 * 3600), minutes(59), false);
    assert_eq!(the_box.desk.records().attempts.len(), 1);
    let why = the_box.alert("overdue").unwrap();
    assert!(why.contains("asks for patience: 5 h"), "{why}");
    assert_eq!(the_box.queue()[0].state, State::Retrying);
    the_box.live_for(minutes(5));
    let missed = the_box.ended(Outcome::Missed);
    assert!(missed[0].reason.as_deref().unwrap().contains("5 h"));
}

proptest! {
    #![proptest_config(cases(8))]

    #[test]
    fn hours_of_every_kind_of_trouble(
        stretches in prop::collection::vec((troubles(), 1_i64..80), 1..24),
        restarts in any::<bool>(),
        direct in any::<bool>(),
    ) {
        let mut the_box = TheBox::with(settings(6, "08:00", "20:00", "UTC")).with_pictures(80);
        the_box.team = Team::Looks;
        the_box.tick = minutes(10);
        if direct {
            the_box.sends_directly();
        }
        the_box.live_until(at("2027-03-01T07:55:00Z"));
        let mut patience = Vec::new();
        for (network, length) in stretches {
            the_box.network(network);
            let from = the_box.now;
            the_box.live_for(minutes(length));
            if network == Network::AsksToWait(7_200) {
                patience.push((from, the_box.now));
            }
            if restarts {
                the_box.restart();
            }
        }
        the_box.network(Network::Works);
        let works = the_box.now;
        let (before, open) = (the_box.rang().len(), the_box.queue());
        the_box.live_for(minutes(61));

        // What is inside its window is shown.
        for story in open.iter().filter(|story| story.due_at <= works) {
            let is_obeyed = patience.iter().any(|(from, to)| *to >= story.due_at && *from <= works);
            let ended = the_box.history().iter().any(|end| end.number == Some(story.number));
            let in_time = works <= story.due_at + minutes(53);
            if in_time && !is_obeyed && !matches!(story.state, State::Awaiting) {
                let shown = the_box.arrived().iter().any(|shown| shown.card.number == story.number);
                prop_assert!(shown && !ended, "{:?} is not shown", story);
            }
        }
        // No flood: those that were due, and one that is.
        prop_assert!(the_box.rang().len() - before <= 2, "{} at once", the_box.rang().len() - before);
        the_box.live_for(days(2));

        let arrived = the_box.arrived();
        for end in the_box.history() {
            let was_seen = arrived.iter().any(|shown| shown.card.story == end.story);
            prop_assert!(was_seen || end.outcome != Outcome::Expired, "{:?}", end);
            prop_assert!(end.outcome != Outcome::Failed, "{:?}", end);
        }
        the_box.audit();
        the_box.audit_slots();
        the_box.audit_spacing();
    }
}
