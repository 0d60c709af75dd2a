//! Words from outside, shown so that they steer nothing: names of files, people and chats, reasons of programs and servers.
//! What would move a cursor, end a line or turn the direction of writing is shown as what it is, `\u{202e}`.

use std::borrow::Cow;
use std::fmt::{self, Write};

/// Whether a character does something to the text around it in place of being seen.
fn steers(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            // The direction of what follows.
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
            // The ends of lines and paragraphs.
            | '\u{2028}' | '\u{2029}'
            // Notes between the lines, and the mark of byte order.
            | '\u{fff9}'..='\u{fffb}' | '\u{feff}'
        )
}

fn escaped(
    text: &str,
    steers: impl Fn(char) -> bool,
    escape: fn(char, &mut String),
) -> Cow<'_, str> {
    if !text.contains(&steers) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if steers(letter) {
            escape(letter, &mut shown);
        } else {
            shown.push(letter);
        }
    }
    Cow::Owned(shown)
}

fn visibly(letter: char, shown: &mut String) {
    shown.extend(letter.escape_default());
}

/// A text of one line.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, steers, visibly)
}

/// A text whose lines end where it says.
#[must_use]
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |letter| steers(letter) && letter != '\n', visibly)
}

/// JSON as it was written, which means the same: what is left in it of such characters stands in texts.
#[must_use]
pub fn json(text: &str) -> Cow<'_, str> {
    let is_left = |letter: char| steers(letter) && letter != '\n';
    // All of them are of the first plane.
    escaped(text, is_left, |letter, shown| {
        let _ = write!(shown, "\\u{:04x}", u32::from(letter));
    })
}

/// Something that is shown as one line.
pub struct Line<T>(pub T);

impl<T: fmt::Debug> fmt::Debug for Line<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{:?}", self.0)
    }
}

struct Escaping<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write_str(&line(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_shown_and_all_else_stays() {
        let plain = "Käse 👩‍👩‍👧 עברית `x` — “y”";
        assert!(matches!(line(plain), Cow::Borrowed(same) if same == plain));
        assert_eq!(line("a\u{1b}[2Jb\tc\r\n\0"), "a\\u{1b}[2Jb\\tc\\r\\n\\u{0}");
        assert_eq!(line("gpj.\u{202e}x\u{2069}"), "gpj.\\u{202e}x\\u{2069}");
        for letter in [
            '\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{2066}', '\u{2028}', '\u{2029}',
            '\u{85}', '\u{7f}',
        ] {
            let text = format!("a{letter}b");
            assert!(!line(&text).contains(letter), "{letter:?}");
            assert!(!lines(&text).contains(letter), "{letter:?}");
        }
        assert_eq!(lines("a\nb\u{2028}"), "a\nb\\u{2028}");
        assert_eq!(format!("{:?}", Line(format_args!("a\nb"))), "a\\nb");
    }

    #[test]
    fn json_means_what_it_meant() {
        let name = "a\u{202e}b\u{7f}\u{85}\n\u{2028}";
        let written = serde_json::to_string_pretty(&[name]).unwrap();
        let shown = json(&written);
        assert!(shown.is_ascii(), "{shown}");
        let read: Vec<String> = serde_json::from_str(&shown).unwrap();
        assert_eq!(read, [name]);
    }
}
