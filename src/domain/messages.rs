//! The texts of the team's messages, as the owner wants them; what each of them is and what it may hold.

use super::outcome::Outcome;
use super::template::{Form, Placeholder, Rules, Template};
use super::written::Complaint;

/// The most that a caption holds, in UTF-16 units of visible text.
pub const CAPTION_UNITS: usize = 1024;
/// The most that a message holds, in UTF-16 units of visible text.
pub const TEXT_UNITS: usize = 4096;
/// The most that fits on a button, in UTF-16 units.
const LABEL_UNITS: usize = 40;

/// One of the texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table of settings says what each is for")]
pub enum Text {
    Announcement,
    Caption,
    Reminder,
    Again,
    Needs,
    Away,
    OnIt,
    Later,
    Undone,
    Asking,
    Ended,
    Posted,
    Skipped,
    Rejected,
    Expired,
    Cancelled,
    Missed,
    Failed,
    ButtonPosted,
    ButtonSkip,
    ButtonReject,
    ButtonRejectYes,
    ButtonRejectNo,
    ButtonCopyLink,
    ButtonCopyCaption,
    ButtonOriginal,
    ButtonOnIt,
    ButtonNotOnIt,
    ButtonSwap,
    ButtonLater,
    ButtonUndo,
}

impl Text {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 31] = [
        Self::Announcement,
        Self::Caption,
        Self::Reminder,
        Self::Again,
        Self::Needs,
        Self::Away,
        Self::OnIt,
        Self::Later,
        Self::Undone,
        Self::Asking,
        Self::Ended,
        Self::Posted,
        Self::Skipped,
        Self::Rejected,
        Self::Expired,
        Self::Cancelled,
        Self::Missed,
        Self::Failed,
        Self::ButtonPosted,
        Self::ButtonSkip,
        Self::ButtonReject,
        Self::ButtonRejectYes,
        Self::ButtonRejectNo,
        Self::ButtonCopyLink,
        Self::ButtonCopyCaption,
        Self::ButtonOriginal,
        Self::ButtonOnIt,
        Self::ButtonNotOnIt,
        Self::ButtonSwap,
        Self::ButtonLater,
        Self::ButtonUndo,
    ];

    /// What it is called in the settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Announcement => "announcement",
            Self::Caption => "caption",
            Self::Reminder => "reminder",
            Self::Again => "again",
            Self::Needs => "needs",
            Self::Away => "away",
            Self::OnIt => "on_it",
            Self::Later => "later",
            Self::Undone => "undone",
            Self::Asking => "asking",
            Self::Ended => "ended",
            Self::Posted => "posted",
            Self::Skipped => "skipped",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Missed => "missed",
            Self::Failed => "failed",
            Self::ButtonPosted => "button_posted",
            Self::ButtonSkip => "button_skip",
            Self::ButtonReject => "button_reject",
            Self::ButtonRejectYes => "button_reject_yes",
            Self::ButtonRejectNo => "button_reject_no",
            Self::ButtonCopyLink => "button_copy_link",
            Self::ButtonCopyCaption => "button_copy_caption",
            Self::ButtonOriginal => "button_original",
            Self::ButtonOnIt => "button_on_it",
            Self::ButtonNotOnIt => "button_not_on_it",
            Self::ButtonSwap => "button_swap",
            Self::ButtonLater => "button_later",
            Self::ButtonUndo => "button_undo",
        }
    }

    /// Reads what the owner wrote for it.
    ///
    /// # Errors
    /// What is wrong with it, and what to do.
    pub fn parse(self, source: &str) -> Result<Template, Complaint> {
        Template::parse(source, &self.rules())
    }

    fn rules(self) -> Rules {
        use Placeholder as P;
        let plain = |placeholders, most| Rules {
            form: Form::Plain,
            placeholders,
            required: &[],
            most,
        };
        let status = |placeholders| plain(placeholders, P::Status.most());
        match self {
            Self::Announcement => Rules {
                form: Form::Html,
                placeholders: &[P::Again, P::Title, P::Number, P::Category, P::Due, P::Time],
                required: &[P::Number],
                most: TEXT_UNITS,
            },
            Self::Caption => Rules {
                form: Form::Html,
                placeholders: &[
                    P::Status,
                    P::Again,
                    P::Title,
                    P::Link,
                    P::Tags,
                    P::Caption,
                    P::Needs,
                    P::Details,
                    P::Number,
                    P::Category,
                    P::Due,
                ],
                required: &[P::Status, P::Number],
                most: CAPTION_UNITS,
            },
            Self::Reminder => Rules {
                form: Form::Html,
                placeholders: &[P::Number, P::Title, P::Category, P::Due, P::Time],
                required: &[P::Number],
                most: TEXT_UNITS,
            },
            Self::Again => plain(&[], P::Again.most()),
            Self::Needs => plain(&[], P::Needs.most()),
            Self::Asking => status(&[]),
            Self::Away => status(&[P::When, P::Time]),
            Self::OnIt | Self::Later => status(&[P::Name, P::When, P::Time]),
            Self::Undone => status(&[P::Name]),
            Self::Ended => status(&[P::Outcome, P::Name, P::When, P::Time, P::Took, P::Reason]),
            Self::Posted
            | Self::Skipped
            | Self::Rejected
            | Self::Expired
            | Self::Cancelled
            | Self::Missed
            | Self::Failed => plain(&[], P::Outcome.most()),
            Self::ButtonPosted
            | Self::ButtonSkip
            | Self::ButtonReject
            | Self::ButtonRejectYes
            | Self::ButtonRejectNo
            | Self::ButtonCopyLink
            | Self::ButtonCopyCaption
            | Self::ButtonOriginal
            | Self::ButtonOnIt
            | Self::ButtonNotOnIt
            | Self::ButtonSwap
            | Self::ButtonLater
            | Self::ButtonUndo => Rules {
                form: Form::Label,
                ..plain(&[], LABEL_UNITS)
            },
        }
    }
}

impl From<Outcome> for Text {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Posted => Self::Posted,
            Outcome::Skipped => Self::Skipped,
            Outcome::Rejected => Self::Rejected,
            Outcome::Expired => Self::Expired,
            Outcome::Cancelled => Self::Cancelled,
            Outcome::Missed => Self::Missed,
            Outcome::Failed => Self::Failed,
        }
    }
}

/// All texts, each read and found to be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Messages([Template; Text::ALL.len()]);

impl Messages {
    /// Asks for each of the texts.
    #[must_use]
    pub fn new(text: impl FnMut(Text) -> Template) -> Self {
        Self(Text::ALL.map(text))
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, text: Text) -> &Template {
        &self.0[text as usize]
    }

    /// One of them, where it has no placeholders.
    #[must_use]
    pub fn plain(&self, text: Text) -> String {
        self.get(text).plain()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_found_in_its_place() {
        for (place, text) in Text::ALL.into_iter().enumerate() {
            assert_eq!(place, text as usize, "{text:?}");
        }
    }
}
