//! `storyline media render`: the picture that people will see, as a file.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::find;
use crate::appliance::open_cache;
use crate::cli::exit::told;
use crate::cli::{Failure, Seat};
use crate::domain::media::Media;
use crate::library::{Form, Original, rendered};
use crate::system::storage::why;

#[derive(Debug, Args)]
pub(in crate::cli) struct Render {
    /// The media: its path, the end of its path, or the beginning of its fingerprint
    media: String,
    /// What it is made for
    #[arg(long = "as", value_name = "FORM", value_enum, default_value_t)]
    form: Shape,
    /// The file to write; one that is there is left alone
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Shape {
    /// A story of 1080 × 1920 pixels, as Instagram shows it
    #[default]
    Story,
    /// As the chat shows it
    Preview,
    /// Small
    Thumbnail,
}

#[derive(Serialize)]
struct Done {
    path: String,
    output: PathBuf,
    bytes: usize,
}

pub(super) async fn run(seat: &Seat, options: Render) -> Result<(), Failure> {
    let media = find(seat, &options.media).await?;
    let form = match options.form {
        Shape::Story => Form::Story(seat.config.team.framing),
        Shape::Preview => Form::Preview,
        Shape::Thumbnail => Form::Thumbnail,
    };
    let jpeg = picture(seat, &media, form)?;
    write(&options.output, &jpeg)?;
    let done = Done {
        path: media.path,
        output: options.output,
        bytes: jpeg.len(),
    };
    let sentence = format!("`{}` is written.", done.output.display());
    seat.print.done(&done, &sentence)
}

fn picture(seat: &Seat, media: &Media, form: Form) -> Result<Vec<u8>, Failure> {
    if media.format.is_clip() {
        return Err(Failure::Usage(told(
            format!("`{}` is a clip", media.path),
            "a clip is shown as it is; only pictures are rendered",
        )));
    }
    let path = seat.config.team.library.join(&media.path);
    let unreadable = |reason: String| {
        Failure::Unavailable(told(
            format!("`{}` cannot be read: {reason}", path.display()),
            "`storyline media show` tells where it lies, and what is known of it",
        ))
    };
    let original = Original::read(&seat.config.team.library, &media.path)
        .map_err(|error| unreadable(error.to_string()))?;
    let fingerprint = original.fingerprint();
    if fingerprint != media.fingerprint {
        return Err(unreadable("it is another picture by now".to_owned()));
    }
    let cache = open_cache(&seat.config, &seat.clock);
    rendered(&original, &fingerprint, form, &cache)
        .map_err(|reason| Failure::plain(format!("`{}`: {reason}", media.path)))
}

fn write(path: &Path, jpeg: &[u8]) -> Result<(), Failure> {
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| file.write_all(jpeg));
    written.map_err(|error| {
        let hint = match error.kind() {
            ErrorKind::AlreadyExists => "remove it first, or give another name",
            _ => "give a place where you may write",
        };
        let error = format!(
            "`{}` cannot be written: {}",
            path.display(),
            why(path, &error)
        );
        Failure::Other(told(error, hint))
    })
}
