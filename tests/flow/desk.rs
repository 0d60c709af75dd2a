//! A pretend desk: it remembers what it was asked to show, and answers as it is told to.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;
use storyline::domain::alert::Alert;
use storyline::domain::story::MessageRef;
use storyline::domain::team::Place;
use storyline::flow::album::{Album, Exhibit};
use storyline::flow::bulletin::Bulletin;
use storyline::flow::outlet::{
    Answer, Card, Contents, Delivered, Document, Outlet, Picture, Trouble,
};
use tokio::sync::Notify;

pub(crate) const CHAT: i64 = -100;

/// What the network does to a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Network {
    Works,
    AsksToWait(u64),
    IsAway,
    /// The message never arrived, and nobody can tell.
    LosesTheMessage,
    /// The message arrived, and nobody can tell.
    LosesTheAnswer,
    RefusesTheStory,
    RefusesTheBox,
    /// The power fails before the message has left.
    PowerFailsBefore,
    /// The power fails when the message has arrived.
    PowerFailsAfter,
}

/// A message that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) at: Timestamp,
    pub(crate) card: Card,
    pub(crate) message: MessageRef,
}

#[derive(Default)]
pub(crate) struct Records {
    pub(crate) now: Timestamp,
    pub(crate) next: VecDeque<Network>,
    pub(crate) otherwise: Option<Network>,
    /// Every attempt, with its time.
    pub(crate) attempts: Vec<(Timestamp, Card)>,
    pub(crate) arrived: Vec<Arrived>,
    pub(crate) shown: HashMap<MessageRef, Card>,
    pub(crate) told: Vec<Alert>,
    /// Messages that were given another picture, and what they tell then.
    pub(crate) replaced: Vec<(MessageRef, Card)>,
    /// Reminders, each with its time and the story's number.
    pub(crate) reminded: Vec<(Timestamp, u64)>,
    /// Originals that were sent, by the story's number.
    pub(crate) originals: Vec<(u64, Contents)>,
    /// Telegram knows no file by its id any more.
    pub(crate) has_forgotten_files: bool,
    /// Albums that were shown, each with its time.
    pub(crate) albums: Vec<(Timestamp, Album)>,
    /// What the team was told unasked, each with its time.
    pub(crate) bulletins: Vec<(Timestamp, Bulletin)>,
    /// What became of the latest of them.
    pub(crate) revised: Vec<Bulletin>,
    /// Those that are in the chat.
    pub(crate) reminders: HashSet<MessageRef>,
}

#[derive(Clone, Default)]
pub(crate) struct Desk {
    records: Arc<Mutex<Records>>,
    pub(crate) power_fails: Arc<Notify>,
}

impl Desk {
    pub(crate) fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap()
    }

    fn arrive(&self, card: &Card) -> Delivered {
        let mut records = self.records();
        let message = MessageRef {
            chat: CHAT,
            message: i32::try_from(records.arrived.len()).unwrap() + 1,
        };
        let at = records.now;
        records.arrived.push(Arrived {
            at,
            card: card.clone(),
            message,
        });
        records.shown.insert(message, card.clone());
        Delivered {
            message,
            file_id: None,
        }
    }
}

impl Outlet for Desk {
    fn bot(&self) -> &str {
        "1"
    }

    fn original<'a>(
        &'a self,
        _message: MessageRef,
        card: &'a Card,
        document: &'a Document,
    ) -> Answer<'a, Result<Option<String>, Trouble>> {
        Box::pin(async move {
            let mut records = self.records();
            match records.otherwise {
                Some(Network::IsAway) => Err(Trouble::Unreachable("no network".to_owned())),
                Some(Network::LosesTheAnswer) => Err(Trouble::Unsure("no answer".to_owned())),
                _ => {
                    let contents = document.contents.clone();
                    records.originals.push((card.number, contents));
                    Ok(Some("uploaded".to_owned()))
                }
            }
        })
    }

    fn deliver<'a>(
        &'a self,
        card: &'a Card,
        _picture: &'a Picture,
    ) -> Answer<'a, Result<Delivered, Trouble>> {
        Box::pin(async move {
            let network = {
                let mut records = self.records();
                let attempt = (records.now, card.clone());
                records.attempts.push(attempt);
                let next = records.next.pop_front();
                next.or(records.otherwise).unwrap_or(Network::Works)
            };
            match network {
                Network::Works => Ok(self.arrive(card)),
                Network::AsksToWait(seconds) => Err(Trouble::Later(Duration::from_secs(seconds))),
                Network::IsAway => Err(Trouble::Unreachable("no network".to_owned())),
                Network::LosesTheMessage => Err(Trouble::Unsure("no answer".to_owned())),
                Network::LosesTheAnswer => {
                    self.arrive(card);
                    Err(Trouble::Unsure("no answer".to_owned()))
                }
                Network::RefusesTheStory => Err(Trouble::Never("bad picture".to_owned())),
                Network::RefusesTheBox => Err(Trouble::Owner("no rights".to_owned())),
                Network::PowerFailsBefore | Network::PowerFailsAfter => {
                    if network == Network::PowerFailsAfter {
                        self.arrive(card);
                    }
                    self.power_fails.notify_one();
                    std::future::pending().await
                }
            }
        })
    }

    fn show<'a>(
        &'a self,
        message: MessageRef,
        card: &'a Card,
        picture: Option<&'a Picture>,
    ) -> Answer<'a, Result<(), Trouble>> {
        Box::pin(async move {
            let mut records = self.records();
            if records.otherwise == Some(Network::IsAway) {
                return Err(Trouble::Unreachable("no network".to_owned()));
            }
            if picture.is_some() {
                records.replaced.push((message, card.clone()));
            }
            records.shown.insert(message, card.clone());
            Ok(())
        })
    }

    fn remind<'a>(
        &'a self,
        message: MessageRef,
        card: &'a Card,
    ) -> Answer<'a, Result<MessageRef, Trouble>> {
        Box::pin(async move {
            let mut records = self.records();
            if records.otherwise == Some(Network::IsAway) {
                return Err(Trouble::Unreachable("no network".to_owned()));
            }
            let reminder = MessageRef {
                message: 1_000_000 + i32::try_from(records.reminded.len()).unwrap(),
                ..message
            };
            let at = records.now;
            records.reminded.push((at, card.number));
            records.reminders.insert(reminder);
            Ok(reminder)
        })
    }

    fn album<'a>(&'a self, album: &'a Album) -> Answer<'a, Result<Vec<Option<String>>, Trouble>> {
        Box::pin(async move {
            let mut records = self.records();
            if records.otherwise == Some(Network::IsAway) {
                return Err(Trouble::Unreachable("no network".to_owned()));
            }
            let by_id = |exhibit: &Exhibit| matches!(exhibit.contents, Contents::Known(_));
            if records.has_forgotten_files && album.exhibits.iter().any(by_id) {
                return Err(Trouble::Never("wrong file identifier".to_owned()));
            }
            let at = records.now;
            records.albums.push((at, album.clone()));
            let id = |exhibit: &Exhibit| Some(format!("photo of #{}", exhibit.number));
            Ok(album.exhibits.iter().map(id).collect())
        })
    }

    fn publish<'a>(
        &'a self,
        place: Place,
        bulletin: &'a Bulletin,
    ) -> Answer<'a, Result<MessageRef, Trouble>> {
        Box::pin(async move {
            let mut records = self.records();
            if records.otherwise == Some(Network::IsAway) {
                return Err(Trouble::Unreachable("no network".to_owned()));
            }
            let at = records.now;
            records.bulletins.push((at, bulletin.clone()));
            if records.otherwise == Some(Network::LosesTheAnswer) {
                return Err(Trouble::Unsure("no answer".to_owned()));
            }
            Ok(MessageRef {
                chat: place.chat,
                message: 2_000_000,
            })
        })
    }

    fn revise<'a>(
        &'a self,
        _message: MessageRef,
        bulletin: &'a Bulletin,
    ) -> Answer<'a, Result<(), Trouble>> {
        Box::pin(async move {
            let mut records = self.records();
            if records.otherwise == Some(Network::IsAway) {
                return Err(Trouble::Unreachable("no network".to_owned()));
            }
            records.revised.push(bulletin.clone());
            Ok(())
        })
    }

    fn remove(&self, message: MessageRef) -> Answer<'_, Result<(), Trouble>> {
        Box::pin(async move {
            self.records().reminders.remove(&message);
            Ok(())
        })
    }

    fn tell<'a>(
        &'a self,
        alert: &'a Alert,
        _team: Option<Place>,
    ) -> Answer<'a, Result<(), Trouble>> {
        Box::pin(async move {
            self.records().told.push(alert.clone());
            Ok(())
        })
    }
}
