//! Conditions that the edges find in the world: raised as alerts while they hold, and resolved when they do not.

use jiff::Timestamp;

use super::{Flow, Result};
use crate::domain::alert::topic::{CHAT_RIGHTS, LIBRARY};
use crate::domain::ids::TeamId;
use crate::store::{Tx, alerts};
use crate::system::events;

impl Flow {
    /// Says why the bot cannot work in the team's chat (`Some`), or that it can.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn chat_rights(&self, reason: Option<String>, now: Timestamp) -> Result<()> {
        self.condition(CHAT_RIGHTS, reason, now).await
    }

    /// Says that the library looks as if its disk were away (`Some`, with the reason), or that it is there (`None`).
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn library_away(&self, reason: Option<String>, now: Timestamp) -> Result<()> {
        self.condition(LIBRARY, reason, now).await
    }

    /// Whether the library looked as if its disk were away when it was last looked at.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn is_library_away(&self) -> Result<bool> {
        let alerts = self.alerts().await?;
        Ok(alerts.iter().any(|alert| alert.topic == LIBRARY))
    }

    /// Raises an alert, or resolves it: a condition that holds (`Some`, in plain words) or does not.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn condition(
        &self,
        topic: &'static str,
        reason: Option<String>,
        now: Timestamp,
    ) -> Result<()> {
        let team = self.team;
        let changed = self
            .store
            .write(move |tx| judge(tx, team, topic, reason.as_deref(), now))
            .await?;
        if changed {
            self.nudges.alerts.notify();
        }
        Ok(())
    }
}

/// Raises an alert, or resolves it. True if somebody is to hear of it.
pub(super) fn judge(
    tx: &mut dyn Tx,
    team: TeamId,
    topic: &str,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<bool> {
    let Some(reason) = reason else {
        let resolved = alerts::resolve(tx, team, topic, now)?;
        if resolved {
            tracing::info!(
                message_id = events::ALERT_RESOLVED.id,
                task = topic,
                "the alert `{topic}` is over"
            );
        }
        return Ok(resolved);
    };
    let raised = alerts::raise(tx, team, topic, reason, now)?;
    if raised {
        tracing::warn!(
            message_id = events::ALERT_RAISED.id,
            task = topic,
            "{reason}"
        );
    }
    Ok(raised)
}
