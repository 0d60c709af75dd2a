//! Who is in several teams and writes in private: which of them they speak to.

use jiff::Timestamp;
use teloxide::types::{InlineKeyboardButton, InlineKeyboardMarkup, User};

use super::clerk::Clerk;
use super::hear::{Hearing, NOT_HERE};
use super::message::plain;
use super::voice::Spot;
use crate::domain::person::Person;
use crate::domain::story::MessageRef;
use crate::flow::Error;

/// What the button begins with that chooses one of somebody's teams.
pub(super) const CHOICE: &str = "team1:";

/// Which of the teams somebody in a private chat speaks to.
pub(super) enum Whose<'a> {
    /// They are in none.
    Nobodys,
    /// This one.
    One(&'a Clerk, Person),
    /// They are in several, and have not said which.
    Several(Vec<&'a Clerk>),
}

impl Hearing {
    /// Which team somebody speaks to in private: the only one that they are in, or the one that they chose last. `anew`: they
    /// wish to choose.
    pub(super) async fn whose(
        &self,
        user: &User,
        anew: bool,
        now: Timestamp,
    ) -> Result<Whose<'_>, Error> {
        let mut theirs = Vec::new();
        for clerk in &self.clerks {
            if let Some(person) = clerk.known(user, now).await? {
                theirs.push((clerk, person));
            }
        }
        // Telegram is asked only about whom nobody knows, or who looks for a team that does not know them yet.
        if theirs.is_empty() || anew {
            theirs.clear();
            for clerk in &self.clerks {
                if let Some(person) = clerk.asker(user, now).await? {
                    theirs.push((clerk, person));
                }
            }
        }
        if theirs.len() > 1 {
            let mut chosen = None;
            for (clerk, person) in &theirs {
                let at = clerk.flow().chosen_at(person.id).await?;
                chosen = chosen.max(at.map(|at| (at, clerk.mark())));
            }
            match chosen.filter(|_| !anew) {
                Some((_, mark)) => theirs.retain(|(clerk, _)| clerk.mark() == mark),
                None => {
                    let clerks = theirs.into_iter().map(|(clerk, _)| clerk);
                    return Ok(Whose::Several(clerks.collect()));
                }
            }
        }
        let only = theirs.into_iter().next();
        Ok(only.map_or(Whose::Nobodys, |(clerk, person)| Whose::One(clerk, person)))
    }

    /// Asks somebody which of their teams they speak to.
    pub(super) async fn ask_whose(
        &self,
        spot: Spot,
        clerks: &[&Clerk],
        and_then: &str,
    ) -> Result<(), Error> {
        let mut rows = Vec::new();
        for clerk in clerks {
            let name = clerk.settings().await?.name;
            let data = format!("{CHOICE}{}", clerk.mark());
            rows.push([InlineKeyboardButton::callback(name, data)]);
        }
        let text = format!("You are in several teams. Which one do you speak to?{and_then}");
        self.voice
            .show(spot, plain(&text), InlineKeyboardMarkup::new(rows));
        Ok(())
    }

    /// Somebody said which of their teams they speak to; returns the answer.
    pub(super) async fn choose(
        &self,
        update: u32,
        mark: &str,
        user: &User,
        message: MessageRef,
        now: Timestamp,
    ) -> Result<String, Error> {
        let Some(clerk) = self.clerk(|clerk| clerk.mark() == mark) else {
            return Ok(NOT_HERE.to_owned());
        };
        let Some(person) = clerk.asker(user, now).await? else {
            return Ok("You are not in that team's chat.".to_owned());
        };
        if !clerk.flow().take_update(update, now).await? {
            return Ok(String::new());
        }
        clerk.flow().choose(person.id, now).await?;
        let name = clerk.settings().await?.name;
        let text = format!("You speak to {name} now, until you choose another with /team.");
        let edit = self.voice.rewording(message, plain(&text));
        self.voice.aside(message.chat, edit);
        Ok(String::new())
    }
}
