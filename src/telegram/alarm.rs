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
        // While the records cannot be read, nobody knows the team's place but who was there before.
        let team = match team {
            Some(place) => Some(*lock(&self.home).insert(place)),
            None => *lock(&self.home),
        };
        let owner = self.admin_chat.map(|chat| Place { chat, thread: None });
        let Some(first) = owner.or(team) else {
            return Err(no_chat());
        };
        match (self.alarm_in(first, told).await, team) {
            (Err(Trouble::Owner(reason)), Some(team)) if team != first => {
                tracing::warn!(
                    "the admin chat cannot be told: {reason}; the team's chat is told instead"
                );
                self.alarm_in(team, told).await
            }
            (answer, _) => answer,
        }
    }

    async fn alarm_in(&self, place: Place, told: &Alert) -> Result<(), Trouble> {
        let request = self.voice.message(place, alert(told));
        self.voice
            .call(place.chat, Urgency::Later, SMALL_CALL, request)
            .await
            .map(drop)
    }
}
