//! A library to measure with: as many pictures as wanted, each a content of its own and of a photograph's size.

use std::fs;
use std::path::Path;

/// Many pictures out of a few drawn ones: each has a comment of its own, so each is a content of its own.
pub(crate) fn draw_library(library: &Path, pictures: usize) -> u64 {
    let mut bytes = 0;
    for (index, folder) in ["memes", "merch", "quotes", "events/launch"]
        .iter()
        .cycle()
        .take(pictures)
        .enumerate()
    {
        let folder = library.join(folder);
        fs::create_dir_all(&folder).expect("a folder");
        let picture = picture(index, 300_000 + index % 7 * 60_000);
        bytes += picture.len() as u64;
        fs::write(folder.join(format!("{index}.jpg")), picture).expect("room on the disk");
    }
    bytes
}

/// A JPEG of about this size: one drawn picture, and comments that make it unlike every other and as long as wanted.
pub(crate) fn picture(number: usize, size: usize) -> Vec<u8> {
    static DRAWN: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    let drawn = DRAWN.get_or_init(|| {
        let mut state = 1_u32;
        let noise = image::RgbImage::from_fn(1080, 1920, |x, y| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let grain = (state >> 28) as u8;
            image::Rgb([(x / 5) as u8 + grain, (y / 8) as u8 ^ grain, 90 + grain])
        });
        let mut jpeg = Vec::new();
        let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 80);
        noise.write_with_encoder(encoder).expect("a picture");
        jpeg
    });
    let mut picture = drawn[..2].to_vec();
    let mut fill = size.saturating_sub(drawn.len());
    loop {
        let length = fill.clamp(16, 60_000);
        picture.extend([0xff, 0xfe]);
        picture.extend(
            u16::try_from(length + 2)
                .expect("a short comment")
                .to_be_bytes(),
        );
        let mut comment = format!("{number:012}:{fill:08}").into_bytes();
        comment.resize(length, b'.');
        picture.extend(comment);
        if fill <= 60_000 {
            break;
        }
        fill -= 60_000;
    }
    picture.extend(&drawn[2..]);
    picture
}
