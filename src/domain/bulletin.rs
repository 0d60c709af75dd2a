//! When a team is told something of the box's own accord: at a time of day, by the team's clock on the wall.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// What is later than this is left out: nobody wants the news of the morning at noon.
const LATE: SignedDuration = SignedDuration::from_hours(2);

/// Where a day stands that has its news at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hour {
    /// Its time has come, on this local day.
    Now(Date),
    /// It comes then.
    At(Timestamp),
    /// It went by.
    Over,
}

/// Whether it is time for what is told at this time of day. A time that a clock change leaves out comes when the clock has
/// been changed; one that comes twice counts the first time.
#[must_use]
pub fn hour(time: Time, zone: &TimeZone, now: Timestamp) -> Hour {
    let today = now.to_zoned(zone.clone()).date();
    let Ok(at) = zone
        .to_ambiguous_timestamp(today.to_datetime(time))
        .compatible()
    else {
        return Hour::Over;
    };
    if now < at {
        Hour::At(at)
    } else if now.duration_since(at) <= LATE {
        Hour::Now(today)
    } else {
        Hour::Over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_its_hour_once_whatever_the_clocks_do() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        for (time, now, then) in [
            ("08:00", "2027-01-04T06:59:59Z", "at 2027-01-04T07:00:00Z"),
            ("08:00", "2027-01-04T07:00:00Z", "now 2027-01-04"),
            ("08:00", "2027-01-04T09:00:00Z", "now 2027-01-04"),
            ("08:00", "2027-01-04T09:00:01Z", "over"),
            // In spring there is no half past two: it comes at half past three.
            ("02:30", "2027-03-28T01:29:00Z", "at 2027-03-28T01:30:00Z"),
            ("02:30", "2027-03-28T01:30:00Z", "now 2027-03-28"),
            // In autumn there are two, and the day is the same.
            ("02:30", "2027-10-31T00:30:00Z", "now 2027-10-31"),
            ("02:30", "2027-10-31T01:30:00Z", "now 2027-10-31"),
            // What was told before midnight is not told after it.
            ("23:30", "2027-01-04T23:10:00Z", "at 2027-01-05T22:30:00Z"),
        ] {
            let found = match hour(time.parse().unwrap(), &berlin, now.parse().unwrap()) {
                Hour::Now(day) => format!("now {day}"),
                Hour::At(at) => format!("at {at}"),
                Hour::Over => "over".to_owned(),
            };
            assert_eq!(found, then, "{time} at {now}");
        }
    }
}
