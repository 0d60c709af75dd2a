//! A stand-in for the Telegram Bot API: real HTTP, pretend people, trouble on request.
//!
//! ```text
//! bot ──HTTP──▶ listener ─▶ server ─▶ sending, editing, asking, files ─▶ chat::State ◀─ people (press, say, reply)
//!                              ▲ faults            limits, html, shape        │
//!     ◀──webhook─────────────  └────────────── updates (long poll) ◀──────────┘──▶ page (a chat in the browser)
//! ```
//!
//! A test starts one, introduces people and chats, points the bot at [`PretendTelegram::url`], lets people act, and
//! waits for facts with [`PretendTelegram::wait_for`]. The clock is the machine's, moved ahead by
//! [`PretendTelegram::advance`].

mod asking;
mod chat;
mod editing;
mod faults;
mod files;
mod html;
mod limits;
mod listener;
mod message;
mod page;
mod people;
mod request;
mod sending;
mod server;
mod shape;
mod updates;
mod webhook;
mod world;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::future::Future;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::AbortHandle;

#[allow(unused_imports, reason = "the public face; no one test uses all of it")]
pub use self::{
    chat::{ANONYMOUS_ADMIN, Answered, Call, Chat, Kind, Person, State, Status},
    faults::{Fault, Planned},
    html::Entity,
    message::{Action, Author, Button, Keyboard, Media, MediaKind, Message},
    people::Pressed,
};

use listener::{Door, Port};

const TOKEN: &str = "7000000001:AApretend-token-for-tests-only_000000";

/// A Bot API server of one's own. Ends when dropped.
pub struct PretendTelegram {
    shared: Arc<Shared>,
    url: String,
    page_url: String,
    tasks: [AbortHandle; 3],
}

/// What the server's tasks and the test look at together.
struct Shared {
    token: String,
    state: Mutex<State>,
    /// Counts changes; whoever waits for a fact waits for this.
    changed: watch::Sender<u64>,
    door: Arc<Door>,
}

impl Shared {
    /// Changes the state, and wakes whoever waits.
    fn act<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = self.look(change);
        self.changed.send_modify(|version| *version += 1);
        result
    }

    fn look<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl PretendTelegram {
    /// Starts on free ports of 127.0.0.1.
    pub async fn start() -> Self {
        Self::start_with_page_on(0).await
    }

    /// Starts with the chat page on this port; the API takes a free one.
    pub async fn start_with_page_on(page_port: u16) -> Self {
        let door = Door::new();
        let shared = Arc::new(Shared {
            token: TOKEN.to_owned(),
            state: Mutex::new(State::new(Person {
                id: 7_000_000_001,
                first_name: "Storyline".to_owned(),
                username: Some("storyline_pretend_bot".to_owned()),
                is_bot: true,
            })),
            changed: watch::Sender::new(1),
            door: Arc::clone(&door),
        });
        let api = Port::bind(0, door)
            .await
            .expect("a free port for the pretend Bot API");
        // The page has a port of its own, so that it stays when the API goes offline.
        let page = Port::bind(page_port, Door::new())
            .await
            .unwrap_or_else(|error| panic!("port {page_port} for the chat page: {error}"));
        Self {
            url: api.url(),
            page_url: page.url(),
            tasks: [
                server::spawn(api, Arc::clone(&shared)),
                server::spawn(page, Arc::clone(&shared)),
                webhook::spawn(Arc::clone(&shared)),
            ],
            shared,
        }
    }

    /// What to give as `api_url`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where a person looks at the chats.
    pub fn page_url(&self) -> &str {
        &self.page_url
    }

    pub fn token(&self) -> &str {
        &self.shared.token
    }

    /// The bot's own id, as in `getMe`.
    pub fn bot_id(&self) -> i64 {
        self.shared.look(|state| state.bot.id)
    }

    // ---- trouble ----

    /// Lays a fault in wait: `tg.inject(Fault::RetryAfter(3).on("sendPhoto").in_chat(chat).times(2))`.
    pub fn inject(&self, fault: impl Into<Planned>) {
        self.shared.act(|state| state.faults.push(fault.into()));
    }

    pub fn clear_faults(&self) {
        self.shared.act(|state| state.faults.clear());
    }

    /// The faults that no call has met yet.
    pub fn faults_left(&self) -> Vec<Planned> {
        self.shared.look(|state| state.faults.clone())
    }

    /// From here on the port refuses connections, and open ones are broken.
    pub async fn go_offline(&self) {
        self.shared.door.shut().await;
        self.shared.act(|_| ());
    }

    /// Listens again, on the same port.
    pub async fn come_back(&self) {
        self.shared.door.open().await;
        self.shared.act(|_| ());
    }

    /// Refuses more than a message a second in a chat, or twenty a minute in a group.
    pub fn keep_strict_pace(&self, strict: bool) {
        self.shared.act(|state| state.strict_pace = strict);
    }

    /// Moves the stand-in's clock ahead: messages and presses grow old, the pace forgets.
    pub fn advance(&self, time: Duration) {
        self.shared.act(|state| state.clock_ahead += time);
    }

    /// Goes on numbering updates from here, as the server does after a quiet week.
    pub fn renumber_updates(&self, next: i64) {
        self.shared.act(|state| state.updates.renumber(next));
    }

    /// The webhook takes these next updates, and its answers are lost: they are called in again.
    pub fn lose_webhook_answers(&self, count: usize) {
        self.shared
            .act(|state| state.webhook_answers_to_lose += count);
    }

    /// The webhook's address leads nowhere, or leads to the bot again.
    pub fn lead_webhook_astray(&self, astray: bool) {
        self.shared.act(|state| state.webhook_is_astray = astray);
    }

    /// Another program with the same token wants to poll.
    pub fn take_webhook_off(&self) {
        self.shared.act(|state| state.webhook = None);
    }

    /// Polls are held open until there is something, or answered at once, as by a proxy that holds nothing.
    pub fn hold_polls(&self, hold: bool) {
        self.shared.act(|state| state.polls_are_hasty = !hold);
    }

    // ---- looking ----

    /// A chat's messages, oldest first.
    pub fn messages(&self, chat: i64) -> Vec<Message> {
        self.shared
            .look(|state| state.messages(chat).into_iter().cloned().collect())
    }

    pub fn message(&self, chat: i64, id: i64) -> Option<Message> {
        self.shared.look(|state| state.message(chat, id).cloned())
    }

    /// Every call so far, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.look(|state| state.calls.clone())
    }

    /// The calls of one method.
    pub fn calls_of(&self, method: &str) -> Vec<Call> {
        let mut calls = self.calls();
        calls.retain(|call| call.method.eq_ignore_ascii_case(method));
        calls
    }

    /// The presses that were answered, in order.
    pub fn answers(&self) -> Vec<Answered> {
        self.shared.look(|state| state.answers.clone())
    }

    /// When each update was first handed out by a poll, by its number.
    pub fn handed_out(&self) -> BTreeMap<i64, Instant> {
        self.shared.look(|state| state.updates.handed_out.clone())
    }

    pub fn updates_waiting(&self) -> usize {
        self.shared.look(|state| {
            let now = state.now();
            state.updates.len(now)
        })
    }

    /// Calls no bot in its right mind makes: unknown methods, wrong tokens, broken mark-up, over-long texts.
    pub fn unexpected_calls(&self) -> Vec<String> {
        self.shared.look(|state| state.unexpected.clone())
    }

    #[track_caller]
    pub fn assert_no_unexpected_calls(&self) {
        let unexpected = self.unexpected_calls();
        assert!(
            unexpected.is_empty(),
            "unexpected calls: {unexpected:#?}\n{}",
            self.dump()
        );
    }

    /// Waits until the state shows the wanted fact; panics with a picture of the chats when it is too late.
    #[track_caller]
    pub fn wait_for<T, F>(&self, fact: F, deadline: Duration) -> impl Future<Output = T>
    where
        F: FnMut(&State) -> Option<T>,
    {
        let asked_at = Location::caller();
        self.wait(fact, deadline, asked_at)
    }

    async fn wait<T, F>(&self, mut fact: F, deadline: Duration, asked_at: &Location<'_>) -> T
    where
        F: FnMut(&State) -> Option<T>,
    {
        let mut changed = self.shared.changed.subscribe();
        let until = tokio::time::Instant::now() + deadline;
        loop {
            changed.borrow_and_update();
            if let Some(found) = self.shared.look(|state| fact(state)) {
                return found;
            }
            if tokio::time::timeout_at(until, changed.changed())
                .await
                .is_err()
            {
                panic!("{asked_at}: not within {deadline:?}\n{}", self.dump());
            }
        }
    }

    /// The chats and the last calls, for people to read.
    pub fn dump(&self) -> String {
        self.shared.look(|state| dump(state))
    }
}

impl Drop for PretendTelegram {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
        self.shared.door.cut_all();
    }
}

fn dump(state: &State) -> String {
    let mut text = String::new();
    for chat in state.chats.values() {
        let _ = writeln!(text, "── {} “{}” {}", chat.kind.word(), chat.title, chat.id);
        for message in chat.messages.values() {
            let media = message.media.as_ref().map_or("", |media| media.kind.word());
            let shown = message.text.replace('\n', "\n      ");
            let _ = writeln!(
                text,
                "  #{} {:?} {media}\n      {shown}",
                message.id, message.author
            );
            for row in message.labels() {
                let _ = writeln!(text, "      [{}]", row.join("] ["));
            }
        }
    }
    let last = state.calls.len().saturating_sub(15);
    let _ = writeln!(text, "── last calls");
    for call in &state.calls[last..] {
        let _ = writeln!(text, "  {} {} → {}", call.method, call.params, call.outcome);
    }
    text
}
