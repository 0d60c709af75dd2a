//! Who is told of an alert: the owner, or the team where the owner cannot be.

use super::client::SMALL_CALL;
use super::desk::{Desk, no_chat};
use super::message::alert;
use super::pace::Urgency;
use crate::domain::alert::Alert;
use crate::domain::team::Place;
use crate::flow::outlet::Trouble;
use crate::system::lock::lock;

impl Desk {
    /// An owner who never wrote to the bot cannot be written to; then the team hears of it.
    pub(super) async fn alarm(&self, told: &Alert, team: Option<Place>) -> Result<(), Trouble> {
        // While the records cannot be read, nobody knows the team's chat but who was there before.
        let team = match team {
            Some(place) => Some(*lock(&self.team_chat).insert(place.chat)),
            None => *lock(&self.team_chat),
        };
        let Some(chat) = self.admin_chat.or(team) else {
            return Err(no_chat());
        };
        match (self.alarm_in(chat, told).await, team) {
            (Err(Trouble::Owner(reason)), Some(team)) if team != chat => {
                tracing::warn!(
                    "the admin chat cannot be told: {reason}; the team's chat is told instead"
                );
                self.alarm_in(team, told).await
            }
            (answer, _) => answer,
        }
    }

    async fn alarm_in(&self, chat: i64, told: &Alert) -> Result<(), Trouble> {
        let request = self.voice.message(chat, alert(told));
        self.voice
            .call(chat, Urgency::Later, SMALL_CALL, request)
            .await
            .map(drop)
    }
}
