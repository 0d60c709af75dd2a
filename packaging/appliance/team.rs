//! The team whose box is tried: its chat, one person, and pictures.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};

use crate::pretend::telegram::{Message, PretendTelegram, Status};

pub(crate) const TEAM: i64 = -1_001_000_000_001;
pub(crate) const ANN: i64 = 11;

pub(crate) async fn gather() -> PretendTelegram {
    let telegram = PretendTelegram::start().await;
    telegram.person(ANN, "Ann");
    telegram.private_chat(ANN);
    telegram.supergroup(TEAM, "Team stories");
    telegram.member(TEAM, ANN, Status::Administrator);
    telegram
}

/// The messages that await a press.
pub(crate) fn open(telegram: &PretendTelegram) -> Vec<Message> {
    let mut messages = telegram.messages(TEAM);
    messages.retain(|message| message.button("Posted").is_some());
    messages
}

/// The number of the story that a message shows, as people see it.
pub(crate) fn story(message: &Message) -> Option<&str> {
    let mut words = message.text.split_whitespace();
    words.find(|word| word.starts_with('#'))
}

/// How many messages with a picture each story has in the chat.
pub(crate) fn messages_of_stories(telegram: &PretendTelegram) -> BTreeMap<String, usize> {
    let mut messages = BTreeMap::new();
    for message in telegram.messages(TEAM) {
        if message.media.is_some() {
            let story = story(&message).unwrap_or(&message.text).to_owned();
            *messages.entry(story).or_default() += 1;
        }
    }
    messages
}

/// A picture like no other, of blocks.
pub(crate) fn draw(path: &Path, number: usize) -> Result<()> {
    let seed = (number as u32 + 1).wrapping_mul(2_654_435_761);
    let mut bytes = Vec::new();
    for y in 0..12 {
        let row = (0..1080).flat_map(|x| {
            let block = (x / 135 * 31 + y * 57_u32).wrapping_mul(seed) >> 13;
            [block as u8, (block >> 8) as u8, (seed >> 24) as u8]
        });
        let row: Vec<u8> = row.collect();
        bytes.extend(row.repeat(160));
    }
    image::RgbImage::from_raw(1080, 1920, bytes)
        .context("as many bytes as it has")?
        .save(path)
        .with_context(|| format!("drawing {}", path.display()))
}
