//! The table of what is expected of each picture and clip, and of the corpus that they come from.

use std::path::{Path, PathBuf};

/// Red, green and blue of each quarter: left and right above, left and right below.
pub(crate) type Quarters = [[u8; 3]; 4];

/// What is to come of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// A picture of this size as a person sees it, and of these colours, if any are told. `drawn`: and it is drawn in every
    /// form, which takes seconds where nothing is optimised, so not of all.
    Sound {
        width_px: u32,
        height_px: u32,
        quarters: Option<Quarters>,
        in_every_form: bool,
    },
    /// Indexed, and found to be flawed when it is decoded, with these words.
    Flawed(String),
    /// Not indexed: more of it may come, with these words.
    Waiting(String),
    /// Not indexed, whatever is waited for, with these words.
    Unusable(String),
}

/// A line of the table.
#[derive(Debug)]
pub(crate) struct Line {
    /// `pillow/hopper.jpg`, or `pillow/hopper.jpg@2000` for the first 2000 bytes of it.
    pub(crate) name: String,
    pub(crate) expected: Expected,
}

/// All lines.
pub(crate) fn lines() -> Vec<Line> {
    let lines = include_str!("table.txt").lines();
    lines
        .map(|line| line.split_once(" # ").map_or(line, |(line, _)| line).trim())
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| parsed(line).unwrap_or_else(|| panic!("not a line of the table: {line}")))
        .collect()
}

fn parsed(line: &str) -> Option<Line> {
    let (name, rest) = line.split_once(' ')?;
    let (kind, rest) = rest.split_once(' ')?;
    let words = || rest.to_owned();
    let expected = match kind {
        "sound" => sound(rest, false)?,
        "drawn" => sound(rest, true)?,
        "flawed" => Expected::Flawed(words()),
        "waiting" => Expected::Waiting(words()),
        "unusable" => Expected::Unusable(words()),
        _ => return None,
    };
    Some(Line {
        name: name.to_owned(),
        expected,
    })
}

fn sound(rest: &str, in_every_form: bool) -> Option<Expected> {
    let mut words = rest.split_whitespace();
    let (width, height) = words.next()?.split_once('x')?;
    let colour = |word: &str| {
        let [_, red, green, blue] = u32::from_str_radix(word, 16).ok()?.to_be_bytes();
        Some([red, green, blue])
    };
    let colours: Vec<[u8; 3]> = words.map(colour).collect::<Option<_>>()?;
    Some(Expected::Sound {
        width_px: width.parse().ok()?,
        height_px: height.parse().ok()?,
        quarters: match colours[..] {
            [] => None,
            [a, b, c, d] => Some([a, b, c, d]),
            _ => return None,
        },
        in_every_form,
    })
}

/// The bytes that a name of the table stands for.
pub(crate) fn bytes(name: &str) -> Vec<u8> {
    let (file, cut) = name
        .split_once('@')
        .map_or((name, None), |(file, cut)| (file, Some(cut)));
    let path = path(file);
    let mut bytes = std::fs::read(&path).unwrap_or_else(|cause| {
        panic!(
            "{} cannot be read ({cause}); `packaging/corpus {}` fetches the corpus",
            path.display(),
            corpus().display()
        )
    });
    if let Some(cut) = cut {
        bytes.truncate(cut.parse().unwrap());
    }
    bytes
}

/// Where a file lies; the corpus' folders carry a part of their archives' hashes behind their names.
fn path(file: &str) -> PathBuf {
    let (folder, rest) = file.split_once('/').unwrap();
    let mut found = std::fs::read_dir(corpus())
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.split('-').next() == Some(folder))
        });
    let folder = found.next().unwrap_or_else(|| corpus().join(folder));
    assert!(found.next().is_none(), "two versions of {file}; delete one");
    folder.join(rest)
}

/// The folder in which `packaging/corpus` has put everything: beside what is built.
fn corpus() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    target.join("corpus")
}
