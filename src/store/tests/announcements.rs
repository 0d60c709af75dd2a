//! The message that announces a story: text first, and the story itself when its picture stands in it.

use super::*;
use crate::store::messages::{self, Kind, NewMessage};

const MESSAGE: MessageRef = MessageRef {
    chat: -100,
    message: 7,
};

fn new(kind: Kind, swaps: u32, is_behind: bool) -> NewMessage {
    NewMessage {
        message: MESSAGE,
        kind,
        attempt: 1,
        swaps,
        is_behind,
    }
}

/// What is behind, by kind and swaps.
fn behind(tx: &mut dyn Tx, team: TeamId) -> Result<Vec<(Kind, u32)>> {
    let behind = messages::behind(tx, team, noon(), 9)?;
    Ok(behind.iter().map(|it| (it.kind, it.swaps)).collect())
}

on_every_engine! {
    async fn an_announcement_shows_no_story_until_its_picture_is_there(bed: Bed) {
        let media = bed.media("memes/a.jpg", 1).await;
        let story = bed.planned(media, 1).await;
        let (team, id) = (bed.team, story.id);
        bed.write(move |tx| {
            messages::add(tx, team, id, &new(Kind::Announcement, 0, false), noon())?;
            assert_eq!(messages::announcement_of(tx, id)?, Some(MESSAGE));
            assert_eq!(messages::story_of(tx, MESSAGE)?, Some(id));
            assert_eq!(messages::latest_of(tx, id)?, None);
            assert!(!messages::shows(tx, id, 0)?);
            assert_eq!(behind(tx, team)?, []);
            // The same again is no news, and it may be behind as a text.
            messages::add(tx, team, id, &new(Kind::Announcement, 0, true), noon())?;
            assert_eq!(behind(tx, team)?, []);
            messages::want(tx, id)?;
            assert_eq!(behind(tx, team)?, [(Kind::Announcement, 0)]);
            Ok(())
        })
        .await;
    }

    async fn what_was_an_announcement_is_a_story_for_good(bed: Bed) {
        let media = bed.media("memes/a.jpg", 1).await;
        let story = bed.planned(media, 1).await;
        let (team, id) = (bed.team, story.id);
        for is_behind in [false, true] {
            bed.write(move |tx| {
                messages::remove(tx, MESSAGE)?;
                messages::add(tx, team, id, &new(Kind::Announcement, 0, false), noon())?;
                messages::fail(tx, MESSAGE, 3, Timestamp::MAX)?;
                messages::add(tx, team, id, &new(Kind::Story, 2, is_behind), noon())?;
                assert_eq!(messages::announcement_of(tx, id)?, None);
                assert_eq!(messages::latest_of(tx, id)?, Some(MESSAGE));
                assert!(messages::shows(tx, id, 2)?);
                let expected = if is_behind { vec![(Kind::Story, 2)] } else { vec![] };
                assert_eq!(behind(tx, team)?, expected, "it may be tried at once");
                // A press that comes late says nothing new.
                messages::add(tx, team, id, &new(Kind::Announcement, 0, true), noon())?;
                messages::add(tx, team, id, &new(Kind::Story, 1, true), noon())?;
                assert!(messages::shows(tx, id, 2)?);
                assert_eq!(behind(tx, team)?, expected);
                Ok(())
            })
            .await;
        }
    }

    async fn messages_are_counted_while_a_story_is_being_sent_and_only_by_its_own_attempt(bed: Bed) {
        let media = bed.media("memes/a.jpg", 1).await;
        let planned = bed.planned(media, 1).await;
        bed.write(move |tx| {
            assert!(!stories::count_messages(tx, &planned, 1)?);
            let sending = advanced(tx, &planned, State::Sending)?;
            assert!(stories::count_messages(tx, &sending, 1)?);
            assert!(!stories::count_messages(tx, &planned, 2)?, "an attempt before");
            let counted = stories::get(tx, sending.id)?.expect("the story");
            assert_eq!((counted.state, counted.delivery.messages), (State::Sending, 1));
            let retrying = advanced(tx, &counted, State::Retrying)?;
            assert!(!stories::count_messages(tx, &retrying, 2)?);
            // A press on its picture is the proof that it is there.
            advanced(tx, &retrying, State::Awaiting).map(|_| ())
        })
        .await;
    }
}
