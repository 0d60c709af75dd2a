//! The team is reminded of what waits, and of what was put off.

use storyline::domain::entry::Entry;
use storyline::domain::outcome::Outcome;
use storyline::flow::act::{Pressed, Verb};

use crate::desk::Network;
use crate::harness::*;

#[test]
fn the_team_is_reminded_once_and_the_reminder_goes_with_the_story() {
    let (mut the_box, story) = first_story();
    the_box.tick = minutes(1);
    the_box.live_until(at("2027-03-01T09:29:00Z"));
    assert!(the_box.desk.records().reminded.is_empty());
    the_box.live_until(at("2027-03-01T12:00:00Z"));
    assert_eq!(
        the_box.desk.records().reminded,
        [(at("2027-03-01T09:30:00Z"), story.card.number)]
    );
    assert_eq!(the_box.desk.records().reminders.len(), 1);
    the_box.press(&story, Verb::Posted);
    the_box.look();
    assert!(the_box.desk.records().reminders.is_empty());
    the_box.audit();
}

#[test]
fn whoever_is_on_it_is_left_in_peace_and_a_reminder_that_did_not_leave_is_sent_again() {
    let (mut the_box, story) = first_story();
    the_box.tick = minutes(1);
    the_box.live_until(at("2027-03-01T09:25:00Z"));
    the_box.press(&story, Verb::Claim);
    the_box.live_until(at("2027-03-01T09:38:00Z"));
    assert!(the_box.desk.records().reminded.is_empty());
    the_box.network(Network::IsAway);
    the_box.live_until(at("2027-03-01T09:50:00Z"));
    the_box.network(Network::Works);
    the_box.live_until(at("2027-03-01T10:30:00Z"));
    assert_eq!(the_box.desk.records().reminded.len(), 1);
}

#[test]
fn nobody_is_reminded_where_nobody_wants_it() {
    let mut settings = three_a_day();
    settings.remind_minutes = 0;
    let mut the_box = TheBox::with(settings).with_pictures(9);
    the_box.team = Team::Looks;
    the_box.live_for(days(2));
    assert!(the_box.desk.records().reminded.is_empty());
}

#[test]
fn after_a_long_absence_a_team_is_not_flooded_with_reminders() {
    let mut settings = settings(12, "09:00", "21:00", "UTC");
    settings.remind_minutes = 1440;
    settings.expire_hours = 72;
    let mut the_box = TheBox::with(settings.clone()).with_pictures(60);
    the_box.team = Team::Looks;
    the_box.live_until(at("2027-03-01T21:30:00Z"));
    assert_eq!(the_box.arrived().len(), 12);
    settings.remind_minutes = 30;
    the_box.restart_with(settings);
    the_box.look();
    assert_eq!(the_box.desk.records().reminded.len(), 3);
    the_box.live_for(hours(10));
    assert_eq!(the_box.desk.records().reminded.len(), 3);
}

#[test]
fn a_story_that_is_put_off_comes_up_again_in_the_teams_hours() {
    let (mut the_box, story) = first_story();
    the_box.tick = minutes(1);
    let noon = at("2027-03-01T11:10:00Z");
    assert_eq!(the_box.press(&story, Verb::Later), Pressed::PutOff(noon));
    the_box.look();
    let later = the_box.awaiting(&story).later.unwrap();
    assert_eq!((later.at, later.by.as_str()), (noon, "Anna"));
    the_box.live_until(noon + minutes(5));
    assert_eq!(the_box.desk.records().reminded, [(noon, story.card.number)]);
    assert_eq!(the_box.awaiting(&story).later, None);
    // In the evening it is the next morning; that, and not more than two days after it was first seen.
    the_box.live_until(at("2027-03-01T20:00:00Z"));
    let morning = at("2027-03-02T09:00:00Z");
    assert_eq!(the_box.press(&story, Verb::Later), Pressed::PutOff(morning));
    the_box.live_until(at("2027-03-03T08:00:00Z"));
    assert_eq!(the_box.press(&story, Verb::Later), Pressed::PutOffEnough);
    the_box.look();
    assert!(!the_box.awaiting(&story).may_put_off);
    the_box.live_until(at("2027-03-03T10:00:00Z"));
    let history = the_box.history();
    let is_it = |entry: &&Entry| entry.number == Some(story.card.number);
    let end = history.iter().find(is_it).unwrap();
    assert_eq!(
        (end.outcome, end.ended_at),
        (Outcome::Expired, morning + days(1) + minutes(1))
    );
    the_box.audit();
}

#[test]
fn all_that_was_promised_for_the_morning_comes_up_a_few_at_a_time() {
    let mut the_box = TheBox::with(settings(8, "09:00", "21:00", "UTC")).with_pictures(60);
    the_box.team = Team::Looks;
    the_box.tick = minutes(1);
    the_box.live_until(at("2027-03-01T20:30:00Z"));
    let stories = the_box.arrived();
    assert!(stories.len() > 5);
    let before = the_box.desk.records().reminded.len();
    for story in &stories {
        the_box.press(story, Verb::Later);
    }
    the_box.live_until(at("2027-03-02T09:00:00Z"));
    assert_eq!(the_box.desk.records().reminded.len() - before, 3);
    the_box.live_until(at("2027-03-02T09:10:00Z"));
    assert_eq!(
        the_box.desk.records().reminded.len() - before,
        stories.len()
    );
    the_box.audit();
}

#[test]
fn a_reminder_that_cannot_be_sent_is_tried_once_a_minute() {
    let (mut the_box, _) = first_story();
    the_box.tick = minutes(1);
    the_box.network(Network::IsAway);
    the_box.live_until(at("2027-03-01T09:31:00Z"));
    let again = the_box
        .run(the_box.flow().remind(&the_box.desk.clone(), the_box.now))
        .unwrap();
    assert_eq!(again, Some(the_box.now + minutes(1)));
}
