//! Carries a backup off the box: encrypted once, and then to each place that wants it. `rounds` is when.

mod rounds;

use jiff::Timestamp;
use serde::Serialize;

use crate::backup::copies::bucket::Bucket;
use crate::backup::copies::folder::Folder;
use crate::backup::copies::{Sealed, Unsent};
use crate::backup::{Backup, Backups};
use crate::config::Config;
use crate::domain::copy::{Copied, Destination};
use crate::flow::{Error, Flow};
use crate::system::background::background;
use crate::telegram::enclosure::{self, Enclosure};
use crate::telegram::voice::Voice;

/// What carries backups off the box.
#[derive(Clone)]
pub struct Copies {
    backups: Backups,
    recipients: Vec<String>,
    places: Vec<Place>,
    voice: Option<Voice>,
    /// The box's own team, whom alerts concern.
    flow: Flow,
}

/// A place that copies go to.
#[derive(Clone)]
struct Place {
    destination: Destination,
    /// Which folder, bucket or chat.
    name: String,
    way: Way,
}

#[derive(Clone)]
enum Way {
    Folder(Folder),
    Bucket(Bucket),
    Chat(i64),
}

/// What came of a copy.
#[derive(Debug, Serialize)]
pub struct Sent {
    /// Where it was to go.
    pub destination: Destination,
    /// Which folder, bucket or chat.
    pub to: String,
    /// Why it is not there, if it is not.
    pub error: Option<String>,
    /// Whether that is because the place is not there just now.
    pub is_away: bool,
}

impl Copies {
    /// Those that the config wants; the voice is what sends them to a chat. `None` where there are no backups.
    #[must_use]
    pub fn new(config: &Config, flow: Flow, voice: Option<Voice>) -> Option<Self> {
        let settings = &config.backup.copies;
        let way = |destination| {
            Some(match destination {
                Destination::Folder => {
                    let path = settings.folder.clone()?;
                    Way::Folder(Folder::new(path, config.backup.keep_days))
                }
                Destination::Bucket => {
                    let to = settings.bucket.as_ref()?;
                    let (key, secret) = (&to.access_key, &to.secret_key);
                    Way::Bucket(Bucket::new(&to.url, &settings.region, key, secret).ok()?)
                }
                Destination::Chat => Way::Chat(settings.chat?),
            })
        };
        let places = settings.destinations().into_iter();
        let places = places.filter_map(|(destination, name)| {
            let way = way(destination)?;
            Some(Place {
                destination,
                name,
                way,
            })
        });
        Some(Self {
            backups: crate::appliance::backups(config)?,
            recipients: settings.recipients.clone(),
            places: places.collect(),
            voice,
            flow,
        })
    }

    /// The newest backup; one from the future was made by a clock that was wrong. Nothing, where there is none to be read.
    pub async fn newest(&self, now: Timestamp) -> Option<Backup> {
        let backups = self.backups.clone();
        let all = background(move || backups.list()).await.ok()?.ok()?;
        all.into_iter().find(|backup| backup.made_at <= now)
    }

    /// Sends a backup to every place, whether it is there or not.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn send_everywhere(
        &self,
        backup: &Backup,
        now: Timestamp,
    ) -> Result<Vec<Sent>, Error> {
        let all: Vec<&Place> = self.places.iter().collect();
        self.send(backup, &all, now, || {}).await
    }

    /// Sends a backup to these places, one after the other, and notes where it got. `moves` is told before each.
    async fn send(
        &self,
        backup: &Backup,
        to: &[&Place],
        now: Timestamp,
        moves: impl Fn(),
    ) -> Result<Vec<Sent>, Error> {
        let mut sealed = None;
        let mut sent = Vec::new();
        for place in to {
            moves();
            let answer = self.send_one(backup, &place.way, &mut sealed, now).await;
            if answer.is_ok() {
                self.note(place, backup, now).await?;
            }
            sent.push(Sent {
                destination: place.destination,
                to: place.name.clone(),
                is_away: matches!(answer, Err(Unsent::Away(_))),
                error: answer.err().map(|unsent| unsent.to_string()),
            });
        }
        Ok(sent)
    }

    /// Encrypts it, if that was not done for another place, and sends it. What will not go there anyway is not encrypted.
    async fn send_one(
        &self,
        backup: &Backup,
        way: &Way,
        sealed: &mut Option<Sealed>,
        now: Timestamp,
    ) -> Result<(), Unsent> {
        match way {
            Way::Folder(folder) => folder.must_be_there().await?,
            Way::Chat(_) if backup.size_bytes > enclosure::MOST_BYTES => {
                let told = "it is larger than 50 MB, the most that Telegram takes from a bot; use `[backup] copy_to` or `s3_url`";
                return Err(Unsent::Failed(told.to_owned()));
            }
            Way::Chat(_) | Way::Bucket(_) => {}
        }
        let sealed = match sealed {
            Some(sealed) => sealed,
            None => {
                let made = self.backups.seal(backup, &self.recipients).await;
                sealed.insert(made.map_err(|error| Unsent::Failed(error.to_string()))?)
            }
        };
        match way {
            Way::Folder(folder) => folder.put(sealed, now).await,
            Way::Bucket(bucket) => bucket.put(sealed, now).await,
            Way::Chat(chat) => self.enclose(*chat, backup, sealed).await,
        }
    }

    async fn enclose(&self, chat: i64, backup: &Backup, sealed: &Sealed) -> Result<(), Unsent> {
        let Some(voice) = &self.voice else {
            let missing = "no bot token is set; `storyline setup` asks for it";
            return Err(Unsent::Failed(missing.to_owned()));
        };
        let caption = format!(
            "🔐 The backup {}, encrypted. `storyline backup restore FILE --key KEYFILE` brings it back, with your private key.",
            backup.name
        );
        let enclosure = Enclosure {
            path: sealed.path.clone(),
            name: sealed.name.clone(),
            caption,
        };
        let sent = voice.enclose(chat, enclosure).await;
        sent.map_err(|trouble| Unsent::Failed(trouble.reason()))
    }

    async fn note(&self, place: &Place, backup: &Backup, now: Timestamp) -> Result<(), Error> {
        let before = self.flow.copied(place.destination, &place.name).await?;
        let copied = Copied {
            backup: Some(backup.name.clone()),
            at: Some(now),
            ..before.unwrap_or_else(|| Copied::nothing(&place.name, now))
        };
        self.flow.note_copied(place.destination, &copied).await
    }
}
