//! The people of the team: who they are, what they may do, and whether their presses count.

use jiff::Timestamp;

use super::{Flow, Result};
use crate::domain::audit::{By, Change};
use crate::domain::person::{Deed, Person, PersonId, Role};
use crate::store::{audit, people};

/// How the audit log calls who is in the team's chat, and who is not.
const PRESENT: &str = "in the chat";
const GONE: &str = "not in the chat";

impl Flow {
    /// A person on record. This never makes a row.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn person(&self, id: PersonId) -> Result<Option<Person>> {
        let team = self.team;
        self.store.read(move |tx| people::get(tx, team, id)).await
    }

    /// Puts a person on record, who was found to be of the team; or how a known one is called now. Who had left is back, as
    /// what they were.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn meet(
        &self,
        id: PersonId,
        name: String,
        username: Option<String>,
        role: Role,
        now: Timestamp,
    ) -> Result<()> {
        let team = self.team;
        self.store
            .write(move |tx| {
                let before = people::get(tx, team, id)?;
                people::note(tx, team, id, &name, username.as_deref(), role, now)?;
                let Some(person) = before.filter(|before| before.left_at.is_some()) else {
                    return Ok(());
                };
                people::set_left(tx, team, id, None)?;
                let change = Change::of_person(&person, "came back").between(GONE, PRESENT);
                audit::add(tx, team, &By::telegram(), &change, now)?;
                tracing::info!(
                    person = person.name,
                    "{} is in the team's chat again",
                    person.name
                );
                Ok(())
            })
            .await
    }

    /// Notes that a person is not in the team's chat any more: from now on they may do nothing, and what they were is kept.
    /// False if they are not on record as being there. `by` is who removed them, if it was not they who left.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn leave(&self, id: PersonId, by: Option<By>, now: Timestamp) -> Result<bool> {
        let team = self.team;
        self.store
            .write_durably(move |tx| {
                let known = people::get(tx, team, id)?;
                let Some(person) = known.filter(|known| known.left_at.is_none()) else {
                    return Ok(false);
                };
                people::set_left(tx, team, id, Some(now))?;
                let (action, by) = match &by {
                    Some(by) => ("removed", by.clone()),
                    None => ("left", By::telegram()),
                };
                let change = Change::of_person(&person, action).between(PRESENT, GONE);
                audit::add(tx, team, &by, &change, now)?;
                tracing::info!(
                    person = person.name,
                    "{} is not in the team's chat any more, and may do nothing here",
                    person.name
                );
                Ok(true)
            })
            .await
    }

    /// The people of the team.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn people(&self) -> Result<Vec<Person>> {
        let team = self.team;
        self.store.read(move |tx| people::list(tx, team)).await
    }

    /// When a person last chose this team among theirs, for what they write in private.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn chosen_at(&self, id: PersonId) -> Result<Option<Timestamp>> {
        let team = self.team;
        self.store
            .read(move |tx| people::chosen_at(tx, team, id))
            .await
    }

    /// Notes that a person chose this team among theirs.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn choose(&self, id: PersonId, now: Timestamp) -> Result<()> {
        let team = self.team;
        self.store
            .write_durably(move |tx| people::choose(tx, team, id, now))
            .await
    }

    /// Gives a person a role.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn set_role(&self, id: PersonId, role: Role, by: By, now: Timestamp) -> Result<()> {
        let team = self.team;
        self.store
            .write(move |tx| {
                let Some(person) = people::get(tx, team, id)?.filter(|known| known.role != role)
                else {
                    return Ok(());
                };
                people::set_role(tx, team, id, role)?;
                let change = Change::of_person(&person, "role set")
                    .between(person.role.as_str(), role.as_str());
                audit::add(tx, team, &by, &change, now)
            })
            .await
    }

    /// Refuses a person's presses from now on, or takes them again.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn set_active(
        &self,
        id: PersonId,
        active: bool,
        by: By,
        now: Timestamp,
    ) -> Result<()> {
        let team = self.team;
        let (action, since) = if active {
            ("activated", None)
        } else {
            ("deactivated", Some(now))
        };
        self.store
            .write(move |tx| {
                let is_otherwise = |known: &Person| known.deactivated_at.is_none() != active;
                let Some(person) = people::get(tx, team, id)?.filter(is_otherwise) else {
                    return Ok(());
                };
                people::set_deactivated(tx, team, id, since)?;
                let word = |active| if active { "active" } else { "deactivated" };
                let change =
                    Change::of_person(&person, action).between(word(!active), word(active));
                audit::add(tx, team, &by, &change, now)
            })
            .await
    }

    /// Whether somebody of this role may do that.
    #[must_use]
    pub fn may(person: &Person, deed: Deed) -> bool {
        person.deactivated_at.is_none() && person.left_at.is_none() && person.role.may(deed)
    }
}
