//! The emulator with many small feedstocks, a site next to it, and deliveries of their pull requests.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use pforge::emulator::keys::AppKey;
use pforge::emulator::person::{Files, OpenPull};
use pforge::emulator::seed::{SeedApp, SeedInstallation, SeedRepo, SeedUser};
use pforge::emulator::{self, Person, Seed};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::line::Line;
use crate::support::world::{Api, SECRET, Serve, Site, eventually};

/// The recipes of every feedstock.
pub const RECIPES: [&str; 2] = ["daily", "monthly"];
/// How long an answer of GitHub takes.
pub const GITHUB_TAKES: Duration = Duration::from_millis(25);
/// The life of a lease: a killed server's jobs are taken over after it.
pub const LEASE: &str = "2s";

const META: &str = "title: t\nrecipes:\n  - {id: daily, object: 'recipe:daily'}\n  \
                    - {id: monthly, object: 'recipe:monthly'}\nbakery: {id: local-test-bakery}\n";
const APP_ID: i64 = 7;

/// Everything but the server.
pub struct Stage {
    /// GitHub's people.
    pub person: Person,
    /// The line between the server and GitHub.
    pub line: Line,
    /// Where servers are started.
    pub site: Site,
    /// What is random is drawn from this; its seed is printed.
    pub random: Mutex<fastrand::Rng>,
    repos: Vec<Repo>,
    opened: AtomicU64,
    _emulator: DropGuard,
}

struct Repo {
    name: String,
    installation: i64,
}

/// A webhook delivery of a pull request.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// `X-GitHub-Delivery`.
    pub guid: String,
    /// `owner/name`.
    pub repo: String,
    /// Number of the pull request.
    pub number: i64,
    /// Its newest commit.
    pub sha: String,
    /// What is posted.
    pub body: Vec<u8>,
}

impl Stage {
    /// A GitHub with `repos` feedstocks, each in an organisation of its own with an installation of
    /// the App: GitHub's limits on writing hold for each of them.
    pub async fn start(repos: usize, database_url: Option<String>) -> Self {
        let seed = std::env::var("PFORGE_TEST_SEED").ok().and_then(|text| text.parse().ok());
        let seed = seed.unwrap_or_else(|| fastrand::u64(..));
        eprintln!("to get the same random numbers again: PFORGE_TEST_SEED={seed}");
        let key = AppKey::generate().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let options = emulator::Options { seed: world(repos, &key), ..emulator::Options::default() };
        tokio::spawn(emulator::run(listener, options, stop.clone()));
        let line = Line::start(&url, GITHUB_TAKES).await;
        let site = Site::new(&line.url, APP_ID, key.pem.expose(), database_url);
        Self {
            person: Person::new(url).unwrap(),
            line,
            site,
            random: Mutex::new(fastrand::Rng::with_seed(seed)),
            repos: (0..repos).map(|number| Repo { name: repo(number), installation: 0 }).collect(),
            opened: AtomicU64::new(0),
            _emulator: stop.drop_guard(),
        }
        .installed()
        .await
    }

    /// Asks for the installations' ids.
    async fn installed(mut self) -> Self {
        for repo in &mut self.repos {
            let owner = repo.name.split_once('/').unwrap().0;
            repo.installation = self.person.install("test", owner, None).await.unwrap();
        }
        self
    }

    /// Starts a server and waits until it is ready.
    pub async fn serve(&self, extra: &[&str]) -> Serve {
        let flags: Vec<&str> = ["--lease", LEASE].into_iter().chain(extra.iter().copied()).collect();
        tokio::task::block_in_place(|| self.site.serve(&flags))
    }

    /// Tells the server of all feedstocks and of the bakery.
    pub async fn register(&self, api: &Api) {
        for repo in &self.repos {
            api.post("/feedstocks/", &json!({ "spec": repo.name })).await;
        }
        let bakery = json!({ "name": "local-test-bakery", "region": "local", "description": "A great bakery." });
        api.post("/bakeries/", &bakery).await;
    }

    /// Opens `count` pull requests, spread over all feedstocks; their deliveries.
    pub async fn pulls(&self, count: usize) -> Vec<Delivery> {
        let opening = (0..count).map(|_| {
            let number = self.opened.fetch_add(1, Ordering::Relaxed);
            let repo = &self.repos[usize::try_from(number).unwrap() % self.repos.len()];
            async move {
                let pull = OpenPull {
                    branch: format!("change-{number}"),
                    title: format!("Change {number}"),
                    files: note(number),
                    ..OpenPull::default()
                };
                let opened = self.person.open_pull(&repo.name, &pull).await?;
                Ok::<_, emulator::person::PersonError>(self.delivery(repo, "opened", opened.number, opened.head.sha))
            }
        });
        stream::iter(opening).buffered(8).try_collect().await.unwrap()
    }

    /// Pushes `count` commits to the pull request of `opened`; the deliveries of that.
    pub async fn pushes(&self, opened: &Delivery, branch: &str, count: usize) -> Vec<Delivery> {
        let repo = self.repos.iter().find(|repo| repo.name == opened.repo).unwrap();
        let mut deliveries = Vec::new();
        for _ in 0..count {
            let number = self.opened.fetch_add(1, Ordering::Relaxed);
            let sha = self.person.push(&repo.name, branch, &note(number), None).await.unwrap();
            deliveries.push(self.delivery(repo, "synchronize", opened.number, sha));
        }
        deliveries
    }

    /// The delivery of another pull request with the commit of `like`.
    pub fn sibling(&self, like: &Delivery) -> Delivery {
        let repo = self.repos.iter().find(|repo| repo.name == like.repo).unwrap();
        self.delivery(repo, "opened", like.number + 1000, like.sha.clone())
    }

    fn delivery(&self, repo: &Repo, action: &str, number: i64, sha: String) -> Delivery {
        let url = &self.line.url;
        let name = &repo.name;
        let page = format!("{url}/{name}");
        let payload = json!({
            "action": action,
            "number": number,
            "pull_request": {
                "number": number,
                "title": format!("Change {number}"),
                "body": self.padding(),
                "labels": [],
                "merge_commit_sha": null,
                "head": { "ref": "change", "sha": sha, "repo": { "full_name": name, "html_url": page } },
                "base": {
                    "ref": "main",
                    "repo": { "full_name": name, "html_url": page, "url": format!("{url}/repos/{name}") },
                },
            },
            "repository": { "full_name": name },
            "installation": { "id": repo.installation },
        });
        Delivery {
            guid: uuid::Uuid::new_v4().to_string(),
            repo: name.clone(),
            number,
            sha,
            body: serde_json::to_vec_pretty(&payload).unwrap(),
        }
    }

    /// Text of a random length, so that payloads differ in size as real ones do; few are large.
    fn padding(&self) -> String {
        let mut random = self.random.lock().unwrap();
        let length = if random.u8(..50) == 0 { 150_000 } else { random.usize(..20_000) };
        std::iter::repeat_with(|| random.alphanumeric()).take(length).collect()
    }
}

/// Waits until no job waits and none runs.
pub async fn drained(api: &Api) {
    // One question: between two, a job could go from the one state to the other.
    let open = async || {
        let queued = api.get("/deliveries?limit=1&status=queued").await;
        queued["items"].as_array().unwrap().is_empty().then_some(())
    };
    eventually("the queue to be worked off", open).await;
}

fn repo(number: usize) -> String {
    format!("org-{number}/sst-feedstock")
}

fn note(number: u64) -> Files {
    [(format!("notes/{number}.md"), Some(format!("Note {number}\n")))].into()
}

fn world(repos: usize, key: &AppKey) -> Seed {
    Seed {
        users: vec![SeedUser { login: "maintainer".into(), token: None }],
        orgs: (0..repos).map(|number| format!("org-{number}")).collect(),
        repos: (0..repos)
            .map(|number| SeedRepo {
                name: repo(number),
                files: BTreeMap::from([("feedstock/meta.yaml".into(), META.into())]),
                ..SeedRepo::default()
            })
            .collect(),
        apps: vec![SeedApp {
            id: Some(APP_ID),
            name: "test".into(),
            private_key: Some(key.pem.clone()),
            webhook_secret: Some(pforge::util::Secret::new(SECRET)),
            permissions: serde_json::from_value(json!({
                "checks": "write", "contents": "write", "issues": "write", "metadata": "read",
                "pull_requests": "write",
            }))
            .unwrap(),
            events: vec!["pull_request".into(), "issue_comment".into()],
            installations: Vec::<SeedInstallation>::new(),
            ..SeedApp::default()
        }],
        rate_limit: Some(1_000_000),
        ..Seed::default()
    }
}
