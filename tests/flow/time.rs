//! When stories go out: as many as wanted, never in a heap, never twice, and not by a clock that is wrong.

use std::collections::BTreeMap;

use jiff::civil::Time;
use proptest::prelude::*;
use storyline::domain::outcome::Outcome;
use storyline::domain::team::{TeamSettings, Window};
use storyline::flow::steer::Commanded;

use crate::harness::*;

fn zones() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Pacific/Auckland",
    ])
}

/// Any hours a team may want; at least two, as a story needs a moment to be sent.
fn hours_of_a_team() -> impl Strategy<Value = Window> {
    (0_i8..24, 0_i8..60, 2_i8..=24).prop_map(|(hour, minute, length)| Window {
        start: Time::constant(hour, minute, 0, 0),
        end: Time::constant((hour + length) % 24, minute, 0, 0),
    })
}

pub(crate) fn any_settings() -> impl Strategy<Value = TeamSettings> {
    let counts = prop_oneof![1_u32..=7, 1_u32..=50];
    (zones(), counts, hours_of_a_team(), 0_u32..90, 1_u32..=3).prop_map(
        |(zone, count, window, jitter, horizon_days)| TeamSettings {
            horizon_days,
            posts_per_day: count,
            window,
            timezone: jiff::tz::TimeZone::get(zone).unwrap(),
            jitter_minutes: jitter,
            ..TeamSettings::default()
        },
    )
}

/// Days around which some zone changes its clocks.
fn births() -> impl Strategy<Value = jiff::Timestamp> {
    prop::sample::select(vec![
        "2027-03-12T05:00:00Z",
        "2027-03-26T17:30:00Z",
        "2027-04-02T11:00:00Z",
        "2027-09-24T23:10:00Z",
        "2027-10-29T12:00:00Z",
        "2027-11-05T08:00:00Z",
    ])
    .prop_map(at)
}

proptest! {
    #![proptest_config(cases(5))]

    #[test]
    fn every_day_has_exactly_its_stories(settings in any_settings(), born in births(), presses in any::<bool>()) {
        let count = settings.posts_per_day;
        let mut the_box = TheBox::with_at(settings, born).with_pictures(u64::from(count) * 9 + 30);
        the_box.team = if presses { Team::Posts } else { Team::Looks };
        the_box.tick = hours(3);
        the_box.live_for(days(5));

        let mut by_day: BTreeMap<_, u32> = BTreeMap::new();
        for entry in the_box.history() {
            prop_assert_ne!(entry.outcome, Outcome::Missed, "{:?}", entry);
            *by_day.entry(entry.slot.unwrap().date).or_default() += 1;
        }
        if presses {
            let whole: Vec<u32> = by_day.values().copied().skip(1).take(3).collect();
            prop_assert_eq!(whole, vec![count; 3]);
        }
        the_box.audit();
        the_box.audit_slots();
        the_box.audit_spacing();
    }
}

#[test]
fn seven_a_day_are_seven_although_their_times_are_no_round_numbers() {
    let mut the_box = TheBox::with(settings(7, "09:00", "21:00", "UTC")).with_pictures(100);
    the_box.live_for(days(3));
    assert_eq!(the_box.deliveries().len(), 21);
}

#[test]
fn after_a_week_off_one_story_at_most_catches_up_and_the_rest_is_visibly_missed() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(100);
    the_box.live_for(hours(10));
    the_box.be_off_for(days(7) + hours(3) + minutes(20));
    let back = the_box.now;
    the_box.live_for(minutes(30));
    assert_eq!(the_box.deliveries_since(back), 1);
    assert_eq!(the_box.ended(Outcome::Missed).len(), 21);
    the_box.live_until(at("2027-03-08T23:59:00Z"));
    assert_eq!(the_box.deliveries_since(back), 2);
    the_box.audit();
    the_box.audit_slots();
    the_box.audit_spacing();
}

#[test]
fn a_slot_first_reached_after_the_late_window_is_missed() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(100);
    the_box.live_for(hours(10));
    the_box.be_off_for(hours(4) + minutes(1));
    the_box.look();
    assert_eq!(the_box.deliveries().len(), 1);
    let missed = the_box.ended(Outcome::Missed);
    assert_eq!(
        missed[0].reason.as_deref(),
        Some("it could not be sent in time")
    );
}

#[test]
fn a_paused_week_resumed_at_noon_gives_no_more_that_day_than_the_slots_still_ahead() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(100);
    the_box.live_for(hours(10));
    the_box.pause();
    the_box.live_for(days(7) + hours(3) + minutes(5));
    assert_eq!(the_box.deliveries().len(), 1);
    let resumed = the_box.now;
    the_box.resume();
    the_box.live_until(at("2027-03-08T23:59:00Z"));
    assert_eq!(the_box.deliveries_since(resumed), 1);
    let missed = the_box.ended(Outcome::Missed);
    assert!(
        missed
            .iter()
            .all(|entry| entry.reason.as_deref() == Some("the plan was paused"))
    );
    the_box.audit_slots();
}

#[test]
fn a_clock_that_jumps_a_month_ahead_floods_nobody_and_set_back_repeats_nothing() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(300);
    the_box.live_for(hours(10));
    let real = the_box.now;
    the_box.set_clock(real + days(31) + hours(3));
    let jumped = the_box.now;
    the_box.live_for(minutes(30));
    assert!(the_box.deliveries_since(jumped) <= 1);
    the_box.set_clock(real + minutes(40));
    let before = the_box.deliveries().len();
    the_box.live_for(days(1));
    assert_eq!(
        the_box.deliveries().len(),
        before,
        "a slot was filled twice"
    );
    assert!(the_box.alert("clock").unwrap().contains("set back"));
    assert!(matches!(the_box.send_next(), Commanded::Sending(_)));
    the_box.look();
    assert_eq!(the_box.deliveries().len(), before + 1);
    the_box.live_until(real + days(33));
    assert!(the_box.deliveries().len() > before + 3);
    assert_eq!(the_box.alert("clock"), None);
    the_box.audit();
}

#[test]
fn a_clock_set_back_by_a_day_repeats_nothing() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(100);
    the_box.live_for(days(2));
    let before = the_box.deliveries().len();
    the_box.set_clock(the_box.now - days(1));
    the_box.live_for(days(1));
    assert_eq!(the_box.deliveries().len(), before);
    the_box.live_for(days(1));
    assert_eq!(the_box.deliveries().len(), before + 3);
    the_box.audit();
    the_box.audit_slots();
}

#[test]
fn a_clock_that_is_not_to_be_trusted_plans_and_sends_nothing() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(100);
    the_box.live_for(hours(14));
    let (real, sent) = (the_box.now, the_box.deliveries().len());
    the_box.synchronised = false;
    the_box.set_clock(real - hours(8));
    the_box.live_for(hours(5));
    assert_eq!(the_box.deliveries().len(), sent);
    assert!(the_box.alert("clock").unwrap().contains("not synchronised"));
    the_box.set_clock(real + minutes(1));
    the_box.look();
    assert_eq!(the_box.alert("clock"), None);
}

#[test]
fn a_box_born_in_1970_has_no_debt_of_half_a_century() {
    let mut the_box = TheBox::with_at(three_a_day(), at("1970-01-01T00:00:30Z")).with_pictures(100);
    the_box.synchronised = false;
    the_box.live_for(hours(20));
    assert!(the_box.queue().is_empty());
    the_box.synchronised = true;
    the_box.set_clock(at("2027-03-01T12:00:00Z"));
    the_box.live_for(days(1));
    assert_eq!(the_box.history().len(), 3);
    assert!(the_box.ended(Outcome::Missed).is_empty());
}

#[test]
fn two_readings_of_an_unsynchronised_clock_in_the_wrong_order_are_no_alarm() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(100);
    the_box.synchronised = false;
    the_box.live_for(hours(10));
    the_box.set_clock(the_box.now - SECOND);
    the_box.look();
    assert_eq!(the_box.alert("clock"), None);
}

#[test]
fn a_clock_in_doubt_ends_and_forgets_nothing_until_somebody_vouches_for_it() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(100);
    the_box.team = Team::Looks;
    the_box.live_for(hours(14));
    let real = the_box.now;
    let open = the_box.queue().len();
    assert!(
        the_box
            .queue()
            .iter()
            .any(|story| story.state.may_be_seen())
    );
    // Far ahead for a moment, as a board without a battery may be; then right again, and nobody says so.
    the_box.set_clock(real + days(1));
    the_box.look();
    the_box.synchronised = false;
    the_box.set_clock(real - days(20));
    let (ended, sent) = (the_box.history().len(), the_box.deliveries().len());
    the_box.live_for(hours(6));
    assert_eq!(the_box.history().len(), ended, "of {open} open stories");
    assert_eq!(the_box.deliveries().len(), sent);
    assert_eq!(the_box.send_next(), Commanded::ClockInDoubt);
    assert!(the_box.alert("clock").unwrap().contains("clock trust"));
    the_box.set_clock(real + hours(1));
    assert!(the_box.trust_clock());
    assert!(!the_box.trust_clock(), "it is not in doubt any more");
    the_box.live_for(days(3));
    assert_eq!(the_box.alert("clock"), None);
    assert!(the_box.deliveries().len() > sent);
    the_box.audit_slots();
}

const SECOND: jiff::SignedDuration = jiff::SignedDuration::from_secs(1);

#[test]
fn fifty_in_two_hours_stay_apart_after_a_short_outage() {
    let mut the_box = TheBox::with(TeamSettings {
        jitter_minutes: 30,
        ..settings(50, "10:00", "12:00", "Europe/Berlin")
    })
    .with_pictures(200);
    the_box.live_until(at("2027-03-01T09:20:00Z"));
    for _ in 0..8 {
        the_box.be_off_for(minutes(3) + SECOND * 11);
        the_box.live_for(minutes(2));
    }
    the_box.live_until(at("2027-03-01T12:00:00Z"));
    the_box.audit();
    the_box.audit_slots();
    the_box.audit_spacing();
}

#[test]
fn more_a_day_from_the_afternoon_on_catches_nothing_up_that_was_never_due() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(100);
    the_box.live_until(at("2027-03-01T14:00:00Z"));
    // 10:00, 10:40 … 13:20 are gone under the new plan, and the last of them is still within the late window.
    the_box.restart_with(settings(6, "10:00", "14:00", "UTC"));
    // The plan's own loop may come second.
    the_box.dispatch();
    the_box.live_until(at("2027-03-01T23:00:00Z"));
    assert_eq!(the_box.deliveries().len(), 2);
    assert!(the_box.ended(Outcome::Missed).is_empty());
    the_box.live_until(at("2027-03-02T23:00:00Z"));
    assert_eq!(the_box.deliveries().len(), 8);
    the_box.audit();
}

#[test]
fn fewer_a_day_from_noon_on_counts_what_was_sent_already() {
    let mut the_box = TheBox::with(settings(6, "09:00", "21:00", "UTC")).with_pictures(100);
    the_box.live_until(at("2027-03-01T12:00:00Z"));
    the_box.restart_with(three_a_day());
    the_box.live_until(at("2027-03-02T00:00:00Z"));
    assert_eq!(the_box.deliveries().len(), 3);
    the_box.audit();
}

#[test]
fn a_new_mix_forgets_no_slot_that_went_by() {
    let mut the_box = TheBox::with(three_a_day());
    the_box.live_until(at("2027-03-01T08:00:00Z"));
    the_box.be_off_for(hours(1) + minutes(20));
    the_box.mix(&[("memes", 100)]);
    the_box.live_for(minutes(5));
    the_box.audit_slots();
}

#[test]
fn dry_run_sends_nothing_and_ends_each_slot() {
    let mut the_box = TheBox::with(TeamSettings {
        dry_run: true,
        ..three_a_day()
    })
    .with_pictures(100);
    the_box.live_for(days(2));
    assert!(the_box.deliveries().is_empty());
    assert_eq!(the_box.ended(Outcome::Cancelled).len(), 6);
    the_box.audit_slots();
}
