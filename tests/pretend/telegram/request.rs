//! A request's parameters, however they were packed: query, form, JSON or multipart.

use std::collections::BTreeMap;

use axum::Form;
use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, Multipart, Query, Request};
use axum::http::header::CONTENT_TYPE;
use serde_json::{Map, Value, json};

use super::limits::{Refusal, UPLOAD_BYTES};

#[derive(Clone)]
pub struct Upload {
    pub file_name: Option<String>,
    pub mime: Option<String>,
    pub bytes: Bytes,
}

/// Parameters by name; those of a form are all strings, and structured ones are JSON inside a string.
#[derive(Clone, Default)]
pub struct Params {
    pub fields: Map<String, Value>,
    pub files: BTreeMap<String, Upload>,
}

impl Params {
    pub async fn read(request: Request) -> Result<Self, Refusal> {
        let unreadable = |why: String| Refusal::bad(format!("can't parse the request: {why}"));
        let mut params = Self::default();
        let query = Query::<Vec<(String, String)>>::try_from_uri(request.uri());
        params.add_words(query.map_err(|error| unreadable(error.to_string()))?.0);
        let kind = request.headers().get(CONTENT_TYPE);
        let kind = kind
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or("")
            .to_lowercase();
        if kind.starts_with("multipart/form-data") {
            let parts = Multipart::from_request(request, &()).await;
            params
                .add_parts(parts.map_err(|error| unreadable(error.to_string()))?)
                .await?;
        } else if kind.starts_with("application/x-www-form-urlencoded") && request.method() != "GET"
        {
            let form = Form::<Vec<(String, String)>>::from_request(request, &()).await;
            params.add_words(form.map_err(|error| unreadable(error.to_string()))?.0);
        } else {
            let body = to_bytes(request.into_body(), UPLOAD_BYTES).await;
            let body = body.map_err(|_| Refusal::too_large())?;
            if kind.starts_with("application/json") && !body.is_empty() {
                let fields: Value =
                    serde_json::from_slice(&body).map_err(|error| unreadable(error.to_string()))?;
                let Value::Object(fields) = fields else {
                    return Err(unreadable("the JSON is no object".into()));
                };
                params.fields.extend(fields);
            }
        }
        params.fields.retain(|_, value| !value.is_null());
        Ok(params)
    }

    fn add_words(&mut self, words: Vec<(String, String)>) {
        self.fields
            .extend(words.into_iter().map(|(name, word)| (name, json!(word))));
    }

    async fn add_parts(&mut self, mut parts: Multipart) -> Result<(), Refusal> {
        let broken = |error: axum::extract::multipart::MultipartError| {
            Refusal::bad(format!("can't parse the request: {}", error.body_text()))
        };
        let mut is_too_large = false;
        while let Some(mut part) = parts.next_field().await.map_err(broken)? {
            let name = part.name().unwrap_or_default().to_owned();
            let file_name = part.file_name().map(str::to_owned);
            let mime = part.content_type().map(str::to_owned);
            let mut bytes = Vec::new();
            while let Some(chunk) = part.chunk().await.map_err(broken)? {
                // The rest is read and thrown away, so that the client hears the refusal.
                is_too_large = is_too_large || bytes.len() + chunk.len() > UPLOAD_BYTES;
                if !is_too_large {
                    bytes.extend_from_slice(&chunk);
                }
            }
            if file_name.is_some() {
                let bytes = Bytes::from(bytes);
                self.files.insert(
                    name,
                    Upload {
                        file_name,
                        mime,
                        bytes,
                    },
                );
            } else {
                let word = String::from_utf8(bytes)
                    .map_err(|_| Refusal::bad("strings must be encoded in UTF-8"))?;
                self.fields.insert(name, json!(word));
            }
        }
        if is_too_large {
            Err(Refusal::too_large())
        } else {
            Ok(())
        }
    }

    /// The parameters of an object inside these, with the same files to attach.
    pub fn inner(&self, object: &Value) -> Self {
        Self {
            fields: object.as_object().cloned().unwrap_or_default(),
            files: self.files.clone(),
        }
    }

    pub fn text(&self, name: &str) -> Option<String> {
        match self.fields.get(name)? {
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    pub fn integer(&self, name: &str) -> Option<i64> {
        match self.fields.get(name)? {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_i64(),
        }
    }

    pub fn is_true(&self, name: &str) -> bool {
        match self.fields.get(name) {
            Some(Value::String(text)) => ["true", "True", "1", "yes"].contains(&text.as_str()),
            Some(Value::Bool(truth)) => *truth,
            Some(other) => other == &json!(1),
            None => false,
        }
    }

    /// A structured parameter.
    pub fn json(&self, name: &str) -> Option<Value> {
        match self.fields.get(name)? {
            Value::String(text) => Some(serde_json::from_str(text).unwrap_or_else(|_| json!(text))),
            other => Some(other.clone()),
        }
    }

    pub fn chat(&self) -> Option<i64> {
        self.integer("chat_id")
    }

    /// As recorded: structures opened, files by name, kind and size.
    pub fn described(&self) -> Value {
        let mut all = Map::new();
        for (name, value) in &self.fields {
            let opened = match value {
                Value::String(text) if text.starts_with(['{', '[']) => self.json(name),
                _ => None,
            };
            all.insert(name.clone(), opened.unwrap_or_else(|| value.clone()));
        }
        for (name, file) in &self.files {
            let shape = json!({ "file_name": file.file_name, "mime": file.mime, "bytes": file.bytes.len() });
            all.insert(name.clone(), shape);
        }
        Value::Object(all)
    }
}
