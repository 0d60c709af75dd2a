//! What is on record of the library's files: what is known, what is kept in view though it is no media, and how much more of
//! that there is.

use super::{Flow, Result};
use crate::domain::media::{Fingerprint, InView, KnownFile};
use crate::store::{files, media, state};

impl Flow {
    /// The next files that are on record, by path: those after this one, `limit` at most.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn known_files_after(
        &self,
        path: String,
        limit: u32,
    ) -> Result<Vec<(String, KnownFile)>> {
        let team = self.team;
        self.store
            .read(move |tx| files::after(tx, team, &path, limit))
            .await
    }

    /// Notes how many files of no use lie in the library that are not on record.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub async fn note_overlooked(&self, count: u64) -> Result<()> {
        if self.overlooked().await? == count {
            return Ok(());
        }
        let team = self.team;
        self.store
            .write(move |tx| state::note_overlooked(tx, team, count))
            .await
    }

    /// How many files of no use lie in the library that are not on record, as far as the last scan tells.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn overlooked(&self) -> Result<u64> {
        let team = self.team;
        self.store.read(move |tx| state::overlooked(tx, team)).await
    }

    /// Files on record below a folder, or the file itself.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn known_below(&self, path: String) -> Result<Vec<String>> {
        let team = self.team;
        self.store
            .read(move |tx| files::below(tx, team, &path))
            .await
    }

    /// One file on record.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn known_file(&self, path: String) -> Result<Option<KnownFile>> {
        let team = self.team;
        self.store.read(move |tx| files::get(tx, team, &path)).await
    }

    /// How many files are on record.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn count_files(&self) -> Result<u64> {
        let team = self.team;
        self.store.read(move |tx| files::count(tx, team)).await
    }

    /// Whether a content lies in the library.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn has_content(&self, fingerprint: Fingerprint) -> Result<bool> {
        let team = self.team;
        self.store
            .read(move |tx| {
                let media = media::by_fingerprint(tx, team, fingerprint)?;
                Ok(media.is_some_and(|media| media.missing_since.is_none()))
            })
            .await
    }

    /// The files that are not media, with the reason.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn files_in_view(&self) -> Result<Vec<InView>> {
        let team = self.team;
        self.store.read(move |tx| files::in_view(tx, team)).await
    }

    /// The files whose end is not there yet.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn unfinished_files(&self) -> Result<Vec<InView>> {
        let team = self.team;
        self.store.read(move |tx| files::unfinished(tx, team)).await
    }
}
