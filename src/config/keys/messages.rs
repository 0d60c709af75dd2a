//! The texts of the team's messages, as they are unless changed.

use super::{Key, Section, TEXT};

pub(super) const SECTION: Section = Section {
    name: "messages",
    doc: "What the team reads. A word in braces is a placeholder, for which each story has its own: `{title}`. A line whose \
          placeholders are all empty vanishes, and the empty lines before it; what stands in `[brackets]` vanishes \
          likewise. A brace or bracket that is to be seen is written twice. A text of several lines stands between three \
          apostrophes. Only `announcement`, `caption` and `reminder` have tags, those of Telegram: `<b>`, `<strong>`, `<i>`, `<em>`, `<u>`, \
          `<ins>`, `<s>`, `<strike>`, `<del>`, `<code>`, `<pre>`, `<blockquote>`, `<tg-spoiler>`, `<span \
          class=\"tg-spoiler\">` and `<a href=\"…\">`, each closed on its own line; there `&lt;` and `&amp;` stand for a plain \
          `<` and `&`. Whatever people write is escaped, and what is too long ends in `…`.",
};

const fn text(name: &'static str, default: &'static str, doc: &'static str) -> Key {
    Key {
        section: SECTION.name,
        name,
        default,
        doc,
        ..TEXT
    }
}

pub(super) const KEYS: [Key; 31] = [
    text(
        "announcement",
        "🖼 #{number}, {time}: <b>{title}</b>\n<i>{again}</i>",
        "The few words that come first and ring; the picture of the story is put into the same message a moment later, and \
         `caption` then stands in their place. `{time}` is when the story is due, as `13:05`, and `{due}` the same with its \
         day; `{title}`, `{category}`, `{again}`. `{number}` must be there.",
    ),
    text(
        "caption",
        "<b>{status}</b>\n<i>{again}</i>\n<b>{title}</b>\n🔗 <code>{link}</code>\n{tags}\n\n{caption}\n{needs}\n\n\
         #{number}[ · {category}] · {due}\n{details}",
        "What stands below the picture of a story. `{status}` is where the story is, one of the texts below; `{again}` and \
         `{needs}` are the texts of that name, where they apply; `{title}`, `{link}`, `{tags}` and `{caption}` are what is \
         said of the media; `{category}` is its category, `{due}` when the story is due, `{number}` how people call it; `{details}` is where its \
         file is, how large, and how often and when it was posted. `verbosity` says which of them are empty. \
         `<a href=\"{link}\">` links to the story's link. `{status}` and `{number}` must be there. 1024 characters are shown: \
         if it is too much, the caption is shortened first, then the tags and the link.",
    ),
    text(
        "reminder",
        "⏰ #{number} {title} waits for a press[ since {time}].",
        "What the team is told when a story waits. May also hold `{category}` and `{due}`; `{number}` must be there.",
    ),
    text(
        "again",
        "Sent again: the first message may not have arrived. If you see both, either one counts.",
        "For `{again}`: the answer to the first message was lost. At most 200 characters.",
    ),
    text(
        "needs",
        "👆 Needs a sticker or a poll by hand.",
        "For `{needs}`: a person must add something that is not a link. At most 120 characters.",
    ),
    text(
        "away",
        "I was away until {time}. If you pressed meanwhile, please press again.",
        "For `{status}`: the service was away for longer than Telegram keeps a press. `{time}` is `13:05` on the story's own \
         day, else `Sat 21 Nov, 13:05`; `{when}` is the same with a word, `at 13:05` or `on Sat 21 Nov, 13:05`.",
    ),
    text(
        "on_it",
        "🙋 {name} is on it since {time}",
        "For `{status}`: somebody is on it. `{name}`, `{time}`, `{when}`.",
    ),
    text(
        "later",
        "🕒 Again {when}, as {name} asked",
        "For `{status}`: it was put off. `{name}`, `{time}`, `{when}`.",
    ),
    text(
        "undone",
        "↩ Taken back by {name}",
        "For `{status}`: its outcome was taken back. `{name}`.",
    ),
    text(
        "asking",
        "Really reject it? It will never be suggested again.",
        "For `{status}`: somebody pressed Reject.",
    ),
    text(
        "ended",
        "{outcome}[ by {name}] {when}[ ({took})][: {reason}]",
        "For `{status}`: it has ended. `{outcome}` is one of the seven texts below, `{name}` is who did it, `{when}` or \
         `{time}` when, `{took}` how long it took, `{reason}` why; where nobody did it there is no name, and so on.",
    ),
    text(
        "posted",
        "✅ Posted",
        "For `{outcome}`: a person posted it.",
    ),
    text(
        "skipped",
        "⏭ Skipped",
        "For `{outcome}`: a person skipped it.",
    ),
    text(
        "rejected",
        "🚫 Rejected",
        "For `{outcome}`: a person rejected it, for ever.",
    ),
    text(
        "expired",
        "⌛ Expired",
        "For `{outcome}`: nobody pressed in time.",
    ),
    text(
        "cancelled",
        "✖ Cancelled",
        "For `{outcome}`: it was cancelled.",
    ),
    text(
        "missed",
        "Missed",
        "For `{outcome}`: it could not be sent in time.",
    ),
    text(
        "failed",
        "Failed",
        "For `{outcome}`: it could not be sent at all.",
    ),
    text(
        "button_posted",
        "✅ Posted",
        "The button for a story that was posted. A label has one line of at most 40 characters.",
    ),
    text("button_skip", "⏭ Skip", "The button for not this time."),
    text(
        "button_reject",
        "🚫 Reject",
        "The button for never; it asks once more.",
    ),
    text(
        "button_reject_yes",
        "🚫 Yes, never again",
        "The button that answers yes.",
    ),
    text(
        "button_reject_no",
        "↩ No, keep it",
        "The button that answers no.",
    ),
    text(
        "button_copy_link",
        "📋 Copy link",
        "The button that copies the link.",
    ),
    text(
        "button_copy_caption",
        "📋 Copy caption",
        "The button that copies the caption.",
    ),
    text(
        "button_original",
        "🖼 Original",
        "The button that fetches the file as it is.",
    ),
    text(
        "button_on_it",
        "🙋 I'm on it",
        "The button for being on it.",
    ),
    text(
        "button_not_on_it",
        "✋ Not any more",
        "The button for being on it no more.",
    ),
    text(
        "button_swap",
        "🔄 Swap",
        "The button for another picture in this place.",
    ),
    text(
        "button_later",
        "🕒 Later",
        "The button that puts a story off.",
    ),
    text(
        "button_undo",
        "↩ Undo",
        "The button that takes an outcome back.",
    ),
];
