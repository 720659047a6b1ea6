//! A scripted GitHub: answers by closure, records each request, checks nothing by itself.

use std::collections::HashMap;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{self, KeyPair as _, UnparsedPublicKey};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use http::{HeaderMap, Method, StatusCode, Uri};
use pforge::github::{AppCredentials, Client, Config, Tuning};
use pforge::util::retry::Backoff;
use pforge::util::{Clock, Secret};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: Method,
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// How many of this method and path came before.
    pub before: usize,
}

impl Seen {
    pub fn is(&self, method: &str, path: &str) -> bool {
        self.method.as_str() == method && self.path == path
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn bearer(&self) -> &str {
        self.header("authorization").strip_prefix("Bearer ").unwrap_or("")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// An answer.
#[derive(Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
    pub after: Duration,
}

pub fn reply(status: u16, body: Value) -> Reply {
    Reply { status, headers: Vec::new(), body: body.to_string(), after: Duration::ZERO }
}

pub fn message(status: u16, message: &str) -> Reply {
    reply(status, json!({ "message": message, "documentation_url": "https://docs.github.com/rest" }))
}

impl Reply {
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    pub fn after(mut self, wait: Duration) -> Self {
        self.after = wait;
        self
    }
}

/// A running server; ends with the test.
pub struct Fake {
    pub url: Url,
    seen: Arc<Mutex<Vec<Seen>>>,
    busiest: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

/// Requests under way, and the most that ever were.
#[derive(Clone, Default)]
struct Load {
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Load {
    fn enter(&self) -> Self {
        self.most.fetch_max(self.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        self.clone()
    }

    fn leave(self) {
        self.now.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Fake {
    pub async fn start(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), script)
    }

    /// Mints tokens `ghs_token_1`, `ghs_token_2`, … that live an hour after `clock`; what
    /// `script` leaves open is a 404.
    pub async fn github(clock: TestClock, script: impl Fn(&Seen) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let minted = AtomicI64::new(0);
        Self::start(move |seen| {
            script(seen).unwrap_or_else(|| {
                if seen.path.starts_with("/app/installations/") && seen.path.ends_with("/access_tokens") {
                    let number = minted.fetch_add(1, Ordering::SeqCst) + 1;
                    token(&format!("ghs_token_{number}"), clock.now() + chrono::TimeDelta::hours(1))
                } else {
                    message(404, "Not Found")
                }
            })
        })
        .await
    }

    pub fn on(listener: TcpListener, script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (record, counts) = (Arc::clone(&seen), Mutex::new(HashMap::<(Method, String), usize>::new()));
        let shared = Arc::new((script, counts));
        let load = Load::default();
        let busiest = Arc::clone(&load.most);
        let router = Router::new().fallback(move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let (record, shared, load) = (Arc::clone(&record), Arc::clone(&shared), load.enter());
            async move {
                let path = uri.path().to_owned();
                let before = {
                    let mut counts = shared.1.lock().unwrap();
                    let count = counts.entry((method.clone(), path.clone())).or_default();
                    *count += 1;
                    *count - 1
                };
                let query = uri.query().unwrap_or_default().to_owned();
                let request = Seen { method, path, query, headers, body, before };
                let reply = (shared.0)(&request);
                record.lock().unwrap().push(request);
                tokio::time::sleep(reply.after).await;
                load.leave();
                let mut response = Response::builder().status(StatusCode::from_u16(reply.status).unwrap());
                for (name, value) in reply.headers {
                    response = response.header(name, value);
                }
                response.body(Body::from(reply.body)).unwrap()
            }
        });
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, seen, busiest, task }
    }

    /// The most requests that were ever under way at once.
    pub fn busiest(&self) -> usize {
        self.busiest.load(Ordering::SeqCst)
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub fn count(&self, method: &str, path: &str) -> usize {
        self.seen().iter().filter(|seen| seen.is(method, path)).count()
    }

    pub fn client(&self, clock: &TestClock) -> Client {
        self.client_with(clock, quick())
    }

    pub fn client_with(&self, clock: &TestClock, tuning: Tuning) -> Client {
        Client::with_tuning(config(self.url.clone(), clock), tuning).unwrap()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub fn config(api_url: Url, clock: &TestClock) -> Config {
    let credentials = AppCredentials { issuer: "Iv23client".into(), private_key: Secret::new(key().pkcs8.clone()) };
    Config { api_url, credentials, clock: clock.clock() }
}

/// The real rules with waits that suit a test.
pub fn quick() -> Tuning {
    let ms = Duration::from_millis;
    Tuning {
        timeout: ms(5000),
        attempts: 3,
        backoff: Backoff { base: ms(10), factor: 2, cap: ms(40), jitter: 0.2 },
        patience: ms(2500),
        fresh_token: ms(400),
        ..Tuning::default()
    }
}

pub fn token(text: &str, expires_at: DateTime<Utc>) -> Reply {
    let expires_at = expires_at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    reply(201, json!({ "token": text, "expires_at": expires_at, "permissions": { "checks": "write" } }))
}

/// A clock that the test moves.
#[derive(Clone)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    pub fn at(text: &str) -> Self {
        Self(Arc::new(AtomicI64::new(DateTime::parse_from_rfc3339(text).unwrap().timestamp())))
    }

    pub fn real() -> Self {
        Self(Arc::new(AtomicI64::new(Utc::now().timestamp())))
    }

    pub fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.0.load(Ordering::SeqCst), 0).unwrap()
    }

    pub fn clock(&self) -> Clock {
        let this = self.clone();
        Clock::from_fn(move || this.now())
    }
}

pub fn http_date(at: DateTime<Utc>) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// The App's key, in the forms that people have it.
pub struct TestKey {
    pub pkcs8: String,
    pub pkcs1: String,
    /// As the App's settings page shows it.
    pub fingerprint: String,
    public: Vec<u8>,
}

pub fn key() -> &'static TestKey {
    static KEY: OnceLock<TestKey> = OnceLock::new();
    KEY.get_or_init(|| {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let lines: Vec<String> = STANDARD
            .encode(der.as_ref())
            .as_bytes()
            .chunks(64)
            .map(|line| String::from_utf8(line.to_vec()).unwrap())
            .collect();
        let pkcs8 = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"));
        let pkcs1 = String::from_utf8(openssl(&["rsa", "-traditional"], pkcs8.as_bytes())).unwrap();
        assert!(pkcs1.starts_with("-----BEGIN RSA PRIVATE KEY-----"), "{pkcs1}");
        let public_der = openssl(&["rsa", "-pubout", "-outform", "DER"], pkcs8.as_bytes());
        let digest = openssl(&["dgst", "-sha256", "-binary"], &public_der);
        let fingerprint = format!("SHA256:{}", STANDARD.encode(digest));
        TestKey { pkcs8, pkcs1, fingerprint, public: pair.public_key().as_ref().to_vec() }
    })
}

/// Runs openssl, which must be there, with `input`.
pub fn openssl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl is installed");
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "openssl {arguments:?}");
    output.stdout
}

/// Header and claims of a JWT that the test key signed.
pub fn verified(jwt: &str) -> (Value, Value) {
    let parts: Vec<&str> = jwt.split('.').collect();
    assert_eq!(parts.len(), 3, "a JWT has three parts");
    let signed = format!("{}.{}", parts[0], parts[1]);
    let public = UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, &key().public);
    public.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(parts[2]).unwrap()).expect("signed by the key");
    let part = |index: usize| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[index]).unwrap()).unwrap();
    (part(0), part(1))
}

/// Where logs go, to be read by the test.
#[derive(Clone, Default)]
pub struct Logs(Arc<Mutex<Vec<u8>>>);

impl Logs {
    /// Catches all logs of this thread, at their most talkative, until the guard goes.
    pub fn catch() -> (Self, tracing::subscriber::DefaultGuard) {
        // With a single dispatcher, a call site first met by another thread counts as disabled for
        // all; a second one, kept for ever, makes every call site ask all dispatchers.
        static SECOND: OnceLock<tracing::Dispatch> = OnceLock::new();
        SECOND.get_or_init(|| tracing_subscriber::registry().into());
        let logs = Self::default();
        let writer = logs.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter("trace")
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        (logs, tracing::subscriber::set_default(subscriber))
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        std::io::Write::write(&mut *self.0.lock().unwrap(), bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
