//! The copies of backups that leave the box: for whom they are encrypted, and where they go.

use std::path::PathBuf;

use secrecy::SecretString;

use crate::domain::copy::Destination;

/// The copies of backups that leave the box.
#[derive(Clone, Debug)]
pub struct Copies {
    /// For whom they are encrypted, as `age` takes it; never empty where there is a destination.
    pub recipients: Vec<String>,
    /// The folder they go to.
    pub folder: Option<PathBuf>,
    /// The chat they go to.
    pub chat: Option<i64>,
    /// The bucket they go to.
    pub bucket: Option<Bucket>,
    /// The region of the bucket, whether there is one or not.
    pub region: String,
    /// The secret of the access key; nothing where it is not this user's to read.
    pub secret_key: Option<SecretString>,
}

/// A bucket, and the name of the key by which files may be put there.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// The server, the bucket, and the folder in it.
    pub url: reqwest::Url,
    /// The name of the access key.
    pub access_key: String,
}

impl Copies {
    /// Where copies go, and how each place is called.
    #[must_use]
    pub fn destinations(&self) -> Vec<(Destination, String)> {
        let name = |destination| {
            Some(match destination {
                Destination::Folder => self.folder.as_ref()?.display().to_string(),
                Destination::Bucket => self.bucket.as_ref()?.url.to_string(),
                Destination::Chat => self.chat?.to_string(),
            })
        };
        Destination::ALL
            .into_iter()
            .filter_map(|destination| Some((destination, name(destination)?)))
            .collect()
    }
}
