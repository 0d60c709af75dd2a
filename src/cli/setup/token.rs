//! The bot: its token, asked for out of sight, and tried before it is kept.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use teloxide::prelude::Requester;
use teloxide::types::UserId;

use super::super::Failure;
use super::super::exit::{Told, told};
use super::super::print::say;
use super::{Desk, Whose, complain};
use crate::config::{Draft, credential_of, looks_like_a_token};
use crate::domain::written::Complaint;
use crate::flow::outlet::Trouble;
use crate::system::named::text_of;
use crate::system::replace::replace;
use crate::system::storage::why;
use crate::telegram::client::{Client, SMALL_CALL};

const TOKEN: &str = "telegram.token";
const TOKEN_FILE: &str = "telegram.token_file";
/// Nobody but its owner reads it, and nobody writes it by a slip.
const RIGHTS: u32 = 0o400;
/// How to come by a bot.
const BOTFATHER: &str = "\nThe team needs a bot. In Telegram, write /newbot to @BotFather, and give it a\n\
                         name; the answer holds a token such as 123456789:AAE…";
const AGAIN: &str = "in Telegram, write /mybots to @BotFather, choose the bot, then “API Token”, and copy all of it";

/// A bot that Telegram knows.
pub(super) struct Bot {
    pub(super) client: Client,
    pub(super) id: UserId,
    /// Its name, without the `@`.
    pub(super) name: String,
    /// Its token, if it is another than the one that is set.
    pub(super) new: Option<SecretString>,
}

/// Why a token is of no use.
enum Refusal {
    /// It is wrong.
    Wrong(String),
    /// Nobody can tell just now.
    Unknown(String),
}

impl Desk<'_> {
    pub(super) async fn ask_token(&mut self) -> Result<Bot, Failure> {
        let present = self.config.telegram.token.clone();
        if present.is_none() && self.options.token_file.is_none() {
            self.talk.explain(BOTFATHER);
        }
        let question = match &present {
            Some(_) => "The bot's token (what you type is not shown) [the one that is set]: ",
            None => "The bot's token (what you type is not shown): ",
        };
        loop {
            let answer = match &self.options.token_file {
                Some(file) => Some(read(file)?),
                None => self.talk.ask_hidden(question).await?,
            };
            let is_same = |new: &SecretString| {
                let present = present.as_ref().map(ExposeSecret::expose_secret);
                present == Some(new.expose_secret())
            };
            let new = answer.filter(|new| !is_same(new));
            let Some(token) = new.clone().or_else(|| present.clone()) else {
                continue;
            };
            let is_final = self.options.token_file.is_some() || !self.talk.asks();
            match self.try_token(token, new).await {
                Ok(bot) => {
                    self.talk.explain(&format!("  It is @{}.", bot.name));
                    return Ok(bot);
                }
                Err(Refusal::Wrong(reason)) if is_final => {
                    return Err(Failure::Other(told(reason, AGAIN)));
                }
                Err(Refusal::Unknown(reason)) if is_final => {
                    let hint = "look at the network and `[telegram] api_url`, and try again; nothing was changed";
                    return Err(Failure::Unavailable(told(reason, hint)));
                }
                Err(Refusal::Wrong(reason)) => complain(&Complaint::new(reason, AGAIN)),
                Err(Refusal::Unknown(reason)) => {
                    say(&format!("  {reason}. Look at the network, and try again."));
                }
            }
        }
    }

    async fn try_token(
        &self,
        token: SecretString,
        new: Option<SecretString>,
    ) -> Result<Bot, Refusal> {
        if !looks_like_a_token(token.expose_secret()) {
            let reason = "the token does not look like a bot's: digits, a colon, and letters";
            return Err(Refusal::Wrong(reason.to_owned()));
        }
        let client = Client::new(
            token,
            self.config.telegram.api_url.clone(),
            &self.config.network,
        )
        .map_err(|error| Refusal::Unknown(error.to_string()))?;
        match client.call(SMALL_CALL, client.bot.get_me()).await {
            Ok(me) => Ok(Bot {
                client,
                id: me.id,
                name: me.username().to_owned(),
                new,
            }),
            Err(Trouble::Owner(_) | Trouble::Never(_)) => Err(Refusal::Wrong(
                "Telegram refuses the bot's token".to_owned(),
            )),
            Err(trouble) => Err(Refusal::Unknown(trouble.reason())),
        }
    }
}

/// More than any token takes, in bytes.
const MOST_BYTES: u64 = 10_000;

fn read(file: &Path) -> Result<SecretString, Failure> {
    let mut text = String::new();
    let done = if file == Path::new("-") {
        let read = io::stdin().take(MOST_BYTES).read_to_string(&mut text);
        read.map(drop)
    } else {
        text_of(file, MOST_BYTES).map(|found| text = found)
    };
    let wrong = |reason: String| {
        let error = format!("the token in `{}`: {reason}", file.display());
        Failure::Usage(told(
            error,
            "the file holds the token that @BotFather gave, and nothing else",
        ))
    };
    done.map_err(|error| wrong(error.to_string()))?;
    match text.trim() {
        "" => Err(wrong("there is none".to_owned())),
        token => Ok(SecretString::from(token)),
    }
}

/// Puts a token where only the service gets it, and has the settings name the place.
pub(super) fn keep(desk: &mut Desk<'_>, token: &SecretString) -> Result<(), Failure> {
    let path = match (desk.whose, &desk.config.telegram.token_file) {
        (Whose::Service, _) => credential_of(TOKEN),
        (Whose::Own, Some(file)) => file.clone(),
        (Whose::Own, None) => desk.path.with_file_name("telegram.token"),
    };
    let unkept = |error: String| {
        let error = format!("the token cannot be kept in `{}`: {error}", path.display());
        Failure::Other(Told { error, hint: None })
    };
    write(&path, token).map_err(|error| unkept(why(&path, &error)))?;
    name(&mut desk.draft, desk.whose, &path).map_err(|complaint| unkept(complaint.reason))
}

fn write(path: &Path, token: &SecretString) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    if !folder.exists() {
        fs::create_dir_all(folder)?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    let line = format!("{}\n", token.expose_secret());
    replace(path, line.as_bytes(), RIGHTS)
}

/// Has the settings say where the token is: nowhere in them, where systemd hands it to the service.
fn name(draft: &mut Draft, whose: Whose, path: &Path) -> Result<(), Complaint> {
    draft.put(TOKEN, "")?;
    match whose {
        Whose::Service => draft.put(TOKEN_FILE, ""),
        Whose::Own => draft.put(TOKEN_FILE, &path.display().to_string()),
    }
}
