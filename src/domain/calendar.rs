//! The slots of a day: where in a team's hours its stories go. A slot is named by its local date and its ordinal, so the
//! same day always has the same slots, however often they are drawn and whatever was restarted in between.

use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::ids::TeamId;
use super::team::TeamSettings;

/// `Sat 21 Nov, 13:05`.
#[must_use]
pub fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%a %-d %b, %H:%M")
        .to_string()
}

/// The name of a slot, unique for ever within a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId {
    /// The local date on which the slot's window starts.
    pub date: Date,
    /// Its place in the day, from 0.
    pub ordinal: u32,
}

impl fmt::Display for SlotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} slot {}", self.date, self.ordinal + 1)
    }
}

/// A place in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its name.
    pub id: SlotId,
    /// When it is due.
    pub at: Timestamp,
    /// How far the slots of its day lie apart before they are moved.
    pub interval: SignedDuration,
}

/// Two automatic deliveries are never closer than this, or than half the interval where that is less.
const WIDEST_SPACING: SignedDuration = SignedDuration::from_mins(20);

impl Slot {
    /// The least time between an automatic delivery and this one.
    #[must_use]
    pub fn minimum_spacing(&self) -> SignedDuration {
        // Whole milliseconds, as the records have the moments that it is added to.
        let half_ms = self.interval.as_millis() / 2;
        WIDEST_SPACING.min(SignedDuration::from_millis_i128(half_ms))
    }
}

/// The slots of one local day, in order.
///
/// They are evenly spaced over the real length of the window (so a day with a clock change has as many as any other),
/// each moved by a jitter that team, date and ordinal decide: at most `jitter_minutes` and at most a quarter of the
/// interval, which keeps them in order and at least half an interval apart. None leaves the window.
#[must_use]
pub fn slots_of_day(team: TeamId, settings: &TeamSettings, date: Date) -> Vec<Slot> {
    let Some((start, length)) = window_of_day(settings, date) else {
        return Vec::new();
    };
    let count = settings.posts_per_day.max(1);
    // Whole milliseconds, as the records have them: a slot read back must be the slot that was drawn.
    let interval_ms = i64::try_from(length.as_millis() / i128::from(count)).unwrap_or(i64::MAX);
    let interval = SignedDuration::from_millis(interval_ms);
    let widest = SignedDuration::from_mins(i64::from(settings.jitter_minutes))
        .min(SignedDuration::from_millis(interval_ms / 4));
    (0..count)
        .filter_map(|ordinal| {
            let offset = SignedDuration::from_millis(interval_ms.checked_mul(ordinal.into())?);
            let even = start.checked_add(offset).ok()?;
            let jitter = jitter(team, date, ordinal, widest);
            // The first slot may only move away from the window's start.
            let jitter = if ordinal == 0 { jitter.abs() } else { jitter };
            Some(Slot {
                id: SlotId { date, ordinal },
                at: even.checked_add(jitter).ok()?,
                interval,
            })
        })
        .collect()
}

/// The slot of a name, as the calendar has it now; nothing if these settings have no such slot.
#[must_use]
pub fn slot_named(team: TeamId, settings: &TeamSettings, id: SlotId) -> Option<Slot> {
    slots_of_day(team, settings, id.date)
        .into_iter()
        .find(|slot| slot.id == id)
}

/// The least time between an automatic delivery and another one around `at`.
#[must_use]
pub fn minimum_spacing(team: TeamId, settings: &TeamSettings, at: Timestamp) -> SignedDuration {
    let date = at.to_zoned(settings.timezone.clone()).date();
    slots_of_day(team, settings, date)
        .first()
        .map_or(WIDEST_SPACING, Slot::minimum_spacing)
}

/// All slots with `after < at <= until`, in order of time.
#[must_use]
pub fn slots_between(
    team: TeamId,
    settings: &TeamSettings,
    after: Timestamp,
    until: Timestamp,
) -> Vec<Slot> {
    let zone = &settings.timezone;
    // A window may begin on the day before and end on the day after; zones never shift a slot further than that.
    let first = after.to_zoned(zone.clone()).date().saturating_sub(2.days());
    let last = until.to_zoned(zone.clone()).date().saturating_add(1.days());
    let mut slots: Vec<Slot> = first
        .series(1.day())
        .take_while(|date| *date <= last)
        .flat_map(|date| slots_of_day(team, settings, date))
        .filter(|slot| after < slot.at && slot.at <= until)
        .collect();
    slots.sort_by_key(|slot| (slot.at, slot.id));
    slots
}

/// The first moment from `from` on that lies in the team's hours.
#[must_use]
pub fn next_in_window(settings: &TeamSettings, from: Timestamp) -> Timestamp {
    let today = from.to_zoned(settings.timezone.clone()).date();
    // The window of the day before may reach over midnight.
    let days = today.saturating_sub(1.days()).series(1.day()).take(3);
    let windows = days.filter_map(|date| window_of_day(settings, date));
    windows
        .filter(|(opens, length)| from.duration_since(*opens) < *length)
        .map(|(opens, _)| opens.max(from))
        .min()
        .unwrap_or(from)
}

/// When the window of a date starts, and how long it really is. Nothing only at the very edge of the calendar.
fn window_of_day(settings: &TeamSettings, date: Date) -> Option<(Timestamp, SignedDuration)> {
    let window = settings.window;
    let end_date = if window.end <= window.start {
        date.tomorrow().ok()?
    } else {
        date
    };
    let (start, end) = (
        date.to_datetime(window.start),
        end_date.to_datetime(window.end),
    );
    let instant = |local| {
        settings
            .timezone
            .to_ambiguous_timestamp(local)
            .compatible()
            .ok()
    };
    let opens = instant(start)?;
    let real = instant(end)?.duration_since(opens);
    // A window that lies wholly in the hour a clock change leaves out keeps its nominal length.
    let length = if real.is_positive() {
        real
    } else {
        end.duration_since(start)
    };
    Some((opens, length))
}

fn jitter(team: TeamId, date: Date, ordinal: u32, widest: SignedDuration) -> SignedDuration {
    let widest_ms = widest.as_millis();
    if widest_ms <= 0 {
        return SignedDuration::ZERO;
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(team.as_bytes());
    hasher.update(date.to_string().as_bytes());
    hasher.update(&ordinal.to_le_bytes());
    let hash = hasher.finalize();
    let seed = hash.as_bytes()[..8]
        .iter()
        .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    let drawn = i128::from(seed) % (2 * widest_ms + 1) - widest_ms;
    SignedDuration::from_millis(i64::try_from(drawn).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Time, date};
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::team::Window;

    fn team() -> TeamId {
        TeamId::from_bytes([7; 16])
    }

    fn settings(
        zone: &str,
        count: u32,
        start: Time,
        end: Time,
        jitter_minutes: u32,
    ) -> TeamSettings {
        TeamSettings {
            timezone: TimeZone::get(zone).expect("a zone"),
            posts_per_day: count,
            window: Window { start, end },
            jitter_minutes,
            ..TeamSettings::default()
        }
    }

    #[test]
    fn a_moment_outside_of_the_hours_is_put_to_their_next_beginning() {
        let day = settings(
            "UTC",
            3,
            Time::constant(9, 0, 0, 0),
            Time::constant(21, 0, 0, 0),
            0,
        );
        let night = settings(
            "UTC",
            3,
            Time::constant(21, 0, 0, 0),
            Time::constant(3, 0, 0, 0),
            0,
        );
        let always = settings("UTC", 3, Time::midnight(), Time::midnight(), 0);
        for (settings, from, then) in [
            (&day, "2027-01-04T08:00:00Z", "2027-01-04T09:00:00Z"),
            (&day, "2027-01-04T20:59:00Z", "2027-01-04T20:59:00Z"),
            (&day, "2027-01-04T21:00:00Z", "2027-01-05T09:00:00Z"),
            (&night, "2027-01-04T02:59:00Z", "2027-01-04T02:59:00Z"),
            (&night, "2027-01-04T03:00:00Z", "2027-01-04T21:00:00Z"),
            (&always, "2027-01-04T03:00:00Z", "2027-01-04T03:00:00Z"),
        ] {
            assert_eq!(
                next_in_window(settings, from.parse().unwrap()),
                then.parse().unwrap()
            );
        }
    }

    #[test]
    fn three_a_day_without_jitter_are_at_nine_one_and_five() {
        let settings = settings(
            "UTC",
            3,
            Time::constant(9, 0, 0, 0),
            Time::constant(21, 0, 0, 0),
            0,
        );
        let at: Vec<String> = slots_of_day(team(), &settings, date(2026, 11, 21))
            .iter()
            .map(|slot| slot.at.to_string())
            .collect();
        assert_eq!(
            at,
            [
                "2026-11-21T09:00:00Z",
                "2026-11-21T13:00:00Z",
                "2026-11-21T17:00:00Z"
            ]
        );
    }

    #[test]
    fn a_window_across_midnight_belongs_to_the_day_it_starts_in() {
        let settings = settings(
            "Europe/Berlin",
            2,
            Time::constant(22, 0, 0, 0),
            Time::constant(2, 0, 0, 0),
            0,
        );
        let slots = slots_of_day(team(), &settings, date(2026, 11, 21));
        assert_eq!(slots[0].at.to_string(), "2026-11-21T21:00:00Z");
        assert_eq!(slots[1].at.to_string(), "2026-11-21T23:00:00Z");
        assert!(slots.iter().all(|slot| slot.id.date == date(2026, 11, 21)));
    }

    #[test]
    fn equal_times_mean_the_whole_day() {
        let nine = Time::constant(9, 0, 0, 0);
        let settings = settings("UTC", 24, nine, nine, 0);
        let slots = slots_of_day(team(), &settings, date(2026, 11, 21));
        assert_eq!(slots[0].interval, SignedDuration::from_hours(1));
        assert_eq!(slots[23].at.to_string(), "2026-11-22T08:00:00Z");
    }

    #[test]
    fn a_window_inside_the_hour_that_spring_leaves_out_still_has_its_slots() {
        let settings = settings(
            "Europe/Berlin",
            2,
            Time::constant(2, 0, 0, 0),
            Time::constant(3, 0, 0, 0),
            0,
        );
        let slots = slots_of_day(team(), &settings, date(2027, 3, 28));
        assert_eq!(
            slots[1].at.duration_since(slots[0].at),
            SignedDuration::from_mins(30)
        );
    }

    fn zones() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "UTC",
            "Europe/Berlin",
            "America/New_York",
            "Australia/Lord_Howe",
            "Asia/Kathmandu",
            "America/St_Johns",
            "Africa/Casablanca",
            "Pacific/Auckland",
        ])
    }

    fn any_time() -> impl Strategy<Value = Time> {
        (0_i8..24, 0_i8..60).prop_map(|(hour, minute)| Time::constant(hour, minute, 0, 0))
    }

    proptest! {
        #[test]
        fn every_stretch_of_days_has_exactly_its_slots_in_order_and_apart(
            zone in zones(), count in 1_u32..=50, start in any_time(), end in any_time(),
            jitter in 0_u32..120, day in 0_i32..1000,
        ) {
            let settings = settings(zone, count, start, end, jitter);
            let first = date(2026, 1, 1).checked_add(day.days()).expect("a date");
            let days: Vec<Vec<Slot>> = first.series(1.day()).take(9).map(|date| slots_of_day(team(), &settings, date)).collect();
            let all: Vec<Slot> = days.concat();
            prop_assert_eq!(all.len(), 9 * count as usize);
            for pair in all.windows(2) {
                let gap = pair[1].at.duration_since(pair[0].at);
                prop_assert!(gap >= pair[1].minimum_spacing().min(pair[0].minimum_spacing()), "{:?}", pair);
            }
            prop_assert!(all.iter().all(|slot| slot.at.subsec_nanosecond() % 1_000_000 == 0));
            for (slots, date) in days.iter().zip(first.series(1.day())) {
                let (opens, length) = window_of_day(&settings, date).expect("a window");
                prop_assert!(slots.iter().all(|slot| slot.at >= opens && slot.at.duration_since(opens) < length.max(SignedDuration::from_secs(1))));
            }
        }

        #[test]
        fn pieces_of_time_give_each_slot_once(
            zone in zones(), count in 1_u32..=50, start in any_time(), end in any_time(), steps in prop::collection::vec(1_i64..100_000, 1..40),
        ) {
            let settings = settings(zone, count, start, end, 30);
            let from: Timestamp = "2026-03-20T00:00:00Z".parse().expect("a time");
            let mut now = from;
            let mut pieces = Vec::new();
            for step in steps {
                let next = now + SignedDuration::from_secs(step);
                pieces.extend(slots_between(team(), &settings, now, next));
                now = next;
            }
            prop_assert_eq!(pieces, slots_between(team(), &settings, from, now));
        }
    }
}
