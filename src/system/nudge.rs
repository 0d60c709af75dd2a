//! What wakes a waiting loop: a nudge, which is only a hint that a row has changed, and the one slow tick of the whole
//! process, which makes up for every nudge that was lost. The heart asks once for all of them whether there is news; a loop
//! that hears of none says that it lives, and rests on.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

use super::clock::Clock;
use super::supervisor::{BoxError, Pulse};

/// How often every loop wakes when nothing happens. One timer serves them all, so an idle box wakes once in this time.
pub const TICK: Duration = Duration::from_secs(30);
/// So many beats without news are followed by one that has everybody look, for what time alone may have changed.
const LOOK_ANYWAY: u32 = 20;
/// How long the records may take to tell whether they have changed; a beat is not to be kept waiting by them.
const LOOK: Duration = Duration::from_secs(5);
/// A clock on the wall that went by so much more or less than the time that passed was set.
const SET: SignedDuration = SignedDuration::from_secs(2);

/// A hint for one loop that it is worth looking now. Any number of clones may give it; one loop waits for it.
#[derive(Clone, Debug, Default)]
pub struct Nudge(Arc<Notify>);

impl Nudge {
    /// One that has not been given.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the hint. It is kept until the loop waits, so one that comes while the loop looks is not lost; several become
    /// one.
    pub fn notify(&self) {
        self.0.notify_one();
    }

    /// Waits for a hint given since the last wait ended.
    pub async fn wait(&self) {
        self.0.notified().await;
    }
}

/// A beat of the heart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat {
    /// When it was.
    pub at: Timestamp,
    /// Whether there may be something to do that nobody was nudged for. Without it only what its own time brings is to be
    /// done.
    pub is_news: bool,
}

/// Beats every [`TICK`] for all that subscribed; a task of the supervisor.
#[derive(Clone, Debug)]
pub struct Heart {
    clock: Clock,
    beat: Arc<watch::Sender<Counted>>,
}

/// When the last beat was, and how many of them were news.
#[derive(Clone, Copy, Debug)]
struct Counted {
    at: Timestamp,
    news: u64,
}

impl Heart {
    /// A heart that tells this clock's time.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        let none = Counted {
            at: clock.now(),
            news: 0,
        };
        let beat = Arc::new(watch::Sender::new(none));
        Self { clock, beat }
    }

    /// A subscription; it hears the beats that follow.
    #[must_use]
    pub fn subscribe(&self) -> Tick {
        let beats = self.beat.subscribe();
        let news = beats.borrow().news;
        Tick { beats, news }
    }

    /// Beats once, now, and has everybody look. The wall clock is read anew: it may have been set since the last beat.
    pub fn beat(&self) {
        self.give(1);
    }

    /// Beats once, now, without news.
    pub fn beat_quietly(&self) {
        self.give(0);
    }

    fn give(&self, news: u64) {
        let at = self.clock.now();
        self.beat.send_modify(|counted| {
            *counted = Counted {
                at,
                news: counted.news.wrapping_add(news),
            }
        });
    }

    /// Beats until it is time to stop. `edition` tells how the records are, by a mark that is another one after every change;
    /// nothing, if that is not known. A change of it is news, and so is a clock that was set.
    ///
    /// # Errors
    /// None; the type is the supervisor's.
    pub async fn run<M, F>(
        self,
        edition: impl Fn() -> F + Send,
        pulse: Pulse,
    ) -> Result<(), BoxError>
    where
        M: PartialEq + Send,
        F: Future<Output = Option<M>> + Send,
    {
        let (mut known, mut quiet) = (None, 0);
        let mut looked = (Instant::now(), self.clock.now());
        loop {
            tokio::select! {
                () = pulse.stopping() => return Ok(()),
                () = tokio::time::sleep(TICK) => {}
            }
            let is = timeout(LOOK, edition()).await.ok().flatten();
            let (then, now) = (looked, (Instant::now(), self.clock.now()));
            looked = now;
            let passed = SignedDuration::try_from(now.0 - then.0).unwrap_or_default();
            let is_set = (now.1.duration_since(then.1) - passed).abs() > SET;
            quiet += 1;
            if is.is_none() || is != known || is_set || quiet > LOOK_ANYWAY {
                (known, quiet) = (is, 0);
                self.beat();
            } else {
                self.beat_quietly();
            }
            pulse.beat();
        }
    }
}

/// A loop's subscription to the [`Heart`].
#[derive(Clone, Debug)]
pub struct Tick {
    beats: watch::Receiver<Counted>,
    /// The news that the loop has heard.
    news: u64,
}

impl Tick {
    /// Waits for the next beat. Beats that went by while nobody waited count as one, with the news of all. When the heart is
    /// gone for good it waits for ever, rather than letting its loop spin.
    pub async fn wait(&mut self) -> Beat {
        if self.beats.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        let Counted { at, news } = *self.beats.borrow_and_update();
        let is_news = std::mem::replace(&mut self.news, news) != news;
        Beat { at, is_news }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::lock::lock;
    use crate::system::shutdown::Shutdown;
    use crate::system::supervisor::Supervisor;
    use std::sync::Mutex;

    const MOMENT: Duration = Duration::from_millis(1);

    #[tokio::test(start_paused = true)]
    async fn a_nudge_given_while_the_loop_looks_is_kept_and_several_are_one() {
        let nudge = Nudge::new();
        nudge.notify();
        nudge.clone().notify();
        nudge.wait().await;
        assert!(timeout(MOMENT, nudge.wait()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_nudge_wakes_the_loop_that_waits() {
        let nudge = Nudge::new();
        let waiting = tokio::spawn({
            let nudge = nudge.clone();
            async move { nudge.wait().await }
        });
        tokio::task::yield_now().await;
        nudge.notify();
        waiting.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn one_heart_beats_for_all_and_reads_the_clock_anew() {
        let clock = Clock::steerable("2027-01-01T00:00:00Z".parse().unwrap());
        let heart = Heart::new(clock.clone());
        let (mut one, mut two) = (heart.subscribe(), heart.subscribe());
        let supervisor = Supervisor::new(Shutdown::new());
        let began = Instant::now();
        supervisor.spawn("heart", TICK * 3, move |pulse| {
            heart.clone().run(async || Some(()), pulse)
        });

        clock.advance(SignedDuration::from_hours(-5));
        assert_eq!(one.wait().await.at, clock.now());
        assert_eq!(two.wait().await.at, clock.now());
        assert_eq!(began.elapsed(), TICK);
        one.wait().await;
        assert_eq!(began.elapsed(), TICK * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_beat_is_news_when_the_records_or_the_clock_were_changed_and_now_and_then() {
        let clock = Clock::steerable("2027-01-01T00:00:00Z".parse().unwrap());
        let heart = Heart::new(clock.clone());
        let (mut tick, mut sleeper) = (heart.subscribe(), heart.subscribe());
        let records = Arc::new(Mutex::new(Some(1)));
        let supervisor = Supervisor::new(Shutdown::new());
        let seen = Arc::clone(&records);
        let edition = move || std::future::ready(*lock(&seen));
        supervisor.spawn("heart", TICK * 3, move |pulse| {
            heart.clone().run(edition.clone(), pulse)
        });
        let mut beat = async |passed: Duration| {
            clock.advance(SignedDuration::try_from(passed).unwrap());
            tick.wait().await.is_news
        };
        assert!(beat(TICK).await, "nobody knows what was before");
        assert!(!beat(TICK).await);
        *lock(&records) = Some(2);
        assert!(beat(TICK).await);
        assert!(!beat(TICK).await);
        // One that slept through news hears of it all the same.
        assert!(sleeper.wait().await.is_news);
        assert!(beat(TICK * 100).await, "the clock was set");
        assert!(!beat(TICK).await);
        *lock(&records) = None;
        assert!(beat(TICK).await, "they do not tell");
        *lock(&records) = Some(2);
        assert!(beat(TICK).await);
        let mut quiet = 0;
        while !beat(TICK).await {
            quiet += 1;
        }
        assert_eq!(quiet, LOOK_ANYWAY);
    }

    #[tokio::test(start_paused = true)]
    async fn records_that_do_not_answer_keep_no_beat_waiting_for_long() {
        let heart = Heart::new(Clock::system());
        let mut tick = heart.subscribe();
        let supervisor = Supervisor::new(Shutdown::new());
        let began = Instant::now();
        supervisor.spawn("heart", TICK * 3, move |pulse| {
            heart.clone().run(std::future::pending::<Option<()>>, pulse)
        });
        assert!(tick.wait().await.is_news);
        assert_eq!(began.elapsed(), TICK + LOOK);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_heart_a_loop_rests() {
        let mut tick = Heart::new(Clock::system()).subscribe();
        assert!(timeout(TICK * 10, tick.wait()).await.is_err());
    }
}
