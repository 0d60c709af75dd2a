//! Reads a template and says what is wrong with it.

use std::ops::RangeInclusive;

use super::{Complaint, Form, Piece, Placeholder, Rules, Template, leaves};

/// Telegram's tags as they are opened, but for links.
const TAGS: [&str; 14] = [
    "b",
    "strong",
    "i",
    "em",
    "u",
    "ins",
    "s",
    "strike",
    "del",
    "code",
    "pre",
    "blockquote",
    "tg-spoiler",
    "span class=\"tg-spoiler\"",
];
/// How a link begins.
const LINK: &str = "a href=\"";
/// What Telegram reads as one character.
const ENTITIES: [&str; 4] = ["&lt;", "&gt;", "&amp;", "&quot;"];

/// Characters that show nothing and are no white space; Telegram refuses a label of nothing else.
const UNSEEN: [RangeInclusive<char>; 9] = [
    '\u{ad}'..='\u{ad}',
    '\u{180e}'..='\u{180e}',
    '\u{200b}'..='\u{200f}',
    '\u{202a}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
];

fn flaw<T>(reason: impl Into<String>, remedy: impl Into<String>) -> Result<T, Complaint> {
    Err(Complaint::new(reason, remedy))
}

/// The lines of a text. Each opens and closes its own tags, so that any of them may vanish.
pub(super) fn lines(source: &str, rules: &Rules) -> Result<Vec<Vec<Piece>>, Complaint> {
    let is_one = source.lines().count() < 2;
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(source.lines()) {
        let mut reader = Reader {
            rest: line.trim_end(),
            rules,
        };
        match reader.run(false) {
            Ok(pieces) => lines.push(pieces),
            Err(flaw) if is_one => return Err(flaw),
            Err(mut flaw) => {
                flaw.reason = format!("line {number}: {}", flaw.reason);
                return Err(flaw);
            }
        }
    }
    Ok(lines)
}

/// What can only be said of the whole.
pub(super) fn check(template: &Template, rules: &Rules) -> Result<(), Complaint> {
    if rules.form == Form::Label {
        check_label(template)?;
    }
    let mut sure = Vec::new();
    let mut words = template.lines.len().saturating_sub(1);
    for piece in template.lines.iter().flat_map(|line| leaves(line)) {
        match piece {
            Piece::Words { units, .. } => words += units,
            Piece::Seen(placeholder) if placeholder.is_sure_of_room() => sure.push(*placeholder),
            Piece::Seen(_) | Piece::Address(_) | Piece::Optional(_) => {}
        }
    }
    if let Some(missing) = rules.required.iter().find(|one| !sure.contains(one)) {
        let name = missing.name();
        let why = match missing {
            Placeholder::Number => "people call the story by it",
            _ => "nothing else tells what became of the story",
        };
        return flaw(
            format!("`{{{name}}}` is missing"),
            format!("add `{{{name}}}`: {why}"),
        );
    }
    let room: usize = sure.iter().map(|placeholder| placeholder.most()).sum();
    let (length, most) = (words + room, rules.most);
    if length <= most {
        return Ok(());
    }
    let over = length - most;
    if sure.is_empty() {
        flaw(
            format!("it has {length} characters and may have {most}"),
            format!("shorten it by {over}"),
        )
    } else {
        flaw(
            format!(
                "with its placeholders it may come to {length} characters, and {most} are shown"
            ),
            format!("shorten it by {over}, or use fewer placeholders"),
        )
    }
}

fn check_label(template: &Template) -> Result<(), Complaint> {
    let seen = |character: char| {
        let is_blank = character.is_whitespace() || character.is_control();
        !is_blank && !UNSEEN.iter().any(|unseen| unseen.contains(&character))
    };
    let source = &template.source;
    if !source.chars().any(seen) {
        return flaw(
            "a button needs a label",
            "write what it does; a sign alone will do",
        );
    }
    if source.chars().any(char::is_control) {
        return flaw(
            "the label of a button has one line",
            "write it without line breaks",
        );
    }
    Ok(())
}

struct Reader<'a> {
    rest: &'a str,
    rules: &'a Rules,
}

impl<'a> Reader<'a> {
    /// Reads to the end of the line, or of the brackets.
    fn run(&mut self, is_in_brackets: bool) -> Result<Vec<Piece>, Complaint> {
        let is_html = self.rules.form == Form::Html;
        let mut pieces = Vec::new();
        let mut open = Vec::new();
        let mut is_closed = !is_in_brackets;
        while let Some(next) = self.rest.chars().next() {
            let after = &self.rest[next.len_utf8()..];
            match next {
                '{' | '}' | '[' | ']' if after.starts_with(next) => {
                    words(&mut pieces, &next.to_string(), 1);
                    self.rest = &after[1..];
                }
                '{' => pieces.push(Piece::Seen(self.placeholder()?)),
                '}' => {
                    return flaw(
                        "there is a `}` without its `{`",
                        "write `}}` for a plain brace",
                    );
                }
                '[' if is_in_brackets => {
                    return flaw(
                        "there is a `[` within brackets",
                        "write `[[` for a plain bracket",
                    );
                }
                '[' => {
                    self.rest = after;
                    pieces.push(self.optional()?);
                }
                ']' if is_in_brackets => {
                    self.rest = after;
                    is_closed = true;
                    break;
                }
                ']' => {
                    return flaw(
                        "there is a `]` without its `[`",
                        "write `]]` for a plain bracket",
                    );
                }
                '<' if is_html => self.tag(&mut pieces, &mut open)?,
                '<' => self.no_tag(&mut pieces)?,
                '&' if is_html => words(&mut pieces, self.entity()?, 1),
                '>' if is_html => {
                    words(&mut pieces, "&gt;", 1);
                    self.rest = after;
                }
                _ => {
                    words(&mut pieces, &self.rest[..next.len_utf8()], next.len_utf16());
                    self.rest = after;
                }
            }
        }
        if let Some(name) = open.pop() {
            let reason = format!("`<{name}>` is not closed");
            let place = if is_in_brackets {
                "within the brackets"
            } else {
                "on the same line"
            };
            return flaw(reason, format!("write `</{name}>` {place}"));
        }
        if !is_closed {
            return flaw(
                "there is a `[` without its `]`",
                "close it on the same line; write `[[` for a plain bracket",
            );
        }
        Ok(pieces)
    }

    /// What stands in braces.
    fn placeholder(&mut self) -> Result<Placeholder, Complaint> {
        let inside = self.rest.strip_prefix('{').unwrap_or(self.rest);
        let Some((name, rest)) = inside
            .split_once('}')
            .filter(|(name, _)| !name.contains('{'))
        else {
            return flaw(
                "there is a `{` without its `}`",
                "close it on the same line; write `{{` for a plain brace",
            );
        };
        let all = self.rules.placeholders;
        let Some(known) = all.iter().find(|known| known.name() == name.trim()) else {
            let short: String = name.chars().take(40).collect();
            let names: Vec<_> = all
                .iter()
                .map(|known| format!("`{{{}}}`", known.name()))
                .collect();
            let remedy = match names.as_slice() {
                [] => "none is known here; write `{{` for a plain brace".to_owned(),
                names => format!(
                    "the placeholders here are {}; write `{{{{` for a plain brace",
                    names.join(", ")
                ),
            };
            return flaw(
                format!("there is no placeholder `{{{short}}}` here"),
                remedy,
            );
        };
        self.rest = rest;
        Ok(*known)
    }

    /// What stands in brackets, from after the first.
    fn optional(&mut self) -> Result<Piece, Complaint> {
        let pieces = self.run(true)?;
        if pieces
            .iter()
            .all(|piece| matches!(piece, Piece::Words { .. }))
        {
            return flaw(
                "there are brackets without a placeholder in them",
                "write `[[` and `]]` for plain brackets",
            );
        }
        Ok(Piece::Optional(pieces))
    }

    /// A tag that opens or closes.
    fn tag(&mut self, pieces: &mut Vec<Piece>, open: &mut Vec<&'a str>) -> Result<(), Complaint> {
        let Some((inside, rest)) = self.rest[1..].split_once('>') else {
            return flaw(
                "there is a `<` that begins no tag",
                "write `&lt;` for a plain `<`",
            );
        };
        if let Some(name) = inside.strip_prefix('/') {
            match open.pop() {
                Some(last) if last == name => {}
                Some(last) => {
                    let reason = format!("`</{}>` stands where `</{last}>` is due", brief(name));
                    return flaw(reason, format!("close `<{last}>` first"));
                }
                None => {
                    let reason = format!("`</{}>` closes nothing", brief(name));
                    return flaw(reason, "remove it; each line opens and closes its own tags");
                }
            }
            words(pieces, &format!("</{name}>"), 0);
        } else if let Some(address) = inside
            .strip_prefix(LINK)
            .and_then(|rest| rest.strip_suffix('"'))
        {
            words(pieces, &format!("<{LINK}"), 0);
            self.address(address, pieces)?;
            words(pieces, "\">", 0);
            open.push("a");
        } else if TAGS.contains(&inside) {
            words(pieces, &format!("<{inside}>"), 0);
            open.push(inside.split(' ').next().unwrap_or(inside));
        } else {
            let reason = format!("`<{}>` is no tag that Telegram shows", brief(inside));
            let tags: Vec<_> = TAGS.iter().map(|tag| format!("`<{tag}>`")).collect();
            return flaw(
                reason,
                format!(
                    "the tags are {}, and `<a href=\"…\">`; write `&lt;` for a plain `<`",
                    tags.join(", ")
                ),
            );
        }
        self.rest = rest;
        Ok(())
    }

    /// Where a link leads: an address, or the story's.
    fn address(&self, address: &str, pieces: &mut Vec<Piece>) -> Result<(), Complaint> {
        let may_link = self.rules.placeholders.contains(&Placeholder::Link);
        if may_link && address == "{link}" {
            pieces.push(Piece::Address(Placeholder::Link));
            return Ok(());
        }
        let is_address = ["https://", "http://", "tg://", "mailto:"]
            .iter()
            .any(|scheme| address.starts_with(scheme));
        if !is_address || address.contains(['"', '<', '{', '}']) {
            let remedy = if may_link {
                "write a whole one, from `https://` on, or `{link}` and nothing else"
            } else {
                "write a whole one, from `https://` on"
            };
            return flaw(format!("`{}` is no address", brief(address)), remedy);
        }
        words(
            pieces,
            &address.replace("&amp;", "&").replace('&', "&amp;"),
            0,
        );
        Ok(())
    }

    /// A character by its name.
    fn entity(&mut self) -> Result<&'static str, Complaint> {
        for entity in ENTITIES {
            if let Some(rest) = self.rest.strip_prefix(entity) {
                self.rest = rest;
                return Ok(entity);
            }
        }
        flaw(
            "there is an `&` by itself",
            "write `&amp;` for a plain `&`; of names for characters Telegram needs only `&lt;`, `&gt;`, `&amp;` and `&quot;`",
        )
    }

    /// A plain `<`. A tag would be seen as it is written, which nobody wants.
    fn no_tag(&mut self, pieces: &mut Vec<Piece>) -> Result<(), Complaint> {
        let inside = self.rest[1..]
            .split_once('>')
            .map(|(inside, _)| inside.trim_start_matches('/'));
        if let Some(tag) = inside.filter(|tag| TAGS.contains(tag) || tag.starts_with(LINK)) {
            return flaw(
                format!(
                    "`<{}>` would be seen as it is: this text has no tags",
                    brief(tag)
                ),
                "remove it; tags stand in `messages.caption`, around the placeholder for this text",
            );
        }
        words(pieces, "<", 1);
        self.rest = &self.rest[1..];
        Ok(())
    }
}

/// Adds to the words before, if there are some.
fn words(pieces: &mut Vec<Piece>, more: &str, long: usize) {
    if let Some(Piece::Words { text, units }) = pieces.last_mut() {
        text.push_str(more);
        *units += long;
    } else {
        let (text, units) = (more.to_owned(), long);
        pieces.push(Piece::Words { text, units });
    }
}

/// As much of what was written as fits into a sentence.
fn brief(text: &str) -> String {
    super::shortened(text, 40)
}
