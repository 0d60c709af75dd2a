//! Fetches what people send, and talks to who sent it.

use std::fs::File;

use rustix::fs::fstatvfs;
use teloxide::payloads::{EditMessageTextSetters, SendMessageSetters};
use teloxide::prelude::Requester;
use teloxide::types::{FileId, MessageId, ReplyParameters};

use super::client::{Client, SMALL_CALL, UPLOAD};
use super::pace::Urgency;
use super::receipt::{keyboard, text};
use super::server_files::{copy, is_on_disk};
use super::voice::Voice;
use crate::domain::story::MessageRef;
use crate::flow::intake::{Courier, Receipt};
use crate::flow::outlet::{Answer, Trouble};
use crate::system::background::blocking;

/// The bot as a courier.
pub struct Porter {
    voice: Voice,
}

impl Porter {
    /// A courier who talks so.
    #[must_use]
    pub fn new(voice: Voice) -> Self {
        Self { voice }
    }

    async fn tell(&self, receipt: &Receipt) -> Result<i32, Trouble> {
        let (chat, urgency) = (receipt.chat, Urgency::Now);
        let told = match (receipt.question, receipt.files.first()) {
            (Some(question), _) => {
                let message = MessageRef {
                    chat,
                    message: question,
                };
                let edit = self
                    .voice
                    .rewording(message, text(receipt))
                    .reply_markup(keyboard(receipt));
                self.voice.call(chat, urgency, SMALL_CALL, edit).await
            }
            (None, first) => {
                let mut question = self
                    .voice
                    .message(chat, text(receipt))
                    .reply_markup(keyboard(receipt));
                question.reply_parameters = first.map(|file| {
                    ReplyParameters::new(MessageId(file.message)).allow_sending_without_reply()
                });
                self.voice.call(chat, urgency, SMALL_CALL, question).await
            }
        };
        told.map(|message| message.id.0)
    }
}

impl Courier for Porter {
    fn fetch(&self, file_id: String, into: File) -> Answer<'static, Result<(), Trouble>> {
        Box::pin(fetch(self.voice.client.clone(), file_id, into))
    }

    fn show<'a>(&'a self, receipt: &'a Receipt) -> Answer<'a, Result<i32, Trouble>> {
        Box::pin(self.tell(receipt))
    }
}

/// What stays free on the library's disk, in bytes: the records may be on it too.
const RESERVE: u64 = 64 << 20;

/// Fetches a file, no further than to the size that Telegram tells of it.
async fn fetch(client: Client, file_id: String, into: File) -> Result<(), Trouble> {
    let asked = client.bot.get_file(FileId(file_id));
    let file = client.call(SMALL_CALL, asked).await?;
    let longest = client.most_fetched_bytes();
    let most_bytes = match u64::from(file.size) {
        0 => longest,
        told => told.min(longest),
    };
    // A share that does not answer must hold up nobody else.
    let into = blocking(move || has_room(&into, most_bytes).map(|()| into))
        .await
        .map_err(|cut_off| Trouble::Unreachable(cut_off.to_string()))??;
    if is_on_disk(&file.path) {
        return copy(client.files().cloned(), file.path, most_bytes, into).await;
    }
    let mut into = tokio::fs::File::from_std(into);
    client
        .download(&file.path, most_bytes, UPLOAD, &mut into)
        .await
}

/// Looks whether a file of so many bytes fits on the disk. One that does not tell is tried.
fn has_room(into: &File, bytes: u64) -> Result<(), Trouble> {
    let Ok(disk) = fstatvfs(into) else {
        return Ok(());
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free >= bytes.saturating_add(RESERVE) {
        return Ok(());
    }
    let megabytes = |bytes: u64| bytes.div_ceil(1 << 20);
    Err(Trouble::Unreachable(format!(
        "the library's disk has {} MB left, too little for its {} MB; make room there (`df -h`)",
        megabytes(free),
        megabytes(bytes)
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_is_not_fetched() {
        let file = tempfile::tempfile().unwrap();
        assert_eq!(has_room(&file, 0), Ok(()));
        let trouble = has_room(&file, u64::MAX / 2).unwrap_err();
        assert!(trouble.reason().contains("make room"), "{trouble:?}");
    }
}
