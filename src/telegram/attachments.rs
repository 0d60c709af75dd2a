//! Files that go with a call. The request names each of them as `attach://NAME`, and the form that is sent holds it under
//! that name (<https://core.telegram.org/bots/api#sending-files>).

use std::path::PathBuf;

use reqwest::multipart::{Form, Part};
use serde_json::Value;
use teloxide::types::{FileId, InputFile};
use tokio::fs::File;

use super::trouble::Failure;

/// The files of one call.
#[derive(Debug, Default)]
pub struct Attachments(Vec<Attachment>);

#[derive(Debug)]
struct Attachment {
    /// What it is called in the chat.
    file_name: String,
    contents: Contents,
}

#[derive(Debug)]
enum Contents {
    Bytes(Vec<u8>),
    File(PathBuf),
}

impl Attachments {
    /// Attaches bytes that are called so in the chat; returns what the request has in their place.
    pub fn bytes(&mut self, file_name: impl Into<String>, bytes: Vec<u8>) -> InputFile {
        self.add(file_name.into(), Contents::Bytes(bytes))
    }

    /// Attaches a file that is called so in the chat; returns what the request has in its place.
    pub fn file(&mut self, file_name: impl Into<String>, path: PathBuf) -> InputFile {
        self.add(file_name.into(), Contents::File(path))
    }

    fn add(&mut self, file_name: String, contents: Contents) -> InputFile {
        let reference = format!("attach://{}", name(self.0.len()));
        self.0.push(Attachment {
            file_name,
            contents,
        });
        // An id goes into the request as it is.
        InputFile::file_id(FileId(reference))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The form of a call: each field as a text of its own, structured ones as JSON, and the files.
    ///
    /// # Errors
    /// If a file cannot be opened.
    pub(super) async fn form(self, fields: &Value) -> Result<Form, Failure> {
        let mut form = Form::new();
        for (field, value) in fields.as_object().into_iter().flatten() {
            form = match value {
                Value::Null => form,
                Value::String(text) => form.text(field.clone(), text.clone()),
                other => form.text(field.clone(), other.to_string()),
            };
        }
        for (index, attachment) in self.0.into_iter().enumerate() {
            let part = match attachment.contents {
                Contents::Bytes(bytes) => Part::bytes(bytes),
                Contents::File(path) => file_part(path).await.map_err(|error| {
                    Failure::Unreachable(format!("the upload could not be read: {error}"))
                })?,
            };
            form = form.part(name(index), part.file_name(attachment.file_name));
        }
        Ok(form)
    }
}

async fn file_part(path: PathBuf) -> std::io::Result<Part> {
    let file = File::open(path).await?;
    let length = file.metadata().await?.len();
    Ok(Part::stream_with_length(file, length))
}

fn name(index: usize) -> String {
    format!("file{index}")
}
