//! Two servers share one PostgreSQL.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::{Connection, PgConnection};
use tokio::task::JoinSet;

use super::ledger::Ledger;
use super::stage::{Delivery, Stage, drained};
use crate::support::pg::TestDb;
use crate::support::world::{Api, Serve, eventually};

/// The advisory lock that a migration holds: "pforge" in ASCII.
const MIGRATION_LOCK: i64 = 0x7066_6f72_6765;

async fn start_two(stage: &Stage, workers: [&str; 2]) -> [(Serve, Api); 2] {
    let mut servers = workers.map(|workers| Serve::spawn(&stage.site, &["--workers", workers]));
    tokio::task::block_in_place(|| servers.iter_mut().for_each(Serve::wait_ready));
    servers.map(|server| {
        let api = Api::new(&server.url);
        (server, api)
    })
}

/// How many different migrations there are, and how often they were applied.
async fn migrations(database: &TestDb) -> (i64, i64) {
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    sqlx::query_as("SELECT count(DISTINCT version), count(*) FROM schema_migrations")
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_that_start_at_once_one_migrates() {
    let database = TestDb::empty_postgres().await;
    let stage = Stage::start(1, Some(database.url.clone())).await;
    // Both must wait for this, so that they go on in the same moment.
    let mut gate = PgConnection::connect(&database.url).await.unwrap();
    sqlx::query("SELECT pg_advisory_lock($1)").bind(MIGRATION_LOCK).execute(&mut gate).await.unwrap();
    let mut servers = [(); 2].map(|()| Serve::spawn(&stage.site, &["--workers", "1"]));
    eventually("both servers to wait", async || {
        servers
            .iter()
            .all(|server| server.log().contains("Another process is migrating; waiting for it."))
            .then_some(())
    })
    .await;
    gate.close().await.unwrap();
    tokio::task::block_in_place(|| servers.iter_mut().for_each(Serve::wait_ready));
    let applied = servers.each_ref().map(|server| server.log().matches("Applied:").count());
    let (different, all) = migrations(&database).await;
    assert!(different > 0 && different == all, "{all} rows for {different} migrations");
    assert!(applied.contains(&0) && applied.contains(&usize::try_from(all).unwrap()), "{applied:?} of {all}");
    for server in &servers {
        assert_eq!(Api::new(&server.url).get("/deliveries").await["items"], Value::Array(vec![]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn deliveries_of_a_pull_request_run_in_order_across_both() {
    let database = TestDb::empty_postgres().await;
    // One worker each and an odd number of pull requests: whoever is free takes the oldest job, so
    // that they change hands.
    let stage = Stage::start(7, Some(database.url.clone())).await;
    let servers = start_two(&stage, ["1", "1"]).await;
    let (different, all) = migrations(&database).await;
    assert!(different == all, "{all} rows for {different} migrations");
    let apis = servers.each_ref().map(|(_, api)| api.clone());
    stage.register(&apis[0]).await;
    let opened = stage.pulls(7).await;
    let ledger = Arc::new(Ledger::default());
    let mut posting = JoinSet::new();
    let mut pulls = Vec::new();
    for (number, opened) in opened.into_iter().enumerate() {
        let mut series = stage.pushes(&opened, &format!("change-{number}"), 8).await;
        series.insert(0, opened);
        let series: Vec<_> = series.into_iter().map(Arc::new).collect();
        pulls.push(series.clone());
        let (ledger, apis) = (ledger.clone(), apis.clone());
        posting.spawn(async move {
            for (api, delivery) in apis.iter().cycle().zip(&series) {
                assert!(ledger.post(api, delivery).await.accepted());
            }
        });
    }
    while let Some(posted) = posting.join_next().await {
        posted.unwrap();
    }
    drained(&apis[0]).await;
    let summary = ledger.check(&stage, &apis[1]).await;

    let calls = stage.person.calls().await.unwrap();
    for series in &pulls {
        in_order(&calls, series);
    }
    let worked = servers.each_ref().map(|(server, _)| keys_worked_on(server));
    assert!(worked.iter().all(|keys| !keys.is_empty()), "one server did all the work: {worked:?}");
    let shared = worked[0].intersection(&worked[1]).count();
    eprintln!("{shared} of {} pull requests were worked on by both: {summary:?}", pulls.len());
}

/// The check runs of these deliveries were opened in this order, each after the one before was concluded.
fn in_order(calls: &[Value], series: &[Arc<Delivery>]) {
    let writes = format!("/repos/{}/check-runs", series[0].repo);
    let mut open: Option<i64> = None;
    let mut shas = Vec::new();
    // The recipes have check runs of their own.
    let synchronize = |call: &Value| call["response"]["name"] == "synchronize";
    let ours = |call: &Value| call["path"].as_str().unwrap().starts_with(&writes) && synchronize(call);
    for call in calls.iter().filter(|call| ours(call)) {
        let id = call["response"]["id"].as_i64();
        if call["method"] == "POST" {
            assert_eq!(open, None, "a check run was opened while another was open: {call}");
            open = id;
            shas.push(call["request"]["head_sha"].as_str().unwrap());
        } else if call["method"] == "PATCH" {
            assert_eq!(open.take(), id, "another check run was concluded: {call}");
        }
    }
    let expected: Vec<&str> = series.iter().map(|delivery| delivery.sha.as_str()).collect();
    assert_eq!(shas, expected, "the order of the deliveries");
}

/// Keys of the jobs that this server did.
fn keys_worked_on(server: &Serve) -> BTreeSet<String> {
    let done = |line: &Value| line["type"] == "job" && line["what"] == "done";
    server.lines().iter().filter(|line| done(line)).filter_map(|line| Some(line["key"].as_str()?.to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_receives_and_the_other_is_woken() {
    /// Without being woken a server looks every five seconds.
    const LOOKS: u32 = 4;
    let database = TestDb::empty_postgres().await;
    let stage = Stage::start(2, Some(database.url.clone())).await;
    let [(_receiver, api), (worker, _)] = start_two(&stage, ["0", "2"]).await;
    stage.register(&api).await;
    let ledger = Ledger::default();
    let pulls = stage.pulls(LOOKS as usize).await;
    let begun = Instant::now();
    for pull in pulls {
        assert!(ledger.post(&api, &Arc::new(pull)).await.accepted());
        drained(&api).await;
    }
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(5) * (LOOKS - 1), "{LOOKS} jobs took {took:?}: nobody was woken");
    let summary = ledger.check(&stage, &api).await;
    assert_eq!(keys_worked_on(&worker).len(), LOOKS as usize);
    eprintln!("{LOOKS} jobs, one after the other, took {took:?}: {summary:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_survivor_takes_over() {
    let database = TestDb::empty_postgres().await;
    let stage = Stage::start(10, Some(database.url.clone())).await;
    let flags = ["--workers", "4"];
    let (mut one, other) = (stage.serve(&flags).await, stage.serve(&flags).await);
    let apis = [Api::new(&one.url), Api::new(&other.url)];
    stage.register(&apis[0]).await;
    let ledger = Ledger::default();
    stage.line.hold();
    for (api, pull) in apis.iter().cycle().zip(stage.pulls(20).await) {
        assert!(ledger.post(api, &Arc::new(pull)).await.accepted());
    }
    eventually("both to have their hands full", async || {
        (apis[1].get("/jobs?state=running").await["items"].as_array().unwrap().len() == 8).then_some(())
    })
    .await;
    tokio::task::block_in_place(|| one.kill());
    stage.line.delay(Duration::ZERO);
    drained(&apis[1]).await;
    let summary = ledger.check(&stage, &apis[1]).await;
    assert_eq!(summary.jobs_begun_again, 4, "{summary:?}");
}

/// A server that stood still for longer than its leases last, in the middle of a job, must not go
/// on with what another server has done meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_stood_still_comes_too_late() {
    let database = TestDb::empty_postgres().await;
    let stage = Stage::start(1, Some(database.url.clone())).await;
    let frozen = stage.serve(&["--workers", "1"]).await;
    let api = Api::new(&frozen.url);
    stage.register(&api).await;
    let ledger = Ledger::default();
    // It waits for its token, and opens the check run with it.
    stage.line.hold();
    assert!(ledger.post(&api, &Arc::new(stage.pulls(1).await.remove(0))).await.accepted());
    eventually("the token to be asked for", async || {
        let calls = stage.person.calls().await.unwrap();
        calls.iter().any(|call| call["path"].as_str().unwrap().ends_with("/access_tokens")).then_some(())
    })
    .await;
    frozen.freeze();
    stage.line.delay(Duration::ZERO);
    let server = stage.serve(&["--workers", "1"]).await;
    let api = Api::new(&server.url);
    drained(&api).await;
    frozen.thaw();
    eventually("it to notice", async || {
        frozen.lines().iter().any(|line| line["type"] == "job" && line["what"] == "lost").then_some(())
    })
    .await;
    let summary = ledger.check(&stage, &api).await;
    assert_eq!(summary.jobs_begun_again, 1, "{summary:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_storm_of_one_delivery_is_one_delivery() {
    const STORM: usize = 20;
    let database = TestDb::empty_postgres().await;
    let stage = Stage::start(1, Some(database.url.clone())).await;
    let servers = start_two(&stage, ["2", "2"]).await;
    let apis = servers.each_ref().map(|(_, api)| api.clone());
    stage.register(&apis[0]).await;
    let ledger = Arc::new(Ledger::default());
    let pull = Arc::new(stage.pulls(1).await.remove(0));
    let mut storm = JoinSet::new();
    for number in 0..STORM {
        let (ledger, api, pull) = (ledger.clone(), apis[number % 2].clone(), pull.clone());
        storm.spawn(async move { ledger.post(&api, &pull).await.accepted() });
    }
    assert!(storm.join_all().await.into_iter().all(|accepted| accepted), "{:?}", ledger.posts());
    drained(&apis[0]).await;
    let summary = ledger.check(&stage, &apis[1]).await;
    let detail = apis[1].get(&format!("/deliveries/{}", pull.guid)).await;
    assert_eq!(detail["attempts"], STORM, "{detail}");
    let numbers: Vec<u64> =
        detail["history"].as_array().unwrap().iter().map(|a| a["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=STORM as u64).collect::<Vec<_>>());
    assert_eq!(detail["jobs"].as_array().unwrap().len(), 1, "{detail}");
    assert_eq!((summary.deliveries, summary.arrived_again), (1, 1), "{summary:?}");
}
