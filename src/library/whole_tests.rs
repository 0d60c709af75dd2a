use std::io::BufReader;
use std::sync::LazyLock;

use image::{DynamicImage, ImageFormat, RgbImage};
use proptest::prelude::*;

use super::*;

fn picture(format: ImageFormat) -> Vec<u8> {
    let image = RgbImage::from_fn(40, 30, |x, y| {
        image::Rgb([(x * 6) as u8, (y * 8) as u8, (x * y) as u8])
    });
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(image)
        .write_to(&mut bytes, format)
        .unwrap();
    bytes.into_inner()
}

fn pictures() -> [(Format, Vec<u8>); 4] {
    static PICTURES: LazyLock<[(Format, Vec<u8>); 4]> = LazyLock::new(make_pictures);
    PICTURES.clone()
}

fn make_pictures() -> [(Format, Vec<u8>); 4] {
    [
        (Format::Jpeg, with_thumbnail(&picture(ImageFormat::Jpeg))),
        (Format::Png, picture(ImageFormat::Png)),
        (Format::Gif, picture(ImageFormat::Gif)),
        (Format::Webp, picture(ImageFormat::WebP)),
    ]
}

/// The JPEG with another whole JPEG in an APP1 segment, as cameras put their thumbnails.
fn with_thumbnail(jpeg: &[u8]) -> Vec<u8> {
    let thumbnail = picture(ImageFormat::Jpeg);
    let length = u16::try_from(thumbnail.len() + 2).unwrap();
    let mut bytes = b"\xff\xd8\xff\xe1".to_vec();
    bytes.extend(length.to_be_bytes());
    bytes.extend(thumbnail);
    bytes.extend(&jpeg[2..]);
    bytes
}

fn is_unfinished(bytes: &[u8]) -> bool {
    matches!(wholeness(bytes), Wholeness::Unfinished { .. })
}

#[test]
fn a_whole_picture_is_whole_and_each_of_its_beginnings_is_unfinished() {
    for (format, bytes) in pictures() {
        assert_eq!(wholeness(&bytes), Wholeness::Whole(format));
        for end in 0..bytes.len() {
            assert!(is_unfinished(&bytes[..end]), "{format:?} cut at {end}");
        }
    }
}

#[test]
fn a_trailer_behind_the_end_does_no_harm() {
    for (format, mut bytes) in pictures() {
        bytes.extend(b"SEFH trailer of a camera");
        bytes.extend(picture(ImageFormat::Jpeg));
        bytes.extend([0; 100]);
        assert_eq!(wholeness(&bytes), Wholeness::Whole(format));
    }
}

#[test]
fn space_that_was_reserved_and_not_written_is_waited_for() {
    assert!(is_unfinished(&[0; 5000]));
    for (format, mut bytes) in pictures() {
        let cut = bytes.len() * 2 / 3;
        bytes[cut..].fill(0);
        let too_small_to_tell = format == Format::Webp;
        assert_eq!(is_unfinished(&bytes), !too_small_to_tell, "{format:?}");
    }
    // A WebP tells its length at the beginning; a long hole at the end tells that this is a promise.
    let mut webp = picture(ImageFormat::WebP);
    let length = webp.len() + 20_000;
    webp[4..8].copy_from_slice(&(length as u32 - 8).to_le_bytes());
    webp.resize(length - 1, 0);
    webp.push(1);
    assert_eq!(wholeness(&webp), Wholeness::Whole(Format::Webp));
    webp[length - 1] = 0;
    assert!(is_unfinished(&webp));
}

#[test]
fn garbage_between_segments_is_damage() {
    let mut jpeg = picture(ImageFormat::Jpeg);
    jpeg.splice(2..2, *b"garbage");
    jpeg[2] = 0xff;
    jpeg[3] = 0xe1;
    jpeg[4] = 0;
    jpeg[5] = 3;
    let Wholeness::Foreign { reason } = wholeness(&jpeg) else {
        panic!("{:?}", wholeness(&jpeg));
    };
    assert!(reason.contains("damaged JPEG"), "{reason}");
    let mut png = picture(ImageFormat::Png);
    png[12] = 7;
    assert!(matches!(wholeness(&png), Wholeness::Foreign { .. }));
}

#[test]
fn a_stuffed_byte_between_segments_is_garbage_and_zeros_are_space() {
    let with = |content: &[u8]| {
        let mut jpeg = picture(ImageFormat::Jpeg);
        jpeg.splice(2..2, content.iter().copied());
        wholeness(&jpeg)
    };
    assert!(matches!(with(b"\xff\0\xff"), Wholeness::Foreign { .. }));
    assert!(matches!(
        with(b"\xff\0\0\0\0"),
        Wholeness::Unfinished { .. }
    ));
}

#[test]
fn a_zip_called_jpg_is_foreign() {
    assert!(
        matches!(wholeness(b"PK\x03\x04rest"), Wholeness::Foreign { reason } if reason.contains("ZIP"))
    );
}

#[test]
fn an_animation_is_walked_to_its_trailer() {
    let mut bytes = Vec::new();
    let frames = (0..3).map(|_| image::Frame::new(image::RgbaImage::new(20, 20)));
    image::codecs::gif::GifEncoder::new(&mut bytes)
        .encode_frames(frames)
        .unwrap();
    assert_eq!(wholeness(&bytes), Wholeness::Whole(Format::Gif));
    assert!((1..bytes.len()).all(|end| is_unfinished(&bytes[..end])));
}

proptest! {
    #[test]
    fn random_bytes_are_never_whole_and_never_a_panic(
        beginning in 0..6_usize,
        rest in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        let mut bytes = [&b""[..], b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x50\x02\0\0WEBP", b"\0\0\0\x18ftyp"][beginning].to_vec();
        bytes.extend(rest);
        let told = wholeness(&bytes);
        if beginning == 0 || beginning == 5 {
            prop_assert!(!matches!(told, Wholeness::Whole(_)));
        }
    }

    #[test]
    fn a_file_tells_the_same_as_its_bytes(flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)) {
        for (_, mut bytes) in pictures() {
            for (at, byte) in &flips {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            let mut reader = BufReader::with_capacity(16, Cursor::new(&bytes));
            prop_assert_eq!(wholeness_of(&mut reader).unwrap(), wholeness(&bytes));
        }
    }
}
