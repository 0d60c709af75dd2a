//! `storyline telegram`: whether the bot can do its work.

use clap::Subcommand;
use teloxide::payloads::SendMessageSetters;
use teloxide::prelude::Requester;
use teloxide::types::{
    ChatFullInfo, ChatId, ChatPermissions, MessageId, ParseMode, ThreadId, UserId,
};

use super::print::Print;
use super::{Failure, check, missing_database};
use crate::appliance::open_teams;
use crate::config::Config;
use crate::doctor::{Findings, desk, named, settings_of_all};
use crate::domain::team::TeamSettings;
use crate::flow::outlet::Trouble;
use crate::system::clock::Clock;
use crate::telegram::client::{Client, SMALL_CALL};
use crate::telegram::message::plain;
use crate::telegram::rights::{Kind, lacking};
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
    let settings = match missing_database(config) {
        None => {
            let teams = open_teams(config, Clock::system().now()).await?;
            settings_of_all(&teams, &config.team).await?
        }
        Some(_) => vec![config.team.clone()],
    };
    ask(&mut findings, config, &settings, send).await;
    check::tell(print, &findings)
}

/// Asks Telegram. What one answer makes impossible is not asked any more.
pub(super) async fn ask(
    findings: &mut Findings,
    config: &Config,
    teams: &[TeamSettings],
    send: bool,
) {
    let settings = &config.telegram;
    desk(findings, settings, teams);
    let Some(token) = &settings.token else {
        return;
    };
    let client = match Client::new(token.clone(), settings.api_url.clone(), &config.network) {
        Ok(client) => client,
        Err(error) => {
            findings.problem("bot", error.to_string(), None);
            return;
        }
    };
    let me = match client.call(SMALL_CALL, client.bot.get_me()).await {
        Ok(me) => me,
        Err(trouble) => return tell(findings, "bot", &trouble),
    };
    findings.ok("bot", format!("it is @{}", me.username()));
    for team in teams {
        findings.of_team(named(team, teams));
        test_team(findings, &client, me.id, team, send).await;
    }
    findings.of_team(None);
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
}

/// Looks at a team's chats, and writes there if that is wished.
async fn test_team(
    findings: &mut Findings,
    client: &Client,
    bot: UserId,
    team: &TeamSettings,
    send: bool,
) {
    for place in team.places() {
        if !team_chat(findings, client, ChatId(place.chat), bot).await || !send {
            continue;
        }
        let text = "This is a test of Storyline. If you can read it, the bot can write here.";
        let mut message = client.bot.send_message(ChatId(place.chat), text);
        if let Some(thread) = place.thread {
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
    let client = Client::new(token.clone(), settings.api_url.clone(), &config.network)
        .map_err(|error| error.to_string())?;
    let message = client
        .bot
        .send_message(ChatId(chat), plain(text))
        .parse_mode(ParseMode::Html);
    let sent = client.call(SMALL_CALL, message).await;
    sent.map(drop).map_err(|trouble| trouble.reason())
}

pub(super) async fn chat_info(client: &Client, chat: ChatId) -> Result<ChatFullInfo, Trouble> {
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
        Ok(member) => {
            match lacking(kind(&info), &member.kind) {
                None => findings.ok("rights", "the bot may send stories there"),
                Some(lack) => findings.problem("rights", lack.reason, Some(lack.remedy)),
            }
            if info.has_hidden_members && !member.kind.is_privileged() {
                findings.warning(
                    "members",
                    "the chat hides its members, so nobody new is let in, and who leaves keeps what they may",
                    "make the bot an administrator of the chat",
                );
            }
        }
        Err(trouble) => tell(findings, "rights", &trouble),
    }
    true
}

pub(super) fn kind(chat: &ChatFullInfo) -> Kind {
    if chat.is_private() {
        Kind::Private
    } else if chat.is_channel() {
        Kind::Channel
    } else {
        Kind::Group(chat.permissions().unwrap_or(ChatPermissions::all()))
    }
}

/// `“Team stories”, a supergroup`.
pub(super) fn called(chat: &ChatFullInfo) -> String {
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
        Trouble::Never(_)
        | Trouble::Owner(_)
        | Trouble::Gone
        | Trouble::StaysText
        | Trouble::Changed => None,
    };
    findings.problem(subject, trouble.reason(), remedy);
}
