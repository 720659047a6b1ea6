//! The first steps of a contributor, against the emulator: real deliveries, tokens and check runs.

use std::time::Duration;

use pforge::apps::recipes::Settings;
use pforge::emulator::{self, Options, Person, Seed, person};
use pforge::github::{AppCredentials, Client, Config};
use pforge::store::jobs::JobState;
use pforge::util::{Clock, Secret};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::github::private_key;
use super::world::{META, SECRET, World};
use crate::support::pg::TestDb;

const SPEC: &str = "pangeo-forge/staged-recipes";

fn files(meta: &str) -> person::Files {
    [("meta.yaml", meta), ("recipe.py", "daily = climatology = None\n")]
        .map(|(name, text)| (format!("recipes/sst/{name}"), Some(text.to_owned())))
        .into()
}

const PATIENCE: Duration = Duration::from_secs(30);

/// The check run of this commit, once it is completed.
async fn concluded(person: &Person, sha: &str) -> Value {
    person
        .wait_for_check_run(SPEC, sha, PATIENCE, |run| run["name"] == "synchronize" && run["status"] == "completed")
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contributor_is_told_what_is_wrong_and_then_that_it_is_right() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hook = format!("http://{}/github/hooks/", listener.local_addr().unwrap());
    let app = json!({
        "id": 7,
        "name": "pforge-local",
        "owner": "pangeo-forge",
        "private_key": private_key(),
        "webhook_url": hook,
        "webhook_secret": SECRET,
        "permissions": { "checks": "write", "contents": "read", "pull_requests": "write", "issues": "write" },
        "events": ["pull_request", "issue_comment"],
        "installations": [{ "account": "pangeo-forge" }],
    });
    let seed = json!({
        "users": [{ "login": "developer" }, { "login": "contributor" }],
        "orgs": ["pangeo-forge"],
        "repos": [{ "name": SPEC, "files": { "README.md": "# staged-recipes\n" } }],
        "apps": [app],
    });
    let options = Options { seed: Seed::parse(&seed.to_string()).unwrap(), ..Options::default() };
    let github = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", github.local_addr().unwrap());
    let stop = CancellationToken::new();
    let emulator = tokio::spawn(emulator::run(github, options, stop.clone()));
    let _stop = stop.drop_guard();
    let person = Person::new(&base).unwrap();
    let credentials = AppCredentials { issuer: "7".into(), private_key: Secret::new(private_key()) };
    let config = Config { api_url: base.parse().unwrap(), credentials, clock: Clock::system() };
    let client = Client::new(config).unwrap();
    let world = World::serve(listener, TestDb::sqlite().await, Settings::default(), client);
    world.init(SPEC).await;

    let broken = META.replace("recipes:", "recipes: [");
    let pull = person::OpenPull {
        branch: "sst".into(),
        title: "Add sea surface temperature".into(),
        files: files(&broken),
        user: Some("contributor".into()),
        fork: true,
        ..person::OpenPull::default()
    };
    let opened = person.open_pull(SPEC, &pull).await.unwrap();
    let run = concluded(&person, &opened.head.sha).await;
    assert_eq!((&run["name"], &run["conclusion"]), (&json!("synchronize"), &json!("failure")));
    let summary = run["output"]["summary"].as_str().unwrap();
    assert!(summary.starts_with("recipes/sst/meta.yaml: ") && summary.contains("line"), "{summary}");

    let fixed = person.push("contributor/staged-recipes", "sst", &files(META), Some("contributor")).await.unwrap();
    let run = concluded(&person, &fixed).await;
    assert_eq!(run["conclusion"], "success", "{run}");
    let host = world.url.trim_start_matches("http://");
    let link = format!("/recipe-run/2?feedstock_id=1&orchestratorEndpoint={host}");
    assert!(run["output"]["summary"].as_str().unwrap().ends_with(&link), "{run}");
    let runs = world.get("/recipe_runs/").await;
    assert_eq!((&runs[1]["recipe_id"], &runs[1]["head_sha"]), (&json!("sst-climatology"), &json!(fixed)));

    // Not everybody may run code, and is told so.
    person.comment(SPEC, opened.number, "/run sst-daily", Some("contributor")).await.unwrap();
    person.comment(SPEC, opened.number, "nice", Some("contributor")).await.unwrap();
    person.settled(PATIENCE).await.unwrap();
    let jobs = world.drained().await;
    assert_eq!(jobs.len(), 3, "{jobs:?}");
    assert!(jobs.iter().all(|job| job.state == JobState::Done), "{jobs:?}");
    assert_eq!(person.unknown().await.unwrap(), Vec::<Value>::new());
    assert!(!emulator.is_finished());
}
