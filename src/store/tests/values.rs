//! What goes in comes out again.

use super::*;

on_every_engine! {
    async fn ids_and_times_come_back_as_they_were(bed: Bed) {
        let media = bed.media("memes/a.jpg", 1).await;
        let story = bed.planned(media, 0).await;
        let precise = at("2026-11-21T12:00:00.123Z");
        let sent = story.clone();
        let back = bed
            .write(move |tx| {
                let delivery = Delivery { attempt: 1, retry_at: Some(precise), ..Delivery::default() };
                assert!(stories::advance(tx, &sent, State::Sending, &delivery, precise)?);
                Ok(stories::get(tx, sent.id)?.expect("the story"))
            })
            .await;
        assert_eq!(back.id, story.id);
        assert_eq!(back.media, media);
        assert_eq!(back.slot, Some(slot(0)));
        assert_eq!(back.state_since, precise);
        assert_eq!(back.delivery.retry_at, Some(precise));
        assert_eq!(back.delivery.sent_at, None);
    }

    async fn times_before_1970_and_far_ahead_come_back(bed: Bed) {
        let team = bed.team;
        let media = bed.media("memes/a.jpg", 1).await;
        for until in ["-009998-01-02T02:00:00Z", "1969-12-31T23:59:59.999Z", "9999-12-30T22:00:00Z"] {
            let until = at(until);
            let locks = bed
                .write(move |tx| {
                    locks::remove(tx, media, None)?;
                    locks::add(tx, team, media, LockKind::Seasonal, Some(until), None, None, until)?;
                    locks::holding(tx, team, until - minutes(1))
                })
                .await;
            assert_eq!((locks[0].until, locks[0].locked_at), (Some(until), until));
        }
    }

    async fn text_comes_back_whatever_is_in_it(bed: Bed) {
        let team = bed.team;
        for (seed, text) in [
            "it's \"quoted\" `here`; DROP TABLE media; --",
            "100 % _ \\ ?1 $1 :name",
            "🏳️‍🌈 Zażółć gęślą jaźń عربى\r\n\t\u{feff}",
            "",
            " ",
        ]
        .into_iter()
        .enumerate()
        {
            let seed = u32::try_from(seed).expect("a few");
            let (path, found) = bed
                .write(move |tx| {
                    let path = format!("memes/{text}{seed}");
                    let mut content = content(seed);
                    content.metadata.title = Some(text.to_owned());
                    content.metadata.caption = Some(text.repeat(1000));
                    content.metadata.tags = vec![text.to_owned(), text.to_owned()];
                    let sound = Verdict { errors: Vec::new(), warnings: vec![text.to_owned()] };
                    let id = media::add(tx, team, &path, 9, &content, &sound, noon())?.expect("new");
                    assert_eq!(
                        media::list_like(tx, team, &path, 11)?.len(),
                        1,
                        "found by its path: {path}"
                    );
                    Ok((path, media::get(tx, id)?))
                })
                .await;
            assert_eq!(found.path, path);
            assert_eq!(found.metadata.title.as_deref(), Some(text));
            assert_eq!(found.metadata.caption, Some(text.repeat(1000)));
            assert_eq!(found.metadata.tags, [text, text]);
            assert_eq!(found.warnings, [text]);
        }
    }

    async fn a_zero_byte_becomes_a_sign_that_every_database_can_hold(bed: Bed) {
        let team = bed.team;
        let back = bed
            .write(move |tx| {
                alerts::raise(tx, team, "a\0b", "c\0d", noon())?;
                assert!(!alerts::raise(tx, team, "a\0b", "c\0d", noon())?, "and is found again");
                alerts::standing(tx, team)
            })
            .await;
        assert_eq!((back[0].topic.as_str(), back[0].text.as_str()), ("a\u{fffd}b", "c\u{fffd}d"));
    }

    async fn lists_and_maps_come_back(bed: Bed) {
        let team = bed.team;
        let mut said = content(1);
        said.metadata.tags = vec!["simple".into(), "zero\0byte".into()];
        said.metadata.requires_interaction = Some(false);
        said.metadata.custom_metadata = serde_json::from_str(
            r#"{"price": 19.99, "big": 18446744073709551615, "sizes": ["S", null, {"deep": true}], "": "é"}"#,
        )
        .expect("JSON");
        let expected = said.metadata.clone();
        let back = bed
            .write(move |tx| {
                let id = media::add(tx, team, "a.jpg", 9, &said, &Verdict::default(), noon())?;
                media::get(tx, id.expect("new"))
            })
            .await;
        assert_eq!(back.metadata, expected);
    }

    async fn nothing_comes_back_as_nothing(bed: Bed) {
        let media = bed.media("memes/a.jpg", 1).await;
        let (media, story) = (
            bed.read(move |tx| media::get(tx, media)).await,
            bed.planned(media, 0).await,
        );
        assert_eq!(media.metadata, Metadata::default());
        assert_eq!((media.missing_since, media.last_posted_at), (None, None));
        assert_eq!(story.delivery, Delivery::default());
        assert_eq!((story.requested_by, story.reject_asked_at), (None, None));
    }

    async fn the_widest_numbers_come_back(bed: Bed) {
        let team = bed.team;
        let widest = FileStat {
            size_bytes: i64::MAX.cast_unsigned(),
            modified_ns: i64::MIN,
            changed_ns: i64::MAX,
            inode: u64::MAX,
        };
        let back = bed
            .write(move |tx| {
                let waiting = files::Found::Waiting("being written");
                files::put(tx, team, "a.jpg", widest, "", &waiting, noon())?;
                files::get(tx, team, "a.jpg")
            })
            .await
            .expect("the file");
        assert_eq!(back.stat, widest);
    }

    async fn a_row_that_holds_something_else_is_reported_and_not_guessed_at(bed: Bed) {
        let team = bed.team;
        let id = bed.media("memes/a.jpg", 1).await;
        bed.write(move |tx| tx.execute("UPDATE media SET tags = 'no JSON' WHERE team_id = ?1", values![team]))
            .await;
        let read = bed.store.read(move |tx| media::get(tx, id)).await;
        assert!(matches!(read, Err(Error::Unexpected(_))), "{read:?}");
    }
}
