//! Media and files: what is a content, where it lies, and what may be chosen.

use super::*;
use crate::domain::clip::{Audio, Clip};
use crate::domain::lookalike::Lookalike;
use crate::domain::media::KnownFile;
use crate::domain::plan::Candidate;

/// A look at a file, written as the flow does.
fn look(tx: &mut dyn Tx, team: TeamId, path: &str, seed: u32, now: Timestamp) -> Result<MediaId> {
    let sound = Verdict::default();
    let id = match media::add(tx, team, path, 600_000, &content(seed), &sound, now)? {
        Some(id) => id,
        None => {
            media::by_fingerprint(tx, team, fingerprint(seed))?
                .expect("known")
                .id
        }
    };
    files::put(
        tx,
        team,
        path,
        stat(seed),
        "",
        &files::Found::Whole(id),
        now,
    )?;
    Ok(id)
}

async fn candidates(bed: &Bed, until: Timestamp) -> Vec<Candidate> {
    let team = bed.team;
    bed.read(move |tx| media::candidates(tx, team, &Category::new("memes"), until, 100))
        .await
}

async fn seeds(bed: &Bed) -> Vec<u32> {
    candidates(bed, noon())
        .await
        .iter()
        .map(|candidate| {
            let bytes = candidate.fingerprint.as_bytes();
            u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
        })
        .collect()
}

async fn lock(bed: &Bed, media: MediaId, kind: LockKind, until: Option<Timestamp>) {
    let team = bed.team;
    bed.write(move |tx| locks::add(tx, team, media, kind, until, None, None, noon()))
        .await;
}

on_every_engine! {
    async fn a_content_is_known_by_its_bytes_within_its_team(bed: Bed) {
        let team = bed.team;
        let first = bed.media("memes/a.jpg", 1).await;
        let (again, others) = bed
            .write(move |tx| {
                let other_team: TeamId = fresh(noon());
                tx.execute(
                    "INSERT INTO teams (id, name, created_at, next_number, slots_settled_until, plan_stamp)
                     VALUES (?1, 'Other', 1, 1, 1, '')",
                    values![other_team],
                )?;
                let sound = Verdict::default();
                Ok((
                    media::add(tx, team, "merch/b.jpg", 1, &content(1), &sound, noon())?,
                    media::add(tx, other_team, "a.jpg", 1, &content(1), &sound, noon())?,
                ))
            })
            .await;
        assert_eq!(again, None, "a copy is not a new content");
        assert!(others.is_some_and(|other| other != first), "another team has its own");
        assert_eq!(bed.read(move |tx| media::get(tx, first)).await.path, "memes/a.jpg");
    }

    async fn what_a_clip_tells_is_kept_with_it_and_a_picture_has_nothing_of_it(bed: Bed) {
        let team = bed.team;
        let told = Clip {
            duration_ms: 12_400,
            coded_width_px: 1920,
            coded_height_px: 1080,
            rotation_degrees: 90,
            frames_per_second: 29.97,
            video_codec: "hevc".to_owned(),
            audio: Some(Audio {
                codec: "aac".to_owned(),
                sample_rate_hz: 44_100,
                channels: 2,
            }),
            has_place: true,
            ..Clip::default()
        };
        let clip = Content {
            format: Format::Mov,
            clip: Some(told.clone()),
            ..content(7)
        };
        let (clip, picture) = bed
            .write(move |tx| {
                let sound = Verdict::default();
                media::add(tx, team, "memes/dance.mov", 9_000_000, &clip, &sound, noon())?;
                let picture = look(tx, team, "memes/a.jpg", 1, noon())?;
                let clip = media::by_fingerprint(tx, team, fingerprint(7))?;
                Ok((clip.expect("the clip"), media::get(tx, picture)?))
            })
            .await;
        assert_eq!((clip.format, clip.clip), (Format::Mov, Some(told)));
        assert_eq!(picture.clip, None);
    }

    async fn a_copy_adds_a_place_and_the_oldest_place_counts(bed: Bed) {
        let team = bed.team;
        let places = bed
            .write(move |tx| {
                let id = look(tx, team, "memes/z.jpg", 1, noon())?;
                assert_eq!(look(tx, team, "memes/a.jpg", 1, noon() + minutes(1))?, id);
                // Looked at again: it has lain there all the time.
                look(tx, team, "memes/z.jpg", 1, noon() + minutes(2))?;
                files::places(tx, id)
            })
            .await;
        assert_eq!(places, ["memes/z.jpg", "memes/a.jpg"]);
        assert_eq!(bed.read(move |tx| files::count(tx, team)).await, 2);
    }

    async fn a_rename_moves_the_media_and_its_category(bed: Bed) {
        let team = bed.team;
        let (left, after) = bed
            .write(move |tx| {
                let id = look(tx, team, "memes/a.jpg", 1, noon())?;
                look(tx, team, "merch/b.jpg", 1, noon() + minutes(1))?;
                let left = files::remove(tx, team, "memes/a.jpg")?;
                let place = files::places(tx, id)?.remove(0);
                media::settle_at(tx, id, &place)?;
                files::doubt_metadata(tx, team, &place)?;
                let known = files::get(tx, team, &place)?.expect("the file");
                assert_ne!(known.metadata_stamp, "", "its metadata is read again");
                Ok((left == Some(id), media::get(tx, id)?))
            })
            .await;
        assert!(left);
        assert_eq!((after.path.as_str(), after.category.as_str()), ("merch/b.jpg", "merch"));
    }

    async fn a_media_without_a_file_is_missing_since_then_and_comes_back_with_its_past(bed: Bed) {
        let team = bed.team;
        let id = bed.media("memes/a.jpg", 1).await;
        lock(&bed, id, LockKind::Rejected, None).await;
        let missing = bed
            .write(move |tx| {
                files::remove(tx, team, "memes/a.jpg")?;
                media::miss(tx, id, noon())?;
                media::miss(tx, id, noon() + minutes(9))?;
                media::get(tx, id)
            })
            .await;
        assert_eq!(missing.missing_since, Some(noon()));
        let back = bed
            .write(move |tx| {
                assert_eq!(look(tx, team, "new/name.jpg", 1, noon() + minutes(60))?, id);
                media::describe(tx, id, "new/name.jpg", &Metadata::default(), &[])?;
                media::get(tx, id)
            })
            .await;
        assert_eq!((back.missing_since, back.category.as_str()), (None, "new"));
        assert!(back.examined_at.is_some());
        let held = bed.read(move |tx| locks::holding(tx, team, noon())).await;
        assert_eq!(held.len(), 1, "a rejected content stays rejected under any name");
    }

    async fn a_file_that_is_not_whole_is_in_view_since_it_was_first_seen_so(bed: Bed) {
        let team = bed.team;
        let views = bed
            .write(move |tx| {
                let mut views = Vec::new();
                for (minute, found) in [
                    (0, files::Found::Waiting("half")),
                    (1, files::Found::Waiting("nearly")),
                    (2, files::Found::Unusable("a PDF")),
                ] {
                    files::put(tx, team, "a.jpg", stat(1), "", &found, noon() + minutes(minute))?;
                    views.extend(files::in_view(tx, team)?);
                }
                let whole = files::Found::Whole(look(tx, team, "b.jpg", 1, noon())?);
                files::put(tx, team, "a.jpg", stat(1), "", &whole, noon())?;
                assert!(files::in_view(tx, team)?.is_empty());
                Ok(views)
            })
            .await;
        let seen: Vec<_> = views.iter().map(|view| (view.waiting, view.reason.as_str(), view.since)).collect();
        assert_eq!(
            seen,
            [
                (true, "half", noon()),
                (true, "nearly", noon()),
                (false, "a PDF", noon() + minutes(2)),
            ]
        );
    }

    async fn what_lies_below_a_folder_is_found_and_nothing_beside_it(bed: Bed) {
        let team = bed.team;
        let (below, file, all) = bed
            .write(move |tx| {
                for (seed, path) in ["memes/a.jpg", "memes/x/b.jpg", "memes2/c.jpg", "memes", "Memes/d.jpg"].into_iter().enumerate() {
                    look(tx, team, path, u32::try_from(seed).expect("a few"), noon())?;
                }
                Ok((
                    files::below(tx, team, "memes")?,
                    files::below(tx, team, "memes/a.jpg")?,
                    files::after(tx, team, "", 99)?.len(),
                ))
            })
            .await;
        assert_eq!(below.len(), 3, "{below:?}");
        assert!(below.iter().all(|path| path == "memes" || path.starts_with("memes/")));
        assert_eq!(file, ["memes/a.jpg"]);
        assert_eq!(all, 5);
    }

    async fn a_media_is_found_by_what_somebody_types_of_it(bed: Bed) {
        let team = bed.team;
        bed.media("memes/50%_off.jpg", 1).await;
        bed.media("memes/x50%_off.jpg", 2).await;
        let whole = fingerprint(2).to_string();
        for (typed, found) in [
            ("memes/50%_off.jpg", 1),
            ("50%_off.jpg", 1),
            ("%", 0),
            ("_", 0),
            (&whole[..8], 1),
            ("", 2),
            ("memes", 0),
        ] {
            let typed_now = typed.to_owned();
            let list = bed.read(move |tx| media::list_like(tx, team, &typed_now, 11)).await;
            assert_eq!(list.len(), found, "`{typed}`");
        }
    }

    async fn the_never_posted_come_first_then_the_longest_ago_then_the_least_often(bed: Bed) {
        for (seed, last, count) in [
            (1, Some(30), 1),
            (2, Some(20), 2),
            (3, Some(20), 1),
            (5, None, 0),
            (4, None, 0),
            (6, Some(10), 9),
        ] {
            let id = bed.media(sql(format!("memes/{seed}.jpg")), seed).await;
            bed.write(move |tx| {
                let last = last.map(|minute| noon() + minutes(minute));
                tx.execute(
                    "UPDATE media SET last_posted_at = ?2, posted_count = ?3 WHERE id = ?1",
                    values![id, last, count],
                )
            })
            .await;
        }
        assert_eq!(seeds(&bed).await, [4, 5, 6, 3, 2, 1]);
        let team = bed.team;
        let two = bed
            .read(move |tx| media::candidates(tx, team, &Category::new("memes"), noon(), 2))
            .await;
        assert_eq!(two.len(), 2);
    }

    async fn a_lock_that_ends_by_then_lets_a_media_in_and_says_from_when(bed: Bed) {
        let id = bed.media("memes/a.jpg", 1).await;
        lock(&bed, id, LockKind::Skip, Some(noon() - minutes(1))).await;
        lock(&bed, id, LockKind::RecentPost, Some(noon())).await;
        assert_eq!(candidates(&bed, noon()).await[0].free_from, Some(noon()));
        assert_eq!(candidates(&bed, noon() - minutes(1)).await, []);
        assert!(bed.read(move |tx| media::may_be_sent(tx, id, noon())).await);
        assert!(!bed.read(move |tx| media::may_be_sent(tx, id, noon() - minutes(1))).await);
    }

    async fn a_rejected_content_is_never_chosen_again(bed: Bed) {
        let team = bed.team;
        let id = bed.media("memes/a.jpg", 1).await;
        lock(&bed, id, LockKind::Rejected, None).await;
        lock(&bed, id, LockKind::Skip, Some(noon() - minutes(9))).await;
        let far = at("9999-01-01T00:00:00Z");
        // A copy, a rename, another folder, and a clean-up of locks long after.
        bed.write(move |tx| {
            look(tx, team, "memes/copy.jpg", 1, noon())?;
            media::settle_at(tx, id, "memes/copy.jpg")?;
            assert_eq!(locks::forget_ended(tx, team, far)?, 1);
            Ok(())
        })
        .await;
        assert_eq!(candidates(&bed, far).await, []);
        assert!(!bed.read(move |tx| media::may_be_sent(tx, id, far)).await);
    }

    async fn what_was_of_no_use_is_looked_at_again_when_its_reason_is_gone(bed: Bed) {
        const REASON: &str = "it needs \"a converter\", that is not there";
        let team = bed.team;
        let flawed = bed.media("memes/1.jpg", 1).await;
        let other = bed.media("memes/2.jpg", 2).await;
        bed.write(move |tx| {
            for (id, reason) in [(flawed, REASON), (other, "too small")] {
                let errors = vec![reason.to_owned()];
                let verdict = Verdict { errors, warnings: Vec::new() };
                media::examined(tx, id, None, None, &verdict, noon())?;
            }
            for (path, reason) in [("memes/3.heic", REASON), ("memes/4.zip", "a ZIP archive")] {
                files::put(tx, team, path, stat(3), "", &files::Found::Unusable(reason), noon())?;
            }
            files::doubt_unusable(tx, team, [REASON, "another", "a third"])?;
            media::doubt_flawed(tx, team, [REASON, "another", "a third"])
        })
        .await;
        let (again, stamps) = bed
            .read(move |tx| {
                let stamp = |file: Option<KnownFile>| file.expect("known").metadata_stamp;
                Ok((
                    media::to_examine(tx, team, 9)?,
                    [files::get(tx, team, "memes/3.heic")?, files::get(tx, team, "memes/4.zip")?].map(stamp),
                ))
            })
            .await;
        assert_eq!(again.iter().map(|media| media.id).collect::<Vec<_>>(), [flawed]);
        assert_eq!(again[0].errors, Vec::<String>::new());
        assert_eq!(stamps, ["doubtful", ""]);
    }

    async fn looks_that_came_to_no_end_are_counted_for_the_programs_that_tried(bed: Bed) {
        let (team, media) = (bed.team, bed.media("memes/1.heic", 1).await);
        let begin = async |by: &'static str| {
            bed.write(move |tx| {
                attempts::begin(tx, team, media, by)?;
                attempts::failed(tx, media, by)
            })
            .await
        };
        assert_eq!(begin("one").await, 1);
        assert_eq!(begin("one").await, 2);
        assert_eq!(begin("two").await, 1, "another program begins anew");
        let failed = async |by: &'static str| bed.read(move |tx| attempts::failed(tx, media, by)).await;
        assert_eq!(failed("one").await, 0);
        // A stop in good order is nobody's fault, what was cut off before it is.
        bed.write(attempts::excuse).await;
        assert_eq!(failed("two").await, 0);
        begin("two").await;
        bed.write(move |tx| attempts::cut_off(tx, media)).await;
        bed.write(attempts::excuse).await;
        assert_eq!(failed("two").await, 1);
        assert_eq!(bed.write(move |tx| attempts::forget_others(tx, team, "two")).await, 0);
        assert_eq!(bed.write(move |tx| attempts::forget_others(tx, team, "three")).await, 1);
        begin("two").await;
        bed.write(move |tx| attempts::forget(tx, media)).await;
        assert_eq!(failed("two").await, 0);
    }

    async fn a_look_is_kept_and_known_of_what_is_shown(bed: Bed) {
        let team = bed.team;
        let mut media_ids = Vec::new();
        for seed in [1, 2, 3] {
            media_ids.push(bed.media(sql(format!("memes/{seed}.jpg")), seed).await);
        }
        let (first, last) = (media_ids[0], media_ids[2]);
        let its_look = Lookalike::from_bits(u64::MAX - 6);
        bed.write(move |tx| {
            media::examined(tx, first, Some((10, 20)), Some(its_look), &Verdict::default(), noon())
        })
        .await;
        bed.planned(first, 0).await;
        bed.planned(last, 1).await;
        let (known, none, shown) = bed
            .read(move |tx| Ok((media::get(tx, first)?.lookalike, media::get(tx, last)?.lookalike, looks::shown(tx, team, noon())?)))
            .await;
        assert_eq!((known, none), (Some(its_look), None));
        let [showing] = shown[..] else { panic!("{shown:?}") };
        assert_eq!((showing.media, showing.lookalike), (first, its_look));
    }

    async fn what_is_in_flight_missing_flawed_or_not_examined_is_not_chosen(bed: Bed) {
        let team = bed.team;
        let ids = [1, 2, 3, 4, 5].map(|seed| (seed, sql(format!("memes/{seed}.jpg"))));
        let mut media_ids = Vec::new();
        for (seed, path) in ids {
            media_ids.push(bed.media(path, seed).await);
        }
        let (planned, missing, flawed, fresh_one) = (media_ids[0], media_ids[1], media_ids[2], media_ids[3]);
        bed.planned(planned, 0).await;
        bed.write(move |tx| {
            media::miss(tx, missing, noon())?;
            let verdict = Verdict { errors: vec!["too small".into()], warnings: Vec::new() };
            media::examined(tx, flawed, None, None, &verdict, noon())?;
            tx.execute("UPDATE media SET examined_at = NULL, looked_at = NULL WHERE id = ?1", values![fresh_one])
        })
        .await;
        assert_eq!(seeds(&bed).await, [5]);
        for (id, may) in [(planned, true), (missing, false), (flawed, false), (fresh_one, false)] {
            assert_eq!(bed.read(move |tx| media::may_be_sent(tx, id, noon())).await, may);
        }
        let (census, waiting, categories) = bed
            .read(move |tx| {
                Ok((media::census(tx, team)?, media::to_examine(tx, team, 9)?, media::categories(tx, team)?))
            })
            .await;
        assert_eq!(
            (census.media, census.ready, census.to_examine, census.flawed, census.missing),
            (5, 2, 1, 1, 1)
        );
        assert_eq!(waiting.len(), 1);
        assert_eq!(categories, [Category::new("memes")]);
    }
}
