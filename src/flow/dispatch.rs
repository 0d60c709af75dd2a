//! Stories go out. One step sends at most one story: it looks what is due, makes the picture, writes the attempt, uses the
//! network with no transaction open, and writes what came of it. A crash between any two of these leaves a row that tells
//! the next start what may have happened.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::close::{Ending, Subject, close};
use super::due::{Due, look};
use super::messages::open_card;
use super::outlet::{Card, Delivered, NoPicture, Outlet, Studio, Trouble};
use super::settle::{Sent, Upload, settle};
use super::{Flow, Result};
use crate::domain::media::{Examination, Media};
use crate::domain::outcome::Outcome;
use crate::domain::run::Run;
use crate::domain::story::{Delivery, LEASE, MessageRef, State, Story};
use crate::store::{messages, runs, settings, state, stories, teams};

/// How soon a library that is away is looked at again.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(30);

/// What one step did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A story was handled; there may be more.
    Handled,
    /// Nothing is due; look again at this time, if not nudged before.
    Idle(Option<Timestamp>),
}

impl Flow {
    /// Sends the next story that is due, if one is.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub async fn dispatch(
        &self,
        outlet: &dyn Outlet,
        studio: &Studio,
        now: Timestamp,
    ) -> Result<Step> {
        self.notice_time(now).await?;
        let (team, why, time) = (self.team, self.server.reason(), self.time.clone());
        let (due, settings) = self
            .store
            .write(move |tx| {
                let settings = settings::of(tx, team)?;
                let due = match settings.chat {
                    Some(_) => look(tx, team, &settings, &time, why.as_deref(), now)?,
                    None => Due::Nothing(None),
                };
                Ok((due, settings))
            })
            .await?;
        self.nudges.alerts.notify();
        let (story, shown) = match due {
            Due::Nothing(next) => return Ok(Step::Idle(next)),
            Due::LookAgain => return Ok(Step::Handled),
            Due::Story(story, shown) => (*story, *shown),
        };
        if settings.dry_run {
            return self.rehearse(story, now).await;
        }
        let is_repeated = story.state == State::Unconfirmed;
        if let Some(until) = self.waits_for_server(outlet, is_repeated, now).await? {
            return Ok(Step::Idle(Some(until)));
        }
        let mut picture = match studio(shown.clone()).await {
            Ok(picture) => picture,
            Err(problem) => return self.give_up_media(shown, problem, now).await,
        };
        let upload = Upload {
            bot: outlet.bot().to_owned(),
            fingerprint: shown.fingerprint.to_string(),
            form: picture.form(),
        };
        picture.known = self.upload_of(upload.clone()).await?;
        let Some((story, announcement)) = self.begin(story, now).await? else {
            return Ok(Step::Handled); // somebody was faster
        };
        let card = Card {
            sent_again: story.delivery.messages > u32::from(announcement.is_some()),
            ..open_card(&story, &shown, &settings, now)
        };
        // Shorter than the lease, so that a story is never taken for lost while its call still runs.
        let began = Instant::now();
        let patience = Duration::try_from(LEASE).unwrap_or_default() * 5 / 6;
        let sending = self.send(outlet, &story, announcement, (&card, &picture), now);
        let answer = match tokio::time::timeout(patience, sending).await {
            Ok(answer) => answer?,
            Err(_) => Err(Trouble::Unsure("no answer in five minutes".to_owned())),
        };
        let took = SignedDuration::try_from(began.elapsed()).unwrap_or_default();
        let sent = Sent {
            story,
            shown: card.media,
            upload,
            shows_less: picture.shows_less,
        };
        self.settle(sent, answer, now, now.checked_add(took).unwrap_or(now))
            .await?;
        Ok(Step::Handled)
    }

    /// Writes the attempt; tells the story as it is then, and its announcement, if it is in the chat. From here on a message
    /// may exist.
    async fn begin(
        &self,
        story: Story,
        now: Timestamp,
    ) -> Result<Option<(Story, Option<MessageRef>)>> {
        let delivery = Delivery {
            attempt: story.delivery.attempt + 1,
            retry_at: None,
            ..story.delivery.clone()
        };
        let id = story.id;
        self.store
            .write_durably(move |tx| {
                state::note_time(tx, now)?;
                if !stories::advance(tx, &story, State::Sending, &delivery, now)? {
                    return Ok(None);
                }
                let announcement = messages::announcement_of(tx, id)?;
                Ok(stories::get(tx, id)?.map(|story| (story, announcement)))
            })
            .await
    }

    /// The id under which a bot has uploaded this before.
    async fn upload_of(&self, upload: Upload) -> Result<Option<String>> {
        self.store.read(move |tx| upload.known(tx)).await
    }

    /// Writes what came of an attempt.
    async fn settle(
        &self,
        sent: Sent,
        answer: std::result::Result<Delivered, Trouble>,
        started_at: Timestamp,
        now: Timestamp,
    ) -> Result<()> {
        let team = self.team;
        self.server.judge(answer.as_ref().err(), now);
        if matches!(answer, Ok(_) | Err(Trouble::Unsure(_))) {
            self.time.note_sent(sent.story.id);
        }
        self.store
            .write_durably(move |tx| {
                let settings = settings::of(tx, team)?;
                let run = Run {
                    job: "dispatch".to_owned(),
                    started_at,
                    ended_at: now,
                    error: answer.as_ref().err().map(Trouble::reason),
                    detail: format!(
                        "#{} attempt {}",
                        sent.story.number, sent.story.delivery.attempt
                    ),
                };
                runs::add(tx, team, &run)?;
                settle(tx, team, &settings, &sent, &answer, now)
            })
            .await?;
        self.nudges.messages.notify();
        self.nudges.extras.notify();
        self.nudges.alerts.notify();
        Ok(())
    }

    /// In a dry run everything happens but the call.
    async fn rehearse(&self, story: Story, now: Timestamp) -> Result<Step> {
        let team = self.team;
        self.time.note_sent(story.id);
        self.store
            .write(move |tx| {
                let settings = settings::of(tx, team)?;
                let ending = Ending::by_itself(
                    Outcome::Cancelled,
                    "dry run: it would have been sent to the team now",
                );
                close(tx, &settings, &Subject::Story(&story), &ending, now)?;
                teams::note_sent(tx, team, now)
            })
            .await?;
        self.nudges.plan.notify();
        Ok(Step::Handled)
    }

    /// The file is not what it was: the media leaves the plan, and the slot gets another one.
    async fn give_up_media(
        &self,
        shown: Media,
        problem: NoPicture,
        now: Timestamp,
    ) -> Result<Step> {
        match problem {
            NoPicture::Away(reason) => {
                // The story keeps its media, and is tried again a little later.
                self.library_away(Some(reason), now).await?;
                return Ok(Step::Idle(now.checked_add(LOOK_AGAIN).ok()));
            }
            NoPicture::Missing => {
                tracing::warn!(media = %shown.fingerprint, "{} is not there any more", shown.path);
                self.lost_from(shown, now).await?;
            }
            NoPicture::Changed => {
                tracing::warn!(media = %shown.fingerprint, "{} has changed since it was indexed", shown.path);
                self.lost_from(shown, now).await?;
            }
            NoPicture::Flawed(reason) => {
                self.examined(shown, Examination::Flawed { reason }, now)
                    .await?;
            }
        }
        Ok(Step::Handled)
    }
}
