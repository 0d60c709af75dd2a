//! The queue of updates: numbered, kept until confirmed, dropped when too old.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::limits::{MESSAGE_LIFE, PRESS_LIFE};
use super::request::Params;

/// What is left out unless it is asked for by name.
const ON_REQUEST: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

struct Waiting {
    id: i64,
    made: Duration,
    kind: &'static str,
    body: Value,
}

pub struct Queue {
    waiting: VecDeque<Waiting>,
    next: i64,
    /// As last told by `allowed_updates`; empty means the usual ones.
    allowed: Vec<String>,
    /// Number of the newest poll; an older one still open must end.
    pub poll: u64,
    /// When each update was first handed out.
    pub handed_out: BTreeMap<i64, Instant>,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            next: 700_000_001,
            allowed: Vec::new(),
            poll: 0,
            handed_out: BTreeMap::new(),
        }
    }
}

impl Queue {
    /// Queues an update, unless the bot did not ask for its kind.
    pub fn push(&mut self, now: Duration, kind: &'static str, body: Value) {
        let wanted = match self.allowed.as_slice() {
            [] => !ON_REQUEST.contains(&kind),
            allowed => allowed.iter().any(|name| name == kind),
        };
        if wanted {
            self.waiting.push_back(Waiting {
                id: self.next,
                made: now,
                kind,
                body,
            });
            self.next += 1;
        }
    }

    /// Remembers `allowed_updates`, if the call names them.
    pub fn allow(&mut self, params: &Params) {
        let kinds = params.json("allowed_updates");
        if let Some(kinds) = kinds.as_ref().and_then(Value::as_array) {
            let kinds = kinds.iter().filter_map(Value::as_str);
            self.allowed = kinds.map(str::to_owned).collect();
        }
    }

    pub fn allowed(&self) -> &[String] {
        &self.allowed
    }

    /// A positive offset forgets everything below it, a negative one all but the last so many.
    pub fn confirm(&mut self, offset: i64) {
        if offset > 0 {
            self.waiting.retain(|update| update.id >= offset);
        } else if offset < 0 {
            let last = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
            let surplus = self.waiting.len().saturating_sub(last);
            self.waiting.drain(..surplus);
        }
    }

    /// The oldest updates, as they are sent; they stay until confirmed.
    pub fn ready(&mut self, now: Duration, limit: usize) -> Vec<Value> {
        self.drop_stale(now);
        let shown = self.waiting.iter().take(limit);
        shown
            .map(|update| {
                self.handed_out
                    .entry(update.id)
                    .or_insert_with(Instant::now);
                json!({ "update_id": update.id, update.kind: update.body })
            })
            .collect()
    }

    pub fn len(&mut self, now: Duration) -> usize {
        self.drop_stale(now);
        self.waiting.len()
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub fn clear(&mut self) {
        self.waiting.clear();
    }

    /// After a week without updates the server goes on from another number.
    pub fn renumber(&mut self, next: i64) {
        self.next = next;
    }

    fn drop_stale(&mut self, now: Duration) {
        self.waiting.retain(|update| {
            let life = match update.kind {
                "callback_query" => PRESS_LIFE,
                _ => MESSAGE_LIFE,
            };
            now.saturating_sub(update.made) < life
        });
    }
}
