//! What people hand in.

use super::*;
use crate::domain::handin::{Choice, Fate, HandedFile, Kind};
use crate::domain::ids::HandInId;

const ANN: PersonId = PersonId(11);

fn file(message: i32) -> HandedFile {
    HandedFile {
        message,
        file_id: format!("file-{message}"),
        kind: Kind::Picture,
        name: Some("tee.jpg".to_owned()),
        size_bytes: 9,
        caption: Some("Tee #summer".to_owned()),
    }
}

/// Notes a file that Ann sends.
fn hand_in(
    tx: &mut dyn Tx,
    team: TeamId,
    message: i32,
    album: Option<&str>,
    fate: &Fate,
) -> Result<HandInId> {
    let id = handins::add(tx, team, ANN, 11, album, noon())?;
    handins::add_file(tx, id, &file(message), fate)?;
    Ok(id)
}

on_every_engine! {
    async fn an_album_is_one_sending_and_single_files_are_one_each(bed: Bed) {
        let team = bed.team;
        let reason = Fate::Unfit("too large".to_owned());
        let ids = bed
            .write(move |tx| {
                Ok([
                    hand_in(tx, team, 3, Some("a"), &Fate::Waiting)?,
                    hand_in(tx, team, 2, Some("a"), &reason)?,
                    hand_in(tx, team, 4, Some("b"), &Fate::Waiting)?,
                    hand_in(tx, team, 5, None, &Fate::Waiting)?,
                    hand_in(tx, team, 6, None, &Fate::Waiting)?,
                ])
            })
            .await;
        assert_eq!(ids[0], ids[1]);
        assert!(ids[2..].iter().all(|id| *id != ids[0]) && ids[3] != ids[4]);
        let files = bed.read(move |tx| handins::files(tx, ids[0])).await;
        assert_eq!(files, [(file(2), Fate::Unfit("too large".to_owned())), (file(3), Fate::Waiting)]);
        let (waiting, album) = bed
            .read(move |tx| Ok((handins::count_waiting(tx, team, ANN)?, handins::get(tx, team, ids[0])?)))
            .await;
        let album = album.expect("the album");
        assert_eq!((waiting, album.album.as_deref(), album.choice), (4, Some("a"), Choice::Open));
        assert_eq!((album.person, album.chat, album.received_at), (ANN, 11, noon()));
    }

    async fn what_is_chosen_is_fetched_in_its_order_and_what_is_cancelled_is_not(bed: Bed) {
        let team = bed.team;
        let (first, second, third) = bed
            .write(move |tx| {
                let merch = Category::new("merch");
                let first = hand_in(tx, team, 1, None, &Fate::Waiting)?;
                let second = hand_in(tx, team, 2, None, &Fate::Waiting)?;
                let third = hand_in(tx, team, 3, None, &Fate::Waiting)?;
                handins::choose(tx, third, Some(&merch), 9, noon())?;
                handins::choose(tx, second, Some(&merch), 8, at("2026-11-21T12:00:01Z"))?;
                handins::choose(tx, first, None, 7, noon())?;
                Ok((first, second, third))
            })
            .await;
        let next = move |tx: &mut dyn Tx| Ok(handins::next_chosen(tx, team)?.map(|it| (it.id, it.tries)));
        let choices = bed
            .read(move |tx| {
                let mut choice = |id| Ok::<_, Error>(handins::get(tx, team, id)?.map(|it| it.choice));
                Ok((choice(first)?, choice(second)?))
            })
            .await;
        let merch = Choice::Folder(Category::new("merch"));
        assert_eq!(choices, (Some(Choice::Cancelled), Some(merch)));
        assert_eq!(bed.read(move |tx| handins::count_waiting(tx, team, ANN)).await, 2);
        assert_eq!(bed.read(next).await, Some((third, 0)));
        // One that rests is behind those that do not.
        bed.write(move |tx| handins::fetch_again(tx, third, 3, 1, noon())).await;
        assert_eq!(bed.read(next).await, Some((second, 0)));
        let landed = Fate::Landed("merch/tee.jpg".to_owned());
        bed.write(move |tx| handins::settle(tx, second, 2, &landed)).await;
        assert_eq!(bed.read(next).await, Some((third, 1)));
        let media = bed.media("merch/tee.jpg", 1).await;
        bed.write(move |tx| handins::settle(tx, third, 3, &Fate::Known(media))).await;
        assert_eq!(bed.read(next).await, None);
        let files = bed.read(move |tx| handins::files(tx, third)).await;
        assert_eq!(files, [(file(3), Fate::Known(media))]);
    }

    async fn a_message_follows_until_it_shows_what_it_should(bed: Bed) {
        let team = bed.team;
        let id = bed.write(move |tx| hand_in(tx, team, 1, None, &Fate::Waiting)).await;
        let behind = move |tx: &mut dyn Tx| {
            let behind = handins::behind(tx, team)?;
            Ok(behind.into_iter().map(|it| (it.question, it.wanted, it.retry_at)).collect::<Vec<_>>())
        };
        assert_eq!(bed.read(behind).await, [(None, 1, None)]);
        bed.write(move |tx| handins::show_again(tx, id, noon())).await;
        assert_eq!(bed.read(behind).await, [(None, 1, Some(noon()))]);
        // It changes while it is shown.
        bed.write(move |tx| {
            handins::want(tx, id)?;
            handins::shown(tx, id, Some(7), 1)
        })
        .await;
        assert_eq!(bed.read(behind).await, [(Some(7), 2, None)]);
        // The message that is known stays the one, until another is pressed.
        bed.write(move |tx| handins::shown(tx, id, Some(8), 2)).await;
        assert!(bed.read(behind).await.is_empty());
        bed.write(move |tx| handins::choose(tx, id, None, 9, noon())).await;
        assert_eq!(bed.read(behind).await, [(Some(9), 3, None)]);
    }

    async fn what_is_old_is_forgotten_and_a_persons_folder_is_not(bed: Bed) {
        let team = bed.team;
        let merch = || Category::new("merch");
        bed.write(move |tx| {
            people::note(tx, team, ANN, "Ann", None, Role::Member, noon())?;
            hand_in(tx, team, 1, None, &Fate::Waiting)?;
            people::note_folder(tx, team, ANN, &merch())
        })
        .await;
        let forget = |before: Timestamp| bed.write(move |tx| handins::forget_old(tx, team, before));
        assert_eq!(forget(noon()).await, 0);
        assert_eq!(forget(at("2026-11-21T12:00:01Z")).await, 1);
        assert!(bed.read(move |tx| handins::behind(tx, team)).await.is_empty());
        assert_eq!(bed.read(move |tx| people::folder(tx, team, ANN)).await, Some(merch()));
        assert_eq!(bed.read(move |tx| people::folder(tx, team, PersonId(12))).await, None);
    }
}
