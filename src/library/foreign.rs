//! Names what is no picture or clip that can become a story, by its first bytes, and says what to do about it.

/// What to say of a file that begins so.
pub(super) fn reason(head: &[u8]) -> String {
    let known: [(&[u8], &str); 22] = [
        (b"BM", "a BMP picture"),
        (b"II*\0", "a TIFF or camera raw picture"),
        (b"MM\0*", "a TIFF or camera raw picture"),
        (b"8BPS", "a Photoshop document"),
        (b"\xff\x0a", "a JPEG XL picture"),
        (b"\0\0\x01\0", "an icon"),
        (b"<svg", "an SVG drawing"),
        (b"%PDF", "a PDF document"),
        (b"PK\x03\x04", "a ZIP archive or an office document"),
        (b"PK\x05\x06", "an empty ZIP archive"),
        (b"Rar!", "a RAR archive"),
        (b"7z\xbc\xaf", "a 7z archive"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"\x1a\x45\xdf\xa3", "a Matroska or WebM clip"),
        (b"RIFF", "an AVI clip or WAV sound"),
        (b"OggS", "a sound or clip"),
        (b"ID3", "a sound"),
        (b"fLaC", "a sound"),
        (b"\x7fELF", "a program"),
        (b"MZ", "a program"),
        (b"<!DOCTYPE", "a web page"),
        (b"<html", "a web page"),
    ];
    let found = known
        .iter()
        .find(|(beginning, _)| head.starts_with(beginning));
    match found {
        Some((_, what)) if what.ends_with("picture") || what.ends_with("document") => {
            format!("{what}; save it as JPEG or PNG")
        }
        Some((_, what)) if what.contains("clip") => format!("{what}; save it as MP4"),
        Some((_, what)) => format!("{what}, not a picture; {REMEDY}"),
        None if is_text(head) => format!("a text, not a picture; {REMEDY}"),
        None => format!("not a picture that is known here; {REMEDY}"),
    }
}

const REMEDY: &str = "pictures (JPEG, PNG, GIF, WebP) and clips (MP4, MOV) can become stories";

/// What to say of files of boxes (ISO base media) that are no clips: pictures of newer kinds, and sound.
pub(super) fn boxes(head: &[u8]) -> Option<String> {
    let brand = head.get(8..12).unwrap_or_default();
    let reason = match head.get(4..8)? {
        b"ftyp" => match brand {
            b"hevc" | b"hevx" | b"mif1" | b"msf1" => {
                "a sequence of pictures, or one in an unusual coding; save it as JPEG or MP4"
            }
            b"avif" | b"avis" => "AVIF is not supported yet; save it as JPEG or PNG",
            b"crx " => "a camera raw picture; save it as JPEG or PNG",
            b"M4A " | b"M4B " | b"M4P " => {
                "a sound, not a clip; a clip with pictures can become a story"
            }
            _ => return None,
        },
        b"JXL " => "a JPEG XL picture; save it as JPEG or PNG",
        b"jP  " => "a JPEG 2000 picture; save it as JPEG or PNG",
        _ => return None,
    };
    Some(reason.to_owned())
}

fn is_text(head: &[u8]) -> bool {
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The last letter may be cut in two.
        Err(cut) if cut.error_len().is_none() => {
            std::str::from_utf8(&head[..cut.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !valid.is_empty() && !valid.contains(|c: char| c.is_control() && !c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_named_with_what_to_do() {
        for (head, says) in [
            (
                &b"\x1a\x45\xdf\xa3\x01\x02"[..],
                "WebM clip; save it as MP4",
            ),
            (b"BM\x36\0\0\0", "BMP"),
            (b"II*\0\x08", "TIFF"),
            (b"%PDF-1.7", "PDF"),
            (b"PK\x03\x04", "ZIP"),
            (b"RIFF\0\0\0\0AVI LIST", "AVI"),
            (b"shopping: eggs, m\xc3", "a text"),
            (b"\x01\x02\x03\x04", "not a picture"),
        ] {
            let reason = reason(head);
            assert!(reason.contains(says), "{reason}");
        }
    }

    #[test]
    fn of_files_of_boxes_only_clips_are_not_named() {
        for (head, says) in [
            (&b"\0\0\0\x18ftyphevc\0\0\0\0"[..], "a sequence"),
            (b"\0\0\0\x18ftypavif\0\0\0\0", "AVIF"),
            (b"\0\0\0\x18ftypM4A \0\0\0\0", "a sound"),
            (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        ] {
            let reason = boxes(head).unwrap_or_default();
            assert!(reason.contains(says), "{reason}");
        }
        assert_eq!(boxes(b"\0\0\0\x18ftypisom\0\0\0\0"), None);
        assert_eq!(boxes(b"\0\0\0\x18ftypqt  \0\0\0\0"), None);
    }
}
