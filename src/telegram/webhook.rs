//! Has Telegram call this box with what people do, for a box that the internet reaches. A call is answered well only after
//! the effect is committed, so Telegram repeats whatever was not; what was taken before is not taken again.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use secrecy::ExposeSecret;
use teloxide::payloads::SetWebhookSetters;
use teloxide::prelude::Requester;
use teloxide::types::{Update, WebhookInfo};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::client::SMALL_CALL;
use super::receive::{Contact, REFUSED_PAUSE, Receiver, WANTED, rest};
use super::trouble::Failure;
use crate::config::Webhook;
use crate::flow::Error;
use crate::flow::outlet::Trouble;
use crate::system::http;
use crate::system::shutdown::Shutdown;
use crate::system::supervisor::{BoxError, Pulse};

/// The header in which Telegram shows the secret.
const SECRET: &str = "x-telegram-bot-api-secret-token";
/// The largest update that is read, in bytes; real ones have a few thousand.
const LARGEST: usize = 1 << 20;
/// How long the body of a call may take to arrive.
const BODY: Duration = Duration::from_secs(10);
/// How long a call may wait for its effect; Telegram gives up a little later.
const EFFECT: Duration = Duration::from_secs(50);
/// How many calls Telegram may make at a time.
const CALLS: u8 = 4;
/// How many updates wait to be taken.
const QUEUE: usize = 16;

/// How often Telegram is asked whether its calls arrive: often enough that no press can come and be lost in between.
const CHECK_EVERY: Duration = Duration::from_secs(120);
/// The same while they do not.
const CHECK_SOON: Duration = Duration::from_secs(30);
/// How long it may take to ask once more before the end.
const LAST_LOOK: Duration = Duration::from_secs(1);
/// How often a task that waits for calls shows that it is there.
const IDLE: Duration = Duration::from_secs(60);

impl Receiver {
    /// Takes Telegram's calls until it is time to stop. The webhook stays set after that: Telegram keeps what people do, and
    /// calls again. `name` is the bot's own.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub(super) async fn listen(
        &self,
        webhook: &Webhook,
        name: &str,
        pulse: &Pulse,
    ) -> Result<(), BoxError> {
        let Some(listener) = self.bind(webhook, pulse).await? else {
            return Ok(());
        };
        let (deliveries, queue) = mpsc::channel(QUEUE);
        let closing = Shutdown::new();
        let working = async {
            let watching = async {
                tokio::select! {
                    // Whatever it asks just then can be asked again.
                    () = pulse.stopping() => Ok(()),
                    ended = self.watch(webhook, pulse) => ended,
                }
            };
            let ended = tokio::try_join!(self.take_all(queue, name, pulse), watching);
            if ended.is_ok() {
                self.look_back(webhook).await;
            }
            closing.signal();
            ended.map(drop)
        };
        let serving = http::serve(listener, router(webhook, deliveries), &closing);
        let ((), ended) = tokio::join!(serving, working);
        Ok(ended?)
    }

    /// Opens the port; `None` if it is time to stop.
    async fn bind(&self, webhook: &Webhook, pulse: &Pulse) -> Result<Option<TcpListener>, Error> {
        let listen = webhook.listen;
        while !pulse.is_stopping() {
            match TcpListener::bind(listen).await {
                Ok(listener) => return Ok(Some(listener)),
                Err(error) => {
                    let reason = format!(
                        "Telegram's calls cannot be taken at `{listen}`: {error}. Is another program there? Set `[telegram] \
                         webhook_listen` to a free address of this box and restart."
                    );
                    self.complain(reason).await?;
                }
            }
            rest(CHECK_SOON, pulse).await;
        }
        Ok(None)
    }

    /// Takes what was called in. An update that cannot be committed stays unanswered, so that it is called in again.
    async fn take_all(
        &self,
        mut queue: mpsc::Receiver<Delivery>,
        name: &str,
        pulse: &Pulse,
    ) -> Result<(), Error> {
        let mut calls = Vec::new();
        loop {
            pulse.beat();
            tokio::select! {
                biased;
                () = pulse.stopping() => return Ok(()),
                                1.. = queue.recv_many(&mut calls, QUEUE) => {
                    self.hear().await?;
                    let (updates, callers): (Vec<_>, Vec<_>) = calls.drain(..).unzip();
                    self.take(name, &updates, pulse).await?;
                    self.contact(Contact::heard);
                    for caller in callers {
                        // Whoever called may be gone; then it calls again, in vain.
                        let _ = caller.send(());
                    }
                }
                () = tokio::time::sleep(IDLE) => {}
            }
        }
    }

    /// Sets the webhook, and then asks Telegram now and then how its calls fare, without end.
    async fn watch(&self, webhook: &Webhook, pulse: &Pulse) -> Result<(), Error> {
        while let Err(error) = self.set(webhook).await {
            rest(self.judge_refused_webhook(&error).await?, pulse).await;
        }
        tracing::info!(
            task = "webhook",
            "Telegram calls `{}`, and `{}` takes its calls",
            webhook.url,
            webhook.listen
        );
        loop {
            let pause = self.look(webhook).await?;
            tokio::time::sleep(pause).await;
        }
    }

    /// Asks once more before the end: of the time since the last look nothing is known yet, and a short absence is not to be
    /// taken for a long one. Telegram may be as slow as it likes; the box stops.
    async fn look_back(&self, webhook: &Webhook) {
        let asked = self
            .client
            .ask(LAST_LOOK, self.client.bot.get_webhook_info())
            .await;
        let is_well = asked.is_ok_and(|info| standing(&info, webhook) == Standing::Well);
        if is_well && !self.contact(|contact| contact.is_silent_for_long()) {
            self.contact(Contact::heard);
        }
    }

    async fn set(&self, webhook: &Webhook) -> Result<(), Failure> {
        let request = self
            .client
            .bot
            .set_webhook(webhook.url.clone())
            .secret_token(webhook.secret.expose_secret())
            .allowed_updates(WANTED)
            .max_connections(CALLS)
            .drop_pending_updates(false);
        self.client.ask(SMALL_CALL, request).await.map(drop)
    }

    /// Notes why the webhook cannot be set; returns how long to wait.
    async fn judge_refused_webhook(&self, failure: &Failure) -> Result<Duration, Error> {
        match failure.trouble() {
            Trouble::Never(reason) => {
                self.complain(format!(
                    "{reason}. Correct `[telegram] webhook_url`, or remove it to have the box ask Telegram, and restart."
                ))
                .await?;
                Ok(REFUSED_PAUSE)
            }
            _ => self.judge(failure).await,
        }
    }

    /// Asks Telegram how its calls fare; returns when to ask again.
    async fn look(&self, webhook: &Webhook) -> Result<Duration, Error> {
        let info = match self
            .client
            .ask(SMALL_CALL, self.client.bot.get_webhook_info())
            .await
        {
            Ok(info) => info,
            Err(error) => return self.judge(&error).await,
        };
        match standing(&info, webhook) {
            Standing::Well => {
                self.hear().await?;
                self.contact(Contact::heard);
                Ok(CHECK_EVERY)
            }
            Standing::Waiting { reason, remedy } => {
                self.complain_if_long(format!("{reason}. To mend it, {remedy}."))
                    .await?;
                Ok(CHECK_SOON)
            }
            Standing::TakenOff => {
                self.meet_rival(
                    "Another program takes Telegram's updates away with the same bot token. Stop the other one, or give \
                     this box a bot of its own.",
                )
                .await?;
                if let Err(error) = self.set(webhook).await {
                    return self.judge_refused_webhook(&error).await;
                }
                Ok(CHECK_SOON)
            }
        }
    }
}

/// How Telegram's calls fare.
#[derive(Debug, PartialEq, Eq)]
pub enum Standing {
    /// All that people did has arrived.
    Well,
    /// Something has not.
    Waiting {
        /// What, and why.
        reason: String,
        /// What to do.
        remedy: String,
    },
    /// Telegram calls somebody else, or nobody.
    TakenOff,
}

/// What Telegram says of a webhook means this for `webhook`, which it should be.
#[must_use]
pub fn standing(info: &WebhookInfo, webhook: &Webhook) -> Standing {
    let same = |url: &reqwest::Url| {
        url.as_str().trim_end_matches('/') == webhook.url.as_str().trim_end_matches('/')
    };
    if !info.url.as_ref().is_some_and(same) {
        return Standing::TakenOff;
    }
    if info.pending_update_count == 0 {
        return Standing::Well;
    }
    let error = info.last_error_message.as_deref();
    Standing::Waiting {
        reason: format!(
            "Telegram cannot deliver what people do, {} waiting: {}",
            info.pending_update_count,
            error.unwrap_or("it tells no reason").trim_end_matches('.'),
        ),
        remedy: format!(
            "have `{}` lead to `{}` on this box, with a certificate that Telegram trusts, or remove `[telegram] webhook_url`",
            webhook.url, webhook.listen,
        ),
    }
}

/// An update that was called in, and who waits for its effect.
type Delivery = (Update, oneshot::Sender<()>);

/// What the handler of a call knows.
struct Gate {
    /// Hashes are compared in constant time, and have one length.
    secret: blake3::Hash,
    deliveries: mpsc::Sender<Delivery>,
}

impl Gate {
    fn lets_in(&self, headers: &HeaderMap) -> bool {
        headers
            .get(SECRET)
            .is_some_and(|shown| blake3::hash(shown.as_bytes()) == self.secret)
    }
}

/// Answers calls at the path of the webhook's address, and nothing else. No answer has a body, so none tells anything.
fn router(webhook: &Webhook, deliveries: mpsc::Sender<Delivery>) -> Router {
    let gate = Gate {
        secret: blake3::hash(webhook.secret.expose_secret().as_bytes()),
        deliveries,
    };
    Router::new()
        .without_v07_checks()
        .route(webhook.url.path(), post(receive))
        .with_state(Arc::new(gate))
}

async fn receive(State(gate): State<Arc<Gate>>, request: Request) -> StatusCode {
    if !gate.lets_in(request.headers()) {
        tracing::debug!(task = "webhook", "somebody called without the right secret");
        return StatusCode::UNAUTHORIZED;
    }
    let body = match timeout(BODY, to_bytes(request.into_body(), LARGEST)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return StatusCode::PAYLOAD_TOO_LARGE,
        Err(_) => return StatusCode::REQUEST_TIMEOUT,
    };
    let Ok(update) = serde_json::from_slice(&body) else {
        tracing::warn!(task = "webhook", "a call held no update");
        return StatusCode::BAD_REQUEST;
    };
    let (taken, effect) = oneshot::channel();
    let delivered =
        async { gate.deliveries.send((update, taken)).await.is_ok() && effect.await.is_ok() };
    match timeout(EFFECT, delivered).await {
        Ok(true) => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook() -> Webhook {
        Webhook {
            url: "https://stories.example.com/telegram".parse().unwrap(),
            listen: "127.0.0.1:8443".parse().unwrap(),
            secret: "s".into(),
        }
    }

    fn info(json: &str) -> WebhookInfo {
        let json = format!("{{\"has_custom_certificate\":false,{json}}}");
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn whatever_path_an_address_has_it_can_be_called() {
        for path in [
            "",
            "/",
            "//",
            "/{a}",
            "/:a/*b",
            "/{*c}",
            "/ä%7B%zz",
            "/a/../b",
        ] {
            let url = format!("https://stories.example.com{path}")
                .parse()
                .unwrap();
            let (deliveries, _) = mpsc::channel(1);
            let _ = router(&Webhook { url, ..webhook() }, deliveries);
        }
    }

    #[test]
    fn what_telegram_says_of_its_calls_is_understood() {
        let good = info(
            r#""url":"https://stories.example.com/telegram","pending_update_count":0,"last_error_date":1,"last_error_message":"old""#,
        );
        assert_eq!(standing(&good, &webhook()), Standing::Well);
        for url in ["", "https://stories.example.com/other"] {
            let taken_off = info(&format!(r#""url":"{url}","pending_update_count":2"#));
            assert_eq!(standing(&taken_off, &webhook()), Standing::TakenOff);
        }
        let waiting = info(
            r#""url":"https://stories.example.com/telegram","pending_update_count":2,"last_error_message":"Connection refused""#,
        );
        let Standing::Waiting { reason, .. } = standing(&waiting, &webhook()) else {
            panic!("two updates wait");
        };
        assert_eq!(
            reason,
            "Telegram cannot deliver what people do, 2 waiting: Connection refused"
        );
    }
}
