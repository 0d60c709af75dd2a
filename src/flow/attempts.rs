//! A file that takes the service or a converter down is not tried again and again: that a look at it begins is on record before,
//! and after two that came to no end it is left out, until it or one of the programs is another one.

use super::{Flow, Result};
use crate::domain::media::Media;
use crate::store::{attempts, media};

/// So many attempts that came to no end are enough.
const ENOUGH: u64 = 2;
/// Why a media is left out then.
pub const LEFT_OUT: &str = "looking at it took the converter or the service down, twice; it is left out until it, the converter \
                            or this program is another one";

impl Flow {
    /// Notes that a look at a media begins, by these versions of the programs. False if enough of them came to no end.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn begin_look(&self, looked_at: &Media, by: &str) -> Result<bool> {
        let (team, id, by) = (self.team, looked_at.id, by.to_owned());
        self.store
            .write(move |tx| {
                let may_begin = attempts::failed(tx, id, &by)? < ENOUGH;
                if may_begin {
                    attempts::begin(tx, team, id, &by)?;
                }
                Ok(may_begin)
            })
            .await
    }

    /// Notes that a look at a media has ended: well, or because something was cut off over it.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn end_look(&self, looked_at: &Media, was_cut_off: bool) -> Result<()> {
        let id = looked_at.id;
        self.store
            .write(move |tx| match was_cut_off {
                true => attempts::cut_off(tx, id),
                false => attempts::forget(tx, id),
            })
            .await
    }

    /// Has all that other versions of the programs left out looked at again.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn begin_anew(&self, by: &str) -> Result<()> {
        let (team, by) = (self.team, by.to_owned());
        let again = self
            .store
            .write(move |tx| match attempts::forget_others(tx, team, &by)? {
                0 => Ok(0),
                _ => media::doubt_flawed(tx, team, [LEFT_OUT; 3]),
            })
            .await?;
        if again > 0 {
            self.nudges.examine.notify();
        }
        Ok(())
    }
}
