//! What the bot must be allowed to do in a team's chat, to put stories there.

use teloxide::types::{ChatMemberKind, ChatPermissions};

/// What the bot lacks, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lack {
    /// What is missing, as in "in the team's chat …".
    pub reason: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

/// A kind of chat, as far as rights go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One in which only administrators post.
    Channel,
    /// One in which everybody may do this.
    Group(ChatPermissions),
    /// A person's.
    Private,
}

/// What the bot lacks to send stories to a chat in which it is this.
#[must_use]
pub fn lacking(chat: Kind, bot: &ChatMemberKind) -> Option<Lack> {
    let needed = ChatPermissions::SEND_MESSAGES | ChatPermissions::SEND_PHOTOS;
    let lack = |reason, remedy| Some(Lack { reason, remedy });
    match (&chat, bot) {
        (Kind::Private, _) => None,
        (_, bot) if !bot.is_present() => lack(
            "the bot is not in the chat",
            "add it there, in a channel as an administrator who may post messages",
        ),
        (Kind::Channel, bot) if !bot.can_post_messages() => lack(
            "the bot may not post in the channel",
            "make it an administrator of the channel with the right to post messages",
        ),
        (Kind::Group(_), ChatMemberKind::Restricted(may))
            if !may.can_send_messages || !may.can_send_photos =>
        {
            lack(
                "the bot is restricted in the group and may not send messages and photos",
                "lift the restriction, or make it an administrator of the group",
            )
        }
        (Kind::Group(everybody), bot) if !bot.is_privileged() && !everybody.contains(needed) => {
            lack(
                "members of the group may not send messages and photos, and the bot is one of them",
                "make it an administrator of the group",
            )
        }
        _ => None,
    }
}
