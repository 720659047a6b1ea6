//! A running server with a small app, and requests down to the byte.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use pforge::apps::http_api::{Admin, ApiError, PageQuery, ValidJson};
use pforge::apps::{App, Decision, Delivery, HookContract, State};
use pforge::github::signature::Key;
use pforge::jobs::{Done, Failure, Job, Registry, Task};
use pforge::server::{self, Config, Limits};
use pforge::store::deliveries::{DeliveryDetail, DeliveryFilter};
use pforge::store::{DatabaseUrl, Db, deliveries, migrate};
use pforge::util::{Clock, Secret, id};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub const SECRET: &str = "test_webhook_secret";
pub const API_KEY: &str = "0123456789abcdef0123456789abcdef";
pub const HOOK: &str = "/tiny/hooks/";
/// Nothing in these tests takes longer.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A job that ends at once.
#[derive(serde::Deserialize, serde::Serialize)]
pub struct Work {
    fail: bool,
}

impl Job for Work {
    const KIND: &'static str = "tiny.work";
    type Cx = ();

    async fn run(&self, (): &(), _: &mut Task) -> Result<Done, Failure> {
        if self.fail { Err(Failure::permanent("told to fail")) } else { Ok(Done("worked".into())) }
    }
}

/// An app that shows each kind of decision.
pub struct Tiny;

impl App for Tiny {
    fn name(&self) -> &'static str {
        "tiny"
    }

    fn hook(&self) -> HookContract {
        HookContract {
            path: HOOK,
            missing_signature: (StatusCode::UNAUTHORIZED, json!({ "detail": "missing" })),
            bad_signature: (StatusCode::UNAUTHORIZED, json!({ "detail": "bad" })),
        }
    }

    fn decide(&self, delivery: &Delivery<'_>) -> Decision {
        assert_ne!(delivery.event, "panic", "the app panics");
        let status = if delivery.event == "unknown" { StatusCode::NOT_IMPLEMENTED } else { StatusCode::ACCEPTED };
        let job = || {
            let work = Work { fail: delivery.envelope.action.as_deref() == Some("fail") };
            work.queued(None, delivery.guid.to_owned()).expect("json")
        };
        Decision {
            status,
            body: json!({ "event": delivery.event, "action": delivery.envelope.action }),
            jobs: if delivery.event == "work" { vec![job()] } else { Vec::new() },
        }
    }

    fn register(&self, jobs: &mut Registry) {
        jobs.register::<Work>(Arc::new(()));
    }

    fn routes(&self) -> OpenApiRouter<State> {
        OpenApiRouter::new().routes(routes!(things, make_thing)).routes(routes!(thing))
    }
}

#[derive(serde::Deserialize, serde::Serialize, utoipa::ToSchema)]
struct Thing {
    spec: String,
    count: Option<i64>,
}

/// Things.
#[utoipa::path(get, path = "/things", params(PageQuery), responses((status = 200)))]
async fn things(axum::extract::Query(query): axum::extract::Query<PageQuery>) -> Result<axum::Json<Value>, ApiError> {
    let page = query.check(&["id", "spec"])?;
    Ok(axum::Json(json!([page.offset, page.limit, page.order_by, page.descending])))
}

/// Makes a thing.
#[utoipa::path(post, path = "/things", security(("api_key" = [])), responses((status = 200, body = Thing)))]
async fn make_thing(_: Admin, ValidJson(thing): ValidJson<Thing>) -> axum::Json<Thing> {
    axum::Json(thing)
}

/// A thing.
#[utoipa::path(get, path = "/things/{id}", params(("id" = i64, Path)), responses((status = 200)))]
async fn thing(axum::extract::Path(id): axum::extract::Path<i64>) -> axum::Json<i64> {
    axum::Json(id)
}

/// A running server.
pub struct Server {
    pub address: SocketAddr,
    pub db: Db,
    pub shutdown: CancellationToken,
    task: JoinHandle<std::io::Result<()>>,
    _folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Server {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().expect("tempdir");
        let url: DatabaseUrl =
            format!("sqlite://{}", folder.path().join("test.sqlite").display()).parse().expect("url");
        let db = Db::connect(&url, PATIENCE).await.expect("connect");
        migrate::up(&db, PATIENCE, &|_| {}).await.expect("migrate");
        let mut config = Config {
            db: db.clone(),
            apps: vec![Arc::new(Tiny)],
            webhook_secrets: vec![Secret::new(SECRET)],
            api_key: Some(Secret::new(API_KEY)),
            workers: 0,
            https_only: false,
            cors: server::Cors::default(),
            limits: Limits::default(),
            clock: Clock::system(),
            reconcile: None,
        };
        change(&mut config);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let address = listener.local_addr().expect("address");
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(server::run(config, listener, shutdown.clone()));
        Self { address, db, shutdown, task, _folder: folder }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Tells the server to end and waits until it has.
    pub async fn stop(mut self) {
        self.shutdown.cancel();
        self.ended().await;
    }

    /// Waits until the server has ended well.
    pub async fn ended(&mut self) {
        let ended = tokio::time::timeout(PATIENCE, &mut self.task).await.expect("the server ends in time");
        ended.expect("no panic").expect("no failure");
    }

    /// How many deliveries are stored.
    pub async fn rows(&self) -> usize {
        let mut filter = DeliveryFilter { limit: 1000, ..DeliveryFilter::default() };
        let mut count = 0;
        loop {
            let rows = deliveries::list(&self.db, &filter).await.expect("list");
            count += rows.len();
            match rows.last() {
                Some(row) => filter.before = Some(row.id),
                None => return count,
            }
        }
    }

    pub async fn stored(&self, guid: &str) -> Option<DeliveryDetail> {
        deliveries::get(&self.db, guid).await.expect("get")
    }

    pub async fn send(&self, request: &Request) -> Reply {
        exchange(self.address, &request.bytes()).await.expect("an answer")
    }

    /// A GET with the admin key.
    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.call(reqwest::Method::GET, path, Some(API_KEY), None).await
    }

    pub async fn call(
        &self,
        method: reqwest::Method,
        path: &str,
        key: Option<&str>,
        body: Option<&str>,
    ) -> (StatusCode, Value) {
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
        let mut request = client.expect("client").request(method, self.url(path));
        if let Some(key) = key {
            request = request.header("x-api-key", key);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_owned());
        }
        let response = request.send().await.expect("answer");
        let status = response.status();
        let text = response.text().await.expect("text");
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }
}

/// A request as bytes, to be bent.
#[derive(Clone)]
pub struct Request {
    pub method: &'static str,
    pub path: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl Request {
    /// A good delivery of the event `ping` with this JSON body.
    pub fn delivery(body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let request = Self { method: "POST", path: HOOK.into(), headers: Vec::new(), body };
        let signature = Key::new(SECRET.as_bytes()).sign(&request.body);
        request
            .with("X-GitHub-Event", "ping")
            .with("X-GitHub-Delivery", id::guid())
            .with("X-GitHub-Hook-ID", "292430182")
            .with("Content-Type", "application/json")
            .with("X-Hub-Signature-256", signature)
    }

    pub fn with(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self = self.without(name);
        self.also(name, value)
    }

    pub fn also(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(given, _)| !given.eq_ignore_ascii_case(name));
        self
    }

    pub fn header(&self, name: &str) -> String {
        let found = self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).unwrap_or_default()
    }

    pub fn guid(&self) -> String {
        self.header("X-GitHub-Delivery")
    }

    /// The head, up to and with the empty line.
    pub fn head(&self) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\nHost: pforge.test\r\n", self.method, self.path).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes
    }

    /// The whole request on a connection of its own, with a right length unless one is set.
    pub fn bytes(&self) -> Vec<u8> {
        let mut request = self.clone();
        let framed = |name: &str| self.headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
        if !framed("content-length") && !framed("transfer-encoding") {
            request = request.with("Content-Length", self.body.len().to_string());
        }
        if !framed("connection") {
            request = request.with("Connection", "close");
        }
        let mut bytes = request.head();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// An answer as it came.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Reply {
    /// Reads the first final answer in `bytes`, and gives what follows it.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let (head, rest) = bytes.split_at(end + 4);
        let head = String::from_utf8_lossy(head).to_ascii_lowercase();
        let status: u16 = head.split(' ').nth(1)?.parse().ok()?;
        if status == 100 {
            return Self::parse(rest);
        }
        Some(Self { status, head, body: rest.to_vec() })
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().filter_map(|line| line.split_once(": ")).find(|(given, _)| *given == name).map(|(_, v)| v)
    }
}

/// Writes `bytes` on a new connection and reads to its end. `None` when nothing was answered.
pub async fn exchange(address: SocketAddr, bytes: &[u8]) -> Option<Reply> {
    let stream = TcpStream::connect(address).await.expect("connect");
    let (mut reader, mut writer) = stream.into_split();
    let read = async {
        let mut received = Vec::new();
        // A reset after the answer is as good as an end.
        let _ = reader.read_to_end(&mut received).await;
        received
    };
    // The server may answer and close before it has read everything.
    let write = async {
        let _ = writer.write_all(bytes).await;
        writer
    };
    let both = async { tokio::join!(read, write) };
    let (received, _) = tokio::time::timeout(PATIENCE, both).await.expect("the connection is bounded in time");
    Reply::parse(&received)
}
