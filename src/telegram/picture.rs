//! What a story's picture is on the wire, and what an answer tells of it.

use teloxide::types::{
    InputFile, InputMedia, InputMediaAnimation, InputMediaPhoto, InputMediaVideo, Message,
    ParseMode,
};

use super::attachments::Attachments;
use crate::flow::outlet::{Card, Motion, Picture};

/// What the still of a clip is called.
pub(super) const THUMBNAIL: &str = "thumbnail.jpg";

/// A picture in place of the one that a message shows.
pub(super) fn input_media(
    card: &Card,
    picture: &Picture,
    caption: String,
    files: &mut Attachments,
) -> InputMedia {
    let file = file_of(card, picture, files);
    match &picture.motion {
        Some(Motion::Video(video)) => {
            let mut media = InputMediaVideo::new(file)
                .thumbnail(files.bytes(THUMBNAIL, video.thumbnail.clone()))
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
pub(super) fn file_of(card: &Card, picture: &Picture, files: &mut Attachments) -> InputFile {
    match &picture.motion {
        Some(Motion::Video(video)) => files.held(video.name.clone(), &video.file),
        Some(Motion::Animation(animation)) => {
            files.bytes(animation.name.clone(), animation.bytes.clone())
        }
        None => files.bytes(format!("story-{}.jpg", card.number), picture.jpeg.clone()),
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
