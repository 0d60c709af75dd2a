//! What a button carries: a verb, a version, the story, and which of its media it is about, in 26 of the 64 bytes that
//! Telegram allows. Whoever presses can send anything, so what comes back is only a wish; the records decide.

use data_encoding::BASE64URL_NOPAD;

use crate::domain::ids::StoryId;
use crate::flow::act::{Saw, Verb};

/// Raised when the meaning of a button changes; the buttons of old messages are then answered kindly.
const VERSION: char = '2';

/// The most that Telegram lets a button carry, in bytes.
pub const MOST_BYTES: usize = 64;

/// Why a button's data means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoButton {
    /// It is from a version before or after this one.
    OtherVersion,
    /// It is none of ours.
    Foreign,
}

fn letter(verb: Verb) -> char {
    match verb {
        Verb::Posted => 'p',
        Verb::Skip => 's',
        Verb::Reject => 'r',
        Verb::ReallyReject => 'x',
        Verb::Keep => 'k',
        Verb::Claim => 'c',
        Verb::Swap => 'w',
        Verb::Later => 'l',
        Verb::Original => 'o',
        Verb::Undo => 'u',
        Verb::SwapAhead => 'a',
    }
}

/// What the button for this verb on this story carries, after so many swaps.
#[must_use]
pub fn encode(verb: Verb, story: StoryId, swaps: u32) -> String {
    let mut bytes = [0; 17];
    bytes[..16].copy_from_slice(story.as_bytes());
    bytes[16] = swaps.to_le_bytes()[0];
    let payload = BASE64URL_NOPAD.encode(&bytes);
    format!("{}{VERSION}:{payload}", letter(verb))
}

/// What a button meant.
///
/// # Errors
/// If it is of another version, or none of ours.
pub fn decode(data: &str) -> Result<(Verb, StoryId, Saw), NoButton> {
    let (head, payload) = data.split_once(':').ok_or(NoButton::Foreign)?;
    let mut head = head.chars();
    let (Some(letter_found), Some(version), None) = (head.next(), head.next(), head.next()) else {
        return Err(NoButton::Foreign);
    };
    if version != VERSION && version.is_ascii_digit() {
        return Err(NoButton::OtherVersion);
    }
    let verb = Verb::ALL
        .into_iter()
        .find(|verb| letter(*verb) == letter_found)
        .ok_or(NoButton::OtherVersion)?;
    let bytes = BASE64URL_NOPAD
        .decode(payload.as_bytes())
        .map_err(|_| NoButton::Foreign)?;
    let [story @ .., swaps]: [u8; 17] = bytes.try_into().map_err(|_| NoButton::Foreign)?;
    Ok((verb, StoryId::from_bytes(story), Saw::Swaps(swaps)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_button_comes_back_as_it_was_and_fits(bytes in any::<[u8; 16]>(), swaps in any::<u32>()) {
            let story = StoryId::from_bytes(bytes);
            for verb in Verb::ALL {
                let data = encode(verb, story, swaps);
                prop_assert!(data.len() <= MOST_BYTES);
                prop_assert_eq!(decode(&data), Ok((verb, story, Saw::after(swaps))));
            }
        }

        #[test]
        fn whatever_somebody_sends_is_no_panic(data in ".{0,70}") {
            let _ = decode(&data);
        }
    }

    #[test]
    fn an_old_button_is_told_from_a_foreign_one() {
        assert_eq!(
            decode("p0:AAAAAAAAAAAAAAAAAAAAAA"),
            Err(NoButton::OtherVersion)
        );
        assert_eq!(
            decode("z2:AAAAAAAAAAAAAAAAAAAAAA"),
            Err(NoButton::OtherVersion)
        );
        assert_eq!(decode("hello"), Err(NoButton::Foreign));
        assert_eq!(decode("p2:short"), Err(NoButton::Foreign));
    }
}
