//! Callers that dawdle, and those that come in floods.

use super::*;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

/// A listener that answers `/` at once and `/slow` never, and how to end it.
async fn listen() -> (std::net::SocketAddr, Shutdown, tokio::task::JoinHandle<()>) {
    listen_for(Arc::default()).await
}

/// The same, which tells when `/slow` is asked for.
async fn listen_for(
    slow: Arc<Notify>,
) -> (std::net::SocketAddr, Shutdown, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/", get(|| async { "well" })).route(
        "/slow",
        get(async move || {
            slow.notify_one();
            std::future::pending::<()>().await;
        }),
    );
    let closing = Shutdown::new();
    let serving = tokio::spawn({
        let closing = closing.clone();
        async move { serve(listener, router, &closing).await }
    });
    (address, closing, serving)
}

/// Sends this, and returns everything that comes back until the connection is closed.
async fn exchange(address: std::net::SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

#[tokio::test]
async fn it_answers_and_an_endless_head_is_cut_short() {
    let (address, closing, serving) = listen().await;
    let answer = exchange(address, REQUEST).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("well"),
        "{answer}"
    );
    let endless = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(4 * LARGEST_HEAD));
    let answer = exchange(address, &endless).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
    closing.signal();
    serving.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_request_without_end_does_not_keep_it_from_stopping() {
    let slow = Arc::new(Notify::new());
    let (address, closing, serving) = listen_for(Arc::clone(&slow)).await;
    // It comes in first, so it is in when the other one is.
    let idle = TcpStream::connect(address).await.unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    slow.notified().await;
    closing.signal();
    timeout(GRACE * 3, serving)
        .await
        .expect("it stops within its grace")
        .unwrap();
    drop((stream, idle));
}

#[tokio::test]
async fn half_heads_and_a_flood_of_them_keep_no_true_caller_out() {
    let (address, closing, serving) = listen().await;
    let mut half = Vec::new();
    for _ in 0..300 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"POST / HTTP/1.1\r\nHo").await.unwrap();
        half.push(stream);
    }
    let flood = tokio::spawn(async move {
        let mut more = std::collections::VecDeque::new();
        loop {
            if let Ok(mut stream) = TcpStream::connect(address).await {
                let _ = stream.write_all(b"GET / HT").await;
                more.push_back(stream);
            }
            if more.len() > 500 {
                more.pop_front();
            }
        }
    });
    for _ in 0..20 {
        let answer = timeout(Duration::from_secs(2), exchange(address, REQUEST)).await;
        let answer = answer.expect("a true call is answered within 2 s");
        assert!(answer.ends_with("well"), "{answer}");
    }
    flood.abort();
    closing.signal();
    serving.await.unwrap();
}

#[tokio::test]
async fn a_slow_head_is_cut_short_and_a_resting_connection_is_not() {
    let (address, closing, serving) = listen().await;
    let cut = async |beginning: &[u8]| {
        let begin = Instant::now();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(beginning).await.unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        let (took, late) = (begin.elapsed(), HEAD + Duration::from_secs(3));
        assert!(rest.is_empty() && took >= HEAD && took < late, "{took:?}");
    };
    let resting = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        for pause in [Duration::ZERO, HEAD + Duration::from_secs(1)] {
            tokio::time::sleep(pause).await;
            let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
            stream.write_all(request).await.unwrap();
            let mut answer = String::new();
            while !answer.ends_with("well") {
                let mut piece = [0; 256];
                let length = stream.read(&mut piece).await.unwrap();
                assert!(length > 0, "{answer}");
                answer.push_str(std::str::from_utf8(&piece[..length]).unwrap());
            }
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
        // It has rested, and what it begins now it has to end in time.
        stream.write_all(b"GET / HT").await.unwrap();
        let begin = Instant::now();
        let _ = stream.read_to_end(&mut Vec::new()).await;
        let took = begin.elapsed();
        assert!(took < HEAD + Duration::from_secs(3), "{took:?}");
    };
    tokio::join!(cut(b""), cut(b"GET / HTTP/1.1\r\nHost: x\r\n"), resting);
    closing.signal();
    serving.await.unwrap();
}

#[tokio::test]
async fn who_is_at_work_keeps_the_place_and_who_asks_nothing_makes_way() {
    let slow = Arc::new(Notify::new());
    let (address, closing, serving) = listen_for(Arc::clone(&slow)).await;
    let mut working = TcpStream::connect(address).await.unwrap();
    working
        .write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    slow.notified().await;
    let mut idle = Vec::new();
    for _ in 0..MOST_CONNECTIONS + 50 {
        idle.push(TcpStream::connect(address).await.unwrap());
    }
    let answer = exchange(address, REQUEST).await;
    assert!(answer.ends_with("well"), "{answer}");
    // The oldest is gone, and the one at work is not.
    let mut byte = [0];
    assert!(matches!(idle[0].read(&mut byte).await, Ok(0) | Err(_)));
    let early = working.try_read(&mut byte).unwrap_err();
    assert_eq!(early.kind(), io::ErrorKind::WouldBlock);
    closing.signal();
    serving.await.unwrap();
}

#[test]
fn the_largest_crowd_makes_way_first_and_in_it_who_waits_longest() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let mut set = JoinSet::new();
    let mut places = Places::default();
    let mut keep = Vec::new();
    let start = Instant::now();
    let crowd: [(&str, u64, Phase); 6] = [
        ("192.0.2.1", 1, Phase::Head),
        ("2001:db8::1", 4, Phase::Head),
        ("2001:db8::2", 3, Phase::Rest),
        ("2001:db8::3", 2, Phase::Work),
        ("192.0.2.2", 0, Phase::Work),
        ("192.0.2.3", 5, Phase::Head),
    ];
    let ids: Vec<Id> = crowd
        .map(|(from, seconds, phase)| {
            let since = start + Duration::from_secs(seconds);
            let (told, course) = watch::channel(Course { phase, since });
            keep.push(told);
            let handle = set.spawn_on(std::future::pending::<()>(), runtime.handle());
            let (id, from) = (handle.id(), Some(house(from.parse().unwrap())));
            places.0.insert(
                id,
                Place {
                    from,
                    course,
                    handle,
                },
            );
            id
        })
        .to_vec();
    for next in [2, 0, 1, 5] {
        assert!(places.free());
        assert!(!places.0.contains_key(&ids[next]), "{next}");
    }
    assert!(!places.free(), "who is at work stays");
    assert_eq!(places.0.len(), 2);
}
