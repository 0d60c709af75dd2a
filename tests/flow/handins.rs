//! What people hand in, in pretended time: what is remembered, what is given up, and what is forgotten.

use std::fs::File;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use storyline::domain::category::Category;
use storyline::domain::handin::{Choice, HandedFile, Kind, MOST_WAITING};
use storyline::domain::ids::HandInId;
use storyline::domain::person::PersonId;
use storyline::domain::story::MessageRef;
use storyline::flow::handin::{Handed, HandedIn, Pick, Picked};
use storyline::flow::intake::{Courier, End, Intake, Landed, NotLanded, Parcel, Receipt};
use storyline::flow::outlet::{Answer, Trouble};

use crate::harness::*;

/// A courier and an intake that remember, and fail as they are told to.
#[derive(Clone, Default)]
struct Counter(Arc<Mutex<Records>>);

#[derive(Default)]
struct Records {
    receipts: Vec<Receipt>,
    parcels: Vec<Parcel>,
    unsaid: Option<Trouble>,
    unfetched: Option<Trouble>,
}

impl Courier for Counter {
    fn fetch(&self, _: String, _: File) -> Answer<'static, Result<(), Trouble>> {
        Box::pin(async { Ok(()) })
    }

    fn show<'a>(&'a self, receipt: &'a Receipt) -> Answer<'a, Result<i32, Trouble>> {
        let mut records = self.0.lock().unwrap();
        records.receipts.push(receipt.clone());
        let shown = records.unsaid.clone().map_or(Ok(100), Err);
        Box::pin(async { shown })
    }
}

impl Counter {
    fn intake(&self) -> Intake {
        let records = Arc::clone(&self.0);
        Arc::new(move |parcel, _| {
            let mut records = records.lock().unwrap();
            let path = format!("{}/{}", parcel.category, parcel.otherwise);
            records.parcels.push(parcel);
            let fetched = records.unfetched.clone().map_or(Ok(()), Err);
            let landed = fetched.map(|()| Landed::At(path));
            Box::pin(async { landed.map_err(NotLanded::NotFetched) })
        })
    }

    fn last(&self) -> Receipt {
        self.0.lock().unwrap().receipts.last().unwrap().clone()
    }

    fn fetches(&self) -> usize {
        self.0.lock().unwrap().parcels.len()
    }

    /// Steps until nothing is due; tells when the next thing is.
    fn works(&self, the_box: &TheBox) -> Option<Timestamp> {
        let (flow, now) = (the_box.flow(), the_box.now);
        let courier: Arc<dyn Courier> = Arc::new(self.clone());
        the_box.run(async {
            loop {
                let told = flow.answer_hand_ins(self, now).await.unwrap();
                let taken = flow.take_in(&courier, &self.intake(), now).await.unwrap();
                let next = told.into_iter().chain(taken).min();
                if next != Some(now) {
                    return next;
                }
            }
        })
    }
}

fn sends(the_box: &TheBox, update: u32, album: Option<&str>) -> HandedIn {
    let handed = Handed {
        most_bytes: 20 << 20,
        update,
        person: ANNA,
        chat: ANNA.0,
        album: album.map(str::to_owned),
        file: HandedFile {
            message: i32::try_from(update).unwrap(),
            file_id: format!("file-{update}"),
            kind: Kind::Photo,
            name: None,
            size_bytes: 9,
            caption: None,
        },
    };
    the_box
        .run(the_box.flow().hand_in(handed, the_box.now))
        .unwrap()
}

fn picks(the_box: &TheBox, update: u32, hand_in: HandInId, person: PersonId) -> Picked {
    let pick = Pick {
        update,
        hand_in,
        person,
        message: MessageRef {
            chat: ANNA.0,
            message: 100,
        },
        folder: Some(Category::new("merch")),
    };
    the_box.run(the_box.flow().pick(pick, the_box.now)).unwrap()
}

#[test]
fn what_cannot_be_fetched_is_tried_again_with_longer_pauses_and_given_up_in_the_end() {
    let mut the_box = TheBox::with(three_a_day());
    let counter = Counter::default();
    counter.0.lock().unwrap().unfetched = Some(Trouble::Unreachable("no network".to_owned()));
    assert_eq!(sends(&the_box, 1, None), HandedIn::Noted);
    counter.works(&the_box);
    picks(&the_box, 2, counter.last().id, ANNA);
    for pause in [1, 5, 15, 45] {
        let next = counter.works(&the_box);
        assert_eq!(next, Some(the_box.now + minutes(pause)));
        the_box.restart();
        the_box.now = next.unwrap();
    }
    assert_eq!(counter.works(&the_box), None);
    assert_eq!(counter.fetches(), 5);
    let reason = End::Unfit("no network. Please send it again".to_owned());
    assert_eq!(counter.last().files[0].end, reason);
}

#[test]
fn patience_that_is_asked_for_is_no_failure() {
    let mut the_box = TheBox::with(three_a_day());
    let counter = Counter::default();
    counter.0.lock().unwrap().unfetched = Some(Trouble::Later(Duration::from_secs(60)));
    sends(&the_box, 1, None);
    counter.works(&the_box);
    picks(&the_box, 2, counter.last().id, ANNA);
    for _ in 0..20 {
        the_box.now = counter.works(&the_box).unwrap();
    }
    // A clock that is set back by years keeps nothing waiting for years.
    the_box.now -= days(2000);
    counter.0.lock().unwrap().unfetched = None;
    counter.works(&the_box);
    assert_eq!(counter.last().files[0].end, End::Landed);
}

#[test]
fn a_question_that_cannot_be_asked_is_asked_later_and_one_that_never_can_is_not() {
    let mut the_box = TheBox::with(three_a_day());
    let counter = Counter::default();
    counter.0.lock().unwrap().unsaid = Some(Trouble::Unsure("lost".to_owned()));
    sends(&the_box, 1, None);
    let next = counter.works(&the_box);
    assert_eq!(next, Some(the_box.now + minutes(1)));
    the_box.now = next.unwrap();
    counter.0.lock().unwrap().unsaid = Some(Trouble::Owner("blocked".to_owned()));
    assert_eq!(counter.works(&the_box), None);
    assert_eq!(counter.0.lock().unwrap().receipts.len(), 2);
}

#[test]
fn an_album_is_waited_for_and_what_comes_later_joins_it() {
    let mut the_box = TheBox::with(three_a_day());
    let counter = Counter::default();
    sends(&the_box, 1, Some("a"));
    sends(&the_box, 2, Some("a"));
    let next = counter.works(&the_box).unwrap();
    assert!(counter.0.lock().unwrap().receipts.is_empty());
    the_box.now = next;
    assert_eq!(counter.works(&the_box), None);
    assert_eq!(counter.last().files.len(), 2);
    sends(&the_box, 3, Some("a"));
    counter.works(&the_box);
    let receipt = counter.last();
    assert_eq!((receipt.question, receipt.files.len()), (Some(100), 3));
    picks(&the_box, 4, receipt.id, ANNA);
    // Even after the choice: it goes where the others go.
    sends(&the_box, 5, Some("a"));
    counter.works(&the_box);
    let ends = counter.last().files;
    assert!(ends.iter().all(|file| file.end == End::Landed) && ends.len() == 4);
}

#[test]
fn an_update_that_comes_again_does_nothing_again() {
    let the_box = TheBox::with(three_a_day());
    let counter = Counter::default();
    assert_eq!(sends(&the_box, 1, None), HandedIn::Noted);
    assert_eq!(sends(&the_box, 1, None), HandedIn::Again);
    counter.works(&the_box);
    let id = counter.last().id;
    assert_eq!(picks(&the_box, 2, id, BEN), Picked::NotTheirs);
    assert_eq!(picks(&the_box, 3, id, ANNA), Picked::Done);
    assert_eq!(picks(&the_box, 3, id, ANNA), Picked::Again);
    let merch = Choice::Folder(Category::new("merch"));
    assert_eq!(picks(&the_box, 4, id, ANNA), Picked::Already(merch));
    counter.works(&the_box);
    counter.works(&the_box);
    assert_eq!(counter.fetches(), 1);
}

#[test]
fn a_person_may_leave_a_hundred_waiting_and_each_for_a_day() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(1);
    let counter = Counter::default();
    let most = u32::try_from(MOST_WAITING).unwrap();
    for update in 1..=most {
        assert_eq!(sends(&the_box, update, None), HandedIn::Noted);
    }
    assert_eq!(sends(&the_box, most + 1, None), HandedIn::TooMany);
    counter.works(&the_box);
    let last = counter.last();
    assert_eq!(last.folders, [Category::new("memes")]);
    the_box.now += days(1);
    the_box.run(the_box.flow().tidy(the_box.now)).unwrap();
    assert_eq!(the_box.count("SELECT COUNT(*) FROM handed_files"), 100);
    the_box.now += minutes(1);
    the_box.run(the_box.flow().tidy(the_box.now)).unwrap();
    assert_eq!(the_box.count("SELECT COUNT(*) FROM handed_files"), 0);
    assert_eq!(picks(&the_box, 900, last.id, ANNA), Picked::Forgotten);
    assert_eq!(sends(&the_box, 901, None), HandedIn::Noted);
}
