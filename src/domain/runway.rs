//! The runway: how many days the pictures last at the pace of the plan, counting those that rest now and come back.

use std::collections::BTreeMap;

/// How far ahead is looked, in days. What lasts longer, lasts.
pub const FARTHEST_DAYS: u32 = 60;
/// With so many days left, or fewer, somebody is told.
pub const LEVELS_DAYS: [u32; 3] = [0, 2, 7];
/// Shares are parts of this.
const WHOLE_PPM: u64 = 1_000_000;

/// What may be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stock {
    /// Media that may be shown from today on.
    pub ready: u64,
    /// Media that rest and may be shown again, by the number of days until then, from 1.
    pub returning: BTreeMap<u32, u64>,
}

impl Stock {
    /// Both together.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        self.ready += other.ready;
        for (days, count) in &other.returning {
            *self.returning.entry(*days).or_default() += count;
        }
        self
    }

    /// For how many whole days there is something for every slot; nothing if no end is in sight. `share_ppm` of
    /// `stories_a_day` are shown each day, and what was shown rests for `rest_days`.
    #[must_use]
    pub fn lasts_days(&self, stories_a_day: u32, share_ppm: u32, rest_days: u32) -> Option<u32> {
        // In millionths of a story, or a share of a third would never come out even.
        let a_day = u64::from(stories_a_day) * u64::from(share_ppm);
        let rest_days = rest_days.max(1);
        let mut left = self.ready * WHOLE_PPM;
        for day in 0..FARTHEST_DAYS {
            let back = self
                .returning
                .get(&day)
                .map_or(0, |count| count * WHOLE_PPM);
            // What was shown on a day that is so long ago.
            let shown_again = if day >= rest_days { a_day } else { 0 };
            left += back + shown_again;
            left = match left.checked_sub(a_day) {
                Some(left) => left,
                None => return Some(day),
            };
        }
        None
    }
}

/// How urgent it is to tell of a stock that lasts so long: the fewest days of 7, 2 and 0 that are reached. One that was told
/// of stands until there is a day more, so that nobody is told back and forth.
#[must_use]
pub fn level(lasts_days: u32, told: Option<u32>) -> Option<u32> {
    let reached = LEVELS_DAYS.into_iter().find(|level| lasts_days <= *level);
    let still = told.filter(|told| lasts_days <= told + 1 && reached.is_none_or(|it| it > *told));
    still.or(reached)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stock(ready: u64, returning: &[(u32, u64)]) -> Stock {
        Stock {
            ready,
            returning: returning.iter().copied().collect(),
        }
    }

    #[test]
    fn a_stock_lasts_as_long_as_every_slot_has_something() {
        let all = 1_000_000;
        for (stock, stories_a_day, share_ppm, rest_days, days) in [
            (stock(0, &[]), 3, all, 30, Some(0)),
            (stock(2, &[]), 3, all, 30, Some(0)),
            (stock(3, &[]), 3, all, 30, Some(1)),
            (stock(20, &[]), 3, all, 30, Some(6)),
            (stock(20, &[]), 3, 100_000, 70, None),
            (stock(20, &[]), 3, 333_333, 30, Some(20)),
            // Comes back in time, or a day late.
            (stock(6, &[(2, 300)]), 3, all, 30, None),
            (stock(6, &[(3, 300)]), 3, all, 30, Some(2)),
            // As many as are shown in a month, over and over.
            (stock(90, &[]), 3, all, 30, None),
            (stock(89, &[]), 3, all, 30, Some(29)),
            (stock(3, &[]), 3, all, 0, None),
        ] {
            let lasts = stock.lasts_days(stories_a_day, share_ppm, rest_days);
            assert_eq!(lasts, days, "{stock:?} {share_ppm}");
        }
    }

    #[test]
    fn somebody_is_told_at_seven_two_and_no_days_and_not_back_and_forth() {
        for (lasts, told, now) in [
            (8, None, None),
            (7, None, Some(7)),
            (3, Some(7), Some(7)),
            (2, Some(7), Some(2)),
            (0, Some(2), Some(0)),
            (1, Some(0), Some(0)),
            (3, Some(2), Some(2)),
            (4, Some(2), Some(7)),
            (8, Some(7), Some(7)),
            (9, Some(7), None),
        ] {
            assert_eq!(level(lasts, told), now, "{lasts:?} {told:?}");
        }
    }
}
