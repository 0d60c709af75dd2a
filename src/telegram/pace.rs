//! How fast Telegram lets a bot talk: about one message a second in a chat, and twenty a minute in a group, edits included.
//! Who goes too fast is told to wait, so the box waits first. Stories go before everything else; an alert never holds one up.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::flow::outlet::Trouble;
use crate::system::lock::lock;

/// The least time between two messages in a chat.
const APART: Duration = Duration::from_millis(1050);
/// The most messages in a group within [`WINDOW`]; Telegram's limit is twenty.
const MOST_IN_WINDOW: usize = 18;
/// How many of them are for stories alone: many presses mean many edits, and no story waits for those.
const RESERVE: usize = 4;
/// The time over which [`MOST_IN_WINDOW`] counts.
const WINDOW: Duration = Duration::from_secs(60);

/// The longest wait in here; who is asked for more patience has better things to do.
const LONGEST_WAIT: Duration = Duration::from_secs(65);

/// How urgent a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// A story.
    Story,
    /// The picture of a story that was announced: it is part of it, and follows at once.
    Picture,
    /// The answer to somebody who waits for it.
    Now,
    /// An alert, or a message that is made true: it can wait for the others.
    Later,
}

/// Keeps the pace in every chat.
#[derive(Debug, Default)]
pub struct Pace {
    chats: Mutex<HashMap<i64, Chat>>,
}

#[derive(Debug, Default)]
struct Chat {
    sent: VecDeque<Instant>,
    closed_until: Option<Instant>,
    /// How many wait that others give way to.
    urgent: Arc<AtomicUsize>,
}

impl Pace {
    /// Waits until a message may go to this chat, and counts it.
    ///
    /// # Errors
    /// If Telegram wants so much patience that it is better to come back: [`Trouble::Later`]. Nothing was counted.
    pub async fn pass(&self, chat: i64, urgency: Urgency) -> Result<(), Trouble> {
        let urgent = Arc::clone(&lock(&self.chats).entry(chat).or_default().urgent);
        let _waiting = (urgency != Urgency::Later).then(|| Waiting::new(&urgent));
        let began = Instant::now();
        loop {
            let yields = urgency == Urgency::Later && urgent.load(Ordering::Relaxed) > 0;
            let wait = if yields {
                Some(APART)
            } else {
                self.try_pass(chat, urgency, Instant::now())
            };
            match wait {
                None => return Ok(()),
                Some(wait) if wait > LONGEST_WAIT || (yields && began.elapsed() > LONGEST_WAIT) => {
                    return Err(Trouble::Later(wait));
                }
                Some(wait) => tokio::time::sleep(wait).await,
            }
        }
    }

    /// Notes that Telegram wants nothing in this chat for so long.
    pub fn close(&self, chat: i64, wait: Duration) {
        let mut chats = lock(&self.chats);
        chats.entry(chat).or_default().closed_until = Some(Instant::now() + wait);
    }

    /// Counts a message if it may go now; else how long to wait.
    fn try_pass(&self, chat: i64, urgency: Urgency, now: Instant) -> Option<Duration> {
        let mut chats = lock(&self.chats);
        chats.retain(|_, chat| {
            Arc::strong_count(&chat.urgent) > 1
                || chat.closed_until.is_some_and(|until| until > now)
                || chat
                    .sent
                    .back()
                    .is_some_and(|last| now.duration_since(*last) < WINDOW)
        });
        let is_group = chat < 0;
        let state = chats.entry(chat).or_default();
        while state
            .sent
            .front()
            .is_some_and(|first| now.duration_since(*first) >= WINDOW)
        {
            state.sent.pop_front();
        }
        let closed = state.closed_until;
        let last = state.sent.back().filter(|_| urgency != Urgency::Picture);
        let apart = last.map(|last| *last + APART);
        let most = match urgency {
            Urgency::Picture => MOST_IN_WINDOW + 1,
            Urgency::Story => MOST_IN_WINDOW,
            Urgency::Now | Urgency::Later => MOST_IN_WINDOW - RESERVE,
        };
        // There is room when all but so many of them are out of the window.
        let crowded = (is_group && state.sent.len() >= most)
            .then(|| {
                state
                    .sent
                    .get(state.sent.len() - most)
                    .map(|sent| *sent + WINDOW)
            })
            .flatten();
        match [closed, apart, crowded].into_iter().flatten().max() {
            Some(at) if at > now => Some(at - now),
            _ => {
                state.sent.push_back(now);
                None
            }
        }
    }
}

/// Counts who waits urgently, for as long as they wait.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_group_hears_at_most_eighteen_a_minute_and_one_a_second() {
        let pace = Pace::default();
        let began = Instant::now();
        let mut at = Vec::new();
        for _ in 0..40 {
            pace.pass(-100, Urgency::Story).await.unwrap();
            at.push(began.elapsed());
        }
        for (first, second) in at.iter().zip(&at[1..]) {
            assert!(*second - *first >= APART);
        }
        for (first, later) in at.iter().zip(&at[MOST_IN_WINDOW..]) {
            assert!(*later - *first >= WINDOW);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_picture_follows_its_announcement_at_once_and_is_counted() {
        let pace = Pace::default();
        let began = Instant::now();
        let mut announced = Vec::new();
        for _ in 0..20 {
            pace.pass(-100, Urgency::Story).await.unwrap();
            announced.push(began.elapsed());
            pace.pass(-100, Urgency::Picture).await.unwrap();
            assert_eq!(began.elapsed(), announced[announced.len() - 1]);
        }
        for (first, second) in announced.iter().zip(&announced[1..]) {
            assert!(*second - *first >= APART);
        }
        // Nine stories are eighteen calls; a tenth makes twenty, which is Telegram's limit.
        for (first, later) in announced.iter().zip(&announced[10..]) {
            assert!(*later - *first >= WINDOW);
        }
        pace.close(-100, Duration::from_secs(7));
        let closed = Instant::now();
        pace.pass(-100, Urgency::Picture).await.unwrap();
        assert_eq!(closed.elapsed(), Duration::from_secs(7));
    }

    #[tokio::test(start_paused = true)]
    async fn many_edits_leave_room_for_stories() {
        let pace = Pace::default();
        for _ in 0..MOST_IN_WINDOW - RESERVE {
            pace.pass(-100, Urgency::Now).await.unwrap();
        }
        let began = Instant::now();
        for _ in 0..RESERVE {
            pace.pass(-100, Urgency::Story).await.unwrap();
        }
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "a story waits for no edit"
        );
        pace.pass(-100, Urgency::Now).await.unwrap();
        assert!(
            began.elapsed() > Duration::from_secs(30),
            "an edit waits for its turn"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_story_goes_before_an_alert_that_came_first() {
        let pace = std::sync::Arc::new(Pace::default());
        pace.pass(-100, Urgency::Now).await.unwrap();
        let order = std::sync::Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for (name, urgency) in [("alert", Urgency::Later), ("story", Urgency::Now)] {
            let (pace, order) = (pace.clone(), order.clone());
            tasks.push(tokio::spawn(async move {
                pace.pass(-100, urgency).await.unwrap();
                order.lock().unwrap().push(name);
            }));
            tokio::task::yield_now().await;
        }
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), ["story", "alert"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_chat_that_was_closed_is_left_alone_so_long() {
        let pace = Pace::default();
        pace.close(5, Duration::from_secs(7));
        let began = Instant::now();
        pace.pass(5, Urgency::Now).await.unwrap();
        assert_eq!(began.elapsed(), Duration::from_secs(7));
        pace.close(5, Duration::from_secs(600));
        let asked = pace.pass(5, Urgency::Now).await;
        assert!(
            matches!(asked, Err(Trouble::Later(_))),
            "nobody sleeps for ten minutes"
        );
    }
}
