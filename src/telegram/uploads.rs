//! Pictures that people send in private: what is in such a message, and what is answered to it at once. The question into
//! which folder it is to go is a message of its own, which follows the records ([`receipt`](super::receipt)).

use jiff::Timestamp;
use teloxide::types::{ChatKind, FileMeta, Message, PhotoSize};

use super::receipt::{Button, key};
use crate::domain::category::Category;
use crate::domain::handin::{Choice, HandedFile, Kind, MOST_WAITING};
use crate::domain::person::{Deed, Person};
use crate::domain::story::MessageRef;
use crate::flow::handin::{Handed, HandedIn, Pick, Picked};
use crate::flow::{Flow, Result};

/// Whether a message hands something in: a picture, a clip or a file, in private.
#[must_use]
pub fn hands_in(message: &Message) -> bool {
    matches!(message.chat.kind, ChatKind::Private(_)) && file(message).is_some()
}

/// Takes what a person of the team hands in; returns what they are told at once, if anything.
///
/// # Errors
/// If the store cannot be written; then it must come again.
pub async fn take(
    flow: &Flow,
    update: u32,
    message: &Message,
    person: &Person,
    most_bytes: u64,
    now: Timestamp,
) -> Result<Option<String>> {
    let Some(file) = file(message) else {
        return Ok(None);
    };
    if !Flow::may(person, Deed::Upload) {
        return Ok(Some(SWITCHED_OFF.to_owned()));
    }
    let handed = Handed {
        update,
        person: person.id,
        chat: message.chat.id.0,
        album: message.media_group_id().map(|album| album.0.clone()),
        file,
        most_bytes,
    };
    Ok(match flow.hand_in(handed, now).await? {
        HandedIn::Noted | HandedIn::Again => None,
        HandedIn::TooMany => Some(format!(
            "{MOST_WAITING} of your files wait for a folder already. Choose one for them, or cancel them, and send this again."
        )),
    })
}

/// What a person is told who chooses a folder for what nobody remembers.
pub const FORGOTTEN: &str = "That was long ago; please send it again.";

/// What a person is told whose access is switched off.
const SWITCHED_OFF: &str = "Your access is switched off; ask an admin.";

/// Does what a button under a sending asks for; returns the answer, as the phone shows it for a moment.
///
/// # Errors
/// If the store cannot be written; then it must come again.
pub async fn press(
    flow: &Flow,
    update: u32,
    button: Button,
    message: MessageRef,
    person: Option<Person>,
    now: Timestamp,
) -> Result<String> {
    let Some(person) = person.filter(|person| Flow::may(person, Deed::Upload)) else {
        return Ok(SWITCHED_OFF.to_owned());
    };
    let folder = match button.folder {
        None => None,
        Some(wanted) => {
            let folders = flow.folders(person.id).await?;
            let Some(folder) = folders.into_iter().find(|folder| key(folder) == wanted) else {
                return Ok("That folder is not there any more; choose another one.".to_owned());
            };
            Some(folder)
        }
    };
    let pick = Pick {
        update,
        hand_in: button.hand_in,
        person: person.id,
        message,
        folder,
    };
    Ok(match flow.pick(pick, now).await? {
        Picked::Done | Picked::Again => String::new(),
        Picked::Already(Choice::Folder(folder)) => {
            format!("It was to go to {} already.", shown(&folder))
        }
        Picked::Already(_) => "It was cancelled already; send it again.".to_owned(),
        Picked::Forgotten => FORGOTTEN.to_owned(),
        Picked::NotTheirs => "Only who sent it may choose.".to_owned(),
    })
}

/// How people see a folder.
#[must_use]
pub fn shown(folder: &Category) -> String {
    format!("{folder}/")
}

/// The file in a message, if there is one that may be a picture or a clip.
fn file(message: &Message) -> Option<HandedFile> {
    let (meta, kind, name): (&FileMeta, Kind, Option<&String>) =
        if let Some(largest) = message.photo().and_then(largest) {
            (&largest.file, Kind::Photo, None)
        } else if let Some(video) = message.video() {
            (&video.file, Kind::Clip, video.file_name.as_ref())
        } else if let Some(animation) = message.animation() {
            (&animation.file, Kind::Clip, animation.file_name.as_ref())
        } else {
            let document = message.document()?;
            let media_type = document
                .mime_type
                .as_ref()
                .map(|mime| mime.type_().as_str());
            let kind = match media_type {
                Some("image") => Kind::Picture,
                Some("video") => Kind::Clip,
                _ => Kind::File,
            };
            (&document.file, kind, document.file_name.as_ref())
        };
    Some(HandedFile {
        message: message.id.0,
        file_id: meta.id.0.clone(),
        kind,
        name: name.cloned(),
        size_bytes: meta.size.into(),
        caption: message.caption().map(str::to_owned),
    })
}

fn largest(sizes: &[PhotoSize]) -> Option<&PhotoSize> {
    sizes
        .iter()
        .max_by_key(|size| u64::from(size.width) * u64::from(size.height))
}
