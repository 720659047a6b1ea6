//! `serve` fetches what GitHub could not deliver: all of it, once, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use pforge::emulator::faults::Fault;
use pforge::emulator::person::RawDelivery;
use serde_json::{Value, json};

use super::stage::{NOWHERE, PATIENCE, Sink, Stage};
use crate::support::pg::TestDb;
use crate::support::world::{Api, Serve, eventually};

/// Waits for what a server reported of its reconciling.
async fn report(serve: &Serve) -> Value {
    eventually("a report", async || serve.lines().into_iter().find(|line| line["type"] == "reconciled")).await
}

/// GUIDs in the store, each with the number of its arrivals.
async fn stored(api: &Api) -> BTreeMap<String, u64> {
    let rows = api.all("/deliveries").await;
    rows.iter().map(|row| (row["guid"].as_str().unwrap().to_owned(), row["attempts"].as_u64().unwrap())).collect()
}

/// Waits until all of `guids` are stored.
async fn all_stored(api: &Api, guids: &BTreeSet<String>) {
    eventually("all deliveries", async || {
        let stored = stored(api).await;
        guids.iter().all(|guid| stored.contains_key(guid)).then_some(())
    })
    .await;
}

fn once(guids: &BTreeSet<String>) -> BTreeMap<String, u64> {
    guids.iter().map(|guid| (guid.clone(), 1)).collect()
}

fn ping(url: &str) -> RawDelivery {
    RawDelivery {
        event: "ping".into(),
        payload: json!({ "zen": "z" }),
        url: Some(url.into()),
        ..RawDelivery::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_missed_is_taken_once_and_what_others_took_is_left() {
    let stage = Stage::start(None).await;
    // Delivered elsewhere: at once, and by the second attempt.
    let elsewhere = Sink::start(200).await;
    stage.hook_to(&elsewhere.url).await;
    stage.raw(ping(&elsewhere.url)).await;
    let failed = stage.raw(ping(NOWHERE)).await;
    stage.person.redeliver(failed).await.unwrap();
    let left = stage.guids().await;
    // Failed twice: by the outage and by a redelivery.
    stage.hook_to(NOWHERE).await;
    let twice = stage.raw(ping(NOWHERE)).await;
    stage.person.redeliver(twice).await.unwrap();
    stage.pull("one").await;
    let missed: BTreeSet<String> = stage.issues(4).await.difference(&left).cloned().collect();
    assert!(missed.len() >= 6, "{missed:?}");
    // The log names a delivery before it shows it.
    let race =
        Fault { path: Some("/app/hook/deliveries/*".into()), status: Some(404), count: Some(2), ..Fault::default() };
    stage.person.fault(&race).await.unwrap();

    let mut serve = stage.serve(&[]);
    let report = report(&serve).await;
    assert_eq!((&report["missed"], &report["processed"]), (&json!(missed.len()), &json!(missed.len())), "{report}");
    assert_eq!((&report["refused"], &report["gone"], &report["left"]), (&json!(0), &json!(0), &json!(0)));
    let api = Api::new(&serve.url);
    assert_eq!(stored(&api).await, once(&missed));
    for guid in &missed {
        let detail = api.get(&format!("/deliveries/{guid}")).await;
        assert_eq!(detail["headers"]["x-pforge-source"], "reconcile", "{detail}");
        assert!(detail["headers"]["x-github-hook-id"].as_str().is_some_and(|id| id == detail["hook_id"]));
        let sent = stage.attempts(guid).await;
        let body: Value = serde_json::from_slice(&api.bytes(&format!("/deliveries/{guid}/payload")).await).unwrap();
        assert_eq!(body, sent[0]["payload"]);
    }
    let events: Vec<Value> = api.all("/deliveries").await;
    assert!(events.iter().any(|row| row["event"] == "pull_request" && row["status"] != "ignored"), "{events:?}");
    let metrics = String::from_utf8(api.bytes("/metrics").await.to_vec()).unwrap();
    let line = format!("pforge_reconciled_total{{outcome=\"processed\"}} {}", missed.len());
    assert!(metrics.contains(&line) && metrics.contains("pforge_reconcile_runs_total{outcome=\"ok\"} 1"), "{metrics}");
    assert!(serve.log().contains("reconciled"), "{}", serve.log());
    assert_eq!(serve.terminate(), 0);

    // GitHub delivers again what is here: it is a repeat. The next start finds nothing to do.
    let before = stage.calls("GET", "/app/hook/deliveries/").await.len();
    let serve = stage.serve(&[]);
    let api = Api::new(&serve.url);
    stage.hook_to(&format!("{}/github/hooks/", serve.url)).await;
    stage.person.redeliver(twice).await.unwrap();
    stage.person.settled(PATIENCE).await.unwrap();
    let guid = stage.person.deliveries().await.unwrap().into_iter().find(|d| d["id"] == twice).unwrap();
    let guid = guid["guid"].as_str().unwrap();
    assert_eq!(stored(&api).await.get(guid), Some(&2));
    assert_eq!(stage.calls("GET", "/app/hook/deliveries/").await.len(), before);
    assert!(serve.lines().iter().all(|line| line["type"] != "reconciled"), "{:?}", serve.lines());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_killed_in_the_middle_goes_on_where_it_was() {
    let stage = Stage::start(None).await;
    for branch in ["one", "two", "three", "four"] {
        stage.pull(branch).await;
    }
    let missed = stage.issues(4).await;
    let slow = Fault { path: Some("/app/hook/deliveries/*".into()), latency_ms: 200, ..Fault::default() };
    stage.person.fault(&slow).await.unwrap();
    let mut serve = stage.serve(&["--lease", "1s"]);
    let api = Api::new(&serve.url);
    eventually("the first to be stored", async || (stored(&api).await.len() >= 2).then_some(())).await;
    serve.kill();
    assert!(serve.lines().iter().all(|line| line["type"] != "reconciled"), "it was done before it was killed");

    stage.person.clear_faults().await.unwrap();
    let serve = stage.serve(&["--lease", "1s"]);
    let report = report(&serve).await;
    let api = Api::new(&serve.url);
    assert_eq!(stored(&api).await, once(&missed));
    let processed = report["processed"].as_u64().unwrap();
    assert!((1..missed.len() as u64 - 1).contains(&processed), "{report}");
    let jobs = api.all("/jobs").await;
    let of: BTreeSet<i64> = jobs.iter().map(|job| job["delivery_id"].as_i64().unwrap()).collect();
    assert_eq!((jobs.len(), of.len()), (4, 4), "one job for each pull request: {jobs:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_servers_on_one_database_one_does_it() {
    let database = TestDb::postgres().await;
    let stage = Stage::start(Some(database.url.clone())).await;
    stage.pull("one").await;
    let missed = stage.issues(5).await;
    let slow = Fault { path: Some("/app/hook/deliveries/*".into()), latency_ms: 50, ..Fault::default() };
    stage.person.fault(&slow).await.unwrap();
    let flags = ["--reconcile", "1s"];
    let mut servers = [(); 2].map(|()| Serve::spawn(&stage.site, &flags));
    tokio::task::block_in_place(|| servers.iter_mut().for_each(Serve::wait_ready));
    let api = Api::new(&servers[0].url);
    all_stored(&api, &missed).await;
    // Both have had their turn since.
    eventually("both to look", async || {
        (stage.calls("GET", "/app/hook/deliveries").await.len() >= missed.len() + 3).then_some(())
    })
    .await;
    assert_eq!(stored(&api).await, once(&missed));
    let reports: Vec<Value> =
        servers.iter().flat_map(Serve::lines).filter(|line| line["type"] == "reconciled").collect();
    let processed: u64 = reports.iter().map(|report| report["processed"].as_u64().unwrap()).sum();
    assert_eq!(processed, missed.len() as u64, "{reports:?}");
    assert_eq!(stage.calls("GET", "/app/hook/deliveries/").await.len(), missed.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn trouble_is_told_once_and_does_not_take_the_server_down() {
    let stage = Stage::start(None).await;
    let missed = stage.issues(2).await;
    let refused = Fault { path: Some("/app/hook/deliveries".into()), status: Some(401), ..Fault::default() };
    stage.person.fault(&refused).await.unwrap();
    let serve = stage.serve(&[]);
    let api = Api::new(&serve.url);
    eventually("a second attempt", async || {
        (stage.calls("GET", "/app/hook/deliveries").await.len() >= 2).then_some(())
    })
    .await;
    assert_eq!(serve.log().matches("cannot fetch what GitHub could not deliver").count(), 1, "{}", serve.log());
    assert_eq!(api.get("/deliveries").await["items"], json!([]));
    stage.person.clear_faults().await.unwrap();
    all_stored(&api, &missed).await;
    let report = report(&serve).await;
    assert_eq!(report["processed"], json!(missed.len()));
    assert!(serve.log().contains("can be read again"), "{}", serve.log());
}
