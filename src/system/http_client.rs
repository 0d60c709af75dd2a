//! The one way out by HTTP: every call of the program to a server outside goes through here. Whatever that server does, an
//! answer is bounded in bytes and in time, no redirect is followed, and no header tells where a call came from. A server may
//! be broken, hostile, or not the one that was meant (a hotel's sign-in page).

use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderMap, LOCATION};
use reqwest::multipart::{Form, Part};
use reqwest::redirect::Policy;
use reqwest::{Method, Proxy as Way, RequestBuilder, Response, StatusCode, Url};
use rustls::ClientConfig;
use rustls::crypto::ring::default_provider;
use tokio::fs::File;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::network::{Network, NoProxy, Proxy};

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
    network: Arc<Network>,
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
    /// A text, and headers that go with it, by POST.
    Text(String, Vec<(&'static str, String)>),
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
    /// The server answered with this status and nothing of use.
    #[error("the server answered {0}")]
    Refused(u16),
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

/// A part of a form: so many bytes, which come piece by piece. If one of them fails, the call is broken off.
pub fn part_of(
    pieces: impl Stream<Item = std::io::Result<Vec<u8>>> + Send + 'static,
    length: u64,
) -> Part {
    Part::stream_with_length(reqwest::Body::wrap_stream(pieces), length)
}

impl HttpClient {
    /// A client that reaches servers by this way.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(network: &Network) -> Result<Self, HttpError> {
        let network = Arc::new(network.clone());
        let chosen = Arc::clone(&network);
        let way = Way::custom(move |server| {
            let proxy = chosen.proxy_to(server).ok().flatten()?;
            Some(proxy.url().clone())
        });
        let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| HttpError::Local(error.to_string()))?
            .with_root_certificates(network.trust().roots)
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .use_preconfigured_tls(tls)
            .no_proxy()
            .proxy(way)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(Policy::none())
            .referer(false)
            .tcp_nodelay(true)
            .tcp_keepalive(Duration::from_secs(60))
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(2)
            .build()
            .map_err(|error| failed(error, None))?;
        Ok(Self { client, network })
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
            while let Some(chunk) = response.chunk().await.map_err(cut_short)? {
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
    /// If it is longer than it may be, stands still for long, or cannot be kept; [`HttpError::Refused`] if the
    /// server has no such file. What was written until then stays written.
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
                return Err(HttpError::Refused(status.as_u16()));
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
                let Some(chunk) = next.map_err(stands)?.map_err(cut_short)? else {
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
        let wrong = |wrong: &NoProxy| HttpError::Unreachable(wrong.to_string());
        let proxy = self.network.proxy_to(&url).map_err(wrong)?;
        let sent = self.request(url.clone(), body).send().await;
        let response = sent.map_err(|error| failed(error, proxy))?;
        let status = response.status();
        if let (StatusCode::PROXY_AUTHENTICATION_REQUIRED, Some(proxy)) = (status, proxy) {
            return Err(HttpError::Unreachable(unwelcome(proxy)));
        }
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
            Body::Text(text, headers) => {
                let call = self.client.post(url).body(text);
                headers
                    .into_iter()
                    .fold(call, |call, (name, value)| call.header(name, value))
            }
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

fn cut_short(error: reqwest::Error) -> HttpError {
    HttpError::Lost(cause(&error.without_url()))
}

fn failed(error: reqwest::Error, proxy: Option<&Proxy>) -> HttpError {
    let is_unsent = error.is_connect() || error.is_builder();
    let cause = cause(&error.without_url());
    if !is_unsent {
        return HttpError::Lost(cause);
    }
    HttpError::Unreachable(match proxy {
        // Behind the proxy, the server was reached.
        Some(proxy) if !cause.contains("certificate") => blocked(proxy, &cause),
        _ => format!("{cause}{}", hint(&cause)),
    })
}

/// The innermost reason; what is around it tells the address, in which secrets stand.
fn cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn blocked(proxy: &Proxy, cause: &str) -> String {
    let named_by = proxy.named_by();
    // Of a SOCKS proxy the library does not say why.
    let cause = match cause.contains("underlying connection") {
        true => "no connection comes about",
        false => cause,
    };
    if cause.contains("authorization required") {
        unwelcome(proxy)
    } else if cause.contains("unsuccessful") {
        format!("the proxy {proxy} of `{named_by}` does not lead there; ask who runs it")
    } else {
        format!(
            "the proxy {proxy} of `{named_by}` did not take the call: {cause}; correct it there, or remove it"
        )
    }
}

fn unwelcome(proxy: &Proxy) -> String {
    format!(
        "the proxy {proxy} wants another user or password; write them in `{}`, as in `http://USER:PASSWORD@HOST:PORT`",
        proxy.named_by()
    )
}

/// What to do about a reason of the libraries beneath, where it can be told.
fn hint(cause: &str) -> &'static str {
    let says = |word| cause.contains(word);
    if says("UnknownIssuer") || says("CaUsedAsEndEntity") {
        "; who signed the server's certificate is not trusted here: an authority of your own goes into `[network] ca_file`, or \
         into the machine's store (`update-ca-certificates`)"
    } else if says("Expired") || says("NotValidYet") || says("expired") || says("not valid yet") {
        "; the server's certificate does not hold at this time: is the clock right (`timedatectl`)?"
    } else if says("NotValidForName") || says("not valid for name") {
        "; the server's certificate is for another name"
    } else if says("failed to lookup address") || says("Name or service") || says("resolution") {
        "; is the name right, and does this machine find names (`getent hosts NAME`)?"
    } else if says("Connection refused") {
        "; nothing listens there, or a firewall is in between"
    } else {
        ""
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
