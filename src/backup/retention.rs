//! Which backups are kept: all of the last week, of those that are made every night one a week before that, and none that is
//! too old. The newest few always stay.

use jiff::{SignedDuration, Timestamp};

use super::{Backup, Reason};

/// How long every nightly one is kept.
const EACH: SignedDuration = SignedDuration::from_hours(24 * 7);
/// So many stay however old they are: a clock that was wrong for a night must not take them all.
const LATEST: usize = 7;
const WEEK_SECONDS: i64 = 7 * 24 * 3600;

/// Those that may go, of all there are, the newest first. A clock that is behind the newest of them is wrong, and none goes.
pub(super) fn spare(newest_first: &[Backup], keep_days: u32, now: Timestamp) -> Vec<&Backup> {
    let Some((latest, older)) = newest_first.split_at_checked(LATEST) else {
        return Vec::new();
    };
    if latest.first().is_none_or(|newest| newest.made_at > now) {
        return Vec::new();
    }
    let longest = SignedDuration::from_hours(24 * i64::from(keep_days));
    let week = |backup: &Backup| backup.made_at.as_second().div_euclid(WEEK_SECONDS);
    let mut kept_of = None;
    older
        .iter()
        .filter(|backup| {
            let age = now.duration_since(backup.made_at);
            if age > longest {
                return true;
            }
            if backup.reason != Reason::Nightly || age <= EACH {
                return false;
            }
            // The first that is met is the newest of its week.
            kept_of.replace(week(backup)) == Some(week(backup))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

    fn backup(days_ago: i64, reason: Reason) -> Backup {
        let made_at = NOW - SignedDuration::from_hours(24 * days_ago);
        Backup {
            name: format!("{days_ago} {}", reason.name()),
            path: "x".into(),
            made_at,
            reason,
            size_bytes: 1,
            opened: None,
        }
    }

    /// The ages of those that stay after every night of `nights`, in days.
    fn after(nights: i64, keep_days: u32) -> Vec<i64> {
        let mut kept: Vec<Backup> = Vec::new();
        for night in (0..nights).rev() {
            kept.insert(0, backup(night, Reason::Nightly));
            let now = NOW - SignedDuration::from_hours(24 * night);
            let spare: Vec<String> = spare(&kept, keep_days, now)
                .into_iter()
                .map(|backup| backup.name.clone())
                .collect();
            kept.retain(|backup| !spare.contains(&backup.name));
        }
        kept.iter()
            .map(|backup| NOW.duration_since(backup.made_at).as_hours() / 24)
            .collect()
    }

    #[test]
    fn every_night_of_a_week_and_then_one_a_week() {
        let ages = after(100, 30);
        assert_eq!(ages[..8], [0, 1, 2, 3, 4, 5, 6, 7]);
        let older = &ages[8..];
        assert!((3..=5).contains(&older.len()), "{ages:?}");
        assert!(
            older[1..].windows(2).all(|pair| pair[1] - pair[0] == 7),
            "{ages:?}"
        );
        assert!(older.iter().all(|age| *age <= 30), "{ages:?}");
    }

    #[test]
    fn the_newest_stay_however_old_and_nothing_goes_by_a_wrong_clock() {
        let old: Vec<Backup> = (400..408).map(|age| backup(age, Reason::Manual)).collect();
        let names =
            |spare: Vec<&Backup>| spare.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(spare(&old, 30, NOW)), ["407 manual"]);
        let long_ago = NOW - SignedDuration::from_hours(24 * 3650);
        assert!(spare(&old, 30, long_ago).is_empty());
        assert!(spare(&[], 30, NOW).is_empty());
    }

    #[test]
    fn those_of_an_upgrade_and_those_asked_for_are_all_kept_as_long_as_any() {
        let mut all: Vec<Backup> = (0..7).map(|age| backup(age, Reason::Nightly)).collect();
        all.extend([
            backup(20, Reason::Upgrade),
            backup(20, Reason::Manual),
            backup(20, Reason::Manual),
            backup(31, Reason::Upgrade),
        ]);
        let spare = spare(&all, 30, NOW);
        assert_eq!(spare.len(), 1);
        assert_eq!(spare[0].name, "31 upgrade");
    }
}
