//! Lives with a clock that is set at random, a machine that sleeps, and a server that tells the truth or lies.

use proptest::prelude::*;
use storyline::domain::story::State;

use crate::harness::*;

/// What happens to a clock.
#[derive(Clone, Copy, Debug)]
enum Event {
    Lives(i64),
    IsSet(i64),
    Sleeps(i64),
    Synchronised(bool),
    /// Nothing, the truth, or a time that is off by so many minutes.
    ServerSays(i64),
    IsOff(i64),
}

fn events() -> impl Strategy<Value = Event> {
    let jump = || {
        prop_oneof![
            4 => -90_i64..90,
            3 => -3_000_i64..3_000,
            2 => -600_000_i64..600_000,
        ]
    };
    prop_oneof![
        6 => (1_i64..300).prop_map(Event::Lives),
        4 => jump().prop_map(Event::IsSet),
        1 => (1_i64..900).prop_map(Event::Sleeps),
        1 => any::<bool>().prop_map(Event::Synchronised),
        1 => prop_oneof![2 => Just(0_i64), 1 => jump()].prop_map(Event::ServerSays),
        1 => (1_i64..600).prop_map(Event::IsOff),
    ]
}

proptest! {
    #![proptest_config(cases(10))]

    #[test]
    fn whatever_a_clock_shows_nothing_is_doubled_and_there_is_a_way_back(
        events in prop::collection::vec(events(), 1..25),
    ) {
        let mut the_box = TheBox::with(three_a_day()).with_pictures(200);
        the_box.live_until(at("2027-03-01T09:05:00Z"));
        the_box.tick = minutes(10);
        // How far the clock is off.
        let mut off = minutes(0);
        let mut lives = 0;
        for event in events {
            match event {
                Event::Lives(length) => the_box.live_for(minutes(length)),
                Event::IsSet(by) => {
                    let by = minutes(by);
                    // It was born in 2027, and no clock goes back before that.
                    if the_box.now + by > at("2026-12-01T00:00:00Z") {
                        the_box.set_clock(the_box.now + by);
                        off += by;
                    }
                }
                Event::Sleeps(length) => the_box.sleeps_for(minutes(length)),
                Event::Synchronised(is_so) => the_box.synchronised = is_so,
                Event::ServerSays(lie) => the_box.server_says(the_box.now - off + minutes(lie)),
                Event::IsOff(length) => {
                    the_box.be_off_for(minutes(length));
                    lives += 1;
                }
            }
        }
        if lives == 0 {
            the_box.audit_steady_spacing(minutes(20));
        }

        // The clock is right, and a person says so.
        the_box.set_clock(the_box.now - off);
        the_box.synchronised = true;
        the_box.server_says(the_box.now);
        the_box.trust_clock();
        the_box.live_for(hours(25));
        the_box.trust_clock();
        let before = the_box.history().len() + the_box.queue().iter().filter(|story| story.state != State::Planned).count();
        let from = the_box.now;
        the_box.live_for(days(3));
        let filled = the_box.deliveries_since(from);
        // Only what a wrong clock has really sent ahead is not sent again.
        let sent_ahead = the_box.history().iter().filter(|end| {
            end.withdrawn.is_none() && end.slot.is_some() && end.due_at > from && end.due_at <= the_box.now && end.ended_at > the_box.now
        }).count();
        prop_assert!(filled + sent_ahead + 1 >= 9, "{filled} sent, {sent_ahead} sent ahead, {before} before");
        prop_assert_eq!(the_box.alert("overdue"), None);
        the_box.audit();
    }
}
