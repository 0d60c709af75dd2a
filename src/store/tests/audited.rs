//! The audit log.

use serde_json::{Value, json};

use super::*;
use crate::domain::audit::{Asked, By, Change, Subject};

fn ada() -> By {
    By {
        name: "Ada 👩‍💻".to_owned(),
        person: Some(PersonId(-7_000_000_000)),
    }
}

fn all() -> Asked {
    Asked {
        limit: 100,
        ..Asked::default()
    }
}

on_every_engine! {
    async fn a_change_comes_back_as_it_was_noted_the_newest_first(bed: Bed) {
        let team = bed.team;
        let id = bed.media("memes/a.jpg", 1).await;
        let log = bed
            .write(move |tx| {
                let media = media::get(tx, id)?;
                let titled = Change::of_media(&media, "title set").between(Value::Null, "O'Hara \u{1F389}");
                let mixed = Change::of_mix(team, "set").between(Value::Null, json!({ "memes": "70 %" }));
                audit::add(tx, team, &ada(), &titled, noon())?;
                audit::add(tx, team, &By::terminal("root"), &mixed, noon() + minutes(1))?;
                let log = audit::list(tx, team, all())?;
                assert_eq!((&log[0].change, &log[1].change), (&mixed, &titled));
                Ok(log)
            })
            .await;
        assert_eq!((log[0].at, log[0].by.as_str(), log[0].person), (noon() + minutes(1), "root", None));
        assert_eq!((log[1].at, log[1].by.as_str(), log[1].person), (noon(), "Ada 👩‍💻", ada().person));
        assert_eq!((log[1].change.subject, log[1].change.name.as_str()), (Subject::Media, "memes/a.jpg"));
    }

    async fn it_is_narrowed_by_media_time_and_number(bed: Bed) {
        let team = bed.team;
        let (a, b) = (bed.media("memes/a.jpg", 1).await, bed.media("memes/b.jpg", 2).await);
        bed.write(move |tx| {
            for (minute, id) in [(0, a), (1, b), (2, a)] {
                let media = media::get(tx, id)?;
                let at = noon() + minutes(minute);
                audit::add(tx, team, &ada(), &Change::of_media(&media, "title set"), at)?;
                audit::add(tx, team, &ada(), &Change::of_lock(&media, "locked"), at)?;
            }
            audit::add(tx, team, &ada(), &Change::of_clock("trusted"), noon() + minutes(3))
        })
        .await;
        for (asked, lines) in [
            (all(), 7),
            (Asked { media: Some(a), ..all() }, 4),
            (Asked { media: Some(a), since: Some(noon() + minutes(2)), ..all() }, 2),
            (Asked { since: Some(noon() + minutes(3)), ..all() }, 1),
            (Asked { limit: 3, ..all() }, 3),
        ] {
            let log = bed.read(move |tx| audit::list(tx, team, asked)).await;
            assert_eq!(log.len(), lines, "{asked:?}");
            assert!(log.is_sorted_by_key(|line| std::cmp::Reverse(line.at)));
        }
        let forgotten = bed
            .write(move |tx| audit::forget_old(tx, team, noon() + minutes(2)))
            .await;
        assert_eq!(forgotten, 4);
        assert_eq!(bed.read(move |tx| audit::list(tx, team, all())).await.len(), 3);
    }

    async fn only_what_has_a_name_is_audited(bed: Bed) {
        let team = bed.team;
        for subject in Subject::ALL {
            bed.write(move |tx| {
                let change = Change { subject, ..Change::of_clock("changed") };
                audit::add(tx, team, &ada(), &change, noon())
            })
            .await;
        }
        let unheard = bed
            .store
            .write(|tx| tx.execute("UPDATE audit_log SET subject = 'weather'", &[]))
            .await;
        assert!(is_refused(&unheard), "{unheard:?}");
    }
}
