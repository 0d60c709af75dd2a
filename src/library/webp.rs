//! What a WebP says of its picture beside its pixels. The chunks are found here, in the bytes that are in memory already: the
//! decoder makes room for as much as a chunk says that it holds, a gigabyte for a file of a few thousand bytes.

use image::metadata::Orientation;

/// How the picture is to be turned, if its EXIF tells.
pub(super) fn orientation(webp: &[u8]) -> Option<Orientation> {
    let exif = chunk(webp, b"EXIF")?;
    // By the standard there is nothing before it; what JPEG has there is carried along all the same.
    Orientation::from_exif_chunk(exif.strip_prefix(b"Exif\0\0").unwrap_or(exif))
}

/// Its colour profile.
pub(super) fn colour_profile(webp: &[u8]) -> Option<Vec<u8>> {
    chunk(webp, b"ICCP").map(<[u8]>::to_vec)
}

/// The first chunk of this name, if it is there in full.
fn chunk<'a>(webp: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    let mut rest = webp.get(12..)?;
    loop {
        let (header, after) = rest.split_at_checked(8)?;
        let (kind, length) = header.split_at(4);
        let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
        if kind == name {
            return after.get(..length);
        }
        rest = after.get(length.checked_next_multiple_of(2)?..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webp(name: &[u8; 4], length: u32, content: &[u8]) -> Vec<u8> {
        let odd = b"ODD \x01\0\0\0x\0";
        [
            b"RIFF\0\0\0\0WEBP",
            &odd[..],
            name,
            &length.to_le_bytes(),
            content,
        ]
        .concat()
    }

    #[test]
    fn a_picture_is_turned_with_and_without_what_jpeg_has_before_its_exif() {
        let tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        for exif in [tiff.to_vec(), [b"Exif\0\0", &tiff[..]].concat()] {
            let webp = webp(b"EXIF", exif.len() as u32, &exif);
            assert_eq!(orientation(&webp), Some(Orientation::Rotate90));
            assert_eq!(colour_profile(&webp), None);
        }
    }

    #[test]
    fn a_chunk_of_any_declared_length_takes_no_memory() {
        for length in [5, 1_179_207_456, u32::MAX] {
            assert_eq!(colour_profile(&webp(b"ICCP", length, b"four")), None);
            assert_eq!(colour_profile(&webp(b"ELSE", length, b"four")), None);
        }
        let whole = webp(b"ICCP", 4, b"four");
        assert_eq!(colour_profile(&whole).unwrap(), b"four");
        assert_eq!(colour_profile(&whole[..14]), None);
        assert_eq!(colour_profile(b"RIFF"), None);
    }
}
