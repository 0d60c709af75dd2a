//! The library of the box: pictures that are made up, each known by a number.

use std::sync::Arc;

use storyline::domain::lookalike::Lookalike;
use storyline::domain::media::{
    Content, Examination, FileStat, Finding, Fingerprint, Format, Media, Metadata, Sighting,
};
use storyline::flow::outlet::{Picture, Studio};

use super::TheBox;

/// A studio that makes a picture of everything.
pub(super) fn studio() -> Studio {
    Arc::new(|_| {
        Box::pin(async {
            Ok(Picture {
                jpeg: vec![0xff],
                ..Picture::default()
            })
        })
    })
}

impl TheBox {
    pub(crate) fn with_pictures(mut self, count: u64) -> Self {
        self.add_pictures("memes", count, &[]);
        self
    }

    pub(crate) fn add_pictures(&mut self, category: &str, count: u64, tags: &[&str]) {
        let first = self.pictures;
        self.pictures += count;
        let seen = (first..first + count)
            .map(|number| sighting(&format!("{category}/{number}.jpg"), number, tags))
            .collect();
        self.sees(seen);
    }

    /// Pictures that all look alike.
    pub(crate) fn add_look_alikes(&mut self, category: &str, count: u64, look: u64) {
        for number in self.pictures..self.pictures + count {
            let nearly = Lookalike::from_bits(look ^ (1 << (number % 4)));
            self.looks.insert(fingerprint(number), nearly);
        }
        self.add_pictures(category, count, &[]);
    }

    /// A file is seen in the library, with content `number`.
    pub(crate) fn sees_file(&self, path: &str, number: u64) {
        self.sees(vec![sighting(path, number, &[])]);
    }

    /// The same, when other files speak of it.
    pub(crate) fn sees_file_with(&self, path: &str, number: u64, metadata: Metadata) {
        let mut seen = sighting(path, number, &[]);
        if let Finding::Whole(content) = &mut seen.finding {
            content.metadata = metadata;
        }
        self.sees(vec![seen]);
    }

    /// A file is seen that cannot be examined.
    pub(crate) fn sees_what_cannot_be_read(&self, path: &str, number: u64) {
        let seen = vec![sighting(path, number, &[])];
        self.run(self.flow().index(seen, self.now)).unwrap();
    }

    fn sees(&self, seen: Vec<Sighting>) {
        let flow = self.flow();
        self.run(async {
            flow.index(seen, self.now).await.unwrap();
            for media in flow.to_examine(100_000).await.unwrap() {
                let sound = Examination::Sound {
                    width_px: 1080,
                    height_px: 1920,
                    lookalike: self.looks.get(&media.fingerprint).copied(),
                };
                flow.examined(media, sound, self.now).await.unwrap();
            }
        });
    }

    pub(crate) fn loses_file(&self, path: &str) {
        self.run(self.flow().vanished(vec![path.to_owned()], None, self.now))
            .unwrap();
    }

    pub(crate) fn media(&self, number: u64) -> Media {
        let all = self.run(self.flow().media(None)).unwrap();
        all.into_iter()
            .find(|media| media.fingerprint == fingerprint(number))
            .unwrap()
    }

    pub(crate) fn looks_like(&self, path: &str, look: u64) -> bool {
        let number = path.rsplit(['/', '.']).nth(1).unwrap();
        let known = self.looks.get(&fingerprint(number.parse().unwrap()));
        known.is_some_and(|known| known.is_alike(Lookalike::from_bits(look)))
    }
}

pub(crate) fn fingerprint(number: u64) -> Fingerprint {
    Fingerprint::from_bytes(*blake3::hash(&number.to_le_bytes()).as_bytes())
}

fn sighting(path: &str, number: u64, tags: &[&str]) -> Sighting {
    Sighting {
        path: path.to_owned(),
        stat: FileStat {
            size_bytes: 500_000,
            inode: number,
            ..FileStat::default()
        },
        metadata_stamp: String::new(),
        finding: Finding::Whole(Box::new(Content {
            fingerprint: fingerprint(number),
            format: Format::Jpeg,
            width_px: 1080,
            height_px: 1920,
            clip: None,
            metadata: Metadata {
                tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
                ..Metadata::default()
            },
            metadata_problems: Vec::new(),
        })),
    }
}
