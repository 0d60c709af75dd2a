//! What people say of a media by hand: it wins, it stays, it can be taken back, and the chat shows it.

use storyline::domain::edit::{Edit, Field};
use storyline::domain::lock::LockKind;
use storyline::domain::media::Metadata;
use storyline::flow::act::Verb;
use storyline::flow::edit::Edited;

use crate::harness::*;

fn title(text: &str) -> Edit {
    Edit::title(text).unwrap()
}

fn a_box_with_a_picture() -> TheBox {
    let the_box = TheBox::with(three_a_day());
    the_box.sees_file("memes/cat.jpg", 1);
    the_box
}

fn sidecar(title: &str) -> Metadata {
    Metadata {
        title: Some(title.to_owned()),
        link_url: Some("https://shop.example.com".to_owned()),
        ..Metadata::default()
    }
}

impl TheBox {
    fn says(&self, edit: Edit) -> Edited {
        let media = self.media(1);
        self.run(self.flow().edit(media, edit, anna(), self.now))
            .unwrap()
    }

    fn title(&self) -> Option<String> {
        self.media(1).metadata.title
    }
}

#[test]
fn an_edit_survives_a_new_sidecar_a_move_and_an_absence() {
    let mut the_box = a_box_with_a_picture();
    the_box.says(title("Tom"));
    the_box.sees_file_with("memes/cat.jpg", 1, sidecar("Felix"));
    assert_eq!(the_box.title().as_deref(), Some("Tom"));
    let link = the_box.media(1).metadata.link_url;
    assert!(link.is_some(), "of the link nothing was said by hand");

    the_box.now += minutes(1);
    the_box.sees_file_with("merch/tom.jpg", 1, sidecar("Felix"));
    the_box.loses_file("memes/cat.jpg");
    assert_eq!(the_box.media(1).path, "merch/tom.jpg");
    assert_eq!(the_box.title().as_deref(), Some("Tom"));

    the_box.loses_file("merch/tom.jpg");
    the_box.now += days(3);
    the_box.sees_file_with("memes/back.jpg", 1, sidecar("Garfield"));
    assert!(the_box.media(1).missing_since.is_none());
    assert_eq!(the_box.title().as_deref(), Some("Tom"));
    the_box.says(Edit::reset(Field::Title));
    assert_eq!(the_box.title().as_deref(), Some("Garfield"));
}

#[test]
fn cleared_is_not_reset() {
    let the_box = a_box_with_a_picture();
    the_box.sees_file_with("memes/cat.jpg", 1, sidecar("Felix"));
    the_box.says(Edit::clear(Field::Title));
    the_box.says(Edit::clear(Field::Link));
    assert_eq!(the_box.title(), None);
    assert!(!the_box.media(1).metadata.needs_a_person());
    the_box.sees_file_with("memes/cat.jpg", 1, sidecar("Garfield"));
    assert_eq!(
        the_box.title(),
        None,
        "there is none, whatever the files say"
    );
    the_box.says(Edit::reset(Field::Title));
    assert_eq!(the_box.title().as_deref(), Some("Garfield"));
    assert_eq!(the_box.media(1).metadata.link_url, None);
}

#[test]
fn what_was_said_already_changes_nothing() {
    let the_box = a_box_with_a_picture();
    assert!(matches!(the_box.says(title("Tom")), Edited::Done { .. }));
    assert!(matches!(the_box.says(title("Tom")), Edited::AlreadySo));
    assert!(matches!(
        the_box.says(Edit::reset(Field::Caption)),
        Edited::AlreadySo
    ));
    assert_eq!(the_box.count("SELECT COUNT(*) FROM audit_log"), 1);
}

#[test]
fn too_many_tags_are_refused_and_nothing_is_changed() {
    let the_box = a_box_with_a_picture();
    let tags = |count: u32| -> Vec<String> { (0..count).map(|tag| format!("t{tag}")).collect() };
    the_box.says(Edit::tags(&tags(15)).unwrap());
    let one_more = Edit::more_tags(&["x".to_owned()], &[]).unwrap();
    assert!(matches!(the_box.says(one_more), Edited::Refused(_)));
    assert_eq!(the_box.media(1).metadata.tags, tags(15));
    assert_eq!(the_box.count("SELECT COUNT(*) FROM audit_log"), 1);
}

#[test]
fn a_category_by_hand_counts_for_the_plan_and_the_file_stays() {
    let mut the_box = a_box_with_a_picture();
    the_box.says(Edit::category("merch").unwrap());
    the_box.mix(&[("merch", 100)]);
    the_box.team = Team::Looks;
    the_box.live_until(at("2027-03-01T09:01:00Z"));
    let shown = the_box.arrived()[0].card.media.clone();
    assert_eq!(
        (shown.category.as_str(), shown.path.as_str()),
        ("merch", "memes/cat.jpg")
    );
}

#[test]
fn another_category_has_the_plan_drawn_again_for_the_one_whose_turn_it_was() {
    let mut the_box = TheBox::with(settings(1, "09:00", "10:00", "UTC"));
    the_box.sees_file("memes/cat.jpg", 1);
    the_box.mix(&[("memes", 100)]);
    the_box.team = Team::Looks;
    the_box.look();
    assert_eq!(the_box.queue()[0].path, "memes/cat.jpg");
    the_box.says(Edit::category("merch").unwrap());
    the_box.sees_file("memes/dog.jpg", 2);
    the_box.live_until(at("2027-03-01T09:01:00Z"));
    assert_eq!(the_box.arrived()[0].card.media.path, "memes/dog.jpg");
}

#[test]
fn a_held_picture_leaves_the_plan_until_it_is_released() {
    let mut the_box = a_box_with_a_picture();
    the_box.look();
    assert_eq!(the_box.queue().len(), 1);
    let (flow, media, now) = (the_box.flow(), the_box.media(1), the_box.now);
    the_box
        .run(flow.lock(media.clone(), LockKind::ManualHold, None, anna(), None, now))
        .unwrap();
    the_box.look();
    assert!(the_box.queue().is_empty());
    let kind = Some(storyline::domain::lock::LockKind::ManualHold);
    the_box.run(flow.unlock(media, kind, anna(), now)).unwrap();
    the_box.look();
    assert_eq!(the_box.queue().len(), 1);
}

#[test]
fn an_edit_shows_in_the_message_that_awaits_a_press_and_not_in_one_that_ended() {
    let mut the_box = a_box_with_a_picture();
    the_box.team = Team::Looks;
    the_box.live_until(at("2027-03-01T09:01:00Z"));
    let arrived = the_box.arrived()[0].clone();
    the_box.says(title("Tom"));
    the_box.look();
    let shown = the_box.shown_on(arrived.message).media;
    assert_eq!(shown.display_name(), "Tom");
    // So does what the files say, if nobody says otherwise.
    the_box.sees_file_with("memes/cat.jpg", 1, sidecar("Felix"));
    the_box.look();
    let shown = the_box.shown_on(arrived.message).media;
    assert_eq!(shown.display_name(), "Tom");
    assert!(shown.metadata.link_url.is_some());

    the_box.press(&arrived, Verb::Posted);
    the_box.says(title("Jerry"));
    the_box.look();
    assert_eq!(
        the_box.shown_on(arrived.message).media.display_name(),
        "Tom"
    );
    assert_eq!(the_box.history()[0].snapshot.display_name(), "Tom");
}

#[test]
fn an_edit_while_the_message_is_on_its_way_is_shown_as_soon_as_it_is_there() {
    let mut the_box = a_box_with_a_picture();
    the_box.team = Team::Looks;
    the_box.live_until(at("2027-03-01T08:59:00Z"));
    the_box.now = at("2027-03-01T09:00:00Z");
    let said = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let (flow, media, now, edits) = (the_box.flow(), the_box.media(1), the_box.now, said.clone());
    // The picture is made, then the attempt is written: what was read before either is what goes out.
    the_box.makes_pictures_while(move || {
        let (flow, media, edits) = (flow.clone(), media.clone(), edits.clone());
        Box::pin(async move {
            let edited = flow.edit(media, title("Tom"), anna(), now).await.unwrap();
            edits.lock().unwrap().push(edited);
        })
    });
    the_box.look();
    assert_eq!(said.lock().unwrap().len(), 1);
    let arrived = the_box.arrived()[0].clone();
    assert_eq!(arrived.card.media.display_name(), "cat.jpg");
    the_box.look();
    let shown = the_box.shown_on(arrived.message).media;
    assert_eq!(shown.display_name(), "Tom");
}
