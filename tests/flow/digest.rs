//! The digest of a day: once a day whatever happens, true, and with stories that may be swapped.

use storyline::domain::outcome::Outcome;
use storyline::domain::story::{MessageRef, State};
use storyline::domain::team::TeamSettings;
use storyline::flow::act::{Press, Pressed, Saw, Verb};
use storyline::flow::bulletin::Bulletin;
use storyline::flow::digest::{Day, Line, Stage};

use crate::desk::{CHAT, Network};
use crate::harness::*;

fn at_eight(zone: &str) -> TeamSettings {
    TeamSettings {
        digest: Some("08:00".parse().unwrap()),
        ..settings(3, "09:00", "21:00", zone)
    }
}

fn a_box(settings: TeamSettings) -> TheBox {
    let mut the_box = TheBox::with(settings).with_pictures(60);
    the_box.tick = minutes(10);
    the_box
}

impl TheBox {
    /// When pictures of the day were shown, and when it was told.
    fn mornings(&self) -> Vec<(String, String)> {
        let records = self.desk.records();
        let albums = records.albums.iter().map(|(at, _)| at.to_string());
        let days = records.bulletins.iter().map(|(at, _)| at.to_string());
        albums.zip(days).collect()
    }

    fn times_told(&self) -> usize {
        let records = self.desk.records();
        assert_eq!(records.albums.len(), records.bulletins.len());
        records.bulletins.len()
    }

    fn today(&self) -> Day {
        let records = self.desk.records();
        let first = records.bulletins.last().map(|(_, bulletin)| bulletin);
        match records.revised.last().or(first) {
            Some(Bulletin::Day(day)) => day.clone(),
            other => panic!("{other:?}"),
        }
    }

    fn swap_ahead(&mut self, line: &Line) -> Pressed {
        let message = MessageRef {
            chat: CHAT,
            message: 2_000_000,
        };
        let press = Press {
            saw: Saw::after(line.swaps),
            ..self.a_press(line.story, message, Verb::SwapAhead)
        };
        self.run(self.flow().press(press, self.now)).unwrap()
    }
}

#[test]
fn a_morning_tells_the_day_once_through_restarts_and_clock_changes() {
    // The clocks of Berlin go forward on the 28th of March.
    let start = at("2027-03-27T00:00:00Z");
    let mut the_box = TheBox::with_at(at_eight("Europe/Berlin"), start).with_pictures(60);
    the_box.tick = minutes(10);
    for hour in 0..72 {
        the_box.live_until(start + hours(hour) + minutes(1));
        the_box.restart();
        the_box.look();
    }
    let eight = |time: &str| (time.to_owned(), time.to_owned());
    assert_eq!(
        the_box.mornings(),
        [
            eight("2027-03-27T07:00:00Z"),
            eight("2027-03-28T06:00:00Z"),
            eight("2027-03-29T06:00:00Z")
        ]
    );
    assert_eq!(the_box.times_told(), 3);
    the_box.audit();
    // An hour back is no second morning.
    the_box.set_clock(at("2027-03-29T06:00:00Z"));
    the_box.look();
    assert_eq!(the_box.times_told(), 3);
}

#[test]
fn a_morning_tells_what_comes_that_day() {
    let mut the_box = a_box(at_eight("UTC"));
    the_box.live_until(at("2027-03-01T08:00:00Z"));
    let day = the_box.today();
    let told: Vec<(u64, String)> = day
        .stories
        .iter()
        .map(|line| (line.number, line.due_at.to_string()))
        .collect();
    let due = |hour| format!("2027-03-01T{hour}:00:00Z");
    assert_eq!(told, [(1, due("09")), (2, due("13")), (3, due("17"))]);
    // What becomes of them is told there.
    the_box.live_until(at("2027-03-01T13:10:00Z"));
    let stages: Vec<Stage> = the_box.today().stories.iter().map(|it| it.stage).collect();
    let posted = Stage::Ended(Outcome::Posted);
    assert_eq!(stages, [posted, posted, Stage::Queued(State::Planned)]);
    assert_eq!(the_box.times_told(), 1);
}

#[test]
fn a_day_without_stories_a_pause_and_what_is_too_late_are_not_told() {
    let mut the_box = TheBox::with(at_eight("UTC"));
    the_box.live_until(at("2027-03-01T23:00:00Z"));
    let mut the_box = the_box.with_pictures(60);
    the_box.live_until(at("2027-03-02T07:30:00Z"));
    the_box.pause();
    the_box.live_until(at("2027-03-02T09:30:00Z"));
    assert_eq!(the_box.times_told(), 0);
    // Half past nine is not too late.
    the_box.resume();
    the_box.look();
    assert_eq!(the_box.times_told(), 1);
    the_box.live_until(at("2027-03-03T07:00:00Z"));
    the_box.be_off_for(hours(3) + minutes(1));
    the_box.look();
    assert_eq!(the_box.times_told(), 1);
}

#[test]
fn a_dry_run_tells_nobody() {
    let mut the_box = a_box(TeamSettings {
        dry_run: true,
        ..at_eight("UTC")
    });
    the_box.live_for(days(2));
    assert_eq!(the_box.times_told(), 0);
    assert_eq!(the_box.count("SELECT COUNT(*) FROM bulletins"), 2);
}

#[test]
fn what_did_not_leave_the_box_is_told_later_and_what_may_have_arrived_is_not() {
    let mut the_box = a_box(at_eight("UTC"));
    the_box.tick = minutes(1);
    the_box.live_until(at("2027-03-01T07:59:00Z"));
    the_box.network(Network::IsAway);
    the_box.live_until(at("2027-03-01T08:20:00Z"));
    the_box.network(Network::LosesTheAnswer);
    the_box.live_until(at("2027-03-01T08:50:00Z"));
    assert_eq!(the_box.times_told(), 1);
    the_box.network(Network::Works);
    the_box.live_until(at("2027-03-01T12:00:00Z"));
    assert_eq!(the_box.times_told(), 1);
    assert!(the_box.desk.records().revised.is_empty());
}

#[test]
fn a_story_that_nobody_has_seen_is_swapped_and_everybody_reads_by_whom() {
    let mut the_box = a_box(at_eight("UTC"));
    the_box.live_until(at("2027-03-01T08:00:00Z"));
    let line = the_box.today().stories[1].clone();
    assert_eq!(the_box.swap_ahead(&line), Pressed::Swapped);
    assert_eq!(the_box.swap_ahead(&line), Pressed::SwappedBefore);
    the_box.look();
    let swapped = the_box.today().stories[1].clone();
    assert_ne!(swapped.name, line.name);
    assert_eq!((swapped.number, swapped.swaps), (line.number, 1));
    assert_eq!(swapped.swapped_by.as_deref(), Some("Anna"));
    assert_eq!(the_box.desk.records().revised.len(), 1, "and once");
    // The story that goes out is the other one, and cannot be swapped there any more.
    the_box.team = Team::Looks;
    the_box.live_until(at("2027-03-01T13:05:00Z"));
    let sent = the_box.arrived().last().unwrap().clone();
    assert!(sent.card.media.path.ends_with(&swapped.name));
    assert_eq!(the_box.swap_ahead(&swapped), Pressed::SentBefore);
    the_box.press(&sent, Verb::Posted);
    let ended = the_box.swap_ahead(&swapped);
    assert!(
        matches!(
            ended,
            Pressed::EndedBefore {
                outcome: Outcome::Posted,
                ..
            }
        ),
        "{ended:?}"
    );
    the_box.live_for(days(1));
    the_box.audit();
    the_box.audit_slots();
}
