//! The bot's client, and the one way to the Bot API: `teloxide` knows what requests and answers look like, and this sends
//! and reads them, within limits of bytes and time that the library does not have.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use teloxide::Bot;
use teloxide::requests::{HasPayload, Payload};
use tokio::io::AsyncWrite;

use super::answer::understood;
use super::attachments::Attachments;
use super::trouble::Failure;
use crate::domain::handin::{FETCHED_BYTES, LOCAL_BYTES};
use crate::flow::outlet::Trouble;
use crate::system::http_client::{Body, HttpClient, HttpError, Limits};
use crate::system::network::Network;
use crate::system::reference_time::ReferenceTime;
use crate::system::secret::redact;

/// How long a small call may take.
pub const SMALL_CALL: Duration = Duration::from_secs(30);
/// How long an upload may take; a story's lease is longer.
pub const UPLOAD: Duration = Duration::from_secs(290);

/// The longest answer to an ordinary call, in bytes; real ones have a few thousand.
const LONGEST_ANSWER: u64 = 1 << 20;
/// The longest batch of updates, in bytes. One update has at most some 100 kB, and a hundred come at a time.
const LONGEST_BATCH: u64 = 4 << 20;
/// The fewest characters of the secret half of a token; real ones have 35.
const FEWEST_LETTERS: usize = 16;
/// Where a request of the library would go that is sent past this client: nowhere (RFC 2606 keeps the name).
const NOWHERE: &str = "https://telegram.invalid";

/// A bot and its token, which no error ever shows.
#[derive(Clone)]
pub struct Client {
    /// Writes requests. It knows neither the token nor the server, so nothing can be sent by it.
    pub bot: Bot,
    http: HttpClient,
    api_url: Url,
    token: SecretString,
    /// The token without the bot's own number.
    letters: SecretString,
    reference: ReferenceTime,
    /// The folder of a server of the Bot API on this machine.
    files: Option<PathBuf>,
}

impl Client {
    /// A client for the Bot API at `api_url`, which is reached by `network`.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(token: SecretString, api_url: Url, network: &Network) -> Result<Self, HttpError> {
        let http = HttpClient::new(network)?;
        let nowhere = Url::parse(NOWHERE).map_err(|error| HttpError::Local(error.to_string()))?;
        let bot = Bot::with_client("", http.unbounded()).set_api_url(nowhere);
        let letters = token
            .expose_secret()
            .split_once(':')
            .map_or("", |(_, it)| it);
        // What is shorter is no token's, and may be a word of any text.
        let letters = if letters.len() < FEWEST_LETTERS {
            ""
        } else {
            letters
        };
        Ok(Self {
            bot,
            http,
            api_url,
            letters: letters.into(),
            token,
            reference: ReferenceTime::default(),
            files: None,
        })
    }

    /// The same, where the server of the Bot API runs on this machine and keeps files in this folder.
    #[must_use]
    pub fn with_files(self, files: Option<PathBuf>) -> Self {
        Self { files, ..self }
    }

    /// The folder in which the server keeps files, if it runs on this machine.
    #[must_use]
    pub fn files(&self) -> Option<&PathBuf> {
        self.files.as_ref()
    }

    /// The longest file that the server hands out, in bytes.
    #[must_use]
    pub fn most_fetched_bytes(&self) -> u64 {
        match self.files {
            Some(_) => LOCAL_BYTES,
            None => FETCHED_BYTES,
        }
    }

    /// The bot's own number, which its token begins with. It is no secret.
    #[must_use]
    pub fn id(&self) -> &str {
        let token = self.token.expose_secret();
        token.split_once(':').map_or("", |(id, _)| id)
    }

    /// The time that Telegram told last, if it told it over TLS.
    #[must_use]
    pub fn reference_time(&self) -> &ReferenceTime {
        &self.reference
    }

    /// Makes a call within a time limit. One that runs over it may have had its effect.
    ///
    /// # Errors
    /// The trouble, by what to do next.
    pub async fn call<P>(
        &self,
        limit: Duration,
        request: impl HasPayload<Payload = P>,
    ) -> Result<P::Output, Trouble>
    where
        P: Payload<Output: DeserializeOwned> + Serialize,
    {
        let answer = self.ask(limit, request).await;
        answer.map_err(|failure| failure.trouble())
    }

    /// Makes a call within a time limit, as [`call`](Self::call) does.
    ///
    /// # Errors
    /// What failed, by what Telegram said.
    pub async fn ask<P>(
        &self,
        limit: Duration,
        request: impl HasPayload<Payload = P>,
    ) -> Result<P::Output, Failure>
    where
        P: Payload<Output: DeserializeOwned> + Serialize,
    {
        self.upload(limit, request, Attachments::default()).await
    }

    /// Makes a call with files within a time limit. One that runs over it may have had its effect.
    ///
    /// # Errors
    /// What failed, by what Telegram said.
    pub async fn upload<P>(
        &self,
        limit: Duration,
        request: impl HasPayload<Payload = P>,
        files: Attachments,
    ) -> Result<P::Output, Failure>
    where
        P: Payload<Output: DeserializeOwned> + Serialize,
    {
        // Two payloads may share a method, and are told apart by a word of the library's own.
        let method = P::NAME.trim_end_matches("Inline");
        let fields = serde_json::to_value(request.payload_ref())
            .map_err(|error| Failure::Unreachable(format!("the request is odd: {error}")))?;
        let limits = Limits {
            bytes: if method == "GetUpdates" {
                LONGEST_BATCH
            } else {
                LONGEST_ANSWER
            },
            time: limit,
        };
        let body = if files.is_empty() {
            Body::Json(fields.to_string().into_bytes())
        } else {
            Body::Form(files.form(&fields).await?)
        };
        let url = self.url(&[], [method]);
        let answer = self.http.call(url, body, limits).await;
        let answer = answer.map_err(|error| self.failure(error))?;
        if answer.is_success()
            && self.api_url.scheme() == "https"
            && let Some(date) = answer.date
        {
            self.reference.note(date);
        }
        understood(&answer, |text| self.clean(text))
    }

    /// Fetches a file of at most so many bytes, by the path that Telegram told.
    ///
    /// # Errors
    /// The trouble, by what to do next.
    pub async fn download(
        &self,
        path: &str,
        most_bytes: u64,
        limit: Duration,
        into: &mut (dyn AsyncWrite + Unpin + Send),
    ) -> Result<(), Trouble> {
        let url = self.url(&["file"], path.split('/'));
        let limits = Limits {
            bytes: most_bytes,
            time: limit,
        };
        match self.http.download(url, into, limits).await {
            Ok(_) => Ok(()),
            Err(HttpError::TooLong(..)) => {
                Err(Trouble::Never("it is longer than Telegram said".to_owned()))
            }
            Err(HttpError::Local(reason)) => Err(Trouble::Unreachable(format!(
                "it cannot be written into the library: {reason}"
            ))),
            Err(error) => Err(self.failure(error).trouble()),
        }
    }

    /// `https://api.telegram.org/bot123:ABC/getMe`: holds the token, so it is told to nobody.
    fn url<'a>(&self, before: &[&str], after: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.api_url.clone();
        let bot = format!("bot{}", self.token.expose_secret());
        // An address that can have no path was refused when the settings were read.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(before).push(&bot).extend(after);
        }
        url
    }

    fn failure(&self, error: HttpError) -> Failure {
        match error {
            HttpError::Unreachable(reason) => Failure::Unreachable(format!(
                "Telegram cannot be reached: {}",
                self.clean(&reason)
            )),
            HttpError::Lost(reason) => {
                Failure::Lost(format!("the answer was lost: {}", self.clean(&reason)))
            }
            HttpError::Refused(status) => Failure::Lost(format!("Telegram answered {status}")),
            HttpError::TooLong(_, bytes) => Failure::TooLong(bytes),
            HttpError::Elsewhere { .. } => Failure::Unreachable(self.clean(&format!(
                "Telegram is not there: {error}; is `[telegram] api_url` right, or does a sign-in page stand between?"
            ))),
            HttpError::Late(_) => Failure::Lost(error.to_string()),
            HttpError::Local(reason) => {
                Failure::Unreachable(format!("the upload could not be read: {reason}"))
            }
        }
    }

    /// The text without the token, and without the half of it that is secret.
    fn clean(&self, text: &str) -> String {
        redact(text, &[&self.token, &self.letters])
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
