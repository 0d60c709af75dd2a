//! Fetches what people send, and talks to who sent it.

use std::fs::File;
use std::sync::Arc;

use teloxide::net::Download;
use teloxide::payloads::{EditMessageTextSetters, SendMessageSetters};
use teloxide::prelude::Requester;
use teloxide::types::{FileId, MessageId, ReplyParameters};
use teloxide::{DownloadError, RequestError};
use tokio::io::AsyncWriteExt;

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

/// Fetches a file. Its address holds the token, so it is told to nobody.
async fn fetch(client: Client, file_id: String, into: File) -> Result<(), Trouble> {
    let asked = client.bot.get_file(FileId(file_id));
    let file = client.call(SMALL_CALL, asked).await?;
    let mut into = tokio::fs::File::from_std(into);
    let fetching = async {
        client.bot.download_file(&file.path, &mut into).await?;
        into.flush().await.map_err(Arc::new)?;
        Ok(())
    };
    match tokio::time::timeout(UPLOAD, fetching).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(DownloadError::Network(error))) => Err(match error.status() {
            Some(status) => Trouble::Unsure(format!("Telegram answered {status}")),
            None => client.trouble(&RequestError::Network(error)),
        }),
        Ok(Err(DownloadError::Io(error))) => Err(Trouble::Unreachable(format!(
            "it cannot be written into the library: {error}"
        ))),
        Err(_) => {
            let seconds = UPLOAD.as_secs();
            Err(Trouble::Unsure(format!("it did not arrive in {seconds} s")))
        }
    }
}
