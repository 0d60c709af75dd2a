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

/// A category and its share as a person writes it: `memes=70`, a percent sign and spaces around the number being no matter.
///
/// # Errors
/// What is wrong, and how to write it.
pub fn share(typed: &str) -> Result<(String, f64), String> {
    let (name, number) = typed
        .split_once('=')
        .ok_or("write a category and its share, like `memes=70`")?;
    let number: f64 = number
        .trim()
        .trim_end_matches('%')
        .trim_end()
        .parse()
        .map_err(|_| format!("`{number}` is no number; write `{name}=70`"))?;
    if name.trim().is_empty() || !(0.0..=100.0).contains(&number) {
        return Err("a share is between 0 and 100, like `memes=70`".to_owned());
    }
    Ok((name.trim().to_owned(), number))
}

/// The mix of such shares, in parts per million: percent, or fractions of one if none is larger than that. None at all is no
/// mix.
///
/// # Errors
/// If they are no mix.
pub fn in_ppm(shares: Vec<(String, f64)>) -> Result<BTreeMap<Category, u32>, NotAMix> {
    if shares.is_empty() {
        return Ok(BTreeMap::new());
    }
    let are_fractions = shares.iter().all(|(_, number)| *number <= 1.0);
    let ppm = if are_fractions { 1_000_000.0 } else { 10_000.0 };
    mix(shares.into_iter().map(|(name, number)| {
        // Between 0 and 1 000 000, so nothing is lost.
        (Category::new(&name), (number * ppm).round() as u32)
    }))
}

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
