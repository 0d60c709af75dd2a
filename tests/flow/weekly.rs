//! The summary of a week: on Mondays, once, and true.

use storyline::domain::team::TeamSettings;
use storyline::flow::bulletin::Bulletin;
use storyline::flow::weekly::Week;

use crate::harness::*;

fn weekly() -> TeamSettings {
    TeamSettings {
        weekly_summary: true,
        ..settings(3, "10:00", "22:00", "Europe/Berlin")
    }
}

impl TheBox {
    fn weeks(&self) -> Vec<(String, Week)> {
        let records = self.desk.records();
        let weeks = records
            .bulletins
            .iter()
            .filter_map(|(at, told)| match told {
                Bulletin::Week(week) => Some((at.to_string(), week.clone())),
                Bulletin::Day(_) => None,
            });
        weeks.collect()
    }
}

#[test]
fn a_monday_tells_the_week_before_against_the_one_before_it() {
    // A Monday; the first week has nothing to tell.
    let start = at("2027-03-01T00:00:00Z");
    let mut the_box = TheBox::with_at(weekly(), start).with_pictures(30);
    the_box.tick = minutes(30);
    the_box.live_until(start + days(7) + hours(12));
    the_box.restart();
    // The second week is one of silence.
    the_box.pause();
    the_box.live_until(start + days(13));
    the_box.resume();
    the_box.live_until(start + days(15));
    let weeks = the_box.weeks();
    let at: Vec<&str> = weeks.iter().map(|(at, _)| at.as_str()).collect();
    assert_eq!(at, ["2027-03-08T08:00:00Z", "2027-03-15T08:00:00Z"]);
    let (first, second) = (&weeks[0].1, &weeks[1].1);
    assert_eq!(first.monday.to_string(), "2027-03-01");
    assert_eq!((first.last.deeds.posted, first.last.missed), (21, 0));
    assert_eq!(first.before.deeds.posted, 0);
    assert_eq!(first.people, [("Anna".to_owned(), 21)]);
    assert_eq!(second.before, first.last);
    assert!(second.last.missed > 10, "{second:?}");
    assert!(!first.short.is_empty(), "nine pictures are left");
    the_box.audit();
}

#[test]
fn with_a_digest_it_comes_at_its_time_and_a_pause_has_none() {
    let mut the_box = TheBox::with(TeamSettings {
        digest: Some("07:00".parse().unwrap()),
        ..weekly()
    })
    .with_pictures(60);
    the_box.tick = minutes(30);
    the_box.live_until(at("2027-03-08T07:00:00Z"));
    let weeks = the_box.weeks();
    assert_eq!(weeks.len(), 1);
    assert_eq!(weeks[0].0, "2027-03-08T06:00:00Z");
    the_box.pause();
    the_box.live_until(at("2027-03-15T12:00:00Z"));
    assert_eq!(the_box.weeks().len(), 1);
}
