//! Receives what people do, by a poll or by calls of Telegram's; here is what both have in common. An update counts as taken
//! when its effect is committed, and only then is Telegram told so: a press that reached the box takes effect once, whatever
//! restarts in between.

use std::sync::Mutex;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use teloxide::prelude::Requester;
use teloxide::types::AllowedUpdate;
use tokio::time::Instant;

use super::client::{Client, SMALL_CALL};
use super::hear::Hearing;
use super::menu;
use super::trouble::{Failure, is_bad_token};
use super::voice::Voice;
use crate::config::{self, Webhook};
use crate::domain::alert::topic::TELEGRAM;
use crate::flow::Error;
use crate::flow::outlet::Trouble;
use crate::flow::teams::Teams;
use crate::system::aside::aside;
use crate::system::clock::Clock;
use crate::system::lock::lock;
use crate::system::supervisor::{BoxError, Pulse};

/// What Telegram shall tell of.
pub(super) const WANTED: [AllowedUpdate; 5] = [
    AllowedUpdate::Message,
    AllowedUpdate::ChannelPost,
    AllowedUpdate::CallbackQuery,
    AllowedUpdate::MyChatMember,
    // Only of chats whose administrator the bot is.
    AllowedUpdate::ChatMember,
];

/// Telegram forgets a press after this long; a longer silence may have lost one.
const PRESS_KEPT: Duration = Duration::from_secs(150);
/// The longest pause after a network error.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The longest patience with a server that asks for some: who listens to nobody for hours loses every press.
const LONGEST_PATIENCE: Duration = Duration::from_secs(120);
/// The pause while the token is refused, or another process takes the updates.
pub(super) const REFUSED_PAUSE: Duration = Duration::from_secs(60);
/// Another program that takes the updates is heard of now and then; without word of it for so long, it is gone.
const RIVAL_GONE: SignedDuration = SignedDuration::from_secs(300);

/// Takes updates, in their order.
pub struct Receiver {
    pub(super) client: Client,
    teams: Teams,
    pub(super) hearing: Hearing,
    pub(super) clock: Clock,
    webhook: Option<Webhook>,
    contact: Mutex<Contact>,
}

impl Receiver {
    /// A receiver for all teams: called by Telegram if there is a webhook, else asking for itself.
    #[must_use]
    pub fn new(voice: Voice, teams: &Teams, settings: &config::Telegram, clock: Clock) -> Self {
        Self {
            client: voice.client.clone(),
            hearing: Hearing::new(voice, teams, settings.admin_chat),
            teams: teams.clone(),
            clock,
            webhook: settings.webhook(),
            contact: Mutex::new(Contact::new()),
        }
    }

    /// What the task that receives is called.
    #[must_use]
    pub fn task(&self) -> &'static str {
        match self.webhook {
            Some(_) => "webhook",
            None => "poll",
        }
    }

    /// When Telegram was last heard, and all that it told was taken; by a clock that shows `now`.
    #[must_use]
    pub fn heard_at(&self, now: Timestamp) -> Timestamp {
        let since = self.contact(|contact| contact.heard_at.elapsed());
        let since = SignedDuration::try_from(since).unwrap_or_default();
        now.checked_sub(since).unwrap_or(now)
    }

    /// Receives until it is time to stop.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn run(&self, pulse: &Pulse) -> Result<(), BoxError> {
        // What was to be written when the task ended may not be on record.
        self.contact(|contact| contact.has_complaint = true);
        let name = loop {
            pulse.expecting(SMALL_CALL + REFUSED_PAUSE);
            match self.introduce().await {
                Ok(name) => break name,
                Err(failure) => rest(self.judge(&failure).await?, pulse).await,
            }
            if pulse.is_stopping() {
                return Ok(());
            }
        };
        let receiving = async {
            match &self.webhook {
                Some(webhook) => self.listen(webhook, &name, pulse).await,
                None => self.poll(&name, pulse).await,
            }
        };
        tokio::select! {
            ended = receiving => ended,
            () = self.hearing.hear_strangers(&name, &self.clock) => Ok(()),
        }
    }

    /// Learns the bot's own name, and sets its menus of commands aside: people may have to wait for them, not for an answer.
    async fn introduce(&self) -> Result<String, Failure> {
        let me = self
            .client
            .ask(SMALL_CALL, self.client.bot.get_me())
            .await?;
        let (client, teams) = (self.client.clone(), self.teams.clone());
        aside(async move {
            if let Err(error) = menu::set(&client, &teams).await {
                tracing::warn!("the menus of commands were not set: {error}");
            }
        });
        self.hearing.learn_linked_groups().await;
        Ok(me.username().to_owned())
    }

    /// Telegram was heard again.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub(super) async fn hear(&self) -> Result<(), Error> {
        let now = self.clock.now();
        let (has_rival, is_long) =
            self.contact(|contact| (contact.has_rival(now), contact.is_silent_for_long()));
        // Two that take the updates are heard in turns: that one is heard says nothing of the other.
        if !has_rival && self.contact(|contact| std::mem::take(&mut contact.has_complaint)) {
            self.teams.own().condition(TELEGRAM, None, now).await?;
        }
        if is_long {
            for (flow, _) in self.teams.all() {
                flow.offer_again(now).await?;
            }
        }
        Ok(())
    }

    /// Notes why Telegram is not heard; returns how long to wait.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub(super) async fn judge(&self, failure: &Failure) -> Result<Duration, Error> {
        let errors = self.contact(Contact::failed);
        if is_bad_token(failure) {
            self.complain(
                "Telegram refuses the bot token. Get a new one from @BotFather, set `[telegram] token` and restart; until \
                 then nothing is sent and no press is heard."
                    .to_owned(),
            )
            .await?;
            return Ok(REFUSED_PAUSE);
        }
        let trouble = failure.trouble();
        tracing::debug!(task = self.task(), "{}", trouble.reason());
        self.complain_if_long(format!("Telegram is not heard: {}.", trouble.reason()))
            .await?;
        Ok(match trouble {
            // One that asks for a second without end is asked ever less often.
            Trouble::Later(wait) => wait
                .max(Duration::from_secs(1 << errors.min(5)))
                .min(LONGEST_PATIENCE),
            _ => Duration::from_secs(1 << errors.min(5)).min(LONGEST_PAUSE),
        })
    }

    /// Tells the owner why updates cannot be received.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub(super) async fn complain(&self, reason: String) -> Result<(), Error> {
        let now = self.clock.now();
        let own = self.teams.own();
        own.condition(TELEGRAM, Some(reason), now).await?;
        self.contact(|contact| contact.has_complaint = true);
        Ok(())
    }

    /// The same, but a short silence is nobody's concern: a router restarts, a server is updated.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub(super) async fn complain_if_long(&self, reason: String) -> Result<(), Error> {
        if self.contact(|contact| contact.is_silent_for_long()) {
            self.complain(reason).await?;
        }
        Ok(())
    }

    /// Counts a meeting with another program that takes the updates, and tells of one that stays; returns how many there
    /// were lately.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub(super) async fn meet_rival(&self, reason: &str) -> Result<u32, Error> {
        let meetings = self.contact(|contact| contact.met_rival(self.clock.now()));
        if meetings > 2 {
            self.complain(reason.to_owned()).await?;
        }
        Ok(meetings)
    }

    pub(super) fn contact<T>(&self, look: impl FnOnce(&mut Contact) -> T) -> T {
        look(&mut lock(&self.contact))
    }
}

/// Waits so long, or until it is time to stop.
pub(super) async fn rest(pause: Duration, pulse: &Pulse) {
    pulse.expecting(pause + SMALL_CALL);
    tokio::select! {
        () = pulse.stopping() => {}
        () = tokio::time::sleep(pause) => {}
    }
}

/// How well Telegram is heard. It outlives the task: a restart must not forget a long silence.
pub(super) struct Contact {
    /// When it was last heard, and all that was heard was taken.
    heard_at: Instant,
    /// Failures since.
    errors: u32,
    /// How often another program that takes the updates was met, and when last.
    rival: Option<(u32, Timestamp)>,
    /// Whether a complaint may be on record; as long as none is, hearing writes nothing.
    has_complaint: bool,
}

impl Contact {
    fn new() -> Self {
        Self {
            heard_at: Instant::now(),
            errors: 0,
            rival: None,
            has_complaint: true,
        }
    }

    pub(super) fn heard(&mut self) {
        self.heard_at = Instant::now();
        self.errors = 0;
    }

    /// Counts a failure; returns how many there were in a row.
    pub(super) fn failed(&mut self) -> u32 {
        self.errors += 1;
        self.errors
    }

    /// Counts a meeting with another program that takes the updates; returns how many there were lately.
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
    pub(super) fn is_silent_for_long(&self) -> bool {
        self.heard_at.elapsed() > PRESS_KEPT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_silence_is_long_when_a_press_may_be_lost() {
        let mut contact = Contact::new();
        tokio::time::advance(PRESS_KEPT).await;
        assert!(!contact.is_silent_for_long());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(contact.is_silent_for_long());
        contact.heard();
        assert!(!contact.is_silent_for_long());
    }
}
