//! A pretend desk: it remembers what it was asked to show, and answers as it is told to.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
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

/// What the network does to a call that delivers.
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

impl Network {
    /// Every way in which a call may go.
    pub(crate) const ALL: [Self; 9] = [
        Self::Works,
        Self::AsksToWait(90),
        Self::IsAway,
        Self::LosesTheAnswer,
        Self::LosesTheMessage,
        Self::RefusesTheStory,
        Self::RefusesTheBox,
        Self::PowerFailsBefore,
        Self::PowerFailsAfter,
    ];
}

/// A message that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) at: Timestamp,
    /// How long the machine had been up.
    pub(crate) up: SignedDuration,
    pub(crate) card: Card,
    pub(crate) message: MessageRef,
}

#[derive(Default)]
pub(crate) struct Records {
    pub(crate) now: Timestamp,
    pub(crate) up: SignedDuration,
    /// What it does to the next messages, and to the next pictures of those that are announced.
    pub(crate) next: VecDeque<Network>,
    pub(crate) next_picture: VecDeque<Network>,
    pub(crate) otherwise: Option<Network>,
    /// Whether every story is sent in one call.
    pub(crate) is_direct: bool,
    /// Whether the server puts no picture into a text.
    pub(crate) takes_no_picture: bool,
    /// How often it was asked whether it works.
    pub(crate) greetings: usize,
    /// Every attempt at a new message, with its time.
    pub(crate) attempts: Vec<(Timestamp, Card)>,
    /// Every attempt to put a picture into an announcement.
    pub(crate) pictures: Vec<(Timestamp, MessageRef)>,
    /// Messages that rang: announcements, and stories that were sent in one call.
    pub(crate) rang: Vec<Arrived>,
    /// Stories that stand in the chat with picture and buttons.
    pub(crate) arrived: Vec<Arrived>,
    /// Announcements that are text still.
    pub(crate) texts: HashSet<MessageRef>,
    /// Messages that are not in the chat any more, and those of them that the box took out.
    pub(crate) gone: HashSet<MessageRef>,
    pub(crate) taken_out: HashSet<MessageRef>,
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

    /// A new message comes into the chat.
    fn ring(&self, card: &Card) -> MessageRef {
        let mut records = self.records();
        let message = MessageRef {
            chat: CHAT,
            message: i32::try_from(records.rang.len()).unwrap() + 1,
        };
        let (at, up) = (records.now, records.up);
        records.rang.push(Arrived {
            at,
            up,
            card: card.clone(),
            message,
        });
        message
    }

    /// A story stands in this message, which may be there twice as well as once.
    fn arrive(&self, message: MessageRef, card: &Card) {
        let mut records = self.records();
        records.texts.remove(&message);
        records.shown.insert(message, card.clone());
        if records.arrived.iter().all(|known| known.message != message) {
            let (at, up) = (records.now, records.up);
            records.arrived.push(Arrived {
                at,
                up,
                card: card.clone(),
                message,
            });
        }
    }

    /// What comes of a call with this effect.
    async fn call<T>(&self, network: Network, effect: impl FnOnce() -> T) -> Result<T, Trouble> {
        match network {
            Network::Works => Ok(effect()),
            Network::AsksToWait(seconds) => Err(Trouble::Later(Duration::from_secs(seconds))),
            Network::IsAway => Err(Trouble::Unreachable("no network".to_owned())),
            Network::LosesTheMessage => Err(Trouble::Unsure("no answer".to_owned())),
            Network::LosesTheAnswer => {
                effect();
                Err(Trouble::Unsure("no answer".to_owned()))
            }
            Network::RefusesTheStory => Err(Trouble::Never("bad picture".to_owned())),
            Network::RefusesTheBox => Err(Trouble::Owner("no rights".to_owned())),
            Network::PowerFailsBefore | Network::PowerFailsAfter => {
                if network == Network::PowerFailsAfter {
                    effect();
                }
                self.power_fails.notify_one();
                std::future::pending().await
            }
        }
    }

    /// A message says something else.
    fn change(&self, message: MessageRef, card: &Card) -> Result<(), Trouble> {
        let mut records = self.records();
        if records.otherwise == Some(Network::IsAway) {
            return Err(Trouble::Unreachable("no network".to_owned()));
        }
        if records.gone.contains(&message) {
            return Err(Trouble::Gone);
        }
        records.shown.insert(message, card.clone());
        Ok(())
    }

    /// How often it was asked whether it works.
    fn greeted(&self) -> Result<(), Trouble> {
        let mut records = self.records();
        records.greetings += 1;
        match records.otherwise {
            Some(Network::IsAway) => Err(Trouble::Unreachable("no network".to_owned())),
            Some(Network::LosesTheMessage | Network::LosesTheAnswer) => {
                Err(Trouble::Unsure("502 Bad Gateway".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// What the network does to the next new message.
    fn network(&self, card: &Card) -> Network {
        let mut records = self.records();
        let attempt = (records.now, card.clone());
        records.attempts.push(attempt);
        let next = records.next.pop_front();
        next.or(records.otherwise).unwrap_or(Network::Works)
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

    fn greet(&self) -> Answer<'_, Result<(), Trouble>> {
        Box::pin(async move { self.greeted() })
    }

    fn announces(&self) -> bool {
        !self.records().is_direct
    }

    fn announce<'a>(&'a self, card: &'a Card) -> Answer<'a, Result<MessageRef, Trouble>> {
        Box::pin(async move {
            let network = match self.network(card) {
                // Nothing is wrong with the words.
                Network::RefusesTheStory => Network::Works,
                network => network,
            };
            let effect = || {
                let message = self.ring(card);
                self.records().texts.insert(message);
                message
            };
            self.call(network, effect).await
        })
    }

    fn complete<'a>(
        &'a self,
        announcement: MessageRef,
        card: &'a Card,
        _picture: &'a Picture,
    ) -> Answer<'a, Result<Option<String>, Trouble>> {
        Box::pin(async move {
            let network = {
                let mut records = self.records();
                let attempt = (records.now, announcement);
                records.pictures.push(attempt);
                let next = records.next_picture.pop_front();
                next.or(records.otherwise).unwrap_or(Network::Works)
            };
            {
                let mut records = self.records();
                let gets_there = matches!(
                    network,
                    Network::Works | Network::LosesTheAnswer | Network::PowerFailsAfter
                );
                if gets_there && records.gone.contains(&announcement) {
                    return Err(Trouble::Gone);
                }
                if gets_there && records.takes_no_picture {
                    records.is_direct = true;
                    return Err(Trouble::StaysText);
                }
            }
            let effect = || self.arrive(announcement, card);
            let completed = self.call(network, effect).await;
            completed.map(|()| Some(card.media.fingerprint.clone()))
        })
    }

    fn reword<'a>(
        &'a self,
        announcement: MessageRef,
        card: &'a Card,
    ) -> Answer<'a, Result<(), Trouble>> {
        Box::pin(async move { self.change(announcement, card) })
    }

    fn deliver<'a>(
        &'a self,
        card: &'a Card,
        _picture: &'a Picture,
    ) -> Answer<'a, Result<Delivered, Trouble>> {
        Box::pin(async move {
            let effect = || {
                let message = self.ring(card);
                self.arrive(message, card);
                let file_id = Some(card.media.fingerprint.clone());
                Delivered { message, file_id }
            };
            self.call(self.network(card), effect).await
        })
    }

    fn show<'a>(
        &'a self,
        message: MessageRef,
        card: &'a Card,
        picture: Option<&'a Picture>,
    ) -> Answer<'a, Result<(), Trouble>> {
        Box::pin(async move {
            let is_text = self.records().texts.contains(&message);
            assert!(!is_text, "a text has no caption");
            self.change(message, card)?;
            if picture.is_some() {
                let replaced = (message, card.clone());
                self.records().replaced.push(replaced);
            }
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
            let mut records = self.records();
            if !records.reminders.remove(&message) {
                if !records.gone.insert(message) {
                    return Err(Trouble::Gone);
                }
                records.taken_out.insert(message);
            }
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
