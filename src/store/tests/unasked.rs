//! What a team is told unasked is told once.

use jiff::civil::date;

use super::*;
use crate::store::bulletins::{Kind, Standing};

on_every_engine! {
    async fn a_day_is_told_once_and_no_day_before_it(bed: Bed) {
        let team = bed.team;
        let (first, second) = (date(2027, 3, 1), date(2027, 3, 2));
        let begin = |kind, day| move |tx: &mut dyn Tx| bulletins::begin(tx, team, kind, day);
        assert!(bed.read(move |tx| bulletins::is_open(tx, team, Kind::Day, first)).await);
        assert!(bed.write(begin(Kind::Day, second)).await);
        assert!(!bed.write(begin(Kind::Day, second)).await);
        assert!(!bed.write(begin(Kind::Day, first)).await);
        assert!(!bed.read(move |tx| bulletins::is_open(tx, team, Kind::Day, first)).await);
        assert!(bed.write(begin(Kind::Week, first)).await, "which is another matter");
        // What did not leave the box may be told again, and nothing from before.
        bed.write(move |tx| bulletins::take_back(tx, team, Kind::Day, second)).await;
        assert!(!bed.write(begin(Kind::Day, first)).await);
        assert!(bed.write(begin(Kind::Day, second)).await);
    }

    async fn the_message_of_a_day_is_kept_until_the_next_or_until_it_is_let_go(bed: Bed) {
        let team = bed.team;
        let day = date(2027, 3, 1);
        let standing = Standing {
            day,
            message: MessageRef { chat: -100, message: 7 },
            shown: "this".to_owned(),
        };
        let look = move |tx: &mut dyn Tx| bulletins::standing(tx, team);
        bed.write(move |tx| bulletins::begin(tx, team, Kind::Day, day)).await;
        assert_eq!(bed.read(look).await, None);
        let noted = standing.clone();
        bed.write(move |tx| bulletins::note(tx, team, &noted)).await;
        assert_eq!(bed.read(look).await, Some(standing.clone()));
        bed.write(move |tx| bulletins::let_go(tx, team)).await;
        assert_eq!(bed.read(look).await, None);
        let noted = standing.clone();
        bed.write(move |tx| bulletins::note(tx, team, &noted)).await;
        bed.write(move |tx| bulletins::begin(tx, team, Kind::Day, date(2027, 3, 2))).await;
        assert_eq!(bed.read(look).await, None);
        bed.write(move |tx| bulletins::note(tx, team, &standing)).await;
        assert_eq!(bed.read(look).await, None, "it is of a day that is over");
    }
}
