//! A file for the owner, without a sound: it lies in the chat until somebody needs it.

use std::fs::File;

use teloxide::payloads::SendDocumentSetters;
use teloxide::prelude::Requester;
use teloxide::types::ChatId;

use super::attachments::Attachments;
use super::client::UPLOAD;
use super::pace::Urgency;
use super::voice::Voice;
use crate::flow::outlet::Trouble;

/// The largest file that Telegram takes from a bot, in bytes.
pub const MOST_BYTES: u64 = 50_000_000;

/// A file, and what is said of it.
#[derive(Debug)]
pub struct Enclosure {
    /// The file, open for reading at its beginning.
    pub file: File,
    /// What it is called in the chat.
    pub name: String,
    /// What stands below it, in plain words.
    pub caption: String,
}

impl Voice {
    /// Sends a file to a chat, when its turn comes. If the answer is lost, it may be there all the same.
    ///
    /// # Errors
    /// The trouble, by what to do next.
    pub async fn enclose(&self, chat: i64, enclosure: Enclosure) -> Result<(), Trouble> {
        let mut files = Attachments::default();
        let file = files.file(enclosure.name, enclosure.file);
        let request = self
            .client
            .bot
            .send_document(ChatId(chat), file)
            .caption(enclosure.caption)
            .disable_content_type_detection(true)
            .disable_notification(true);
        self.upload(chat, Urgency::Later, UPLOAD, request, files)
            .await
            .map(drop)
    }
}
