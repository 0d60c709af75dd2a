//! The other tables: teams, people, locks, the mix, messages, alerts, updates, runs and marks.

use std::collections::BTreeMap;

use super::*;
use crate::domain::run::Run;

const ADA: PersonId = PersonId(-7_000_000_000);

fn shares(of: &[(&str, u32)]) -> BTreeMap<Category, u32> {
    of.iter()
        .map(|(name, share)| (Category::new(name), *share))
        .collect()
}

on_every_engine! {
    async fn the_box_has_one_team_whatever_it_is_called(bed: Bed) {
        let team = bed.team;
        let (renamed, count) = bed
            .write(|tx| {
                let renamed = teams::ensure(tx, "Another name", noon() + minutes(1))?;
                Ok((renamed, tx.count("SELECT COUNT(*) FROM teams", &[])?))
            })
            .await;
        assert_eq!((renamed, count), (team, 1));
    }

    async fn what_a_team_decided_is_kept_as_it_was_written(bed: Bed) {
        let team = bed.team;
        bed.write(move |tx| {
            assert_eq!(settings::of(tx, team)?, TeamSettings::default(), "nothing was decided");
            settings::set(tx, team, Setting::PostsPerDay, "5", None, noon())?;
            settings::note_file(tx, team, Setting::PostsPerDay, "5")?;
            settings::set(tx, team, Setting::PostsPerDay, "7", Some("Ann"), noon() + minutes(1))?;
            settings::set(tx, team, Setting::Name, "A team", Some("Ann"), noon())?;
            let all = settings::of(tx, team)?;
            assert_eq!((all.posts_per_day, all.name.as_str(), all.chat), (7, "A team", None));
            let row = settings::Row {
                setting: Setting::PostsPerDay,
                value: "7".to_owned(),
                file_value: Some("5".to_owned()),
                set_at: noon() + minutes(1),
                set_by: Some("Ann".to_owned()),
            };
            assert_eq!(settings::rows(tx, team)?.last(), Some(&row));
            assert_eq!(tx.count("SELECT COUNT(*) FROM teams WHERE name = 'A team'", &[])?, 1);
            // A value that nobody can read any more stops nothing.
            settings::set(tx, team, Setting::Timezone, "Nowhere/At_All", None, noon())?;
            assert_eq!(settings::of(tx, team)?.timezone, TeamSettings::default().timezone);
            // A newer program's setting is passed over.
            let newer = "UPDATE settings SET name = 'of_tomorrow' WHERE name = 'posts_per_day'";
            tx.execute(newer, &[])?;
            assert_eq!(settings::of(tx, team)?.posts_per_day, 3);
            Ok(())
        })
        .await;
    }

    async fn a_pause_is_begun_once_and_ended_once(bed: Bed) {
        let team = bed.team;
        bed.write(move |tx| {
            assert!(teams::pause(tx, team, "Ada", noon())?);
            assert!(!teams::pause(tx, team, "Bob", noon() + minutes(1))?);
            let row = teams::get(tx, team)?;
            assert_eq!((row.paused_at, row.paused_by.as_deref()), (Some(noon()), Some("Ada")));
            assert!(teams::resume(tx, team)?);
            assert!(!teams::resume(tx, team)?);
            assert_eq!(teams::get(tx, team)?.paused_at, None);
            Ok(())
        })
        .await;
    }

    async fn the_mark_of_settled_slots_never_goes_back(bed: Bed) {
        let team = bed.team;
        let row = bed
            .write(move |tx| {
                teams::settle_slots(tx, team, noon() + minutes(5))?;
                teams::settle_slots(tx, team, noon() + minutes(2))?;
                teams::note_sent(tx, team, noon())?;
                teams::stamp_plan(tx, team, "abc")?;
                teams::get(tx, team)
            })
            .await;
        assert_eq!(row.slots_settled_until, noon() + minutes(5));
        assert_eq!((row.last_sent_at, row.plan_stamp.as_str()), (Some(noon()), "abc"));
    }

    async fn a_look_at_a_person_makes_no_row_and_a_new_name_keeps_the_role(bed: Bed) {
        let team = bed.team;
        let people = bed
            .write(move |tx| {
                assert_eq!(people::get(tx, team, ADA)?, None);
                assert!(people::list(tx, team)?.is_empty());
                people::note(tx, team, ADA, "Ada", Some("ada"), Role::Member, noon())?;
                people::set_role(tx, team, ADA, Role::Owner)?;
                people::set_deactivated(tx, team, ADA, Some(noon()))?;
                people::note(tx, team, ADA, "Ada 👩‍💻", None, Role::Member, noon() + minutes(1))?;
                people::list(tx, team)
            })
            .await;
        let [ada] = <[_; 1]>::try_from(people).expect("one person");
        assert_eq!((ada.name.as_str(), ada.username, ada.role), ("Ada 👩‍💻", None, Role::Owner));
        assert_eq!((ada.joined_at, ada.deactivated_at), (noon(), Some(noon())));
    }

    async fn a_role_that_is_none_is_refused(bed: Bed) {
        let team = bed.team;
        let result = bed
            .store
            .write(move |tx| {
                people::note(tx, team, ADA, "Ada", None, Role::Member, noon())?;
                tx.execute("UPDATE people SET role = 'king'", &[])
            })
            .await;
        assert!(is_refused(&result), "{result:?}");
    }

    async fn nothing_belongs_to_a_team_or_media_that_is_not(bed: Bed) {
        let team = bed.team;
        let nobody: TeamId = fresh(noon());
        let nothing: MediaId = fresh(noon());
        let lock = bed
            .store
            .write(move |tx| locks::add(tx, team, nothing, LockKind::Skip, None, None, None, noon()))
            .await;
        assert!(is_refused(&lock), "{lock:?}");
        let person = bed
            .store
            .write(move |tx| people::note(tx, nobody, ADA, "Ada", None, Role::Member, noon()))
            .await;
        assert!(is_refused(&person), "{person:?}");
    }

    async fn locks_hold_until_their_end_and_those_for_ever_are_shown_last(bed: Bed) {
        let team = bed.team;
        let media = bed.media("memes/a.jpg", 1).await;
        let (holding, after) = bed
            .write(move |tx| {
                for (kind, until) in [
                    (LockKind::Rejected, None),
                    (LockKind::Skip, Some(noon() + minutes(2))),
                    (LockKind::RecentPost, Some(noon() + minutes(1))),
                    (LockKind::ManualHold, Some(noon())),
                    (LockKind::Seasonal, Some(noon() - minutes(1))),
                ] {
                    locks::add(tx, team, media, kind, until, Some("Ada"), Some("why"), noon())?;
                }
                let holding = locks::holding(tx, team, noon())?;
                assert_eq!(locks::forget_ended(tx, team, noon())?, 1);
                assert_eq!(locks::remove(tx, media, Some(LockKind::Skip))?, 1);
                assert_eq!(locks::remove(tx, media, Some(LockKind::Skip))?, 0);
                assert_eq!(locks::remove(tx, media, None)?, 3);
                Ok((holding, locks::holding(tx, team, noon())?))
            })
            .await;
        let kinds: Vec<_> = holding.iter().map(|lock| lock.kind).collect();
        assert_eq!(kinds, [LockKind::RecentPost, LockKind::Skip, LockKind::Rejected]);
        assert_eq!((holding[0].by.as_deref(), holding[0].reason.as_deref()), (Some("Ada"), Some("why")));
        assert!(after.is_empty());
    }

    async fn a_mix_is_in_force_until_the_next_and_is_kept_as_history(bed: Bed) {
        let team = bed.team;
        let (in_force, history, none) = bed
            .write(move |tx| {
                assert_eq!(mix::in_force(tx, team)?, None);
                mix::set(tx, team, &shares(&[("memes", 300_000), ("merch", 700_000)]), "Ada", noon())?;
                mix::set(tx, team, &shares(&[("memes", 1_000_000)]), "Bob", noon() + minutes(1))?;
                let in_force = mix::in_force(tx, team)?;
                let history = mix::history(tx, team)?;
                mix::set(tx, team, &shares(&[]), "Bob", noon() + minutes(2))?;
                Ok((in_force, history, mix::in_force(tx, team)?))
            })
            .await;
        assert_eq!(in_force, Some((noon() + minutes(1), shares(&[("memes", 1_000_000)]))));
        let lines: Vec<_> = history
            .iter()
            .map(|share| (share.category.as_str(), share.share_ppm, share.set_by.as_deref(), share.replaced_at))
            .collect();
        assert_eq!(
            lines,
            [
                ("memes", 1_000_000, Some("Bob"), None),
                ("memes", 300_000, Some("Ada"), Some(noon() + minutes(1))),
                ("merch", 700_000, Some("Ada"), Some(noon() + minutes(1))),
            ]
        );
        assert_eq!(none, None, "any category will do");
    }

    async fn a_mix_set_twice_in_one_moment_is_the_second(bed: Bed) {
        let team = bed.team;
        let in_force = bed
            .write(move |tx| {
                mix::set(tx, team, &shares(&[("memes", 400_000), ("merch", 600_000)]), "Ada", noon())?;
                mix::set(tx, team, &shares(&[("memes", 1_000_000)]), "Ada", noon())?;
                mix::in_force(tx, team)
            })
            .await;
        assert_eq!(in_force, Some((noon(), shares(&[("memes", 1_000_000)]))));
    }

    async fn a_share_above_the_whole_is_refused(bed: Bed) {
        let team = bed.team;
        let set = bed
            .store
            .write(move |tx| mix::set(tx, team, &shares(&[("memes", 1_000_001)]), "Ada", noon()))
            .await;
        assert!(is_refused(&set), "{set:?}");
    }

    async fn a_message_is_behind_until_it_shows_what_was_wanted_last(bed: Bed) {
        let team = bed.team;
        let media = bed.media("memes/a.jpg", 1).await;
        let story = bed.awaiting(media, 0).await.id;
        let message = MessageRef { chat: -1_001_234_567_890, message: 42 };
        bed.write(move |tx| {
            messages::add(tx, team, story, &shown_in(message, false), noon())?;
            assert!(messages::behind(tx, team, noon(), 9)?.is_empty(), "it shows what it was sent with");
            // The answer may come twice, and a press before it.
            messages::add(tx, team, story, &shown_in(message, true), noon())?;
            assert!(messages::behind(tx, team, noon(), 9)?.is_empty(), "a known message stays as it is");

            messages::want(tx, story)?;
            let first = messages::behind(tx, team, noon(), 9)?.remove(0);
            messages::want(tx, story)?;
            messages::follow(tx, message, first.wanted, 0)?;
            let second = messages::behind(tx, team, noon(), 9)?.remove(0);
            assert!(second.wanted > first.wanted, "what was wanted meanwhile is not forgotten");

            messages::fail(tx, message, 1, noon() + minutes(5))?;
            assert!(messages::behind(tx, team, noon(), 9)?.is_empty());
            assert_eq!(messages::next_try(tx, team)?, Some(noon() + minutes(5)));
            assert_eq!(messages::behind(tx, team, noon() + minutes(5), 9)?[0].failures, 1);
            messages::want(tx, story)?;
            let third = messages::behind(tx, team, noon(), 9)?.remove(0);
            assert_eq!(third.failures, 0, "a new wish is tried at once");

            messages::follow(tx, message, third.wanted, 0)?;
            assert!(messages::behind(tx, team, noon(), 9)?.is_empty());
            assert_eq!(messages::next_try(tx, team)?, None);
            assert_eq!(messages::story_of(tx, message)?, Some(story));
            messages::remove(tx, message)?;
            assert_eq!(messages::story_of(tx, message)?, None);
            assert_eq!(messages::story_of(tx, message)?, None);
            Ok(())
        })
        .await;
    }

    async fn old_messages_are_forgotten_when_their_story_has_ended(bed: Bed) {
        let team = bed.team;
        let media = bed.media("memes/a.jpg", 1).await;
        let open = bed.awaiting(media, 0).await.id;
        let over: StoryId = fresh(noon());
        bed.write(move |tx| {
            messages::add(tx, team, open, &shown_in(MessageRef { chat: 1, message: 1 }, false), noon())?;
            messages::add(tx, team, over, &shown_in(MessageRef { chat: 1, message: 2 }, true), noon())?;
            assert_eq!(messages::forget_old(tx, team, noon())?, 0);
            assert_eq!(messages::forget_old(tx, team, noon() + minutes(1))?, 1);
            assert_eq!(messages::story_of(tx, MessageRef { chat: 1, message: 1 })?, Some(open));
            Ok(())
        })
        .await;
    }

    async fn offers_and_questions_stand_on_open_messages_only(bed: Bed) {
        let team = bed.team;
        let open = bed.media("memes/a.jpg", 1).await;
        let planned = bed.media("memes/b.jpg", 2).await;
        let (open, planned) = (bed.awaiting(open, 0).await, bed.planned(planned, 1).await);
        bed.write(move |tx| {
            stories::offer_again(tx, team, noon())?;
            assert!(stories::ask_reject(tx, open.id, Some(noon()))?);
            assert!(!stories::ask_reject(tx, planned.id, Some(noon()))?);
            let (open, planned) = (stories::get(tx, open.id)?, stories::get(tx, planned.id)?);
            let open = open.expect("the story");
            assert_eq!((open.offered_again_at, open.reject_asked_at), (Some(noon()), Some(noon())));
            assert_eq!(planned.expect("the story").offered_again_at, None);
            assert!(stories::ask_reject(tx, open.id, None)?);
            assert_eq!(stories::get(tx, open.id)?.expect("the story").reject_asked_at, None);
            Ok(())
        })
        .await;
    }

    async fn an_alert_is_raised_once_told_once_and_resolved_once(bed: Bed) {
        let team = bed.team;
        let day = minutes(24 * 60);
        bed.write(move |tx| {
            assert!(!alerts::resolve(tx, team, "disk", noon())?);
            assert!(alerts::raise(tx, team, "disk", "full", noon())?);
            assert!(!alerts::raise(tx, team, "disk", "fuller", noon() + minutes(1))?);
            let standing = alerts::standing(tx, team)?;
            assert_eq!((standing.len(), standing[0].text.as_str(), standing[0].raised_at), (1, "fuller", noon()));

            let id = alerts::to_tell(tx, team, noon() - day)?[0].id;
            alerts::told(tx, id, false, noon())?;
            assert!(alerts::to_tell(tx, team, noon() - minutes(1))?.is_empty(), "not again so soon");
            assert_eq!(alerts::to_tell(tx, team, noon())?.len(), 1, "a reminder after a day");

            assert!(alerts::resolve(tx, team, "disk", noon() + minutes(2))?);
            assert!(!alerts::resolve(tx, team, "disk", noon() + minutes(3))?);
            assert!(alerts::standing(tx, team)?.is_empty());
            assert_eq!(alerts::to_tell(tx, team, noon() - day)?[0].resolved_at, Some(noon() + minutes(2)));
            alerts::told(tx, id, true, noon() + minutes(3))?;
            assert!(alerts::to_tell(tx, team, noon() + day)?.is_empty());

            assert!(alerts::raise(tx, team, "disk", "full again", noon() + minutes(4))?);
            assert!(alerts::resolve(tx, team, "disk", noon() + minutes(5))?);
            assert!(alerts::to_tell(tx, team, noon() + day)?.is_empty(), "over before anybody was told");
            assert_eq!(alerts::forget_old(tx, team, noon() + minutes(5))?, 1);
            Ok(())
        })
        .await;
    }

    async fn at_most_one_alert_of_a_topic_stands_even_past_the_rules(bed: Bed) {
        let team = bed.team;
        let twice = bed
            .store
            .write(move |tx| {
                alerts::raise(tx, team, "disk", "full", noon())?;
                tx.execute(
                    "INSERT INTO alerts (id, team_id, topic, text, raised_at) VALUES ('x', ?1, 'disk', '', 1)",
                    values![team],
                )
            })
            .await;
        assert!(is_refused(&twice), "{twice:?}");
    }

    async fn an_update_is_taken_once_and_forgotten_after_its_time(bed: Bed) {
        bed.write(|tx| {
            for update in [0, 7, u32::MAX] {
                assert!(updates::take(tx, update, noon())?);
                assert!(!updates::take(tx, update, noon() + minutes(1))?);
            }
            assert_eq!(updates::forget_old(tx, noon())?, 0);
            assert_eq!(updates::forget_old(tx, noon() + minutes(1))?, 3);
            assert!(updates::take(tx, 7, noon())?, "Telegram begins its numbers anew");
            Ok(())
        })
        .await;
    }

    async fn an_update_whose_effect_failed_is_not_taken(bed: Bed) {
        let failed = bed
            .store
            .write_durably(|tx| {
                assert!(updates::take(tx, 7, noon())?);
                Err::<(), _>(Error::unexpected("the effect"))
            })
            .await;
        assert!(failed.is_err());
        assert!(bed.write(|tx| updates::take(tx, 7, noon())).await);
    }

    async fn the_latest_runs_come_first_and_old_ones_are_forgotten(bed: Bed) {
        let team = bed.team;
        let run = |minute: i64, error: Option<&str>| Run {
            job: "scan".to_owned(),
            started_at: noon() + minutes(minute),
            ended_at: noon() + minutes(minute + 1),
            error: error.map(str::to_owned),
            detail: format!("{minute} new"),
        };
        let runs = [run(1, None), run(2, Some("disk")), run(3, None)];
        let written = runs.clone();
        let latest = bed
            .write(move |tx| {
                written.iter().try_for_each(|run| runs::add(tx, team, run))?;
                let latest = runs::latest(tx, team, 2)?;
                assert_eq!(runs::forget_old(tx, team, noon() + minutes(2))?, 1);
                assert_eq!(runs::latest(tx, team, 9)?.len(), 2);
                Ok(latest)
            })
            .await;
        assert_eq!(latest, [runs[2].clone(), runs[1].clone()]);
    }

    async fn the_marks_of_the_box_survive_and_the_clock_never_goes_back(bed: Bed) {
        bed.write(|tx| {
            assert_eq!((state::latest_time(tx)?, state::heard_at(tx)?), (None, None));
            state::note_time(tx, noon())?;
            state::note_time(tx, noon() - minutes(1))?;
            state::note_heard(tx, Some(noon()))
        })
        .await;
        let again = bed.another();
        let marks = again
            .read(|tx| Ok((state::latest_time(tx)?, state::heard_at(tx)?)))
            .await
            .expect("the marks");
        assert_eq!(marks, (Some(noon()), Some(noon())));
        bed.write(|tx| state::note_heard(tx, None)).await;
        assert_eq!(bed.read(state::heard_at).await, None);
    }

    async fn starts_ends_versions_and_failures_are_on_record(bed: Bed) {
        let team = bed.team;
        bed.write(move |tx| {
            assert_eq!((state::stopped_at(tx)?, state::starts(tx)?), (None, vec![]));
            state::note_stop(tx, Some(noon()))?;
            state::note_starts(tx, &[noon(), noon() + minutes(1)])?;
            assert_eq!(state::note_version(tx, "1.0.0")?, None, "nothing ran before");
            assert_eq!(state::note_version(tx, "1.0.0")?, None);
            assert_eq!(state::note_version(tx, "1.1.0")?.as_deref(), Some("1.0.0"));
            state::note_failures(tx, team, "three")
        })
        .await;
        bed.write(move |tx| {
            assert_eq!(state::stopped_at(tx)?, Some(noon()));
            assert_eq!(state::starts(tx)?, [noon(), noon() + minutes(1)]);
            assert_eq!(state::failures(tx, team)?.as_deref(), Some("three"));
            state::note_stop(tx, None)?;
            assert_eq!(state::stopped_at(tx)?, None);
            Ok(())
        })
        .await;
    }
}
