//! What waits for a press, and what fails again and again, is told of once, with its reason.

use storyline::flow::act::Verb;

use crate::desk::Network;
use crate::harness::*;

/// What the owner was told of this, newest last.
fn told_of(the_box: &TheBox, words: &str) -> Vec<String> {
    let mut told = the_box.told();
    told.retain(|text| text.contains(words));
    told
}

#[test]
fn a_backlog_is_told_of_once_and_is_over_when_half_of_it_is_done() {
    let mut the_box = TheBox::with(settings(6, "09:00", "21:00", "UTC")).with_pictures(60);
    the_box.team = Team::Looks;
    the_box.tick = minutes(10);
    the_box.live_until(at("2027-03-01T20:00:00Z"));
    assert_eq!(
        (the_box.arrived().len(), the_box.alert("backlog")),
        (6, None)
    );
    the_box.send_next();
    the_box.look();
    assert!(
        the_box
            .alert("backlog")
            .unwrap()
            .contains("7 wait for a press")
    );
    let mut stories = the_box.arrived().into_iter();
    for story in stories.by_ref().take(3) {
        the_box.press(&story, Verb::Posted);
        the_box.look();
    }
    assert!(the_box.alert("backlog").unwrap().contains("4 wait"));
    the_box.press(&stories.next().unwrap(), Verb::Posted);
    the_box.look();
    assert_eq!(the_box.alert("backlog"), None);
    let told = told_of(&the_box, "Stories gather");
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].starts_with("🟡 ") && told[1].starts_with("✅ Over"),
        "{told:?}"
    );
}

#[test]
fn a_story_that_nobody_presses_is_told_of_before_it_expires() {
    let mut settings = settings(1, "09:00", "21:00", "UTC");
    settings.expire_hours = 20;
    let mut the_box = TheBox::with(settings).with_pictures(9);
    the_box.team = Team::Looks;
    the_box.tick = minutes(10);
    the_box.live_until(at("2027-03-01T23:50:00Z"));
    assert_eq!(the_box.alert("waiting"), None);
    the_box.live_until(at("2027-03-02T00:10:00Z"));
    assert!(
        the_box
            .alert("waiting")
            .unwrap()
            .contains("since Mon 1 Mar, 09:00, and expires at Tue 2 Mar, 05:00")
    );
    let story = the_box.arrived()[0].clone();
    the_box.press(&story, Verb::Posted);
    the_box.look();
    assert_eq!(the_box.alert("waiting"), None);
}

#[test]
fn what_is_put_off_does_not_wait() {
    let (mut the_box, story) = first_story();
    the_box.press(&story, Verb::Later);
    the_box.live_for(minutes(10));
    assert_eq!(the_box.alert("waiting"), None);
}

#[test]
fn three_failures_of_a_kind_are_told_of_with_their_reason_and_since_when() {
    for (network, reason) in [
        (Network::IsAway, "no network. Check the box's network"),
        (
            Network::LosesTheMessage,
            "502 Bad Gateway. Check the box's network",
        ),
        (
            Network::RefusesTheStory,
            "bad picture. Telegram refuses what it is sent",
        ),
    ] {
        let mut the_box = TheBox::with(three_a_day()).with_pictures(60);
        the_box.live_until(at("2027-03-01T08:59:00Z"));
        the_box.network(network);
        // A server that gave no answer is asked whether it works before it is tried again.
        let failures = |the_box: &TheBox| {
            let records = the_box.desk.records();
            records.attempts.len() + records.greetings
        };
        while failures(&the_box) < 2 {
            the_box.live_for(minutes(2));
        }
        the_box.restart();
        assert_eq!(the_box.alert("delivery"), None, "{network:?}");
        while failures(&the_box) < 3 {
            the_box.live_for(minutes(2));
        }
        let text = the_box.alert("delivery").unwrap();
        let since = "Stories cannot be delivered since Mon 1 Mar, 09:0";
        assert!(text.contains(since) && text.contains(reason), "{text}");
        the_box.network(Network::Works);
        let arrived = the_box.arrived().len();
        while the_box.arrived().len() == arrived {
            the_box.live_for(minutes(30));
        }
        assert_eq!(the_box.alert("delivery"), None);
        let told = told_of(&the_box, since);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(
            told[0].starts_with("🔴 ") && told[1].starts_with("✅ Over"),
            "{told:?}"
        );
    }
}

#[test]
fn failures_of_different_kinds_are_not_in_a_row_and_rights_are_told_at_once() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(60);
    the_box.tick = minutes(1);
    the_box.live_until(at("2027-03-01T08:59:00Z"));
    for network in [
        Network::IsAway,
        Network::IsAway,
        Network::AsksToWait(60),
        Network::RefusesTheStory,
    ] {
        the_box.once(network);
    }
    the_box.live_for(hours(1));
    assert_eq!(the_box.desk.records().attempts.len(), 4);
    assert_eq!(
        told_of(&the_box, "cannot be delivered"),
        Vec::<String>::new()
    );
    the_box.network(Network::RefusesTheBox);
    the_box.live_until(at("2027-03-01T13:01:00Z"));
    assert!(the_box.alert("delivery").unwrap().contains("no rights"));
}

#[test]
fn a_slot_that_is_late_tells_what_it_waits_for() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(60);
    the_box.live_until(at("2027-03-01T08:59:00Z"));
    the_box.tick = minutes(1);
    let away = storyline::flow::outlet::NoPicture::Away("The disk is away.".to_owned());
    the_box.makes_no_pictures(away);
    the_box.live_for(minutes(15));
    let text = the_box.alert("overdue").unwrap();
    assert!(text.contains("is late: The disk is away."), "{text}");

    let connection = rusqlite::Connection::open(the_box.database()).unwrap();
    connection
        .execute("UPDATE settings SET value = '' WHERE name = 'chat'", [])
        .unwrap();
    the_box.live_for(minutes(5));
    let text = the_box.alert("overdue").unwrap();
    assert!(text.contains("the team has no chat"), "{text}");
}

#[test]
fn in_a_pause_only_what_was_asked_for_can_be_late() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(60);
    the_box.live_until(at("2027-03-01T08:00:00Z"));
    the_box.pause();
    the_box.tick = minutes(1);
    the_box.network(Network::IsAway);
    the_box.live_until(at("2027-03-01T09:30:00Z"));
    assert_eq!(the_box.alert("overdue"), None);
    the_box.send_next();
    the_box.live_for(minutes(13));
    assert!(the_box.alert("overdue").unwrap().contains("no network"));
}

#[test]
fn the_gravest_alert_comes_first() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(60);
    for topic in ["watcher", "library", "backlog"] {
        the_box.now += minutes(1);
        let holds = Some("it holds".to_owned());
        the_box
            .run(the_box.flow().condition(topic, holds, the_box.now))
            .unwrap();
    }
    let standing = the_box.run(the_box.flow().alerts()).unwrap();
    let topics: Vec<&str> = standing.iter().map(|alert| alert.topic.as_str()).collect();
    assert_eq!(topics, ["library", "watcher", "backlog"]);
}
