//! What an office sees at Telegram, and waits for.

use storyline::domain::story::State;

use crate::harness::{Office, SOON, TEAM};
use crate::pretend::telegram::{Message, State as TelegramState};

impl Office {
    /// Waits for something that can be seen at Telegram.
    #[track_caller]
    pub(crate) fn see<T>(
        &self,
        fact: impl Fn(&TelegramState) -> Option<T>,
    ) -> impl Future<Output = T> {
        self.telegram.wait_for(fact, SOON)
    }

    /// Waits until the story of this number is before the team, in the chat and on record.
    pub(crate) async fn story(&self, number: u64) -> Message {
        let message = self.story_message(number).await;
        self.wait_until("the delivery is on record", || async {
            let queue = self.flow().queue().await.unwrap();
            let story = queue.iter().find(|story| story.number == number);
            story.is_none_or(|story| matches!(story.state, State::Awaiting))
        })
        .await;
        message
    }

    /// Waits for a message that shows the story of this number, whatever the box knows of it.
    pub(crate) async fn story_message(&self, number: u64) -> Message {
        let sign = format!("#{number} ·");
        self.see(|state| {
            let messages = state.messages(TEAM);
            messages
                .into_iter()
                .find(|message| message.text.contains(&sign))
                .cloned()
        })
        .await
    }

    /// Waits for the message that announces the story of this number, and is text still.
    pub(crate) async fn story_text(&self, number: u64) -> Message {
        let sign = format!("#{number}, ");
        self.see(|state| {
            let messages = state.messages(TEAM);
            messages
                .into_iter()
                .find(|message| message.text.contains(&sign) && message.media.is_none())
                .cloned()
        })
        .await
    }

    /// Waits until the message shows this text.
    pub(crate) async fn see_text(&self, message: i64, text: &str) -> Message {
        self.see(|state| {
            state
                .message(TEAM, message)
                .filter(|m| m.text.contains(text))
                .cloned()
        })
        .await
    }

    /// Waits until a message is out of the team's chat.
    pub(crate) async fn see_gone(&self, message: i64) {
        self.see(|state| state.message(TEAM, message).is_none().then_some(()))
            .await;
    }

    /// Waits until somebody was answered so, in the moment after a press.
    pub(crate) async fn see_answer(&self, text: &str) {
        self.see(|state| {
            let mut answers = state.answers.iter();
            answers
                .any(|answer| answer.text.as_ref().is_some_and(|said| said.contains(text)))
                .then_some(())
        })
        .await;
    }

    /// Waits until a message in this chat says so.
    pub(crate) async fn see_said(&self, chat: i64, text: &str) -> Message {
        self.see(|state| {
            let messages = state.messages(chat);
            messages
                .into_iter()
                .find(|message| message.is_from_bot() && message.text.contains(text))
                .cloned()
        })
        .await
    }

    /// How many messages in this chat say so.
    pub(crate) fn times_said(&self, chat: i64, text: &str) -> usize {
        let messages = self.telegram.messages(chat);
        let mut said = messages.iter().filter(|m| m.is_from_bot());
        said.by_ref().filter(|m| m.text.contains(text)).count()
    }
}
