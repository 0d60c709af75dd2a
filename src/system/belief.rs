//! Whether the time of day is to be believed. Four witnesses are heard, and none of them decides alone that a clock is wrong
//! which two others call right:
//!
//! * the *records*: the latest time ever recorded, carried on by the steady clock as far as this process knows. The time is
//!   `near` them if it is not before them, and at most a [day](FAR) after them; else it is `behind` or `ahead`.
//! * the *system*: whether its clock is synchronised. A time server may be wrong, and a board may be given a wrong one.
//! * a *server outside*: the `Date` of its answers, see [`reference_time`](super::reference_time). It agrees within
//!   [ten minutes](AGREES), and speaks for the records if it is near them itself.
//! * a *person*, who puts the time on record: then it is near.
//!
//! | the time is | synchronised | the server says     | verdict                                                  |
//! |-------------|--------------|---------------------|----------------------------------------------------------|
//! | near        | either       | nothing, or agrees  | believed                                                 |
//! | near        | either       | another time        | believed and told: the server is alone                   |
//! | behind      | either       | agrees              | believed: the records were written by a wrong clock      |
//! | behind      | yes          | nothing             | believed: the same                                       |
//! | behind      | yes          | a time near records | not believed: two against one                            |
//! | behind      | yes          | any other time      | believed and told: the three differ, the system rules    |
//! | behind      | no           | nothing, or another | not believed                                             |
//! | ahead       | either       | agrees              | believed                                                 |
//! | ahead       | yes          | nothing             | believed                                                 |
//! | ahead       | yes          | a time near records | not believed: two against one                            |
//! | ahead       | yes          | any other time      | believed and told                                        |
//! | ahead       | no           | nothing, or another | not believed                                             |
//!
//! Where nothing is on record, a time after the day this version was made is near, and an earlier one is behind; a clock that
//! is not synchronised and that the server contradicts is not believed.
//!
//! A lie of the server's alone can so have a box wait only where the records speak against the clock too, and never has it
//! send at a wrong time: a synchronised clock near the records is believed whatever the server says.

use jiff::{SignedDuration, Timestamp};

use super::clock::RELEASED;

/// How far the time may be ahead of the records before somebody has to vouch for it.
pub const FAR: SignedDuration = SignedDuration::from_hours(24);
/// How far the clock and a server may be apart and still agree.
pub const AGREES: SignedDuration = SignedDuration::from_mins(10);
/// Two tasks that read the clock at nearly the same time may come here in either order; that is no step back.
const SLACK: SignedDuration = SignedDuration::from_mins(1);

/// What the witnesses say.
#[derive(Clone, Copy, Debug)]
pub struct Witnesses {
    /// The time that the system's clock shows.
    pub now: Timestamp,
    /// The latest time on record.
    pub latest: Option<Timestamp>,
    /// The same, carried on by the steady clock since it was first seen.
    pub carried: Option<Timestamp>,
    /// Whether the system's clock is synchronised.
    pub synchronised: bool,
    /// What a server outside says.
    pub server: Option<Timestamp>,
}

/// Where a time is, by the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Where it is to be expected.
    Near,
    /// Before what is on record.
    Behind,
    /// Further ahead than this process has run.
    Ahead,
}

/// Whether the time is to be believed, and what speaks against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Where it is, by the records.
    pub place: Place,
    /// Whether it is believed.
    pub is_believed: bool,
    /// Whether a server says another time.
    pub is_contradicted: bool,
}

/// The verdict on the time, by the table above.
#[must_use]
pub fn judge(witnesses: &Witnesses) -> Verdict {
    let place = place(witnesses, witnesses.now);
    let synchronised = witnesses.synchronised;
    let agrees = |server: Timestamp| server.duration_since(witnesses.now).abs() <= AGREES;
    let agrees = witnesses.server.map(agrees);
    let speaks_for_records = witnesses
        .server
        .is_some_and(|server| self::place(witnesses, server) == Place::Near);
    let is_believed = match (place, agrees) {
        (_, Some(true)) => true,
        (Place::Near, Some(false)) if witnesses.latest.is_none() => synchronised,
        (Place::Near, _) => true,
        (_, None) => synchronised,
        (_, Some(false)) => synchronised && !speaks_for_records,
    };
    Verdict {
        place,
        is_believed,
        is_contradicted: agrees == Some(false),
    }
}

/// Where a time is, by the records.
fn place(witnesses: &Witnesses, time: Timestamp) -> Place {
    let Some(latest) = witnesses.latest else {
        return if time > RELEASED {
            Place::Near
        } else {
            Place::Behind
        };
    };
    let carried = witnesses.carried.unwrap_or(latest).max(latest);
    let not_before = latest.checked_sub(SLACK).unwrap_or(latest);
    if time <= not_before {
        Place::Behind
    } else if time.duration_since(carried) > FAR {
        Place::Ahead
    } else {
        Place::Near
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn latest() -> Timestamp {
        at("2027-05-05T12:00:00Z")
    }

    /// The times that a clock or a server may show; two hours have passed since the latest on record.
    const NEAR: &str = "2027-05-05T14:00:00Z";
    const BEHIND: &str = "2027-05-05T11:00:00Z";
    const LONG_BEHIND: &str = "2026-05-05T11:00:00Z";
    const AHEAD: &str = "2028-05-05T14:00:00Z";
    const FURTHER_AHEAD: &str = "2038-05-05T14:00:00Z";

    fn verdict(now: &str, synchronised: bool, server: Option<&str>) -> Verdict {
        judge(&Witnesses {
            now: at(now),
            latest: Some(latest()),
            carried: Some(latest() + SignedDuration::from_hours(2)),
            synchronised,
            server: server.map(at),
        })
    }

    #[test]
    fn each_row_of_the_table() {
        for (now, place, synchronised, server, is_believed) in [
            (NEAR, Place::Near, true, None, true),
            (NEAR, Place::Near, false, None, true),
            (NEAR, Place::Near, true, Some(NEAR), true),
            (NEAR, Place::Near, false, Some(NEAR), true),
            (NEAR, Place::Near, true, Some(AHEAD), true),
            (NEAR, Place::Near, false, Some(AHEAD), true),
            (NEAR, Place::Near, true, Some(LONG_BEHIND), true),
            (BEHIND, Place::Behind, true, Some(BEHIND), true),
            (BEHIND, Place::Behind, false, Some(BEHIND), true),
            (BEHIND, Place::Behind, true, None, true),
            (BEHIND, Place::Behind, true, Some(NEAR), false),
            (BEHIND, Place::Behind, true, Some(AHEAD), true),
            (BEHIND, Place::Behind, false, None, false),
            (BEHIND, Place::Behind, false, Some(NEAR), false),
            (BEHIND, Place::Behind, false, Some(AHEAD), false),
            (AHEAD, Place::Ahead, true, Some(AHEAD), true),
            (AHEAD, Place::Ahead, false, Some(AHEAD), true),
            (AHEAD, Place::Ahead, true, None, true),
            (AHEAD, Place::Ahead, true, Some(NEAR), false),
            (AHEAD, Place::Ahead, true, Some(FURTHER_AHEAD), true),
            (AHEAD, Place::Ahead, true, Some(LONG_BEHIND), true),
            (AHEAD, Place::Ahead, false, None, false),
            (AHEAD, Place::Ahead, false, Some(NEAR), false),
            (AHEAD, Place::Ahead, false, Some(FURTHER_AHEAD), false),
        ] {
            let case = format!("{now}, synchronised: {synchronised}, server: {server:?}");
            let expected = Verdict {
                place,
                is_believed,
                is_contradicted: server.is_some_and(|server| server != now),
            };
            assert_eq!(verdict(now, synchronised, server), expected, "{case}");
        }
    }

    #[test]
    fn the_borders_are_where_the_table_says() {
        let near = |now: &str| verdict(now, false, None).is_believed;
        assert!(!near("2027-05-05T11:59:00Z"));
        assert!(near("2027-05-05T11:59:01Z"), "two tasks in the wrong order");
        assert!(near("2027-05-06T14:00:00Z"), "a day after the steady clock");
        assert!(!near("2027-05-06T14:00:01Z"));
        let said = |server: &str| verdict(NEAR, true, Some(server)).is_contradicted;
        assert!(!said("2027-05-05T14:10:00Z") && !said("2027-05-05T13:50:00Z"));
        assert!(said("2027-05-05T14:10:01Z"));
    }

    #[test]
    fn where_nothing_is_on_record_the_release_is_the_border() {
        for (now, synchronised, server, is_believed) in [
            ("1970-01-01T00:01:00Z", false, None, false),
            ("1970-01-01T00:01:00Z", true, None, true),
            ("1970-01-01T00:01:00Z", true, Some(NEAR), false),
            ("2026-11-21T00:00:01Z", false, None, true),
            ("2026-11-21T00:00:01Z", false, Some(NEAR), false),
            ("2026-11-21T00:00:01Z", true, Some(NEAR), true),
            (
                "2026-11-20T23:59:59Z",
                false,
                Some("2026-11-20T23:59:59Z"),
                true,
            ),
        ] {
            let verdict = judge(&Witnesses {
                now: at(now),
                latest: None,
                carried: None,
                synchronised,
                server: server.map(at),
            });
            assert_eq!(
                verdict.is_believed, is_believed,
                "{now} {synchronised} {server:?}"
            );
        }
    }

    fn times() -> impl Strategy<Value = Timestamp> {
        let years = 4 * 366 * 24 * 3600_i64;
        (-years..years).prop_map(|seconds| latest() + SignedDuration::from_secs(seconds))
    }

    proptest! {
        #[test]
        fn no_lie_of_a_server_makes_a_right_and_synchronised_clock_wrong(
            ran in 0_i64..5_000_000, off in -3600_i64..86_400, server in prop::option::of(times()),
        ) {
            let carried = latest() + SignedDuration::from_secs(ran);
            let verdict = judge(&Witnesses {
                now: carried + SignedDuration::from_secs(off.max(-ran)),
                latest: Some(latest()),
                carried: Some(carried),
                synchronised: true,
                server,
            });
            prop_assert!(verdict.is_believed);
        }

        #[test]
        fn a_clock_far_from_the_records_needs_a_witness(now in times(), server in prop::option::of(times())) {
            let witnesses = Witnesses {
                now,
                latest: Some(latest()),
                carried: Some(latest()),
                synchronised: false,
                server,
            };
            let verdict = judge(&witnesses);
            let agrees = server.is_some_and(|server| server.duration_since(now).abs() <= AGREES);
            prop_assert_eq!(verdict.is_believed, verdict.place == Place::Near || agrees);
            // A second witness never makes a believed clock doubtful, if it agrees.
            let agreed = judge(&Witnesses { server: Some(now), ..witnesses });
            prop_assert!(agreed.is_believed && !agreed.is_contradicted);
        }
    }
}
