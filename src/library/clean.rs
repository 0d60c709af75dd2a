//! An original as it may leave the box: the picture to the last bit, and nothing that tells where or with what it was taken.
//! The file itself stays as it is; this is what is sent of it.
//!
//! What is kept is named and all else goes, so that no kind of metadata has to be known to be taken out. It is done here,
//! with no crate: what is known of the kind keeps all that follows a JPEG's first scan, where phones put a film of the moment
//! with a place of its own.

use std::borrow::Cow;

use image::metadata::Orientation;
use memchr::memchr;

use super::heic;
use crate::domain::media::Format;

/// What an EXIF block begins with in a JPEG.
const EXIF: &[u8] = b"Exif\0\0";
/// The pieces of a PNG that its looks depend on. That it is to be turned is told beside them, and hardly anybody reads it.
const PNG_CHUNKS: [&[u8; 4]; 18] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB",
    b"cICP", b"mDCV", b"cLLI", b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT",
];
/// The same of a WebP.
const WEBP_CHUNKS: [&[u8; 4]; 7] = [
    b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP",
];

/// A picture without its metadata. A HEIC becomes a JPEG: in its own form nobody here can take anything out of it.
///
/// # Errors
///
/// If its form cannot be followed, in plain words; then it must not leave.
pub(super) fn clean(format: Format, bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    let cleaned = match format {
        Format::Jpeg => jpeg(&bytes),
        Format::Heic => jpeg(&heic::to_jpeg(&bytes)?),
        Format::Png => png(&bytes),
        Format::Webp => webp(&bytes),
        Format::Gif => gif(&bytes),
        // What moves is sent as it is.
        Format::Mp4 | Format::Mov => return Ok(bytes),
    };
    cleaned.ok_or_else(|| "what it tells beside its picture cannot be taken out".to_owned())
}

/// The segments that its looks depend on, up to the end of the picture.
fn jpeg(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut kept = Vec::with_capacity(bytes.len());
    let mut rest = bytes.strip_prefix(b"\xff\xd8")?;
    kept.extend(b"\xff\xd8");
    let mut in_scan = false;
    loop {
        let scan = if in_scan { length_of_scan(rest)? } else { 0 };
        kept.extend(&rest[..scan]);
        rest = &rest[scan..];
        while let [0xff, 0xff, ..] = rest {
            rest = &rest[1..];
        }
        let [0xff, marker, after @ ..] = rest else {
            return None;
        };
        in_scan |= *marker == 0xda;
        if *marker == 0xd9 {
            kept.extend(b"\xff\xd9");
            return Some(kept);
        }
        let length = usize::from(u16::from_be_bytes(*after.first_chunk()?));
        let content = after.get(2..length)?;
        if is_of_its_looks(*marker, content) {
            kept.extend(&rest[..length + 2]);
        } else if let Some(upright) = content.strip_prefix(EXIF).and_then(turning)
            && *marker == 0xe1
        {
            let exif = [EXIF, &upright].concat();
            kept.extend([0xff, 0xe1]);
            kept.extend(u16::try_from(exif.len() + 2).ok()?.to_be_bytes());
            kept.extend(exif);
        }
        rest = after.get(length..)?;
    }
}

/// How far a scan goes: to the next mark that is neither stuffing nor a place to begin anew.
fn length_of_scan(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr(0xff, bytes.get(at..)?)?;
        match bytes.get(at + 1)? {
            0x00 | 0x01 | 0xd0..=0xd8 => at += 2,
            _ => return Some(at),
        }
    }
}

/// Whether a segment belongs to the picture: not an application's, but those that tell of its colours, and no comment.
fn is_of_its_looks(marker: u8, content: &[u8]) -> bool {
    match marker {
        0xe0 => content.starts_with(b"JFIF\0"),
        0xe2 => content.starts_with(b"ICC_PROFILE\0"),
        0xee => content.starts_with(b"Adobe"),
        0xc0..=0xdf => true,
        _ => false,
    }
}

/// The header, the frames and how often they are shown; no comment, and nothing of an application's.
fn gif(bytes: &[u8]) -> Option<Vec<u8>> {
    let colours = |flags: u8| match flags & 0x80 {
        0 => 0,
        _ => 3 << ((flags & 7) + 1),
    };
    let header = 13 + colours(*bytes.get(10)?);
    let mut kept = bytes.get(..header)?.to_vec();
    let mut rest = &bytes[header..];
    loop {
        let (head, is_kept) = match rest {
            [0x3b, ..] => {
                kept.push(0x3b);
                return Some(kept);
            }
            [0x21, 0xf9, ..] => (2, true),
            [0x21, 0xff, 11, ..] => {
                let application = rest.get(3..14)?;
                (2, matches!(application, b"NETSCAPE2.0" | b"ANIMEXTS1.0"))
            }
            [0x21, ..] => (2, false),
            // Its place, its colours, and the size of its codes.
            [0x2c, ..] => (11 + colours(*rest.get(9)?), true),
            _ => return None,
        };
        let end = head + length_of_blocks(rest.get(head..)?)?;
        if is_kept {
            kept.extend(rest.get(..end)?);
        }
        rest = rest.get(end..)?;
    }
}

/// How far a row of a GIF's blocks goes, each led by its length and the last one empty.
fn length_of_blocks(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match usize::from(*bytes.get(at)?) {
            0 => return Some(at + 1),
            length => at += length + 1,
        }
    }
}

fn png(bytes: &[u8]) -> Option<Vec<u8>> {
    let (signature, mut rest) = bytes.split_at_checked(8)?;
    let mut kept = Vec::with_capacity(bytes.len());
    kept.extend(signature);
    loop {
        let length = u32::from_be_bytes(*rest.first_chunk()?);
        let (chunk, after) =
            rest.split_at_checked(usize::try_from(length).ok()?.checked_add(12)?)?;
        let kind: &[u8; 4] = chunk[4..].first_chunk()?;
        if PNG_CHUNKS.contains(&kind) {
            kept.extend(chunk);
        }
        if kind == b"IEND" {
            return Some(kept);
        }
        rest = after;
    }
}

fn webp(bytes: &[u8]) -> Option<Vec<u8>> {
    const HAS_EXIF: u8 = 0b1000;
    const HAS_XMP: u8 = 0b0100;
    let mut kept = bytes.get(..12)?.to_vec();
    let length = u32::from_le_bytes(*bytes[4..].first_chunk()?);
    let mut rest = bytes.get(12..usize::try_from(length).ok()?.checked_add(8)?)?;
    let mut upright = None;
    let mut flags_at = None;
    while !rest.is_empty() {
        let length = u32::from_le_bytes(*rest.get(4..)?.first_chunk()?);
        let padded = usize::try_from(length).ok()?.checked_next_multiple_of(2)?;
        let (chunk, after) = rest.split_at_checked(padded.checked_add(8)?)?;
        let kind: &[u8; 4] = chunk.first_chunk()?;
        match kind {
            b"VP8X" => flags_at = Some(kept.len() + 8),
            // By the standard there is nothing before it; what JPEG has there is carried along all the same.
            b"EXIF" => upright = turning(chunk[8..].strip_prefix(EXIF).unwrap_or(&chunk[8..])),
            _ => {}
        }
        if WEBP_CHUNKS.contains(&kind) {
            kept.extend(chunk);
        }
        rest = after;
    }
    if let Some(flags) = flags_at.and_then(|at| kept.get_mut(at)) {
        *flags &= !(HAS_EXIF | HAS_XMP);
        if upright.is_some() {
            *flags |= HAS_EXIF;
        }
    }
    if let Some(exif) = upright {
        kept.extend(b"EXIF");
        kept.extend(u32::try_from(exif.len()).ok()?.to_le_bytes());
        kept.extend(exif);
    }
    let length = u32::try_from(kept.len() - 8).ok()?.to_le_bytes();
    kept[4..8].copy_from_slice(&length);
    Some(kept)
}

/// An EXIF block that tells how the picture is to be turned and nothing else; nothing if it stands upright.
fn turning(exif: &[u8]) -> Option<[u8; 26]> {
    let orientation = Orientation::from_exif_chunk(exif)?;
    if orientation == Orientation::NoTransforms {
        return None;
    }
    let mut upright = *b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x01\0\0\0\0\0\0\0";
    upright[18] = orientation.to_exif();
    Some(upright)
}

/// What a document of this file is called: a HEIC was made a JPEG.
pub(super) fn name(format: Format, name: &str) -> Cow<'_, str> {
    match (format, name.rsplit_once('.')) {
        (Format::Heic, Some((stem, _))) => format!("{stem}.jpg").into(),
        _ => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::io::Cursor;

    use image::{ImageDecoder, ImageFormat, Rgb, RgbImage};
    use proptest::prelude::*;

    /// A place, so that it is found wherever it is left.
    const PLACE: &[u8] = b"+52.5200+013.4050/";

    /// An EXIF block with an orientation, a maker, and a place in its GPS part.
    fn exif(orientation: u8) -> Vec<u8> {
        let mut tiff = b"II*\0\x08\0\0\0\x02\0".to_vec();
        tiff.extend([0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]);
        tiff.extend([0x25, 0x88, 4, 0, 1, 0, 0, 0, 38, 0, 0, 0, 0, 0, 0, 0]);
        tiff.extend(b"\x01\0\x1b\0\x07\0\x12\0\0\0\x38\0\0\0\0\0\0\0");
        tiff.extend(PLACE);
        tiff
    }

    fn picture(format: ImageFormat) -> Vec<u8> {
        let picture = RgbImage::from_fn(60, 40, |x, y| Rgb([x as u8 * 4, y as u8 * 6, 90]));
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
        [&[0xff, marker], &length[..], content].concat()
    }

    fn jpeg_with(orientation: u8) -> Vec<u8> {
        let plain = picture(ImageFormat::Jpeg);
        [
            b"\xff\xd8",
            &segment(0xe1, &[EXIF, &exif(orientation)].concat())[..],
            &segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", PLACE].concat()),
            &segment(0xed, &[b"Photoshop 3.0\0", PLACE].concat()),
            &segment(0xe2, b"ICC_PROFILE\0\x01\x01a profile"),
            &segment(0xe2, &[b"MPF\0", PLACE].concat()),
            &segment(0xfe, PLACE),
            &plain[2..],
            // The film of the moment, behind the picture.
            b"ftypmp42",
            PLACE,
        ]
        .concat()
    }

    fn has_place(bytes: &[u8]) -> bool {
        memchr::memmem::find(bytes, PLACE).is_some()
    }

    fn orientation(bytes: &[u8]) -> Orientation {
        let reader = image::ImageReader::new(Cursor::new(bytes));
        let mut decoder = reader
            .with_guessed_format()
            .unwrap()
            .into_decoder()
            .unwrap();
        decoder.orientation().unwrap()
    }

    fn pixels(bytes: &[u8]) -> Vec<u8> {
        image::load_from_memory(bytes).unwrap().to_rgb8().into_raw()
    }

    #[test]
    fn a_jpeg_keeps_its_picture_its_profile_and_how_it_is_turned() {
        for turned in [1, 6] {
            let original = jpeg_with(turned);
            let cleaned = clean(Format::Jpeg, original.clone()).unwrap();
            assert!(has_place(&original) && !has_place(&cleaned));
            assert_eq!(pixels(&original), pixels(&cleaned));
            assert_eq!(orientation(&original), orientation(&cleaned));
            assert_eq!(orientation(&cleaned).to_exif(), turned);
            assert!(memchr::memmem::find(&cleaned, b"a profile").is_some());
            assert!(cleaned.ends_with(b"\xff\xd9"));
            assert_eq!(clean(Format::Jpeg, cleaned.clone()).unwrap(), cleaned);
        }
    }

    #[test]
    fn a_progressive_jpeg_keeps_all_its_scans() {
        let mut plain = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut plain, 90);
        encoder.set_progressive(true);
        encoder.set_restart_interval(2);
        let samples: Vec<u8> = (0..60 * 40 * 3).map(|at| (at % 251) as u8).collect();
        encoder
            .encode(&samples, 60, 40, jpeg_encoder::ColorType::Rgb)
            .unwrap();
        let told = [&plain[..2], &segment(0xe1, PLACE), &plain[2..]].concat();
        assert_eq!(clean(Format::Jpeg, told).unwrap(), plain);
    }

    #[test]
    fn a_gif_keeps_its_frames_and_how_often_they_are_shown() {
        use image::codecs::gif::{GifEncoder, Repeat};
        let mut plain = Vec::new();
        let mut encoder = GifEncoder::new(&mut plain);
        encoder.set_repeat(Repeat::Infinite).unwrap();
        let frame =
            |grey| image::Frame::new(image::RgbaImage::from_pixel(9, 9, image::Rgba([grey; 4])));
        encoder.encode_frames([frame(255), frame(90)]).unwrap();
        drop(encoder);
        let comment = [&[0x21, 0xfe, PLACE.len() as u8], PLACE, &[0]].concat();
        let xmp = [
            &b"\x21\xff\x0bXMP DataXMP"[..],
            &[PLACE.len() as u8],
            PLACE,
            &[0],
        ]
        .concat();
        let (body, end) = plain.split_at(plain.len() - 1);
        let told = [body, &comment, &xmp, end].concat();
        assert!(has_place(&told));
        assert_eq!(clean(Format::Gif, told).unwrap(), plain);
        assert!(memchr::memmem::find(&plain, b"NETSCAPE2.0").is_some());
        assert!(clean(Format::Gif, plain[..plain.len() - 3].to_vec()).is_err());
    }

    #[test]
    fn a_png_keeps_its_picture() {
        let plain = picture(ImageFormat::Png);
        let chunk = |kind: &[u8; 4], content: &[u8]| {
            let length = u32::try_from(content.len()).unwrap().to_be_bytes();
            [&length[..], kind, content, b"\0\0\0\0"].concat()
        };
        let header = 8 + 25;
        let original = [
            &plain[..header],
            &chunk(b"eXIf", &exif(1)),
            &chunk(b"iTXt", &[b"XML:com.adobe.xmp\0\0\0\0\0", PLACE].concat()),
            &chunk(b"tEXt", &[b"Location\0", PLACE].concat()),
            &plain[header..],
            PLACE,
        ]
        .concat();
        assert_eq!(clean(Format::Png, original).unwrap(), plain);
    }

    #[test]
    fn a_webp_keeps_its_picture_and_how_it_is_turned() {
        let plain = picture(ImageFormat::WebP);
        let chunk = |kind: &[u8; 4], content: &[u8]| {
            let length = u32::try_from(content.len()).unwrap().to_le_bytes();
            let padding: &[u8] = if content.len() % 2 == 1 { b"\0" } else { b"" };
            [&kind[..], &length, content, padding].concat()
        };
        for turned in [1, 8] {
            let content = [
                &chunk(b"VP8X", b"\x0c\0\0\0\x3b\0\0\x27\0\0")[..],
                &plain[12..],
                &chunk(b"EXIF", &exif(turned)),
                &chunk(b"XMP ", PLACE),
                &chunk(b"ABCD", PLACE),
            ]
            .concat();
            let length = u32::try_from(content.len() + 4).unwrap().to_le_bytes();
            let original = [b"RIFF", &length[..], b"WEBP", &content].concat();
            let cleaned = clean(Format::Webp, original.clone()).unwrap();
            assert!(has_place(&original) && !has_place(&cleaned));
            assert_eq!(pixels(&original), pixels(&cleaned));
            assert_eq!(orientation(&cleaned).to_exif(), turned);
            assert_eq!(cleaned[20], if turned == 1 { 0 } else { 8 });
        }
    }

    #[test]
    fn what_cannot_be_followed_does_not_leave() {
        for format in [Format::Jpeg, Format::Png, Format::Webp] {
            assert!(clean(format, b"something else, and long enough".to_vec()).is_err());
            assert!(clean(format, Vec::new()).is_err());
        }
        let cut = jpeg_with(6);
        assert!(clean(Format::Jpeg, cut[..cut.len() / 2].to_vec()).is_err());
    }

    #[test]
    fn a_heic_is_called_what_it_became() {
        assert_eq!(name(Format::Heic, "IMG.1.HEIC"), "IMG.1.jpg");
        assert_eq!(name(Format::Png, "a.png"), "a.png");
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(
            bytes in prop::collection::vec(any::<u8>(), 0..300), at in 0_usize..2000, wrong in any::<u8>(),
        ) {
            let mut broken = jpeg_with(6);
            let at = at % broken.len();
            broken[at] = wrong;
            let _ = clean(Format::Jpeg, broken);
            for format in [Format::Jpeg, Format::Png, Format::Webp] {
                let _ = clean(format, bytes.clone());
            }
        }
    }
}
