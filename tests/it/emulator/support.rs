//! An emulator on a free port, an App that calls it, and a receiver of its deliveries.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use bytes::Bytes;
use chrono::Utc;
use http::{HeaderMap, Method, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use pforge::emulator::seed::{SeedApp, SeedInstallation, SeedRepo};
use pforge::emulator::state::{Level, Permissions};
use pforge::emulator::{Options, Person, Seed, keys::AppKey, run};
use pforge::util::Secret;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub const PATIENCE: Duration = Duration::from_secs(20);
pub const REPO: &str = "pangeo-forge/staged-recipes";
pub const SECRET: &str = "It's a Secret to Everybody";
pub const APP_ID: i64 = 4242;

/// A running emulator; it ends with the test.
pub struct Emulator {
    pub base: String,
    pub person: Person,
    stop: CancellationToken,
    task: JoinHandle<std::io::Result<()>>,
}

impl Emulator {
    pub async fn start(seed: Seed) -> Self {
        Self::start_at(seed, None).await
    }

    pub async fn start_at(seed: Seed, public_url: Option<url::Url>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let options = Options { seed, public_url, ..Options::default() };
        let task = tokio::spawn(run(listener, options, stop.clone()));
        let person = Person::new(base.clone()).unwrap();
        Self { base, person, stop, task }
    }

    /// Stops it and makes sure that it ended well.
    pub async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.task).await.expect("ends").expect("no panic").expect("no error");
    }
}

/// An answer, read.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    pub fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }
}

/// A plain client without any knowledge of GitHub.
pub struct Api {
    base: String,
    http: reqwest::Client,
    pub authorization: Option<String>,
}

impl Api {
    pub fn new(base: &str, authorization: Option<String>) -> Self {
        let http = reqwest::Client::builder().user_agent("it").no_proxy().build().unwrap();
        Self { base: base.to_owned(), http, authorization }
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        let request = self.http.request(method, url);
        match &self.authorization {
            Some(value) => request.header("authorization", value),
            None => request,
        }
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body =
            serde_json::from_str(&text).unwrap_or(if text.is_empty() { Value::Null } else { Value::String(text) });
        Answer { status, headers, body }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn call(&self, method: Method, path: &str, body: Value) -> Answer {
        self.send(self.request(method, path).json(&body)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, body).await
    }
}

/// A JWT with these claims.
pub fn sign(pem: &Secret, claims: &Value) -> String {
    let key = EncodingKey::from_rsa_pem(pem.expose().as_bytes()).unwrap();
    encode(&Header::new(Algorithm::RS256), claims, &key).unwrap()
}

/// A client with the App's JWT.
pub fn as_app(base: &str, pem: &Secret, issuer: &str) -> Api {
    let now = Utc::now().timestamp();
    let jwt = sign(pem, &json!({ "iss": issuer, "iat": now - 60, "exp": now + 540 }));
    Api::new(base, Some(format!("Bearer {jwt}")))
}

/// A client with a token of the App's first installation.
pub async fn as_installation(app: &Api, body: Value) -> Api {
    let installations = app.get("/app/installations").await;
    let id = installations.body[0]["id"].as_i64().expect("an installation");
    let answer = app.post(&format!("/app/installations/{id}/access_tokens"), body).await;
    assert_eq!(answer.status, 201, "{:?}", answer.body);
    let token = answer.body["token"].as_str().unwrap();
    Api::new(&app.base, Some(format!("token {token}")))
}

pub fn permissions(list: &[(&str, Level)]) -> Permissions {
    list.iter().map(|(name, level)| ((*name).to_owned(), *level)).collect()
}

/// The demo world with an App that is installed already; gives its key too.
pub fn installed(permissions: Permissions, events: &[&str], hook: Option<&str>) -> (Seed, Secret) {
    let key = AppKey::generate().unwrap();
    let mut seed = Seed::demo();
    seed.repos.push(SeedRepo { name: "pangeo-forge/secret".to_owned(), private: true, ..SeedRepo::default() });
    seed.apps.push(SeedApp {
        id: Some(APP_ID),
        name: "Seeded".to_owned(),
        private_key: Some(key.pem.clone()),
        webhook_url: hook.map(str::to_owned),
        webhook_secret: Some(Secret::new(SECRET)),
        permissions,
        events: events.iter().map(|e| (*e).to_owned()).collect(),
        installations: vec![SeedInstallation {
            account: "pangeo-forge".to_owned(),
            repositories: Some(vec!["staged-recipes".to_owned()]),
        }],
        ..SeedApp::default()
    });
    (seed, key.pem)
}

/// One received delivery.
#[derive(Clone, Debug)]
pub struct Received {
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

type Inbox = Arc<Mutex<Vec<Received>>>;

/// A receiver of deliveries.
pub struct Sink {
    pub url: String,
    inbox: Inbox,
    task: JoinHandle<()>,
}

impl Sink {
    pub async fn start(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        let inbox = Inbox::default();
        let status = StatusCode::from_u16(status).unwrap();
        let handler = async move |State(inbox): State<Inbox>, headers: HeaderMap, body: Bytes| {
            inbox.lock().unwrap().push(Received { headers, body });
            (status, "noted")
        };
        let app = Router::new().fallback(handler).with_state(Arc::clone(&inbox));
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, inbox, task }
    }

    pub fn received(&self) -> Vec<Received> {
        self.inbox.lock().unwrap().clone()
    }

    pub fn events(&self) -> Vec<String> {
        let name = |r: &Received| {
            let action = r.json()["action"].as_str().map(|a| format!(".{a}")).unwrap_or_default();
            format!("{}{action}", r.header("x-github-event"))
        };
        self.received().iter().map(name).collect()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Files by path.
pub fn files(list: &[(&str, &str)]) -> pforge::emulator::person::Files {
    list.iter().map(|(path, text)| ((*path).to_owned(), Some((*text).to_owned()))).collect()
}
