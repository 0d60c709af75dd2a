//! One story's life, as it is told when somebody asks.

use storyline::domain::edit::Edit;
use storyline::domain::outcome::Outcome;
use storyline::flow::act::{Pressed, Verb};

use crate::desk::Network;
use crate::harness::*;

impl TheBox {
    /// What is told of a story: time of day, what and who; what people changed comes after.
    fn life(&self, number: u64) -> Vec<String> {
        let life = self.run(self.flow().life(number)).unwrap().unwrap();
        let happened = life.happenings.into_iter().map(|happening| {
            let by = happening.by.map(|by| format!(" ({by})"));
            let time = happening.at.strftime("%H:%M:%S");
            format!("{time} {}{}", happening.what, by.unwrap_or_default())
        });
        let changed = life
            .changes
            .into_iter()
            .map(|line| format!("changed: {} ({})", line.change.action, line.by));
        happened.chain(changed).collect()
    }

    fn titles(&self, path: &str, title: &str) {
        let all = self.run(self.flow().media(None)).unwrap();
        let media = all.into_iter().find(|media| media.path == path).unwrap();
        let title = Edit::title(title).unwrap();
        self.run(self.flow().edit(media, title, anna(), self.now))
            .unwrap();
    }
}

#[test]
fn an_open_story_tells_what_became_of_it_so_far() {
    let (mut the_box, story) = first_story();
    the_box.press_by_ben(&story, Verb::Swap);
    the_box.look();
    the_box.press(&story, Verb::Claim);
    let path = the_box.shown(&story).media.path;
    let message = story.message;
    assert_eq!(
        the_box.life(story.card.number),
        [
            "00:00:00 planned for Mon 1 Mar, 09:00".to_owned(),
            format!(
                "09:00:00 shown by message {} in chat {} (attempt 1)",
                message.message, message.chat
            ),
            "09:00:00 before the team".to_owned(),
            "09:00:00 awaits a press".to_owned(),
            format!("09:10:00 swapped, once so far: {path} now (Ben)"),
            "09:10:00 somebody is on it (Anna)".to_owned(),
        ]
    );
}

#[test]
fn a_story_that_has_ended_tells_every_outcome_and_what_was_changed_of_it() {
    let (mut the_box, story) = first_story();
    the_box.titles(&story.card.media.path, "Tom");
    the_box.press(&story, Verb::Posted);
    the_box.now += jiff::SignedDuration::from_secs(30);
    assert_eq!(
        the_box.press(&story, Verb::Undo),
        Pressed::TakenBack(Outcome::Posted)
    );
    the_box.now += jiff::SignedDuration::from_secs(30);
    the_box.press_by_ben(&story, Verb::Skip);
    the_box.now += minutes(1);
    // What is said of the picture afterwards is nothing of this story.
    the_box.titles(&story.card.media.path, "Tim");
    let path = &story.card.media.path;
    let told = the_box.life(story.card.number);
    let ends: Vec<&String> = told
        .iter()
        .filter(|line| !line.contains("message"))
        .collect();
    assert_eq!(
        ends,
        [
            "00:00:00 planned for Mon 1 Mar, 09:00",
            "09:00:00 before the team",
            &format!("09:10:00 posted: {path} (Anna)"),
            "09:10:30 taken back (Anna)",
            &format!("09:11:00 skipped: {path} (Ben)"),
            "changed: title set (Anna)",
        ]
    );
}

#[test]
fn what_hinders_a_story_and_whoever_cancels_it_is_told() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(60);
    the_box.network(Network::IsAway);
    the_box.live_until(at("2027-03-01T09:03:00Z"));
    let number = the_box.queue()[0].number;
    let told = the_box.life(number);
    assert!(
        told[1].ends_with("not delivered; again at Mon 1 Mar, 09:05: no network"),
        "{told:#?}"
    );
    the_box
        .run(the_box.flow().cancel(number, anna(), the_box.now))
        .unwrap();
    let told = the_box.life(number);
    assert!(
        told[1].ends_with("taken out of the queue by Anna"),
        "{told:#?}"
    );
    assert_eq!(told[2], "changed: cancelled (Anna)");
    assert!(the_box.run(the_box.flow().life(4_711)).unwrap().is_none());
}
