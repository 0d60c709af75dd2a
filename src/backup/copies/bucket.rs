//! A bucket of any server that speaks S3: a copy is put there in one piece, by an address that is signed for it and holds for an
//! hour. Whoever has that address may write there, so it is told to nobody, and no redirect is followed.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Url;
use rusty_s3::actions::PutObject;
use rusty_s3::{Credentials, S3Action, UrlStyle};
use secrecy::{ExposeSecret, SecretString};

use super::{Sealed, Unsent, megabytes};
use crate::system::http_client::{Body, HttpClient, HttpError, Limits};
use crate::system::network::Network;

/// How long the whole upload may take.
pub const PATIENCE: Duration = Duration::from_secs(25 * 60);
/// How long the signature holds.
const SIGNED_FOR: Duration = Duration::from_secs(3600);
/// The most that a server takes in one piece, in bytes.
const MOST_BYTES: u64 = 5_000_000_000;
/// What is read of an answer at most, in bytes; an error has a few hundred.
const MOST_ANSWER_BYTES: u64 = 64 * 1024;
/// The longest name of an error, in characters.
const LONGEST_CODE: usize = 64;

/// A bucket, and who may put files there.
#[derive(Clone)]
pub struct Bucket {
    bucket: rusty_s3::Bucket,
    /// The folder in it, with a `/` at its end, if there is one.
    folder: String,
    credentials: Credentials,
    network: Network,
}

/// Where it is.
impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.bucket.base_url(), self.folder)
    }
}

impl Bucket {
    /// The bucket at this address, `https://SERVER/BUCKET/FOLDER`. Where the server's name begins with the bucket's, it is
    /// `https://BUCKET.SERVER/FOLDER`, and signed the same.
    ///
    /// # Errors
    /// If it is no such address.
    pub fn new(
        url: &Url,
        region: &str,
        access_key: &str,
        secret_key: &SecretString,
        network: Network,
    ) -> Result<Self, Unsent> {
        let path = url.path().trim_matches('/');
        let (name, folder) = path.split_once('/').unwrap_or((path, ""));
        let mut server = url.clone();
        server.set_path("");
        let (name, region) = (name.to_owned(), region.to_owned());
        let bucket = rusty_s3::Bucket::new(server, UrlStyle::Path, name, region);
        Ok(Self {
            bucket: bucket
                .map_err(|_| Unsent::Failed(format!("`{url}` is no address of a bucket")))?,
            folder: match folder {
                "" => String::new(),
                folder => format!("{folder}/"),
            },
            credentials: Credentials::new(access_key, secret_key.expose_secret()),
            network,
        })
    }

    /// Puts a copy there.
    ///
    /// # Errors
    /// If it is too large, the server cannot be reached, or does not take it.
    pub async fn put(&self, sealed: &Sealed, now: Timestamp) -> Result<(), Unsent> {
        let failed = Unsent::Failed;
        if sealed.size_bytes > MOST_BYTES {
            let size = megabytes(sealed.size_bytes);
            return Err(failed(format!(
                "it is {size} large, and a bucket takes 5 GB in one piece; use `[backup] copy_to`"
            )));
        }
        let client = HttpClient::new(&self.network).map_err(|error| failed(unreachable(&error)))?;
        let file = tokio::fs::File::open(&sealed.path)
            .await
            .map_err(|error| failed(error.to_string()))?;
        let object = format!("{}{}", self.folder, sealed.name);
        let put = PutObject::new(&self.bucket, Some(&self.credentials), &object);
        let url = put.sign_with_time(SIGNED_FOR, &now);
        let limits = Limits {
            bytes: MOST_ANSWER_BYTES,
            time: PATIENCE,
        };
        let body = Body::File(file, sealed.size_bytes);
        let (status, code) = match client.call(url, body, limits).await {
            Ok(answer) if answer.is_success() => return Ok(()),
            Ok(answer) => (answer.status, code(&String::from_utf8_lossy(&answer.body))),
            Err(HttpError::Elsewhere { status, .. } | HttpError::TooLong(status, _)) => {
                (status, None)
            }
            Err(error) => return Err(failed(unreachable(&error))),
        };
        Err(failed(refusal(status, code.as_deref())))
    }
}

fn unreachable(error: &HttpError) -> String {
    match error {
        HttpError::Late(limit) => format!(
            "it was not taken within {} minutes; is the network too slow for it?",
            limit.as_secs() / 60
        ),
        _ => format!(
            "the server cannot be reached: {error}; look at the network and `[backup] s3_url`"
        ),
    }
}

/// The name of the error in an answer. Nothing else of it is told: servers repeat there what they were asked.
fn code(answer: &str) -> Option<String> {
    let (_, rest) = answer.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    let is_name = code.len() <= LONGEST_CODE && code.bytes().all(|b| b.is_ascii_alphanumeric());
    is_name.then(|| code.to_owned())
}

fn refusal(status: u16, code: Option<&str>) -> String {
    let meaning = match code.unwrap_or_default() {
        "AccessDenied" => "the access key may not put files there; let it (`s3:PutObject`)",
        "InvalidAccessKeyId" => "it does not know the access key; look at `[backup] s3_access_key`",
        "SignatureDoesNotMatch" => {
            "the secret of the access key is another one; set `[backup] s3_secret_key` anew"
        }
        "NoSuchBucket" => "there is no such bucket; make it, or correct `[backup] s3_url`",
        "PermanentRedirect"
        | "TemporaryRedirect"
        | "AuthorizationHeaderMalformed"
        | "AuthorizationQueryParametersError"
        | "IllegalLocationConstraintException" => {
            "the bucket is elsewhere; correct `[backup] s3_url` and `s3_region`"
        }
        "RequestTimeTooSkewed" => "the clock of the box is wrong (`timedatectl`)",
        "EntityTooLarge" => "it is too large for this server",
        "QuotaExceeded" | "XMinioStorageFull" => "it is full",
        _ => match status {
            300..400 => "the bucket is elsewhere; correct `[backup] s3_url` and `s3_region`",
            403 => "the access key may not put files there",
            404 => "there is no such bucket; correct `[backup] s3_url`",
            500.. => "the server has trouble of its own",
            _ => "it does not say why in words that are known",
        },
    };
    let code = code.map(|code| format!(" {code}")).unwrap_or_default();
    format!("the server refused it: {meaning} ({status}{code})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(url: &str) -> Bucket {
        let secret = SecretString::from("canary");
        let (url, network) = (Url::parse(url).unwrap(), Network::default());
        Bucket::new(&url, "us-east-1", "key", &secret, network).unwrap()
    }

    #[test]
    fn an_address_names_server_bucket_and_folder() {
        for (url, object) in [
            ("https://s3/bucket", "https://s3/bucket/x"),
            ("https://s3/bucket/", "https://s3/bucket/x"),
            (
                "http://nas:9000/bucket/a/b/",
                "http://nas:9000/bucket/a/b/x",
            ),
            ("https://bucket.s3/a", "https://bucket.s3/a/x"),
        ] {
            let bucket = bucket(url);
            let found = bucket.bucket.object_url(&format!("{}x", bucket.folder));
            assert_eq!(found.as_str(), object);
            assert!(!format!("{bucket:?}").contains("canary"));
        }
    }

    #[test]
    fn an_error_is_told_by_its_name_and_nothing_else_of_it() {
        let answer = "<?xml?><Error><Code>AccessDenied</Code><Message>?X-Amz-Signature=canary</Message></Error>";
        let found = code(answer);
        assert_eq!(found.as_deref(), Some("AccessDenied"));
        assert_eq!(
            refusal(403, found.as_deref()),
            "the server refused it: the access key may not put files there; let it (`s3:PutObject`) (403 AccessDenied)"
        );
        for odd in [
            "",
            "<Code>a b</Code>",
            "<Code>https://x?canary</Code>",
            "<html>",
        ] {
            assert_eq!(code(odd), None);
        }
        let lost = refusal(301, None);
        assert!(lost.contains("elsewhere"), "{lost}");
    }
}
