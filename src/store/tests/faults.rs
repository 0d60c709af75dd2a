//! Whatever statement fails, and however, no half of a transaction is left.

use std::sync::Arc;

use super::*;
use crate::domain::audit::{By, Change};
use crate::domain::edit::Edit;
use crate::domain::ids::StoryId;

/// Where in a statement's life it fails.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// It is not run.
    Before,
    /// It is run, and its answer lost.
    After,
}

/// An engine whose `n`-th statement fails; the end of a transaction counts as one.
struct Faulty<E> {
    engine: E,
    left: Arc<AtomicU64>,
    fault: Fault,
}

/// So far away that it never comes.
const NEVER: u64 = u64::MAX / 2;

fn tick(left: &AtomicU64) -> Result<()> {
    if left.fetch_sub(1, Ordering::Relaxed) == 0 {
        left.store(NEVER, Ordering::Relaxed);
        return Err(Error::Unavailable("is made to fail".to_owned()));
    }
    Ok(())
}

impl<E: Engine> Engine for Faulty<E> {
    fn migrate(&mut self) -> Result<()> {
        self.engine.migrate()
    }

    fn transaction(
        &mut self,
        mode: Mode,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<()>,
    ) -> Result<()> {
        let (left, fault) = (&self.left, self.fault);
        self.engine.transaction(mode, &mut |tx| {
            work(&mut FaultyTx { tx, left, fault })?;
            tick(left)
        })
    }

    fn edition(&mut self) -> Result<String> {
        self.engine.edition()
    }

    fn claim(&mut self) -> Result<bool> {
        self.engine.claim()
    }

    fn is_claimed(&mut self) -> Result<bool> {
        self.engine.is_claimed()
    }
}

struct FaultyTx<'a> {
    tx: &'a mut dyn Tx,
    left: &'a AtomicU64,
    fault: Fault,
}

impl FaultyTx<'_> {
    fn run<T>(&mut self, statement: impl FnOnce(&mut dyn Tx) -> Result<T>) -> Result<T> {
        match self.fault {
            Fault::Before => {
                tick(self.left)?;
                statement(self.tx)
            }
            Fault::After => {
                let done = statement(self.tx)?;
                tick(self.left)?;
                Ok(done)
            }
        }
    }
}

impl Tx for FaultyTx<'_> {
    fn execute(&mut self, sql: &'static str, params: &[value::Value]) -> Result<u64> {
        self.run(|tx| tx.execute(sql, params))
    }

    fn query(&mut self, sql: &'static str, params: &[value::Value]) -> Result<Vec<value::Row>> {
        self.run(|tx| tx.query(sql, params))
    }
}

impl Home {
    fn open_faulty(&self, left: Arc<AtomicU64>, fault: Fault) -> Store {
        match self {
            Self::Sqlite(_) => {
                let path = self.path();
                Store::start(move || {
                    let engine = sqlite::Sqlite::open(&path, PATIENCE)?;
                    Ok(Faulty {
                        engine,
                        left,
                        fault,
                    })
                })
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => {
                let url = database.url().to_owned();
                Store::start(move || {
                    let engine = postgres::Postgres::open(&url, PATIENCE)?;
                    Ok(Faulty {
                        engine,
                        left,
                        fault,
                    })
                })
            }
        }
        .expect("a store")
    }
}

type Step = fn(&mut dyn Tx, TeamId, u32) -> Result<()>;

/// The transactions through which a file becomes history.
const STEPS: [Step; 6] = [
    |tx, team, turn| {
        ready_media(tx, team, &format!("memes/{turn}.jpg"), turn)?;
        Ok(())
    },
    |tx, team, turn| {
        let media = media::by_fingerprint(tx, team, fingerprint(turn))?.expect("the media");
        let id = stories::plan(tx, team, &for_slot(media.id, turn), None, noon())?;
        assert_eq!(
            stories::of_slot(tx, team, slot(turn))?.map(|story| story.id),
            Some(id)
        );
        Ok(())
    },
    |tx, team, turn| {
        let story = stories::of_slot(tx, team, slot(turn))?.expect("the story");
        state::note_time(tx, noon() + minutes(i64::from(turn)))?;
        advanced(tx, &story, State::Sending)?;
        Ok(())
    },
    |tx, team, turn| {
        let story = stories::of_slot(tx, team, slot(turn))?.expect("the story");
        let message = MessageRef {
            chat: 1,
            message: i32::try_from(turn).expect("a small number"),
        };
        messages::add(tx, team, story.id, &shown_in(message, false), noon())?;
        teams::note_sent(tx, team, noon() + minutes(i64::from(turn)))?;
        advanced(tx, &story, State::Awaiting)?;
        Ok(())
    },
    |tx, team, turn| {
        let shown = media::by_fingerprint(tx, team, fingerprint(turn))?.expect("the media");
        let title = Edit::title("Tom").expect("a title");
        let edits = shown.edits.clone().with(&title, &[]).expect("an edit");
        let files_say = edits::files_say(tx, &shown)?;
        edits::write(tx, shown.id, &shown.path, &files_say, &edits)?;
        let change = Change::of_media(&shown, &title.action());
        audit::add(tx, team, &By::terminal("ada"), &change, noon())?;
        let story = stories::of_media(tx, team, shown.id)?.expect("the story");
        messages::want(tx, story.id)
    },
    |tx, team, turn| {
        assert!(updates::take(tx, turn, noon())?);
        let story = stories::of_slot(tx, team, slot(turn))?.expect("the story");
        assert!(close(tx, &story, Outcome::Posted, Some(PersonId(7)))?);
        Ok(())
    },
];

/// How many files went all the way before one statement failed in a transaction of each.
async fn fail_everywhere(bed: &Bed, fault: Fault) -> u32 {
    let team = bed.team;
    bed.write(move |tx| people::note(tx, team, PersonId(7), "Ada", None, Role::Member, noon()))
        .await;
    let left = Arc::new(AtomicU64::new(NEVER));
    let store = bed.home.open_faulty(left.clone(), fault);
    for turn in 0.. {
        left.store(u64::from(turn), Ordering::Relaxed);
        let mut failures = 0;
        for step in STEPS {
            let armed = left.swap(NEVER, Ordering::Relaxed);
            let before = everything(&store).await;
            left.store(armed, Ordering::Relaxed);
            let done = store.write_durably(move |tx| step(tx, team, turn)).await;
            if done.is_err() {
                failures += 1;
                assert_eq!(
                    everything(&store).await,
                    before,
                    "a trace of statement {turn}"
                );
                // What failed works when it is tried again.
                store
                    .write_durably(move |tx| step(tx, team, turn))
                    .await
                    .expect("the second try");
            }
        }
        if failures == 0 {
            return turn;
        }
        assert_eq!(failures, 1);
    }
    0
}

async fn every_fault(bed: Bed, fault: Fault) {
    let statements = fail_everywhere(&bed, fault).await;
    assert!(
        statements > 25,
        "{statements} statements are fewer than there are"
    );
    let team = bed.team;
    let ends = u64::from(statements) + 1;
    let (history, numbers, person) = bed
        .read(move |tx| {
            Ok((
                history::latest(tx, team, 999)?.len() as u64,
                tx.count("SELECT next_number FROM teams", &[])?,
                people::get(tx, team, PersonId(7))?.expect("Ada").tally,
            ))
        })
        .await;
    assert_eq!((history, numbers - 1, person.posted), (ends, ends, ends));
}

on_every_engine! {
    async fn a_statement_that_cannot_be_run_leaves_nothing_half_done(bed: Bed) {
        every_fault(bed, Fault::Before).await;
    }

    async fn a_statement_whose_answer_is_lost_leaves_nothing_half_done(bed: Bed) {
        every_fault(bed, Fault::After).await;
    }

    async fn an_error_that_a_closure_swallows_undoes_its_transaction_all_the_same(bed: Bed) {
        let team = bed.team;
        let before = everything(&bed.store).await;
        let swallowed = bed
            .store
            .write(move |tx| {
                alerts::raise(tx, team, "disk", "full", noon())?;
                let refused = tx.execute("INSERT INTO state (name) VALUES ('no value')", &[]);
                assert!(is_refused(&refused), "{refused:?}");
                assert!(alerts::raise(tx, team, "other", "text", noon()).is_err(), "nothing runs after it");
                Ok(())
            })
            .await;
        assert!(is_refused(&swallowed), "{swallowed:?}");
        assert_eq!(everything(&bed.store).await, before);
    }

    async fn a_panic_undoes_its_transaction_and_the_store_goes_on(bed: Bed) {
        let team = bed.team;
        let before = everything(&bed.store).await;
        let panicked = bed
            .store
            .write(move |tx| -> Result<()> {
                alerts::raise(tx, team, "disk", "full", noon())?;
                panic!("this panic is part of the test");
            })
            .await
            .expect_err("a panic");
        assert_eq!(
            panicked.to_string(),
            "the database holds something unexpected: a transaction panicked; it was rolled back"
        );
        assert_eq!(everything(&bed.store).await, before);
        assert!(bed.write(move |tx| alerts::raise(tx, team, "disk", "full", noon())).await);
    }

    async fn a_transaction_that_only_looks_cannot_write(bed: Bed) {
        let team = bed.team;
        for select in [false, true] {
            let written = bed
                .store
                .read(move |tx| {
                    if select {
                        teams::take_number(tx, team).map(drop)
                    } else {
                        updates::take(tx, 1, noon()).map(drop)
                    }
                })
                .await
                .expect_err("a refusal");
            assert_eq!(
                written.to_string(),
                "refused by a rule of the database: a transaction that only looks cannot write"
            );
        }
    }

    async fn a_caller_who_does_not_wait_has_the_work_done_all_the_same(bed: Bed) {
        let team = bed.team;
        // Somebody else is at work, so that the caller has to wait for sure.
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let mut before = Box::pin(bed.store.write(move |_| Ok(ended.recv().is_ok())));
        assert!(futures_util::poll!(before.as_mut()).is_pending());
        let mut impatient = Box::pin(bed.store.write(move |tx| alerts::raise(tx, team, "disk", "full", noon())));
        assert!(futures_util::poll!(impatient.as_mut()).is_pending());
        drop(impatient);
        end.send(()).expect("somebody waits");
        assert!(before.await.expect("a transaction"));
        // Whoever looks goes before what others write; another write comes after it.
        bed.write(|_| Ok(())).await;
        assert_eq!(bed.read(move |tx| alerts::standing(tx, team)).await.len(), 1);
    }

    async fn a_writer_waits_for_another_and_says_so_when_it_takes_too_long(bed: Bed) {
        let team = bed.team;
        let patient = bed.another();
        let hasty = bed.home.open(Duration::from_millis(50)).expect("a store");
        let (began, begun) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let holding = {
            let store = bed.store.clone();
            tokio::spawn(async move {
                store
                    .write(move |tx| {
                        let id: StoryId = fresh(noon());
                        state::note_time(tx, noon())?;
                        let _ = began.send(());
                        let _ = ended.recv();
                        Ok(id)
                    })
                    .await
            })
        };
        tokio::task::spawn_blocking(move || begun.recv()).await.expect("a task").expect("a writer");
        let error = hasty
            .write(move |tx| alerts::raise(tx, team, "disk", "full", noon()))
            .await
            .expect_err("too long");
        assert!(matches!(error, Error::Busy(_)), "{error:?}");
        let told = error.to_string();
        assert!(told.starts_with("the database is busy: another process has been writing to "), "{told}");
        assert!(told.ends_with("for 0.05 seconds"), "{told}");
        assert!(hasty.read(move |tx| alerts::standing(tx, team)).await.expect("a look waits for nobody").is_empty());

        let waiting = tokio::spawn(async move { patient.write(move |tx| alerts::raise(tx, team, "disk", "full", noon())).await });
        end.send(()).expect("it holds still");
        holding.await.expect("a task").expect("a write");
        assert!(waiting.await.expect("a task").expect("a write"), "it came after the other");
        hasty.write(|tx| updates::take(tx, 1, noon())).await.expect("and all is well again");
    }
}
