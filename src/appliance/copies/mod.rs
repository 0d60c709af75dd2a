//! Carries a backup off the box: encrypted once, and then to each place that wants it. `rounds` is when.

mod rounds;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::Serialize;

use crate::backup::copies::bucket::Bucket;
use crate::backup::copies::folder::Folder;
use crate::backup::copies::{Sealed, Unsent};
use crate::backup::{Backup, Backups};
use crate::config::{self, Config};
use crate::domain::copy::{Again, Copied, Destination, Failed};
use crate::flow::outlet::Trouble;
use crate::flow::{Error, Flow};
use crate::system::background::background;
use crate::system::network::Network;
use crate::telegram::enclosure::{self, Enclosure};
use crate::telegram::voice::Voice;

/// What carries backups off the box.
#[derive(Clone)]
pub struct Copies {
    backups: Backups,
    recipients: Vec<String>,
    places: Vec<Place>,
    region: String,
    secret_key: Option<SecretString>,
    network: Network,
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
    Bucket(config::Bucket),
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
    /// Whether it is another reason than that of the last try.
    #[serde(skip)]
    pub is_news: bool,
}

impl Copies {
    /// Those that the config wants; the voice is what sends them to a chat. `None` where there are no backups.
    #[must_use]
    pub fn new(config: &Config, flow: Flow, voice: Option<Voice>) -> Option<Self> {
        let settings = &config.backup.copies;
        let backups = crate::appliance::backups(config)?;
        let way = |destination| {
            Some(match destination {
                Destination::Folder => {
                    let path = settings.folder.clone()?;
                    let days = config.backup.keep_days;
                    Way::Folder(Folder::new(path, backups.database(), days))
                }
                Destination::Bucket => Way::Bucket(settings.bucket.clone()?),
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
        let places = places.collect();
        Some(Self {
            backups,
            recipients: settings.recipients.clone(),
            places,
            region: settings.region.clone(),
            secret_key: settings.secret_key.clone(),
            network: config.network.clone(),
            voice,
            flow,
        })
    }

    /// The newest backup; one from the future was made by a clock that was wrong.
    ///
    /// # Errors
    /// If the folder of the backups cannot be read.
    pub async fn newest(&self, now: Timestamp) -> Result<Option<Backup>, Unsent> {
        let backups = self.backups.clone();
        let all = background(move || backups.list()).await?;
        let mut all = all
            .map_err(|error| Unsent::Failed(error.to_string()))?
            .into_iter();
        Ok(all.find(|backup| backup.made_at <= now))
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

    /// Sends a backup to these places, one after the other. That it is tried is on record before: where nothing can be put on
    /// record, nothing is sent, lest it be sent again and again. `moves` is told before each.
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
            let before = self.copied(place, now).await?;
            let failed = |again, why: String| Copied {
                failed: Some(Failed {
                    backup: backup.name.clone(),
                    at: now,
                    again,
                    why,
                }),
                ..before.clone()
            };
            let begun = failed(Again::Later, "it was begun, and cut off".to_owned());
            self.flow.note_copied(place.destination, &begun).await?;
            let answer = self.send_one(backup, &place.way, &mut sealed, now).await;
            let (after, error) = match &answer {
                Ok(()) => (before.clone().reached(&backup.name, now), None),
                Err(unsent) => {
                    let again = match unsent {
                        Unsent::Away(_) => Again::WhenThere,
                        Unsent::Settled(_) => Again::NextBackup,
                        Unsent::Failed(_) => Again::Later,
                    };
                    (failed(again, unsent.to_string()), Some(unsent.to_string()))
                }
            };
            self.flow.note_copied(place.destination, &after).await?;
            let why = |copied: &Copied| copied.failed.as_ref().map(|failed| failed.why.clone());
            sent.push(Sent {
                destination: place.destination,
                to: place.name.clone(),
                is_away: matches!(answer, Err(Unsent::Away(_))),
                is_news: error.is_none() || why(&before) != why(&after),
                error,
            });
        }
        Ok(sent)
    }

    /// What is on record of a place.
    async fn copied(&self, place: &Place, now: Timestamp) -> Result<Copied, Error> {
        self.flow.copied(place.destination, &place.name, now).await
    }

    /// Encrypts it, if that was not done for another place, and sends it. What will not go there anyway is not encrypted.
    async fn send_one(
        &self,
        backup: &Backup,
        way: &Way,
        sealed: &mut Option<Result<Sealed, String>>,
        now: Timestamp,
    ) -> Result<(), Unsent> {
        match way {
            Way::Folder(folder) => folder.must_be_there().await?,
            Way::Chat(_) if backup.size_bytes > enclosure::MOST_BYTES => {
                let told = "it is larger than 50 MB, the most that Telegram takes from a bot; use `[backup] copy_to` or `s3_url`";
                return Err(Unsent::Settled(told.to_owned()));
            }
            Way::Chat(_) | Way::Bucket(_) => {}
        }
        let sealed = match sealed {
            Some(sealed) => sealed,
            None => {
                let made = self.backups.seal(backup, &self.recipients).await;
                sealed.insert(made.map_err(|error| error.to_string()))
            }
        };
        let sealed = sealed.as_ref().map_err(|why| Unsent::Failed(why.clone()))?;
        match way {
            Way::Folder(folder) => folder.put(sealed, now).await,
            Way::Bucket(bucket) => self.bucket(bucket)?.put(sealed, now).await,
            Way::Chat(chat) => self.enclose(*chat, backup, sealed).await,
        }
    }

    fn bucket(&self, to: &config::Bucket) -> Result<Bucket, Unsent> {
        let secret = self.secret_key.as_ref().ok_or_else(|| {
            let told = "the secret of the access key is not this user's to read: run the command with `sudo`";
            Unsent::Failed(told.to_owned())
        })?;
        let network = self.network.clone();
        Bucket::new(&to.url, &self.region, &to.access_key, secret, network)
    }

    async fn enclose(&self, chat: i64, backup: &Backup, sealed: &Sealed) -> Result<(), Unsent> {
        let Some(voice) = &self.voice else {
            let missing = "no bot token is set; `storyline setup` asks for it";
            return Err(Unsent::Settled(missing.to_owned()));
        };
        let caption = format!(
            "🔐 The backup {}, encrypted. `storyline backup restore FILE --key KEYFILE` brings it back, with your private key.",
            backup.name
        );
        let file = std::fs::File::open(&sealed.path).map_err(|error| {
            Unsent::Failed(format!("the encrypted backup cannot be read: {error}"))
        })?;
        let enclosure = Enclosure {
            file,
            name: sealed.name.clone(),
            caption,
        };
        voice.enclose(chat, enclosure).await.map_err(|trouble| {
            let what = trouble.reason();
            match trouble {
                Trouble::Unsure(_) => {
                    Unsent::Settled(format!("it may be there, but no answer came: {what}"))
                }
                Trouble::Moved(_) => {
                    Unsent::Settled(format!("{what}: set `[telegram] admin_chat` to that"))
                }
                Trouble::Never(_) | Trouble::Gone | Trouble::StaysText => Unsent::Settled(what),
                Trouble::Later(_)
                | Trouble::Unreachable(_)
                | Trouble::Owner(_)
                | Trouble::Changed => Unsent::Failed(what),
            }
        })
    }
}
