//! Somebody is on a story.

use storyline::domain::outcome::Outcome;
use storyline::domain::story::Claim;
use storyline::flow::act::{Pressed, Verb};

use crate::harness::*;

#[test]
fn who_is_on_it_is_shown_to_everybody_and_lapses() {
    let (mut the_box, story) = first_story();
    assert_eq!(the_box.press(&story, Verb::Claim), Pressed::Claimed);
    the_box.look();
    let claim = Claim {
        person: ANNA,
        name: "Anna".to_owned(),
        at: at("2027-03-01T09:10:00Z"),
    };
    assert_eq!(the_box.awaiting(&story).claim, Some(claim.clone()));
    let told = the_box.press_by_ben(&story, Verb::Claim);
    assert_eq!(told, Pressed::ClaimedBefore(claim.clone()));
    the_box.live_for(minutes(14));
    assert_eq!(the_box.awaiting(&story).claim, Some(claim));
    the_box.tick = minutes(1);
    the_box.live_for(minutes(2));
    assert_eq!(the_box.awaiting(&story).claim, None);
    assert_eq!(the_box.press_by_ben(&story, Verb::Claim), Pressed::Claimed);
    assert_eq!(the_box.press_by_ben(&story, Verb::Claim), Pressed::Released);
    assert_eq!(the_box.press(&story, Verb::Claim), Pressed::Claimed);
    let finished = the_box.press_by_ben(&story, Verb::Skip);
    let while_on_it = Some("Anna".to_owned());
    assert_eq!(
        finished,
        Pressed::Ended {
            outcome: Outcome::Skipped,
            while_on_it
        }
    );
    the_box.audit();
}
