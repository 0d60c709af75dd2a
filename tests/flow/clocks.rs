//! Clocks that are wrong: nothing is planned, sent or ended by a time that nobody vouches for; what a wrong one did all the
//! same has a way back; and whatever a clock is set to, no two deliveries come too close and nothing is said twice.

use storyline::domain::outcome::Outcome;
use storyline::domain::story::State;
use storyline::flow::act::{Pressed, Verb};

use crate::harness::*;

const YEAR: i64 = 365;

/// The first story of a day was posted, and it is five past one: the second awaits a press.
fn at_work() -> TheBox {
    at_work_in(Home::sqlite())
}

fn at_work_in(home: Home) -> TheBox {
    let born = at("2027-03-01T00:00:00Z");
    let mut the_box = TheBox::in_home(home, three_a_day(), born).with_pictures(200);
    the_box.live_until(at("2027-03-01T12:55:00Z"));
    the_box.team = Team::Looks;
    the_box.live_for(minutes(10));
    assert_eq!(the_box.queue()[0].state, State::Awaiting);
    the_box.tick = minutes(1);
    the_box
}

impl TheBox {
    /// The clock shows another time for so long, and then the right one.
    fn shows_for(&mut self, by: jiff::SignedDuration, length: jiff::SignedDuration) {
        self.set_clock(self.now + by);
        self.live_for(length);
        self.set_clock(self.now - by);
    }

    /// Automatic deliveries kept apart by the steady clock too.
    pub(crate) fn audit_steady_spacing(&self, least: jiff::SignedDuration) {
        let rang = self.rang();
        let rang = rang
            .iter()
            .filter(|story| !self.asked_for.contains(&story.card.number))
            .collect::<Vec<_>>();
        for two in rang.windows(2) {
            let gap = two[1].up.saturating_sub(two[0].up);
            assert!(
                two[0].card.story == two[1].card.story || gap >= least,
                "{gap:#} between {:?} and {:?}",
                two[0],
                two[1]
            );
        }
    }
}

#[test]
fn a_year_ahead_that_nobody_vouches_for_settles_plans_and_sends_nothing() {
    let mut the_box = at_work();
    the_box.synchronised = false;
    let (ended, sent) = (the_box.history(), the_box.deliveries().len());
    the_box.set_clock(the_box.now + days(YEAR));
    the_box.live_for(minutes(10));
    assert_eq!(the_box.history(), ended);
    assert_eq!(the_box.deliveries().len(), sent);
    let why = the_box.alert("clock").unwrap();
    assert!(why.contains("29 Feb 2028, more than a day after"), "{why}");
    assert!(why.contains("is not synchronised"), "{why}");
    assert!(
        why.contains("/trustclock") && why.contains("clock trust"),
        "{why}"
    );
    assert_eq!(the_box.alert("overdue"), None);
    // It is right again, and nothing has happened.
    the_box.set_clock(the_box.now - days(YEAR));
    the_box.live_for(minutes(2));
    assert_eq!(the_box.alert("clock"), None);
    the_box.team = Team::Posts;
    the_box.live_until(at("2027-03-03T00:00:00Z"));
    assert_eq!(the_box.deliveries().len(), 6);
    the_box.audit();
    the_box.audit_slots();
}

#[test]
fn a_time_server_that_lies_is_contradicted_by_the_records_and_a_server_outside() {
    let mut the_box = at_work();
    the_box.server_says(the_box.now);
    let ended = the_box.history();
    the_box.set_clock(the_box.now + days(YEAR));
    the_box.live_for(minutes(10));
    assert_eq!(the_box.history(), ended);
    let why = the_box.alert("clock").unwrap();
    assert!(
        why.contains("a server outside says that it is 1 Mar 2027"),
        "{why}"
    );
}

#[test]
fn a_press_while_the_clock_is_in_doubt_counts_and_vouches_for_nothing() {
    let mut the_box = at_work();
    the_box.synchronised = false;
    let story = the_box.arrived()[1].clone();
    the_box.set_clock(the_box.now + days(YEAR));
    the_box.look();
    assert_eq!(the_box.press(&story, Verb::Posted), ended(Outcome::Posted));
    the_box.live_for(minutes(10));
    assert!(the_box.ended(Outcome::Missed).is_empty());
    assert!(the_box.alert("clock").is_some());
}

#[test]
fn a_box_that_was_off_for_months_goes_on_when_a_server_or_a_person_tells_that_the_time_is_right() {
    for who in ["server", "person", "synchronised"] {
        let mut the_box = at_work();
        the_box.synchronised = false;
        the_box.be_off_for(days(90));
        the_box.live_for(minutes(3));
        assert!(the_box.ended(Outcome::Missed).is_empty(), "{who}");
        assert!(the_box.alert("clock").is_some(), "{who}");
        match who {
            "server" => the_box.server_says(the_box.now),
            "person" => assert!(the_box.trust_clock()),
            _ => the_box.synchronised = true,
        }
        the_box.live_for(minutes(3));
        assert_eq!(the_box.ended(Outcome::Missed).len(), 269, "{who}");
        assert_eq!(the_box.alert("clock"), None, "{who}");
        the_box.audit_slots();
    }
}

#[test]
fn a_lie_of_the_server_stops_no_synchronised_clock_and_is_told() {
    for lie in [days(YEAR), days(-YEAR), hours(3)] {
        let mut the_box = at_work();
        the_box.server_says(the_box.now + lie);
        the_box.live_until(at("2027-03-01T17:10:00Z"));
        assert_eq!(the_box.deliveries().len(), 3);
        let told = the_box.alert("clock").unwrap();
        assert!(told.contains("Stories go out by the clock"), "{told}");
        the_box.server_says(the_box.now);
        the_box.look();
        assert_eq!(the_box.alert("clock"), None);
    }
}

#[test]
fn a_year_that_a_wrong_clock_settled_is_given_back_by_one_word() {
    let mut the_box = at_work();
    the_box.shows_for(days(YEAR), minutes(10));
    the_box.live_for(minutes(5));
    let missed = the_box.ended(Outcome::Missed).len();
    assert!(missed > 1000, "{missed}");
    assert!(the_box.alert("clock").unwrap().contains("/trustclock"));
    assert!(the_box.preview(3).is_empty());
    let kept = the_box.history();

    let vouched = the_box.vouch();
    assert!(vouched.reopened as usize >= missed - 3, "{vouched:?}");
    let again = the_box.vouch();
    assert!(!again.changed(), "{again:?}");
    the_box.look();
    assert_eq!(the_box.alert("clock"), None);
    // Of one day a slot may have been filled by the wrong clock.
    assert!((8..=9).contains(&the_box.preview(3).len()));
    // The history has what it had, and says that it was taken back.
    let now = the_box.history();
    assert_eq!(now.len(), kept.len());
    let taken_back = now.iter().filter(|end| end.withdrawn.is_some()).count();
    assert_eq!(taken_back as u64, vouched.reopened);
    for (before, after) in kept.iter().zip(&now) {
        assert_eq!(
            (before.story, before.outcome, before.ended_at),
            (after.story, after.outcome, after.ended_at)
        );
    }
    let stands = the_box
        .run(the_box.flow().history_with(Outcome::Missed, 9_999))
        .unwrap();
    assert!(stands.len() <= 3, "what was taken back does not count");

    the_box.team = Team::Posts;
    let before = the_box.deliveries().len();
    the_box.live_for(days(4));
    assert!((11..=12).contains(&(the_box.deliveries().len() - before)));
    the_box.audit();
    the_box.audit_slots();
    the_box.audit_steady_spacing(minutes(20));
}

on_every_engine! {
    fn what_a_wrong_clock_called_missed_may_be_missed_again_and_taken_back_again(home: Home) {
        let mut the_box = at_work_in(home);
        for _ in 0..2 {
            the_box.shows_for(days(12), minutes(3));
            the_box.live_for(minutes(2));
            assert!(the_box.vouch().reopened > 30);
            the_box.live_for(minutes(2));
        }
        the_box.be_off_for(days(2));
        the_box.live_for(minutes(3));
        assert!(the_box.ended(Outcome::Missed).len() > 60);
        // The plan goes on, and each slot has one end that stands.
        let before = the_box.deliveries().len();
        the_box.live_for(days(2));
        assert!(the_box.deliveries().len() >= before + 5);
        the_box.audit();
    }
}

#[test]
fn a_year_back_and_right_again_ends_nothing_and_repeats_nothing() {
    for (by, synchronised) in [
        (days(-YEAR), true),
        (days(-YEAR), false),
        (hours(-1), true),
        (hours(-1), false),
    ] {
        let mut the_box = at_work();
        the_box.synchronised = synchronised;
        let story = the_box.arrived()[1].clone();
        let (ends, rang) = (the_box.history().len(), the_box.rang().len());
        for _ in 0..3 {
            the_box.shows_for(by, minutes(10));
            the_box.live_for(minutes(1));
        }
        assert_eq!(the_box.history().len(), ends, "{by:#}");
        assert_eq!(the_box.rang().len(), rang, "{by:#}");
        assert_eq!(the_box.alert("clock"), None, "{by:#}");
        assert_eq!(the_box.press(&story, Verb::Posted), ended(Outcome::Posted));
        the_box.audit();
    }
}

#[test]
fn a_story_does_not_wait_for_a_year_by_a_clock_that_went_back_by_one() {
    let mut the_box = at_work();
    the_box.tick = minutes(30);
    the_box.set_clock(the_box.now - days(YEAR));
    the_box.live_for(hours(23));
    assert!(the_box.ended(Outcome::Expired).is_empty());
    the_box.live_for(hours(3));
    assert_eq!(
        the_box.ended(Outcome::Expired).len(),
        1,
        "by the steady clock"
    );
}

#[test]
fn a_clock_that_is_set_brings_no_two_deliveries_together() {
    let mut the_box = TheBox::with(settings(12, "00:00", "00:00", "UTC")).with_pictures(300);
    the_box.tick = minutes(1);
    the_box.live_until(at("2027-03-01T02:01:00Z"));
    for by in [hours(2), hours(5), days(1), days(YEAR), days(-1), hours(3)] {
        the_box.set_clock(the_box.now + by);
        the_box.live_for(minutes(25));
    }
    assert!(the_box.rang().len() >= 4);
    the_box.audit_steady_spacing(minutes(20));
    the_box.audit();
}

#[test]
fn a_slot_that_is_late_after_the_clock_was_set_is_told_with_that_reason() {
    let mut the_box = at_work();
    // Dispatch is busy; the rest of the box lives.
    the_box.set_clock(the_box.now + days(YEAR));
    the_box.passes(minutes(1));
    for _ in 0..2 {
        the_box.run(the_box.flow().upkeep(the_box.now)).unwrap();
    }
    let why = the_box.alert("overdue").unwrap();
    assert!(
        why.contains("the clock was set forward by 365 days"),
        "{why}"
    );
    assert!(!why.contains("not known"), "{why}");
}

#[test]
fn a_clock_that_is_set_is_no_absence() {
    let mut the_box = at_work();
    the_box.stop_for(minutes(1));
    the_box.look();
    the_box.set_clock(the_box.now + hours(20));
    the_box.live_for(minutes(30));
    assert!(
        the_box
            .told()
            .iter()
            .all(|told| !told.contains("I was away")),
        "{:?}",
        the_box.told()
    );
}

#[test]
fn a_sleep_is_an_absence() {
    let mut the_box = at_work();
    let story = the_box.arrived()[1].clone();
    the_box.sleeps_for(hours(9));
    the_box.live_for(minutes(2));
    let told = the_box.told();
    assert!(
        told.iter().any(|told| told
            .contains("I was away from Mon 1 Mar, 13:05 to Mon 1 Mar, 22:05: 1 slot was missed")),
        "{told:?}"
    );
    assert!(the_box.awaiting(&story).offered_again_at.is_some());
    assert_eq!(the_box.alert("clock"), None);
    the_box.live_for(hours(2));
    the_box.sleeps_for(minutes(1));
    the_box.live_for(minutes(2));
    let times = the_box
        .told()
        .iter()
        .filter(|told| told.contains("I was away"))
        .count();
    assert_eq!(times, 1, "a nap is none");
    the_box.audit_slots();
}

#[test]
fn a_step_within_a_send_a_claim_and_the_minute_of_an_undo_ends_nothing() {
    for by in [hours(5), hours(-5), days(-YEAR)] {
        let mut the_box = at_work();
        let story = the_box.arrived()[1].clone();
        assert_eq!(the_box.press(&story, Verb::Claim), Pressed::Claimed);
        the_box.set_clock(the_box.now + by);
        the_box.look();
        assert_eq!(
            the_box
                .queue()
                .iter()
                .filter(|story| story.state == State::Awaiting)
                .count(),
            1
        );
        assert_eq!(the_box.press(&story, Verb::Skip), ended(Outcome::Skipped));
        the_box.shows_for(days(-YEAR), minutes(0));
        let undone = the_box.press(&story, Verb::Undo);
        assert_eq!(undone, Pressed::TakenBack(Outcome::Skipped), "{by:#}");
        assert_eq!(the_box.press(&story, Verb::Posted), ended(Outcome::Posted));
        the_box.audit();

        // While it is being sent.
        let mut the_box = TheBox::with(three_a_day()).with_pictures(60);
        the_box.live_until(at("2027-03-01T08:59:00Z"));
        the_box.tick = minutes(1);
        the_box.team = Team::Looks;
        the_box.once(crate::desk::Network::PowerFailsAfter);
        the_box.set_clock(at("2027-03-01T09:00:00Z"));
        the_box.desk.records().now = the_box.now;
        while the_box.dispatch().is_some() {}
        the_box.set_clock(the_box.now + by);
        the_box.live_for(minutes(30));
        the_box.set_clock(the_box.now - by);
        the_box.live_for(hours(1));
        let of_first = the_box
            .rang()
            .iter()
            .filter(|story| story.card.number == 1)
            .count();
        assert!(of_first <= 2, "{by:#}");
        assert!(
            the_box.history().iter().all(|end| end.number != Some(1)),
            "{by:#}"
        );
        the_box.audit();
    }
}
