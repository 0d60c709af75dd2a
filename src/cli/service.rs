//! What only the service itself knows: it is asked by its socket.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use crate::appliance::health::{Answer, TASK, socket};
use crate::config::{Config, Environment};
use crate::doctor::{Finding, Findings};
use crate::system::supervisor::BoxError;

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most that is read of an answer, in bytes.
const MOST: usize = 10_000_000;

/// How the tasks of the service are, if one runs on this database and can be asked.
pub(super) async fn tasks(config: &Config, environment: &Environment) -> Vec<Finding> {
    // Whether it runs at all is told by the records.
    let Ok(stream) = UnixStream::connect(socket(environment)).await else {
        return Vec::new();
    };
    let asked = tokio::time::timeout(PATIENCE, ask(stream)).await;
    let why = match asked {
        Ok(Ok(answer)) => return told(config, answer),
        Ok(Err(error)) => format!("it runs and answers nothing of use: {error}"),
        Err(_) => format!(
            "it runs and has not answered within {} s",
            PATIENCE.as_secs()
        ),
    };
    let mut findings = Findings::default();
    let again =
        "if it stays so, `systemctl restart storyline`; `journalctl -u storyline` may tell why";
    findings.problem(TASK, why, Some(again));
    findings.all().to_vec()
}

fn told(config: &Config, answer: Answer) -> Vec<Finding> {
    let mut findings = answer.findings;
    let is_ours = answer.database == config.database.url.to_string();
    findings.retain(|one| is_ours && one.subject == TASK);
    findings
}

async fn ask(stream: UnixStream) -> Result<Answer, BoxError> {
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
