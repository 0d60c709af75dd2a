//! Fetches what people do. An update counts as taken when its effect is committed, and only then is Telegram told so: a press
//! that reached the box takes effect once, whatever restarts in between.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use teloxide::RequestError;
use teloxide::payloads::{DeleteWebhookSetters, GetUpdatesSetters};
use teloxide::prelude::Requester;
use teloxide::types::{AllowedUpdate, Update};
use teloxide::utils::command::BotCommands;
use tokio::time::Instant;

use super::client::{Client, SMALL_CALL};
use super::commands::Command;
use super::hear::Hearing;
use super::pace::Pace;
use super::trouble::{is_bad_token, is_other_poller, is_webhook_set};
use crate::flow::outlet::Trouble;
use crate::flow::{Error, Flow};
use crate::system::clock::Clock;
use crate::system::supervisor::{BoxError, Pulse};

/// How long Telegram holds a poll open; it allows no more.
const POLL: Duration = Duration::from_secs(50);
/// Telegram forgets a press after this long; a longer silence may have lost one.
const PRESS_KEPT: Duration = Duration::from_secs(150);
/// The longest pause after a network error.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The pause while the token is refused or another process polls.
const REFUSED_PAUSE: Duration = Duration::from_secs(60);
/// A second program that polls is heard of now and then; without word of it for so long, it is gone.
const RIVAL_GONE: SignedDuration = SignedDuration::from_secs(300);
/// How often an update whose effect cannot be committed is tried, before it is given up.
const MOST_TRIES: u32 = 5;

/// The topic of the alert that updates cannot be fetched.
const TELEGRAM: &str = "telegram";

/// Takes updates, one after the other.
pub struct Poller {
    client: Client,
    flow: Flow,
    hearing: Hearing,
    clock: Clock,
    contact: Mutex<Contact>,
}

impl Poller {
    /// A poller for a team; whose private chat is `admin_chat` owns the box.
    #[must_use]
    pub fn new(
        client: Client,
        flow: Flow,
        pace: Arc<Pace>,
        admin_chat: Option<i64>,
        clock: Clock,
    ) -> Self {
        Self {
            hearing: Hearing::new(client.clone(), flow.clone(), pace, admin_chat),
            client,
            flow,
            clock,
            contact: Mutex::new(Contact::new()),
        }
    }

    /// When Telegram was last heard, and all that it told was taken; by a clock that shows `now`.
    #[must_use]
    pub fn heard_at(&self, now: Timestamp) -> Timestamp {
        let since = self.contact(|contact| contact.heard_at.elapsed());
        let since = SignedDuration::try_from(since).unwrap_or_default();
        now.checked_sub(since).unwrap_or(now)
    }

    /// Polls until it is time to stop.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn run(&self, pulse: &Pulse) -> Result<(), BoxError> {
        let name = loop {
            pulse.expecting(SMALL_CALL + REFUSED_PAUSE + POLL);
            match self.introduce().await {
                Ok(name) => break name,
                Err(error) => self.report(&error, pulse).await?,
            }
            if pulse.is_stopping() {
                return Ok(());
            }
        };
        // No offset at first: Telegram begins with the oldest update that was not confirmed.
        let mut next: Option<i32> = None;
        loop {
            pulse.expecting(POLL + SMALL_CALL + REFUSED_PAUSE);
            let updates = tokio::select! {
                () = pulse.stopping() => return Ok(()),
                updates = self.fetch(next) => updates,
            };
            match updates {
                Ok(updates) => {
                    self.hear().await?;
                    for update in updates {
                        let id = update.id;
                        self.take(&name, update, pulse).await?;
                        next = Some(id.as_offset());
                    }
                    self.contact(Contact::heard);
                }
                Err(error) => self.report(&error, pulse).await?,
            }
        }
    }

    /// Learns the bot's own name and sets its menu of commands.
    async fn introduce(&self) -> Result<String, RequestError> {
        let me = within(SMALL_CALL, self.client.bot.get_me()).await?;
        let menu = self.client.bot.set_my_commands(Command::bot_commands());
        if let Err(trouble) = self.client.call(SMALL_CALL, menu).await {
            tracing::warn!(
                task = "poll",
                "the menu of commands could not be set: {}",
                trouble.reason()
            );
        }
        self.hearing.learn_linked_group().await;
        Ok(me.username().to_owned())
    }

    async fn fetch(&self, next: Option<i32>) -> Result<Vec<Update>, RequestError> {
        let mut request = self
            .client
            .bot
            .get_updates()
            .timeout(u32::try_from(POLL.as_secs()).unwrap_or(50))
            // Always named: when left out, Telegram keeps what was asked for before.
            .allowed_updates([
                AllowedUpdate::Message,
                AllowedUpdate::ChannelPost,
                AllowedUpdate::CallbackQuery,
                AllowedUpdate::MyChatMember,
            ]);
        if let Some(next) = next {
            request = request.offset(next);
        }
        within(POLL + SMALL_CALL, request).await
    }

    /// Telegram was heard again.
    async fn hear(&self) -> Result<(), Error> {
        let now = self.clock.now();
        let (has_rival, is_long) =
            self.contact(|contact| (contact.has_rival(now), contact.is_silent_for_long()));
        // Two that poll are heard in turns: a good poll says nothing of the other one.
        if !has_rival {
            self.flow.condition(TELEGRAM, None, now).await?;
        }
        if is_long {
            self.flow.offer_again(now).await?;
        }
        Ok(())
    }

    /// Notes why Telegram is not heard, and waits a while.
    async fn report(&self, error: &RequestError, pulse: &Pulse) -> Result<(), Error> {
        let errors = self.contact(Contact::failed);
        let (reason, pause) = if is_bad_token(error) {
            let reason = "Telegram refuses the bot token. Get a new one from @BotFather, set `[telegram] token` and restart; \
                          until then nothing is sent and no press is heard.";
            (Some(reason.to_owned()), REFUSED_PAUSE)
        } else if is_other_poller(error) {
            // One that crashed may linger for the length of its last poll; a second daemon stays.
            let meetings = self.contact(|contact| contact.met_rival(self.clock.now()));
            let pause = (Duration::from_secs(5) * meetings).min(REFUSED_PAUSE);
            let reason = "Another program polls Telegram with the same bot token, and each takes the other's presses. Stop \
                          the other one, or give this box a bot of its own.";
            ((meetings > 2).then(|| reason.to_owned()), pause)
        } else if is_webhook_set(error) {
            let delete = self.client.bot.delete_webhook().drop_pending_updates(false);
            if let Err(trouble) = self.client.call(SMALL_CALL, delete).await {
                tracing::warn!(
                    task = "poll",
                    "the webhook could not be taken off: {}",
                    trouble.reason()
                );
            }
            (None, Duration::from_secs(1))
        } else {
            let trouble = self.client.trouble(error);
            let pause = match trouble {
                Trouble::Later(wait) => wait,
                _ => Duration::from_secs(1 << errors.min(5)).min(LONGEST_PAUSE),
            };
            // A short silence is nobody's concern: a router restarts, a server is updated.
            let long = self.contact(|contact| contact.is_silent_for_long());
            tracing::debug!(task = "poll", "{}", trouble.reason());
            let reason = format!("Telegram is not heard: {}.", trouble.reason());
            (long.then_some(reason), pause)
        };
        if reason.is_some() {
            self.flow
                .condition(TELEGRAM, reason, self.clock.now())
                .await?;
        }
        pulse.expecting(pause + POLL + SMALL_CALL);
        tokio::select! {
            () = pulse.stopping() => {}
            () = tokio::time::sleep(pause) => {}
        }
        Ok(())
    }

    /// Takes one update.
    ///
    /// # Errors
    /// If its effect could not be committed, so that it must come again: it stays unconfirmed.
    async fn take(&self, name: &str, update: Update, pulse: &Pulse) -> Result<(), Error> {
        let id = update.id.0;
        for attempt in 1..=MOST_TRIES {
            pulse.beat();
            match self.hearing.take(name, &update, self.clock.now()).await {
                Ok(()) => return Ok(()),
                Err(error @ (Error::Unavailable(_) | Error::Busy(_) | Error::Closed)) => {
                    return Err(error);
                }
                Err(error) => tracing::error!(
                    task = "poll",
                    attempt,
                    "update {id} could not be taken: {error}"
                ),
            }
        }
        // A poison update must not hold up all that come after it.
        tracing::error!(task = "poll", "update {id} is given up");
        Ok(())
    }

    fn contact<T>(&self, look: impl FnOnce(&mut Contact) -> T) -> T {
        look(&mut self.contact.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How well Telegram is heard. It outlives the task: a restart must not forget a long silence.
struct Contact {
    /// When it was last heard, and all that was heard was taken.
    heard_at: Instant,
    /// Failures since.
    errors: u32,
    /// How often another poller was met, and when last.
    rival: Option<(u32, Timestamp)>,
}

impl Contact {
    fn new() -> Self {
        Self {
            heard_at: Instant::now(),
            errors: 0,
            rival: None,
        }
    }

    fn heard(&mut self) {
        self.heard_at = Instant::now();
        self.errors = 0;
    }

    /// Counts a failure; returns how many there were in a row.
    fn failed(&mut self) -> u32 {
        self.errors += 1;
        self.errors
    }

    /// Counts a meeting with another poller; returns how many there were lately.
    fn met_rival(&mut self, now: Timestamp) -> u32 {
        let before = self.rival.filter(|_| self.has_rival(now));
        let meetings = before.map_or(0, |(meetings, _)| meetings) + 1;
        self.rival = Some((meetings, now));
        meetings
    }

    fn has_rival(&self, now: Timestamp) -> bool {
        self.rival
            .is_some_and(|(_, at)| now.duration_since(at).abs() < RIVAL_GONE)
    }

    /// Whether a press may be lost by now.
    fn is_silent_for_long(&self) -> bool {
        self.heard_at.elapsed() > PRESS_KEPT
    }
}

/// A call within a time limit, as an error of the library's own kind.
async fn within<T>(
    limit: Duration,
    request: impl IntoFuture<Output = Result<T, RequestError>>,
) -> Result<T, RequestError> {
    match tokio::time::timeout(limit, request.into_future()).await {
        Ok(answer) => answer,
        Err(_) => Err(RequestError::Io(Arc::new(std::io::Error::new(
            std::io::ErrorKind::TimedOut,
            "no answer in time",
        )))),
    }
}
