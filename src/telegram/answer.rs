//! What an answer of the Bot API means (<https://core.telegram.org/bots/api#making-requests>). Not every answer is one: a
//! proxy, a filter or a hotel's sign-in page may have given it.

use std::time::Duration;

use serde::Deserialize;
use serde::de::value::{Error, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde_json::Value;
use teloxide::ApiError;

use super::trouble::Failure;
use crate::system::http_client::HttpAnswer;

/// What is around each answer.
#[derive(Deserialize)]
struct Envelope<R> {
    ok: bool,
    // Named by a function, so that `R` itself need not have a default.
    #[serde(default = "nothing")]
    result: Option<R>,
    // A server of others may say `null` where Telegram says nothing.
    #[serde(default)]
    error_code: Option<u16>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    parameters: Option<Parameters>,
}

fn nothing<R>() -> Option<R> {
    None
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct Parameters {
    /// In seconds.
    retry_after: Option<u32>,
    migrate_to_chat_id: Option<i64>,
}

/// How long it is waited where an answer asks for patience and does not say how much.
const SOME_PATIENCE: Duration = Duration::from_secs(30);

/// The result in an answer. Whatever is told of a failure is cleaned of secrets first: servers repeat what they were asked.
pub(super) fn understood<R: DeserializeOwned>(
    answer: &HttpAnswer,
    clean: impl Fn(&str) -> String,
) -> Result<R, Failure> {
    let strange = |reason: &str, accepted| Failure::Strange {
        status: answer.status,
        reason: reason.to_owned(),
        accepted,
    };
    let Ok(text) = std::str::from_utf8(&answer.body) else {
        return Err(strange("the answer is no text", None));
    };
    match serde_json::from_str::<Envelope<R>>(text) {
        Ok(Envelope {
            ok: true,
            result: Some(result),
            ..
        }) => Ok(result),
        Ok(refused) if !refused.ok => Err(refusal(answer.status, &refused, clean)),
        Ok(_) => Err(strange("the answer is empty", None)),
        Err(_) if text.trim_start().starts_with('<') => Err(strange(
            "a web page came in place of an answer; does a sign-in page, a filter or a proxy stand between?",
            None,
        )),
        Err(_) => Err(strange("the answer was not understood", message_id(text))),
    }
}

/// What a refusal is, by its number first: 400 to 499 say that the request was not carried out. A failure of the server's, and
/// words that nobody knows without a number, leave it in doubt.
fn refusal<R>(status: u16, refused: &Envelope<R>, clean: impl Fn(&str) -> String) -> Failure {
    let Parameters {
        retry_after,
        migrate_to_chat_id,
    } = refused.parameters.unwrap_or_default();
    if let Some(seconds) = retry_after {
        return Failure::Later(Duration::from_secs(seconds.into()));
    }
    if let Some(chat) = migrate_to_chat_id {
        return Failure::Moved(chat);
    }
    let description = clean(refused.description.as_deref().unwrap_or_default());
    let known: StrDeserializer<'_, Error> = description.as_str().into_deserializer();
    let error = ApiError::deserialize(known).unwrap_or(ApiError::Unknown(description.clone()));
    let number = refused.error_code.or((status >= 400).then_some(status));
    match number {
        Some(429) => Failure::Later(SOME_PATIENCE),
        Some(400..500) => Failure::Refused(error),
        None if !matches!(error, ApiError::Unknown(_)) => Failure::Refused(error),
        _ => Failure::Strange {
            status: number.unwrap_or(status),
            reason: format!("Telegram had trouble: {description}"),
            accepted: None,
        },
    }
}

/// The message's number in an answer that the library could not read, if the answer says that it went well.
fn message_id(text: &str) -> Option<i32> {
    let answer: Value = serde_json::from_str(text).ok()?;
    if answer.get("ok")?.as_bool()? {
        i32::try_from(answer.get("result")?.get("message_id")?.as_i64()?).ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use teloxide::types::{Message, True, Update, UpdateKind};

    use super::*;
    use crate::flow::outlet::Trouble;

    fn read<R: DeserializeOwned>(status: u16, body: &str) -> Result<R, Failure> {
        let answer = HttpAnswer {
            status,
            date: None,
            body: body.as_bytes().to_vec(),
        };
        understood(&answer, |text| text.replace("123456:TEST", "[redacted]"))
    }

    #[test]
    fn a_result_is_read_and_a_refusal_is_told_apart() {
        assert!(read::<True>(200, r#"{"ok":true,"result":true}"#).is_ok());
        let nothing_said =
            r#"{"ok":true,"result":true,"error_code":null,"description":null,"parameters":null}"#;
        assert!(read::<True>(200, nothing_said).is_ok());
        let refused = read::<True>(
            403,
            r#"{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}"#,
        );
        assert!(
            matches!(refused, Err(Failure::Refused(ApiError::BotBlocked))),
            "{refused:?}"
        );
        let unknown = read::<True>(
            400,
            r#"{"ok":false,"description":"no /bot123456:TEST/x here","parameters":{"new":1}}"#,
        );
        let Err(Failure::Refused(ApiError::Unknown(text))) = unknown else {
            panic!("{unknown:?}");
        };
        assert_eq!(text, "no /bot[redacted]/x here");
        let later = read::<True>(
            429,
            r#"{"ok":false,"description":"x","parameters":{"retry_after":7}}"#,
        );
        assert!(matches!(later, Err(Failure::Later(wait)) if wait.as_secs() == 7));
        let moved = read::<True>(
            400,
            r#"{"ok":false,"parameters":{"migrate_to_chat_id":-1009}}"#,
        );
        assert!(matches!(moved, Err(Failure::Moved(-1009))));
    }

    #[test]
    fn a_refusal_is_judged_by_its_number_first() {
        let odd = "the hamster sleeps";
        for (status, code, text, is_refused) in [
            (400, Some(400), odd, true),
            (403, Some(403), odd, true),
            (200, Some(404), odd, true),
            (400, None, odd, true),
            (500, Some(500), odd, false),
            (200, Some(502), odd, false),
            (503, None, odd, false),
            (200, None, odd, false),
            (200, Some(500), "Bad Request: chat not found", false),
            (200, None, "Bad Request: chat not found", true),
        ] {
            let code = code.map_or_else(String::new, |code| format!(r#""error_code":{code},"#));
            let body = format!(r#"{{"ok":false,{code}"description":"{text}"}}"#);
            let failure = read::<True>(status, &body).unwrap_err();
            let case = format!("{status} {body}: {failure:?}");
            assert_eq!(matches!(failure, Failure::Refused(_)), is_refused, "{case}");
            let is_unsure = matches!(failure.trouble(), Trouble::Unsure(_));
            assert_eq!(is_unsure, !is_refused, "{case}");
        }
        let impatient = r#"{"ok":false,"error_code":429,"description":"Too Many Requests"}"#;
        let failure = read::<True>(429, impatient).unwrap_err();
        assert!(matches!(failure, Failure::Later(_)), "{failure:?}");
    }

    #[test]
    fn what_is_no_answer_is_named() {
        for (body, told) in [
            ("<!DOCTYPE html><html>Sign in</html>", "web page"),
            ("\n <html>502 Bad Gateway", "web page"),
            ("", "not understood"),
            ("ok", "not understood"),
            (r#"{"ok":true}"#, "empty"),
            (r#"{"ok":true,"result":"half"#, "not understood"),
            (r#"["ok"]"#, "not understood"),
        ] {
            let failure = read::<True>(200, body).unwrap_err();
            assert!(
                failure.trouble().reason().contains(told),
                "{body}: {failure:?}"
            );
        }
        let answer = HttpAnswer {
            status: 200,
            date: None,
            body: vec![0xff, 0xfe],
        };
        let failure = understood::<True>(&answer, str::to_owned).unwrap_err();
        assert!(
            failure.trouble().reason().contains("no text"),
            "{failure:?}"
        );
    }

    #[test]
    fn a_message_of_a_newer_telegram_is_known_to_be_there() {
        let failure =
            read::<Message>(200, r#"{"ok":true,"result":{"message_id":7,"new":1}}"#).unwrap_err();
        assert!(
            matches!(
                failure,
                Failure::Strange {
                    accepted: Some(7),
                    ..
                }
            ),
            "{failure:?}"
        );
    }

    #[test]
    fn an_update_of_a_new_kind_does_not_hide_the_others() {
        let body = r#"{"ok":true,"result":[{"update_id":1,"new":17},{"update_id":2,"message":{"new":true}}]}"#;
        let updates: Vec<Update> = read(200, body).unwrap();
        assert_eq!(updates.len(), 2);
        assert!(
            updates
                .iter()
                .all(|update| matches!(update.kind, UpdateKind::Error(_)))
        );
    }
}
