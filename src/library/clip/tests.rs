use std::io::{BufReader, Cursor};

use proptest::prelude::*;

use super::writer::{Length, Plan, boxed, sound_entry, words};
use super::*;
use crate::domain::clip::Audio;
use crate::library::whole::{Wholeness, wholeness};

fn told(bytes: &[u8]) -> Told {
    read(&mut Cursor::new(bytes)).unwrap().unwrap()
}

fn told_of(plan: &Plan) -> Told {
    told(&plan.written())
}

fn is_whole(bytes: &[u8]) -> bool {
    matches!(wholeness(bytes), Wholeness::Whole(_))
}

fn is_unfinished(bytes: &[u8]) -> bool {
    matches!(wholeness(bytes), Wholeness::Unfinished { .. })
}

/// Clips put together in every way: the index before or behind, the frames with any kind of length.
fn clips() -> Vec<Vec<u8>> {
    let put_together = |brand, moov_first, frames_box| {
        Plan {
            brand,
            moov_first,
            frames_box,
            frames: 20,
            ..Plan::default()
        }
        .written()
    };
    vec![
        put_together(*b"isom", true, Length::Plain),
        put_together(*b"qt  ", false, Length::Plain),
        put_together(*b"mp42", true, Length::Wide),
        put_together(*b"qt  ", false, Length::Wide),
        put_together(*b"isom", true, Length::ToTheEnd),
        fragmented(),
    ]
}

/// A clip of two fragments, with the mark behind the last.
fn fragmented() -> Vec<u8> {
    let plan = Plan {
        brand: *b"iso5",
        frames: 0,
        sound: None,
        more: boxed(b"mvex", &[&boxed(b"trex", &[&words(&[0, 1, 1, 20, 0, 0])])]),
        ..Plan::default()
    };
    let fragment = |run: &[u8]| {
        let track = [
            boxed(b"tfhd", &[&words(&[0x2_0000, 1])]),
            boxed(b"trun", &[run]),
        ];
        let moof = boxed(b"moof", &[&boxed(b"traf", &[&track.concat()])]);
        [moof, boxed(b"mdat", &[&[7; 50]])].concat()
    };
    [
        boxed(b"ftyp", &[b"iso5", &words(&[512])]),
        plan.moov(0),
        fragment(&words(&[0, 60])),
        fragment(&words(&[0x301, 3, 0, 20, 9, 20, 9, 60, 9])),
        boxed(b"mfra", &[&[0; 16]]),
    ]
    .concat()
}

#[test]
fn a_phones_clip_is_told_as_it_is_seen() {
    let expected = Told {
        width_px: 1080,
        height_px: 1920,
        clip: Clip {
            duration_ms: 5_000,
            coded_width_px: 1920,
            coded_height_px: 1080,
            rotation_degrees: 90,
            frames_per_second: 30.0,
            video_codec: "hevc".to_owned(),
            audio: Some(Audio {
                codec: "aac".to_owned(),
                sample_rate_hz: 44_100,
                channels: 2,
            }),
            ..Clip::default()
        },
    };
    assert_eq!(told_of(&Plan::default()), expected);
}

#[test]
fn each_quarter_turn_is_told() {
    for (matrix, degrees, size_px) in [
        ([1, 0, 0, 1], 0, (1920, 1080)),
        ([0, 1, -1, 0], 90, (1080, 1920)),
        ([-1, 0, 0, -1], 180, (1920, 1080)),
        ([0, -1, 1, 0], 270, (1080, 1920)),
    ] {
        let told = told_of(&Plan {
            matrix,
            ..Plan::default()
        });
        assert_eq!(told.clip.rotation_degrees, degrees);
        assert_eq!((told.width_px, told.height_px), size_px);
    }
}

#[test]
fn codecs_are_told_by_name() {
    for (codec, name) in [
        (b"avc1", "h264"),
        (b"hev1", "hevc"),
        (b"vp09", "vp09"),
        (b"\0\x01\x02\x03", "something unknown"),
    ] {
        let told = told_of(&Plan {
            video_codec: *codec,
            ..Plan::default()
        });
        assert_eq!(told.clip.video_codec, name);
    }
    let sound = |sound| {
        let plan = Plan {
            sound,
            ..Plan::default()
        };
        told_of(&plan).clip.audio.map(|audio| audio.codec)
    };
    assert_eq!(
        sound(Some(sound_entry(0x6b, 44_100, 2))).as_deref(),
        Some("mp3")
    );
    assert_eq!(
        sound(Some(boxed(b"sowt", &[&[0; 28]]))).as_deref(),
        Some("sowt")
    );
    assert_eq!(sound(None), None);
}

#[test]
fn a_rate_that_the_entry_cannot_hold_is_that_of_the_tracks_time() {
    let told = told_of(&Plan {
        timescale: 96_000,
        sound: Some(sound_entry(0x40, 0, 6)),
        ..Plan::default()
    });
    let audio = told.clip.audio.unwrap();
    assert_eq!((audio.sample_rate_hz, audio.channels), (96_000, 6));
}

#[test]
fn an_edit_list_counts_when_it_changes_what_is_played() {
    let has_edits = |edits: &[(u32, u32)]| {
        told_of(&Plan {
            edits: edits.to_vec(),
            ..Plan::default()
        })
        .clip
        .edit_list
    };
    assert!(!has_edits(&[]));
    assert!(!has_edits(&[(3000, 0)]));
    assert!(has_edits(&[(3000, 1024)]));
    assert!(has_edits(&[(100, u32::MAX), (3000, 0)]));
}

#[test]
fn a_place_of_recording_is_found_in_each_of_its_atoms() {
    let has_place = |more: Vec<u8>| {
        told_of(&Plan {
            more,
            ..Plan::default()
        })
        .clip
        .has_place
    };
    assert!(!has_place(boxed(
        b"udta",
        &[&boxed(b"\xa9nam", &[b"Dance"])]
    )));
    assert!(has_place(boxed(
        b"udta",
        &[&boxed(b"\xa9xyz", &[b"\0\x12\x15\xc7+52.52+013.40/"])]
    )));
    assert!(has_place(boxed(b"udta", &[&boxed(b"loci", &[&[0; 20]])])));
    let key = boxed(b"mdta", &[b"com.apple.quicktime.location.ISO6709"]);
    assert!(has_place(boxed(
        b"meta",
        &[&boxed(b"keys", &[&words(&[0, 1]), &key])]
    )));
}

#[test]
fn where_the_index_lies_is_told() {
    for moov_first in [true, false] {
        let told = told_of(&Plan {
            moov_first,
            ..Plan::default()
        });
        assert_eq!(told.clip.moov_first, moov_first);
        assert!(!told.clip.fragmented);
    }
}

#[test]
fn of_fragments_the_frames_are_counted() {
    let told = told(&fragmented());
    assert!(told.clip.fragmented);
    assert_eq!(told.clip.duration_ms, 1300 * 1000 / 600);
    assert_eq!(told.clip.frames_per_second, 29.077);
}

#[test]
fn a_whole_clip_is_whole_and_each_of_its_beginnings_is_unfinished() {
    for (number, bytes) in clips().into_iter().enumerate() {
        assert!(is_whole(&bytes), "{number}: {:?}", wholeness(&bytes));
        for end in 0..bytes.len() {
            let told = wholeness(&bytes[..end]);
            assert!(
                is_unfinished(&bytes[..end]),
                "{number} cut at {end}: {told:?}"
            );
        }
    }
}

#[test]
fn what_follows_a_whole_clip_does_no_harm_and_may_not_be_cut_either() {
    // All but the one whose frames take whatever follows.
    for bytes in clips().into_iter().take(4).chain([fragmented()]) {
        let trailer = boxed(b"free", &[&[1; 30]]);
        let longer = [bytes.clone(), trailer].concat();
        assert!(is_whole(&longer));
        for end in bytes.len() + 1..longer.len() {
            assert!(is_unfinished(&longer[..end]), "cut at {end}");
        }
        assert!(is_whole(&[&bytes[..], &[0; 100]].concat()));
        assert!(is_whole(
            &[&bytes[..], b"\x01\x02\x03\x04\x05\x06\x07\x08"].concat()
        ));
    }
}

#[test]
fn space_that_was_reserved_and_not_written_is_waited_for() {
    for moov_first in [true, false] {
        let bytes = Plan {
            moov_first,
            frames: 20,
            ..Plan::default()
        }
        .written();
        // Frames are not looked at, and a frame may hold anything.
        let frames = memchr::memmem::find(&bytes, b"mdat").unwrap() + 4;
        let ends = if moov_first {
            0..frames - 4
        } else {
            0..bytes.len() - 4
        };
        for end in ends {
            let mut bytes = bytes.clone();
            bytes[end..].fill(0);
            let told = wholeness(&bytes);
            assert!(!matches!(told, Wholeness::Whole(_)), "zeros from {end}");
        }
    }
}

#[test]
fn a_hole_where_the_last_frame_is_to_be_is_waited_for() {
    let mut bytes = include_bytes!("../../../tests/story/clip.mp4").to_vec();
    assert!(is_whole(&bytes));
    let hole = bytes.len() - 6000;
    bytes[hole..].fill(0);
    assert!(is_unfinished(&bytes));
}

#[test]
fn fragments_without_their_end_are_waited_for_with_a_remedy() {
    let bytes = fragmented();
    let Wholeness::Unfinished { missing, .. } = wholeness(&bytes[..bytes.len() - 24]) else {
        panic!("whole");
    };
    assert!(missing.contains("plain MP4"), "{missing}");
}

#[test]
fn sound_alone_is_no_clip() {
    let bytes = Plan::default().written();
    let at = memchr::memmem::find(&bytes, b"vide").unwrap();
    let mut bytes = bytes;
    bytes[at..at + 4].copy_from_slice(b"text");
    let reason = read(&mut Cursor::new(&bytes)).unwrap().unwrap_err();
    assert!(reason.contains("no moving picture"), "{reason}");
}

#[test]
fn an_index_of_any_declared_length_takes_no_memory() {
    let declared = |length: u32| {
        [
            boxed(b"ftyp", &[b"isom", &words(&[0])]),
            words(&[length]),
            b"moov".to_vec(),
        ]
        .concat()
    };
    assert!(is_unfinished(&declared(u32::MAX)));
    let mut bytes = declared(20_000_000);
    bytes.resize(16 + 20_000_000, 0);
    assert!(
        matches!(wholeness(&bytes), Wholeness::Foreign { reason } if reason.contains("too large"))
    );
}

#[test]
fn a_file_of_nothing_but_headers_ends_soon() {
    let bytes = [
        boxed(b"ftyp", &[b"isom", &words(&[0])]),
        boxed(b"free", &[]).repeat(100_000),
    ]
    .concat();
    assert!(
        matches!(wholeness(&bytes), Wholeness::Foreign { reason } if reason.contains("too many boxes"))
    );
}

#[test]
fn tables_that_count_more_than_they_hold_are_read_as_far_as_they_go() {
    let bytes = Plan::default().written();
    for table in [
        b"stts", b"stsc", b"stsz", b"stco", b"stsd", b"elst", b"mvhd",
    ] {
        for at in memchr::memmem::find_iter(&bytes, table) {
            let mut bytes = bytes.clone();
            let end = bytes.len().min(at + 20);
            bytes[at + 4..end].fill(0xff);
            let _ = wholeness(&bytes);
            let _ = read(&mut Cursor::new(&bytes));
        }
    }
}

proptest! {
    #[test]
    fn no_damage_is_a_panic_and_a_file_tells_the_same_as_its_bytes(
        which in 0..6_usize,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let mut bytes = clips().swap_remove(which);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let mut reader = BufReader::with_capacity(16, Cursor::new(&bytes));
        let told = read(&mut reader).unwrap();
        prop_assert_eq!(&told, &read(&mut Cursor::new(&bytes)).unwrap());
        if let Ok(told) = told {
            prop_assert!(told.clip.frames_per_second.is_finite());
            let kept = serde_json::to_string(&told.clip).unwrap();
            prop_assert_eq!(serde_json::from_str::<Clip>(&kept).unwrap(), told.clip);
        }
    }
}
