//! The message under a sending: the question into which folder it is to go, with a button for each, and then what became of
//! it. A button carries the sending and a short hash of the folder's name, in at most 44 of the 64 bytes that Telegram allows.

use data_encoding::BASE64URL_NOPAD;
use jiff::tz::TimeZone;
use teloxide::types::{InlineKeyboardButton, InlineKeyboardMarkup};

use super::message::{moment, plain};
use super::uploads::shown;
use crate::domain::category::Category;
use crate::domain::handin::{Choice, Kind};
use crate::domain::ids::HandInId;
use crate::flow::intake::{End, Receipt, Told};

/// What every button of a sending begins with; the version is raised when the meaning of one changes.
const PREFIX: &str = "in1:";
/// A keyboard has a hundred buttons at most, and nobody reads that many.
const MOST_FOLDERS: usize = 60;

/// A folder's name in short.
pub type Key = [u8; 8];

/// The short name of a folder.
#[must_use]
pub fn key(folder: &Category) -> Key {
    let mut key = Key::default();
    key.copy_from_slice(&blake3::hash(folder.as_str().as_bytes()).as_bytes()[..8]);
    key
}

/// What a button under a sending asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Button {
    /// The sending.
    pub hand_in: HandInId,
    /// The folder; nothing cancels it.
    pub folder: Option<Key>,
}

impl Button {
    /// What the button carries.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut bytes = self.hand_in.as_bytes().to_vec();
        bytes.extend(self.folder.into_iter().flatten());
        format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes))
    }

    /// What a button meant; nothing if it is no sending's.
    #[must_use]
    pub fn decode(data: &str) -> Option<Self> {
        let bytes = BASE64URL_NOPAD
            .decode(data.strip_prefix(PREFIX)?.as_bytes())
            .ok()?;
        let (hand_in, folder) = bytes.split_at_checked(16)?;
        Some(Self {
            hand_in: HandInId::from_bytes(hand_in.try_into().ok()?),
            folder: match folder {
                [] => None,
                folder => Some(folder.try_into().ok()?),
            },
        })
    }
}

/// What the message says, in HTML.
#[must_use]
pub fn text(receipt: &Receipt) -> String {
    let all = |end: fn(&End) -> bool| -> Vec<&Told> {
        receipt.files.iter().filter(|file| end(&file.end)).collect()
    };
    let (waiting, landed) = (
        all(|end| *end == End::Waiting),
        all(|end| *end == End::Landed),
    );
    let mut lines = Vec::new();
    match &receipt.choice {
        Choice::Cancelled => lines.push("✖ Cancelled. Nothing of it was kept.".to_owned()),
        Choice::Open if !waiting.is_empty() => {
            lines.push(format!("{}. Which folder?", counted(&waiting)));
            if waiting.iter().any(|file| file.kind == Kind::Photo) {
                lines.push(
                    "Telegram makes photos smaller; what is sent as a file stays as it is."
                        .to_owned(),
                );
            }
        }
        Choice::Open => {}
        Choice::Folder(folder) => {
            for (mark, files, verb) in [
                ("✅", landed, ["is in", "are in"]),
                ("⏳", waiting, ["goes to", "go to"]),
            ] {
                if !files.is_empty() {
                    let verb = verb[usize::from(files.len() > 1)];
                    lines.push(format!(
                        "{mark} {} {verb} {}",
                        counted(&files),
                        shown(folder)
                    ));
                }
            }
        }
    }
    let files = receipt.files.iter().enumerate();
    lines.extend(files.filter_map(|(at, file)| told(at, file, &receipt.zone)));
    plain(&lines.join("\n"))
}

/// What there is to tell of one file, if there is anything.
fn told(at: usize, file: &Told, zone: &TimeZone) -> Option<String> {
    let name = match &file.name {
        Some(name) => name.clone(),
        None => format!("{} {}", file.kind, at + 1),
    };
    match &file.end {
        End::Waiting | End::Landed => None,
        End::Unfit(reason) => Some(format!("❌ {name}: {reason}.")),
        End::Known {
            rejected_at: Some(at),
            ..
        } => Some(format!(
            "🚫 {name} was rejected {}; it will not be shown.",
            moment(*at, zone)
        )),
        End::Known {
            path,
            posted_count,
            last_posted_at,
            ..
        } => {
            let posted = match (posted_count, last_posted_at) {
                (1, Some(at)) => format!("posted {}", moment(*at, zone)),
                (count, Some(at)) => format!("posted {count} times, last {}", moment(*at, zone)),
                (_, None) => "not posted yet".to_owned(),
            };
            Some(format!(
                "♻️ {name} is in the library already: {path} ({posted})."
            ))
        }
    }
}

/// So many pictures, clips, or files.
fn counted(files: &[&Told]) -> String {
    let is_picture = |file: &&Told| matches!(file.kind, Kind::Photo | Kind::Picture);
    let what = if files.iter().all(is_picture) {
        "picture"
    } else if files.iter().all(|file| file.kind == Kind::Clip) {
        "clip"
    } else {
        "file"
    };
    let many = if files.len() == 1 { "" } else { "s" };
    format!("{} {what}{many}", files.len())
}

/// The buttons under it: only while there is something to choose.
#[must_use]
pub fn keyboard(receipt: &Receipt) -> InlineKeyboardMarkup {
    let waits = receipt.files.iter().any(|file| file.end == End::Waiting);
    if receipt.choice != Choice::Open || !waits {
        return InlineKeyboardMarkup::default();
    }
    let button = |text: String, folder| {
        let button = Button {
            hand_in: receipt.id,
            folder,
        };
        InlineKeyboardButton::callback(text, button.encode())
    };
    let folders: Vec<_> = receipt.folders.iter().take(MOST_FOLDERS).collect();
    let mut rows: Vec<Vec<_>> = folders
        .chunks(2)
        .map(|pair| {
            let pair = pair.iter();
            pair.map(|folder| button(shown(folder), Some(key(folder))))
                .collect()
        })
        .collect();
    rows.push(vec![button("✖ Cancel".to_owned(), None)]);
    InlineKeyboardMarkup::new(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telegram::buttons::MOST_BYTES;

    fn file(name: &str, kind: Kind, end: End) -> Told {
        Told {
            message: 1,
            kind,
            name: Some(name.to_owned()).filter(|name| !name.is_empty()),
            end,
        }
    }

    fn receipt(choice: Choice, files: Vec<Told>) -> Receipt {
        Receipt {
            id: HandInId::from_bytes([7; 16]),
            chat: 11,
            question: None,
            choice,
            folders: ["memes", "merch", "<b>"].map(Category::new).into(),
            files,
            zone: TimeZone::UTC,
        }
    }

    fn merch() -> Choice {
        Choice::Folder(Category::new("merch"))
    }

    #[test]
    fn every_button_comes_back_as_it_was_and_fits() {
        let hand_in = HandInId::from_bytes([0xff; 16]);
        for folder in [None, Some(key(&Category::new("Füße & mehr")))] {
            let button = Button { hand_in, folder };
            assert!(button.encode().len() <= MOST_BYTES);
            assert_eq!(Button::decode(&button.encode()), Some(button));
        }
        for data in [
            "in1:", "in1:AAAA", "in0:AAAA", "set1:all", "p2:AAAA", "in1:é",
        ] {
            assert_eq!(Button::decode(data), None, "{data}");
        }
        assert_ne!(key(&Category::new("memes")), key(&Category::new("merch")));
    }

    #[test]
    fn it_asks_and_has_buttons_only_while_there_is_something_to_choose() {
        let photo = || file("", Kind::Photo, End::Waiting);
        let asks = receipt(Choice::Open, vec![photo(), photo()]);
        assert_eq!(
            text(&asks),
            "2 pictures. Which folder?\nTelegram makes photos smaller; what is sent as a file stays as it is."
        );
        assert_eq!(keyboard(&asks).inline_keyboard.len(), 3);
        let reason = "34 MB are too many".to_owned();
        let large = file("a.mov", Kind::Clip, End::Unfit(reason));
        let tells = receipt(Choice::Open, vec![large.clone()]);
        assert_eq!(text(&tells), "❌ a.mov: 34 MB are too many.");
        let clip = file("b.mov", Kind::Clip, End::Waiting);
        let both = receipt(Choice::Open, vec![large, clip.clone()]);
        assert_eq!(
            text(&both),
            "1 clip. Which folder?\n❌ a.mov: 34 MB are too many."
        );
        for choice in [merch(), Choice::Cancelled] {
            let chosen = receipt(choice, vec![clip.clone()]);
            assert!(keyboard(&chosen).inline_keyboard.is_empty());
        }
        assert!(keyboard(&tells).inline_keyboard.is_empty());
    }

    #[test]
    fn it_tells_what_became_of_each() {
        let at = |text: &str| text.parse().ok();
        let known = |posted_count, last_posted_at, rejected_at| End::Known {
            path: "merch/<tee>.jpg".to_owned(),
            posted_count,
            last_posted_at,
            rejected_at,
        };
        let files = vec![
            file("a.jpg", Kind::Picture, End::Landed),
            file("a.mov", Kind::Clip, End::Landed),
            file("", Kind::Photo, End::Waiting),
            file("", Kind::Photo, known(0, None, None)),
            file(
                "e.jpg",
                Kind::File,
                known(3, at("2027-01-03T09:00:00Z"), None),
            ),
            file(
                "f.jpg",
                Kind::File,
                known(1, at("2027-01-03T09:00:00Z"), at("2027-01-04T10:00:00Z")),
            ),
        ];
        assert_eq!(
            text(&receipt(merch(), files)),
            "✅ 2 files are in merch/\n\
             ⏳ 1 picture goes to merch/\n\
             ♻️ photo 4 is in the library already: merch/&lt;tee&gt;.jpg (not posted yet).\n\
             ♻️ e.jpg is in the library already: merch/&lt;tee&gt;.jpg (posted 3 times, last Sun 3 Jan, 09:00).\n\
             🚫 f.jpg was rejected Mon 4 Jan, 10:00; it will not be shown."
        );
    }
}
