//! The emulator with an App whose deliveries fail or arrive as a test wants, and a site next to it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use pforge::emulator::keys::AppKey;
use pforge::emulator::person::{OpenPull, RawDelivery};
use pforge::emulator::seed::{SeedApp, SeedInstallation, SeedRepo, SeedUser};
use pforge::emulator::{self, Person, Seed};
use pforge::github::api::apps::HookChange;
use pforge::github::{AppCredentials, Client, Config};
use pforge::util::{Clock, Secret};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::support::env::Output;
use crate::support::world::{SECRET, Serve, Site};

/// Nothing in these tests takes longer.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// The repository that the App is installed on.
pub const REPO: &str = "pangeo-forge/staged-recipes";
/// Nobody listens there.
pub const NOWHERE: &str = "http://127.0.0.1:1/github/hooks/";

const APP_ID: i64 = 77;

/// Everything but the server.
pub struct Stage {
    /// GitHub's people.
    pub person: Person,
    /// Where servers and commands are started.
    pub site: Site,
    /// Speaks as the App.
    pub github: Client,
    _emulator: DropGuard,
}

impl Stage {
    /// A GitHub whose App's hook leads nowhere.
    pub async fn start(database_url: Option<String>) -> Self {
        let key = AppKey::generate().unwrap();
        let level = |name: &str, level: &str| (name.to_owned(), serde_json::from_value(json!(level)).unwrap());
        let seed = Seed {
            users: vec![SeedUser { login: "developer".into(), token: None }],
            orgs: vec!["pangeo-forge".into()],
            repos: vec![SeedRepo {
                name: REPO.into(),
                files: [("README.md".to_owned(), "# recipes\n".to_owned())].into(),
                ..SeedRepo::default()
            }],
            apps: vec![SeedApp {
                id: Some(APP_ID),
                name: "test".into(),
                owner: Some("pangeo-forge".into()),
                private_key: Some(key.pem.clone()),
                webhook_url: Some(NOWHERE.into()),
                webhook_secret: Some(Secret::new(SECRET)),
                permissions: [
                    level("checks", "write"),
                    level("contents", "read"),
                    level("pull_requests", "write"),
                    level("issues", "write"),
                ]
                .into(),
                events: ["pull_request", "issues", "issue_comment"].map(str::to_owned).to_vec(),
                installations: vec![SeedInstallation { account: "pangeo-forge".into(), repositories: None }],
            }],
            ..Seed::default()
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(emulator::run(listener, emulator::Options { seed, ..Default::default() }, stop.clone()));
        let credentials = AppCredentials { issuer: APP_ID.to_string(), private_key: key.pem.clone() };
        let config = Config { api_url: url.parse().unwrap(), credentials, clock: Clock::system() };
        Self {
            person: Person::new(&url).unwrap(),
            site: Site::new(&url, APP_ID, key.pem.expose(), database_url),
            github: Client::new(config).unwrap(),
            _emulator: stop.drop_guard(),
        }
    }

    /// Where deliveries go from now on.
    pub async fn hook_to(&self, url: &str) {
        let change = HookChange { url: Some(url.to_owned()), ..HookChange::default() };
        self.github.change_hook_config(&change).await.unwrap();
    }

    /// Opens `count` issues and waits until GitHub has tried to tell; GUIDs of all deliveries.
    pub async fn issues(&self, count: usize) -> BTreeSet<String> {
        for number in 0..count {
            self.person.open_issue(REPO, &format!("Issue {number}"), &[]).await.unwrap();
        }
        self.guids().await
    }

    /// Opens a pull request that brings no recipe.
    pub async fn pull(&self, branch: &str) {
        let files = [(format!("{branch}.md"), Some("text\n".to_owned()))].into();
        let pull = OpenPull { branch: branch.into(), title: "Text".into(), files, ..OpenPull::default() };
        self.person.open_pull(REPO, &pull).await.unwrap();
    }

    /// Sends an event of our own making.
    pub async fn raw(&self, delivery: RawDelivery) -> i64 {
        let id = self.person.send_raw(&delivery).await.unwrap();
        self.person.settled(PATIENCE).await.unwrap();
        id
    }

    /// GUIDs of all deliveries, when none is under way.
    pub async fn guids(&self) -> BTreeSet<String> {
        let all = self.person.settled(PATIENCE).await.unwrap();
        all.iter().map(|delivery| delivery["guid"].as_str().unwrap().to_owned()).collect()
    }

    /// All attempts of `guid`, oldest first.
    pub async fn attempts(&self, guid: &str) -> Vec<Value> {
        let all = self.person.settled(PATIENCE).await.unwrap();
        all.into_iter().filter(|delivery| delivery["guid"] == guid).collect()
    }

    /// A server that reconciles, ready.
    pub fn serve(&self, extra: &[&str]) -> Serve {
        let flags: Vec<&str> = ["--reconcile", "5m"].into_iter().chain(extra.iter().copied()).collect();
        tokio::task::block_in_place(|| self.site.serve(&flags))
    }

    /// Runs a command to its end.
    pub fn pforge(&self, args: &[&str]) -> Output {
        tokio::task::block_in_place(|| {
            let mut command = self.site.command();
            command.args(args).current_dir(self.site.root.path());
            Output::of(command, args)
        })
    }

    /// The calls to GitHub of this method whose path begins so.
    pub async fn calls(&self, method: &str, path: &str) -> Vec<Value> {
        let calls = self.person.calls().await.unwrap();
        let fits = |call: &Value| call["method"] == method && call["path"].as_str().unwrap().starts_with(path);
        calls.into_iter().filter(fits).collect()
    }
}

/// A receiver that answers everything with one status, and keeps what came.
pub struct Sink {
    /// Where it listens.
    pub url: String,
    inbox: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    status: Arc<Mutex<StatusCode>>,
    task: tokio::task::JoinHandle<()>,
}

type Inbox = (Arc<Mutex<Vec<(HeaderMap, Bytes)>>>, Arc<Mutex<StatusCode>>);

impl Sink {
    /// A receiver on a free port.
    pub async fn start(status: u16) -> Self {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        let inbox: Arc<Mutex<Vec<(HeaderMap, Bytes)>>> = Arc::default();
        let status = Arc::new(Mutex::new(StatusCode::from_u16(status).unwrap()));
        let handler = async |State((inbox, status)): State<Inbox>, headers: HeaderMap, body: Bytes| {
            inbox.lock().unwrap().push((headers, body));
            (*status.lock().unwrap(), "noted")
        };
        let state: Inbox = (Arc::clone(&inbox), Arc::clone(&status));
        let app = Router::new().fallback(handler).with_state(state);
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, inbox, status, task }
    }

    /// Answers with `status` from now on.
    pub fn answer(&self, status: u16) {
        *self.status.lock().unwrap() = StatusCode::from_u16(status).unwrap();
    }

    /// What came, in order.
    pub fn received(&self) -> Vec<(HeaderMap, Bytes)> {
        self.inbox.lock().unwrap().clone()
    }

    /// The values of a header, in order of arrival.
    pub fn header(&self, name: &str) -> Vec<String> {
        let text = |headers: &HeaderMap| headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        self.received().iter().map(|(headers, _)| text(headers)).collect()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.task.abort();
    }
}
