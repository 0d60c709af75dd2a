//! What a team decided: in the chat, in the terminal or in the file; the last word counts.

use storyline::domain::audit::By;
use storyline::domain::setting::Setting;
use storyline::domain::team::TeamSettings;
use storyline::flow::settings::Changed;

use crate::harness::*;

fn set(the_box: &TheBox, setting: Setting, value: &str) -> Changed {
    let flow = the_box.flow();
    the_box
        .run(flow.set(setting, value.to_owned(), anna(), the_box.now))
        .unwrap()
}

fn in_force(the_box: &TheBox) -> TeamSettings {
    the_box.run(the_box.flow().settings()).unwrap()
}

#[test]
fn a_change_counts_at_once_and_is_planned_by() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(60);
    the_box.look();
    assert_eq!(set(&the_box, Setting::PostsPerDay, " 5 "), Changed::Done);
    assert_eq!(set(&the_box, Setting::PostsPerDay, "5"), Changed::AlreadySo);
    let refused = set(&the_box, Setting::PostsPerDay, "51");
    assert!(matches!(refused, Changed::Refused(complaint) if complaint.remedy.contains("1 to 50")));
    the_box.live_for(days(1));
    assert_eq!(the_box.arrived().len(), 5);
    the_box.settings.posts_per_day = 5;
    the_box.audit();
}

#[test]
fn what_people_decided_stands_until_the_file_says_something_new() {
    let mut the_box = TheBox::with(three_a_day());
    set(&the_box, Setting::PostsPerDay, "5");
    the_box.restart();
    assert_eq!(
        in_force(&the_box).posts_per_day,
        5,
        "the file says what it said before"
    );
    let mut settings = three_a_day();
    settings.posts_per_day = 4;
    the_box.restart_with(settings.clone());
    assert_eq!(
        in_force(&the_box).posts_per_day,
        4,
        "the owner changed the file"
    );
    let trail = the_box.run(the_box.flow().audit(storyline::domain::audit::Asked {
        limit: 9,
        ..Default::default()
    }));
    let mut by: Vec<String> = trail.unwrap().into_iter().map(|line| line.by).collect();
    by.sort();
    assert_eq!(by, ["Anna", "the file of settings"]);
    set(&the_box, Setting::PostsPerDay, "6");
    the_box.restart_with(settings);
    assert_eq!(in_force(&the_box).posts_per_day, 6);
}

#[test]
fn a_team_without_a_chat_plans_nothing_and_misses_nothing() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(20);
    assert_eq!(set(&the_box, Setting::Chat, ""), Changed::Done);
    the_box.live_for(days(3));
    assert!(the_box.queue().is_empty());
    assert!(the_box.history().is_empty());
    let by = By::terminal("ann");
    let chat = crate::desk::CHAT.to_string();
    the_box
        .run(the_box.flow().set(Setting::Chat, chat, by, the_box.now))
        .unwrap();
    the_box.live_for(days(1));
    assert_eq!(the_box.arrived().len(), 3);
    assert!(
        the_box
            .history()
            .iter()
            .all(|entry| entry.due_at > at("2027-03-04T00:00:00Z"))
    );
    the_box.audit();
}

#[test]
fn another_chat_has_neither_the_topic_nor_the_troubles_of_the_one_before() {
    let the_box = TheBox::with(three_a_day());
    set(&the_box, Setting::Thread, "7");
    let reason = Some("The bot may not post.".to_owned());
    the_box
        .run(the_box.flow().chat_rights(reason, the_box.now))
        .unwrap();
    assert!(the_box.alert("chat_rights").is_some());
    assert_eq!(set(&the_box, Setting::Chat, "-200"), Changed::Done);
    assert_eq!(the_box.alert("chat_rights"), None);
    let settings = in_force(&the_box);
    assert_eq!((settings.chat, settings.thread), (Some(-200), None));
}

#[test]
fn a_delivery_proves_that_the_bot_may_post() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(9);
    let reason = Some("The bot may not post.".to_owned());
    the_box
        .run(the_box.flow().chat_rights(reason, the_box.now))
        .unwrap();
    the_box.live_until(at("2027-03-01T09:10:00Z"));
    assert_eq!(the_box.arrived().len(), 1);
    assert_eq!(the_box.alert("chat_rights"), None);
}
