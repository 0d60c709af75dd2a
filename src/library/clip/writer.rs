//! Writes small clips for tests, box by box.

use super::boxes::Kind;

/// One track of moving pictures and perhaps one of sound, and how the file is put together.
#[derive(Clone)]
pub(in crate::library) struct Plan {
    pub(super) brand: Kind,
    pub(super) video_codec: Kind,
    pub(super) coded_px: (u16, u16),
    pub(super) matrix: [i32; 4],
    pub(super) frames: u32,
    pub(super) frame_units: u32,
    pub(super) timescale: u32,
    /// The sample entry of the sound.
    pub(super) sound: Option<Vec<u8>>,
    pub(super) edits: Vec<(u32, u32)>,
    pub(super) moov_first: bool,
    /// How the length of `mdat` is told.
    pub(super) frames_box: Length,
    /// What else is in `moov`.
    pub(super) more: Vec<u8>,
}

#[derive(Clone, Copy)]
pub(in crate::library) enum Length {
    Plain,
    Wide,
    ToTheEnd,
}

impl Default for Plan {
    /// Five seconds of a portrait clip, as a phone makes it: lying, and to be turned.
    fn default() -> Self {
        Self {
            brand: *b"qt  ",
            video_codec: *b"hvc1",
            coded_px: (1920, 1080),
            matrix: [0, 1, -1, 0],
            frames: 150,
            frame_units: 20,
            timescale: 600,
            sound: Some(sound_entry(0x40, 44_100, 2)),
            edits: Vec::new(),
            moov_first: false,
            frames_box: Length::Plain,
            more: Vec::new(),
        }
    }
}

/// A whole clip as a phone makes it.
pub(in crate::library) fn phone_clip() -> Vec<u8> {
    Plan::default().written()
}

pub(super) fn boxed(kind: &Kind, content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    let mut bytes = u32::try_from(content.len() + 8)
        .unwrap()
        .to_be_bytes()
        .to_vec();
    bytes.extend(kind);
    bytes.extend(content);
    bytes
}

/// Numbers of four bytes each.
pub(super) fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// An `mp4a` entry of two channels, whose description says better what type of stream and how many channels it is.
pub(super) fn sound_entry(object_type: u8, rate_hz: u16, channels: u8) -> Vec<u8> {
    let mut entry = vec![0; 28];
    entry[16..18].copy_from_slice(&2_u16.to_be_bytes());
    entry[24..26].copy_from_slice(&rate_hz.to_be_bytes());
    let config = [5, 2, 0x12, channels << 3];
    let stream = [&[4, 17, object_type][..], &[0; 12], &config].concat();
    let described = [&[0, 0, 0, 0, 3, 0x80, 0x80, 0x80, 22, 0, 1, 0], &stream[..]].concat();
    boxed(b"mp4a", &[&entry, &boxed(b"esds", &[&described])])
}

const SAMPLE_BYTES: u32 = 10;

impl Plan {
    pub(in crate::library) fn written(&self) -> Vec<u8> {
        let ftyp = boxed(b"ftyp", &[&self.brand, &words(&[512]), &self.brand]);
        let media_bytes = self.frames * SAMPLE_BYTES * (1 + u32::from(self.sound.is_some()));
        let content = vec![0x65; media_bytes as usize];
        let mdat = match self.frames_box {
            Length::Plain => boxed(b"mdat", &[&content]),
            Length::Wide => {
                let length = u64::from(media_bytes) + 16;
                [&words(&[1]), &b"mdat"[..], &length.to_be_bytes(), &content].concat()
            }
            Length::ToTheEnd => [&words(&[0]), &b"mdat"[..], &content].concat(),
        };
        let header_bytes = mdat.len() as u32 - media_bytes;
        let before = ftyp.len() as u32 + header_bytes;
        if self.moov_first {
            // As long with any offset.
            let moov_bytes = self.moov(0).len() as u32;
            [ftyp, self.moov(before + moov_bytes), mdat].concat()
        } else {
            [ftyp, mdat, self.moov(before)].concat()
        }
    }

    fn duration_units(&self) -> u32 {
        self.frames * self.frame_units
    }

    pub(super) fn moov(&self, media_at: u32) -> Vec<u8> {
        let mut header = words(&[0, 0, 0, self.timescale, self.duration_units()]);
        header.resize(100, 0);
        let mut tracks = vec![self.track(1, b"vide", &self.video_entry(), media_at)];
        if let Some(entry) = &self.sound {
            let behind = media_at + self.frames * SAMPLE_BYTES;
            tracks.push(self.track(2, b"soun", entry, behind));
        }
        boxed(
            b"moov",
            &[&boxed(b"mvhd", &[&header]), &tracks.concat(), &self.more],
        )
    }

    fn video_entry(&self) -> Vec<u8> {
        let mut entry = vec![0; 78];
        entry[24..26].copy_from_slice(&self.coded_px.0.to_be_bytes());
        entry[26..28].copy_from_slice(&self.coded_px.1.to_be_bytes());
        boxed(&self.video_codec, &[&entry])
    }

    fn track(&self, id: u32, handler: &Kind, entry: &[u8], at: u32) -> Vec<u8> {
        let [a, b, c, d] = self.matrix.map(|number| number.cast_unsigned() << 16);
        let (width, height) = self.coded_px;
        let (width, height) = (u32::from(width) << 16, u32::from(height) << 16);
        let duration = self.duration_units();
        let header = words(&[
            0,
            0,
            0,
            id,
            0,
            duration,
            0,
            0,
            0,
            0,
            a,
            b,
            0,
            c,
            d,
            0,
            0,
            0,
            1 << 30,
            width,
            height,
        ]);
        let mut edits = words(&[0, self.edits.len() as u32]);
        for (units, from) in &self.edits {
            edits.extend(words(&[*units, *from, 1 << 16]));
        }
        let count = self.frames.min(1);
        let listed = |entry: &[u32]| {
            let entries = if count == 0 { &[] } else { entry };
            [words(&[0, count]), words(entries)].concat()
        };
        let tables = [
            boxed(b"stsd", &[&words(&[0, 1]), entry]),
            boxed(b"stts", &[&listed(&[self.frames, self.frame_units])]),
            boxed(b"stsc", &[&listed(&[1, self.frames, 1])]),
            boxed(b"stsz", &[&words(&[0, SAMPLE_BYTES, self.frames])]),
            boxed(b"stco", &[&listed(&[at])]),
        ];
        let media = [
            boxed(b"mdhd", &[&words(&[0, 0, 0, self.timescale, duration, 0])]),
            boxed(b"hdlr", &[&words(&[0, 0]), handler, &[0; 13]]),
            boxed(b"minf", &[&boxed(b"stbl", &[&tables.concat()])]),
        ];
        let edits = if self.edits.is_empty() {
            Vec::new()
        } else {
            boxed(b"edts", &[&boxed(b"elst", &[&edits])])
        };
        boxed(
            b"trak",
            &[
                &boxed(b"tkhd", &[&header]),
                &edits,
                &boxed(b"mdia", &[&media.concat()]),
            ],
        )
    }
}
