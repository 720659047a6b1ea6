//! A merged recipe, its job, and workers that a test can kill, on a clock that it can put forward.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use pforge::apps::App;
use pforge::apps::payload::{Delivery, Payload};
use pforge::apps::recipes::rows::feedstocks;
use pforge::apps::recipes::{Parts, Recipes, Settings};
use pforge::emulator::person::OpenPull;
use pforge::emulator::{self, Options, Person, Seed};
use pforge::github::{AppCredentials, Client, Config};
use pforge::jobs::{Registry, Runner, Wake};
use pforge::store::Db;
use pforge::store::jobs::{JobFilter, JobRow, JobState, enqueue, list, retry};
use pforge::util::{Clock, Secret};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::gate::Gate;
use super::look::{Look, the_comment_at};
use crate::recipes::github::private_key;
use crate::recipes::stage::{ORG, recipe_files};
use crate::recipes::world::{META, SECRET};
use crate::support::pg::TestDb;

/// How GitHub and the app are set up.
pub struct Plan {
    /// Whose staged-recipes it is: [`ORG`], or a user.
    pub owner: &'static str,
    /// What the App may do beside the usual.
    pub administration: bool,
    pub settings: Settings,
    /// Repositories that are there, of the same owner.
    pub repositories: Vec<&'static str>,
}

impl Default for Plan {
    fn default() -> Self {
        Self { owner: ORG, administration: true, settings: Settings::default(), repositories: Vec::new() }
    }
}

pub struct Bench {
    pub gate: Gate,
    pub person: Person,
    pub look: Look,
    pub db: Db,
    pub staged: String,
    /// The pull request that was merged.
    pub number: i64,
    app: Recipes,
    skipped: Arc<AtomicI64>,
    _stop: DropGuard,
    _database: TestDb,
}

/// A GitHub with an App; nobody listens to its webhooks.
pub fn seed(plan: &Plan) -> Seed {
    let mut permissions = json!({
        "checks": "write", "contents": "write", "issues": "write", "metadata": "read", "pull_requests": "write",
    });
    if plan.administration {
        permissions["administration"] = json!("write");
    }
    let owner = plan.owner;
    let mut repos = vec![json!({ "name": format!("{owner}/staged-recipes"), "files": { "README.md": "# staged\n" } })];
    repos.extend(plan.repositories.iter().map(
        |name| json!({ "name": format!("{owner}/{name}"), "files": { "x": "x\n" }, "template": *name == "template" }),
    ));
    let users = if owner == ORG { vec!["contributor"] } else { vec!["contributor", owner] };
    let users: Vec<Value> = users.into_iter().map(|login| json!({ "login": login })).collect();
    let seed = json!({
        "users": users,
        "orgs": [ORG],
        "repos": repos,
        "apps": [{
            "id": 7, "name": "pforge-test", "owner": ORG, "private_key": private_key(),
            "webhook_url": "http://127.0.0.1:1/", "webhook_secret": SECRET, "permissions": permissions,
            "events": ["pull_request"], "installations": [{ "account": owner }],
        }],
    });
    Seed::parse(&seed.to_string()).unwrap()
}

/// Starts the emulator; its address, and its end.
pub async fn github(plan: &Plan) -> (String, DropGuard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    tokio::spawn(emulator::run(listener, Options { seed: seed(plan), ..Options::default() }, stop.clone()));
    (url, stop.drop_guard())
}

pub fn client(url: &str) -> Client {
    let credentials = AppCredentials { issuer: "7".into(), private_key: Secret::new(private_key()) };
    Client::new(Config { api_url: url.parse().unwrap(), credentials, clock: Clock::system() }).unwrap()
}

/// A contributor's recipes are merged; the number of the pull request, and the webhook's body.
pub async fn merged_recipes(person: &Person, staged: &str, names: &[&str]) -> (i64, String) {
    let pull = OpenPull {
        branch: "recipes".into(),
        title: "Add recipes".into(),
        files: names.iter().flat_map(|name| recipe_files(&format!("recipes/{name}"), META)).collect(),
        user: Some("contributor".into()),
        fork: true,
        ..OpenPull::default()
    };
    let number = person.open_pull(staged, &pull).await.unwrap().number;
    person.merge(staged, number).await.unwrap();
    let deliveries = person.deliveries().await.unwrap();
    let closed = deliveries.iter().find(|d| d["event"] == "pull_request" && d["payload"]["action"] == "closed");
    (number, closed.unwrap()["body"].as_str().unwrap().to_owned())
}

impl Bench {
    /// One job, ready to run, for the merge of the recipe `sst`.
    pub async fn start(database: TestDb) -> Self {
        Self::with(database, Plan::default(), &["sst"]).await
    }

    pub async fn with(database: TestDb, plan: Plan, names: &[&str]) -> Self {
        let (url, stop) = github(&plan).await;
        let gate = Gate::start(&url).await;
        let person = Person::new(&url).unwrap();
        let direct = client(&url);
        let look = if plan.owner == ORG { Look::new(&direct) } else { Look::at_user(&direct, plan.owner) };
        let staged = format!("{}/staged-recipes", plan.owner);
        let (number, body) = merged_recipes(&person, &staged, names).await;
        let db = database.db.clone();
        let parts = Parts::new(db.clone(), Clock::system());
        let app = Recipes::new(Parts { settings: plan.settings, github: Some(client(&gate.url)), ..parts });
        let (payload, envelope) = Payload::json(body.as_bytes()).unwrap();
        let delivery = Delivery { event: "pull_request", guid: "g-1", hook_id: "1", payload, envelope };
        enqueue(&db, &app.decide(&delivery).jobs, Utc::now()).await.unwrap();
        let skipped = Arc::default();
        Self { gate, person, look, db, staged, number, app, skipped, _stop: stop, _database: database }
    }

    pub fn workers(&self) -> JoinHandle<()> {
        let mut registry = Registry::default();
        self.app.register(&mut registry);
        let skipped = Arc::clone(&self.skipped);
        let runner = Runner {
            db: self.db.clone(),
            registry,
            workers: 1,
            lease: Duration::from_secs(30),
            poll: Duration::from_millis(10),
            retry_within: Duration::MAX,
            clock: Clock::from_fn(move || Utc::now() + TimeDelta::seconds(skipped.load(Ordering::Relaxed))),
            wake: Wake::default(),
            observer: Arc::new(|_| {}),
        };
        tokio::spawn(runner.run(CancellationToken::new(), Duration::ZERO))
    }

    /// Kills the workers, and lets their leases and all waits pass.
    pub async fn kill(&self, workers: JoinHandle<()>) {
        workers.abort();
        assert!(workers.await.unwrap_err().is_cancelled());
        self.skipped.fetch_add(7200, Ordering::Relaxed);
    }

    pub async fn job(&self) -> JobRow {
        let mut jobs = list(&self.db, &JobFilter { limit: 9, ..JobFilter::default() }).await.unwrap();
        assert_eq!(jobs.len(), 1);
        jobs.remove(0)
    }

    /// Waits for the job's end; waits between attempts are skipped.
    pub async fn ended(&self) -> JobRow {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let job = self.job().await;
            match job.state {
                JobState::Done | JobState::Dead => return job,
                JobState::Ready if job.attempts > 0 => drop(self.skipped.fetch_add(7200, Ordering::Relaxed)),
                JobState::Ready | JobState::Running => {}
            }
            assert!(Instant::now() < until, "{job:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits for a comment with these words; waits between attempts are skipped.
    pub async fn told(&self, words: &str) -> String {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let job = self.job().await;
            let comments = self.person.comments(&self.staged, self.number).await.unwrap();
            let mut bodies = comments.iter().filter_map(|comment| comment["body"].as_str());
            if let Some(found) = bodies.find(|body| body.contains(words)) {
                return found.to_owned();
            }
            if job.state == JobState::Ready && job.attempts > 0 {
                self.skipped.fetch_add(7200, Ordering::Relaxed);
            }
            assert!(Instant::now() < until, "{job:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Runs the job to its end.
    pub async fn run(&self) -> JobRow {
        let workers = self.workers();
        let job = self.ended().await;
        workers.abort();
        job
    }

    /// Puts the dead job back.
    pub async fn retry(&self) {
        retry(&self.db, self.job().await.id, false, Utc::now()).await.unwrap();
    }

    pub async fn comment(&self) -> String {
        the_comment_at(&self.person, &self.staged, self.number).await
    }

    /// All that was made, with nothing in it that differs from run to run.
    pub async fn state(&self) -> Value {
        let mut repositories = serde_json::Map::new();
        for repo in self.look.repositories().await {
            let at = json!({
                "branches": self.look.branches(&repo).await,
                "files": self.look.tree(&repo, "main").await,
                "history": self.look.history(&repo, "main").await,
                "pulls": self.look.pulls(&repo).await,
                "invited": self.look.invited(&repo).await,
            });
            repositories.insert(repo, at);
        }
        let rows = feedstocks::count(&self.db).await.unwrap();
        let comment = self.comment().await.replace(&self.gate.url, "").replace(self.person.base(), "");
        let (before, after) = comment.split_once("merged as ").unwrap_or((&comment, "1234567"));
        json!({ "repositories": repositories, "feedstocks": rows, "comment": format!("{before}{}", &after[7..]) })
    }
}
