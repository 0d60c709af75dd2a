//! The choice: which media goes into which slot. One pure function serves the plan that is kept and the preview that is
//! shown, so the preview is what happens.
//!
//! Whose turn it is, is decided by the mix: the category that lags furthest behind its share. Within it: never posted, then
//! longest ago, then least often, then shuffled. The shuffle is the order of the fingerprints: a hash is as good as a die,
//! and it falls the same way for everybody who asks.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use super::category::Category;
use super::ids::MediaId;
use super::media::Fingerprint;

/// How far down the order the choice looks for a media whose tags differ from the previous pick's.
const TAG_LOOKAHEAD: usize = 20;

/// A media that may be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Which media.
    pub media: MediaId,
    /// The hash of its content, by which equals are shuffled.
    pub fingerprint: Fingerprint,
    /// Its category.
    pub category: Category,
    /// Its tags.
    pub tags: Vec<String>,
    /// When it was last posted, if ever.
    pub last_posted_at: Option<Timestamp>,
    /// How often it was posted.
    pub posted_count: u32,
    /// The moment its last lock ends; it fits slots from then on.
    pub free_from: Option<Timestamp>,
}

impl Candidate {
    /// Never posted, then longest ago, then least often, then shuffled.
    fn order(&self) -> (Option<Timestamp>, u32, Fingerprint) {
        (self.last_posted_at, self.posted_count, self.fingerprint)
    }
}

/// All that may be chosen, by category, each in the order of choice.
#[derive(Clone, Debug, Default)]
pub struct Pool(BTreeMap<Category, VecDeque<Candidate>>);

impl Pool {
    /// A pool of these candidates.
    #[must_use]
    pub fn new(candidates: impl IntoIterator<Item = Candidate>) -> Self {
        let mut candidates: Vec<Candidate> = candidates.into_iter().collect();
        candidates.sort_by_key(Candidate::order);
        candidates.dedup_by_key(|candidate| candidate.media);
        let mut by_category: BTreeMap<Category, VecDeque<Candidate>> = BTreeMap::new();
        for candidate in candidates {
            by_category
                .entry(candidate.category.clone())
                .or_default()
                .push_back(candidate);
        }
        Self(by_category)
    }

    /// Takes the best candidate of a category for a slot at that time.
    fn take(&mut self, category: &Category, at: Timestamp, avoid: &[String]) -> Option<Candidate> {
        let candidates = self.0.get_mut(category)?;
        let fits = |candidate: &Candidate| candidate.free_from.is_none_or(|from| from <= at);
        let first = candidates.iter().position(fits)?;
        let never_posted = candidates[first].last_posted_at.is_none();
        let chosen = candidates
            .iter()
            .enumerate()
            .skip(first)
            .take(TAG_LOOKAHEAD)
            .take_while(|(_, candidate)| candidate.last_posted_at.is_none() == never_posted)
            .filter(|(_, candidate)| fits(candidate))
            .find(|(_, candidate)| !candidate.tags.iter().any(|tag| avoid.contains(tag)))
            .map_or(first, |(index, _)| index);
        candidates.remove(chosen)
    }

    /// The category whose first fitting candidate comes first in the order of choice.
    fn foremost(&self, at: Timestamp) -> Option<Category> {
        self.0
            .values()
            .filter_map(|candidates| {
                candidates
                    .iter()
                    .find(|candidate| candidate.free_from.is_none_or(|from| from <= at))
            })
            .min_by_key(|first| first.order())
            .map(|first| first.category.clone())
    }
}

/// The wanted share of each category, in parts per million, and how many stories each has had since the mix was set.
///
/// A story counts for the category *whose turn it was*, even if another had to step in: a category that was empty for a
/// month has had its turns, and does not flood the team when it is filled again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Wanted share of each category, in parts per million; empty means that any category will do.
    pub wanted_ppm: BTreeMap<Category, u32>,
    /// Stories so far, by the category whose turn it was.
    pub had: BTreeMap<Category, u64>,
}

impl Tally {
    /// The categories of the mix, the one that lags furthest behind its share first.
    #[must_use]
    pub fn by_deficit(&self) -> Vec<Category> {
        let total: u64 = self
            .wanted_ppm
            .keys()
            .map(|category| self.count(category))
            .sum();
        let deficit = |category: &Category, ppm: u32| {
            i128::from(ppm) * i128::from(total + 1) - 1_000_000 * i128::from(self.count(category))
        };
        let mut lagging: Vec<(i128, &Category)> = self
            .wanted_ppm
            .iter()
            .filter(|(_, ppm)| **ppm > 0)
            .map(|(category, ppm)| (-deficit(category, *ppm), category))
            .collect();
        lagging.sort();
        lagging
            .into_iter()
            .map(|(_, category)| category.clone())
            .collect()
    }

    /// Notes that this category had its turn.
    pub fn note(&mut self, turn: &Category) {
        *self.had.entry(turn.clone()).or_default() += 1;
    }

    fn count(&self, category: &Category) -> u64 {
        self.had.get(category).copied().unwrap_or(0)
    }
}

/// A media chosen for a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// What was chosen.
    pub candidate: Candidate,
    /// Whose turn it was; another category than the candidate's if that one was empty.
    pub turn: Category,
}

impl Pick {
    /// Whether another category had to step in for the one whose turn it was.
    #[must_use]
    pub fn fell_through(&self) -> bool {
        self.turn != self.candidate.category
    }
}

/// Chooses for one slot; takes the choice out of the pool and notes the turn. Nothing if nothing fits.
///
/// Whose turn it is, the tally decides; a slot that is drawn again keeps the `turn` it had.
pub fn choose(
    pool: &mut Pool,
    tally: &mut Tally,
    at: Timestamp,
    previous_tags: &[String],
    turn: Option<&Category>,
) -> Option<Pick> {
    let mut order = tally.by_deficit();
    if let Some(kept) = turn.and_then(|turn| order.iter().position(|category| category == turn)) {
        order[..=kept].rotate_right(1);
    }
    let candidate = order
        .iter()
        .find_map(|category| pool.take(category, at, previous_tags))
        .or_else(|| {
            let category = pool.foremost(at)?;
            pool.take(&category, at, previous_tags)
        })?;
    let turn = order.first().unwrap_or(&candidate.category).clone();
    tally.note(&turn);
    Some(Pick { candidate, turn })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn candidate(number: u8, category: &str, tags: &[&str]) -> Candidate {
        Candidate {
            media: MediaId::from_bytes([number; 16]),
            fingerprint: Fingerprint::from_bytes([number; 32]),
            category: Category::new(category),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            last_posted_at: None,
            posted_count: 0,
            free_from: None,
        }
    }

    fn mix(shares: &[(&str, u32)]) -> Tally {
        Tally {
            wanted_ppm: shares
                .iter()
                .map(|(name, ppm)| (Category::new(name), *ppm))
                .collect(),
            had: BTreeMap::new(),
        }
    }

    #[test]
    fn other_tags_than_the_previous_picks_are_preferred() {
        let mut pool = Pool::new([
            candidate(1, "memes", &["cat"]),
            candidate(2, "memes", &["dog"]),
        ]);
        let pick = choose(
            &mut pool,
            &mut Tally::default(),
            Timestamp::UNIX_EPOCH,
            &["cat".into()],
            None,
        );
        assert_eq!(
            pick.expect("a pick").candidate.media,
            MediaId::from_bytes([2; 16])
        );
    }

    #[test]
    fn a_repeated_tag_is_better_than_an_old_story() {
        let mut old = candidate(2, "memes", &["dog"]);
        old.last_posted_at = Some(Timestamp::UNIX_EPOCH);
        let mut pool = Pool::new([candidate(1, "memes", &["cat"]), old]);
        let pick = choose(
            &mut pool,
            &mut Tally::default(),
            Timestamp::UNIX_EPOCH,
            &["cat".into()],
            None,
        );
        assert_eq!(
            pick.expect("a pick").candidate.media,
            MediaId::from_bytes([1; 16])
        );
    }

    #[test]
    fn a_lock_that_ends_before_the_slot_does_not_count() {
        let mut held = candidate(1, "memes", &[]);
        held.free_from = Some("2026-11-21T12:00:00Z".parse().expect("a time"));
        let mut pool = Pool::new([held]);
        let mut tally = Tally::default();
        let before = "2026-11-21T11:00:00Z".parse().expect("a time");
        let after = "2026-11-21T12:00:00Z".parse().expect("a time");
        assert_eq!(choose(&mut pool, &mut tally, before, &[], None), None);
        assert!(choose(&mut pool, &mut tally, after, &[], None).is_some());
    }

    #[test]
    fn an_empty_category_lets_another_step_in_and_has_had_its_turn() {
        let mut pool = Pool::new([candidate(1, "memes", &[]), candidate(2, "memes", &[])]);
        let mut tally = mix(&[("memes", 300_000), ("merch", 700_000)]);
        let pick = choose(&mut pool, &mut tally, Timestamp::UNIX_EPOCH, &[], None).expect("a pick");
        assert!(pick.fell_through());
        assert_eq!(pick.turn.as_str(), "merch");
        assert_eq!(tally.by_deficit()[0].as_str(), "memes");
    }

    proptest! {
        #[test]
        fn the_real_share_stays_within_half_a_story_a_category_of_the_wanted_one(weights in prop::collection::vec(1_u32..100, 1..7)) {
            let sum: u32 = weights.iter().sum();
            let mut wanted: Vec<u32> = weights.iter().map(|weight| weight * 1_000_000 / sum).collect();
            wanted[0] += 1_000_000 - wanted.iter().sum::<u32>();
            let mut tally = Tally {
                wanted_ppm: wanted.iter().enumerate().map(|(index, ppm)| (Category::new(&format!("c{index}")), *ppm)).collect(),
                had: BTreeMap::new(),
            };
            for total in 1_u64..=300 {
                let turn = tally.by_deficit().remove(0);
                tally.note(&turn);
                for (category, ppm) in &tally.wanted_ppm {
                    let exact = f64::from(*ppm) / 1e6 * total as f64;
                    let bound = 1.0 + (wanted.len() as f64 - 1.0) / 2.0;
                    prop_assert!((tally.count(category) as f64 - exact).abs() < bound, "{category}: {exact} at {total}");
                }
            }
        }
    }
}
