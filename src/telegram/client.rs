//! The bot's client: our own connection settings, and a time limit for each kind of call. The library's default gives up
//! after 17 seconds in all, which an upload over a slow line does not survive, and then sends it twice.

use std::future::IntoFuture;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use teloxide::{Bot, RequestError};

use super::trouble::trouble;
use crate::flow::outlet::Trouble;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a small call may take.
pub const SMALL_CALL: Duration = Duration::from_secs(30);
/// How long an upload may take; a story's lease is longer.
pub const UPLOAD: Duration = Duration::from_secs(290);

/// A bot and its token, which no error ever shows.
#[derive(Clone)]
pub struct Client {
    /// The library's bot.
    pub bot: Bot,
    token: SecretString,
}

impl Client {
    /// A client for the Bot API at `api_url`.
    ///
    /// # Errors
    /// If the TLS library cannot be set up.
    pub fn new(token: SecretString, api_url: reqwest::Url) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .tcp_nodelay(true)
            .tcp_keepalive(Duration::from_secs(60))
            .pool_max_idle_per_host(2)
            .build()?;
        let bot = Bot::with_client(token.expose_secret(), http).set_api_url(api_url);
        Ok(Self { bot, token })
    }

    /// The bot's own number, which its token begins with. It is no secret.
    #[must_use]
    pub fn id(&self) -> &str {
        let token = self.token.expose_secret();
        token.split_once(':').map_or("", |(id, _)| id)
    }

    /// Makes a call within a time limit. One that runs over it may have had its effect.
    ///
    /// # Errors
    /// The trouble, by what to do next.
    pub async fn call<T>(
        &self,
        limit: Duration,
        request: impl IntoFuture<Output = Result<T, RequestError>>,
    ) -> Result<T, Trouble> {
        match tokio::time::timeout(limit, request.into_future()).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.trouble(&error)),
            Err(_) => Err(Trouble::Unsure(format!(
                "no answer in {} s",
                limit.as_secs()
            ))),
        }
    }

    /// The trouble that an error means.
    #[must_use]
    pub fn trouble(&self, error: &RequestError) -> Trouble {
        trouble(error, &self.token)
    }
}
