//! Fetches what people send, and talks to who sent it.

use std::fs::File;

use teloxide::payloads::{EditMessageTextSetters, SendMessageSetters};
use teloxide::prelude::Requester;
use teloxide::types::{FileId, MessageId, ReplyParameters};

use super::client::{Client, SMALL_CALL, UPLOAD};
use super::pace::Urgency;
use super::receipt::{keyboard, text};
use super::voice::Voice;
use crate::domain::story::MessageRef;
use crate::flow::intake::{Courier, Receipt};
use crate::flow::outlet::{Answer, Trouble};

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

/// The longest file that is fetched, in bytes: what a server of the Bot API of one's own takes at most.
const LONGEST_FILE: u64 = 2_000_000_000;

/// Fetches a file, no further than to the size that Telegram tells of it.
async fn fetch(client: Client, file_id: String, into: File) -> Result<(), Trouble> {
    let asked = client.bot.get_file(FileId(file_id));
    let file = client.call(SMALL_CALL, asked).await?;
    let most_bytes = match u64::from(file.size) {
        0 => LONGEST_FILE,
        told => told.min(LONGEST_FILE),
    };
    let mut into = tokio::fs::File::from_std(into);
    client
        .download(&file.path, most_bytes, UPLOAD, &mut into)
        .await
}
