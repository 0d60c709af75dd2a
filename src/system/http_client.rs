//! The one way out by HTTP: every call of the program to a server outside goes through here. Whatever that server does, an
//! answer is bounded in bytes and in time, no redirect is followed, and no header tells where a call came from. A server may
//! be broken, hostile, or not the one that was meant (a hotel's sign-in page).

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderMap, LOCATION};
use reqwest::multipart::Form;
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, Response, Url};
use tokio::fs::File;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// How long a connection may take to come about, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a connection that nobody uses is kept open: shorter than servers and routers do.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);
/// How long a download may stand still.
const STALL_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest name of a host that an error tells, in characters (RFC 1035 allows 253).
const LONGEST_HOST: usize = 253;

/// A client. Clones share its connections.
#[derive(Clone, Debug)]
pub struct HttpClient {
    client: reqwest::Client,
}

/// What a call may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest answer that is read, in bytes, headers not counted (those are bounded by the HTTP library).
    pub bytes: u64,
    /// How long all of it may take, from the first packet to the last byte of the answer.
    pub time: Duration,
}

/// What a call carries.
#[derive(Debug)]
pub enum Body {
    /// Nothing; the call is a GET.
    Nothing,
    /// JSON, by POST.
    Json(Vec<u8>),
    /// A form with files, by POST.
    Form(Form),
    /// A file of so many bytes, by PUT.
    File(File, u64),
}

/// What a server answered, in full.
#[derive(Clone, Debug)]
pub struct HttpAnswer {
    /// The status: 200 to 299, or 400 and above.
    pub status: u16,
    /// The time by the server's clock, from the `Date` header (RFC 9110, section 6.6.1).
    pub date: Option<Timestamp>,
    /// The content.
    pub body: Vec<u8>,
}

impl HttpAnswer {
    /// Whether the server did what was asked.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Why there is no answer. None of these texts holds an address, a path or a header of the call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// Nothing was sent: no name, no connection, no trust.
    #[error("{0}")]
    Unreachable(String),
    /// The request left, and no whole answer came back: it may have had its effect.
    #[error("{0}")]
    Lost(String),
    /// The time was over first: it may have had its effect.
    #[error("no answer in {} s", .0.as_secs())]
    Late(Duration),
    /// The answer, which began with this status, is longer than it may be, in bytes.
    #[error("the answer is longer than {1} bytes")]
    TooLong(u16, u64),
    /// The server wants somebody else to be asked. Nobody was.
    #[error("the server answers {status} and leads to `{host}`, which is not followed")]
    Elsewhere {
        /// The status, 300 to 399.
        status: u16,
        /// The host that it leads to, and nothing else of that address.
        host: String,
    },
    /// What was to be sent, or where the answer was to be kept, failed on this box.
    #[error("{0}")]
    Local(String),
}

impl HttpClient {
    /// A client.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new() -> Result<Self, HttpError> {
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(Policy::none())
            .referer(false)
            .tcp_nodelay(true)
            .tcp_keepalive(Duration::from_secs(60))
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(2)
            .build()
            .map_err(failed)?;
        Ok(Self { client })
    }

    /// For a library that wants one to be built; whoever sends by it escapes the limits.
    #[must_use]
    pub fn unbounded(&self) -> reqwest::Client {
        self.client.clone()
    }

    /// Makes a call, and reads all of the answer.
    ///
    /// # Errors
    /// If there is no whole answer within the limits, or a redirect.
    pub async fn call(
        &self,
        url: Url,
        body: Body,
        limits: Limits,
    ) -> Result<HttpAnswer, HttpError> {
        let calling = async {
            let mut response = self.send(url, body).await?;
            let status = response.status().as_u16();
            let too_long = HttpError::TooLong(status, limits.bytes);
            if response
                .content_length()
                .is_some_and(|length| length > limits.bytes)
            {
                return Err(too_long);
            }
            let mut content = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(failed)? {
                content.extend_from_slice(&chunk);
                if content.len() as u64 > limits.bytes {
                    return Err(too_long);
                }
            }
            Ok(HttpAnswer {
                status,
                date: date(response.headers()),
                body: content,
            })
        };
        in_time(limits.time, calling).await
    }

    /// Fetches a file into `into`, and returns how long it was. Nothing is written of an answer that is no success.
    ///
    /// # Errors
    /// If it is longer than it may be, stands still for long, or cannot be kept; [`HttpError::Lost`] with the status if the
    /// server refuses. What was written until then stays written.
    pub async fn download(
        &self,
        url: Url,
        into: &mut (dyn AsyncWrite + Unpin + Send),
        limits: Limits,
    ) -> Result<u64, HttpError> {
        let fetching = async {
            let mut response = self.send(url, Body::Nothing).await?;
            let status = response.status();
            if !status.is_success() {
                return Err(HttpError::Lost(format!(
                    "the server answered {}",
                    status.as_u16()
                )));
            }
            let too_long = HttpError::TooLong(status.as_u16(), limits.bytes);
            if response
                .content_length()
                .is_some_and(|length| length > limits.bytes)
            {
                return Err(too_long);
            }
            let kept = |error: std::io::Error| HttpError::Local(error.to_string());
            let mut length = 0;
            loop {
                let next = timeout(STALL_TIMEOUT, response.chunk()).await;
                let stands = |_| HttpError::Lost("it stands still".to_owned());
                let Some(chunk) = next.map_err(stands)?.map_err(failed)? else {
                    break;
                };
                length += chunk.len() as u64;
                if length > limits.bytes {
                    return Err(too_long);
                }
                into.write_all(&chunk).await.map_err(kept)?;
            }
            into.flush().await.map_err(kept)?;
            Ok(length)
        };
        in_time(limits.time, fetching).await
    }

    /// Sends, and returns the beginning of an answer that is no redirect.
    async fn send(&self, url: Url, body: Body) -> Result<Response, HttpError> {
        let response = self
            .request(url.clone(), body)
            .send()
            .await
            .map_err(failed)?;
        let status = response.status();
        if status.is_redirection() {
            return Err(HttpError::Elsewhere {
                status: status.as_u16(),
                host: destination(&url, response.headers()),
            });
        }
        Ok(response)
    }

    fn request(&self, url: Url, body: Body) -> RequestBuilder {
        match body {
            Body::Nothing => self.client.get(url),
            Body::Json(json) => self
                .client
                .post(url)
                .header(CONTENT_TYPE, "application/json")
                .body(json),
            Body::Form(form) => self.client.post(url).multipart(form),
            Body::File(file, length) => self
                .client
                .request(Method::PUT, url)
                .header(CONTENT_LENGTH, length)
                .body(file),
        }
    }
}

async fn in_time<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, HttpError>>,
) -> Result<T, HttpError> {
    timeout(limit, call)
        .await
        .unwrap_or(Err(HttpError::Late(limit)))
}

/// The innermost reason; what is around it tells the address, in which secrets stand.
fn failed(error: reqwest::Error) -> HttpError {
    let is_unsent = error.is_connect() || error.is_builder();
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let reason = cause.to_string();
    if is_unsent {
        HttpError::Unreachable(reason)
    } else {
        HttpError::Lost(reason)
    }
}

/// The host that a redirect leads to.
fn destination(from: &Url, headers: &HeaderMap) -> String {
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
    let url = location.and_then(|location| from.join(location).ok());
    let host = url.as_ref().and_then(Url::host_str).unwrap_or("nowhere");
    host.chars().take(LONGEST_HOST).collect()
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let value = headers.get(DATE)?.to_str().ok()?;
    rfc2822::DateTimeParser::new().parse_timestamp(value).ok()
}

#[cfg(test)]
#[path = "http_client_tests.rs"]
mod tests;
