//! The queue of those whom nobody knows. They are heard after the team, a few at a time and so many a minute, those within a
//! team's chat first: a new colleague is one of them at first. It has a bound, and
//! forgets the oldest.

use std::collections::{HashSet, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use teloxide::types::Update;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::hear::Hearing;
use crate::domain::person::PersonId;
use crate::system::clock::Clock;
use crate::system::lock::lock;

/// How many wait at most, near and far each.
const MOST_WAITING: usize = 200;
/// How much one of them may have waiting: an album has ten.
const MOST_OF_ONE: usize = 20;
/// How many are heard at a time.
const AT_ONCE: usize = 3;
/// How many are heard in a row, and after how long one more.
const IN_A_ROW: u32 = 20;
const EACH: Duration = Duration::from_secs(1);
/// The same of those within a team's chat who are heard at once, among its people.
const NEAR_IN_A_ROW: u32 = 10;
const NEAR_EACH: Duration = Duration::from_secs(3);

/// So many in a row, and then one now and then.
struct Budget {
    left: u32,
    most: u32,
    each: Duration,
    at: Instant,
}

impl Budget {
    fn new(most: u32, each: Duration) -> Self {
        Self {
            left: most,
            most,
            each,
            at: Instant::now(),
        }
    }

    /// Spends one; else how long until there is one.
    fn spend(&mut self) -> Result<(), Duration> {
        let now = Instant::now();
        let earned = now.duration_since(self.at).as_millis() / self.each.as_millis();
        let earned = u32::try_from(earned).unwrap_or(u32::MAX);
        if earned >= self.most - self.left {
            (self.left, self.at) = (self.most, now);
        } else {
            self.left += earned;
            self.at += self.each * earned;
        }
        if self.left == 0 {
            return Err((self.at + self.each).saturating_duration_since(now));
        }
        self.left -= 1;
        Ok(())
    }
}

/// One of them, with what they did.
struct Waiting {
    who: PersonId,
    did: Vec<Update>,
}

struct Queue {
    near: VecDeque<Waiting>,
    far: VecDeque<Waiting>,
    /// Who is being heard.
    heard: HashSet<PersonId>,
    budget: Budget,
    near_budget: Budget,
}

/// Those whom nobody knows, and what they did.
pub struct Strangers {
    queue: Mutex<Queue>,
    came: Notify,
}

impl Default for Strangers {
    fn default() -> Self {
        let queue = Queue {
            near: VecDeque::new(),
            far: VecDeque::new(),
            heard: HashSet::new(),
            budget: Budget::new(IN_A_ROW, EACH),
            near_budget: Budget::new(NEAR_IN_A_ROW, NEAR_EACH),
        };
        Self {
            queue: Mutex::new(queue),
            came: Notify::new(),
        }
    }
}

impl Strangers {
    /// Whether something that somebody did waits, or is being heard.
    pub fn has(&self, who: PersonId) -> bool {
        let queue = lock(&self.queue);
        let mut waiting = queue.near.iter().chain(&queue.far);
        queue.heard.contains(&who) || waiting.any(|waiting| waiting.who == who)
    }

    /// Whether somebody new within a team's chat may be asked about at once.
    pub fn may_ask_now(&self) -> bool {
        lock(&self.queue).near_budget.spend().is_ok()
    }

    /// Has something wait that somebody did, `near` within a team's chat. If there is too much, the oldest is forgotten.
    pub fn put(&self, who: PersonId, update: Update, near: bool) {
        let mut queue = lock(&self.queue);
        let Queue {
            near: nears, far, ..
        } = &mut *queue;
        let mut waiting = nears.iter_mut().chain(far.iter_mut());
        if let Some(theirs) = waiting.find(|waiting| waiting.who == who) {
            if theirs.did.len() < MOST_OF_ONE {
                theirs.did.push(update);
            }
            return;
        }
        let line = if near { nears } else { far };
        if line.len() >= MOST_WAITING {
            line.pop_front();
        }
        let did = vec![update];
        line.push_back(Waiting { who, did });
        self.came.notify_one();
    }

    /// The next one, when it is their turn.
    async fn next(&self) -> Waiting {
        loop {
            let wait = match self.take() {
                Ok(Some(waiting)) => return waiting,
                Ok(None) => None,
                Err(wait) => Some(wait),
            };
            match wait {
                Some(wait) => tokio::time::sleep(wait).await,
                None => self.came.notified().await,
            }
        }
    }

    /// Takes the next one, if there is one who is not being heard already; else how long to wait for their turn.
    fn take(&self) -> Result<Option<Waiting>, Duration> {
        let mut queue = lock(&self.queue);
        let Queue {
            near,
            far,
            heard,
            budget,
            ..
        } = &mut *queue;
        for line in [near, far] {
            // The newest first: what the others wait for may be long gone, and who is new is not kept out by many.
            let Some(at) = line.iter().rposition(|one| !heard.contains(&one.who)) else {
                continue;
            };
            budget.spend()?;
            let next = line.remove(at);
            heard.extend(next.as_ref().map(|next| next.who));
            return Ok(next);
        }
        Ok(None)
    }

    fn done(&self, who: PersonId) {
        lock(&self.queue).heard.remove(&who);
        // More of theirs may wait.
        self.came.notify_one();
    }
}

impl Hearing {
    /// Hears strangers without end. `name` is the bot's own.
    pub(super) async fn hear_strangers(&self, name: &str, clock: &Clock) {
        // Whoever was heard when the task ended is not any more.
        lock(&self.strangers.queue).heard.clear();
        let mut heard = FuturesUnordered::new();
        loop {
            tokio::select! {
                next = self.strangers.next(), if heard.len() < AT_ONCE => {
                    heard.push(self.hear_stranger(name, next, clock));
                }
                Some(()) = heard.next(), if !heard.is_empty() => {}
            }
        }
    }

    async fn hear_stranger(&self, name: &str, stranger: Waiting, clock: &Clock) {
        for update in &stranger.did {
            if let Err(error) = self.take(name, update, clock.now()).await {
                tracing::warn!("what somebody unknown did could not be taken: {error}");
            }
        }
        self.strangers.done(stranger.who);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn update(id: u32) -> Update {
        let chat = json!({"id": 5, "type": "private", "first_name": "Zed"});
        let message = json!({"message_id": 1, "date": 1, "chat": chat, "text": "hello"});
        serde_json::from_value(json!({"update_id": id, "message": message})).unwrap()
    }

    fn ids(waiting: &Waiting) -> Vec<u32> {
        waiting.did.iter().map(|update| update.id.0).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn there_is_a_bound_and_those_near_are_heard_first() {
        let strangers = Strangers::default();
        for who in 0..3000 {
            strangers.put(PersonId(who), update(1), false);
        }
        assert!(!strangers.has(PersonId(0)) && strangers.has(PersonId(2999)));
        for id in 0..100 {
            strangers.put(PersonId(-1), update(id), true);
        }
        let near = strangers.take().unwrap().unwrap();
        assert_eq!((near.who, near.did.len()), (PersonId(-1), MOST_OF_ONE));
        assert_eq!(ids(&near)[..3], [0, 1, 2]);
        let far = strangers.take().unwrap().unwrap();
        assert_eq!(far.who, PersonId(2999));
        // What somebody does while they are heard waits for that.
        strangers.put(PersonId(-1), update(7), true);
        assert!(strangers.has(PersonId(-1)));
        assert_eq!(strangers.take().unwrap().unwrap().who, PersonId(2998));
        strangers.done(PersonId(-1));
        assert_eq!(strangers.take().unwrap().unwrap().who, PersonId(-1));
    }

    #[tokio::test(start_paused = true)]
    async fn strangers_are_heard_so_many_a_minute() {
        let strangers = Strangers::default();
        for who in 0..200 {
            strangers.put(PersonId(who), update(1), false);
        }
        let began = Instant::now();
        let mut heard = 0;
        while began.elapsed() < Duration::from_secs(60) {
            strangers.next().await;
            heard += 1;
        }
        assert!((70..90).contains(&heard), "{heard}");
        assert!((0..NEAR_IN_A_ROW).all(|_| strangers.may_ask_now()));
        assert!(!strangers.may_ask_now());
        tokio::time::advance(NEAR_EACH).await;
        assert!(strangers.may_ask_now());
    }
}
