//! Albums of what comes: asked for, shown once, and forgotten by a restart.

use storyline::domain::team::Place;
use storyline::flow::album::{AlbumAsked, MOST_PICTURES};
use storyline::flow::outlet::{Contents, NoPicture};

use crate::desk::{CHAT, Network};
use crate::harness::*;

const HERE: Place = Place {
    chat: CHAT,
    thread: None,
};

fn a_planned_box() -> TheBox {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(60);
    the_box.look();
    the_box
}

impl TheBox {
    fn ask(&mut self, update: u32, place: Place) -> AlbumAsked {
        let (flow, now) = (self.flow(), self.now);
        self.run(flow.ask_for_album(update, place, now)).unwrap()
    }

    /// The numbers of the stories in each album, and whether all came by their ids.
    fn albums(&self) -> Vec<(Vec<u64>, bool)> {
        let records = self.desk.records();
        let albums = records.albums.iter().map(|(_, album)| {
            let by_id = |contents: &Contents| matches!(contents, Contents::Known(_));
            let numbers = album.exhibits.iter().map(|exhibit| exhibit.number);
            let known = album.exhibits.iter().all(|it| by_id(&it.contents));
            (numbers.collect(), known)
        });
        albums.collect()
    }
}

#[test]
fn the_next_stories_are_shown_once_a_minute_and_by_their_ids_the_next_time() {
    let mut the_box = a_planned_box();
    assert!(the_box.queue().len() > MOST_PICTURES);
    assert_eq!(the_box.ask(901, HERE), AlbumAsked::Coming);
    assert_eq!(the_box.ask(901, HERE), AlbumAsked::Repeated);
    assert_eq!(the_box.ask(902, HERE), AlbumAsked::StandsAbove);
    let elsewhere = Place { chat: 7, ..HERE };
    assert_eq!(the_box.ask(903, elsewhere), AlbumAsked::Coming);
    the_box.look();
    let ten: Vec<u64> = (1..=10).collect();
    assert_eq!(
        the_box.albums(),
        [(ten.clone(), false), (ten.clone(), true)]
    );
    the_box.now += minutes(1);
    assert_eq!(the_box.ask(904, HERE), AlbumAsked::Coming);
    // Telegram has forgotten the files: they are uploaded anew.
    the_box.desk.records().has_forgotten_files = true;
    the_box.look();
    assert_eq!(the_box.albums()[2], (ten, false));
}

#[test]
fn what_did_not_leave_the_box_may_be_asked_for_at_once() {
    let mut the_box = a_planned_box();
    the_box.network(Network::IsAway);
    assert_eq!(the_box.ask(901, HERE), AlbumAsked::Coming);
    the_box.look();
    the_box.network(Network::Works);
    the_box.makes_no_pictures(NoPicture::Missing);
    assert_eq!(the_box.ask(902, HERE), AlbumAsked::Coming);
    the_box.look();
    assert!(the_box.albums().is_empty());
    the_box.makes_pictures();
    // A restart forgets who asked.
    assert_eq!(the_box.ask(903, HERE), AlbumAsked::Coming);
    the_box.restart();
    the_box.look();
    assert!(the_box.albums().is_empty());
    assert_eq!(the_box.ask(904, HERE), AlbumAsked::Coming);
    the_box.look();
    assert_eq!(the_box.albums().len(), 1);
}

#[test]
fn where_nothing_is_planned_nothing_is_shown() {
    let mut the_box = TheBox::with(three_a_day());
    assert_eq!(the_box.ask(901, HERE), AlbumAsked::NothingPlanned);
    the_box.look();
    assert!(the_box.albums().is_empty());
}
