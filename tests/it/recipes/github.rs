//! A scripted GitHub: just the calls of the recipes app, with a log, and with a gate at which a
//! call can be held as long as a test needs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{StatusCode, Uri};
use pforge::github::{AppCredentials, Client, Config};
use pforge::util::{Clock, Secret};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

#[derive(Clone, Default)]
pub struct GitHub {
    state: Arc<Mutex<Model>>,
    reached: Arc<Notify>,
    pub url: String,
}

#[derive(Default)]
struct Model {
    calls: Vec<String>,
    check_runs: Vec<Value>,
    /// When each of them was opened.
    opened: Vec<Instant>,
    /// `owner/name/path` to content.
    files: HashMap<String, String>,
    pull_files: Vec<(String, String)>,
    hook_url: Option<String>,
    pull: Value,
    hold: Option<Hold>,
    fail: Option<(String, u16)>,
}

#[derive(Clone)]
struct Hold {
    call: String,
    /// Whether the call takes effect before it is held.
    after: bool,
    /// How many such calls are answered first.
    skip: usize,
}

impl GitHub {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let github = Self { url, ..Self::default() };
        let router = Router::new().fallback(answer).with_state(github.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        github.with(|model| model.hook_url = Some("https://smee.io/channel".into()));
        github
    }

    fn with<T>(&self, work: impl FnOnce(&mut Model) -> T) -> T {
        work(&mut self.state.lock().unwrap())
    }

    pub fn client(&self) -> Client {
        let credentials = AppCredentials { issuer: "Iv1.test".into(), private_key: Secret::new(private_key()) };
        let api_url = self.url.parse().unwrap();
        Client::new(Config { api_url, credentials, clock: Clock::system() }).unwrap()
    }

    pub fn file(&self, path: &str, content: &str) {
        self.with(|model| model.files.insert(path.to_owned(), content.to_owned()));
    }

    pub fn pull_files(&self, names: &[&str]) {
        let files = names.iter().map(|name| ((*name).to_owned(), "added".to_owned())).collect();
        self.with(|model| model.pull_files = files);
    }

    /// The pull request that is asked for.
    pub fn pull(&self, pull: Value) {
        self.with(|model| model.pull = pull);
    }

    pub fn hook_url(&self, url: &str) {
        self.with(|model| model.hook_url = Some(url.to_owned()));
    }

    /// The check runs of deliveries, called `synchronize`.
    pub fn check_runs(&self) -> Vec<Value> {
        self.with(|model| model.check_runs.iter().filter(|run| run["name"] == "synchronize").cloned().collect())
    }

    /// The check runs of recipes.
    pub fn recipe_checks(&self) -> Vec<Value> {
        self.with(|model| model.check_runs.iter().filter(|run| run["name"] != "synchronize").cloned().collect())
    }

    /// Another delivery's check run on the same commit.
    pub fn open_another(&self) {
        self.with(|model| {
            let mut run = model.check_runs[0].clone();
            run["id"] = json!(model.check_runs.len() + 100);
            run["external_id"] = json!("another");
            model.check_runs.push(run);
        });
    }

    /// When the last check run was opened.
    pub fn last_opened(&self) -> Instant {
        *self.with(|model| model.opened.last().copied()).as_ref().expect("a check run")
    }

    /// Method and path of every call, tokens aside.
    pub fn calls(&self) -> Vec<String> {
        self.with(|model| model.calls.clone())
    }

    /// The next call that contains `call` is never answered.
    pub fn hold(&self, call: &str, after: bool) {
        self.hold_after(0, call, after);
    }

    /// As [`Self::hold`], after `skip` such calls.
    pub fn hold_after(&self, skip: usize, call: &str, after: bool) {
        self.with(|model| model.hold = Some(Hold { call: call.to_owned(), after, skip }));
    }

    /// Completes when the held call has arrived (and has taken effect, if it shall).
    pub async fn held(&self) {
        self.reached.notified().await;
    }

    /// From now on calls that contain `call` are answered with this status; `None` mends it.
    pub fn fail(&self, fail: Option<(&str, u16)>) {
        self.with(|model| model.fail = fail.map(|(call, status)| (call.to_owned(), status)));
    }

    fn take_hold(&self, call: &str) -> Option<Hold> {
        self.with(|model| match &mut model.hold {
            Some(hold) if call.contains(&hold.call) && hold.skip > 0 => {
                hold.skip -= 1;
                None
            }
            Some(hold) if call.contains(&hold.call) => model.hold.take(),
            _ => None,
        })
    }
}

async fn answer(State(github): State<GitHub>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let call = format!("{} {}", parts.method, parts.uri);
    if call.ends_with("/access_tokens") {
        let expires = chrono::Utc::now() + chrono::TimeDelta::hours(1);
        return (
            StatusCode::CREATED,
            Json(json!({ "token": "ghs_0123456789", "expires_at": expires, "permissions": {} })),
        )
            .into_response();
    }
    let fail = github.with(|model| {
        model.calls.push(call.clone());
        model.fail.clone().filter(|(of, _)| call.contains(of.as_str()))
    });
    if let Some((_, status)) = fail {
        let status = StatusCode::from_u16(status).unwrap();
        let mut answer = (status, Json(json!({ "message": "broken on purpose" }))).into_response();
        if status.is_server_error() {
            answer.headers_mut().insert("retry-after", http::HeaderValue::from_static("60"));
        }
        return answer;
    }
    let hold = github.take_hold(&call);
    if hold.as_ref().is_none_or(|hold| hold.after) {
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let answered = github.with(|model| effect(model, parts.method.as_str(), &parts.uri, &body));
        if hold.is_none() {
            return answered;
        }
    }
    github.reached.notify_one();
    std::future::pending().await
}

fn effect(model: &mut Model, method: &str, uri: &Uri, body: &Value) -> Response {
    let path = uri.path();
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    match (method, segments.as_slice()) {
        ("GET", ["app", "hook", "config"]) => {
            Json(json!({ "url": model.hook_url, "content_type": "json" })).into_response()
        }
        ("POST", ["repos", _, _, "check-runs"]) => {
            let mut run = body.clone();
            run["id"] = json!(model.check_runs.len() + 100);
            if run.get("conclusion").is_none() {
                run["conclusion"] = Value::Null;
            }
            run["html_url"] = Value::Null;
            model.check_runs.push(run.clone());
            model.opened.push(Instant::now());
            (StatusCode::CREATED, Json(run)).into_response()
        }
        ("PATCH", ["repos", _, _, "check-runs", id]) => {
            let id: u64 = id.parse().unwrap();
            let Some(run) = model.check_runs.iter_mut().find(|run| run["id"] == id) else { return missing() };
            for (name, value) in body.as_object().unwrap() {
                run[name] = value.clone();
            }
            Json(run.clone()).into_response()
        }
        ("GET", ["repos", _, _, "commits", sha, "check-runs"]) => {
            let query = uri.query().unwrap_or_default();
            // By default only the newest of a name counts, which no caller here wants.
            assert!(query.contains("filter=all"), "{uri}");
            let name = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "check_name");
            let named = |run: &Value| name.as_ref().is_none_or(|(_, name)| run["name"] == name.as_ref());
            let on = |run: &&Value| run["head_sha"] == *sha && named(run);
            let runs: Vec<&Value> = model.check_runs.iter().rev().filter(on).collect();
            Json(json!({ "total_count": runs.len(), "check_runs": runs })).into_response()
        }
        ("GET", ["repos", _, _, "pulls", _]) => Json(model.pull.clone()).into_response(),
        ("GET", ["repos", _, _, "pulls", _, "files"]) => {
            let files = model.pull_files.iter();
            let files: Vec<Value> = files.map(|(name, status)| json!({ "filename": name, "status": status })).collect();
            Json(files).into_response()
        }
        ("GET", ["repos", owner, name, "contents", path @ ..]) => {
            let path = path.join("/");
            match model.files.get(&format!("{owner}/{name}/{path}")) {
                Some(text) => {
                    let content = STANDARD.encode(text);
                    Json(json!({ "type": "file", "encoding": "base64", "path": path, "content": content }))
                        .into_response()
                }
                None => missing(),
            }
        }
        _ => (StatusCode::NOT_IMPLEMENTED, Json(json!({ "message": format!("unscripted: {method} {path}") })))
            .into_response(),
    }
}

fn missing() -> Response {
    (StatusCode::NOT_FOUND, Json(json!({ "message": "Not Found" }))).into_response()
}

/// A private key, made once: it takes a while.
pub fn private_key() -> String {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(|| {
        use aws_lc_rs::encoding::AsDer;
        let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
        let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let text = STANDARD.encode(der.as_ref());
        let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
    })
    .clone()
}
