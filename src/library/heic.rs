//! Pictures as iPhones keep them. Nothing here decodes HEIC; a converter does, where one is installed: `heif-dec`, or
//! `heif-convert` as it was called before. Both turn the picture upright, and hand on its colour profile.

use std::fs;
use std::io::{self, Cursor, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use imagesize::{Compression, ImageType};

use super::heic_size::coded_pixels;
use crate::domain::media::MOST_BYTES;
use crate::system::program::{Ended, Leash, output_of};

/// What to do about a HEIC where there is no converter.
pub(super) const NO_CONVERTER: &str = "HEIC needs a converter: install the package `libheif-examples` (or `heif-dec`) on this box and restart; or on the iPhone: Settings ▸ Camera ▸ Formats ▸ Most Compatible, or share as JPEG";
/// What to say where it failed for a reason that is not the picture's; with each scan it is tried again.
pub(super) const LATER: &str =
    "it could not be converted just now (the log says why); it is tried again within the hour";
/// What to say where the converter took too long, or more memory than there is for it: that may be the file's fault, or not.
pub const CUT_OFF: &str =
    "the converter took too long or too much memory over it; it is tried once more";
/// The most pixels that are given to a converter: more take more memory than it may have.
const MOST_PIXELS: u64 = 75_000_000;
/// Their names, the newer one first.
const CONVERTERS: [&str; 2] = ["heif-dec", "heif-convert"];
/// The longest that a converter may take: a small board needs a few seconds for a phone's picture.
const PATIENCE: Duration = Duration::from_secs(60);
/// Better than what is made of it in the end, of 100.
const QUALITY: &str = "95";

/// Whether a file that begins so is a still picture of this kind.
pub(super) fn is_heic(head: &[u8]) -> bool {
    let brand = |at: usize| head.get(at..at + 4).unwrap_or_default();
    if brand(4) != b"ftyp" {
        return false;
    }
    let is_coded = |brand: &[u8]| matches!(brand, b"heic" | b"heix" | b"heim" | b"heis");
    // Some name the container first and the coding among what they are compatible with.
    let mut compatible = head.get(16..).unwrap_or_default().chunks_exact(4);
    is_coded(brand(8)) || (brand(8) == b"mif1" && compatible.any(is_coded))
}

/// The converter of this machine, looked for once.
pub fn converter() -> Option<&'static Path> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let path = std::env::var_os("PATH")?;
        CONVERTERS.iter().find_map(|name| {
            let mut places = std::env::split_paths(&path).map(|folder| folder.join(name));
            places.find(|place| place.is_file())
        })
    });
    found.as_deref()
}

/// Width and height, in pixels, of the largest picture in it: before decoding, nothing better is known.
pub(super) fn size(heic: &[u8]) -> Option<(u32, u32)> {
    let kind = ImageType::Heif(Compression::Hevc);
    let size = kind.reader_size(&mut Cursor::new(heic)).ok()?;
    Some((size.width.try_into().ok()?, size.height.try_into().ok()?))
}

/// The converter of this machine, told from any other: another version of it is another file.
#[must_use]
pub fn converter_mark() -> String {
    let mark = || {
        let file = fs::metadata(converter()?).ok()?;
        Some(format!("{}:{}", file.len(), file.mtime()))
    };
    mark().unwrap_or_default()
}

/// The same picture as a JPEG. What is too large is refused before anything looks into it, whatever the file promises: the
/// converter would take many seconds, and all the memory that it may have.
///
/// # Errors
///
/// Why that is not possible, in plain words.
pub(super) fn to_jpeg(heic: &[u8]) -> Result<Vec<u8>, String> {
    must_not_be_too_large(heic)?;
    converted(heic, converter().ok_or(NO_CONVERTER)?, PATIENCE)
}

fn must_not_be_too_large(heic: &[u8]) -> Result<(), String> {
    let promised = size(heic).map(|(width, height)| u64::from(width) * u64::from(height));
    let pixels = promised.max(coded_pixels(heic)).unwrap_or(0);
    if pixels <= MOST_PIXELS {
        return Ok(());
    }
    Err(format!(
        "{} megapixels are more than a HEIC may have, which is {}; save it as JPEG, or smaller",
        pixels.div_ceil(1_000_000),
        MOST_PIXELS / 1_000_000
    ))
}

fn converted(heic: &[u8], converter: &Path, patience: Duration) -> Result<Vec<u8>, String> {
    let kept = |cause: io::Error| {
        tracing::warn!(task = "examine", "a HEIC cannot be converted here: {cause}");
        LATER.to_owned()
    };
    let folder = tempfile::tempdir().map_err(kept)?;
    let (input, output) = (
        folder.path().join("picture.heic"),
        folder.path().join("picture.jpg"),
    );
    fs::write(&input, heic).map_err(kept)?;
    let leash = Leash {
        patience,
        most_output_bytes: 64 * 1024,
        is_strange: true,
    };
    let mut command = Command::new(converter);
    command.args(["-q", QUALITY]).arg(&input).arg(&output);
    match output_of(&mut command, &leash) {
        Ok(_) => {}
        Err(Ended::Failed(reason)) => return Err(reason),
        Err(Ended::CutOff(cause)) => {
            tracing::warn!(task = "examine", "a HEIC was not converted: {cause}");
            return Err(CUT_OFF.to_owned());
        }
        Err(cause) => return Err(kept(io::Error::other(cause))),
    }
    // Of a file with several pictures, each goes to a file of its own.
    let first = folder.path().join("picture-1.jpg");
    let written = fs::File::open(&output).or_else(|_| fs::File::open(first));
    let mut jpeg = Vec::new();
    written
        .and_then(|file| file.take(MOST_BYTES).read_to_end(&mut jpeg))
        .map_err(|_| "the converter found no picture in it; it is damaged".to_owned())?;
    Ok(jpeg)
}

#[cfg(test)]
mod tests {
    use super::super::heic_size::tests::lying;
    use super::*;
    use crate::system::program::tests::program;

    #[test]
    fn stills_are_told_from_sequences_and_other_codings() {
        for (head, is) in [
            (&b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"[..], true),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", true),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", false),
            (b"\0\0\0\x18ftyphevc\0\0\0\0mif1heic", false),
            (b"\0\0\0\x18ftypisom\0\0\0\0heic", false),
            (b"\0\0\0\x18ftyp", false),
        ] {
            assert_eq!(is_heic(head), is, "{head:?}");
        }
    }

    #[test]
    fn what_is_too_large_is_refused_whatever_it_promises() {
        for (promised, real, says) in [
            ((1080, 1920), (16_000, 12_000), "192 megapixels"),
            ((11_000, 9_000), (512, 512), "99 megapixels"),
        ] {
            let reason = to_jpeg(&lying(promised, real, 1)).unwrap_err();
            assert!(reason.starts_with(says), "{reason}");
        }
        must_not_be_too_large(&lying((4032, 3024), (512, 512), 48)).unwrap();
        must_not_be_too_large(b"no picture").unwrap();
    }

    #[test]
    fn a_converter_that_hangs_is_cut_off_and_the_file_may_be_to_blame() {
        let folder = tempfile::tempdir().unwrap();
        let hanging = program(&folder, "exec sleep 60");
        let reason = converted(b"a picture", &hanging, Duration::from_millis(300)).unwrap_err();
        assert_eq!(reason, CUT_OFF);
        let missing = folder.path().join("nothing");
        assert_eq!(
            converted(b"a picture", &missing, PATIENCE).unwrap_err(),
            LATER
        );
    }

    #[test]
    fn what_the_converter_writes_is_the_picture() {
        let folder = tempfile::tempdir().unwrap();
        for (name, found) in [
            ("$4", true),
            ("${4%.jpg}-1.jpg", true),
            ("/dev/null", false),
        ] {
            let converter = program(&folder, &format!("cp \"$3\" \"{name}\""));
            let jpeg = converted(b"a picture", &converter, PATIENCE);
            assert_eq!(jpeg.is_ok(), found, "{jpeg:?}");
            assert!(jpeg.is_err() || jpeg.unwrap() == b"a picture");
        }
        let refusing = program(&folder, "exit 1");
        let reason = converted(b"a picture", &refusing, PATIENCE).unwrap_err();
        assert!(reason.contains("could not read it"), "{reason}");
    }
}
