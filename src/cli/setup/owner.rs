//! The owner: whom alerts are told to, and to whom the box belongs.

use teloxide::types::{ChatId, User};

use super::super::Failure;
use super::super::telegram::{called, chat_info};
use super::chat::Place;
use super::token::Bot;
use super::waiting::{Event, Waiting};
use super::{ADMIN_CHAT, Desk, complain, refused};
use crate::domain::written;
use crate::telegram::members::person_id;

/// Where alerts go.
pub(super) struct Owner {
    pub(super) chat: i64,
    /// As people know it.
    pub(super) called: String,
    /// Whether alerts did not go there before.
    pub(super) is_new: bool,
}

impl Desk<'_> {
    pub(super) async fn ask_owner(
        &mut self,
        bot: &Bot,
        place: &Place,
    ) -> Result<Option<Owner>, Failure> {
        let before = self.config.telegram.admin_chat;
        let owner = match (&self.options.admin, before) {
            (Some(said), _) => {
                let chat =
                    written::chat(said.trim()).map_err(|complaint| refused(said, &complaint))?;
                Some(self.by_number(bot, chat).await)
            }
            (None, Some(chat)) => {
                let owner = self.by_number(bot, chat).await;
                let question = format!("Alerts go to {}. Keep it so?", owner.called);
                if self.talk.agrees(&question).await? {
                    return Ok(Some(owner));
                }
                self.meet(bot).await?
            }
            (None, None) => match &place.by {
                Some(by) => {
                    let owner = person(by);
                    let question = format!(
                        "{} added the bot. Do alerts go to them, and is the box theirs?",
                        owner.called
                    );
                    if self.talk.agrees(&question).await? {
                        Some(owner)
                    } else {
                        self.meet(bot).await?
                    }
                }
                None if self.talk.asks() => self.meet(bot).await?,
                None => None,
            },
        };
        let owner = owner.map(|owner| Owner {
            is_new: before != Some(owner.chat),
            ..owner
        });
        if let Some(owner) = owner.as_ref().filter(|owner| owner.is_new) {
            self.draft
                .put(ADMIN_CHAT, &owner.chat.to_string())
                .map_err(|complaint| refused(&owner.chat.to_string(), &complaint))?;
        }
        Ok(owner)
    }

    /// The owner of this number, by name if the bot knows them.
    async fn by_number(&self, bot: &Bot, chat: i64) -> Owner {
        let info = chat_info(&bot.client, ChatId(chat)).await;
        Owner {
            chat,
            called: info.map_or_else(|_| chat.to_string(), |info| called(&info)),
            is_new: false,
        }
    }

    /// Waits for the owner to write to the bot.
    async fn meet(&mut self, bot: &Bot) -> Result<Option<Owner>, Failure> {
        self.be_alone(bot)?;
        self.talk.explain(&format!(
            "\nWho is told when something is wrong, and owns the box? Write /start to\n\
             @{} in private, and I know you. (Or type the number of a chat.\n\
             Enter leaves it out: then the team's chat is told.)",
            bot.name
        ));
        let mut waiting = Waiting::begin(bot);
        let mut declined: Vec<i64> = Vec::new();
        loop {
            match waiting.next(&mut self.talk).await? {
                Event::Typed(text) if text.is_empty() => return Ok(None),
                Event::Typed(text) => match written::chat(&text) {
                    Ok(chat) => return Ok(Some(self.by_number(bot, chat).await)),
                    Err(complaint) => complain(&complaint),
                },
                Event::Seen(seen) => {
                    let Some(by) = seen.by.filter(|_| seen.chat.is_private()) else {
                        continue;
                    };
                    let owner = person(&by);
                    if declined.contains(&owner.chat) {
                        continue;
                    }
                    if self
                        .talk
                        .agrees(&format!("  {} wrote. Is it you?", owner.called))
                        .await?
                    {
                        return Ok(Some(owner));
                    }
                    declined.push(owner.chat);
                }
            }
        }
    }
}

fn person(user: &User) -> Owner {
    let name = match &user.username {
        Some(username) => format!("{} (@{username})", user.full_name()),
        None => user.full_name(),
    };
    Owner {
        chat: person_id(user).0,
        called: name,
        is_new: true,
    }
}
