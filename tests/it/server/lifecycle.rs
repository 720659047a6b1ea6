//! Start, failure inside, and the orderly end.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use pforge::server::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::harness::{API_KEY, PATIENCE, Reply, Request, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panicking_app_answers_a_fixed_text_and_harms_nobody() {
    let server = Server::start().await;
    for body in ["{}".to_owned(), format!("{{\"x\":\"{}\"}}", "a".repeat(1 << 20))] {
        let reply = server.send(&Request::delivery(body).with("X-GitHub-Event", "panic")).await;
        assert_eq!((reply.status, reply.json()), (500, serde_json::json!({ "detail": "Internal server error." })));
        assert!(reply.header("x-request-id").is_some());
        assert_eq!(server.send(&Request::delivery("{}")).await.status, 202);
    }
    assert_eq!(server.rows().await, 2);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_event_is_stored_with_its_answer() {
    let server = Server::start().await;
    let request = Request::delivery("{}").with("X-GitHub-Event", "unknown");
    let reply = server.send(&request).await;
    assert_eq!((reply.status, reply.header("x-pforge-delivery")), (501, Some("new")));
    assert_eq!(reply.header("x-pforge-jobs"), None, "nothing was queued");
    let row = server.stored(&request.guid()).await.expect("stored").row;
    assert_eq!((row.answer_status, row.event.as_str()), (501, "unknown"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_database_nothing_is_acknowledged() {
    let server = Server::start().await;
    assert_eq!(server.get("/readyz").await.0, 200);
    server.db.close().await;
    let reply = server.send(&Request::delivery("{}")).await;
    assert_eq!(reply.status, 503);
    assert!(reply.header("retry-after").is_some());
    let (status, body) = server.get("/readyz").await;
    assert_eq!((status.as_u16(), body["status"].as_str()), (503, Some("not ready")));
    assert_ne!(body["checks"]["database"], "ok");
    assert_eq!(server.get("/healthz").await.0, 200);
    assert_eq!(server.get("/metrics").await.0, 200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_has_begun_is_finished_on_shutdown() {
    let mut server = Server::start().await;
    let request = Request::delivery("{}").with("Content-Length", "2").with("Expect", "100-continue");
    let mut stream = TcpStream::connect(server.address).await.expect("connect");
    stream.write_all(&request.head()).await.expect("write");
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.expect("the request is being worked on");
    let mut idle = TcpStream::connect(server.address).await.expect("connect");
    server.shutdown.cancel();
    let mut nothing = Vec::new();
    let _ = idle.read_to_end(&mut nothing).await;
    assert!(nothing.is_empty(), "an idle connection is closed");
    stream.write_all(b"{}").await.expect("write");
    let mut received = Vec::new();
    stream.read_to_end(&mut received).await.expect("answer and end");
    assert_eq!(Reply::parse(&received).expect("answer").status, 202);
    server.ended().await;
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody listens any more");
    assert_eq!(server.rows().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_does_not_end_is_cut_on_shutdown() {
    let limits = Limits { drain: Duration::from_secs(1), ..Limits::default() };
    let mut server = Server::with(|config| config.limits = limits).await;
    let mut stream = TcpStream::connect(server.address).await.expect("connect");
    let request = Request::delivery("{}").with("Content-Length", "2").with("Expect", "100-continue");
    stream.write_all(&request.head()).await.expect("write");
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.expect("the request is being worked on");
    server.shutdown.cancel();
    server.ended().await;
    assert_eq!(server.rows().await, 0);
}

/// A listener to `/events`, and what it heard.
struct Listener {
    stream: BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    heard: String,
}

impl Listener {
    async fn open(server: &Server) -> Self {
        let client = reqwest::Client::builder().no_proxy().build().expect("client");
        let open = client.get(server.url("/events")).header("x-api-key", API_KEY).send().await.expect("answer");
        assert_eq!(
            (open.status().as_u16(), &open.headers()["content-type"]),
            (200, &"text/event-stream".parse().unwrap())
        );
        let mut listener = Self { stream: open.bytes_stream().boxed(), heard: String::new() };
        listener.hear("event: ready").await;
        listener
    }

    /// Listens until `word` was heard.
    async fn hear(&mut self, word: &str) {
        while !self.heard.contains(word) {
            let next = tokio::time::timeout(PATIENCE, self.stream.next()).await.expect("in time");
            let chunk = next.unwrap_or_else(|| panic!("the stream ended before {word}: {}", self.heard));
            self.heard.push_str(&String::from_utf8_lossy(&chunk.expect("chunk")));
        }
    }

    /// Listens to the end.
    async fn end(mut self) {
        while let Some(chunk) = tokio::time::timeout(PATIENCE, self.stream.next()).await.expect("in time") {
            chunk.expect("the stream ends well");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_told_and_end_with_the_server() {
    let mut server = Server::start().await;
    let mut listener = Listener::open(&server).await;
    let request = Request::delivery(r#"{"action":"seen","repository":{"full_name":"a/b"}}"#);
    server.send(&request).await;
    listener.hear("\"ms\":").await;
    let told = format!(r#""guid":"{}","event":"ping","action":"seen","repo":"a/b""#, request.guid());
    assert!(listener.heard.contains("event: delivery\n") && listener.heard.contains(&told), "{}", listener.heard);
    let mut more = Vec::new();
    for _ in 0..63 {
        more.push(Listener::open(&server).await);
    }
    assert_eq!(server.get("/events").await.0, 503, "one too many");
    server.shutdown.cancel();
    listener.end().await;
    server.ended().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_are_worked_on_told_and_counted() {
    let server = Server::with(|config| config.workers = 1).await;
    let mut listener = Listener::open(&server).await;
    let work = |action: &str| {
        let body = format!(r#"{{"action":"{action}"}}"#);
        Request::delivery(body).with("X-GitHub-Event", "work")
    };
    let (good, bad) = (work("do"), work("fail"));
    let reply = server.send(&good).await;
    assert_eq!((reply.header("x-pforge-delivery"), reply.header("x-pforge-jobs")), (Some("new"), Some("1")));
    listener.hear(r#""what":"done""#).await;
    server.send(&bad).await;
    listener.hear(r#""what":"dead""#).await;
    assert!(listener.heard.contains("event: job\n") && listener.heard.contains("told to fail"), "{}", listener.heard);
    let (_, detail) = server.get(&format!("/deliveries/{}", good.guid())).await;
    assert_eq!((&detail["status"], &detail["jobs"][0]["outcome"]), (&"done".into(), &"worked".into()));
    let done = detail["jobs"][0]["id"].as_i64().expect("id");
    let (_, page) = server.get("/deliveries?status=failed").await;
    assert_eq!(page["items"][0]["guid"], bad.guid());

    let retry = async |id: i64, query: &str| {
        let path = format!("/jobs/{id}/retry{query}");
        server.call(reqwest::Method::POST, &path, Some(API_KEY), None).await.0.as_u16()
    };
    assert_eq!(retry(done, "").await, 409, "a done job is only run again when forced");
    assert_eq!(retry(done, "?force=maybe").await, 422);
    listener.heard.clear();
    assert_eq!(retry(done, "?force=true").await, 200);
    listener.hear(r#""what":"done""#).await;
    let (_, metrics) = server.get("/metrics").await;
    let text = metrics.as_str().expect("text");
    assert!(text.contains(r#"pforge_jobs_total{kind="tiny.work",outcome="done"} 2"#), "{text}");
    assert!(text.contains(r#"pforge_jobs_total{kind="tiny.work",outcome="dead"} 1"#), "{text}");
    server.stop().await;
}
