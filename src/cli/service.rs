//! What only the service itself knows: it is asked by its socket.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use crate::appliance::health::{Answer, TASK, socket};
use crate::config::{Config, Environment};
use crate::doctor::Finding;
use crate::system::supervisor::BoxError;

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most that is read of an answer, in bytes.
const MOST: usize = 10_000_000;

/// How the tasks of the service are, if one runs on this database and can be asked.
pub(super) async fn tasks(config: &Config, environment: &Environment) -> Vec<Finding> {
    let asked = tokio::time::timeout(PATIENCE, ask(environment)).await;
    let Ok(Ok(answer)) = asked else {
        // Whether it runs is told by the records.
        return Vec::new();
    };
    let mut findings = answer.findings;
    let is_ours = answer.database == config.database.url.to_string();
    findings.retain(|one| is_ours && one.subject == TASK);
    findings
}

async fn ask(environment: &Environment) -> Result<Answer, BoxError> {
    let stream = UnixStream::connect(socket(environment)).await?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    let request = Request::get("/health")
        .header("host", "storyline")
        .body(Body::empty())?;
    let asking = async {
        let answer = sender.send_request(request).await?;
        let body = to_bytes(Body::new(answer.into_body()), MOST).await?;
        Ok(serde_json::from_slice(&body)?)
    };
    tokio::select! {
        answer = asking => answer,
        ended = connection => match ended {
            Ok(()) => Err("it hung up".into()),
            Err(error) => Err(error.into()),
        },
    }
}
