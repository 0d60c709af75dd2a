//! What is chosen: the preview is what happens, the mix is met, tags vary.

use std::collections::BTreeMap;

use proptest::prelude::*;
use storyline::domain::team::TeamSettings;

use crate::harness::*;

proptest! {
    #![proptest_config(cases(5))]

    #[test]
    fn the_preview_is_what_happens(settings in crate::time::any_settings(), with_mix in any::<bool>(), lead in 0_i64..2000) {
        let count = settings.posts_per_day.min(12);
        let mut the_box = TheBox::with(TeamSettings { posts_per_day: count, ..settings });
        the_box.add_pictures("memes", u64::from(count) * 6, &["cat"]);
        the_box.add_pictures("merch", u64::from(count) * 6, &["shop", "cat"]);
        if with_mix {
            the_box.mix(&[("memes", 70), ("merch", 30)]);
        }
        the_box.tick = hours(6);
        the_box.live_for(minutes(lead));
        let (seen, lines) = (the_box.arrived().len(), the_box.preview(9));
        prop_assert_eq!(&the_box.preview(9), &lines);
        the_box.live_for(days(9));
        let came: Vec<_> = the_box.arrived()[seen..].iter().map(|arrived| (arrived.at, Some(arrived.card.media.path.clone()))).collect();
        let foretold: Vec<_> = lines.into_iter().map(|line| (line.at, line.path)).collect();
        prop_assert_eq!(came, foretold);
    }
}

fn by_category(the_box: &TheBox, from: usize) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for arrived in &the_box.arrived()[from..] {
        *counts
            .entry(arrived.card.media.category.clone())
            .or_default() += 1;
    }
    counts
}

#[test]
fn over_three_hundred_stories_the_mix_is_met_exactly() {
    let mut the_box = TheBox::with(TeamSettings {
        horizon_days: 2,
        ..settings(15, "06:00", "22:00", "UTC")
    });
    the_box.add_pictures("memes", 400, &[]);
    the_box.add_pictures("merch", 300, &[]);
    the_box.add_pictures("rest", 300, &[]);
    the_box.mix(&[("memes", 60), ("merch", 30), ("rest", 10)]);
    the_box.tick = hours(12);
    the_box.live_for(days(20));
    let counts = by_category(&the_box, 0);
    let got: Vec<usize> = counts.values().copied().collect();
    assert_eq!(got, [180, 90, 30]);
}

#[test]
fn an_empty_category_lets_others_step_in_and_does_not_flood_when_filled() {
    let mut the_box = TheBox::with(TeamSettings {
        horizon_days: 2,
        ..settings(6, "06:00", "22:00", "UTC")
    });
    the_box.add_pictures("memes", 400, &[]);
    the_box.mix(&[("memes", 50), ("merch", 50)]);
    the_box.live_for(days(10));
    assert_eq!(by_category(&the_box, 0)["memes"], 60);
    the_box.add_pictures("merch", 200, &[]);
    let before = the_box.arrived().len();
    the_box.live_for(days(10));
    let counts = by_category(&the_box, before);
    assert!(counts["merch"].abs_diff(30) <= 1, "{counts:?}");
}

#[test]
fn no_two_neighbours_share_a_tag_while_there_is_a_choice() {
    let mut the_box = TheBox::with(TeamSettings {
        horizon_days: 2,
        ..settings(6, "06:00", "22:00", "UTC")
    });
    the_box.add_pictures("memes", 60, &["cat"]);
    the_box.add_pictures("memes", 60, &["dog"]);
    the_box.live_for(days(5));
    let tags: Vec<_> = the_box
        .arrived()
        .into_iter()
        .map(|arrived| arrived.card.media.metadata.tags)
        .collect();
    let same = tags.windows(2).filter(|pair| pair[0] == pair[1]).count();
    assert_eq!(same, 0, "{tags:?}");
}

#[test]
fn a_crowd_whose_locks_end_soon_does_not_hide_what_is_free() {
    let mut the_box = TheBox::with(three_a_day());
    the_box.add_pictures("memes", 300, &[]);
    let now = the_box.now;
    let all = the_box.run(the_box.flow().media(None)).unwrap();
    let skip = storyline::domain::lock::LockKind::Skip;
    for media in all.into_iter().take(200) {
        let flow = the_box.flow();
        let lock = flow.lock(media, skip, Some(now + days(6)), anna(), None, now);
        the_box.run(lock).unwrap();
    }
    let drawn = the_box.run(the_box.flow().plan(now)).unwrap();
    assert_eq!(drawn.empty, 0);
}

#[test]
fn an_empty_library_is_the_loudest_case_and_its_slots_are_visible() {
    let mut the_box = TheBox::with(three_a_day());
    the_box.live_for(days(1));
    assert!(the_box.alert("nothing_left").unwrap().contains("empty"));
    the_box.audit_slots();
    the_box.add_pictures("memes", 60, &[]);
    the_box.live_for(days(1));
    assert_eq!(the_box.alert("nothing_left"), None);
    assert_eq!(the_box.deliveries().len(), 3);
}

#[test]
fn look_alikes_stay_seven_days_apart_and_cost_no_slot() {
    for with_mix in [false, true] {
        let mut the_box = TheBox::with(settings(3, "06:00", "22:00", "UTC"));
        // Far more of one look than are looked at when the plan is drawn.
        the_box.add_look_alikes("products", 120, 0xffff);
        the_box.add_look_alikes("products", 5, 0xffff << 32);
        the_box.add_pictures("products", 100, &[]);
        the_box.add_look_alikes("memes", 20, 0xffff);
        if with_mix {
            the_box.mix(&[("products", 80), ("memes", 20)]);
        }
        the_box.tick = hours(12);
        the_box.live_for(days(10));
        // Some whose look is told when they are planned already.
        the_box.add_look_alikes("memes", 40, 0xffff << 16);
        the_box.live_for(days(18));
        assert_eq!(the_box.arrived().len(), 3 * 28);
        for look in [0xffff, 0xffff << 16, 0xffff << 32] {
            let shown: Vec<_> = the_box
                .arrived()
                .iter()
                .filter(|arrived| the_box.looks_like(&arrived.card.media.path, look))
                .map(|arrived| arrived.at)
                .collect();
            assert!(shown.len() > 1, "{look:x}: {shown:?}");
            let are_apart = shown
                .windows(2)
                .all(|pair| pair[1].duration_since(pair[0]) >= days(7));
            assert!(are_apart, "{look:x}: {shown:?}");
        }
    }
}

#[test]
fn somebody_is_told_when_a_category_lasts_seven_days_two_and_none() {
    let mut the_box = TheBox::with(settings(3, "06:00", "22:00", "UTC"));
    the_box.add_pictures("memes", 25, &[]);
    the_box.add_pictures("merch", 500, &[]);
    the_box.mix(&[("memes", 50), ("merch", 50)]);
    let told = |the_box: &TheBox| -> Vec<(String, bool)> {
        let told = the_box.desk.records().told.clone();
        let runway = told
            .iter()
            .filter(|alert| alert.topic.starts_with("runway"));
        let mut told: Vec<_> = runway
            .map(|alert| (alert.text.clone(), alert.resolved_at.is_some()))
            .collect();
        told.dedup();
        told
    };
    the_box.live_for(days(5));
    assert_eq!(told(&the_box), []);
    // 25 at one and a half a day.
    the_box.live_for(days(13));
    let texts = told(&the_box);
    let says = |needle: &str| {
        texts
            .iter()
            .filter(|(text, over)| text.contains(needle) && !over)
            .count()
    };
    assert_eq!(says("`memes` lasts 7 more days: 1"), 1, "{texts:#?}");
    assert_eq!(says("`memes` lasts 2 more days: 4"), 1, "{texts:#?}");
    assert_eq!(says("`memes` is running dry"), 1, "{texts:#?}");
    assert!(texts.iter().all(|(_, over)| !over), "{texts:#?}");
    assert!(the_box.alert("runway_0:memes").is_some());
    assert_eq!(the_box.alert("runway_7:memes"), None);
    the_box.add_pictures("memes", 200, &[]);
    the_box.live_for(hours(2));
    assert_eq!(the_box.alert("runway_0:memes"), None);
    let over = told(&the_box).into_iter().filter(|(_, over)| *over).count();
    assert_eq!(over, 1);
}

#[test]
fn without_a_mix_the_whole_library_is_meant() {
    let mut the_box = TheBox::with(settings(3, "06:00", "22:00", "UTC")).with_pictures(22);
    the_box.live_for(hours(1));
    assert!(
        the_box
            .alert("runway_7")
            .unwrap()
            .contains("The library lasts 7 more days")
    );
    the_box.live_for(days(8));
    assert!(the_box.alert("runway_2").is_some());
    assert!(the_box.alert("nothing_left").is_some());
    // What nobody can read keeps nobody from being told.
    the_box.add_pictures("memes", 50, &[]);
    the_box.sees_what_cannot_be_read("memes/locked.jpg", 900);
    the_box.live_for(hours(3));
    assert_eq!(the_box.alert("nothing_left"), None);
    assert_eq!(the_box.alert("runway_2"), None);
}
