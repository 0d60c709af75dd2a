//! The team's chat: the one that is set, one that is named by its number, or the one that the bot is added to while it is
//! awaited.

use teloxide::prelude::Requester;
use teloxide::types::{ChatFullInfo, ChatFullInfoKind, ChatFullInfoPublicKind, ChatId, User};

use super::super::Failure;
use super::super::exit::told;
use super::super::print::say;
use super::super::telegram::{called, chat_info, kind};
use super::token::Bot;
use super::unit::{self, Stopped};
use super::waiting::{Event, Waiting};
use super::{Desk, Whose, complain, refused, regret};
use crate::domain::setting::Setting;
use crate::domain::written;
use crate::flow::outlet::Trouble;
use crate::telegram::client::SMALL_CALL;
use crate::telegram::rights::{Kind, Lack, lacking};

/// What stands in place of a number for the chat that the bot is added to.
const FIND: &str = "find";

/// The team's chat, in which the bot may do its work.
pub(super) struct Place {
    pub(super) chat: i64,
    pub(super) thread: Option<i32>,
    /// As people know it.
    pub(super) called: String,
    pub(super) is_channel: bool,
    /// Whether the team's stories did not go there before.
    pub(super) is_new: bool,
    /// Who added the bot, if that was seen.
    pub(super) by: Option<User>,
    has_topics: bool,
    lack: Option<Lack>,
}

impl Desk<'_> {
    pub(super) async fn ask_chat(&mut self, bot: &Bot) -> Result<Place, Failure> {
        let mut place = match (&self.options.chat, self.team().chat) {
            (Some(said), _) if said == FIND => self.find(bot).await?,
            (Some(said), _) => {
                let chat =
                    written::chat(said.trim()).map_err(|complaint| refused(said, &complaint))?;
                self.sure(bot, chat).await?
            }
            (None, Some(chat)) => match self.sure(bot, chat).await {
                Ok(place) if self.keeps(&place).await? => place,
                Err(failure) if !self.talk.asks() => return Err(failure),
                Err(failure) => {
                    regret(&failure);
                    self.find(bot).await?
                }
                Ok(_) => self.find(bot).await?,
            },
            (None, None) => self.find(bot).await?,
        };
        self.ask_topic(bot, &mut place).await?;
        let before = (self.team().chat, self.team().thread);
        place.is_new = before != (Some(place.chat), place.thread);
        let thread = place.thread.map(|thread| thread.to_string());
        for (setting, value) in [
            (Setting::Chat, place.chat.to_string()),
            (Setting::Thread, thread.unwrap_or_default()),
        ] {
            self.put(setting, &value)
                .map_err(|complaint| refused(&value, &complaint))?;
        }
        Ok(place)
    }

    async fn keeps(&mut self, place: &Place) -> Result<bool, Failure> {
        let question = format!("Stories go to {}. Keep it so?", place.called);
        self.talk.agrees(&question).await
    }

    /// A chat of this number, in which the bot may work.
    async fn sure(&self, bot: &Bot, chat: i64) -> Result<Place, Failure> {
        match look_at(bot, chat).await {
            Ok(place) => match place.lack {
                None => Ok(place),
                Some(Lack { reason, remedy }) => Err(Failure::Other(told(
                    format!("{}: {reason}", place.called),
                    remedy,
                ))),
            },
            Err(Trouble::Owner(_) | Trouble::Never(_)) => Err(Failure::NotFound(told(
                format!("Telegram knows no chat {chat} that @{} is in", bot.name),
                "add the bot to it, in a channel as an administrator who may post messages; or let it be found: `--chat find`",
            ))),
            Err(trouble) => Err(Failure::Unavailable(told(
                trouble.reason(),
                "try again; nothing was changed",
            ))),
        }
    }

    /// The chat that the bot is added to, or is spoken to in.
    async fn find(&mut self, bot: &Bot) -> Result<Place, Failure> {
        self.be_alone(bot)?;
        self.talk.explain(&format!(
            "\nNow add @{0} to the team's group; or to a channel, as an\n\
             administrator who may post messages. If it is in the group already, write\n\
             /start@{0} there. I am waiting for it … (or type the chat's number).",
            bot.name
        ));
        let mut waiting = Waiting::begin(bot);
        let mut declined: Vec<i64> = Vec::new();
        loop {
            let (chat, seen) = match waiting.next(&mut self.talk).await? {
                Event::Seen(seen) if seen.chat.is_private() => continue,
                Event::Seen(seen) => (seen.chat.id.0, Some(seen)),
                Event::Typed(text) => match written::chat(&text) {
                    Ok(chat) => (chat, None),
                    Err(_) if text.is_empty() => continue,
                    Err(complaint) => {
                        complain(&complaint);
                        continue;
                    }
                },
            };
            if seen.is_some() && declined.contains(&chat) {
                continue;
            }
            let mut place = match (self.sure(bot, chat).await, &seen) {
                (Ok(place), _) => place,
                // It has left since.
                (Err(Failure::NotFound(_)), Some(_)) => continue,
                (Err(failure), _) if !self.talk.asks() => return Err(failure),
                (Err(failure), _) => {
                    regret(&failure);
                    say("  I am waiting on.");
                    continue;
                }
            };
            if let Some(seen) = seen {
                (place.thread, place.by) = (seen.thread, seen.by);
                let question = format!("  Found {}. Is it the team's chat?", place.called);
                if !self.talk.agrees(&question).await? {
                    declined.push(chat);
                    self.talk.explain("  I am waiting on.");
                    continue;
                }
            }
            return Ok(place);
        }
    }

    /// In which of its topics stories go, if it has any.
    async fn ask_topic(&mut self, bot: &Bot, place: &mut Place) -> Result<(), Failure> {
        if let Some(said) = &self.options.thread {
            let thread =
                written::thread(said.trim()).map_err(|complaint| refused(said, &complaint))?;
            place.thread = Some(thread);
            return Ok(());
        }
        if !place.has_topics {
            place.thread = None;
            return Ok(());
        }
        if self.team().chat == Some(place.chat) && place.thread.is_none() {
            place.thread = self.team().thread;
        }
        if !self.talk.asks() {
            return Ok(());
        }
        let now = match place.thread {
            Some(thread) => format!("topic {thread}"),
            None => "“General”".to_owned(),
        };
        say(&format!(
            "  It has topics. Enter takes {now}. For another one, write\n  /start@{} in it, or type its number.",
            bot.name
        ));
        self.be_alone(bot)?;
        let mut waiting = Waiting::begin(bot);
        loop {
            match waiting.next(&mut self.talk).await? {
                Event::Typed(text) if text.is_empty() => return Ok(()),
                Event::Typed(text) => match written::thread(&text) {
                    Ok(thread) => {
                        place.thread = Some(thread);
                        return Ok(());
                    }
                    Err(complaint) => complain(&complaint),
                },
                Event::Seen(seen) => {
                    let is_here = seen.chat.id.0 == place.chat && seen.thread != place.thread;
                    let Some(thread) = seen.thread.filter(|_| is_here) else {
                        continue;
                    };
                    let question =
                        format!("  Somebody wrote in topic {thread}. Do stories go there?");
                    if self.talk.agrees(&question).await? {
                        place.thread = Some(thread);
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Has nobody else hear what the bot is told: the service would take it.
    pub(super) fn be_alone(&mut self, bot: &Bot) -> Result<(), Failure> {
        // With another token, or none, it hears nothing of this bot.
        let hears = bot.new.is_none() && self.whose == Whose::Service;
        if hears && self.stopped.is_none() && unit::is_active() {
            self.talk
                .explain("\nThe service is stopped for so long, and started again when you leave.");
            self.stopped = Some(Stopped::begin()?);
        }
        Ok(())
    }
}

/// The chat of this number, and what the bot lacks there.
async fn look_at(bot: &Bot, chat: i64) -> Result<Place, Trouble> {
    let info = chat_info(&bot.client, ChatId(chat)).await?;
    let asked = bot.client.bot.get_chat_member(ChatId(chat), bot.id);
    let member = bot.client.call(SMALL_CALL, asked).await?;
    let kind = kind(&info);
    Ok(Place {
        chat,
        thread: None,
        called: called(&info),
        is_channel: kind == Kind::Channel,
        is_new: true,
        by: None,
        has_topics: has_topics(&info),
        lack: lacking(kind, &member.kind),
    })
}

fn has_topics(chat: &ChatFullInfo) -> bool {
    let ChatFullInfoKind::Public(public) = &chat.kind else {
        return false;
    };
    matches!(&public.kind, ChatFullInfoPublicKind::Supergroup(group) if group.is_forum)
}
