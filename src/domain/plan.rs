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
use super::lookalike::{Lookalike, Showing, Shown};
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
    /// What it looks like, if that is known.
    pub lookalike: Option<Lookalike>,
}

impl Candidate {
    /// Never posted, then longest ago, then least often, then shuffled.
    fn order(&self) -> (Option<Timestamp>, u32, Fingerprint) {
        (self.last_posted_at, self.posted_count, self.fingerprint)
    }

    /// It, shown at that time; nothing if its look is not known.
    #[must_use]
    pub fn showing(&self, at: Timestamp) -> Option<Showing> {
        let (media, lookalike) = (self.media, self.lookalike?);
        Some(Showing {
            media,
            lookalike,
            at,
        })
    }

    fn fits(&self, occasion: &Occasion<'_>) -> bool {
        let is_repetition = |showing| occasion.shown.is_repeated_by(&showing);
        self.free_from.is_none_or(|from| from <= occasion.at)
            && !self.showing(occasion.at).is_some_and(is_repetition)
    }
}

/// What a choice is made for.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'a> {
    /// When it is to be shown.
    pub at: Timestamp,
    /// The tags of the previous pick; others are preferred.
    pub previous_tags: &'a [String],
    /// What was shown lately or is about to be: nothing that looks alike is chosen.
    pub shown: &'a Shown,
    /// Whose turn it is, where that is settled; else the tally decides.
    pub turn: Option<&'a Category>,
}

/// None of the candidates at hand fits, and this category has more of them: they must be fetched to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Short(pub Category);

/// What may be chosen, by category, each in the order of choice.
#[derive(Clone, Debug, Default)]
pub struct Pool(BTreeMap<Category, Shelf>);

#[derive(Clone, Debug)]
struct Shelf {
    candidates: VecDeque<Candidate>,
    /// Whether no further candidates are known to whoever fills the pool.
    is_all: bool,
}

impl Shelf {
    fn first(&self, category: &Category, occasion: &Occasion<'_>) -> Result<Option<usize>, Short> {
        let first = self.candidates.iter().position(|it| it.fits(occasion));
        if first.is_none() && !self.is_all {
            return Err(Short(category.clone()));
        }
        Ok(first)
    }
}

impl Pool {
    /// Has a category offer these candidates and no others; `is_all` if there are no more of them.
    pub fn fill(&mut self, category: Category, mut candidates: Vec<Candidate>, is_all: bool) {
        candidates.sort_by_key(Candidate::order);
        candidates.dedup_by_key(|candidate| candidate.media);
        let candidates = candidates.into();
        self.0.insert(category, Shelf { candidates, is_all });
    }

    /// Takes the best candidate of a category.
    fn take(
        &mut self,
        category: &Category,
        occasion: &Occasion<'_>,
    ) -> Result<Option<Candidate>, Short> {
        let Some(shelf) = self.0.get_mut(category) else {
            return Ok(None);
        };
        let Some(first) = shelf.first(category, occasion)? else {
            return Ok(None);
        };
        let never_posted = shelf.candidates[first].last_posted_at.is_none();
        let repeats_tags = |candidate: &Candidate| {
            let mut tags = candidate.tags.iter();
            tags.any(|tag| occasion.previous_tags.contains(tag))
        };
        let chosen = shelf
            .candidates
            .iter()
            .enumerate()
            .skip(first)
            .take(TAG_LOOKAHEAD)
            .take_while(|(_, candidate)| candidate.last_posted_at.is_none() == never_posted)
            .filter(|(_, candidate)| candidate.fits(occasion))
            .find(|(_, candidate)| !repeats_tags(candidate))
            .map_or(first, |(index, _)| index);
        Ok(shelf.candidates.remove(chosen))
    }

    /// The category whose first fitting candidate comes first in the order of choice.
    fn foremost(&self, occasion: &Occasion<'_>) -> Result<Option<Category>, Short> {
        let mut foremost: Option<&Candidate> = None;
        for (category, shelf) in &self.0 {
            let first = shelf.first(category, occasion)?;
            foremost = foremost
                .into_iter()
                .chain(first.map(|index| &shelf.candidates[index]))
                .min_by_key(|candidate| candidate.order());
        }
        Ok(foremost.map(|first| first.category.clone()))
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
/// Whose turn it is, the tally decides; a slot that is drawn again keeps the turn it had.
///
/// # Errors
///
/// If it takes more candidates to tell; nothing was taken or noted then.
pub fn choose(
    pool: &mut Pool,
    tally: &mut Tally,
    occasion: &Occasion<'_>,
) -> Result<Option<Pick>, Short> {
    let mut order = tally.by_deficit();
    let kept = occasion.turn;
    if let Some(kept) = kept.and_then(|turn| order.iter().position(|category| category == turn)) {
        order[..=kept].rotate_right(1);
    }
    let mut candidate = None;
    for category in &order {
        candidate = pool.take(category, occasion)?;
        if candidate.is_some() {
            break;
        }
    }
    if candidate.is_none()
        && let Some(category) = pool.foremost(occasion)?
    {
        candidate = pool.take(&category, occasion)?;
    }
    Ok(candidate.map(|candidate| {
        let turn = order.first().unwrap_or(&candidate.category).clone();
        tally.note(&turn);
        Pick { candidate, turn }
    }))
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
            lookalike: None,
        }
    }

    fn pool(candidates: impl IntoIterator<Item = Candidate>) -> Pool {
        let mut pool = Pool::default();
        pool.fill(
            Category::new("memes"),
            candidates.into_iter().collect(),
            true,
        );
        pool
    }

    fn at(time: &str) -> Timestamp {
        format!("2026-11-21T{time}:00Z").parse().expect("a time")
    }

    /// Chooses at noon, after a cat.
    fn chosen(pool: &mut Pool, tally: &mut Tally, shown: &Shown) -> Result<Option<Pick>, Short> {
        let occasion = Occasion {
            at: at("12:00"),
            previous_tags: &["cat".into()],
            shown,
            turn: None,
        };
        choose(pool, tally, &occasion)
    }

    fn number(pick: Result<Option<Pick>, Short>) -> Option<u8> {
        let numbers = 0..=u8::MAX;
        let media = pick.expect("enough candidates")?.candidate.media;
        numbers
            .into_iter()
            .find(|number| media == MediaId::from_bytes([*number; 16]))
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
        let mut pool = pool([
            candidate(1, "memes", &["cat"]),
            candidate(2, "memes", &["dog"]),
        ]);
        let pick = chosen(&mut pool, &mut Tally::default(), &Shown::default());
        assert_eq!(number(pick), Some(2));
    }

    #[test]
    fn a_repeated_tag_is_better_than_an_old_story() {
        let mut old = candidate(2, "memes", &["dog"]);
        old.last_posted_at = Some(Timestamp::UNIX_EPOCH);
        let mut pool = pool([candidate(1, "memes", &["cat"]), old]);
        let pick = chosen(&mut pool, &mut Tally::default(), &Shown::default());
        assert_eq!(number(pick), Some(1));
    }

    #[test]
    fn a_lock_that_ends_before_the_slot_does_not_count() {
        for (free_from, expected) in [("12:01", None), ("12:00", Some(1))] {
            let mut held = candidate(1, "memes", &[]);
            held.free_from = Some(at(free_from));
            let pick = chosen(&mut pool([held]), &mut Tally::default(), &Shown::default());
            assert_eq!(number(pick), expected);
        }
    }

    #[test]
    fn an_empty_category_lets_another_step_in_and_has_had_its_turn() {
        let mut pool = pool([candidate(1, "memes", &[]), candidate(2, "memes", &[])]);
        let mut tally = mix(&[("memes", 300_000), ("merch", 700_000)]);
        let pick = chosen(&mut pool, &mut tally, &Shown::default());
        let pick = pick.expect("enough candidates").expect("a pick");
        assert!(pick.fell_through());
        assert_eq!(pick.turn.as_str(), "merch");
        assert_eq!(tally.by_deficit()[0].as_str(), "memes");
    }

    #[test]
    fn what_looks_like_something_shown_lately_waits() {
        let look = |bits: u64| Some(Lookalike::from_bits(bits));
        let mut alike = candidate(1, "memes", &[]);
        alike.lookalike = look(0b0111);
        let mut other = candidate(2, "memes", &[]);
        other.lookalike = look(u64::MAX);
        let mut shown_one = candidate(3, "memes", &[]);
        shown_one.lookalike = look(0b1111);
        let shown = Shown::new(shown_one.showing(at("09:00")).into_iter().collect());
        let mut pool = pool([alike.clone(), other]);
        assert_eq!(
            number(chosen(&mut pool, &mut Tally::default(), &shown)),
            Some(2)
        );
        assert_eq!(
            number(chosen(&mut pool, &mut Tally::default(), &shown)),
            None
        );
        // Nothing is chosen and nothing skipped before all candidates were seen.
        pool.fill(Category::new("memes"), vec![alike], false);
        let mut tally = mix(&[("merch", 500_000), ("memes", 500_000)]);
        let short = Short(Category::new("memes"));
        assert_eq!(chosen(&mut pool, &mut tally, &shown), Err(short));
        assert!(tally.had.is_empty());
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
