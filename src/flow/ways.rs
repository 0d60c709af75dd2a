//! What is on record of the second ways for alerts: one small row for each.

use super::{Error, Flow, Result};
use crate::domain::way::{Record, Way};
use crate::store::state;

impl Flow {
    /// What is on record of a way that leads there. Of one that leads elsewhere nothing is.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn way(&self, way: Way, to: &str) -> Result<Record> {
        let text = self
            .store
            .read(move |tx| state::way(tx, way.name()))
            .await?;
        // What cannot be read is as good as nothing: what stands is told once more.
        let record = text.and_then(|text| serde_json::from_str::<Record>(&text).ok());
        let record = record.filter(|record| record.to == to);
        Ok(record.unwrap_or_else(|| Record {
            to: to.to_owned(),
            ..Record::default()
        }))
    }

    /// Puts it on record.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn note_way(&self, way: Way, record: &Record) -> Result<()> {
        let text = serde_json::to_string(record)
            .map_err(|error| Error::Unavailable(format!("cannot hold a record: {error}")))?;
        self.store
            .write(move |tx| state::note_way(tx, way.name(), &text))
            .await
    }
}
