//! A day, or a day and a time, as people type it: by the team's clock on the wall.

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::exit::told;
use super::print::moment;
use super::{Failure, Seat};

/// What is wrong with a moment that cannot be read.
const LIKE: &str = "write a day like `2026-12-01`, or a day and a time like `2026-12-01T18:00`";

/// Reads `2026-12-01` (its midnight), `2026-12-01T18:00` or `2026-12-01 18:00`.
pub(super) fn when(typed: &str) -> Result<DateTime, String> {
    typed.trim().parse().map_err(|_| LIKE.to_owned())
}

/// The moment at which the team's clock shows that.
pub(super) fn moment_of(seat: &Seat, shown: DateTime) -> Result<Timestamp, Failure> {
    shown
        .to_zoned(seat.zone().clone())
        .map(|zoned| zoned.timestamp())
        .map_err(|_| Failure::Usage(told(format!("`{shown}` is too far away"), LIKE)))
}

/// The same, for what must still come.
pub(super) fn moment_ahead(
    seat: &Seat,
    option: &str,
    shown: DateTime,
) -> Result<Timestamp, Failure> {
    let ahead = moment_of(seat, shown)?;
    if ahead <= seat.now() {
        return Err(Failure::Usage(told(
            format!(
                "`{option}`: {} is not in the future",
                moment(ahead, seat.zone())
            ),
            LIKE,
        )));
    }
    Ok(ahead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_and_a_time_may_follow() {
        let shown = |typed| when(typed).map(|shown| shown.to_string());
        assert_eq!(shown("2026-12-01"), Ok("2026-12-01T00:00:00".to_owned()));
        for typed in [
            "2026-12-01T18:00",
            "2026-12-01 18:00",
            " 2026-12-01t18:00:00 ",
        ] {
            assert_eq!(
                shown(typed),
                Ok("2026-12-01T18:00:00".to_owned()),
                "{typed}"
            );
        }
        for typed in ["", "soon", "18:00", "2026-13-01", "2026-12-01T25:00"] {
            assert!(when(typed).is_err(), "{typed}");
        }
    }
}
