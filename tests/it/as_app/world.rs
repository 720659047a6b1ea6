//! An emulator with Alice's App, and `pforge` configured for it.

use std::time::Duration;

use pforge::emulator::seed::{SeedApp, SeedInstallation, SeedRepo, SeedUser};
use pforge::emulator::state::Level;
use pforge::emulator::{Options, Person, Seed, run};
use pforge::util::Secret;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::support::env::{Env, Output};

/// The App of the config fixture.
pub const APP: i64 = 231_585;
pub const SLUG: &str = "pforge-local-alice";
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Everything; ends when dropped.
pub struct World {
    pub url: String,
    pub person: Person,
    pub env: Env,
    _stop: DropGuard,
}

/// The private key in the config fixture.
pub fn key() -> String {
    let config: Value = serde_yaml::from_str(include_str!("../../fixtures/config/plain.yaml")).unwrap();
    config["github_app"]["private_key"].as_str().unwrap().to_owned()
}

/// `alice/mock` and `alice/other` (not installed), `octo/one`, `octo/two` (all of it), `bob/none`.
pub fn seed(accounts: &[&str]) -> Seed {
    let repo = |name: &str| SeedRepo {
        name: name.to_owned(),
        files: [("README.md".to_owned(), "hello\n".to_owned())].into(),
        ..SeedRepo::default()
    };
    let install = |account: &str| SeedInstallation {
        account: account.to_owned(),
        repositories: (account == "alice").then(|| vec!["mock".to_owned()]),
    };
    let level = |name: &str, level| (name.to_owned(), level);
    Seed {
        users: ["alice", "bob"].map(|login| SeedUser { login: login.to_owned(), token: None }).into(),
        orgs: vec!["octo".to_owned()],
        repos: ["alice/mock", "alice/other", "octo/one", "octo/two", "bob/none"].map(repo).into(),
        apps: vec![SeedApp {
            id: Some(APP),
            name: SLUG.to_owned(),
            owner: Some("alice".to_owned()),
            private_key: Some(Secret::new(key())),
            permissions: [
                level("checks", Level::Write),
                level("contents", Level::Read),
                level("metadata", Level::Read),
                level("pull_requests", Level::Read),
            ]
            .into(),
            events: vec!["check_run".to_owned()],
            installations: accounts.iter().map(|account| install(account)).collect(),
            ..SeedApp::default()
        }],
        ..Seed::default()
    }
}

impl World {
    /// With the App installed on these accounts.
    pub async fn start(accounts: &[&str]) -> Self {
        Self::of(seed(accounts)).await
    }

    pub async fn of(seed: Seed) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(run(listener, Options { seed, ..Options::default() }, stop.clone()));
        let mut env = Env::configured();
        env.set("GITHUB_API_URL", &url);
        Self { person: Person::new(url.clone()).unwrap(), url, env, _stop: stop.drop_guard() }
    }

    /// Runs pforge.
    pub fn pforge(&self, args: &[&str]) -> Output {
        tokio::task::block_in_place(|| self.env.pforge(args))
    }

    /// Runs pforge with this on standard input.
    pub fn pforge_with(&self, args: &[&str], input: &str) -> Output {
        tokio::task::block_in_place(|| {
            let path = self.env.write("stdin", input);
            let mut command = self.env.command(args);
            command.stdin(std::fs::File::open(path).unwrap());
            self.env.run(command, args)
        })
    }

    /// The id of the installation on `account`.
    pub fn installation(&self, account: &str) -> i64 {
        let all = self.pforge(&["gh-as-app", "/app/installations"]).success().json();
        let found = all.as_array().unwrap().iter().find(|one| one["account"]["login"] == account);
        found.unwrap_or_else(|| panic!("no installation on {account}: {all}"))["id"].as_i64().unwrap()
    }

    /// The calls that the emulator saw since call number `after`, as `METHOD path auth status`.
    pub async fn calls(&self, after: u64) -> Vec<String> {
        let calls = self.person.calls().await.unwrap();
        let text = |call: &Value, name: &str| call[name].as_str().unwrap_or_default().to_owned();
        calls
            .iter()
            .filter(|call| call["number"].as_u64() > Some(after))
            .map(|call| {
                format!("{} {} {} {}", text(call, "method"), text(call, "path"), text(call, "auth"), call["status"])
            })
            .collect()
    }

    /// The number of the last call.
    pub async fn mark(&self) -> u64 {
        self.person.calls().await.unwrap().last().and_then(|call| call["number"].as_u64()).unwrap_or_default()
    }

    /// The commit at the head of `repo`.
    pub fn head(&self, repo: &str) -> String {
        let answer = self.pforge(&["gh-as-app", &format!("/repos/{repo}/commits/main"), "--jq", ".sha"]);
        answer.success().stdout.trim().to_owned()
    }
}
