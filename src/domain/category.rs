//! A category: the name of the first folder level of the library (`memes/`, `merch/`).

use std::fmt;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_folder_names_the_category() {
        assert_eq!(Category::of_path("memes/2025/cat.jpg").as_str(), "memes");
        assert_eq!(Category::of_path("cat.jpg").as_str(), UNSORTED);
    }
}
