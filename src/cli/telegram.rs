//! `storyline telegram`: whether the bot can do its work.

use clap::Subcommand;
use teloxide::payloads::SendMessageSetters;
use teloxide::prelude::Requester;
use teloxide::types::{
    ChatFullInfo, ChatId, ChatMember, ChatMemberKind, ChatPermissions, MessageId, ParseMode,
    ThreadId, UserId,
};

use super::finding::Findings;
use super::print::Print;
use super::{Failure, missing_database};
use crate::appliance::open_flow;
use crate::config::Config;
use crate::flow::outlet::Trouble;
use crate::system::clock::Clock;
use crate::telegram::client::{Client, SMALL_CALL};
use crate::telegram::message::plain;
use crate::telegram::webhook::{Standing, standing};

#[derive(Debug, Subcommand)]
pub(super) enum Telegram {
    /// Ask Telegram whether the token is right, the chats are there, and the bot may write in them
    Test {
        /// Send a message to the team's chat too
        #[arg(long)]
        send: bool,
    },
}

pub(super) async fn run(print: Print, command: Telegram, config: &Config) -> Result<(), Failure> {
    let Telegram::Test { send } = command;
    let mut findings = Findings::default();
    let decided = decided(config).await;
    ask(&mut findings, &decided, send).await;
    findings.tell(print)
}

/// The settings, with what the team decided since they were written, if there is a database already.
pub(super) async fn decided(config: &Config) -> Config {
    let mut config = config.clone();
    if missing_database(&config).is_none()
        && let Ok(flow) = open_flow(&config, Clock::system().now()).await
        && let Ok(team) = flow.settings_with(config.team.clone()).await
    {
        config.team = team;
    }
    config
}

/// What is missing in the settings.
pub(super) fn judge_settings(findings: &mut Findings, config: &Config) {
    if config.telegram.token.is_none() {
        findings.problem(
            "telegram",
            "no bot token is set: pictures are indexed and nothing is sent",
            Some("get a token from @BotFather and set `[telegram] token_file` or `token`"),
        );
    }
    if config.team.chat.is_none() {
        findings.problem(
            "telegram",
            "no chat is set: nothing is sent",
            Some("set `[telegram] chat`, or say `storyline team set chat=…`: the number of the team's channel or group"),
        );
    }
}

/// Asks Telegram. What one answer makes impossible is not asked any more.
pub(super) async fn ask(findings: &mut Findings, config: &Config, send: bool) {
    judge_settings(findings, config);
    let (settings, team) = (&config.telegram, &config.team);
    let Some(token) = &settings.token else {
        return;
    };
    let client = match Client::new(token.clone(), settings.api_url.clone()) {
        Ok(client) => client,
        Err(error) => {
            let reason = error.without_url().to_string();
            findings.problem("bot", reason, None);
            return;
        }
    };
    let me = match client.call(SMALL_CALL, client.bot.get_me()).await {
        Ok(me) => me,
        Err(trouble) => return tell(findings, "bot", &trouble),
    };
    findings.ok("bot", format!("it is @{}", me.username()));
    let mut chat_is_there = false;
    if let Some(chat) = team.chat {
        chat_is_there = team_chat(findings, &client, ChatId(chat), me.id).await;
    }
    if let Some(chat) = settings.admin_chat {
        match chat_info(&client, ChatId(chat)).await {
            Ok(info) => findings.ok("admin chat", called(&info)),
            Err(trouble) => tell(findings, "admin chat", &trouble),
        }
    }
    if let Some(webhook) = settings.webhook() {
        match client
            .call(SMALL_CALL, client.bot.get_webhook_info())
            .await
            .map(|info| standing(&info, &webhook))
        {
            Ok(Standing::Well) => findings.ok("webhook", "all that people did has arrived"),
            Ok(Standing::Waiting { reason, remedy }) => {
                findings.problem("webhook", reason, Some(&remedy));
            }
            Ok(Standing::TakenOff) => findings.note(
                "webhook",
                "Telegram does not call this box",
                Some("start the service; it tells Telegram to, and again within two minutes"),
            ),
            Err(trouble) => tell(findings, "webhook", &trouble),
        }
    }
    if let (true, Some(chat)) = (send && chat_is_there, team.chat) {
        let text = "This is a test of Storyline. If you can read it, the bot can write here.";
        let mut message = client.bot.send_message(ChatId(chat), text);
        if let Some(thread) = team.thread {
            message = message.message_thread_id(ThreadId(MessageId(thread)));
        }
        match client.call(SMALL_CALL, message).await {
            Ok(_) => findings.ok("message", "sent; it stands in the chat now"),
            Err(trouble) => tell(findings, "message", &trouble),
        }
    }
}

/// Writes to the admin chat, or to the team's if there is none; or says why not.
pub(super) async fn tell_owner(config: &Config, text: &str) -> Result<(), String> {
    let settings = &config.telegram;
    let chat = settings.admin_chat.or(config.team.chat);
    let (Some(token), Some(chat)) = (&settings.token, chat) else {
        return Err("no bot token or no chat is set".to_owned());
    };
    let client = Client::new(token.clone(), settings.api_url.clone())
        .map_err(|error| error.without_url().to_string())?;
    let message = client
        .bot
        .send_message(ChatId(chat), plain(text))
        .parse_mode(ParseMode::Html);
    let sent = client.call(SMALL_CALL, message).await;
    sent.map(drop).map_err(|trouble| trouble.reason())
}

async fn chat_info(client: &Client, chat: ChatId) -> Result<ChatFullInfo, Trouble> {
    client.call(SMALL_CALL, client.bot.get_chat(chat)).await
}

/// Looks at the team's chat; whether it is there.
async fn team_chat(findings: &mut Findings, client: &Client, chat: ChatId, bot: UserId) -> bool {
    let info = match chat_info(client, chat).await {
        Ok(info) => info,
        Err(trouble) => {
            tell(findings, "chat", &trouble);
            return false;
        }
    };
    findings.ok("chat", called(&info));
    let asked = client.bot.get_chat_member(chat, bot);
    match client.call(SMALL_CALL, asked).await {
        Ok(member) => match lacking(&info, &member) {
            None => findings.ok("rights", "the bot may send stories there"),
            Some((reason, remedy)) => findings.problem("rights", reason, Some(remedy)),
        },
        Err(trouble) => tell(findings, "rights", &trouble),
    }
    true
}

/// What the bot lacks to send stories to a chat, and what to do.
fn lacking(chat: &ChatFullInfo, bot: &ChatMember) -> Option<(&'static str, &'static str)> {
    if chat.is_private() {
        return None;
    }
    if !bot.kind.is_present() {
        return Some((
            "the bot is not in the chat",
            "add it there, in a channel as an administrator who may post messages",
        ));
    }
    if chat.is_channel() && !bot.kind.can_post_messages() {
        return Some((
            "the bot may not post in the channel",
            "make it an administrator of the channel with the right to post messages",
        ));
    }
    let everybody = chat.permissions().unwrap_or(ChatPermissions::all());
    let needed = ChatPermissions::SEND_MESSAGES | ChatPermissions::SEND_PHOTOS;
    if !chat.is_channel() && !bot.kind.is_privileged() && !everybody.contains(needed) {
        return Some((
            "members of the group may not send messages and photos, and the bot is one of them",
            "make it an administrator of the group",
        ));
    }
    let is_silenced = matches!(&bot.kind, ChatMemberKind::Restricted(may) if !may.can_send_messages || !may.can_send_photos);
    if is_silenced {
        return Some((
            "the bot is restricted in the group and may not send messages and photos",
            "lift the restriction, or make it an administrator of the group",
        ));
    }
    None
}

/// `“Team stories”, a supergroup`.
fn called(chat: &ChatFullInfo) -> String {
    let name = chat
        .title()
        .or(chat.first_name())
        .or(chat.username())
        .unwrap_or("without a name");
    let kind = if chat.is_channel() {
        "a channel"
    } else if chat.is_supergroup() {
        "a supergroup"
    } else if chat.is_group() {
        "a group"
    } else {
        "a private chat"
    };
    format!("“{name}”, {kind}")
}

fn tell(findings: &mut Findings, subject: &str, trouble: &Trouble) {
    let remedy = match trouble {
        Trouble::Later(_) => Some("wait, and try again"),
        Trouble::Unreachable(_) | Trouble::Unsure(_) => {
            Some("look at the network and `[telegram] api_url`, and try again")
        }
        Trouble::Moved(_) => {
            Some("`storyline team set chat=…` gives its new number; the service does it by itself")
        }
        Trouble::Never(_) | Trouble::Owner(_) | Trouble::Gone | Trouble::StaysText => None,
    };
    findings.problem(subject, trouble.reason(), remedy);
}
