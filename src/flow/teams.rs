//! The teams of the box. Each has a chat, a library, settings, a plan and people of its own, and verbs that touch nobody
//! else's.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

use super::close::{Ending, Subject, close};
use super::presence::note_start;
use super::settings::{clash, seed};
use super::{Flow, Result};
use crate::domain::audit::{By, Change};
use crate::domain::ids::{HandInId, StoryId, TeamId};
use crate::domain::outcome::Outcome;
use crate::domain::setting::Setting;
use crate::domain::story::MessageRef;
use crate::domain::team::{Place, TeamSettings};
use crate::domain::written::{self, Complaint};
use crate::store::{
    Store, Tx, attempts, audit, handins, messages, settings, state, stories, teams,
};

/// Telegram keeps a press for this long; after a longer absence some may be lost.
const PRESS_KEPT: SignedDuration = SignedDuration::from_secs(150);

/// A team, as the box knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// Its name.
    pub name: String,
    /// Where its stories are reviewed.
    pub home: Option<Place>,
    /// The folder that is watched for it.
    pub library: PathBuf,
}

/// The verbs of every team, over one store. Clones are the same.
#[derive(Clone)]
pub struct Teams {
    store: Store,
    /// The verbs of the box's own.
    own: Flow,
    /// The box's own first.
    all: Vec<(Flow, Team)>,
    /// Removed ones whose messages are still to tell what became of their stories.
    leaving: Vec<(Flow, Team)>,
}

/// What became of a wish to add or to remove a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enrolled {
    /// It is so now.
    Done(Team),
    /// It was there before, and is again, with all that is on record of it.
    Back(Team),
    /// It cannot be.
    Refused(Complaint),
}

impl Teams {
    /// All teams. The box's own is made at the first start, with these settings.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn open(store: Store, first: TeamSettings, now: Timestamp) -> Result<Self> {
        let own = Flow::open(store.clone(), first, now).await?;
        let (all, leaving) = store
            .read(|tx| {
                let leaving = teams::leaving(tx)?;
                Ok((roll(tx)?, described(tx, leaving)?))
            })
            .await?;
        let with_verbs = |team: Team| {
            if team.id == own.team {
                return (own.clone(), team);
            }
            let mut flow = Flow::of(store.clone(), team.id);
            // One loop keeps them all up, and there is one clock.
            flow.nudges.upkeep = own.nudges.upkeep.clone();
            flow.time = own.time.sister();
            (flow, team)
        };
        Ok(Self {
            all: all.into_iter().map(with_verbs).collect(),
            leaving: leaving.into_iter().map(with_verbs).collect(),
            own: own.clone(),
            store,
        })
    }

    /// All teams, with the verbs going by what tells the time to those of before: nothing of it is forgotten.
    #[must_use]
    pub fn that_follow(mut self, before: &Self) -> Self {
        let known = |id: TeamId| before.all.iter().find(|(_, team)| team.id == id);
        for (flow, team) in self.all.iter_mut().chain(&mut self.leaving) {
            match known(team.id) {
                Some((before, _)) => flow.time = before.time.clone(),
                None => flow.time = before.own.time.sister(),
            }
        }
        self.own.time = before.own.time.clone();
        self
    }

    /// The verbs of the box's own team: what is wrong with the whole box is told there.
    #[must_use]
    pub fn own(&self) -> &Flow {
        &self.own
    }

    /// Every team as it was when this was made, with its verbs; the box's own first.
    #[must_use]
    pub fn all(&self) -> &[(Flow, Team)] {
        &self.all
    }

    /// Removed teams whose messages are still to tell what became of their stories.
    #[must_use]
    pub fn leaving(&self) -> &[(Flow, Team)] {
        &self.leaving
    }

    /// The team of this name; capital letters do not count.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Flow> {
        let mut all = self.all.iter();
        all.find(|(_, team)| is_called(team, name))
            .map(|(flow, _)| flow)
    }

    /// Whether teams have come or gone since, or one has another library: then everything is to be built anew.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn have_changed(&self) -> Result<bool> {
        let now = self.store.read(roll).await?;
        let built_for = |team: &Team| (team.id, team.library.clone());
        let before = self.all.iter().map(|(_, team)| built_for(team));
        Ok(!now.iter().map(built_for).eq(before))
    }

    /// The library that a team of this name gets unless another is named for it: the one that it had before it was removed, or
    /// one beside that of the box's own team.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn library_of_a_new(&self, name: &str) -> Result<PathBuf> {
        let name = name.trim().to_owned();
        self.store
            .read(move |tx| {
                let present = roll(tx)?;
                let (_, settings) = begin(tx, &present, &name)?;
                Ok(settings.library)
            })
            .await
    }

    /// Adds a team, with the settings that every team begins with.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn add(
        &self,
        name: &str,
        library: Option<PathBuf>,
        by: By,
        now: Timestamp,
    ) -> Result<Enrolled> {
        let name = match written::name(name.trim()) {
            Ok(name) => name,
            Err(complaint) => return Ok(Enrolled::Refused(complaint)),
        };
        self.store
            .write_durably(move |tx| add(tx, &name, library.clone(), &by, now))
            .await
    }

    /// Removes a team: its open stories are cancelled, and nothing is done for it any more. All that is on record of it
    /// stays.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn remove(&self, team: &Flow, by: By, now: Timestamp) -> Result<Enrolled> {
        let (own, id) = (self.own.team, team.team);
        self.store
            .write_durably(move |tx| {
                if id == own {
                    return Ok(Enrolled::Refused(Complaint::new(
                        "it is the box's own team, and there is always one",
                        "pause it, or give it another name, chat and library with `storyline team set`",
                    )));
                }
                let Some(team) = roll(tx)?.into_iter().find(|team| team.id == id) else {
                    return Ok(Enrolled::Refused(Complaint::new(
                        "it was removed already",
                        "`storyline team list` shows the teams",
                    )));
                };
                let settings = settings::of(tx, id)?;
                for story in stories::queue(tx, id)? {
                    let ending = Ending::by_itself(Outcome::Cancelled, "the team was removed");
                    close(tx, &settings, &Subject::Story(&story), &ending, now)?;
                }
                teams::set_removed(tx, id, Some(now))?;
                note(tx, &team, "removed", &by, now)?;
                Ok(Enrolled::Done(team))
            })
            .await
    }

    /// What the daemon does first. Whether presses may have been lost while the box was off: it was off for long, or did not
    /// end in good order. `copy` is the backup from before the last upgrade, if one was made.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn wake_up(&self, copy: Option<String>, now: Timestamp) -> Result<bool> {
        let (own, time) = (self.own.team, self.own.time.clone());
        let (was_away, start) = self
            .store
            .write(move |tx| {
                let heard_at = state::heard_at(tx)?;
                state::note_heard(tx, None)?;
                // A clock that shows a time before the stop tells nothing.
                let short = SignedDuration::ZERO..=PRESS_KEPT;
                let stopped_at = state::stopped_at(tx)?;
                let start = note_start(tx, own, copy.as_deref(), &time, now)?;
                let silent = |heard: Timestamp| match (start.away, stopped_at) {
                    // The clock may have been set meanwhile.
                    (Some(away), Some(stopped)) => {
                        away.saturating_add(stopped.duration_since(heard))
                    }
                    _ => now.duration_since(heard),
                };
                let was_away = heard_at.is_none_or(|heard| !short.contains(&silent(heard)));
                Ok((was_away, start))
            })
            .await?;
        self.own.started(Some(start));
        Ok(was_away)
    }

    /// What the daemon does last. `heard_at` is when it last heard what people do, if it did; `in_good_order` tells whether it
    /// ends because it was told to.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn fall_asleep(
        &self,
        heard_at: Option<Timestamp>,
        in_good_order: bool,
        now: Timestamp,
    ) -> Result<()> {
        let (boot, up) = (self.own.time.boot(), self.own.time.up());
        self.store
            .write_durably(move |tx| {
                state::note_time(tx, now)?;
                state::note_stop(tx, in_good_order.then_some(now))?;
                if in_good_order {
                    attempts::excuse(tx)?;
                }
                let up_ms = i64::try_from(up.as_millis()).unwrap_or_default();
                state::note_stopped_on(tx, boot.as_deref().map(|boot| (boot, up_ms)))?;
                state::note_heard(tx, heard_at)
            })
            .await
    }

    /// The team of a story; nothing if it is on no record.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn of_story(&self, story: StoryId) -> Result<Option<TeamId>> {
        self.store.read(move |tx| teams::of_story(tx, story)).await
    }

    /// The team of the story that a message shows.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn of_message(&self, message: MessageRef) -> Result<Option<TeamId>> {
        self.store
            .read(move |tx| match messages::story_of(tx, message)? {
                Some(story) => teams::of_story(tx, story),
                None => Ok(None),
            })
            .await
    }

    /// The team that something was handed in to; nothing if it is forgotten.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn of_hand_in(&self, id: HandInId) -> Result<Option<TeamId>> {
        self.store.read(move |tx| handins::team_of(tx, id)).await
    }
}

impl Flow {
    /// Whether the box works for other teams too.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn has_sisters(&self) -> Result<bool> {
        let present = self.store.read(teams::present).await?;
        Ok(present.len() > 1)
    }
}

/// The teams for which something is done, the box's own first.
fn roll(tx: &mut dyn Tx) -> Result<Vec<Team>> {
    let present = teams::present(tx)?;
    described(tx, present)
}

fn described(tx: &mut dyn Tx, ids: Vec<TeamId>) -> Result<Vec<Team>> {
    let mut all = Vec::new();
    for id in ids {
        let settings = settings::of(tx, id)?;
        all.push(Team {
            id,
            home: settings.home(),
            name: settings.name,
            library: settings.library,
        });
    }
    Ok(all)
}

fn is_called(team: &Team, name: &str) -> bool {
    is_same_name(&team.name, name)
}

fn is_same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.trim().to_lowercase()
}

fn add(
    tx: &mut dyn Tx,
    name: &str,
    library: Option<PathBuf>,
    by: &By,
    now: Timestamp,
) -> Result<Enrolled> {
    let present = roll(tx)?;
    if present.iter().any(|team| is_called(team, name)) {
        return Ok(Enrolled::Refused(Complaint::new(
            format!("there is a team called {name} already"),
            "give this one another name",
        )));
    }
    let (before, mut wanted) = begin(tx, &present, name)?;
    wanted.library = library.unwrap_or(wanted.library);
    for setting in [Setting::Library, Setting::Chat] {
        // What it had may be another's by now.
        if let Some(complaint) = clash(tx, before, setting, &wanted)? {
            return Ok(Enrolled::Refused(complaint));
        }
    }
    let id = match before {
        Some(team) => {
            teams::set_removed(tx, team, None)?;
            // What went by while it was away was nobody's slot.
            teams::settle_slots(tx, team, now)?;
            let library = Setting::Library.shown(&wanted);
            settings::set(tx, team, Setting::Library, &library, Some(&by.name), now)?;
            team
        }
        None => teams::add(tx, name, now)?,
    };
    seed(tx, id, &wanted, now)?;
    let team = Team {
        id,
        home: wanted.home(),
        name: wanted.name,
        library: wanted.library,
    };
    note(tx, &team, "added", by, now)?;
    Ok(match before {
        Some(_) => Enrolled::Back(team),
        None => Enrolled::Done(team),
    })
}

/// What a team of this name begins with: what it had if it was removed, and else the defaults.
fn begin(tx: &mut dyn Tx, present: &[Team], name: &str) -> Result<(Option<TeamId>, TeamSettings)> {
    let was_called_so = |(_, before): &(TeamId, String)| is_same_name(before, name);
    let before = teams::removed(tx)?.into_iter().find(was_called_so);
    let before = before.map(|(team, _)| team);
    let settings = match before {
        Some(team) => settings::of(tx, team)?,
        None => TeamSettings {
            name: name.to_owned(),
            library: present
                .first()
                .map_or_else(PathBuf::new, |own| beside(own, name)),
            ..TeamSettings::default()
        },
    };
    Ok((before, settings))
}

/// A folder for a team beside that of the box's own.
fn beside(own: &Team, name: &str) -> PathBuf {
    let folder: String = name
        .to_lowercase()
        .chars()
        .map(|letter| {
            if letter.is_alphanumeric() {
                letter
            } else {
                '-'
            }
        })
        .collect();
    own.library.with_file_name(folder)
}

fn note(tx: &mut dyn Tx, team: &Team, action: &str, by: &By, now: Timestamp) -> Result<()> {
    tracing::info!(
        team = team.name,
        person = by.name,
        "the team {} was {action} by {}",
        team.name,
        by.name
    );
    let change = Change::of_team(team.id, action).between(None::<String>, team.name.as_str());
    audit::add(tx, team.id, by, &change, now)
}
