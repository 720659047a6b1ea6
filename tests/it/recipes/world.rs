//! The app in a server, with its database and a scripted GitHub.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pforge::apps::App;
use pforge::apps::recipes::{Parts, Recipes, Settings};
use pforge::github::Client;
use pforge::github::signature::Key;
use pforge::server::{self, Limits};
use pforge::store::Db;
use pforge::store::jobs::{JobFilter, JobRow, JobState, list};
use pforge::util::{Clock, Secret};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::github::GitHub;
use crate::support::pg::TestDb;

pub const API_KEY: &str = "0123456789abcdef";
pub const SECRET: &str = "webhook secret";
const PATIENCE: Duration = Duration::from_secs(30);

pub struct World {
    pub github: GitHub,
    pub db: Db,
    pub url: String,
    http: reqwest::Client,
    _server: JoinHandle<std::io::Result<()>>,
    _stop: DropGuard,
    _database: TestDb,
}

impl World {
    pub async fn start(database: TestDb, settings: Settings) -> Self {
        let github = GitHub::start().await;
        let client = github.client();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { github, ..Self::serve(listener, database, settings, client) }
    }

    /// A server that talks to another GitHub than the scripted one.
    pub fn serve(listener: TcpListener, database: TestDb, settings: Settings, client: Client) -> Self {
        let parts = Parts::new(database.db.clone(), Clock::system());
        Self::serve_parts(listener, database, Parts { settings, github: Some(client), ..parts })
    }

    /// A server whose app is made of `parts`.
    pub fn serve_parts(listener: TcpListener, database: TestDb, parts: Parts) -> Self {
        let db = database.db.clone();
        let app: Arc<dyn App> = Arc::new(Recipes::new(parts));
        let url = format!("http://{}", listener.local_addr().unwrap());
        let config = server::Config {
            db: db.clone(),
            apps: vec![app],
            webhook_secrets: vec![Secret::new(SECRET)],
            api_key: Some(Secret::new(API_KEY)),
            workers: 4,
            https_only: false,
            cors: server::Cors::default(),
            limits: Limits::default(),
            clock: Clock::system(),
            reconcile: None,
        };
        let stop = CancellationToken::new();
        let server = tokio::spawn(server::run(config, listener, stop.clone()));
        let (github, http) = (GitHub::default(), reqwest::Client::new());
        Self { github, db, url, http, _server: server, _stop: stop.drop_guard(), _database: database }
    }

    /// Any request, with these headers.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> reqwest::Response {
        let request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.url));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.send().await.unwrap()
    }

    /// A call of the REST API; `key` is the admin key that is sent.
    pub async fn call(&self, method: &str, path: &str, key: Option<&str>, body: Option<Value>) -> (u16, Value) {
        let mut request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.url));
        if let Some(key) = key {
            request = request.header("X-API-Key", key);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub async fn admin(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { None } else { Some(body) };
        self.call(method, path, Some(API_KEY), body).await
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call("GET", path, None, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Delivers an event as GitHub does, signed.
    pub async fn deliver(&self, event: &str, guid: &str, payload: &Value) -> (u16, Value) {
        self.deliver_as("application/json", event, guid, payload.to_string()).await
    }

    /// Delivers a body of any content type, signed.
    pub async fn deliver_as(&self, content_type: &str, event: &str, guid: &str, body: String) -> (u16, Value) {
        let answer = self
            .http
            .post(format!("{}/github/hooks/", self.url))
            .header("content-type", content_type)
            .header("x-github-event", event)
            .header("x-github-delivery", guid)
            .header("x-github-hook-id", "1")
            .header("x-hub-signature-256", Key::new(SECRET.as_bytes()).sign(body.as_bytes()))
            .body(body)
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Registers the repository and the bakery that [`pull`] and [`META`] name.
    pub async fn init(&self, spec: &str) {
        let (status, body) = self.admin("POST", "/feedstocks/", json!({ "spec": spec })).await;
        assert_eq!(status, 200, "{body}");
        let bakery = json!({ "region": "local", "name": "local-test-bakery", "description": "A great bakery." });
        assert_eq!(self.admin("POST", "/bakeries/", bakery).await.0, 200);
    }

    pub async fn jobs(&self) -> Vec<JobRow> {
        list(&self.db, &JobFilter { limit: 100, ..JobFilter::default() }).await.unwrap()
    }

    /// Waits until no job is ready or running; all jobs, newest first.
    pub async fn drained(&self) -> Vec<JobRow> {
        let until = Instant::now() + PATIENCE;
        loop {
            let jobs = self.jobs().await;
            if jobs.iter().all(|job| matches!(job.state, JobState::Done | JobState::Dead)) {
                return jobs;
            }
            assert!(Instant::now() < until, "jobs do not end: {jobs:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A new pull request number 3 from a fork.
pub fn pull(full_name: &str, sha: &str) -> Value {
    let name = full_name.split_once('/').unwrap().1;
    json!({
        "action": "opened",
        "installation": { "id": 42 },
        "repository": { "full_name": full_name },
        "pull_request": {
            "number": 3,
            "title": "Add a recipe",
            "labels": [],
            "merged": false,
            "head": { "sha": sha, "repo": { "html_url": format!("https://github.com/fork/{name}") } },
            "base": { "ref": "main", "repo": {
                "url": format!("https://api.github.com/repos/{full_name}"),
                "html_url": format!("https://github.com/{full_name}"),
                "full_name": full_name,
            } },
        },
    })
}

/// The demo feedstock's.
pub const META: &str = include_str!("../../../examples/feedstock/feedstock/meta.yaml");
