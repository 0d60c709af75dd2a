//! The supervisor on tokio's paused clock: the time passes only when every task waits.

use super::*;
use std::sync::atomic::{AtomicU32, Ordering};

const QUIET: Duration = Duration::from_secs(90);

fn supervisor() -> (Supervisor, Shutdown) {
    let shutdown = Shutdown::new();
    (Supervisor::new(shutdown.clone()), shutdown)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Spawns a task that notes when it is started, in seconds, and then does `work`.
fn spawn_noting<F>(
    supervisor: &Supervisor,
    work: impl Fn(u32, Pulse) -> F + Send + Sync + 'static,
) -> Arc<Mutex<Vec<u64>>>
where
    F: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    let began = Instant::now();
    let starts = Arc::new(Mutex::new(Vec::new()));
    supervisor.spawn("poller", QUIET, {
        let starts = Arc::clone(&starts);
        move |pulse| {
            let mut starts = starts.lock().unwrap();
            starts.push(began.elapsed().as_secs());
            work(u32::try_from(starts.len()).unwrap(), pulse)
        }
    });
    starts
}

#[tokio::test(start_paused = true)]
async fn a_task_that_fails_ten_times_in_a_row_ends_the_process() {
    let (supervisor, shutdown) = supervisor();
    let starts = spawn_noting(&supervisor, |n, _| async move {
        Err(format!("no luck, {n}").into())
    });
    let gave_up = supervisor.run().await.unwrap_err();
    assert_eq!(
        gave_up.to_string(),
        "the task `poller` failed 10 times in a row, at last: no luck, 10"
    );
    assert!(shutdown.is_signalled());
    assert_eq!(
        *starts.lock().unwrap(),
        [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]
    );
}

#[tokio::test(start_paused = true)]
async fn a_panic_stays_in_its_task_and_is_told_without_secrets() {
    let (supervisor, shutdown) = supervisor();
    let steady = Arc::new(AtomicU32::new(0));
    supervisor.spawn("steady", QUIET, {
        let steady = Arc::clone(&steady);
        move |pulse| {
            steady.fetch_add(1, Ordering::SeqCst);
            async move {
                pulse.stopping().await;
                Ok(())
            }
        }
    });
    spawn_noting(&supervisor, |n, pulse| async move {
        assert!(n > 2, "no: http://x/bot1234567:canary/getMe, {n}");
        pulse.stopping().await;
        Ok(())
    });
    tokio::time::sleep(seconds(10)).await;
    let states = supervisor.states();
    assert_eq!(states[0].restarts, 0);
    assert_eq!(states[1].restarts, 2);
    assert_eq!(
        states[1].last_error.as_deref(),
        Some("it panicked: no: http://x/bot[redacted]/getMe, 2")
    );
    shutdown.signal();
    supervisor.run().await.unwrap();
    assert_eq!(steady.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn ten_healthy_minutes_forgive_the_failures() {
    let (supervisor, shutdown) = supervisor();
    let starts = spawn_noting(&supervisor, |n, pulse| async move {
        if n % 9 == 0 {
            pulse.expecting(seconds(700));
            tokio::time::sleep(seconds(600)).await;
        }
        Err("again".into())
    });
    let stop = tokio::spawn(async move {
        tokio::time::sleep(seconds(20_000)).await;
        shutdown.signal();
    });
    supervisor.run().await.unwrap();
    stop.await.unwrap();
    // The ninth start lasts ten minutes; the pause after it is one second again.
    let starts = starts.lock().unwrap();
    assert_eq!(starts[9] - starts[8], 601);
    assert!(starts.len() > 100, "{}", starts.len());
}

#[tokio::test(start_paused = true)]
async fn a_task_that_ends_unasked_has_failed() {
    let (supervisor, _shutdown) = supervisor();
    spawn_noting(&supervisor, |_, _| async { Ok(()) });
    let gave_up = supervisor.run().await.unwrap_err();
    assert_eq!(gave_up.reason, "it ended, and nobody had asked it to");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_does_not_move_is_named_and_one_that_said_so_is_not() {
    let (supervisor, _shutdown) = supervisor();
    supervisor.spawn("hung", QUIET, |_| std::future::pending());
    supervisor.spawn("polling", QUIET, |pulse| {
        pulse.expecting(seconds(1000));
        std::future::pending()
    });
    supervisor.spawn("moving", QUIET, |pulse| async move {
        loop {
            tokio::time::sleep(QUIET).await;
            pulse.beat();
        }
    });
    tokio::time::sleep(QUIET).await;
    assert_eq!(supervisor.stuck(Instant::now()), []);
    tokio::time::sleep(seconds(1)).await;
    assert_eq!(
        supervisor.stuck(Instant::now()),
        [Stuck {
            name: "hung",
            quiet: seconds(91)
        }]
    );
    tokio::time::sleep(seconds(1000)).await;
    let names = |stuck: Vec<Stuck>| stuck.iter().map(|s| s.name).collect::<Vec<_>>();
    assert_eq!(names(supervisor.stuck(Instant::now())), ["hung", "polling"]);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_rests_before_its_restart_is_not_stuck() {
    let (supervisor, _shutdown) = supervisor();
    supervisor.spawn("failing", seconds(5), |_| async { Err("no".into()) });
    for _ in 0..200 {
        tokio::time::sleep(seconds(1)).await;
        assert_eq!(supervisor.stuck(Instant::now()), []);
    }
}

#[tokio::test(start_paused = true)]
async fn a_clean_stop_waits_four_seconds_and_cuts_off_the_rest() {
    let (supervisor, shutdown) = supervisor();
    let saved = Arc::new(AtomicU32::new(0));
    supervisor.spawn("saving", QUIET, {
        let saved = Arc::clone(&saved);
        move |pulse| {
            let saved = Arc::clone(&saved);
            async move {
                pulse.stopping().await;
                tokio::time::sleep(seconds(3)).await;
                saved.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }
        }
    });
    let hung = Arc::new(());
    supervisor.spawn("hung", QUIET, {
        let hung = Arc::clone(&hung);
        move |_| {
            let hung = Arc::clone(&hung);
            async move {
                std::future::pending::<()>().await;
                drop(hung);
                Ok(())
            }
        }
    });
    supervisor.spawn("failing", QUIET, |_| async { Err("no".into()) });
    tokio::time::sleep(seconds(1)).await;
    let began = Instant::now();
    shutdown.signal();
    supervisor.run().await.unwrap();
    assert_eq!(began.elapsed(), seconds(4));
    assert_eq!(saved.load(Ordering::SeqCst), 1);
    tokio::time::sleep(seconds(1)).await;
    assert_eq!(Arc::strong_count(&hung), 1, "the task itself was aborted");
}

#[tokio::test(start_paused = true)]
async fn a_cause_that_passes_is_outlived_however_long_it_lasts() {
    let shutdown = Shutdown::new();
    let supervisor = Supervisor::patient(shutdown.clone(), |error| error.to_string() == "full");
    let starts = spawn_noting(&supervisor, |n, pulse| async move {
        if n < 50 {
            return Err("full".into());
        }
        pulse.stopping().await;
        Ok(())
    });
    let stop = tokio::spawn(async move {
        tokio::time::sleep(seconds(7200)).await;
        shutdown.signal();
    });
    supervisor.run().await.unwrap();
    stop.await.unwrap();
    assert_eq!(starts.lock().unwrap().len(), 50);
}
