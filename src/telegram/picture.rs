//! What a story's picture is on the wire, and what an answer tells of it.

use teloxide::types::{
    InputFile, InputMedia, InputMediaAnimation, InputMediaPhoto, InputMediaVideo, Message,
    ParseMode,
};

use crate::flow::outlet::{Card, Motion, Picture};

/// A picture in place of the one that a message shows.
pub(super) fn input_media(card: &Card, picture: &Picture, caption: String) -> InputMedia {
    let file = file_of(card, picture);
    match &picture.motion {
        Some(Motion::Video(video)) => {
            let mut media = InputMediaVideo::new(file)
                .thumbnail(InputFile::memory(video.thumbnail.clone()))
                .supports_streaming(true)
                .caption(caption)
                .parse_mode(ParseMode::Html);
            media.width = u16::try_from(video.width_px).ok();
            media.height = u16::try_from(video.height_px).ok();
            media.duration = u16::try_from(video.duration_s).ok();
            InputMedia::Video(media)
        }
        Some(Motion::Animation(_)) => {
            let media = InputMediaAnimation::new(file)
                .caption(caption)
                .parse_mode(ParseMode::Html);
            InputMedia::Animation(media)
        }
        None => {
            let media = InputMediaPhoto::new(file)
                .caption(caption)
                .parse_mode(ParseMode::Html);
            InputMedia::Photo(media)
        }
    }
}

/// What is uploaded of a picture.
pub(super) fn file_of(card: &Card, picture: &Picture) -> InputFile {
    match &picture.motion {
        Some(Motion::Video(video)) => InputFile::file(video.path.clone()),
        Some(Motion::Animation(animation)) => {
            InputFile::memory(animation.bytes.clone()).file_name(animation.name.clone())
        }
        None => {
            InputFile::memory(picture.jpeg.clone()).file_name(format!("story-{}.jpg", card.number))
        }
    }
}

/// The id under which what a message shows can be sent again.
pub(super) fn uploaded(message: &Message) -> Option<String> {
    let photo = message.photo().and_then(|sizes| sizes.last());
    let file = photo
        .map(|photo| &photo.file)
        .or_else(|| message.video().map(|video| &video.file))
        .or_else(|| message.animation().map(|animation| &animation.file))
        .or_else(|| message.document().map(|document| &document.file));
    file.map(|file| file.id.0.clone())
}

/// The message's number in an answer that the library could not read, if the answer says that it went well.
pub(super) fn message_id(raw: &str) -> Option<i32> {
    let answer: serde_json::Value = serde_json::from_str(raw).ok()?;
    if answer.get("ok")?.as_bool()? {
        i32::try_from(answer.get("result")?.get("message_id")?.as_i64()?).ok()
    } else {
        None
    }
}
