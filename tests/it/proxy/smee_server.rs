//! A server that speaks smee's wire: what the real one accepts, sends and spoils, and how it ends
//! connections. It can misbehave on demand.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::BroadcastStream;

/// What it does otherwise than smee.
#[derive(Clone, Debug, Default)]
pub struct Manner {
    /// Give the exact bytes beside the body, as gosmee does.
    pub exact: bool,
    /// Time between pings; never when `None`.
    pub ping: Option<Duration>,
    /// `retry:` in milliseconds.
    pub retry: Option<u64>,
}

struct Inner {
    manner: Manner,
    /// Text for every listener; an empty one ends the connection.
    lines: broadcast::Sender<String>,
    refuse: Option<StatusCode>,
    asked: Vec<HeaderMap>,
    channels: u32,
}

/// A running server; ends with the test.
pub struct SmeeServer {
    pub url: String,
    inner: Arc<Mutex<Inner>>,
    tasks: Vec<JoinHandle<()>>,
}

impl SmeeServer {
    pub async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let lines = broadcast::channel(4096).0;
        let mut tasks = Vec::new();
        if let Some(every) = manner.ping {
            let lines = lines.clone();
            tasks.push(tokio::spawn(async move {
                loop {
                    tokio::time::sleep(every).await;
                    let _ = lines.send("id: 9\nevent: ping\ndata: {}\n\n".to_owned());
                }
            }));
        }
        let inner = Inner { manner, lines, refuse: None, asked: Vec::new(), channels: 0 };
        let inner = Arc::new(Mutex::new(inner));
        let app = Router::new()
            .route("/new", get(new_channel))
            .route("/{channel}", get(listen).post(deliver))
            .with_state(Arc::clone(&inner));
        tasks.push(tokio::spawn(async move { axum::serve(listener, app).await.unwrap() }));
        Self { url, inner, tasks }
    }

    /// The address of a channel.
    pub fn channel(&self) -> url::Url {
        url::Url::parse(&format!("{}/channel-of-tests", self.url)).unwrap()
    }

    /// Ends every connection.
    pub fn cut(&self) {
        let _ = self.inner.lock().unwrap().lines.send(String::new());
    }

    /// Refuses new connections from now on, or not any more.
    pub fn refuse(&self, status: Option<StatusCode>) {
        self.inner.lock().unwrap().refuse = status;
    }

    /// The headers of every attempt to listen.
    pub fn asked(&self) -> Vec<HeaderMap> {
        self.inner.lock().unwrap().asked.clone()
    }
}

impl Drop for SmeeServer {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

type Shared = State<Arc<Mutex<Inner>>>;

async fn new_channel(State(inner): Shared) -> Response {
    let mut inner = inner.lock().unwrap();
    inner.channels += 1;
    let location = format!("/Channel_{:08}", inner.channels);
    (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, location)]).into_response()
}

async fn listen(State(inner): Shared, headers: HeaderMap) -> Response {
    let mut inner = inner.lock().unwrap();
    inner.asked.push(headers.clone());
    if let Some(status) = inner.refuse {
        return status.into_response();
    }
    if headers.get(header::ACCEPT).is_none_or(|accept| accept != "text/event-stream") {
        return ([(header::CONTENT_TYPE, "text/html")], "<!doctype html>").into_response();
    }
    let retry = inner.manner.retry.map(|ms| format!("retry: {ms}\n")).unwrap_or_default();
    let greeting = format!("{retry}id: 0\nevent: ready\ndata: {{}}\n\n");
    let lines = BroadcastStream::new(inner.lines.subscribe())
        .take_while(|line| std::future::ready(line.as_ref().is_ok_and(|line| !line.is_empty())))
        .map(|line| Ok::<_, Infallible>(line.unwrap()));
    let stream = tokio_stream::once(Ok(greeting)).chain(lines);
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(stream)).into_response()
}

async fn deliver(State(inner): Shared, Path(_): Path<String>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if text("content-type").starts_with("application/x-www-form-urlencoded") {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE;
    }
    if body.len() > 1 << 20 {
        return StatusCode::PAYLOAD_TOO_LARGE;
    }
    let Ok(parsed @ Value::Object(_)) = serde_json::from_slice(&body) else { return StatusCode::BAD_REQUEST };
    if uuid::Uuid::parse_str(text("x-github-delivery")).is_err() {
        return StatusCode::BAD_REQUEST;
    }
    let mut data = Map::new();
    for (name, value) in &headers {
        data.insert(name.as_str().to_owned(), json!(value.to_str().unwrap()));
    }
    data.insert("body".to_owned(), as_javascript(parsed));
    let inner = inner.lock().unwrap();
    if inner.manner.exact {
        use base64::Engine;
        data.insert("bodyB".to_owned(), json!(base64::engine::general_purpose::STANDARD.encode(&body)));
    }
    data.insert("query".to_owned(), json!({}));
    data.insert("timestamp".to_owned(), json!(1_700_000_000_000_u64));
    let _ = inner.lines.send(format!("id: 1\ndata: {}\n\n", Value::Object(data)));
    StatusCode::OK
}

/// The numbers of JSON as JavaScript prints them: all are doubles, whole ones without a point.
#[allow(clippy::cast_possible_truncation, reason = "whole and below 1e15")]
fn as_javascript(value: Value) -> Value {
    match value {
        Value::Number(number) => {
            let double = number.as_f64().unwrap();
            if double.fract() == 0.0 && double.abs() < 1e15 { json!(double as i64) } else { json!(double) }
        }
        Value::Array(items) => items.into_iter().map(as_javascript).collect(),
        Value::Object(fields) => Value::Object(fields.into_iter().map(|(k, v)| (k, as_javascript(v))).collect()),
        other => other,
    }
}
