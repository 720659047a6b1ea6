//! The app in a server, with its database and the emulator as GitHub.
//!
//! An organisation `pangeo-forge` with `staged-recipes`, whose App is installed everywhere; people
//! `maintainer` (an owner) and `contributor`. The runner is `pforge demo-runner`, datasets go to a
//! folder of the test.

use std::collections::BTreeMap;
use std::time::Duration;

use pforge::apps::recipes::settings::{RunnerKind, RunnerSettings};
use pforge::apps::recipes::{Bakeries, Parts, Settings};
use pforge::emulator::{self, Options, Person, Seed, person};
use pforge::github::{AppCredentials, Client, Config};
use pforge::util::{Clock, Secret};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::github::private_key;
use super::world::{META, SECRET, World};
use crate::support::pg::TestDb;

pub const ORG: &str = "pangeo-forge";
pub const STAGED: &str = "pangeo-forge/staged-recipes";
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Everything that is on.
pub struct Stage {
    pub world: World,
    pub person: Person,
    /// Where GitHub is.
    pub github_url: String,
    /// Speaks as the App.
    pub client: Client,
    /// Where datasets go: `{folder}/target/…`.
    pub folder: TempDir,
    _stop: DropGuard,
}

/// What a test may change before the server starts.
pub struct Plan {
    pub settings: Settings,
    pub bakeries: Bakeries,
}

impl Stage {
    pub async fn start(database: TestDb) -> Self {
        Self::with(database, |_| ()).await
    }

    /// With settings or bakeries changed by `change`.
    pub async fn with(database: TestDb, change: impl FnOnce(&mut Plan)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let command = vec![env!("CARGO_BIN_EXE_pforge").to_owned(), "demo-runner".to_owned()];
        let runner =
            RunnerSettings { kind: RunnerKind::Static, command, timeout_seconds: 60, ..RunnerSettings::default() };
        let mut plan = Plan {
            settings: Settings { runner, ..Settings::default() },
            bakeries: BTreeMap::from([("local-test-bakery".to_owned(), local_bakery(&folder))]),
        };
        change(&mut plan);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hook = format!("http://{}/github/hooks/", listener.local_addr().unwrap());
        let github = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let github_url = format!("http://{}", github.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(emulator::run(github, Options { seed: seed(&hook), ..Options::default() }, stop.clone()));
        let credentials = AppCredentials { issuer: "7".into(), private_key: Secret::new(private_key()) };
        let config = Config { api_url: github_url.parse().unwrap(), credentials, clock: Clock::system() };
        let client = Client::new(config).unwrap();
        let parts = Parts {
            settings: plan.settings,
            app_name: "pforge-test".to_owned(),
            bakeries: plan.bakeries,
            github: Some(client.clone()),
            ..Parts::new(database.db.clone(), Clock::system())
        };
        let world = World::serve_parts(listener, database, parts);
        let person = Person::new(github_url.clone()).unwrap();
        world.init(STAGED).await;
        Self { world, person, github_url, client, folder, _stop: stop.drop_guard() }
    }

    /// The contributor opens a pull request from a fork that adds the example recipe as
    /// `recipes/<name>`.
    pub async fn open_recipe(&self, name: &str) -> person::OpenedPull {
        let pull = person::OpenPull {
            branch: name.to_owned(),
            title: format!("Add {name}"),
            files: recipe_files(&format!("recipes/{name}"), META),
            user: Some("contributor".into()),
            fork: true,
            ..person::OpenPull::default()
        };
        self.person.open_pull(STAGED, &pull).await.unwrap()
    }

    /// The check run called `name` on `sha`, once it is completed.
    pub async fn concluded(&self, repo: &str, sha: &str, name: &str) -> Value {
        let done = |run: &Value| run["name"] == name && run["status"] == "completed";
        self.person.wait_for_check_run(repo, sha, PATIENCE, done).await.unwrap()
    }

    /// Waits until GitHub has delivered everything and no job is left to do.
    pub async fn settled(&self) {
        // A job may cause a delivery, and a delivery a job.
        loop {
            self.person.settled(PATIENCE).await.unwrap();
            let before = self.world.drained().await.len();
            self.person.settled(PATIENCE).await.unwrap();
            if self.world.drained().await.len() == before {
                return;
            }
        }
    }
}

/// The example's files in `folder`, with `meta` as meta.yaml.
pub fn recipe_files(folder: &str, meta: &str) -> person::Files {
    [("meta.yaml", meta), ("recipe.py", "daily = climatology = None\n"), ("requirements.txt", "# nothing\n")]
        .map(|(name, text)| (format!("{folder}/{name}"), Some(text.to_owned())))
        .into()
}

/// A bakery whose storages are folders below `folder`.
pub fn local_bakery(folder: &TempDir) -> pforge::apps::recipes::bakeries::Bakery {
    let at = |name: &str| folder.path().join(name).display().to_string();
    serde_json::from_value(json!({
        "Bake": { "bakery_class": "pangeo_forge_runner.bakery.local.LocalDirectBakery" },
        "TargetStorage": {
            "fsspec_class": "fsspec.implementations.local.LocalFileSystem",
            "root_path": format!("{}/{{subpath}}", at("target")),
            "public_url": "https://data.example.org{root_path}",
        },
        "InputCacheStorage": {
            "fsspec_class": "fsspec.implementations.local.LocalFileSystem",
            "root_path": at("cache"),
        },
    }))
    .unwrap()
}

pub fn seed(hook: &str) -> Seed {
    let app = json!({
        "id": 7,
        "name": "pforge-test",
        "owner": ORG,
        "private_key": private_key(),
        "webhook_url": hook,
        "webhook_secret": SECRET,
        "permissions": {
            "administration": "write", "checks": "write", "contents": "write", "deployments": "write",
            "issues": "write", "metadata": "read", "pull_requests": "write",
        },
        "events": ["pull_request", "issue_comment", "check_run"],
        "installations": [{ "account": ORG }],
    });
    let seed = json!({
        "users": [{ "login": "maintainer" }, { "login": "contributor" }],
        "orgs": [ORG],
        "repos": [{ "name": STAGED, "files": { "README.md": "# staged-recipes\n" } }],
        "apps": [app],
    });
    Seed::parse(&seed.to_string()).unwrap()
}
