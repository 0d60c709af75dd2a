//! Files that go with a call. The request names each of them as `attach://NAME`, and the form that is sent holds it under
//! that name (<https://core.telegram.org/bots/api#sending-files>). A file is given open, and never by its path: what was
//! examined is what leaves.

use std::fs::File;
use std::io;

use futures_util::Stream;
use futures_util::stream::try_unfold;
use reqwest::multipart::{Form, Part};
use serde_json::Value;
use teloxide::types::{FileId, InputFile};

use super::trouble::Failure;
use crate::flow::held::Held;
use crate::system::background::blocking;
use crate::system::http_client::part_of;

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
    File(File),
    Held(Held),
}

impl Attachments {
    /// Attaches bytes that are called so in the chat; returns what the request has in their place.
    pub fn bytes(&mut self, file_name: impl Into<String>, bytes: Vec<u8>) -> InputFile {
        self.add(file_name.into(), Contents::Bytes(bytes))
    }

    /// Attaches a file, from where it is read now, that is called so in the chat; returns what the request has in its place.
    pub fn file(&mut self, file_name: impl Into<String>, file: File) -> InputFile {
        self.add(file_name.into(), Contents::File(file))
    }

    /// Attaches a file that leaves only if it is what was examined; returns what the request has in its place.
    pub fn held(&mut self, file_name: impl Into<String>, file: &Held) -> InputFile {
        self.add(file_name.into(), Contents::Held(file.clone()))
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
    /// If a file cannot be read.
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
                Contents::File(file) => file_part(file).await.map_err(|error| {
                    Failure::Unreachable(format!("the upload could not be read: {error}"))
                })?,
                Contents::Held(held) => part_of(pieces(&held), held.size_bytes()),
            };
            form = form.part(name(index), part.file_name(attachment.file_name));
        }
        Ok(form)
    }
}

async fn file_part(file: File) -> io::Result<Part> {
    let file = tokio::fs::File::from_std(file);
    let length = file.metadata().await?.len();
    Ok(Part::stream_with_length(file, length))
}

/// The bytes of a file that is held open, read while they leave, on a thread that may block.
fn pieces(held: &Held) -> impl Stream<Item = io::Result<Vec<u8>>> + Send + 'static {
    try_unfold(held.pieces(), |mut pieces| async move {
        let read = blocking(move || pieces.next_piece().map(|piece| (piece, pieces)));
        let (piece, pieces) = read.await.map_err(io::Error::other)??;
        Ok((!piece.is_empty()).then_some((piece, pieces)))
    })
}

fn name(index: usize) -> String {
    format!("file{index}")
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::os::unix::fs::FileExt;
    use std::time::Duration;

    use serde_json::json;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use crate::domain::media::Fingerprint;
    use crate::system::http_client::{Body, HttpClient, Limits};
    use crate::system::network::Network;

    /// What a server gets of an upload, and whether the call fails.
    async fn uploaded(held: &Held) -> (Vec<u8>, bool) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut got = Vec::new();
            let mut piece = [0; 4096];
            loop {
                match connection.read(&mut piece).await {
                    Ok(0) | Err(_) => return got,
                    Ok(length) => got.extend(&piece[..length]),
                }
                if got.ends_with(b"--\r\n") {
                    return got;
                }
            }
        };
        let mut files = Attachments::default();
        files.held("a.mp4", held);
        let form = files.form(&json!({"chat_id": 1})).await.unwrap();
        let limits = Limits {
            bytes: 1000,
            time: Duration::from_secs(20),
        };
        let client = HttpClient::new(&Network::default()).unwrap();
        let call = client.call(url.parse().unwrap(), Body::Form(form), limits);
        let (got, answer) = tokio::join!(server, call);
        (got, answer.is_err())
    }

    #[tokio::test]
    async fn a_call_whose_file_has_changed_is_broken_off() {
        let bytes: Vec<u8> = (0..300_000_u32).map(|at| (at % 253) as u8).collect();
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&bytes, 0).unwrap();
        let fingerprint = Fingerprint::from_bytes(*blake3::hash(&bytes).as_bytes());
        let held = Held::new(file.try_clone().unwrap(), fingerprint, 300_000);
        for _ in 0..2 {
            let (got, _) = uploaded(&held).await;
            let is_there = got.windows(bytes.len()).any(|window| window == bytes);
            assert!(is_there && !held.has_changed());
        }
        for at in [5, 299_999] {
            file.write_all_at(b"x", at).unwrap();
            let (got, has_failed) = uploaded(&held).await;
            assert!(held.has_changed() && has_failed);
            assert!(got.len() < bytes.len());
        }
    }
}
