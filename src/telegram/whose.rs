//! Who is in several teams and writes in private: which of them they speak to.

use jiff::Timestamp;
use teloxide::types::{InlineKeyboardButton, InlineKeyboardMarkup, User};

use super::clerk::{Asker, Clerk, UNSURE};
use super::hear::Hearing;
use super::members::person_id;
use super::message::plain;
use super::tapped::{NOT_HERE, NOT_THERE};
use super::voice::Spot;
use crate::domain::person::{Deed, Person};
use crate::domain::story::MessageRef;
use crate::flow::Error;

/// What the button begins with that chooses one of somebody's teams.
pub(super) const CHOICE: &str = "team1:";

/// Which of the teams somebody in a private chat speaks to.
pub(super) enum Whose<'a> {
    /// They are in none.
    Nobodys,
    /// Telegram does not say just now.
    Unsure,
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
        deed: Deed,
        anew: bool,
        now: Timestamp,
    ) -> Result<Whose<'_>, Error> {
        let (mut theirs, mut is_unsure) = (Vec::new(), false);
        for clerk in &self.clerks {
            match clerk.known(user, deed, now).await? {
                Asker::Of(person) => theirs.push((clerk, person)),
                Asker::Unsure => is_unsure = true,
                Asker::Stranger => {}
            }
        }
        // Telegram is asked only about whom nobody knows, or who looks for a team that does not know them yet.
        if anew || (theirs.is_empty() && !is_unsure) {
            theirs.clear();
            for clerk in &self.clerks {
                match clerk.asker(user, deed, now).await? {
                    Asker::Of(person) => theirs.push((clerk, person)),
                    Asker::Unsure => is_unsure = true,
                    Asker::Stranger => {}
                }
            }
        }
        if theirs.is_empty() && is_unsure {
            return Ok(Whose::Unsure);
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
        if message.chat != person_id(user).0 {
            return Ok(NOT_THERE.to_owned()); // they were asked in private
        }
        let person = match clerk.asker(user, Deed::Look, now).await? {
            Asker::Of(person) => person,
            Asker::Stranger => return Ok("You are not in that team's chat.".to_owned()),
            Asker::Unsure => return Ok(UNSURE.to_owned()),
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
