//! The original of a story is sent when somebody wants it.

use storyline::flow::act::{Pressed, Verb};
use storyline::flow::outlet::Contents;

use crate::desk::Network;
use crate::harness::*;

#[test]
fn an_original_that_was_on_its_way_when_the_box_stopped_may_be_asked_for_again() {
    let (mut the_box, story) = first_story();
    the_box.press(&story, Verb::Original);
    let sql = "UPDATE stories SET original_wanted = 2 WHERE original_wanted = 1";
    let connection = rusqlite::Connection::open(the_box.database()).unwrap();
    assert_eq!(connection.execute(sql, []).unwrap(), 1);
    the_box.restart();
    the_box.look();
    assert!(the_box.desk.records().originals.is_empty());
    assert_eq!(the_box.press(&story, Verb::Original), Pressed::SendOriginal);
}

#[test]
fn the_original_is_sent_once_to_everybody() {
    let (mut the_box, story) = first_story();
    assert_eq!(the_box.press(&story, Verb::Original), Pressed::SendOriginal);
    let since = the_box.now;
    assert_eq!(
        the_box.press_by_ben(&story, Verb::Original),
        Pressed::OriginalSentAt(since)
    );
    the_box.look();
    the_box.look();
    let number = story.card.number;
    let bytes = Contents::Bytes(vec![0xff]);
    assert_eq!(the_box.desk.records().originals, [(number, bytes.clone())]);
    // Later again, without another upload; and again, when it did not leave the box.
    the_box.now += hours(2);
    the_box.network(Network::IsAway);
    assert_eq!(
        the_box.press_by_ben(&story, Verb::Original),
        Pressed::SendOriginal
    );
    the_box.look();
    assert_eq!(the_box.desk.records().originals.len(), 1);
    the_box.network(Network::Works);
    the_box.live_for(minutes(2));
    let known = Contents::Known("uploaded".to_owned());
    assert_eq!(
        the_box.desk.records().originals,
        [(number, bytes), (number, known)]
    );
}

#[test]
fn an_original_that_may_have_arrived_is_not_sent_again() {
    let (mut the_box, story) = first_story();
    the_box.press(&story, Verb::Original);
    the_box.network(Network::LosesTheAnswer);
    the_box.look();
    the_box.network(Network::Works);
    the_box.live_for(minutes(30));
    assert!(the_box.desk.records().originals.is_empty());
}
