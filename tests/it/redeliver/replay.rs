//! `pforge deliveries replay`: from the store, a file or GitHub, to any URL, signed anew.

use std::time::{Duration, Instant};

use pforge::emulator::person::RawDelivery;
use pforge::github::signature::Key;
use serde_json::{Value, json};

use super::stage::{NOWHERE, Sink, Stage};
use crate::support::world::{Api, SECRET, Serve};

fn signed_with(sink: &Sink, secret: &str) -> Vec<bool> {
    let key = Key::new(secret.as_bytes());
    let fits = |(headers, body): &(http::HeaderMap, bytes::Bytes)| {
        headers.get("x-hub-signature-256").is_some_and(|signature| key.verify(signature.as_bytes(), body))
    };
    sink.received().iter().map(fits).collect()
}

fn lines(stdout: &str) -> Vec<Value> {
    stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A server that has an issue event and a pull request, in this order; their GUIDs.
async fn filled(stage: &Stage) -> (Serve, Api, Vec<String>) {
    let serve = tokio::task::block_in_place(|| stage.site.serve(&[]));
    let api = Api::new(&serve.url);
    stage.hook_to(&format!("{}/github/hooks/", serve.url)).await;
    stage.issues(1).await;
    stage.pull("one").await;
    stage.guids().await;
    let mut rows = api.all("/deliveries").await;
    rows.reverse();
    rows.retain(|row| row["event"] == "issues" || row["event"] == "pull_request");
    let guids = rows.iter().map(|row| row["guid"].as_str().unwrap().to_owned()).collect();
    (serve, api, guids)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_knows_a_replay_by_its_guid() {
    let stage = Stage::start(None).await;
    let (serve, api, guids) = filled(&stage).await;
    assert_eq!(guids.len(), 2);
    let server = ["--server", serve.url.as_str()];
    let replay = |args: &[&str]| stage.pforge(&[&["deliveries", "replay"], args, &server].concat());
    let told = replay(&[&guids[1][..8], "--diff"]).success();
    assert!(told.stdout.contains("pull_request.opened") && told.stdout.contains("repeat  same answer"), "{told}");
    assert!(told.stderr.contains("1 replayed, 1 ok, 1 known to the server already"), "{told}");
    let jobs = api.all("/jobs").await.len();
    let told = replay(&["--since", "1h", "--new-guid", "--json"]);
    assert_eq!(told.code, Some(1), "issues are answered with 501: {told}");
    let told = lines(&told.stdout);
    let kinds: Vec<&str> = told.iter().map(|line| line["type"].as_str().unwrap()).collect();
    assert_eq!((kinds[0], kinds[1], *kinds.last().unwrap()), ("ready", "replayed", "summary"), "{told:?}");
    let replayed: Vec<&Value> = told.iter().filter(|line| line["type"] == "replayed").collect();
    assert!(replayed.iter().all(|line| line["repeat"] == false && line["guid"] != line["original_guid"]), "{told:?}");
    let order: Vec<&str> = replayed
        .iter()
        .filter_map(|line| line["original_guid"].as_str())
        .filter(|guid| guids.iter().any(|own| own == guid))
        .collect();
    assert_eq!(order, guids, "in the order in which they came");
    assert_eq!(api.all("/jobs").await.len(), jobs + 1, "the pull request's work again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_is_replayed_elsewhere_in_its_own_rhythm() {
    let stage = Stage::start(None).await;
    let (serve, api, guids) = filled(&stage).await;
    let sink = Sink::start(200).await;
    let base = ["deliveries", "replay", "--to", &sink.url, "--server", &serve.url];
    let replay = |args: &[&str]| stage.pforge(&[&base, args].concat());
    replay(&["--since", "1h", "--event", "pull_request.opened"]).success();
    assert_eq!(sink.header("x-github-delivery"), guids[1..]);
    assert_eq!(sink.received()[0].1, api.bytes(&format!("/deliveries/{}/payload", guids[1])).await);
    assert_eq!(sink.header("x-github-hook-installation-target-id"), ["77"]);
    assert_eq!(signed_with(&sink, SECRET), [true]);
    // Slower, so that what lay between the two becomes a second.
    let at = |row: &Value| chrono::DateTime::parse_from_rfc3339(row["received_at"].as_str().unwrap()).unwrap();
    let first = at(&api.get(&format!("/deliveries/{}", guids[0])).await);
    let last = at(&api.get(&format!("/deliveries/{}", guids[1])).await);
    let apart = (last - first).to_std().unwrap().as_secs_f64();
    let speed = format!("{apart:.9}x");
    let begun = Instant::now();
    replay(&[&guids[0], &guids[1], "--speed", &speed]).success();
    assert!(begun.elapsed() >= Duration::from_millis(990), "{:?} at {speed}", begun.elapsed());
    // Another answer than the first is told, and so is one that is bad.
    let told = replay(&[&guids[0], "--diff", "--no-sign"]);
    assert_eq!(told.code, Some(1), "{told}");
    assert!(told.stdout.contains("body ") && told.stdout.contains("→ \"noted\""), "{told}");
    assert_eq!(signed_with(&sink, SECRET).last(), Some(&false));
    sink.answer(500);
    let told = replay(&[&guids[0], &guids[1], "--until-fail"]);
    assert_eq!(told.code, Some(1), "{told}");
    assert!(told.stderr.contains("1 replayed, 1 failed, 1 left"), "{told}");
    // Nobody there.
    let told = stage.pforge(&["deliveries", "replay", &guids[0], "--to", NOWHERE, "--server", &serve.url]);
    assert_eq!(told.code, Some(6), "{told}");
    assert!(told.stderr.contains("nobody listens at"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn github_and_files_are_sources_too() {
    let stage = Stage::start(None).await;
    let sink = Sink::start(200).await;
    let payload = json!({ "action": "opened", "z": 1, "a": "é", "zen": "z" });
    let id =
        stage.raw(RawDelivery { event: "issues".into(), payload: payload.clone(), ..RawDelivery::default() }).await;
    let replay = |args: &[&str]| stage.pforge(&[&["deliveries", "replay", "--to", &sink.url], args].concat());
    let told = replay(&["--github", &id.to_string()]).success();
    assert!(told.stderr.contains("not the same bytes"), "{told}");
    assert_eq!(sink.received()[0].1, payload.to_string());
    assert_eq!(signed_with(&sink, SECRET), [true]);
    assert!(sink.header("user-agent")[0].starts_with("GitHub-Hookshot/"));
    replay(&["--github", "--since", "1h", "--event", "issues"]).success();
    assert_eq!(sink.header("x-github-delivery").len(), 2);

    let root = stage.site.root.path();
    let text = "{ \"action\": \"created\",\n  \"n\": 1e400 }";
    std::fs::write(root.join("star.created.json"), text.replace("1e400", "1.50")).unwrap();
    std::fs::write(root.join("secret"), "another secret\n").unwrap();
    replay(&["--file", "star.created.json", "--webhook-secret-file", "secret"]).success();
    assert_eq!(sink.header("x-github-event").last().unwrap(), "star");
    assert_eq!(sink.received()[2].1, text.replace("1e400", "1.50"), "the bytes of the file");
    assert_eq!(signed_with(&sink, "another secret"), [false, false, true]);
    std::fs::write(root.join("payload.json"), "{}").unwrap();
    let told = replay(&["--file", "payload.json"]);
    assert!(told.code == Some(2) && told.stderr.contains("--event pull_request"), "{told}");
    replay(&["--file", "payload.json", "--event", "fork"]).success();
    assert_eq!(sink.header("x-github-event").last().unwrap(), "fork");
}
