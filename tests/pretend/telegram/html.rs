//! HTML mode: from marked-up text to what people see and the entities over it.
//!
//! As strict as the server: a tag it does not know, or one that is not closed, refuses the whole message. As lenient
//! too: an ampersand that starts no known entity stays an ampersand.

use serde_json::{Value, json};

use super::limits::units;

/// A stretch of formatted text; offset and length in UTF-16 units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    pub kind: String,
    pub offset: usize,
    pub length: usize,
    pub url: Option<String>,
    pub language: Option<String>,
}

impl Entity {
    pub fn new(kind: &str, offset: usize, length: usize) -> Self {
        Self {
            kind: kind.to_owned(),
            offset,
            length,
            url: None,
            language: None,
        }
    }

    pub fn from_json(value: &Value) -> Option<Self> {
        let number = |name: &str| usize::try_from(value[name].as_u64()?).ok();
        let word = |name: &str| value[name].as_str().map(str::to_owned);
        Some(Self {
            kind: word("type")?,
            offset: number("offset")?,
            length: number("length")?,
            url: word("url"),
            language: word("language"),
        })
    }

    pub fn to_json(&self) -> Value {
        let mut value = json!({ "type": self.kind, "offset": self.offset, "length": self.length });
        if let Some(url) = &self.url {
            value["url"] = json!(url);
        }
        if let Some(language) = &self.language {
            value["language"] = json!(language);
        }
        value
    }
}

struct Open {
    tag: String,
    offset: usize,
    attribute: Option<String>,
}

/// Takes the mark-up out. The error is the server's sentence after "can't parse entities: ".
pub fn parse(source: &str) -> Result<(String, Vec<Entity>), String> {
    let mut text = String::new();
    let mut at = 0; // UTF-16 units written so far
    let mut open: Vec<Open> = Vec::new();
    let mut entities = Vec::new();
    let mut rest = source;
    while let Some(next) = rest.chars().next() {
        let byte = source.len() - rest.len();
        if next == '&'
            && let Some((decoded, length)) = entity_reference(rest)
        {
            text.push(decoded);
            at += decoded.len_utf16();
            rest = &rest[length..];
        } else if next != '<' {
            text.push(next);
            at += next.len_utf16();
            rest = &rest[next.len_utf8()..];
        } else if let Some(inside) = rest.strip_prefix("</") {
            let end = inside
                .find('>')
                .ok_or_else(|| format!("Unclosed end tag at byte offset {byte}"))?;
            let name = inside[..end].trim().to_lowercase();
            let started = open
                .pop()
                .ok_or_else(|| format!("Unexpected end tag at byte offset {byte}"))?;
            if !name.is_empty() && name != started.tag {
                return Err(format!(
                    "Unmatched end tag at byte offset {byte}, expected \"</{}>\", found \"</{name}>\"",
                    started.tag
                ));
            }
            entities.extend(closed(started, at, &text));
            rest = &inside[end + 1..];
        } else {
            let (tag, attribute, length) = start_tag(rest, byte)?;
            open.push(Open {
                tag,
                offset: at,
                attribute,
            });
            rest = &rest[length..];
        }
    }
    if let Some(left) = open.pop() {
        return Err(format!(
            "Can't find end tag corresponding to start tag \"{}\"",
            left.tag
        ));
    }
    Ok(trimmed(text, merged(entities)))
}

/// Takes away the white space around a text, as the server does, and moves its entities along.
pub fn trimmed(text: String, entities: Vec<Entity>) -> (String, Vec<Entity>) {
    let cut = units(&text) - units(text.trim_start());
    let kept = text.trim().to_owned();
    let length = units(&kept);
    let mut moved: Vec<Entity> = entities
        .into_iter()
        .filter_map(|mut entity| {
            let end = (entity.offset + entity.length)
                .saturating_sub(cut)
                .min(length);
            entity.offset = entity.offset.saturating_sub(cut);
            entity.length = end.checked_sub(entity.offset)?;
            (entity.length > 0).then_some(entity)
        })
        .collect();
    moved.sort_by_key(|entity| (entity.offset, usize::MAX - entity.length));
    (kept, moved)
}

fn start_tag(rest: &str, byte: usize) -> Result<(String, Option<String>, usize), String> {
    let unclosed = || format!("Unclosed start tag at byte offset {byte}");
    let inside = &rest[1..];
    let name_ends = inside
        .find(|c: char| c.is_whitespace() || c == '>')
        .ok_or_else(unclosed)?;
    let tag = inside[..name_ends].to_lowercase();
    const TAGS: [&str; 15] = [
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
        "a",
        "tg-spoiler",
        "blockquote",
        "span",
    ];
    if !TAGS.contains(&tag.as_str()) {
        return Err(format!(
            "Unsupported start tag \"{tag}\" at byte offset {byte}"
        ));
    }
    let mut wanted = None;
    let mut left = &inside[name_ends..];
    loop {
        left = left.trim_start();
        if let Some(after) = left.strip_prefix('>') {
            if tag == "span" && wanted.as_deref() != Some("tg-spoiler") {
                return Err(format!(
                    "Tag \"span\" must have class \"tg-spoiler\" at byte offset {byte}"
                ));
            }
            return Ok((tag, wanted, rest.len() - after.len()));
        }
        let name_ends = left
            .find(|c: char| c.is_whitespace() || c == '>' || c == '=')
            .ok_or_else(unclosed)?;
        let name = left[..name_ends].to_lowercase();
        left = left[name_ends..].trim_start();
        let mut value = String::new();
        if let Some(after) = left.strip_prefix('=') {
            let after = after.trim_start();
            let quote = after.chars().next().filter(|c| ['"', '\''].contains(c));
            let (raw, ends) = match quote {
                Some(quote) => {
                    let end = after[1..].find(quote).ok_or_else(unclosed)?;
                    (&after[1..=end], end + 2)
                }
                None => {
                    let end = after
                        .find(|c: char| c.is_whitespace() || c == '>')
                        .ok_or_else(unclosed)?;
                    (&after[..end], end)
                }
            };
            value = decoded(raw);
            left = &after[ends..];
        }
        match (tag.as_str(), name.as_str()) {
            ("a", "href") | ("code" | "span", "class") => wanted = Some(value),
            ("blockquote", "expandable") => wanted = Some(name),
            _ => {}
        }
    }
}

fn closed(started: Open, end: usize, text: &str) -> Option<Entity> {
    let length = end - started.offset;
    if length == 0 {
        return None;
    }
    let mut entity = Entity::new("", started.offset, length);
    entity.kind = match started.tag.as_str() {
        "b" | "strong" => "bold",
        "i" | "em" => "italic",
        "u" | "ins" => "underline",
        "s" | "strike" | "del" => "strikethrough",
        "code" => {
            entity.language = started
                .attribute
                .and_then(|class| class.strip_prefix("language-").map(str::to_owned));
            "code"
        }
        "pre" => "pre",
        "tg-spoiler" | "span" => "spoiler",
        "blockquote" if started.attribute.is_some() => "expandable_blockquote",
        "blockquote" => "blockquote",
        _ => {
            let shown: Vec<u16> = text.encode_utf16().skip(started.offset).collect();
            let url = started
                .attribute
                .unwrap_or_else(|| String::from_utf16_lossy(&shown));
            let known = ["http://", "https://", "tg://", "mailto:"];
            if !known.iter().any(|scheme| url.starts_with(scheme)) && !url.contains('.') {
                return None; // the server keeps the text and drops a link it cannot follow
            }
            entity.url = Some(url);
            "text_link"
        }
    }
    .to_owned();
    Some(entity)
}

/// `<pre><code class="language-rust">` is one entity, and a language means nothing outside it.
fn merged(entities: Vec<Entity>) -> Vec<Entity> {
    let mut kept: Vec<Entity> = Vec::new();
    for mut entity in entities {
        if entity.kind == "pre"
            && let Some(code) = kept.iter().position(|code| {
                code.kind == "code" && (code.offset, code.length) == (entity.offset, entity.length)
            })
        {
            entity.language = kept.remove(code).language;
        }
        kept.push(entity);
    }
    for entity in kept.iter_mut().filter(|entity| entity.kind == "code") {
        entity.language = None;
    }
    kept
}

fn entity_reference(rest: &str) -> Option<(char, usize)> {
    let end = rest.bytes().take(12).position(|byte| byte == b';')?;
    let name = rest.get(1..end)?;
    let decoded = match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code).filter(|c| *c != '\0')?
        }
    };
    Some((decoded, end + 1))
}

fn decoded(mut raw: &str) -> String {
    let mut text = String::new();
    while let Some(next) = raw.chars().next() {
        let (shown, length) = entity_reference(raw)
            .filter(|_| next == '&')
            .unwrap_or((next, next.len_utf8()));
        text.push(shown);
        raw = &raw[length..];
    }
    text
}
