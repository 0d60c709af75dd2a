//! What is on record of the copies of backups that leave the box: one small row for each place they go to.

use jiff::Timestamp;

use super::{Error, Flow, Result};
use crate::domain::copy::{Copied, Destination};
use crate::store::state;

impl Flow {
    /// What is on record of the copies that go there. Of another folder, bucket or chat nothing is.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn copied(
        &self,
        destination: Destination,
        to: &str,
        now: Timestamp,
    ) -> Result<Copied> {
        let text = self
            .store
            .read(move |tx| state::copies(tx, destination.name()))
            .await?;
        // What cannot be read is as good as nothing: the newest goes there once more.
        let copied = text.and_then(|text| serde_json::from_str::<Copied>(&text).ok());
        let copied = copied.filter(|copied| copied.to == to);
        Ok(copied.map_or_else(|| Copied::nothing(to, now), |copied| copied.by_now(now)))
    }

    /// Puts it on record.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn note_copied(&self, destination: Destination, copied: &Copied) -> Result<()> {
        let text = serde_json::to_string(copied)
            .map_err(|error| Error::Unavailable(format!("cannot hold a record: {error}")))?;
        self.store
            .write(move |tx| state::note_copies(tx, destination.name(), &text))
            .await
    }
}
