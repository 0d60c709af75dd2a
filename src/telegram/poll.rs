//! Takes what people do. An update counts as taken when its effect is committed, and only then is Telegram told so: a press
//! that reached the box takes effect once, whatever restarts in between. Answers are talk: they are sent aside, and nothing
//! waits for them.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use teloxide::RequestError;
use teloxide::payloads::{
    AnswerCallbackQuerySetters, DeleteWebhookSetters, GetUpdatesSetters, SendMessageSetters,
};
use teloxide::prelude::Requester;
use teloxide::types::{
    AllowedUpdate, CallbackQuery, ChatId, ChatKind, Message, ParseMode, Update, UpdateKind,
};
use teloxide::utils::command::BotCommands;
use tokio::time::Instant;

use super::Place;
use super::buttons::{NoButton, decode};
use super::client::{Client, SMALL_CALL};
use super::commands::{Command, answer, obey};
use super::members::{ANONYMOUS_ADMIN, Members, NotNow, person_id};
use super::message::plain;
use super::pace::{Pace, Urgency};
use super::trouble::{is_bad_token, is_other_poller, is_webhook_set};
use crate::domain::person::{Deed, Person};
use crate::domain::story::MessageRef;
use crate::flow::act::{Press, Pressed, Verb};
use crate::flow::outlet::Trouble;
use crate::flow::{Error, Flow};
use crate::system::aside::aside;
use crate::system::clock::Clock;
use crate::system::supervisor::BoxError;
use crate::system::supervisor::Pulse;

/// How long Telegram holds a poll open; it allows no more.
const POLL: Duration = Duration::from_secs(50);
/// Telegram forgets a press after this long; a longer silence may have lost one.
const PRESS_KEPT: Duration = Duration::from_secs(150);
/// The longest pause after a network error.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The pause while the token is refused or another process polls.
const REFUSED_PAUSE: Duration = Duration::from_secs(60);
/// How often an update whose effect cannot be committed is tried, before it is given up.
const MOST_TRIES: u32 = 5;

/// The topic of the alert that updates cannot be fetched.
const TELEGRAM: &str = "telegram";

/// Takes updates, one after the other.
pub struct Poller {
    client: Client,
    flow: Flow,
    place: Arc<Place>,
    pace: Arc<Pace>,
    clock: Clock,
    members: Members,
}

impl Poller {
    /// A poller for this place.
    #[must_use]
    pub fn new(
        client: Client,
        flow: Flow,
        place: Arc<Place>,
        pace: Arc<Pace>,
        clock: Clock,
    ) -> Self {
        Self {
            client,
            flow,
            place,
            pace,
            clock,
            members: Members::default(),
        }
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
                Err(error) => self.report(&error, &mut Silence::default(), pulse).await?,
            }
            if pulse.is_stopping() {
                return Ok(());
            }
        };
        // No offset at first: Telegram begins with the oldest update that was not confirmed.
        let mut next: Option<i32> = None;
        let mut silence = Silence::default();
        loop {
            pulse.expecting(POLL + SMALL_CALL + REFUSED_PAUSE);
            let updates = tokio::select! {
                () = pulse.stopping() => return Ok(()),
                updates = self.fetch(next) => updates,
            };
            match updates {
                Ok(updates) => {
                    self.hear(&mut silence).await?;
                    for update in updates {
                        let id = update.id;
                        if !self.take(&name, update, pulse).await {
                            break; // it stays unconfirmed, and comes again
                        }
                        next = Some(id.as_offset());
                    }
                }
                Err(error) => self.report(&error, &mut silence, pulse).await?,
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
    async fn hear(&self, silence: &mut Silence) -> Result<(), Error> {
        let now = self.clock.now();
        let was_long = silence
            .since
            .is_some_and(|since| since.elapsed() > PRESS_KEPT);
        *silence = Silence::default();
        self.flow.condition(TELEGRAM, None, now).await?;
        if was_long {
            self.flow.offer_again(now).await?;
        }
        Ok(())
    }

    /// Notes why Telegram is not heard, and waits a while.
    async fn report(
        &self,
        error: &RequestError,
        silence: &mut Silence,
        pulse: &Pulse,
    ) -> Result<(), Error> {
        silence.since.get_or_insert_with(Instant::now);
        silence.errors += 1;
        let (reason, pause) = if is_bad_token(error) {
            let reason = "Telegram refuses the bot token. Get a new one from @BotFather, set `[telegram] token` and restart; \
                          until then nothing is sent and no press is heard.";
            (Some(reason.to_owned()), REFUSED_PAUSE)
        } else if is_other_poller(error) {
            // One that crashed may linger for the length of its last poll; a second daemon stays.
            let pause = (Duration::from_secs(5) * silence.errors).min(REFUSED_PAUSE);
            let reason = "Another program polls Telegram with the same bot token, and each takes the other's presses. Stop \
                          the other one, or give this box a bot of its own.";
            ((silence.errors > 2).then(|| reason.to_owned()), pause)
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
                _ => Duration::from_secs(1 << silence.errors.min(5)).min(LONGEST_PAUSE),
            };
            // A short silence is nobody's concern: a router restarts, a server is updated.
            let long = silence
                .since
                .is_some_and(|since| since.elapsed() > PRESS_KEPT);
            tracing::debug!(task = "poll", "{}", trouble.reason());
            let reason = format!("Telegram is not heard: {}.", trouble.reason());
            (long.then_some(reason), pause)
        };
        if reason.is_some() {
            self.flow
                .condition(TELEGRAM, reason, self.clock.now())
                .await?;
        }
        tokio::select! {
            () = pulse.stopping() => {}
            () = tokio::time::sleep(pause) => {}
        }
        Ok(())
    }

    /// Takes one update. False if its effect could not be committed, so that it must come again.
    async fn take(&self, name: &str, update: Update, pulse: &Pulse) -> bool {
        let id = update.id.0;
        for attempt in 1..=MOST_TRIES {
            pulse.beat();
            match self.handle(name, &update).await {
                Ok(()) => return true,
                Err(error) => {
                    tracing::error!(
                        task = "poll",
                        attempt,
                        "update {id} could not be taken: {error}"
                    );
                    if matches!(
                        error,
                        Error::Unavailable(_) | Error::Busy(_) | Error::Closed
                    ) {
                        tokio::time::sleep(Duration::from_secs(2)).await;
                        return false;
                    }
                }
            }
        }
        // A poison update must not hold up all that come after it.
        tracing::error!(task = "poll", "update {id} is given up");
        true
    }

    async fn handle(&self, name: &str, update: &Update) -> Result<(), Error> {
        let now = self.clock.now();
        let id = update.id.0;
        match &update.kind {
            UpdateKind::CallbackQuery(query) => self.press(id, query, now).await,
            UpdateKind::Message(message) => self.hear_message(name, id, message, now).await,
            UpdateKind::ChannelPost(post) => {
                self.hear_post(name, post);
                Ok(())
            }
            UpdateKind::MyChatMember(change) => {
                let status = change.new_chat_member.kind.status();
                let chat = change.chat.id;
                tracing::info!(task = "poll", "in chat {chat} the bot is now: {status:?}");
                Ok(())
            }
            UpdateKind::Error(_) => {
                tracing::warn!(
                    task = "poll",
                    "update {id} is of a kind that is not known; it is passed over"
                );
                Ok(())
            }
            _ => Ok(()),
        }
    }

    async fn press(&self, update: u32, query: &CallbackQuery, now: Timestamp) -> Result<(), Error> {
        let Some((message, data)) = query.message.as_ref().zip(query.data.as_deref()) else {
            return Ok(());
        };
        let message = MessageRef {
            chat: message.chat().id.0,
            message: message.id().0,
        };
        let (text, alarm) = match decode(data) {
            Ok((verb, story)) => {
                let press = Press {
                    update,
                    story,
                    verb,
                    person: person_id(&query.from),
                    message,
                };
                let pressed = self.pressed(press, &query.from, now).await?;
                answer(&pressed, &self.place.timezone)
            }
            Err(NoButton::OtherVersion) => {
                let text =
                    "This button is from another version of me. The message will be renewed.";
                (text.to_owned(), true)
            }
            Err(NoButton::Foreign) => (String::new(), false),
        };
        let mut request = self.client.bot.answer_callback_query(query.id.clone());
        if !text.is_empty() {
            request = request.text(text).show_alert(alarm);
        }
        let client = self.client.clone();
        aside(async move {
            // Best effort: "query is too old" and all the rest change nothing about what was decided.
            if let Err(trouble) = client.call(SMALL_CALL, request).await {
                tracing::debug!("a press was not answered: {}", trouble.reason());
            }
        });
        Ok(())
    }

    /// Takes a press; a person who is not on record is looked up first.
    async fn pressed(
        &self,
        press: Press,
        user: &teloxide::types::User,
        now: Timestamp,
    ) -> Result<Pressed, Error> {
        let pressed = self.flow.press(press, now).await?;
        if pressed != Pressed::Stranger {
            return Ok(pressed);
        }
        match self
            .members
            .admit(&self.client, &self.flow, &self.place, user, now)
            .await
        {
            Ok(true) => self.flow.press(press, now).await,
            Ok(false) => Ok(Pressed::Stranger),
            Err(NotNow::Store(error)) => Err(error),
            Err(NotNow::Telegram(trouble)) => {
                tracing::warn!(
                    task = "poll",
                    "whether somebody belongs could not be asked: {}",
                    trouble.reason()
                );
                Err(Error::Busy("Telegram does not say who belongs".to_owned()))
            }
        }
    }

    async fn hear_message(
        &self,
        name: &str,
        update: u32,
        message: &Message,
        now: Timestamp,
    ) -> Result<(), Error> {
        let Some((user, text)) = message.from.as_ref().zip(message.text()) else {
            return Ok(());
        };
        let command = Command::parse(text, name).ok();
        let reply = reply_verb(message, text);
        let is_private = matches!(message.chat.kind, ChatKind::Private(_));
        if command.is_none() && reply.is_none() && !is_private {
            return Ok(()); // people talking to each other
        }
        let is_anonymous = user.id.0 == ANONYMOUS_ADMIN && message.chat.id.0 == self.place.chat;
        let asker = if is_anonymous {
            None
        } else {
            self.asker(user, now).await?
        };
        if asker.is_none() && !is_anonymous {
            if self.members.may_greet(message.chat.id.0) {
                self.say(
                    message,
                    "I work for one team only, and you are not in its chat.",
                );
            }
            return Ok(());
        }
        if let (Some((story_message, verb)), Some(person)) = (reply, &asker) {
            return self
                .replied(update, message, story_message, verb, person, now)
                .await;
        }
        let Some(command) = command else {
            if is_private && self.members.may_greet(message.chat.id.0) {
                self.say(message, "I know a few commands; /help tells them.");
            }
            return Ok(());
        };
        // What only looks may be answered twice; what changes something takes the update with its effect.
        let text = obey(&self.flow, command, asker.as_ref(), update, now).await?;
        if command.deed() == Deed::Look && !self.flow.take_update(update, now).await? {
            return Ok(());
        }
        self.say(message, &text);
        Ok(())
    }

    /// Somebody wrote "posted", "skip" or "reject" under a story: it works as the button, and Telegram keeps it for a day.
    async fn replied(
        &self,
        update: u32,
        message: &Message,
        story_message: MessageRef,
        verb: Verb,
        person: &Person,
        now: Timestamp,
    ) -> Result<(), Error> {
        let Some(story) = self.flow.story_of(story_message).await? else {
            return Ok(());
        };
        let press = Press {
            update,
            story,
            verb,
            person: person.id,
            message: story_message,
        };
        let pressed = self.flow.press(press, now).await?;
        let (text, _) = answer(&pressed, &self.place.timezone);
        if !text.is_empty() {
            self.say(message, &text);
        }
        Ok(())
    }

    /// The person on record who wrote, if they belong.
    async fn asker(
        &self,
        user: &teloxide::types::User,
        now: Timestamp,
    ) -> Result<Option<Person>, Error> {
        let id = person_id(user);
        if let Some(person) = self.flow.person(id).await? {
            return Ok(Some(person));
        }
        match self
            .members
            .admit(&self.client, &self.flow, &self.place, user, now)
            .await
        {
            Ok(true) => self.flow.person(id).await,
            Ok(false) => Ok(None),
            Err(NotNow::Store(error)) => Err(error),
            Err(NotNow::Telegram(_)) => {
                Err(Error::Busy("Telegram does not say who belongs".to_owned()))
            }
        }
    }

    /// A channel's posts have no sender, so nobody can be asked who they are.
    fn hear_post(&self, name: &str, post: &Message) {
        let is_command = post
            .text()
            .is_some_and(|text| Command::parse(text, name).is_ok());
        if is_command && post.chat.id.0 == self.place.chat && self.members.may_greet(post.chat.id.0)
        {
            self.say(
                post,
                "In a channel I cannot see who writes. Write commands to me in private.",
            );
        }
    }

    /// Answers a message where it was written.
    fn say(&self, to: &Message, text: &str) {
        let chat = to.chat.id;
        let mut request = self
            .client
            .bot
            .send_message(ChatId(chat.0), plain(text))
            .parse_mode(ParseMode::Html);
        if let Some(thread) = to.thread_id.filter(|_| to.is_topic_message) {
            request = request.message_thread_id(thread);
        }
        let (client, pace) = (self.client.clone(), self.pace.clone());
        aside(async move {
            pace.pass(chat.0, Urgency::Now).await;
            match client.call(SMALL_CALL, request).await {
                Ok(_) => {}
                Err(Trouble::Later(wait)) => pace.close(chat.0, wait),
                Err(trouble) => tracing::warn!("an answer was not sent: {}", trouble.reason()),
            }
        });
    }
}

/// How long Telegram has not been heard.
#[derive(Default)]
struct Silence {
    since: Option<Instant>,
    errors: u32,
}

/// What a reply to a story means, if it means something.
fn reply_verb(message: &Message, text: &str) -> Option<(MessageRef, Verb)> {
    let to = message.reply_to_message()?;
    let verb = match text
        .trim()
        .trim_end_matches(['.', '!'])
        .to_lowercase()
        .as_str()
    {
        "posted" => Verb::Posted,
        "skip" | "skipped" => Verb::Skip,
        "reject" | "rejected" => Verb::Reject,
        _ => return None,
    };
    let message = MessageRef {
        chat: to.chat.id.0,
        message: to.id.0,
    };
    Some((message, verb))
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
