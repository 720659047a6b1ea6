//! Several servers on one PostgreSQL, with a GitHub that takes its time: all of them work, and the
//! jobs of a pull request keep their order, whoever does them.
//!
//! How much faster they are together is measured in `bench/workers`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::crash::ledger::{Ledger, names};
use crate::crash::stage::{Delivery, Stage, drained};
use crate::support::pg::TestDb;
use crate::support::world::{Api, Serve, eventually};

/// How long each answer of GitHub takes.
const GITHUB_TAKES: Duration = Duration::from_millis(200);
/// Odd, so that a pull request does not stay with one server.
const PULLS: usize = 9;
/// Commits that follow to each pull request.
const PUSHES: usize = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_servers_share_the_work_and_keep_its_order() {
    share(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn four_servers_share_the_work_and_keep_its_order() {
    share(4).await;
}

async fn share(servers: usize) {
    let database = TestDb::empty_postgres().await;
    let stage = Stage::start(PULLS, Some(database.url.clone())).await;
    let mut servers: Vec<Serve> = (0..servers).map(|_| Serve::spawn(&stage.site, &["--workers", "2"])).collect();
    tokio::task::block_in_place(|| servers.iter_mut().for_each(Serve::wait_ready));
    let apis: Vec<Api> = servers.iter().map(|server| Api::new(&server.url)).collect();
    stage.register(&apis[0]).await;
    let pulls = pull_requests(&stage).await;
    stage.line.delay(GITHUB_TAKES);
    let ledger = Arc::new(Ledger::default());
    let mut posting = JoinSet::new();
    for series in &pulls {
        let (ledger, apis, series) = (ledger.clone(), apis.clone(), series.clone());
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
    ledger.check(&stage, &apis[0]).await;

    in_order_by_traces(&apis[0], &pulls).await;
    let calls = stage.person.calls().await.unwrap();
    for series in &pulls {
        in_order_at_github(&calls, series);
    }
    // What a server tells comes after what it did.
    let worked = eventually("every job to be told of", async || {
        let worked: Vec<_> = servers.iter().map(jobs_done).collect();
        (worked.iter().flatten().collect::<BTreeSet<_>>().len() == PULLS * (1 + PUSHES)).then_some(worked)
    })
    .await;
    assert!(worked.iter().all(|jobs| !jobs.is_empty()), "a server did nothing: {worked:?}");
    assert_eq!(worked.iter().map(BTreeSet::len).sum::<usize>(), PULLS * (1 + PUSHES), "each once: {worked:?}");
}

/// The deliveries of each pull request, in their order.
async fn pull_requests(stage: &Stage) -> Vec<Vec<Arc<Delivery>>> {
    let mut pulls = Vec::new();
    for (number, opened) in stage.pulls(PULLS).await.into_iter().enumerate() {
        let mut series = stage.pushes(&opened, &format!("change-{number}"), PUSHES).await;
        series.insert(0, opened);
        pulls.push(series.into_iter().map(Arc::new).collect());
    }
    pulls
}

/// By what the servers wrote down themselves: of one key the jobs are done in the order in which
/// they were posted, each begun after the one before had ended.
async fn in_order_by_traces(api: &Api, pulls: &[Vec<Arc<Delivery>>]) {
    let mut by_key: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for job in api.all("/jobs?kind=recipes.synchronize").await {
        by_key.entry(job["key"].as_str().unwrap().to_owned()).or_default().push(job);
    }
    assert_eq!(by_key.len(), pulls.len(), "a key for each pull request: {:?}", by_key.keys());
    for series in pulls {
        let key = format!("{}#{}", series[0].repo, series[0].number);
        let mut jobs = by_key.remove(&key).unwrap_or_else(|| panic!("no job has the key {key}"));
        jobs.sort_by_key(|job| job["id"].as_i64());
        assert_eq!(jobs.len(), series.len(), "{jobs:?}");
        let mut ended = DateTime::<Utc>::MIN_UTC;
        for (job, delivery) in jobs.iter().zip(series) {
            assert!(job["token"].as_str().unwrap().contains(&delivery.guid), "queued out of order: {jobs:?}");
            let trace = api.get(&format!("/jobs/{}/trace", job["id"])).await;
            for attempt in trace["attempts"].as_array().unwrap() {
                let at = |name: &str| attempt[name].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
                assert!(at("started_at") >= ended, "{key}: {attempt} was begun before {ended}");
                ended = at("ended_at");
            }
        }
    }
}

/// By what GitHub saw: the calls for one delivery's check run are over before those for the next begin.
fn in_order_at_github(calls: &[Value], series: &[Arc<Delivery>]) {
    let writes = format!("/repos/{}/check-runs", series[0].repo);
    let mut last = 0;
    for delivery in series {
        let ours = |call: &&Value| {
            let write = call["method"] == "POST" || call["method"] == "PATCH";
            write && call["path"].as_str().unwrap().starts_with(&writes) && names(&call["response"], &delivery.guid)
        };
        let numbers: Vec<u64> = calls.iter().filter(ours).map(|call| call["number"].as_u64().unwrap()).collect();
        let (first, end) = (numbers.first(), numbers.last());
        assert!(first.is_some_and(|&first| first > last), "{}: {numbers:?} not after {last}", delivery.guid);
        last = *end.unwrap();
    }
}

/// Ids of the jobs that this server did.
fn jobs_done(server: &Serve) -> BTreeSet<i64> {
    let done = |line: &Value| line["type"] == "job" && line["what"] == "done";
    server.lines().iter().filter(|line| done(line)).filter_map(|line| line["id"].as_i64()).collect()
}
