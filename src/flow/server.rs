//! Whether the server outside works. After an answer that nobody understood, or that never came, it is in doubt: then nothing
//! is sent before it has shown, by a question that may be asked as often as one likes, that it works again. So a story does
//! not use up the one repetition that it is allowed while the server fails, and a slot whose time comes meanwhile is not
//! tried at all. It is no record: after a restart the first call tells it anew.

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

use super::outlet::{Outlet, Trouble};
use super::streak;
use super::{Flow, Result};
use crate::store::settings;
use crate::system::lock::lock;

/// The longest pause between two questions.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(3);

/// What is known of the server. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Server(Arc<Mutex<Option<Doubt>>>);

/// Why it is in doubt.
#[derive(Clone)]
struct Doubt {
    reason: String,
    /// How often it was asked since.
    asked: u32,
    /// When it is asked again.
    ask_at: Timestamp,
}

/// What is to be done before something is sent.
enum Turn {
    Send,
    Ask,
    Wait(Timestamp),
}

impl Server {
    /// Notes what came of a call that sends.
    pub(super) fn judge(&self, trouble: Option<&Trouble>, now: Timestamp) {
        match trouble {
            Some(Trouble::Unsure(reason)) => {
                self.fail(reason.clone(), now);
            }
            // Nothing reached it, so nothing is known of it.
            Some(Trouble::Unreachable(_)) => {}
            // Whatever it said, it was understood.
            Some(_) | None => *lock(&self.0) = None,
        }
    }

    /// Why nothing is sent, if the server is in doubt.
    pub(super) fn reason(&self) -> Option<String> {
        lock(&self.0).as_ref().map(|doubt| doubt.reason.clone())
    }

    fn turn(&self, is_repeated: bool, now: Timestamp) -> Turn {
        match &*lock(&self.0) {
            // A clock that was set back must not make days of minutes.
            Some(doubt)
                if doubt.ask_at > now && doubt.ask_at.duration_since(now) <= LONGEST_PAUSE =>
            {
                Turn::Wait(doubt.ask_at)
            }
            Some(_) => Turn::Ask,
            // The doubt may be from before a restart.
            None if is_repeated => Turn::Ask,
            None => Turn::Send,
        }
    }

    fn fail(&self, reason: String, now: Timestamp) -> Timestamp {
        let mut doubt = lock(&self.0);
        let asked = doubt.as_ref().map_or(0, |doubt| doubt.asked);
        let pause = SignedDuration::from_mins(1 << asked.min(2)).min(LONGEST_PAUSE);
        let ask_at = now.checked_add(pause).unwrap_or(now);
        *doubt = Some(Doubt {
            reason,
            asked: asked.saturating_add(1),
            ask_at,
        });
        ask_at
    }
}

impl Flow {
    /// Whether the server is to be waited for before something is sent, and until when: it is asked, if its turn has come.
    /// `is_repeated` tells whether what is to be sent may be in the chat already.
    pub(super) async fn waits_for_server(
        &self,
        outlet: &dyn Outlet,
        is_repeated: bool,
        now: Timestamp,
    ) -> Result<Option<Timestamp>> {
        match self.server.turn(is_repeated, now) {
            Turn::Send => return Ok(None),
            Turn::Wait(until) => return Ok(Some(until)),
            Turn::Ask => {}
        }
        let trouble = match outlet.greet().await {
            Err(trouble @ (Trouble::Unsure(_) | Trouble::Unreachable(_))) => trouble,
            Err(_) | Ok(()) => {
                if self.server.reason().is_some() {
                    tracing::info!("the server answers again");
                }
                self.server.judge(None, now);
                return Ok(None);
            }
        };
        let again = self.server.fail(trouble.reason(), now);
        let team = self.team;
        self.store
            .write(move |tx| {
                let settings = settings::of(tx, team)?;
                streak::fail(tx, team, &settings, &trouble, now)
            })
            .await?;
        self.nudges.alerts.notify();
        Ok(Some(again))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).unwrap_or_default()
    }

    #[test]
    fn a_server_in_doubt_is_asked_ever_less_often_and_believed_when_it_is_understood() {
        let server = Server::default();
        let unsure = Trouble::Unsure("502".to_owned());
        assert!(matches!(server.turn(false, at(0)), Turn::Send));
        assert!(matches!(server.turn(true, at(0)), Turn::Ask));
        server.judge(Some(&unsure), at(0));
        assert_eq!(server.reason().as_deref(), Some("502"));
        let mut now = at(0);
        let mut pauses = Vec::new();
        for _ in 0..5 {
            let Turn::Wait(until) = server.turn(false, now) else {
                panic!("it is not asked yet");
            };
            pauses.push(until.duration_since(now).as_mins());
            assert!(matches!(server.turn(false, until), Turn::Ask));
            now = until;
            server.fail("502".to_owned(), now);
        }
        assert_eq!(pauses, [1, 2, 3, 3, 3]);
        assert!(
            matches!(server.turn(false, at(-9_999)), Turn::Ask),
            "a clock that was set back keeps nobody waiting"
        );
        server.judge(Some(&Trouble::Unreachable("no network".to_owned())), now);
        assert!(server.reason().is_some(), "nobody was reached");
        server.judge(Some(&Trouble::Never("bad picture".to_owned())), now);
        assert_eq!(server.reason(), None);
    }
}
