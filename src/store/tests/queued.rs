//! What waits for the one thread, and what goes together.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, mpsc};

use super::*;

type Told<T> = Pin<Box<dyn Future<Output = Result<T>>>>;

/// Somebody is at work until the sender is dropped, so that all that is asked for meanwhile waits.
fn busy(store: &Store) -> (mpsc::Sender<()>, Told<()>) {
    let (end, ended) = mpsc::channel::<()>();
    let (began, begun) = mpsc::channel::<()>();
    let store = store.clone();
    let held = Box::pin(async move {
        let hold = move |_: &mut dyn Tx| {
            let _ = began.send(());
            let _ = ended.recv();
            Ok(())
        };
        store.write(hold).await
    });
    let held = asked(held);
    begun.recv().expect("somebody at work");
    (end, held)
}

/// Asks now, and is told later.
fn asked<T: 'static>(mut told: Told<T>) -> Told<T> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(told.as_mut().poll(&mut context).is_pending());
    told
}

fn durably<T: Send + 'static>(
    store: &Store,
    work: impl FnMut(&mut dyn Tx) -> Result<T> + Send + 'static,
) -> Told<T> {
    let store = store.clone();
    asked(Box::pin(async move { store.write_durably(work).await }))
}

on_every_engine! {
    async fn whoever_looks_goes_first_and_what_is_written_in_the_background_last(bed: Bed) {
        let order = Arc::new(Mutex::new(Vec::new()));
        let note = |what: &'static str| {
            let order = order.clone();
            move |_: &mut dyn Tx| {
                order.lock().expect("the order").push(what);
                Ok(())
            }
        };
        let (end, held) = busy(&bed.store);
        let (store, work) = (bed.store.clone(), note("in the background"));
        let background = asked(Box::pin(async move { store.write(work).await }));
        let pressed = durably(&bed.store, note("a press"));
        let (store, work) = (bed.store.clone(), note("a look"));
        let looked = asked(Box::pin(async move { store.read(work).await }));
        drop(end);
        for told in [held, background, pressed, looked] {
            told.await.expect("a transaction");
        }
        assert_eq!(*order.lock().expect("the order"), ["a look", "a press", "in the background"]);
    }

    async fn what_fails_takes_nothing_with_it_of_what_is_committed_together(bed: Bed) {
        let team = bed.team;
        let raise = move |topic: &'static str| {
            move |tx: &mut dyn Tx| alerts::raise(tx, team, topic, "so", noon())
        };
        let (end, held) = busy(&bed.store);
        let first = durably(&bed.store, raise("first"));
        let refused = durably(&bed.store, move |tx| {
            raise("refused")(tx)?;
            tx.execute("INSERT INTO locks (id) VALUES (?1)", values!["nonsense"])
        });
        let panicked = durably(&bed.store, move |tx| -> Result<()> {
            raise("panicked")(tx)?;
            panic!("this panic is part of the test");
        });
        let last = durably(&bed.store, raise("last"));
        drop(end);
        held.await.expect("a transaction");
        assert!(first.await.expect("a transaction"));
        refused.await.expect_err("a row that is none");
        panicked.await.expect_err("a panic");
        assert!(last.await.expect("a transaction"));
        let standing = bed.read(move |tx| alerts::standing(tx, team)).await;
        // Both were raised in the same instant, so that neither comes before the other.
        let mut topics: Vec<&str> = standing.iter().map(|alert| &*alert.topic).collect();
        topics.sort_unstable();
        assert_eq!(topics, ["first", "last"]);
    }

    async fn nobody_is_told_before_all_that_goes_together_is_on_the_disk(bed: Bed) {
        let team = bed.team;
        let other = bed.another();
        let (end, held) = busy(&bed.store);
        let mut first = durably(&bed.store, move |tx| alerts::raise(tx, team, "first", "so", noon()));
        let (began, begun) = mpsc::channel::<()>();
        let (go_on, gone_on) = mpsc::channel::<()>();
        let last = durably(&bed.store, move |_| {
            let _ = began.send(());
            let _ = gone_on.recv();
            Ok(())
        });
        drop(end);
        held.await.expect("a transaction");
        begun.recv().expect("the last at work");
        assert!(futures_util::poll!(first.as_mut()).is_pending());
        assert!(other.read(move |tx| alerts::standing(tx, team)).await.expect("a look").is_empty());
        drop(go_on);
        last.await.expect("a transaction");
        assert!(first.await.expect("a transaction"));
        assert_eq!(bed.read(move |tx| alerts::standing(tx, team)).await.len(), 1);
    }
}
