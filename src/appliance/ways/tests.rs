//! A real server on loopback, and a box whose alerts come and go.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Held;
use axum::http::{HeaderMap, StatusCode, Uri};
use jiff::SignedDuration;
use tokio::net::TcpListener;

use super::*;
use crate::config::Environment;
use crate::domain::alert::topic;
use crate::domain::team::TeamSettings;
use crate::flow::Store;
use crate::system::lock::lock;

/// What was called, and how it answers.
#[derive(Clone, Default)]
struct Server {
    calls: Arc<Mutex<Vec<(String, String, String)>>>,
    is_broken: Arc<Mutex<bool>>,
}

async fn called(
    Held(server): Held<Server>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let title = headers.get("title").and_then(|title| title.to_str().ok());
    let call = (
        uri.path().to_owned(),
        title.unwrap_or_default().to_owned(),
        String::from_utf8(body.to_vec()).unwrap(),
    );
    lock(&server.calls).push(call);
    match *lock(&server.is_broken) {
        true => StatusCode::INTERNAL_SERVER_ERROR,
        false => StatusCode::OK,
    }
}

/// A server, and the settings that lead there.
async fn served() -> (Server, Config) {
    let server = Server::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(called).with_state(server.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let variables = [
        (
            "STORYLINE_ALERTS_WEBHOOK_URL",
            format!("http://{address}/canary-hook"),
        ),
        (
            "STORYLINE_ALERTS_NTFY_URL",
            format!("http://{address}/canary-topic"),
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.toml");
    std::fs::write(&path, "").unwrap();
    let loaded = Config::load(Some(&path), &Environment::from_iter(variables));
    (server, loaded.unwrap().config)
}

impl Server {
    fn take(&self) -> Vec<(String, String, String)> {
        std::mem::take(&mut lock(&self.calls))
    }
}

fn at(hours: i64) -> Timestamp {
    let began: Timestamp = "2027-01-01T12:00:00Z".parse().unwrap();
    began + SignedDuration::from_hours(hours)
}

#[tokio::test]
async fn a_problem_goes_each_way_once_and_a_restart_repeats_nothing() {
    let (server, config) = served().await;
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_sqlite(&folder.path().join("s.db")).unwrap();
    let flow = Flow::open(store, TeamSettings::default(), at(0))
        .await
        .unwrap();
    let tell = async |hours| {
        // Each is a new process.
        let mut ways = Ways::new(&config).unwrap().unwrap();
        let standing = flow.alerts().await.unwrap();
        ways.tell(Some(&flow), &standing, true, at(hours), || {})
            .await;
        server.take()
    };
    let gone = Some("The library is gone: \"ünplugged\".".to_owned());
    flow.condition(topic::LIBRARY, gone.clone(), at(0))
        .await
        .unwrap();
    let calls = tell(0).await;
    let [(hook, _, json), (ntfy, title, text)] = &calls[..] else {
        panic!("{calls:?}");
    };
    assert_eq!((&**hook, &**ntfy), ("/canary-hook", "/canary-topic"));
    let json: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!(json["text"].as_str(), gone.as_deref());
    assert_eq!(
        (&json["severity"], &json["stage"]),
        (&"problem".into(), &"raised".into())
    );
    assert_eq!(Some(text), gone.as_ref());
    assert!(title.ends_with(": a problem"), "{title}");

    assert!(tell(1).await.is_empty());
    assert_eq!(tell(24).await.len(), 2);
    flow.condition(topic::LIBRARY, None, at(25)).await.unwrap();
    let calls = tell(25).await;
    assert!(calls[0].2.contains("\"stage\":\"resolved\""), "{calls:?}");
    assert!(calls[1].1.ends_with(": over"), "{calls:?}");
    assert!(tell(26).await.is_empty());
}

#[tokio::test]
async fn a_way_that_fails_is_left_alone_for_a_while_and_its_failure_is_on_record() {
    let (server, config) = served().await;
    let mut ways = Ways::new(&config).unwrap().unwrap();
    let standing = [illness::alert("the disk is full".to_owned(), at(0), None)];
    *lock(&server.is_broken) = true;
    for _ in 0..10 {
        ways.tell(None, &standing, false, at(0), || {}).await;
    }
    assert_eq!(server.take().len(), 2, "each once");
    let failed = ways.lanes[0].record.clone().unwrap().failed.unwrap();
    assert_eq!(failed.why, "the server answered 500");
    assert_eq!(ways.lanes[0].to, "127.0.0.1");

    *lock(&server.is_broken) = false;
    let left = ways.lanes[0].again_at.unwrap() - Instant::now();
    assert!(left > FIRST_PAUSE / 2 && ways.lanes[0].pause == FIRST_PAUSE * 2);
    ways.lanes.iter_mut().for_each(|lane| lane.again_at = None);
    ways.tell(None, &standing, false, at(0), || {}).await;
    assert_eq!(server.take().len(), 2, "told now");
    ways.tell(None, &[], true, at(1), || {}).await;
    assert_eq!(server.take().len(), 2, "over");
    assert_eq!(ways.lanes[0].record.clone().unwrap().failed, None);
}
