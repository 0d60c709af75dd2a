//! What an update means. Its effect is decided and committed by the flow; the answer is talk, and is sent aside.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use teloxide::payloads::{AnswerCallbackQuerySetters, SendMessageSetters};
use teloxide::prelude::Requester;
use teloxide::types::{
    CallbackQuery, ChatId, ChatKind, InlineKeyboardMarkup, Message, ParseMode, Update, UpdateKind,
    User,
};
use teloxide::utils::command::BotCommands;

use super::album;
use super::buttons::{NoButton, decode};
use super::client::{Client, SMALL_CALL};
use super::commands::{Command, answer, obey};
use super::members::{ANONYMOUS_ADMIN, Members, NotNow, Places, person_id};
use super::message::plain;
use super::pace::{Pace, Urgency};
use super::pairing::Pairing;
use super::panel::Wish;
use super::steward::{Spot, Steward};
use crate::domain::audit::By;
use crate::domain::person::{Deed, Person, Role};
use crate::domain::story::MessageRef;
use crate::flow::act::{Press, Pressed, Saw, Verb};
use crate::flow::outlet::Trouble;
use crate::flow::{Error, Flow};
use crate::system::aside::aside;

/// Understands updates and acts on them.
pub struct Hearing {
    client: Client,
    flow: Flow,
    pace: Arc<Pace>,
    admin_chat: Option<i64>,
    members: Members,
    pairing: Pairing,
    steward: Steward,
    /// The team's chat for which it was asked which group is linked to it, and that group.
    linked: Mutex<Option<(i64, Option<i64>)>>,
}

impl Hearing {
    /// Hearing for a team; whose private chat is `admin_chat` owns the box.
    #[must_use]
    pub fn new(client: Client, flow: Flow, pace: Arc<Pace>, admin_chat: Option<i64>) -> Self {
        Self {
            pairing: Pairing::new(client.clone(), flow.clone(), Arc::clone(&pace), admin_chat),
            steward: Steward::new(client.clone(), flow.clone(), Arc::clone(&pace)),
            client,
            flow,
            pace,
            admin_chat,
            members: Members::default(),
            linked: Mutex::default(),
        }
    }

    /// Learns which group is linked to the team's channel: commands are taken from there too.
    pub async fn learn_linked_group(&self) {
        if let Ok(Some(chat)) = self.team_chat().await {
            let _ = self.linked_to(chat).await;
        }
    }

    /// The group that is linked to the team's chat; asked for once, and again when the team has another chat.
    async fn linked_to(&self, team_chat: i64) -> Option<i64> {
        let known = *self.linked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, linked)) = known.filter(|(chat, _)| *chat == team_chat) {
            return linked;
        }
        let asked = self.client.bot.get_chat(ChatId(team_chat));
        let chat = self.client.call(SMALL_CALL, asked).await.ok()?;
        let linked = chat.linked_chat_id();
        *self.linked.lock().unwrap_or_else(PoisonError::into_inner) = Some((team_chat, linked));
        linked
    }

    /// Takes one update. `name` is the bot's own, for commands that are addressed.
    ///
    /// # Errors
    /// If its effect could not be committed; then it must come again.
    pub async fn take(&self, name: &str, update: &Update, now: Timestamp) -> Result<(), Error> {
        let id = update.id.0;
        match &update.kind {
            UpdateKind::CallbackQuery(query) => self.press(id, query, now).await,
            UpdateKind::Message(message) => self.hear_message(name, id, message, now).await,
            UpdateKind::ChannelPost(post) => self.hear_post(name, post).await,
            UpdateKind::MyChatMember(change) => self.pairing.changed(id, change, now).await,
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
        if let Some(wish) = Wish::decode(data) {
            return self.wished(update, query, wish, message, now).await;
        }
        if album::is_wanted_by(data) {
            let asker = self.asker(&query.from, now).await?;
            let place = Spot::of(query, message).into();
            let text = album::ask(&self.flow, asker.as_ref(), update, place, now).await?;
            self.answer(query, text, false);
            return Ok(());
        }
        let (text, alarm) = match decode(data) {
            Ok((verb, story, saw)) => {
                let press = Press {
                    update,
                    story,
                    verb,
                    person: person_id(&query.from),
                    message,
                    saw,
                };
                let pressed = self.pressed(press, &query.from, now).await?;
                answer(&pressed, &self.flow.settings().await?.timezone)
            }
            Err(NoButton::OtherVersion) => {
                self.flow.renew(message).await?;
                let text =
                    "This button is from another version of me. The message will be renewed.";
                (text.to_owned(), true)
            }
            Err(NoButton::Foreign) => (String::new(), false),
        };
        self.answer(query, &text, alarm);
        Ok(())
    }

    /// Somebody pressed a button of a panel.
    async fn wished(
        &self,
        update: u32,
        query: &CallbackQuery,
        wish: Wish,
        message: MessageRef,
        now: Timestamp,
    ) -> Result<(), Error> {
        let text = match self.asker(&query.from, now).await? {
            Some(person) if Flow::may(&person, Deed::Settings) => {
                let spot = Spot::of(query, message);
                self.steward
                    .press(update, wish, &person, message, spot, now)
                    .await?
            }
            _ => "Only admins may do that.".to_owned(),
        };
        self.answer(query, &text, false);
        Ok(())
    }

    /// Answers a press, as the phone shows it for a moment.
    fn answer(&self, query: &CallbackQuery, text: &str, alarm: bool) {
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
    }

    /// Takes a press; a person who is not on record is looked up first.
    async fn pressed(&self, press: Press, user: &User, now: Timestamp) -> Result<Pressed, Error> {
        let pressed = self.flow.press(press, now).await?;
        if pressed != Pressed::Stranger {
            return Ok(pressed);
        }
        match self
            .members
            .admit(&self.client, &self.flow, self.places().await?, user, now)
            .await
        {
            Ok(true) => self.flow.press(press, now).await,
            Ok(false) => Ok(Pressed::Stranger),
            Err(NotNow::Store(error)) => Err(error),
            Err(NotNow::Telegram(trouble)) => {
                tell_unasked(&trouble);
                self.flow.take_update(press.update, now).await?;
                Ok(Pressed::Unasked)
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
        if let Some(to) = message.migrate_to_chat_id() {
            return self.pairing.moved(message.chat.id.0, to.0, now).await;
        }
        let Some((user, text)) = message.from.as_ref().zip(message.text()) else {
            return Ok(());
        };
        let command = Command::parse(text, name).ok();
        let reply = reply_verb(message, text);
        let is_private = matches!(message.chat.kind, ChatKind::Private(_));
        let reply_to = message.reply_to_message().map(|to| to.id.0);
        let id = person_id(user);
        let is_awaited = command.is_none()
            && self
                .steward
                .awaits(message.chat.id.0, id, reply_to, is_private);
        if command.is_none() && reply.is_none() && !is_private && !is_awaited {
            return Ok(()); // people talking to each other
        }
        let chat = message.chat.id.0;
        let team_chat = self.team_chat().await?;
        let is_of_team = match team_chat {
            Some(team) => chat == team || self.linked_to(team).await == Some(chat),
            None => false,
        };
        if !is_private && !is_of_team {
            return Ok(()); // the team's plan is nobody else's business
        }
        let is_anonymous = user.id.0 == ANONYMOUS_ADMIN && Some(chat) == team_chat;
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
        let spot = Spot {
            chat,
            thread: message.thread_id.filter(|_| message.is_topic_message),
        };
        if let Some(person) = asker.as_ref().filter(|_| is_awaited)
            && Flow::may(person, Deed::Settings)
        {
            return self.steward.written(text, person, spot, now).await;
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
        if text.is_empty() {
            return self.steward.open(spot, now).await;
        }
        let buttons = album::offer(&self.flow, command, asker.as_ref()).await?;
        self.say_with(message, &text, buttons);
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
            saw: Saw::At(said_at(message)),
        };
        let pressed = self.flow.press(press, now).await?;
        let (text, _) = answer(&pressed, &self.flow.settings().await?.timezone);
        if !text.is_empty() {
            self.say(message, &text);
        }
        Ok(())
    }

    /// The person on record who wrote, if they belong.
    async fn asker(&self, user: &User, now: Timestamp) -> Result<Option<Person>, Error> {
        let id = person_id(user);
        if let Some(mut person) = self.flow.person(id).await? {
            let (name, username) = (user.full_name(), user.username.clone());
            if (&person.name, &person.username) != (&name, &username) {
                // People call themselves otherwise at times; the role stays.
                self.flow
                    .meet(id, name.clone(), username.clone(), person.role, now)
                    .await?;
                (person.name, person.username) = (name, username);
            }
            if self.admin_chat == Some(id.0) && person.role != Role::Owner {
                // Met before the file said whose box it is.
                let by = By::terminal("the file of settings");
                self.flow.set_role(id, Role::Owner, by, now).await?;
                person.role = Role::Owner;
            }
            return Ok(Some(person));
        }
        match self
            .members
            .admit(&self.client, &self.flow, self.places().await?, user, now)
            .await
        {
            Ok(true) => self.flow.person(id).await,
            Ok(false) => Ok(None),
            Err(NotNow::Store(error)) => Err(error),
            Err(NotNow::Telegram(trouble)) => {
                tell_unasked(&trouble);
                Ok(None)
            }
        }
    }

    /// A channel's posts have no sender, so nobody can be asked who they are.
    async fn hear_post(&self, name: &str, post: &Message) -> Result<(), Error> {
        let is_command = post
            .text()
            .is_some_and(|text| Command::parse(text, name).is_ok());
        let chat = post.chat.id.0;
        if is_command && Some(chat) == self.team_chat().await? && self.members.may_greet(chat) {
            self.say(
                post,
                "In a channel I cannot see who writes. Write commands to me in private.",
            );
        }
        Ok(())
    }

    async fn team_chat(&self) -> Result<Option<i64>, Error> {
        Ok(self.flow.settings().await?.chat)
    }

    async fn places(&self) -> Result<Places, Error> {
        Ok(Places {
            team_chat: self.team_chat().await?,
            admin_chat: self.admin_chat,
        })
    }

    /// Answers a message where it was written.
    fn say(&self, to: &Message, text: &str) {
        self.say_with(to, text, InlineKeyboardMarkup::default());
    }

    fn say_with(&self, to: &Message, text: &str, buttons: InlineKeyboardMarkup) {
        let chat = to.chat.id;
        let mut request = self
            .client
            .bot
            .send_message(ChatId(chat.0), plain(text))
            .parse_mode(ParseMode::Html)
            .reply_markup(buttons);
        if let Some(thread) = to.thread_id.filter(|_| to.is_topic_message) {
            request = request.message_thread_id(thread);
        }
        let (client, pace) = (self.client.clone(), self.pace.clone());
        aside(async move {
            if pace.pass(chat.0, Urgency::Now).await.is_err() {
                return;
            }
            match client.call(SMALL_CALL, request).await {
                Ok(_) => {}
                Err(Trouble::Later(wait)) => pace.close(chat.0, wait),
                Err(trouble) => tracing::warn!("an answer was not sent: {}", trouble.reason()),
            }
        });
    }
}

/// When a message was written.
fn said_at(message: &Message) -> Timestamp {
    Timestamp::from_second(message.date.timestamp()).unwrap_or(Timestamp::MIN)
}

/// One stranger must not hold up everybody: whoever cannot be looked up is told to press again.
fn tell_unasked(trouble: &Trouble) {
    let reason = trouble.reason();
    tracing::warn!(
        task = "poll",
        "whether somebody belongs could not be asked: {reason}"
    );
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
