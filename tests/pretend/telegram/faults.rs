//! Trouble on request: what may go wrong between a call and its answer.

use std::fmt;
use std::time::Duration;

/// One way to fail.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Takes effect; the answer never comes, for as long as the client waits.
    TimeoutAfterAccepting,
    /// Takes effect; the connection closes without an answer.
    DropAfterAccepting,
    /// The connection closes without effect.
    DropBefore,
    /// 429 with these seconds in `parameters.retry_after`; no effect.
    RetryAfter(u64),
    /// This status and HTML body, as from a proxy in front; no effect.
    ServerError(u16, String),
    /// The same after taking effect.
    ServerErrorAfterAccepting(u16, String),
    /// 409, as if another bot were polling; no effect.
    Conflict,
    /// 401; no effect.
    Unauthorized,
    /// Takes effect at once; the answer comes this much later.
    Slow(Duration),
    /// Takes effect; a complete HTTP answer holds half of its JSON.
    HalfAnswer,
    /// Takes effect; the connection breaks in the middle of the answer.
    CutAnswer,
    /// 403 "bot was kicked"; no effect, and only for this call.
    Kicked,
}

impl Fault {
    /// This fault on a method, in any case of its name.
    pub fn on(self, method: &str) -> Planned {
        Planned {
            method: Some(method.to_lowercase()),
            ..self.into()
        }
    }

    pub fn has_effect(&self) -> bool {
        match self {
            Fault::TimeoutAfterAccepting
            | Fault::DropAfterAccepting
            | Fault::ServerErrorAfterAccepting(..)
            | Fault::Slow(_)
            | Fault::HalfAnswer
            | Fault::CutAnswer => true,
            Fault::DropBefore
            | Fault::RetryAfter(_)
            | Fault::ServerError(..)
            | Fault::Conflict
            | Fault::Unauthorized
            | Fault::Kicked => false,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::TimeoutAfterAccepting => write!(f, "accepted, never answered"),
            Fault::DropAfterAccepting => write!(f, "accepted, connection dropped"),
            Fault::DropBefore => write!(f, "connection dropped before acceptance"),
            Fault::RetryAfter(seconds) => write!(f, "429 retry after {seconds}"),
            Fault::ServerError(code, _) => write!(f, "{code} from the proxy"),
            Fault::ServerErrorAfterAccepting(code, _) => {
                write!(f, "accepted, {code} from the proxy")
            }
            Fault::Conflict => write!(f, "409 conflict"),
            Fault::Unauthorized => write!(f, "401 unauthorized"),
            Fault::Slow(time) => write!(f, "accepted, answered {time:?} later"),
            Fault::HalfAnswer => write!(f, "accepted, half of the JSON answered"),
            Fault::CutAnswer => write!(f, "accepted, connection broken in mid-answer"),
            Fault::Kicked => write!(f, "403 kicked"),
        }
    }
}

/// A fault lying in wait: for which calls, and how many of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    pub fault: Fault,
    /// In lower case; any method but `getUpdates` if absent.
    pub method: Option<String>,
    pub chat: Option<i64>,
    pub left: usize,
}

impl From<Fault> for Planned {
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            method: None,
            chat: None,
            left: 1,
        }
    }
}

impl Planned {
    pub fn in_chat(self, chat: i64) -> Self {
        Self {
            chat: Some(chat),
            ..self
        }
    }

    pub fn times(self, left: usize) -> Self {
        Self { left, ..self }
    }

    fn fits(&self, method: &str, chat: Option<i64>) -> bool {
        let method_fits = match &self.method {
            Some(wanted) => *wanted == method,
            None => method != "getupdates",
        };
        method_fits && (self.chat.is_none() || self.chat == chat)
    }
}

/// The fault for this call, if one lies in wait; it is used up.
pub fn take(faults: &mut Vec<Planned>, method: &str, chat: Option<i64>) -> Option<Fault> {
    let method = method.to_lowercase();
    let found = faults
        .iter()
        .position(|planned| planned.fits(&method, chat))?;
    let planned = &mut faults[found];
    planned.left = planned.left.saturating_sub(1);
    let fault = planned.fault.clone();
    if planned.left == 0 {
        faults.remove(found);
    }
    Some(fault)
}
