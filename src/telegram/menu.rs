//! The menu of commands that Telegram shows beside the field where people write: to everybody what all may ask, and to an
//! admin in private what admins may do as well. It is a courtesy: what is not on it may be written all the same.

use teloxide::payloads::SetMyCommandsSetters;
use teloxide::prelude::Requester;
use teloxide::types::{BotCommand, BotCommandScope, ChatId, Recipient};
use teloxide::utils::command::BotCommands;

use super::client::{Client, SMALL_CALL};
use super::commands::Command;
use crate::domain::person::{Deed, Person, PersonId};
use crate::flow::teams::Teams;
use crate::flow::{Error, Flow};

/// The commands of somebody who may do this, where there are several teams or one.
fn commands(may: impl Fn(Deed) -> bool, has_several: bool) -> Vec<BotCommand> {
    let is_wanted = |command: &BotCommand| {
        Command::parse(&command.command, "")
            .is_ok_and(|command| may(command.deed()) && (has_several || command != Command::Team))
    };
    let all = Command::bot_commands().into_iter();
    all.filter(is_wanted).collect()
}

/// Sets the menu that everybody sees, and that of each admin.
///
/// # Errors
/// If the store cannot be read.
pub async fn set(client: &Client, teams: &Teams) -> Result<(), Error> {
    let everybodys = commands(|deed| deed == Deed::Look, teams.all().len() > 1);
    let request = client.bot.set_my_commands(everybodys);
    if let Err(trouble) = client.call(SMALL_CALL, request).await {
        tracing::warn!(
            "the menu of commands could not be set: {}",
            trouble.reason()
        );
        return Ok(());
    }
    let mut admins = Vec::new();
    for (flow, _) in teams.all() {
        let people = flow.people().await?.into_iter();
        admins.extend(
            people
                .filter(|person| Flow::may(person, Deed::Settings))
                .map(|person| person.id),
        );
    }
    admins.sort_unstable();
    admins.dedup();
    for person in admins {
        set_for(client, teams, person).await?;
    }
    Ok(())
}

/// Sets the menu that a person sees in private, by all that they may do in any of their teams.
///
/// # Errors
/// If the store cannot be read.
pub async fn set_for(client: &Client, teams: &Teams, person: PersonId) -> Result<(), Error> {
    let mut roles: Vec<Person> = Vec::new();
    for (flow, _) in teams.all() {
        roles.extend(flow.person(person).await?);
    }
    let may = |deed| roles.iter().any(|person| Flow::may(person, deed));
    let theirs = commands(
        |deed| deed == Deed::Look || may(deed),
        teams.all().len() > 1,
    );
    let scope = BotCommandScope::Chat {
        chat_id: Recipient::Id(ChatId(person.0)),
    };
    let request = client.bot.set_my_commands(theirs).scope(scope);
    // Who never wrote to the bot has no such chat; the next start tries again.
    if let Err(trouble) = client.call(SMALL_CALL, request).await {
        tracing::debug!("an admin's menu was not set: {}", trouble.reason());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(commands: &[BotCommand]) -> Vec<&str> {
        let names = commands.iter().map(|command| &*command.command);
        names.map(|name| name.trim_start_matches('/')).collect()
    }

    #[test]
    fn everybody_sees_what_all_may_ask_and_an_admin_more() {
        let everybodys = commands(|deed| deed == Deed::Look, false);
        assert_eq!(
            names(&everybodys),
            ["status", "queue", "history", "stats", "help"]
        );
        let admins = commands(|_| true, true);
        assert_eq!(admins.len(), Command::bot_commands().len());
        assert!(names(&admins).contains(&"team"));
    }
}
