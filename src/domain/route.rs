//! Where stories of a tag or a category go, if not to the team's usual place.

use std::fmt;
use std::str::FromStr;

use super::entry::Snapshot;
use super::team::Place;
use super::written::{self, Complaint};

/// What a route is for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Of {
    /// Media with this tag.
    Tag(String),
    /// Media of this category.
    Category(String),
}

impl Of {
    fn is_of(&self, media: &Snapshot) -> bool {
        match self {
            Self::Tag(tag) => media.metadata.tags.iter().any(|it| is_same(it, tag)),
            Self::Category(category) => is_same(&media.category, category),
        }
    }
}

fn is_same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Where it leads: another chat, a topic of it, or a topic of the team's own chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct To {
    chat: Option<i64>,
    thread: Option<i32>,
}

impl To {
    fn from(self, usual: Place) -> Place {
        Place {
            chat: self.chat.unwrap_or(usual.chat),
            thread: self.thread,
        }
    }
}

/// The routes of a team, as a person wrote them: the first that fits counts.
///
/// Written as `#sale=-1001234567890, memes=/12, merch=-1001234567890/5`: a tag with its `#` or a category, and where its
/// stories go, which is a chat's number, a topic's number after a `/`, or both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routes(Vec<(Of, To)>);

impl Routes {
    /// Where a media goes that would else go to the usual place.
    #[must_use]
    pub fn place(&self, media: &Snapshot, usual: Place) -> Place {
        let route = self.0.iter().find(|(of, _)| of.is_of(media));
        route.map_or(usual, |(_, to)| to.from(usual))
    }

    /// Every place to which a route leads.
    pub fn places(&self, usual: Place) -> impl Iterator<Item = Place> {
        self.0.iter().map(move |(_, to)| to.from(usual))
    }

    /// The same routes, after a chat was given another number.
    #[must_use]
    pub fn moved(mut self, from: i64, chat: i64) -> Self {
        for (_, to) in &mut self.0 {
            if to.chat == Some(from) {
                to.chat = Some(chat);
            }
        }
        self
    }
}

impl FromStr for Routes {
    type Err = Complaint;

    fn from_str(text: &str) -> Result<Self, Complaint> {
        let routes = text.split(',').map(str::trim);
        let routes = routes.filter(|route| !route.is_empty()).map(route);
        Ok(Self(routes.collect::<Result<_, _>>()?))
    }
}

fn route(text: &str) -> Result<(Of, To), Complaint> {
    let complain = || {
        Complaint::new(
            format!("`{text}` is no route"),
            "write a tag or a category and where it goes, like `#sale=-1001234567890` or `memes=/12`",
        )
    };
    let (of, to) = text.split_once('=').ok_or_else(complain)?;
    let of = match of.trim().strip_prefix('#') {
        Some("") => return Err(complain()),
        Some(tag) => Of::Tag(tag.to_owned()),
        None if of.trim().is_empty() => return Err(complain()),
        None => Of::Category(of.trim().to_owned()),
    };
    let (chat, thread) = to.trim().split_once('/').unwrap_or((to.trim(), ""));
    if chat.is_empty() && thread.is_empty() {
        return Err(complain());
    }
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let to = To {
        chat: some(chat).map(|chat| written::chat(&chat)).transpose()?,
        thread: some(thread)
            .map(|thread| written::thread(&thread))
            .transpose()?,
    };
    Ok((of, to))
}

impl fmt::Display for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (of, to)) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            match of {
                Of::Tag(tag) => write!(f, "#{tag}=")?,
                Of::Category(category) => write!(f, "{category}=")?,
            }
            if let Some(chat) = to.chat {
                write!(f, "{chat}")?;
            }
            if let Some(thread) = to.thread {
                write!(f, "/{thread}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::media::Metadata;

    const USUAL: Place = Place {
        chat: -100,
        thread: Some(1),
    };

    fn media(category: &str, tags: &[&str]) -> Snapshot {
        Snapshot {
            fingerprint: String::new(),
            category: category.to_owned(),
            path: String::new(),
            metadata: Metadata {
                tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
                ..Metadata::default()
            },
        }
    }

    #[test]
    fn the_first_route_that_fits_counts() {
        let routes: Routes = "#Sale=-200, memes=/12, #sale=/3, merch=-300/5"
            .parse()
            .unwrap();
        let place = |category, tags: &[&str]| {
            let place = routes.place(&media(category, tags), USUAL);
            (place.chat, place.thread)
        };
        assert_eq!(place("memes", &["sale"]), (-200, None));
        assert_eq!(place("Memes", &["fun"]), (-100, Some(12)));
        assert_eq!(place("merch", &[]), (-300, Some(5)));
        assert_eq!(place("sale", &[]), (-100, Some(1)), "a tag is no category");
    }

    #[test]
    fn routes_come_back_as_they_were_written() {
        for text in ["", "#sale=-200, memes=/12, merch=-300/5"] {
            assert_eq!(text.parse::<Routes>().unwrap().to_string(), text);
        }
        let moved = "memes=-200/5, merch=/5".parse::<Routes>().unwrap();
        assert_eq!(
            moved.moved(-200, -900).to_string(),
            "memes=-900/5, merch=/5"
        );
    }

    #[test]
    fn what_is_no_route_is_told() {
        for text in [
            "memes",
            "#=5",
            "=5",
            "memes=",
            "memes=/",
            "memes=@us",
            "memes=/no",
            "memes=5/-1",
        ] {
            let complaint = text.parse::<Routes>().unwrap_err();
            assert!(!complaint.remedy.is_empty(), "{text}");
        }
    }
}
