//! How much a review message tells.

use std::str::FromStr;

/// How much a review message tells of its story. Where the story is, and what is to be done by hand, it always tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Verbosity {
    /// Title, link, caption, number and time.
    Brief,
    /// Tags and category too.
    #[default]
    Normal,
    /// The file's path, the size in pixels, and how often and when it was posted too.
    Full,
}

impl Verbosity {
    /// Every one of them.
    pub const ALL: [Self; 3] = [Self::Brief, Self::Normal, Self::Full];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Brief => "brief",
            Self::Normal => "normal",
            Self::Full => "full",
        }
    }
}

impl FromStr for Verbosity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|verbosity| verbosity.as_str() == text)
            .ok_or_else(|| "it is none of `brief`, `normal` and `full`".to_owned())
    }
}
