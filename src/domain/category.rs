//! A category: the name of the first folder level of the library (`memes/`, `merch/`).

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

/// The category of files that lie in the library's root, beside the folders.
pub const UNSORTED: &str = "unsorted";

/// A category's name, as the folder is spelled; never empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Category(String);

impl Category {
    /// The category that is spelled so; an empty name is [`UNSORTED`].
    #[must_use]
    pub fn new(name: &str) -> Self {
        let name = name.trim();
        Self(if name.is_empty() { UNSORTED } else { name }.to_owned())
    }

    /// The category of the file at this path in the library (`memes/2025/cat.jpg` is in `memes`).
    #[must_use]
    pub fn of_path(path: &str) -> Self {
        Self::new(path.split_once('/').map_or("", |(folder, _)| folder))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A category's share of a mix, now or once.
#[derive(Clone, Debug, Serialize)]
pub struct Share {
    /// The category.
    #[serde(serialize_with = "super::media::as_text")]
    pub category: Category,
    /// Its share, in parts per million.
    pub share_ppm: u32,
    /// Since when.
    pub set_at: Timestamp,
    /// Who set it.
    pub set_by: Option<String>,
    /// Until when; nothing means that it is in force.
    pub replaced_at: Option<Timestamp>,
}

/// Why some shares are no mix.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotAMix {
    /// The shares do not add up.
    #[error("the shares add up to {} %, and must add up to 100 %", f64::from(*.0) / 10_000.0)]
    Sum(u32),
    /// A category twice.
    #[error("`{0}` is named twice")]
    Twice(String),
}

/// A mix of these shares, in parts per million, which must add up to a whole (within a rounding of a hundredth of a
/// percent, which the largest share takes up).
///
/// # Errors
/// If they do not, or a category is named twice.
pub fn mix(
    shares: impl IntoIterator<Item = (Category, u32)>,
) -> Result<BTreeMap<Category, u32>, NotAMix> {
    let mut mix = BTreeMap::new();
    for (category, share_ppm) in shares {
        let name = category.to_string();
        if mix.insert(category, share_ppm).is_some() {
            return Err(NotAMix::Twice(name));
        }
    }
    let sum = mix
        .values()
        .fold(0_u32, |sum, share| sum.saturating_add(*share));
    if sum.abs_diff(WHOLE_PPM) > 100 {
        return Err(NotAMix::Sum(sum));
    }
    if let Some(largest) = mix.values_mut().max_by_key(|share| **share) {
        *largest = *largest + WHOLE_PPM - sum;
    }
    Ok(mix)
}

/// The whole, in parts per million.
const WHOLE_PPM: u32 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_folder_names_the_category() {
        assert_eq!(Category::of_path("memes/2025/cat.jpg").as_str(), "memes");
        assert_eq!(Category::of_path("cat.jpg").as_str(), UNSORTED);
    }

    #[test]
    fn shares_must_add_up_and_a_third_is_thrice_a_third() {
        let thirds = ["a", "b", "c"].map(|name| (Category::new(name), 333_333));
        assert_eq!(mix(thirds).expect("a mix").values().sum::<u32>(), WHOLE_PPM);
        assert_eq!(
            mix([(Category::new("a"), 700_000)])
                .expect_err("no mix")
                .to_string(),
            "the shares add up to 70 %, and must add up to 100 %"
        );
    }
}
