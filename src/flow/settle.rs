//! What came of a delivery. The attempt is on record; here is written whether it arrived, may have arrived, or did not.

use jiff::{SignedDuration, Timestamp};

use super::Result;
use super::close::{Ending, Subject, close};
use super::conditions::judge;
use super::outlet::{Delivered, Form, Trouble};
use super::settings::move_chat;
use super::streak;
use crate::domain::alert::topic::{CHAT_RIGHTS, REFUSED};
use crate::domain::entry::Snapshot;
use crate::domain::ids::TeamId;
use crate::domain::outcome::Outcome;
use crate::domain::story::{
    DOUBT, Delivery, LEASE, MOST_MESSAGES, State, Story, pause_after, pause_as_asked, retry_at,
};
use crate::domain::team::TeamSettings;
use crate::store::messages::{Kind, NewMessage};
use crate::store::stories::Wanted;
use crate::store::{Tx, media, messages, stories, teams, uploads};
use crate::system::events;

/// What was sent.
#[derive(Clone)]
pub(super) struct Sent {
    /// The story as it was when it was sent.
    pub(super) story: Story,
    /// The media as it was shown.
    pub(super) shown: Snapshot,
    pub(super) upload: Upload,
    /// Whether the original is to be sent as well.
    pub(super) shows_less: bool,
}

/// An upload: whose, of what, in which form.
#[derive(Clone)]
pub(super) struct Upload {
    pub(super) bot: String,
    pub(super) fingerprint: String,
    pub(super) form: Form,
}

impl Upload {
    pub(super) fn known(&self, tx: &mut dyn Tx) -> Result<Option<String>> {
        uploads::get(tx, &self.bot, &self.fingerprint, self.form.as_str())
    }

    fn note(&self, tx: &mut dyn Tx, file_id: Option<&str>, now: Timestamp) -> Result<()> {
        let form = self.form.as_str();
        match file_id {
            Some(id) => uploads::put(tx, &self.bot, &self.fingerprint, form, id, now),
            None => Ok(()),
        }
    }
}

/// Writes what came of an attempt: the story is before the team, is tried again, is in doubt, or has ended.
pub(super) fn settle(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    sent: &Sent,
    answer: &std::result::Result<Delivered, Trouble>,
    now: Timestamp,
) -> Result<()> {
    let (upload, shown, shows_less) = (&sent.upload, &sent.shown, sent.shows_less);
    let sent = &sent.story;
    let story = stories::get(tx, sent.id)?;
    let announcement = messages::announcement_of(tx, sent.id)?;
    if let Ok(Delivered { message, file_id }) = answer {
        upload.note(tx, file_id.as_deref(), now)?;
        if shows_less {
            stories::note_original(tx, sent.id, Some(now))?;
            stories::want_original(tx, sent.id, Wanted::Yes)?;
        }
        let attempt = sent.delivery.attempt;
        // A press or an edit may have been faster than the answer: then the message is behind already.
        let behind = match &story {
            Some(story) if story.state == State::Sending => {
                Snapshot::of(&media::get(tx, story.media)?) != *shown
            }
            _ => true,
        };
        let new = NewMessage {
            message: *message,
            kind: Kind::Story,
            attempt,
            swaps: sent.swaps,
            is_behind: behind,
        };
        messages::add(tx, team, sent.id, &new, now)?;
        teams::note_sent(tx, team, now)?;
        streak::succeed(tx, team, now)?;
        judge(tx, team, REFUSED, None, now)?;
        judge(tx, team, CHAT_RIGHTS, None, now)?;
    }
    let Some(story) = story.filter(|story| story.delivery.attempt == sent.delivery.attempt) else {
        return Ok(());
    };
    match (answer, story.state) {
        // The lease may have run out, and then the answer came after all.
        (Ok(delivered), State::Sending | State::Retrying | State::Unconfirmed) => {
            let is_new = story.state == State::Sending && announcement != Some(delivered.message);
            let delivery = Delivery {
                messages: story.delivery.messages + u32::from(is_new),
                failures: 0,
                retry_at: None,
                sent_at: story.delivery.sent_at.or(Some(now)),
                reason: None,
                ..story.delivery.clone()
            };
            stories::advance(tx, &story, State::Awaiting, &delivery, now)?;
            tracing::info!(
                message_id = events::STORY_SENT.id,
                story = story.number,
                attempt = story.delivery.attempt,
                "#{} is before the team",
                story.number
            );
        }
        (Err(trouble), State::Sending) => {
            settle_trouble(tx, team, settings, &story, trouble, now)?;
        }
        _ => {}
    }
    Ok(())
}

fn settle_trouble(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    story: &Story,
    trouble: &Trouble,
    now: Timestamp,
) -> Result<()> {
    let reason = trouble.reason();
    let announcement = messages::announcement_of(tx, story.id)?;
    let is_announced = announcement.is_some();
    tracing::warn!(
        message_id = events::STORY_NOT_SENT.id,
        story = story.number,
        attempt = story.delivery.attempt,
        "#{} was not delivered: {reason}",
        story.number
    );
    streak::fail(tx, team, settings, trouble, now)?;
    let mut delivery = Delivery {
        reason: Some(reason.clone()),
        ..story.delivery.clone()
    };
    // A first message may be there: a press on it still decides, whatever became of the second.
    let is_doubtful = !is_announced && story.delivery.messages > 0;
    let until = if is_doubtful {
        repeat_until(story, settings)
    } else {
        sent_until(story, settings)
    };
    match trouble {
        // To put the picture into its announcement may be repeated.
        Trouble::Unsure(_) if !is_announced => return doubt(tx, settings, story, &reason, now),
        Trouble::Later(after) => {
            let after = SignedDuration::try_from(*after).unwrap_or(SignedDuration::from_secs(60));
            delivery.failures += 1;
            // Obeyed, even if it will be too late then: until it is, people are told why nothing comes.
            let pause = pause_as_asked(after, delivery.failures);
            delivery.retry_at = Some(now.checked_add(pause).unwrap_or(now));
        }
        Trouble::Moved(to) => {
            let shown = Snapshot::of(&media::get(tx, story.media)?);
            // It may be known already.
            if let Some(from) = settings.place_of(&shown).filter(|from| from.chat != *to) {
                move_chat(tx, story.team, from.chat, *to, now)?;
            }
            delivery.retry_at = Some(now);
        }
        Trouble::Gone if is_announced => delivery.retry_at = Some(now),
        // At once: whoever makes its picture finds that it is another one. Somebody may go on changing it.
        Trouble::Changed if delivery.failures == 0 => {
            delivery.failures = 1;
            delivery.retry_at = Some(now);
        }
        Trouble::Changed
        | Trouble::Unreachable(_)
        | Trouble::Unsure(_)
        | Trouble::Owner(_)
        | Trouble::Gone
        | Trouble::StaysText => {
            delivery.failures += 1;
            delivery.retry_at = retry_at(pause_after(delivery.failures), until, now);
        }
        Trouble::Never(_) if is_announced || story.delivery.messages == 0 => {
            let text = format!(
                "#{} could not be sent, and ended as failed: {reason}.",
                story.number
            );
            judge(tx, team, REFUSED, Some(&text), now)?;
            let ending = Ending::by_itself(Outcome::Failed, reason);
            close(tx, settings, &Subject::Story(story), &ending, now)?;
            return Ok(());
        }
        Trouble::Never(_) => delivery.retry_at = None,
    }
    if let Some(message) = announcement
        && matches!(trouble, Trouble::Gone | Trouble::Moved(_))
    {
        // Somebody took it out, or it went with its chat: the story is announced anew, once.
        messages::remove(tx, message)?;
        if story.delivery.messages >= MOST_MESSAGES {
            delivery.retry_at = None;
        }
    }
    // Its picture may stand in the chat, with its buttons. To put it there again rings nowhere, so that is done when the
    // server works, however late it is: better than an announcement that nothing follows.
    if is_announced && matches!(trouble, Trouble::Unsure(_)) {
        delivery.sent_at = delivery.sent_at.or(Some(now));
    }
    if is_announced
        && delivery.sent_at.is_some()
        && delivery.retry_at.is_none()
        && !matches!(trouble, Trouble::Gone | Trouble::Moved(_))
    {
        delivery.retry_at = now.checked_add(pause_after(delivery.failures)).ok();
    }
    if is_doubtful {
        stories::advance(tx, story, State::Unconfirmed, &delivery, now)?;
    } else if delivery.retry_at.is_some() {
        stories::advance(tx, story, State::Retrying, &delivery, now)?;
    } else {
        // The media goes back to the pool: the network must not use it up.
        let ending = Ending::by_itself(Outcome::Missed, reason);
        close(tx, settings, &Subject::Story(story), &ending, now)?;
    }
    Ok(())
}

/// Until when a story may be sent for the first time.
pub(super) fn sent_until(story: &Story, settings: &TeamSettings) -> Timestamp {
    let late = SignedDuration::from_mins(i64::from(settings.late_minutes));
    story.due_at.checked_add(late).unwrap_or(story.due_at)
}

/// Until when a story that may have arrived may be sent once more.
pub(super) fn repeat_until(story: &Story, settings: &TeamSettings) -> Timestamp {
    let late = SignedDuration::from_mins(i64::from(settings.late_minutes));
    let first = story.delivery.sent_at.unwrap_or(story.due_at);
    first.checked_add(DOUBT + late).unwrap_or(first)
}

/// A story whose call never came back: it goes on with its announcement, if that is on record; else it may have arrived.
pub(super) fn go_on(
    tx: &mut dyn Tx,
    settings: &TeamSettings,
    story: &Story,
    reason: &str,
    now: Timestamp,
) -> Result<()> {
    if messages::announcement_of(tx, story.id)?.is_none() {
        return doubt(tx, settings, story, reason, now);
    }
    let delivery = Delivery {
        retry_at: Some(story.state_since.min(now)),
        reason: Some(reason.to_owned()),
        ..story.delivery.clone()
    };
    stories::advance(tx, story, State::Retrying, &delivery, now)?;
    Ok(())
}

/// A story that may or may not have arrived: wait for a press on it, and send it once more if none comes, but never a third
/// time, and not when its time is long gone.
fn doubt(
    tx: &mut dyn Tx,
    settings: &TeamSettings,
    story: &Story,
    reason: &str,
    now: Timestamp,
) -> Result<()> {
    let lease_end = story.state_since.checked_add(LEASE).unwrap_or(now);
    // When it may have arrived at the latest. A box that comes back from an outage may not know what time it is: one that
    // shows a time before the attempt tells nothing of how long the call ran.
    let tried_at = if now < story.state_since {
        lease_end
    } else {
        now.min(lease_end)
    };
    let now = now.max(story.state_since);
    let messages = story.delivery.messages + 1;
    let late = SignedDuration::from_mins(i64::from(settings.late_minutes));
    let again = messages < MOST_MESSAGES && now.duration_since(tried_at) <= late;
    let delivery = Delivery {
        messages,
        retry_at: again.then(|| now.checked_add(DOUBT).ok()).flatten(),
        sent_at: story.delivery.sent_at.or(Some(tried_at)),
        reason: Some(reason.to_owned()),
        ..story.delivery.clone()
    };
    // It counts for the spacing: it may be on the team's screens.
    teams::note_sent(tx, story.team, tried_at)?;
    stories::advance(tx, story, State::Unconfirmed, &delivery, now)?;
    Ok(())
}
