//! What a team is told of the box's own accord, once each: the pictures of a day, its digest, and the summary of a week. That
//! it is told is on record before it leaves the box, so that nothing is told twice.

use jiff::civil::{Date, Time, Weekday};
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::clock::trusted;
use super::digest::{Day, day};
use super::outlet::{Outlet, Studio, Trouble};
use super::timekeeper::Timekeeper;
use super::weekly::{Week, week};
use super::{Flow, Result};
use crate::domain::bulletin::{Hour, hour};
use crate::domain::ids::TeamId;
use crate::domain::story::{MessageRef, Story};
use crate::domain::team::{Place, TeamSettings};
use crate::store::bulletins::{self, Kind, Standing};
use crate::store::{Tx, settings, stories, teams};

/// When the week is summed up where there is no digest.
const MONDAY_MORNING: Time = Time::constant(9, 0, 0, 0);
/// When what did not leave the box is tried again.
const AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// A message of the box's own accord.
#[derive(Clone, Debug, PartialEq)]
pub enum Bulletin {
    /// What comes on a day.
    Day(Day),
    /// What a week was like.
    Week(Week),
}

/// What is to be told now.
struct News {
    day: Date,
    place: Place,
    settings: TeamSettings,
    what: What,
}

enum What {
    Pictures(Vec<Story>),
    Text(Bulletin),
}

/// What there is to tell, or when there may be.
enum Ready {
    Now(Box<News>),
    Not(Option<Timestamp>),
}

impl Flow {
    /// Whether this message tells of the latest day.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn tells_of_the_day(&self, message: MessageRef) -> Result<bool> {
        let team = self.team;
        let standing = self
            .store
            .read(move |tx| bulletins::standing(tx, team))
            .await?;
        Ok(standing.is_some_and(|standing| standing.message == message))
    }

    /// Tells the team what it wants to be told at this time, one thing at a time, and has the message of the day follow the
    /// records. Returns when to call again.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub async fn inform(
        &self,
        outlet: &dyn Outlet,
        studio: &Studio,
        now: Timestamp,
    ) -> Result<Option<Timestamp>> {
        if let Some(until) = self.waits_for_server(outlet, false, now).await? {
            return Ok(Some(until));
        }
        let mut next = None;
        for kind in [Kind::Week, Kind::Pictures, Kind::Day] {
            let again = self.tell_news(kind, outlet, studio, now).await?;
            if again == Some(now) {
                return Ok(again);
            }
            next = next.into_iter().chain(again).min();
        }
        self.follow_day(outlet, now).await?;
        Ok(next)
    }

    /// Tells one thing, if it is time. Returns when to call again: now, if something was told.
    async fn tell_news(
        &self,
        kind: Kind,
        outlet: &dyn Outlet,
        studio: &Studio,
        now: Timestamp,
    ) -> Result<Option<Timestamp>> {
        let (team, time) = (self.team, self.time.clone());
        let ready = self
            .store
            .read(move |tx| ready(tx, team, kind, &time, now))
            .await?;
        let news = match ready {
            Ready::Now(news) => *news,
            Ready::Not(next) => return Ok(next),
        };
        let (date, place) = (news.day, news.place);
        let is_news = self
            .store
            .write_durably(move |tx| bulletins::begin(tx, team, kind, date))
            .await?;
        if !is_news {
            return Ok(None);
        }
        if news.settings.dry_run {
            let what = match news.what {
                What::Pictures(_) => "the pictures of the day",
                What::Text(Bulletin::Day(_)) => "what comes today",
                What::Text(Bulletin::Week(_)) => "what the week was like",
            };
            tracing::info!("dry run: the team would have been told {what} now");
            return Ok(Some(now));
        }
        let told = match news.what {
            What::Pictures(planned) => {
                let at = (place, news.settings.timezone);
                let shown = self.show_album(outlet, studio, at, planned, now).await?;
                shown.map(|()| None)
            }
            What::Text(bulletin) => {
                let published = outlet.publish(place, &bulletin).await;
                published.map(|message| match bulletin {
                    Bulletin::Day(day) => Some(day.standing(message)),
                    Bulletin::Week(_) => None,
                })
            }
        };
        self.server.judge(told.as_ref().err(), now);
        match told {
            Ok(None) => {}
            Ok(Some(standing)) => self.note_day(standing).await?,
            Err(trouble) if trouble.is_to_be_repeated() => {
                self.store
                    .write(move |tx| bulletins::take_back(tx, team, kind, date))
                    .await?;
                return Ok(now.checked_add(AGAIN).ok());
            }
            // One that may have arrived is not repeated.
            Err(trouble) => tracing::warn!("a bulletin was not sent: {}", trouble.reason()),
        }
        Ok(Some(now))
    }

    /// Has the message of the day show what became of it.
    async fn follow_day(&self, outlet: &dyn Outlet, now: Timestamp) -> Result<()> {
        let team = self.team;
        let behind = self.store.read(move |tx| behind(tx, team, now)).await?;
        let Some((message, day)) = behind else {
            return Ok(());
        };
        let standing = day.standing(message);
        match outlet.revise(message, &Bulletin::Day(day)).await {
            Ok(()) => self.note_day(standing).await,
            Err(trouble) if trouble.is_to_be_repeated() => Ok(()),
            Err(Trouble::Unsure(_)) => Ok(()), // an edit may be repeated
            Err(trouble) => {
                tracing::warn!("the digest cannot be changed: {}", trouble.reason());
                self.store
                    .write(move |tx| bulletins::let_go(tx, team))
                    .await
            }
        }
    }

    async fn note_day(&self, standing: Standing) -> Result<()> {
        let team = self.team;
        self.store
            .write(move |tx| bulletins::note(tx, team, &standing))
            .await
    }
}

/// Whether something of a kind is to be told now.
fn ready(
    tx: &mut dyn Tx,
    team: TeamId,
    kind: Kind,
    time: &Timekeeper,
    now: Timestamp,
) -> Result<Ready> {
    let settings = settings::of(tx, team)?;
    let hour_of_day = match kind {
        Kind::Pictures | Kind::Day => settings.digest,
        Kind::Week => settings
            .weekly_summary
            .then(|| settings.digest.unwrap_or(MONDAY_MORNING)),
    };
    let Some((hour_of_day, place)) = hour_of_day.zip(settings.home()) else {
        return Ok(Ready::Not(None));
    };
    let date = match hour(hour_of_day, &settings.timezone, now) {
        Hour::Now(date) => date,
        Hour::At(at) => return Ok(Ready::Not(Some(at))),
        Hour::Over => return Ok(Ready::Not(tomorrow(&settings, now))),
    };
    if !bulletins::is_open(tx, team, kind, date)?
        || !trusted(tx, time, now)?
        || teams::get(tx, team)?.paused_at.is_some()
    {
        return Ok(Ready::Not(None));
    }
    let what = match kind {
        Kind::Week if date.weekday() != Weekday::Monday => None,
        Kind::Week => {
            week(tx, team, &settings, date, now)?.map(|week| What::Text(Bulletin::Week(week)))
        }
        Kind::Pictures => {
            let mut planned = Vec::new();
            for line in day(tx, team, &settings, date)?.stories {
                if line.is_planned() {
                    planned.extend(stories::get(tx, line.story)?);
                }
            }
            Some(What::Pictures(planned)).filter(|what| !what.is_nothing())
        }
        // The pictures come first.
        Kind::Day if bulletins::is_open(tx, team, Kind::Pictures, date)? => None,
        Kind::Day => Some(What::Text(Bulletin::Day(day(tx, team, &settings, date)?))),
    };
    Ok(what.map_or(Ready::Not(None), |what| {
        Ready::Now(Box::new(News {
            day: date,
            place,
            settings,
            what,
        }))
    }))
}

/// When the next local day begins.
fn tomorrow(settings: &TeamSettings, now: Timestamp) -> Option<Timestamp> {
    let day = now.to_zoned(settings.timezone.clone()).tomorrow().ok()?;
    Some(day.start_of_day().ok()?.timestamp())
}

impl What {
    fn is_nothing(&self) -> bool {
        matches!(self, Self::Pictures(planned) if planned.is_empty())
    }
}

/// The message of the day, if it does not show what it should.
fn behind(tx: &mut dyn Tx, team: TeamId, now: Timestamp) -> Result<Option<(MessageRef, Day)>> {
    let Some(standing) = bulletins::standing(tx, team)? else {
        return Ok(None);
    };
    let settings = settings::of(tx, team)?;
    let today = now.to_zoned(settings.timezone.clone()).date();
    // A team's hours may reach over midnight.
    if standing.day.saturating_add(1.day()) < today {
        return Ok(None);
    }
    let day = day(tx, team, &settings, standing.day)?;
    let is_behind = day.standing(standing.message) != standing;
    Ok(is_behind.then_some((standing.message, day)))
}
