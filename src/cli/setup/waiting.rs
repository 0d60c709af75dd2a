//! Waiting for what people do in Telegram, or type here, whatever comes first.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::super::Failure;
use super::super::exit::told;
use super::super::print::say;
use super::talk::Talk;
use super::token::Bot;
use crate::telegram::scout::{Obstacle, Scout, Sighting};

/// How long it is waited where nobody is asked.
const PATIENCE: Duration = Duration::from_secs(600);
/// The pause after Telegram could not be asked.
const PAUSE: Duration = Duration::from_secs(2);
/// Meetings with another program that hears in our place, after which it is no accident.
const RIVALRY: u32 = 3;

/// What came first.
pub(super) enum Event {
    Seen(Sighting),
    Typed(String),
}

/// Somebody who waits.
pub(super) struct Waiting {
    scout: Scout,
    seen: VecDeque<Sighting>,
    rivals: u32,
    is_told: bool,
    until: Instant,
}

impl Waiting {
    pub(super) fn begin(bot: &Bot) -> Self {
        Self {
            scout: Scout::new(bot.client.clone()),
            seen: VecDeque::new(),
            rivals: 0,
            is_told: false,
            until: Instant::now() + PATIENCE,
        }
    }

    /// What happens next. Nobody waits for ever, but who is asked may.
    pub(super) async fn next(&mut self, talk: &mut Talk) -> Result<Event, Failure> {
        loop {
            if let Some(seen) = self.seen.pop_front() {
                return Ok(Event::Seen(seen));
            }
            if talk.asks() {
                tokio::select! {
                    line = talk.line() => return line.map(Event::Typed),
                    looked = self.look() => looked?,
                }
            } else {
                let looked = timeout_at(self.until, self.look()).await;
                looked.unwrap_or_else(|_| {
                    let minutes = PATIENCE.as_secs() / 60;
                    Err(Failure::NotFound(told(
                        format!("the bot was added to no chat within {minutes} minutes"),
                        "add it while this waits, or name the chat by its number: `--chat ID`",
                    )))
                })?;
            }
        }
    }

    async fn look(&mut self) -> Result<(), Failure> {
        match self.scout.look().await {
            Ok(seen) => {
                self.seen.extend(seen);
                (self.rivals, self.is_told) = (0, false);
            }
            Err(Obstacle::Backlog) => {
                return Err(Failure::Unavailable(told(
                    "so much waits in Telegram for the service that nothing new is heard before it has taken that",
                    "start the service for a minute, or name the chat by its number: `--chat ID`",
                )));
            }
            Err(Obstacle::Rival) => {
                self.rivals += 1;
                if self.rivals >= RIVALRY {
                    return Err(Failure::Unavailable(told(
                        "another program asks Telegram with this bot's token, and hears everything in our place",
                        "stop it, be it a `storyline serve` on another box; or have @BotFather make another bot",
                    )));
                }
                sleep(PAUSE).await;
            }
            Err(Obstacle::Trouble(trouble)) => {
                if !self.is_told {
                    say(&format!("  {}. I keep trying.", trouble.reason()));
                    self.is_told = true;
                }
                sleep(PAUSE).await;
            }
        }
        Ok(())
    }
}
