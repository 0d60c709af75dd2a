//! Asks Telegram what people do, by a poll that it holds open. An update counts as taken when its effect is committed, and
//! only with the next poll is Telegram told so.

use std::time::Duration;

use teloxide::payloads::{DeleteWebhookSetters, GetUpdatesSetters};
use teloxide::prelude::Requester;
use teloxide::types::Update;
use tokio::time::Instant;

use super::client::SMALL_CALL;
use super::receive::{Contact, REFUSED_PAUSE, Receiver, WANTED, rest};
use super::trouble::{Failure, is_other_poller, is_webhook_set};
use crate::flow::Error;
use crate::system::supervisor::{BoxError, Pulse};

/// How long Telegram holds a poll open; it allows no more.
const POLL: Duration = Duration::from_secs(50);
/// A poll that brings nothing new sooner than this was not held open at all.
const HASTY: Duration = Duration::from_secs(1);
/// The longest pause after such a poll: a press must not wait long either.
const LONGEST_REST: u64 = 5;

/// How many updates come at a time; Telegram allows no more.
const BATCH: u8 = 100;

impl Receiver {
    /// Polls until it is time to stop. `name` is the bot's own.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub(super) async fn poll(&self, name: &str, pulse: &Pulse) -> Result<(), BoxError> {
        // No offset at first: Telegram begins with the oldest update that was not confirmed.
        let mut next: Option<i32> = None;
        let mut most = BATCH;
        let mut last = None;
        let mut hasty = 0;
        loop {
            pulse.expecting(POLL + SMALL_CALL + REFUSED_PAUSE);
            let asked_at = Instant::now();
            let updates = tokio::select! {
                () = pulse.stopping() => return Ok(()),
                updates = self.fetch(next, most) => updates,
            };
            match updates {
                Ok(updates) => {
                    self.hear().await?;
                    // A server that does not understand what was confirmed tells the same again.
                    let ids: Vec<u32> = updates.iter().map(|update| update.id.0).collect();
                    let is_new = !ids.is_empty() && last.as_ref() != Some(&ids);
                    if is_new {
                        self.take(name, &updates, pulse).await?;
                        next = ids.last().map(|id| after(*id));
                        last = Some(ids);
                    }
                    most = BATCH;
                    self.contact(Contact::heard);
                    hasty = match !is_new && asked_at.elapsed() < HASTY {
                        true => LONGEST_REST.min(hasty + 1),
                        false => 0,
                    };
                    if hasty > 0 {
                        rest(Duration::from_secs(hasty), pulse).await;
                    }
                }
                // One at a time, the longest are short enough.
                Err(Failure::TooLong(_)) if most > 1 => most = 1,
                Err(failure) => {
                    let pause = self.judge_refused_poll(&failure).await?;
                    rest(pause, pulse).await;
                }
            }
        }
    }

    async fn fetch(&self, next: Option<i32>, most: u8) -> Result<Vec<Update>, Failure> {
        let mut request = self
            .client
            .bot
            .get_updates()
            .limit(most)
            .timeout(u32::try_from(POLL.as_secs()).unwrap_or(50))
            // Always named: when left out, Telegram keeps what was asked for before.
            .allowed_updates(WANTED);
        if let Some(next) = next {
            request = request.offset(next);
        }
        self.client.ask(POLL + SMALL_CALL, request).await
    }

    /// Notes why a poll failed, and mends what can be mended; returns how long to wait.
    async fn judge_refused_poll(&self, failure: &Failure) -> Result<Duration, Error> {
        if is_other_poller(failure) {
            self.contact(Contact::failed);
            // One that crashed may linger for the length of its last poll; a second daemon stays.
            let meetings = self
                .meet_rival(
                    "Another program polls Telegram with the same bot token, and each takes the other's presses. Stop the \
                     other one, or give this box a bot of its own.",
                )
                .await?;
            Ok((Duration::from_secs(5) * meetings).min(REFUSED_PAUSE))
        } else if is_webhook_set(failure) {
            self.contact(Contact::failed);
            let delete = self.client.bot.delete_webhook().drop_pending_updates(false);
            if let Err(trouble) = self.client.call(SMALL_CALL, delete).await {
                tracing::warn!(
                    task = "poll",
                    "the webhook could not be taken off: {}",
                    trouble.reason()
                );
            }
            Ok(Duration::from_secs(1))
        } else {
            self.judge(failure).await
        }
    }
}

/// What confirms all updates up to this one. Of a number that the call has no room for, it has the server tell the last.
fn after(update: u32) -> i32 {
    let next = i32::try_from(update).ok().and_then(|id| id.checked_add(1));
    next.unwrap_or(-1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_of_an_update_is_too_large() {
        assert_eq!(after(7), 8);
        let largest = u32::try_from(i32::MAX).unwrap();
        assert_eq!(after(largest - 1), i32::MAX);
        assert_eq!((after(largest), after(u32::MAX)), (-1, -1));
    }
}
