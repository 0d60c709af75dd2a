//! The audit log: one line for every change that a person makes, whichever verb they use; none for what changes nothing.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use storyline::domain::audit::{Asked, Audited, By, Subject};
use storyline::domain::category::Category;
use storyline::domain::edit::{Edit, Field};
use storyline::domain::lock::LockKind;
use storyline::domain::person::Role;
use storyline::flow::settings::Changed;
use storyline::flow::steer::Commanded;

use crate::harness::*;

impl TheBox {
    fn trail(&self, since: Option<jiff::Timestamp>) -> Vec<Audited> {
        let asked = Asked {
            since,
            limit: 1000,
            media: None,
        };
        self.run(self.flow().audit(asked)).unwrap()
    }
}

type Deed = fn(&mut TheBox, By);

fn says(the_box: &TheBox, edit: Edit, by: By) {
    let media = the_box.media(1);
    the_box
        .run(the_box.flow().edit(media, edit, by, the_box.now))
        .unwrap();
}

fn text(text: &str) -> Edit {
    Edit::title(text).unwrap()
}

fn shares(of: &[(&str, u32)]) -> BTreeMap<Category, u32> {
    of.iter()
        .map(|(name, ppm)| (Category::new(name), *ppm))
        .collect()
}

/// Every verb that takes a person's word: what is done, and the line it leaves. They are done one after the other.
fn every_verb() -> Vec<(Deed, Subject, &'static str, Value, Value)> {
    use Subject::{Clock, Lock, Media, Mix, Person, Story, Team};
    let hold = |until: &str| json!({ "kind": "manual_hold", "until": until });
    vec![
        (
            |b, by| says(b, text("Tom"), by),
            Media,
            "title set",
            Value::Null,
            json!("Tom"),
        ),
        (
            |b, by| says(b, Edit::clear(Field::Title), by),
            Media,
            "title cleared",
            json!("Tom"),
            Value::Null,
        ),
        (
            |b, by| says(b, Edit::reset(Field::Title), by),
            Media,
            "title reset",
            Value::Null,
            Value::Null,
        ),
        (
            |b, by| says(b, Edit::caption("Look!").unwrap(), by),
            Media,
            "caption set",
            Value::Null,
            json!("Look!"),
        ),
        (
            |b, by| says(b, Edit::link("https://a.example").unwrap(), by),
            Media,
            "link set",
            Value::Null,
            json!("https://a.example"),
        ),
        (
            |b, by| says(b, Edit::more_tags(&["cat".to_owned()], &[]).unwrap(), by),
            Media,
            "tags set",
            json!([]),
            json!(["cat"]),
        ),
        (
            |b, by| says(b, Edit::interaction(false), by),
            Media,
            "interaction set",
            Value::Null,
            json!(false),
        ),
        (
            |b, by| says(b, Edit::category("merch").unwrap(), by),
            Media,
            "category set",
            json!("memes"),
            json!("merch"),
        ),
        (
            |b, by| {
                let until = Some(b.now + days(2));
                b.run(
                    b.flow()
                        .lock(b.media(1), LockKind::ManualHold, until, by, None, b.now),
                )
                .unwrap();
            },
            Lock,
            "locked",
            Value::Null,
            hold("2027-03-03T00:00:00Z"),
        ),
        (
            |b, by| {
                b.run(
                    b.flow()
                        .lock(b.media(1), LockKind::ManualHold, None, by, None, b.now),
                )
                .unwrap()
            },
            Lock,
            "locked",
            json!([hold("2027-03-03T00:00:00Z")]),
            hold("for ever"),
        ),
        (
            |b, by| {
                let kind = Some(LockKind::ManualHold);
                b.run(b.flow().unlock(b.media(1), kind, by, b.now)).unwrap();
            },
            Lock,
            "unlocked",
            json!([hold("for ever")]),
            Value::Null,
        ),
        (
            |b, by| {
                let why = Some("not now".to_owned());
                b.run(
                    b.flow()
                        .lock(b.media(2), LockKind::Seasonal, None, by, why, b.now),
                )
                .unwrap();
            },
            Lock,
            "locked",
            Value::Null,
            json!({ "kind": "seasonal", "until": "for ever", "reason": "not now" }),
        ),
        (
            |b, by| {
                let mix = shares(&[("memes", 700_000), ("merch", 300_000)]);
                let set = b.run(b.flow().set_mix(mix, by, b.now)).unwrap();
                assert_eq!(set, Changed::Done);
            },
            Mix,
            "set",
            Value::Null,
            json!({ "memes": "70 %", "merch": "30 %" }),
        ),
        (
            |b, by| {
                b.run(b.flow().set_mix(shares(&[]), by, b.now)).unwrap();
            },
            Mix,
            "cleared",
            json!({ "memes": "70 %", "merch": "30 %" }),
            Value::Null,
        ),
        (
            |b, by| {
                b.run(b.flow().set_role(ANNA, Role::Owner, by, b.now))
                    .unwrap()
            },
            Person,
            "role set",
            json!("admin"),
            json!("owner"),
        ),
        (
            |b, by| b.run(b.flow().set_active(ANNA, false, by, b.now)).unwrap(),
            Person,
            "deactivated",
            json!("active"),
            json!("deactivated"),
        ),
        (
            |b, by| b.run(b.flow().set_active(ANNA, true, by, b.now)).unwrap(),
            Person,
            "activated",
            json!("deactivated"),
            json!("active"),
        ),
        (
            |b, by| {
                assert_ne!(
                    b.run(b.flow().pause(None, by, b.now)).unwrap(),
                    Commanded::AlreadySo
                )
            },
            Team,
            "paused",
            json!("running"),
            json!("paused"),
        ),
        (
            |b, by| {
                assert_ne!(
                    b.run(b.flow().resume(None, by, b.now)).unwrap(),
                    Commanded::AlreadySo
                )
            },
            Team,
            "resumed",
            json!({ "by": "Bea", "paused since": "2027-03-01T00:00:00Z" }),
            json!("running"),
        ),
        (
            |b, by| {
                assert_ne!(
                    b.run(b.flow().send_next(None, by, b.now)).unwrap(),
                    Commanded::AlreadySo
                )
            },
            Story,
            "sent next",
            json!({ "due": "2027-03-01T09:00:00Z" }),
            json!({ "due": "2027-03-01T00:00:00Z" }),
        ),
        (
            |b, by| {
                let number = b.queue()[0].number;
                b.run(b.flow().cancel(number, by, b.now)).unwrap();
            },
            Story,
            "cancelled",
            Value::Null,
            json!("cancelled"),
        ),
        (
            |b, by| {
                b.run(b.flow().replan(by, b.now)).unwrap();
            },
            Team,
            "replanned",
            Value::Null,
            Value::Null,
        ),
        (
            |b, by| {
                let gone = vec!["memes/8.jpg".to_owned()];
                b.run(b.flow().vanished(gone, Some(by), b.now)).unwrap();
            },
            Media,
            "missing files accepted",
            json!({ "files": 9 }),
            json!({ "files": 8 }),
        ),
        (
            |b, by| {
                b.set_clock(at("2027-02-01T00:00:00Z"));
                assert!(b.run(b.flow().trust_clock(by, b.now)).unwrap().changed());
            },
            Clock,
            "trusted",
            json!("2027-03-01T00:00:00Z"),
            json!("2027-02-01T00:00:00Z"),
        ),
    ]
}

#[test]
fn every_verb_leaves_one_line_with_who_before_and_after() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(9);
    the_box.look();
    let bea = By {
        name: "Bea".to_owned(),
        person: None,
    };
    let verbs = every_verb();
    let mut heard = BTreeMap::new();
    for (done, (verb, subject, action, before, after)) in verbs.into_iter().enumerate() {
        verb(&mut the_box, bea.clone());
        let trail = the_box.trail(None);
        assert_eq!(trail.len(), done + 1, "{subject} {action}");
        let mut new: Vec<&Audited> = trail
            .iter()
            .filter(|line| line.change.subject == subject && line.change.action == action)
            .collect();
        let known = heard.entry(format!("{subject} {action}")).or_insert(0);
        *known += 1;
        assert_eq!(new.len(), *known, "{subject} {action}: {trail:?}");
        if action == "cancelled" {
            let line = &new[0].change;
            assert_eq!(
                (&line.before["state"], &line.after),
                (&json!("planned"), &after)
            );
            assert!(
                line.name.starts_with('#') && line.before["path"].is_string(),
                "{line:?}"
            );
            continue;
        }
        new.retain(|line| line.change.before == before && line.change.after == after);
        assert_eq!(
            new.len(),
            1,
            "{subject} {action} from {before} to {after}: {trail:?}"
        );
        assert_eq!((new[0].by.as_str(), new[0].person), ("Bea", None));
        assert_eq!(new[0].at, the_box.now);
    }
}

#[test]
fn what_changes_nothing_leaves_no_line() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(2);
    the_box.look();
    the_box.resume();
    the_box.pause();
    the_box.pause();
    assert_eq!(the_box.trail(None).len(), 1);
    let (flow, now) = (the_box.flow(), the_box.now);
    the_box.run(async {
        flow.set_role(ANNA, Role::Admin, anna(), now).await.unwrap();
        flow.set_active(ANNA, true, anna(), now).await.unwrap();
        let nobody = storyline::domain::person::PersonId(99);
        flow.set_role(nobody, Role::Owner, anna(), now)
            .await
            .unwrap();
        flow.set_active(nobody, false, anna(), now).await.unwrap();
        assert_eq!(flow.cancel(77, anna(), now).await.unwrap(), None);
        assert!(!flow.trust_clock(anna(), now).await.unwrap().changed());
    });
    let media = the_box.media(1);
    let removed = the_box.run(flow.unlock(media, None, anna(), now)).unwrap();
    let typed = shares(&[("meems", 1_000_000)]);
    let set = the_box.run(flow.set_mix(typed, anna(), now)).unwrap();
    assert!(matches!(set, Changed::Refused(unknown) if unknown.remedy.contains("`memes`")));
    assert_eq!((removed, the_box.trail(None).len()), (0, 1));
}

#[test]
fn a_person_is_noted_by_number_and_a_command_that_comes_again_only_once() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(2);
    the_box.look();
    for _ in 0..3 {
        the_box
            .run(the_box.flow().pause(Some(5), anna(), the_box.now))
            .unwrap();
    }
    let trail = the_box.trail(None);
    assert_eq!(trail.len(), 1);
    assert_eq!(
        (trail[0].by.as_str(), trail[0].person),
        ("Anna", Some(ANNA))
    );
}

#[test]
fn it_is_kept_for_two_years_and_what_became_of_stories_is_not_in_it() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(40);
    the_box.pause();
    the_box.now += days(1);
    the_box.resume();
    the_box.live_for(days(3));
    assert!(!the_box.history().is_empty());
    assert_eq!(the_box.trail(None).len(), 2, "presses are history");
    assert_eq!(the_box.trail(Some(the_box.born + hours(1))).len(), 1);
    let tidied = |the_box: &TheBox| {
        // The clock is judged first.
        the_box.run(the_box.flow().upkeep(the_box.now)).unwrap();
        the_box.run(the_box.flow().tidy(the_box.now)).unwrap();
    };
    the_box.set_clock(the_box.born + days(2 * 365));
    tidied(&the_box);
    assert_eq!(the_box.trail(None).len(), 2);
    the_box.now += hours(1);
    tidied(&the_box);
    assert_eq!(the_box.trail(None).len(), 1);
}
