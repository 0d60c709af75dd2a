//! Every message and its buttons, as they are unless the owner changed them.

use super::tests::{card, messages};
use super::*;
use crate::domain::entry::Snapshot;
use crate::domain::media::Metadata;
use crate::domain::outcome::Outcome;
use crate::domain::person::PersonId;
use crate::domain::story::{Claim, Later};
use crate::flow::outlet::Awaiting;

/// A message as it is seen: its text, and its buttons a row a line.
fn seen(name: &str, card: &Card) -> String {
    let rows: Vec<String> = keyboard(card, &messages())
        .inline_keyboard
        .iter()
        .map(|row| {
            let labels: Vec<_> = row.iter().map(|button| button.text.as_str()).collect();
            format!("| {} |", labels.join(" | "))
        })
        .collect();
    format!(
        "== {name}\n{}\n{}\n",
        super::caption(card, &messages()),
        rows.join("\n")
    )
    .trim_end()
    .to_owned()
}

#[test]
fn every_state_of_a_message() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let full = Card {
        sent_again: false,
        ..card(
            "Summer <tee>",
            "New drop & more",
            "https://shop.example.com/tee",
            &["new drop".into()],
        )
    };
    let bare = |needs: bool| Card {
        media: Snapshot {
            metadata: Metadata {
                requires_interaction: needs.then_some(true),
                ..Metadata::default()
            },
            ..full.media.clone()
        },
        ..full.clone()
    };
    let waiting = |awaiting: Awaiting| CardStatus::Awaiting(awaiting);
    let ended =
        |outcome, by: Option<&str>, took, reason: Option<&str>, may_undo| CardStatus::Ended {
            outcome,
            by: by.map(str::to_owned),
            at: at("2026-11-21T13:45:00Z"),
            took,
            reason: reason.map(str::to_owned),
            may_undo,
        };
    let with = |status: CardStatus| Card {
        status,
        ..bare(false)
    };
    let took = Some(SignedDuration::from_mins(40));
    let states = [
        ("new", full.clone()),
        (
            "sent again",
            Card {
                sent_again: true,
                ..full.clone()
            },
        ),
        ("nothing is said of it", bare(false)),
        ("nothing is said of it, and it needs a hand", bare(true)),
        ("caption alone", {
            let mut card = bare(true);
            card.media.metadata.caption = Some("A caption\nof two lines".into());
            card
        }),
        (
            "may be put off",
            with(waiting(Awaiting {
                may_put_off: true,
                ..Awaiting::default()
            })),
        ),
        (
            "on it",
            with(waiting(Awaiting {
                claim: Some(Claim {
                    person: PersonId(7),
                    name: "Ann <3".into(),
                    at: at("2026-11-21T13:10:00Z"),
                }),
                ..Awaiting::default()
            })),
        ),
        (
            "later",
            with(waiting(Awaiting {
                later: Some(Later {
                    by: "Ann".into(),
                    at: at("2026-11-21T15:10:00Z"),
                }),
                ..Awaiting::default()
            })),
        ),
        (
            "later, another day",
            with(waiting(Awaiting {
                later: Some(Later {
                    by: "Ann".into(),
                    at: at("2026-11-22T15:10:00Z"),
                }),
                ..Awaiting::default()
            })),
        ),
        (
            "taken back",
            with(waiting(Awaiting {
                undone_by: Some("Ann".into()),
                ..Awaiting::default()
            })),
        ),
        (
            "away",
            with(waiting(Awaiting {
                offered_again_at: Some(at("2026-11-21T14:00:00Z")),
                ..Awaiting::default()
            })),
        ),
        ("asking", with(CardStatus::AskingReject)),
        (
            "posted, may be undone",
            with(ended(Outcome::Posted, Some("Ann"), took, None, true)),
        ),
        (
            "posted",
            with(ended(Outcome::Posted, Some("Ann"), took, None, false)),
        ),
        (
            "skipped",
            with(ended(Outcome::Skipped, Some("Ann"), None, None, false)),
        ),
        (
            "rejected",
            with(ended(Outcome::Rejected, None, took, None, false)),
        ),
        (
            "expired",
            with(ended(Outcome::Expired, None, None, None, false)),
        ),
        (
            "cancelled",
            with(ended(
                Outcome::Cancelled,
                None,
                None,
                Some("the file is gone"),
                false,
            )),
        ),
        (
            "missed",
            with(ended(Outcome::Missed, None, None, None, false)),
        ),
        (
            "failed",
            with(ended(
                Outcome::Failed,
                None,
                None,
                Some("the picture is <broken>"),
                false,
            )),
        ),
    ];
    let seen: Vec<String> = states.iter().map(|(name, card)| seen(name, card)).collect();
    insta::assert_snapshot!(seen.join("\n\n"), @r#"
    == new
    <b>Summer &lt;tee&gt;</b>
    🔗 <code>https://shop.example.com/tee</code>
    #new_drop

    New drop &amp; more

    #47 · merch · Sat 21 Nov, 14:05
    | ✅ Posted | ⏭ Skip | 🚫 Reject |
    | 📋 Copy link | 📋 Copy caption |
    | 🖼 Original | 🙋 I'm on it |
    | 🔄 Swap |

    == sent again
    <i>Sent again: the first message may not have arrived. If you see both, either one counts.</i>
    <b>Summer &lt;tee&gt;</b>
    🔗 <code>https://shop.example.com/tee</code>
    #new_drop

    New drop &amp; more

    #47 · merch · Sat 21 Nov, 14:05
    | ✅ Posted | ⏭ Skip | 🚫 Reject |
    | 📋 Copy link | 📋 Copy caption |
    | 🖼 Original | 🙋 I'm on it |
    | 🔄 Swap |

    == nothing is said of it
    <b>under_score*.jpg</b>

    #47 · merch · Sat 21 Nov, 14:05
    | ✅ Posted | ⏭ Skip | 🚫 Reject |
    | 🖼 Original | 🙋 I'm on it |
    | 🔄 Swap |

    == nothing is said of it, and it needs a hand
    <b>under_score*.jpg</b>
    👆 Needs a sticker or a poll by hand.

    #47 · merch · Sat 21 Nov, 14:05
    | ✅ Posted | ⏭ Skip | 🚫 Reject |
    | 🖼 Original | 🙋 I'm on it |
    | 🔄 Swap |

    == caption alone
    <b>under_score*.jpg</b>

    A caption
    of two lines
    👆 Needs a sticker or a poll by hand.

    #47 · merch · Sat 21 Nov, 14:05
    | ✅ Posted | ⏭ Skip | 🚫 Reject |
    | 📋 Copy caption |
    | 🖼 Original | 🙋 I'm on it |
    | 🔄 Swap |

    == may be put off
    <b>under_score*.jpg</b>

    #47 · merch · Sat 21 Nov, 14:05
    | ✅ Posted | ⏭ Skip | 🚫 Reject |
    | 🖼 Original | 🙋 I'm on it |
    | 🔄 Swap | 🕒 Later |

    == on it
    <b>🙋 Ann &lt;3 is on it since 14:10</b>
    <b>under_score*.jpg</b>

    #47 · merch · Sat 21 Nov, 14:05
    | ✅ Posted | ⏭ Skip | 🚫 Reject |
    | 🖼 Original | ✋ Not any more |
    | 🔄 Swap |

    == later
    <b>🕒 Again at 16:10, as Ann asked</b>
    <b>under_score*.jpg</b>

    #47 · merch · Sat 21 Nov, 14:05
    | ✅ Posted | ⏭ Skip | 🚫 Reject |
    | 🖼 Original | 🙋 I'm on it |
    | 🔄 Swap |

    == later, another day
    <b>🕒 Again on Sun 22 Nov, 16:10, as Ann asked</b>
    <b>under_score*.jpg</b>

    #47 · merch · Sat 21 Nov, 14:05
    | ✅ Posted | ⏭ Skip | 🚫 Reject |
    | 🖼 Original | 🙋 I'm on it |
    | 🔄 Swap |

    == taken back
    <b>↩ Taken back by Ann</b>
    <b>under_score*.jpg</b>

    #47 · merch · Sat 21 Nov, 14:05
    | ✅ Posted | ⏭ Skip | 🚫 Reject |
    | 🖼 Original | 🙋 I'm on it |
    | 🔄 Swap |

    == away
    <b>I was away until 15:00. If you pressed meanwhile, please press again.</b>
    <b>under_score*.jpg</b>

    #47 · merch · Sat 21 Nov, 14:05
    | ✅ Posted | ⏭ Skip | 🚫 Reject |
    | 🖼 Original | 🙋 I'm on it |
    | 🔄 Swap |

    == asking
    <b>Really reject it? It will never be suggested again.</b>
    <b>under_score*.jpg</b>

    #47 · merch · Sat 21 Nov, 14:05
    | 🚫 Yes, never again | ↩ No, keep it |

    == posted, may be undone
    <b>✅ Posted by Ann at 14:45 (40 min)</b>
    <b>under_score*.jpg</b>

    #47 · merch · Sat 21 Nov, 14:05
    | ↩ Undo |

    == posted
    <b>✅ Posted by Ann at 14:45 (40 min)</b>
    <b>under_score*.jpg</b>

    #47 · merch · Sat 21 Nov, 14:05

    == skipped
    <b>⏭ Skipped by Ann at 14:45</b>
    <b>under_score*.jpg</b>

    #47 · merch · Sat 21 Nov, 14:05

    == rejected
    <b>🚫 Rejected at 14:45</b>
    <b>under_score*.jpg</b>

    #47 · merch · Sat 21 Nov, 14:05

    == expired
    <b>⌛ Expired at 14:45</b>
    <b>under_score*.jpg</b>

    #47 · merch · Sat 21 Nov, 14:05

    == cancelled
    <b>✖ Cancelled at 14:45: the file is gone</b>
    <b>under_score*.jpg</b>

    #47 · merch · Sat 21 Nov, 14:05

    == missed
    <b>Missed at 14:45</b>
    <b>under_score*.jpg</b>

    #47 · merch · Sat 21 Nov, 14:05

    == failed
    <b>Failed at 14:45: the picture is &lt;broken&gt;</b>
    <b>under_score*.jpg</b>

    #47 · merch · Sat 21 Nov, 14:05
    "#);
}
