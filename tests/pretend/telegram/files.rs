//! Files: taking them in, giving them ids and sizes, and handing them out again.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::body::Bytes;
use serde_json::{Value, json};

use super::chat::State;
use super::limits::{self, DOWNLOAD_BYTES, Refusal, Reply, UPLOAD_BYTES};
use super::message::{Media, MediaKind, Size};
use super::request::{Params, Upload};

/// The longest sides that a photo is scaled to.
const BOXES: [u32; 4] = [90, 320, 800, 1280];

/// The media that a parameter means: a part of this request, or a file id from before.
pub fn given(
    state: &mut State,
    params: &Params,
    field: &str,
    kind: MediaKind,
) -> Result<Media, Refusal> {
    let wrong = || Refusal::bad("wrong file identifier/HTTP URL specified");
    if let Some(upload) = params.files.get(field) {
        return uploaded(state, params, upload, kind);
    }
    let word = params
        .text(field)
        .ok_or_else(|| Refusal::bad(format!("there is no {} in the request", kind.word())))?;
    if let Some(name) = word.strip_prefix("attach://") {
        let upload = params.files.get(name).ok_or_else(wrong)?;
        return uploaded(state, params, upload, kind);
    }
    if word.starts_with("http://") || word.starts_with("https://") {
        return Err(Refusal::bad("failed to get HTTP URL content"));
    }
    let known = state.files.get(&word).ok_or_else(wrong)?;
    if known.kind != kind {
        let name = |kind: MediaKind| {
            let word = kind.word();
            word[..1].to_uppercase() + &word[1..]
        };
        return Err(Refusal::bad(format!(
            "can't use file of type {} as {}",
            name(known.kind),
            name(kind)
        )));
    }
    Ok(known.clone())
}

fn uploaded(
    state: &mut State,
    params: &Params,
    upload: &Upload,
    kind: MediaKind,
) -> Result<Media, Refusal> {
    if upload.bytes.is_empty() {
        return Err(Refusal::bad("file must be non-empty"));
    }
    if upload.bytes.len() > UPLOAD_BYTES {
        return Err(Refusal::too_large());
    }
    let number = |name: &str| {
        params
            .integer(name)
            .and_then(|number| u32::try_from(number).ok())
    };
    let (width, height) = match kind {
        MediaKind::Photo => limits::photo(&upload.bytes)?,
        // Telegram shows a clip as a square when nobody says what shape it has.
        _ => (
            number("width").unwrap_or(320),
            number("height").unwrap_or(320),
        ),
    };
    let mut media = stored(
        state,
        kind,
        upload.bytes.clone(),
        upload.file_name.as_deref(),
        upload.mime.as_deref(),
        (width, height),
    );
    media.duration = number("duration").unwrap_or(0);
    remember(state, &media);
    Ok(media)
}

/// Keeps a file under new ids.
pub fn stored(
    state: &mut State,
    kind: MediaKind,
    bytes: Bytes,
    name: Option<&str>,
    mime: Option<&str>,
    (width, height): (u32, u32),
) -> Media {
    let number = state.next();
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    let content = hasher.finish();
    let ending = name
        .and_then(|name| name.rsplit_once('.'))
        .map(|(_, ending)| ending);
    let ending = match kind {
        MediaKind::Photo => "jpg",
        MediaKind::Document => ending.unwrap_or("bin"),
        _ => "mp4",
    };
    let mut media = Media {
        kind,
        file_id: format!("BQAC{number:06}pretend{content:016x}"),
        unique_id: format!("AgAD{content:016x}"),
        path: format!("{}/file_{number}.{ending}", kind.plural()),
        file_name: name.filter(|_| kind != MediaKind::Photo).map(str::to_owned),
        mime: match kind {
            MediaKind::Photo => None,
            MediaKind::Document => Some(mime.unwrap_or("application/octet-stream").to_owned()),
            _ => Some("video/mp4".to_owned()),
        },
        width,
        height,
        duration: 0,
        sizes: Vec::new(),
        bytes,
    };
    if kind == MediaKind::Photo {
        media.sizes = sizes(&media, number, content);
        if let Some(largest) = media.sizes.last() {
            media.file_id = largest.file_id.clone();
            media.unique_id = largest.unique_id.clone();
        }
    }
    remember(state, &media);
    media
}

fn sizes(media: &Media, number: u64, content: u64) -> Vec<Size> {
    let longest = media.width.max(media.height);
    let mut sizes = Vec::new();
    for (letter, side) in ["s", "m", "x", "y"].into_iter().zip(BOXES) {
        let fits = longest <= side;
        let scaled = |length: u32| match fits {
            true => length,
            false => (u64::from(length) * u64::from(side) / u64::from(longest)).max(1) as u32,
        };
        let (width, height) = (scaled(media.width), scaled(media.height));
        let share = f64::from(width) * f64::from(height)
            / (f64::from(media.width) * f64::from(media.height));
        sizes.push(Size {
            file_id: format!("AgAC{number:06}pretend{content:016x}{letter}"),
            unique_id: format!("AQAD{content:016x}{letter}"),
            width,
            height,
            bytes: ((media.bytes.len() as f64 * share) as usize).max(1),
        });
        if fits {
            break;
        }
    }
    sizes
}

fn remember(state: &mut State, media: &Media) {
    for size in &media.sizes {
        state.files.insert(size.file_id.clone(), media.clone());
    }
    state.files.insert(media.file_id.clone(), media.clone());
}

pub fn get_file(state: &mut State, params: &Params) -> Reply {
    let id = params.text("file_id").unwrap_or_default();
    let media = state
        .files
        .get(&id)
        .ok_or_else(|| Refusal::bad("wrong file_id or the file is temporarily unavailable"))?;
    if media.bytes.len() > DOWNLOAD_BYTES {
        return Err(Refusal::bad("file is too big"));
    }
    let size = media.sizes.iter().find(|size| size.file_id == id);
    let shape: Value = json!({
        "file_id": id,
        "file_unique_id": size.map_or(&media.unique_id, |size| &size.unique_id),
        "file_size": media.bytes.len(),
        "file_path": media.path,
    });
    Ok(shape)
}
