//! A perceptual hash: sixty-four bits that stay nearly the same when a picture is saved anew, resized or lightly edited, and
//! are others for another picture.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::ids::MediaId;

/// What a picture looks like, in sixty-four bits. Two that differ in few of them look alike.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lookalike(u64);

impl Lookalike {
    /// The most bits in which two pictures differ that look alike.
    ///
    /// Measured on 113 photographs and cut-outs of photographs: saving anew (quality 30 to 95), resizing (25 to 200 %),
    /// brightness and contrast (±10 to 15 %) and greying never change more; cutting 1 % off each edge does for 5 of them, and
    /// a line of white text for 14, dark and plain ones. No two of them are nearer than 17, of 40 drawn products no two
    /// nearer than 11. Cards that differ only in their words are at least 9 apart, and decide against 10: calling two
    /// pictures one is worse than not noticing that they are.
    pub const MOST_DISTANCE: u32 = 8;

    /// The hash with these bits.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The sixty-four bits.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// In how many bits the two differ, 0 to 64.
    #[must_use]
    pub const fn distance(self, other: Self) -> u32 {
        (self.0 ^ other.0).count_ones()
    }

    /// Whether two pictures are most likely the same one, edited lightly or not at all.
    #[must_use]
    pub const fn is_alike(self, other: Self) -> bool {
        self.distance(other) <= Self::MOST_DISTANCE
    }
}

impl fmt::Display for Lookalike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Lookalike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How long look-alikes are kept apart.
pub const APART: SignedDuration = SignedDuration::from_hours(7 * 24);

/// One media before the team, at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Showing {
    /// Which media.
    pub media: MediaId,
    /// What it looks like.
    pub lookalike: Lookalike,
    /// When it was sent, or is to be.
    pub at: Timestamp,
}

/// What was shown lately, and what is about to be.
#[derive(Clone, Debug, Default)]
pub struct Shown(Vec<Showing>);

impl Shown {
    /// These showings.
    #[must_use]
    pub fn new(showings: Vec<Showing>) -> Self {
        Self(showings)
    }

    /// Adds one.
    pub fn note(&mut self, showing: Showing) {
        self.0.push(showing);
    }

    /// Takes one out.
    pub fn forget(&mut self, showing: &Showing) {
        self.0.retain(|other| other != showing);
    }

    /// Whether another media that looks alike is shown within seven days of this moment. The same media again is not
    /// meant: its locks say when that may be.
    #[must_use]
    pub fn is_repeated_by(&self, showing: &Showing) -> bool {
        self.alike(showing)
            .any(|other| other.at.duration_since(showing.at).abs() < APART)
    }

    /// Whether another media that looks alike is shown at all.
    #[must_use]
    pub fn has_alike(&self, showing: &Showing) -> bool {
        self.alike(showing).next().is_some()
    }

    fn alike(&self, showing: &Showing) -> impl Iterator<Item = &Showing> {
        self.0.iter().filter(|other| {
            other.media != showing.media && other.lookalike.is_alike(showing.lookalike)
        })
    }
}

/// The pictures that look alike, as groups of two or more of these indexes, each in order and the groups by their first.
/// Whoever is alike to one of a group belongs to it.
#[must_use]
pub fn groups(looks: &[Lookalike]) -> Vec<Vec<usize>> {
    let mut leader: Vec<usize> = (0..looks.len()).collect();
    for (index, one) in looks.iter().enumerate() {
        for other in 0..index {
            if leader[other] != leader[index] && one.is_alike(looks[other]) {
                let (kept, left) = (
                    leader[other].min(leader[index]),
                    leader[other].max(leader[index]),
                );
                for leader in &mut leader[..=index] {
                    if *leader == left {
                        *leader = kept;
                    }
                }
            }
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, leader) in leader.into_iter().enumerate() {
        groups.entry(leader).or_default().push(index);
    }
    groups
        .into_values()
        .filter(|group| group.len() > 1)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_alike_to_one_of_a_group_belongs_to_it() {
        let looks =
            [0, u64::MAX, 0b11 << 20, 0xffff, 0xff, !0 << 4, 0xffff_ffff].map(Lookalike::from_bits);
        assert_eq!(groups(&looks), [vec![0, 2, 3, 4], vec![1, 5]]);
        assert!(groups(&[]).is_empty());
    }

    #[test]
    fn a_look_is_repeated_by_another_media_within_seven_days() {
        let look = Lookalike::from_bits(0b1111);
        let at = |day: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * day);
        let showing = |number: u8, lookalike: Lookalike, day: i64| Showing {
            media: MediaId::from_bytes([number; 16]),
            lookalike,
            at: at(day),
        };
        let shown = Shown::new(vec![showing(1, look, 10)]);
        let alike = Lookalike::from_bits(0b0111);
        for day in [4, 10, 16] {
            assert!(shown.is_repeated_by(&showing(2, alike, day)), "{day}");
        }
        for day in [3, 17] {
            assert!(!shown.is_repeated_by(&showing(2, alike, day)), "{day}");
            assert!(shown.has_alike(&showing(2, alike, day)));
        }
        assert!(!shown.is_repeated_by(&showing(1, look, 10)), "itself");
        let other = Lookalike::from_bits(u64::MAX);
        assert!(!shown.has_alike(&showing(2, other, 10)));
    }

    #[test]
    fn few_differing_bits_are_alike() {
        let one = Lookalike::from_bits(0x0123_4567_89ab_cdef);
        assert!(one.is_alike(one));
        let near = Lookalike::from_bits(one.bits() ^ 0b1111_1111);
        assert_eq!((one.distance(near), one.is_alike(near)), (8, true));
        let far = Lookalike::from_bits(one.bits() ^ 0b1_1111_1111);
        assert_eq!((one.distance(far), one.is_alike(far)), (9, false));
    }
}
