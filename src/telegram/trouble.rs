//! What goes wrong with Telegram, told apart by what to do next. The texts are those of the Bot API's server. A reason never
//! holds a URL, since the token is in it.

use std::time::Duration;

use teloxide::ApiError;

use crate::flow::outlet::Trouble;

/// Why a call has no answer of use.
#[derive(Clone, Debug)]
pub enum Failure {
    /// Telegram refuses it.
    Refused(ApiError),
    /// Telegram asks for patience.
    Later(Duration),
    /// The chat has this number now.
    Moved(i64),
    /// Nothing was sent.
    Unreachable(String),
    /// It was sent, and no whole answer came back in time.
    Lost(String),
    /// The answer is longer than so many bytes, and was not read.
    TooLong(u64),
    /// What came back is no answer of the Bot API, or one that is newer than the library.
    Strange {
        /// The status of the HTTP answer.
        status: u16,
        /// What it is instead.
        reason: String,
        /// The message that it says is sent, if it does.
        accepted: Option<i32>,
    },
}

impl Failure {
    /// The trouble that it means for whoever asked.
    #[must_use]
    pub fn trouble(&self) -> Trouble {
        match self {
            Self::Refused(error) => refusal(&description(error)),
            Self::Later(wait) => Trouble::Later(*wait),
            Self::Moved(chat) => Trouble::Moved(*chat),
            Self::Unreachable(reason) => Trouble::Unreachable(reason.clone()),
            Self::Lost(reason) => Trouble::Unsure(reason.clone()),
            Self::TooLong(bytes) => Trouble::Unsure(format!(
                "the answer is longer than {bytes} bytes, and was not read"
            )),
            Self::Strange {
                status: status @ 500..,
                ..
            } => Trouble::Unsure(format!("Telegram had trouble: HTTP {status}")),
            Self::Strange { status, reason, .. } => {
                Trouble::Unsure(format!("{reason} (HTTP {status})"))
            }
        }
    }

    /// The message that was sent all the same, by a Telegram that is newer than the library.
    #[must_use]
    pub fn accepted(&self) -> Option<i32> {
        match self {
            Self::Strange { accepted, .. } => *accepted,
            _ => None,
        }
    }
}

/// Whether Telegram refuses the token itself.
#[must_use]
pub fn is_bad_token(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused(ApiError::InvalidToken))
}

/// Whether another process polls with the same token.
#[must_use]
pub fn is_other_poller(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused(error) if description(error).starts_with("Conflict: terminated by other"))
}

/// Whether a webhook is set, so that polling is refused.
#[must_use]
pub fn is_webhook_set(failure: &Failure) -> bool {
    says(failure, "while webhook is active")
}

/// Whether a server refuses to put a picture into a text.
#[must_use]
pub fn is_text_for_good(failure: &Failure) -> bool {
    says(failure, "message can't be edited") || says(failure, "there is no media in the message")
}

/// Whether an edit of a text found a picture.
#[must_use]
pub fn is_no_text(failure: &Failure) -> bool {
    says(failure, "there is no text in the message")
}

/// Why Telegram names no member of a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Untold {
    /// They are not there, and never were, or are nobody.
    Absent,
    /// It does not show the chat's members to this bot, in its own words.
    Hidden(String),
    /// Something else is wrong: it says nothing of the person.
    Unknown,
}

/// What it means for a person that Telegram refused to name them as a member.
#[must_use]
pub fn untold(failure: &Failure) -> Untold {
    let Failure::Refused(error) = failure else {
        return Untold::Unknown;
    };
    let text = description(error);
    let lower = text.to_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| lower.contains(phrase));
    if says(&[
        "user not found",
        "member not found",
        "participant_id_invalid",
        "user_not_participant",
        "user_id_invalid",
        "invalid user_id",
    ]) {
        Untold::Absent
    } else if says(&[
        "member list is inaccessible",
        "chat_admin_required",
        "need administrator rights",
        "not enough rights",
    ]) {
        Untold::Hidden(text)
    } else {
        Untold::Unknown
    }
}

fn says(failure: &Failure, phrase: &str) -> bool {
    matches!(failure, Failure::Refused(error) if description(error).contains(phrase))
}

/// What the server said; the library wraps what it does not know.
fn description(error: &ApiError) -> String {
    match error {
        ApiError::Unknown(text) => text.clone(),
        known => known.to_string(),
    }
}

/// What a refusal means.
fn refusal(text: &str) -> Trouble {
    let lower = text.to_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| lower.contains(phrase));
    if says(&[
        "message to edit not found",
        "message_id_invalid",
        "message to delete not found",
        "message to be replied not found",
    ]) {
        Trouble::Gone
    } else if says(&[
        "internal server error",
        "bad gateway",
        "gateway time",
        "service unavailable",
    ]) {
        // The server failed after it had the request: nobody knows what it did with it.
        Trouble::Unsure(format!("Telegram had trouble: {text}"))
    } else if says(&["invalid bot token", "unauthorized"]) {
        Trouble::Owner(
            "Telegram refuses the bot token; get a new one from @BotFather and set `[telegram] token`".to_owned(),
        )
    } else if says(&["chat not found"]) {
        Trouble::Owner(
            "Telegram does not know the chat; is `[telegram] chat` right, and is the bot in it?"
                .to_owned(),
        )
    } else if says(&["message thread not found"]) {
        Trouble::Owner(
            "Telegram does not know the topic; set `[telegram] thread` to one of the chat, or leave it out".to_owned(),
        )
    } else if says(&[
        "forbidden",
        "bot was kicked",
        "bot is not a member",
        "bot was blocked",
        "not enough rights",
        "need administrator rights",
        "have no rights",
        "chat_write_forbidden",
        "chat_restricted",
        "chat_send_",
        "channel_private",
        "peer_id_invalid",
        "topic_closed",
        "topic_deleted",
        "group is deactivated",
        "upgraded to a supergroup",
        "can't initiate conversation",
    ]) {
        Trouble::Owner(format!(
            "Telegram does not let the bot write in the chat ({text}); add it there, in a channel as an administrator who \
             may post"
        ))
    } else {
        Trouble::Never(format!("Telegram refuses it: {text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_is_told_by_what_to_do_next() {
        for text in [
            "Forbidden: bot was kicked from the supergroup chat",
            "Forbidden: bot is not a member of the channel chat",
            "Bad Request: not enough rights to send photos to the chat",
            "Bad Request: need administrator rights in the channel chat",
            "Bad Request: chat not found",
            "Bad Request: message thread not found",
            "Bad Request: group chat was upgraded to a supergroup chat",
            "Invalid bot token",
        ] {
            assert!(matches!(refusal(text), Trouble::Owner(_)), "{text}");
        }
        for text in [
            "Bad Request: IMAGE_PROCESS_FAILED",
            "Bad Request: PHOTO_INVALID_DIMENSIONS",
            "Bad Request: message caption is too long",
            "Bad Request: can't parse entities: unexpected end",
            "Request Entity Too Large",
            "Bad Request: message can't be edited",
        ] {
            assert!(matches!(refusal(text), Trouble::Never(_)), "{text}");
        }
        assert_eq!(
            refusal("Bad Request: message to edit not found"),
            Trouble::Gone
        );
        for (text, stays_text, has_picture) in [
            ("Bad Request: message can't be edited", true, false),
            (
                "Bad Request: there is no media in the message to edit",
                true,
                false,
            ),
            (
                "Bad Request: there is no text in the message to edit",
                false,
                true,
            ),
            ("Bad Request: IMAGE_PROCESS_FAILED", false, false),
        ] {
            let failure = Failure::Refused(ApiError::Unknown(text.to_owned()));
            assert_eq!(is_text_for_good(&failure), stays_text, "{text}");
            assert_eq!(is_no_text(&failure), has_picture, "{text}");
        }
        let known = Failure::Refused(ApiError::MessageCantBeEdited);
        assert!(is_text_for_good(&known), "{known:?}");
        assert!(matches!(
            refusal("Internal Server Error: try later"),
            Trouble::Unsure(_)
        ));
    }

    #[test]
    fn a_list_that_is_hidden_says_nothing_of_who_is_on_it() {
        let of = |text: &str| untold(&Failure::Refused(ApiError::Unknown(text.to_owned())));
        for text in [
            "Bad Request: PARTICIPANT_ID_INVALID",
            "Bad Request: member not found",
        ] {
            assert_eq!(of(text), Untold::Absent, "{text}");
        }
        assert_eq!(
            untold(&Failure::Refused(ApiError::UserNotFound)),
            Untold::Absent
        );
        for text in [
            "Bad Request: member list is inaccessible",
            "Bad Request: CHAT_ADMIN_REQUIRED",
        ] {
            assert_eq!(of(text), Untold::Hidden(text.to_owned()));
        }
        for text in [
            "Bad Request: chat not found",
            "Forbidden: bot was kicked from the supergroup chat",
            "Internal Server Error",
        ] {
            assert_eq!(of(text), Untold::Unknown, "{text}");
        }
    }
}
