//! Content and place: what a copy, a rename, a move, an edit and a deletion mean for a media, its locks and its counters.

use storyline::domain::outcome::Outcome;

use crate::harness::*;

/// A picture that was posted once.
fn posted_once() -> TheBox {
    let mut the_box = TheBox::with(settings(1, "09:00", "10:00", "UTC"));
    the_box.sees_file("memes/cat.jpg", 1);
    the_box.live_until(at("2027-03-01T09:01:00Z"));
    assert_eq!(the_box.ended(Outcome::Posted).len(), 1);
    the_box
}

fn is_the_same_media_at(the_box: &TheBox, path: &str, category: &str) {
    assert_eq!(the_box.count("SELECT COUNT(*) FROM media"), 1);
    let media = the_box.media(1);
    assert_eq!(
        (media.path.as_str(), media.category.as_str()),
        (path, category)
    );
    assert_eq!(media.posted_count, 1);
    assert!(media.missing_since.is_none() && media.examined_at.is_some());
    let locks = the_box.run(the_box.flow().locks(the_box.now)).unwrap();
    assert_eq!(locks.len(), 1);
}

#[test]
fn a_copy_is_one_media_in_two_places_and_the_first_place_counts() {
    let the_box = posted_once();
    the_box.sees_file("merch/copy.jpg", 1);
    is_the_same_media_at(&the_box, "memes/cat.jpg", "memes");
    let places = the_box
        .run(the_box.flow().places(the_box.media(1)))
        .unwrap();
    assert_eq!(places.len(), 2);
}

#[test]
fn a_rename_keeps_all_whichever_half_is_seen_first() {
    let mut the_box = posted_once();
    the_box.now += minutes(1);
    the_box.sees_file("memes/dog.jpg", 1);
    the_box.loses_file("memes/cat.jpg");
    is_the_same_media_at(&the_box, "memes/dog.jpg", "memes");
    the_box.loses_file("memes/dog.jpg");
    assert!(the_box.media(1).missing_since.is_some());
    the_box.sees_file("memes/cow.jpg", 1);
    is_the_same_media_at(&the_box, "memes/cow.jpg", "memes");
}

#[test]
fn a_move_to_another_folder_changes_the_category_and_nothing_else() {
    let mut the_box = posted_once();
    the_box.now += minutes(1);
    the_box.sees_file("merch/2027/cat.jpg", 1);
    the_box.loses_file("memes/cat.jpg");
    is_the_same_media_at(&the_box, "merch/2027/cat.jpg", "merch");
}

#[test]
fn deleted_and_brought_back_it_has_its_history_and_its_lock() {
    let mut the_box = posted_once();
    the_box.loses_file("memes/cat.jpg");
    the_box.live_for(days(3));
    the_box.sees_file("memes/cat.jpg", 1);
    is_the_same_media_at(&the_box, "memes/cat.jpg", "memes");
    the_box.live_for(days(3));
    assert_eq!(the_box.deliveries().len(), 1);
}

#[test]
fn an_edit_in_place_is_a_new_content_and_the_old_one_has_left() {
    let mut the_box = posted_once();
    the_box.now += minutes(1);
    the_box.sees_file("memes/cat.jpg", 2);
    assert!(the_box.media(1).missing_since.is_some());
    let edited = the_box.media(2);
    assert_eq!(
        (edited.posted_count, edited.path.as_str()),
        (0, "memes/cat.jpg")
    );
    the_box.live_for(days(1));
    assert_eq!(the_box.deliveries().len(), 2);
    the_box.sees_file("memes/cat.jpg", 1);
    assert!(the_box.media(2).missing_since.is_some());
    assert_eq!(the_box.media(1).posted_count, 1);
    assert!(the_box.media(1).missing_since.is_none());
}

#[test]
fn a_file_replaced_by_a_copy_of_another_does_not_take_its_place() {
    let mut the_box = posted_once();
    the_box.now += minutes(1);
    the_box.sees_file("merch/new.jpg", 2);
    the_box.now += minutes(1);
    // `mv merch/new.jpg memes/cat.jpg`, and before that a copy of the same over the old place.
    the_box.sees_file("memes/cat.jpg", 2);
    assert_eq!(the_box.media(2).category.as_str(), "merch");
    assert!(the_box.media(1).missing_since.is_some());
    the_box.loses_file("merch/new.jpg");
    let moved = the_box.media(2);
    assert_eq!(
        (moved.path.as_str(), moved.category.as_str()),
        ("memes/cat.jpg", "memes")
    );
    assert!(moved.missing_since.is_none());
}

#[test]
fn a_planned_picture_that_moves_is_sent_from_its_new_place() {
    let mut the_box = TheBox::with(three_a_day());
    the_box.sees_file("memes/cat.jpg", 1);
    the_box.look();
    the_box.sees_file("merch/cat.jpg", 1);
    the_box.loses_file("memes/cat.jpg");
    the_box.live_until(at("2027-03-01T09:01:00Z"));
    assert_eq!(the_box.arrived()[0].card.media.path, "merch/cat.jpg");
}
