//! Pictures to be brought: each is like no other, as large as is wished, and not whole before its last byte is there.

use std::io::Cursor;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use image::ImageFormat;

/// What a picture weighs that is to arrive in many pieces.
pub(crate) const LARGE: usize = 2_000_000;
/// What an ordinary one weighs here.
pub(crate) const SMALL: usize = 100_000;

/// A whole picture or clip.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    pub(crate) bytes: Vec<u8>,
    pub(crate) ending: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Jpeg,
    Png,
    Gif,
    Webp,
    Clip,
}

/// All kinds, to be taken in turn.
pub(crate) const KINDS: [Kind; 5] = [Kind::Jpeg, Kind::Png, Kind::Gif, Kind::Webp, Kind::Clip];

impl Picture {
    /// A new one; two of the same kind and weight have the same size to the byte.
    pub(crate) fn new(kind: Kind, weight: usize) -> Self {
        let noise = noise(weight);
        let base = base(kind);
        let (bytes, ending) = match kind {
            Kind::Jpeg => (jpeg(base, &noise), "jpg"),
            Kind::Png => (png(base, &noise), "png"),
            Kind::Gif => (gif(base, &noise), "gif"),
            Kind::Webp => (webp(base, &noise), "webp"),
            Kind::Clip => (clip(base, &noise), "mp4"),
        };
        Self { bytes, ending }
    }

    pub(crate) fn jpeg() -> Self {
        Self::new(Kind::Jpeg, SMALL)
    }

    pub(crate) fn hash(&self) -> String {
        blake3::hash(&self.bytes).to_hex().to_string()
    }
}

/// Bytes that were never seen before.
fn noise(weight: usize) -> Vec<u8> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let mut noise = vec![0; weight];
    blake3::Hasher::new()
        .update(&number.to_le_bytes())
        .finalize_xof()
        .fill(&mut noise);
    noise
}

fn base(kind: Kind) -> &'static [u8] {
    static BASES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    let bases = BASES.get_or_init(|| {
        let draw = |format| {
            let mut bytes = Cursor::new(Vec::new());
            image::RgbImage::from_fn(90, 160, |x, y| image::Rgb([x as u8, y as u8, 7]))
                .write_to(&mut bytes, format)
                .unwrap();
            bytes.into_inner()
        };
        KINDS
            .iter()
            .map(|kind| match kind {
                Kind::Jpeg => draw(ImageFormat::Jpeg),
                Kind::Png => draw(ImageFormat::Png),
                Kind::Gif => draw(ImageFormat::Gif),
                Kind::Webp => draw(ImageFormat::WebP),
                Kind::Clip => include_bytes!("../story/clip.mp4").to_vec(),
            })
            .collect()
    });
    let index = KINDS.iter().position(|other| *other == kind).unwrap();
    &bases[index]
}

/// The noise as comments before the picture.
fn jpeg(base: &[u8], noise: &[u8]) -> Vec<u8> {
    let mut bytes = base[..2].to_vec();
    for piece in noise.chunks(60_000) {
        bytes.extend([0xff, 0xfe]);
        bytes.extend((piece.len() as u16 + 2).to_be_bytes());
        bytes.extend(piece);
    }
    bytes.extend(&base[2..]);
    bytes
}

/// The noise as a private chunk before the picture; nobody looks at its checksum.
fn png(base: &[u8], noise: &[u8]) -> Vec<u8> {
    let after_header = 8 + 25;
    let mut bytes = base[..after_header].to_vec();
    bytes.extend((noise.len() as u32).to_be_bytes());
    bytes.extend(b"noIs");
    bytes.extend(noise);
    bytes.extend([0; 4]);
    bytes.extend(&base[after_header..]);
    bytes
}

/// The noise as a comment before the trailer.
fn gif(base: &[u8], noise: &[u8]) -> Vec<u8> {
    let (trailer, picture) = base.split_last().unwrap();
    let mut bytes = picture.to_vec();
    bytes.extend([0x21, 0xfe]);
    for piece in noise.chunks(255) {
        bytes.push(piece.len() as u8);
        bytes.extend(piece);
    }
    bytes.extend([0, *trailer]);
    bytes
}

/// The noise as an unknown chunk behind the picture, within the length that the header tells.
fn webp(base: &[u8], noise: &[u8]) -> Vec<u8> {
    let mut bytes = base.to_vec();
    bytes.extend(b"noIs");
    bytes.extend((noise.len() as u32).to_le_bytes());
    bytes.extend(noise);
    if noise.len() % 2 == 1 {
        bytes.push(0);
    }
    let length = (bytes.len() - 8) as u32;
    bytes[4..8].copy_from_slice(&length.to_le_bytes());
    bytes
}

/// The noise as free space before the index, which tells where the frames lie.
fn clip(base: &[u8], noise: &[u8]) -> Vec<u8> {
    let header = u32::from_be_bytes(base[..4].try_into().unwrap()) as usize;
    let mut bytes = base[..header].to_vec();
    bytes.extend((noise.len() as u32 + 8).to_be_bytes());
    bytes.extend(b"free");
    bytes.extend(noise);
    let mut rest = base[header..].to_vec();
    let tables: Vec<usize> = (0..rest.len() - 4)
        .filter(|&at| rest[at..].starts_with(b"stco"))
        .collect();
    for table in tables {
        let number = |at: usize| u32::from_be_bytes(rest[at..at + 4].try_into().unwrap());
        let entries = (0..number(table + 8) as usize).map(|entry| table + 12 + 4 * entry);
        let moved: Vec<_> = entries
            .map(|at| (at, number(at) + noise.len() as u32 + 8))
            .collect();
        for (at, offset) in moved {
            rest[at..at + 4].copy_from_slice(&offset.to_be_bytes());
        }
    }
    bytes.extend(rest);
    bytes
}
