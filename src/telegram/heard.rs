//! What somebody wrote, and what it may mean.

use jiff::Timestamp;
use teloxide::types::{ChatKind, Message, User};
use teloxide::utils::command::BotCommands;

use super::commands::Command;
use super::members::ANONYMOUS_ADMIN;
use super::voice::Spot;
use crate::domain::story::MessageRef;
use crate::flow::act::Verb;

/// A text that somebody wrote.
pub struct Heard<'a> {
    /// Telegram's number for it.
    pub update: u32,
    /// The message.
    pub message: &'a Message,
    /// Who wrote it.
    pub user: &'a User,
    /// The text.
    pub text: &'a str,
    /// Where.
    pub spot: Spot,
    /// Whether it was written to the bot alone.
    pub is_private: bool,
    /// The command that it is.
    pub command: Option<Command>,
    /// What it says as an answer to a story: it works as the button.
    pub reply: Option<(MessageRef, Verb)>,
}

impl<'a> Heard<'a> {
    /// What a message says; nothing if it has no text or no sender. `name` is the bot's own, for commands that are addressed.
    #[must_use]
    pub fn new(update: u32, message: &'a Message, name: &str) -> Option<Self> {
        let (user, text) = message.from.as_ref().zip(message.text())?;
        Some(Self {
            update,
            message,
            user,
            text,
            spot: Spot::of(message),
            is_private: matches!(message.chat.kind, ChatKind::Private(_)),
            command: Command::parse(text, name).ok(),
            reply: reply_verb(message, text),
        })
    }

    /// The message that it answers.
    #[must_use]
    pub fn reply_to(&self) -> Option<i32> {
        self.message.reply_to_message().map(|to| to.id.0)
    }

    /// Whether an administrator wrote it in the group's name, so that nobody knows who it was.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.user.id.0 == ANONYMOUS_ADMIN
    }
}

/// When something was said, by Telegram's clock, in whole seconds.
#[must_use]
pub fn said_at(message: &Message) -> Timestamp {
    Timestamp::from_second(message.date.timestamp()).unwrap_or(Timestamp::MIN)
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
