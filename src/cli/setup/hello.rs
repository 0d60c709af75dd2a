//! The first words: of the bot in the team's chat, and to the owner.

use std::time::Duration;

use jiff::Timestamp;
use teloxide::payloads::SendMessageSetters;
use teloxide::prelude::Requester;
use teloxide::types::{ChatId, MessageId, ParseMode, ThreadId};
use tokio::time::{Instant, sleep};

use super::super::Failure;
use super::super::print::say;
use super::chat::Place;
use super::owner::Owner;
use super::token::Bot;
use crate::domain::calendar::moment;
use crate::domain::setting::Setting;
use crate::domain::team::TeamSettings;
use crate::flow::Flow;
use crate::flow::outlet::Trouble;
use crate::system::clock::Clock;
use crate::telegram::client::SMALL_CALL;
use crate::telegram::message::plain;

/// How long the first plan is awaited.
const PATIENCE: Duration = Duration::from_secs(10);
/// The pause before it is looked for again.
const PAUSE: Duration = Duration::from_millis(200);

/// `3 a day, 09:00-21:00, Europe/Berlin`.
pub(super) fn rhythm(team: &TeamSettings) -> String {
    let shown = |setting: Setting| setting.shown(team);
    format!(
        "{} a day, {}-{}, {}",
        team.posts_per_day,
        shown(Setting::WindowStart),
        shown(Setting::WindowEnd),
        shown(Setting::Timezone)
    )
}

/// When the first story comes, if there is anything to show; a service that has just begun is given time to plan.
pub(super) async fn first(flow: &Flow) -> Result<Option<Timestamp>, Failure> {
    let until = Instant::now() + PATIENCE;
    loop {
        let status = flow.status(Clock::system().now()).await?;
        let is_hopeless = status.ready + status.to_examine == 0 || Instant::now() > until;
        match status.next {
            Some(next) => return Ok(Some(next.due_at)),
            None if is_hopeless => return Ok(None),
            None => sleep(PAUSE).await,
        }
    }
}

/// What the team reads first.
fn greeting(team: &TeamSettings, first: Option<Timestamp>, is_channel: bool) -> String {
    let comes = match first {
        Some(at) => format!("on {}", moment(at, &team.timezone)),
        None => "as soon as there are pictures in the library".to_owned(),
    };
    let help = if is_channel {
        ""
    } else {
        " /help tells what else I can do."
    };
    format!(
        "👋 Hello! I am Storyline, and bring your stories here: {}. The first comes {comes}.\nPost it to Instagram, and press the \
         button below it that says so; the others are for when you would rather not.{help}",
        rhythm(team)
    )
}

/// Says hello in the team's chat; whether it could.
pub(super) async fn greet_team(
    bot: &Bot,
    place: &Place,
    team: &TeamSettings,
    first: Option<Timestamp>,
) -> bool {
    let text = greeting(team, first, place.is_channel);
    match send(bot, place.chat, place.thread, &text).await {
        Ok(()) => true,
        Err(trouble) => {
            say(&format!(
                "The bot could not say hello in {}: {}",
                place.called,
                trouble.reason()
            ));
            false
        }
    }
}

/// Says hello to the owner. A bot may write only to who wrote to it.
pub(super) async fn greet_owner(bot: &Bot, owner: &Owner) {
    let text = "👋 I am Storyline. Should something be wrong with the box, you are told here, and what to do. /settings in the \
                team's chat has what can be changed.";
    if let Err(trouble) = send(bot, owner.chat, None, text).await {
        say(&format!(
            "The bot cannot write to {} yet: {}",
            owner.called,
            trouble.reason()
        ));
        say(&format!(
            "hint: they write /start to @{} in private, once",
            bot.name
        ));
    }
}

async fn send(bot: &Bot, chat: i64, thread: Option<i32>, text: &str) -> Result<(), Trouble> {
    let mut message = bot
        .client
        .bot
        .send_message(ChatId(chat), plain(text))
        .parse_mode(ParseMode::Html);
    if let Some(thread) = thread {
        message = message.message_thread_id(ThreadId(MessageId(thread)));
    }
    bot.client.call(SMALL_CALL, message).await.map(drop)
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn the_team_is_told_who_speaks_and_when_the_first_story_comes() {
        let team = TeamSettings {
            timezone: TimeZone::get("Europe/Berlin").unwrap(),
            ..TeamSettings::default()
        };
        let at = "2026-11-21T12:05:00Z".parse().unwrap();
        insta::assert_snapshot!(greeting(&team, Some(at), false), @r"
        👋 Hello! I am Storyline, and bring your stories here: 3 a day, 09:00-21:00, Europe/Berlin. The first comes on Sat 21 Nov, 13:05.
        Post it to Instagram, and press the button below it that says so; the others are for when you would rather not. /help tells what else I can do.
        ");
        let hopeless = greeting(&team, None, true);
        assert!(hopeless.contains("as soon as there are pictures") && !hopeless.contains("/help"));
    }
}
