//! The conversation: questions on stderr, answers from the keyboard. Where nobody can be asked, what is proposed is taken, so that
//! whoever asks need not know.

use std::future::pending;
use std::io::{IsTerminal, stdin};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::SecretString;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::super::Failure;
use super::super::print::{prompt, say};

/// Somebody at the keyboard, or nobody.
pub(super) struct Talk {
    lines: Option<UnboundedReceiver<String>>,
}

impl Talk {
    /// With whoever sits at the terminal, unless they wish not to be asked, or there is none.
    pub(super) fn begin(asks: bool) -> Self {
        if !asks || !stdin().is_terminal() {
            return Self { lines: None };
        }
        let (typed, lines) = unbounded_channel();
        // A thread of its own: while a line is awaited, other things happen. It ends with the program.
        std::thread::spawn(move || {
            for line in stdin().lines() {
                if line.is_err() || line.is_ok_and(|line| typed.send(line).is_err()) {
                    return;
                }
            }
        });
        Self { lines: Some(lines) }
    }

    /// Whether anybody is asked.
    pub(super) fn asks(&self) -> bool {
        self.lines.is_some()
    }

    /// Says something to somebody who is asked; nobody else needs it.
    pub(super) fn explain(&self, text: &str) {
        if self.asks() {
            say(text);
        }
    }

    /// The next line that is typed; never comes where nobody is. The end of the input is a way to leave.
    pub(super) async fn line(&mut self) -> Result<String, Failure> {
        match &mut self.lines {
            Some(lines) => {
                let line = lines.recv().await.ok_or(Failure::Interrupted)?;
                Ok(line.trim().to_owned())
            }
            None => pending().await,
        }
    }

    /// The answer to a question; what is proposed, if none is given.
    pub(super) async fn ask(&mut self, question: &str, proposed: &str) -> Result<String, Failure> {
        if !self.asks() {
            return Ok(proposed.to_owned());
        }
        prompt(&format!("{question} [{proposed}]: "));
        let answer = self.line().await?;
        Ok(if answer.is_empty() {
            proposed.to_owned()
        } else {
            answer
        })
    }

    /// Whether somebody agrees, as nobody does not deny.
    pub(super) async fn agrees(&mut self, question: &str) -> Result<bool, Failure> {
        if !self.asks() {
            return Ok(true);
        }
        loop {
            prompt(&format!("{question} [Y/n] "));
            match self.line().await?.to_lowercase().as_str() {
                "" | "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                _ => say("Type `y` or `n`."),
            }
        }
    }

    /// The answer to a question that nobody else shall read; nothing, if none is given.
    pub(super) async fn ask_hidden(
        &mut self,
        question: &str,
    ) -> Result<Option<SecretString>, Failure> {
        if !self.asks() {
            return Ok(None);
        }
        prompt(question);
        let hidden = Hidden::begin();
        let answer = self.line().await?;
        drop(hidden);
        say("");
        Ok(Some(answer)
            .filter(|answer| !answer.is_empty())
            .map(SecretString::from))
    }
}

/// While this is held, the terminal shows nothing of what is typed.
struct Hidden(Option<Termios>);

impl Hidden {
    fn begin() -> Self {
        let before = tcgetattr(stdin()).ok();
        if let Some(mut now) = before.clone() {
            now.local_modes -= LocalModes::ECHO;
            let _ = tcsetattr(stdin(), OptionalActions::Now, &now);
        }
        Self(before)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(stdin(), OptionalActions::Now, before);
        }
    }
}
