//! What people say of a picture in its caption: the `#tags` and the first link in it are taken out, the rest goes with the
//! story.

use super::edit::{LONGEST_TAG, MOST_TAGS, holds};
use super::link;
use super::media::Metadata;
use super::template::units;

/// What may stand before a tag or a link and is no part of it.
const OPENING: [char; 7] = ['(', '[', '{', '<', '"', '“', '„'];
/// What may stand behind one.
const CLOSING: [char; 7] = [')', ']', '}', '>', '"', '”', '“'];
/// What ends a sentence or a part of it.
const POINTS: [char; 7] = ['.', ',', ';', ':', '!', '?', '…'];

/// Takes a caption apart. What is too long for a tag, or one too many, stays where it was written.
#[must_use]
pub fn metadata(caption: &str) -> Metadata {
    let mut found = Metadata::default();
    let mut lines: Vec<String> = Vec::new();
    for line in caption.lines() {
        let mut words: Vec<String> = Vec::new();
        for word in line.split_whitespace() {
            match found.take(word) {
                Some(rest) if rest.chars().all(|letter| POINTS.contains(&letter)) => {
                    let before = words.last_mut();
                    if let Some(before) = before.filter(|word| !word.ends_with(POINTS)) {
                        before.push_str(rest);
                    }
                }
                Some(rest) => words.push(rest.to_owned()),
                None => words.push(word.to_owned()),
            }
        }
        // A line of which nothing is left was written for its tags; an empty one is a paragraph's.
        if !words.is_empty() || line.trim().is_empty() {
            lines.push(words.join(" "));
        }
    }
    let rest = lines.join("\n").trim().to_owned();
    found.caption = Some(rest).filter(|rest| !rest.is_empty());
    found
}

impl Metadata {
    /// Takes the tags or the link that a word is; returns what else is in it.
    fn take<'a>(&mut self, word: &'a str) -> Option<&'a str> {
        let inner = word.trim_start_matches(OPENING);
        if inner.starts_with('#') {
            return self.take_tags(inner);
        }
        let rest = end_of_link(inner);
        let url = &inner[..inner.len() - rest.len()];
        if self.link_url.is_some() || link::check(url).is_err() {
            return None;
        }
        self.link_url = Some(url.to_owned());
        Some(rest.trim_start_matches(CLOSING))
    }

    /// Takes `#one#or#several`, if they all fit.
    fn take_tags<'a>(&mut self, word: &'a str) -> Option<&'a str> {
        let (mut tags, mut rest) = (self.tags.clone(), word);
        while let Some(behind) = rest.strip_prefix('#') {
            let end = behind.find(|letter| !is_of_tag(letter));
            let (tag, next) = behind.split_at(end.unwrap_or(behind.len()));
            // `#1` is a number.
            if !tag.chars().any(char::is_alphabetic) || units(tag) > LONGEST_TAG {
                return None;
            }
            if !holds(&tags, tag) {
                tags.push(tag.to_owned());
            }
            rest = next;
        }
        if tags.len() > MOST_TAGS {
            return None;
        }
        self.tags = tags;
        Some(rest.trim_start_matches(CLOSING))
    }
}

/// Letters and digits of any script, underscores, and what joins letters or stands above them.
fn is_of_tag(letter: char) -> bool {
    letter.is_alphanumeric()
        || matches!(
            letter,
            '_' | '\u{300}'..='\u{36f}' | '\u{94d}' | '\u{200c}' | '\u{200d}'
        )
}

/// What stands behind a link and is no part of it. A bracket that was opened in the link is.
fn end_of_link(word: &str) -> &str {
    let is_end = |letter: char| {
        POINTS.contains(&letter)
            || (CLOSING.contains(&letter) && !(letter == ')' && word.contains('(')))
    };
    &word[word.trim_end_matches(is_end).len()..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(caption: &str) -> (Option<String>, Vec<String>, Option<String>) {
        let Metadata {
            caption,
            tags,
            link_url,
            ..
        } = metadata(caption);
        (caption, tags, link_url)
    }

    #[test]
    fn tags_and_the_first_link_are_taken_out_wherever_they_stand() {
        for (written, caption, tags, link) in [
            ("Summer tee", Some("Summer tee"), vec![], None),
            (
                "#new Summer tee #summer #tee",
                Some("Summer tee"),
                vec!["new", "summer", "tee"],
                None,
            ),
            (
                "Now in the shop: https://shop.example.com/tee?a=b#c, in all sizes!",
                Some("Now in the shop: in all sizes!"),
                vec![],
                Some("https://shop.example.com/tee?a=b#c"),
            ),
            (
                "One\n\nTwo #a\n#b #c\nThree",
                Some("One\n\nTwo\nThree"),
                vec!["a", "b", "c"],
                None,
            ),
            (
                "I love #summer, and you? (#me_too)",
                Some("I love, and you?"),
                vec!["summer", "me_too"],
                None,
            ),
            ("#a#b", None, vec!["a", "b"], None),
            (
                "see HTTP://example.com/x_(y), (https://example.org)",
                Some("see, (https://example.org)"),
                vec![],
                Some("HTTP://example.com/x_(y)"),
            ),
            ("#sun☀️", Some("☀️"), vec!["sun"], None),
            ("", None, vec![], None),
            (" \n ", None, vec![], None),
        ] {
            let tags: Vec<String> = tags.into_iter().map(str::to_owned).collect();
            let told = (caption.map(str::to_owned), tags, link.map(str::to_owned));
            assert_eq!(parts(written), told, "{written}");
        }
    }

    #[test]
    fn a_tag_is_of_any_script_and_told_once() {
        let (caption, tags, _) = parts("#Größe #größe #夏 #हिन्दी #e\u{301}te\u{301} #summer_2027");
        assert_eq!(caption, None);
        assert_eq!(
            tags,
            ["Größe", "夏", "हिन्दी", "e\u{301}te\u{301}", "summer_2027"]
        );
    }

    #[test]
    fn what_is_no_tag_and_no_link_stays() {
        for written in [
            "We are #1 in C# and a#b",
            "# #! ##",
            "www.example.com ftp://example.com https://",
            "mail@example.com",
        ] {
            let told = (Some(written.to_owned()), vec![], None);
            assert_eq!(parts(written), told, "{written}");
        }
    }

    #[test]
    fn no_more_and_no_longer_tags_than_a_media_may_have() {
        let many: Vec<String> = (1..=20).map(|number| format!("#tag{number}")).collect();
        let (caption, tags, _) = parts(&many.join(" "));
        assert_eq!(tags.len(), MOST_TAGS);
        assert_eq!(
            caption.as_deref(),
            Some("#tag16 #tag17 #tag18 #tag19 #tag20")
        );
        let long = format!("#{}", "x".repeat(LONGEST_TAG + 1));
        assert_eq!(parts(&long), (Some(long.clone()), vec![], None));
    }

    proptest::proptest! {
        #[test]
        fn whatever_somebody_writes_is_no_panic(written in "[#a-c ()/:.\\n☀é]{0,40}|.{0,60}") {
            let told = metadata(&written);
            proptest::prop_assert!(told.tags.len() <= MOST_TAGS);
        }
    }
}
