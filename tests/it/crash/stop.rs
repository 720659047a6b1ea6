//! SIGTERM while requests are answered and jobs run.

use std::sync::{Arc, Mutex};

use super::ledger::{Ledger, names};
use super::stage::{Stage, drained};
use crate::support::pg::TestDb;
use crate::support::world::Api;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stop_under_load_keeps_everything_on_sqlite() {
    a_stop_under_load_keeps_everything(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stop_under_load_keeps_everything_on_postgres() {
    let database = TestDb::empty_postgres().await;
    a_stop_under_load_keeps_everything(Some(database.url.clone())).await;
}

async fn a_stop_under_load_keeps_everything(database_url: Option<String>) {
    let stage = Stage::start(10, database_url).await;
    let mut server = stage.serve(&["--workers", "4"]).await;
    let api = Api::new(&server.url);
    stage.register(&api).await;
    let pulls: Vec<_> = stage.pulls(80).await.into_iter().map(Arc::new).collect();
    let ledger = Arc::new(Ledger::default());
    let queue = Arc::new(Mutex::new(pulls.iter().cloned().collect()));
    let (mut clients, mut posts) = ledger.load(&api, &queue);
    for _ in 0..30 {
        assert!(posts.recv().await.unwrap().accepted());
    }
    assert_eq!(tokio::task::block_in_place(|| server.terminate()), 0, "{}", server.log());
    while clients.join_next().await.is_some() {}
    assert_eq!(server.last_line()["type"], "stopped");
    let odd: Vec<_> = ledger.posts().into_iter().filter(|post| !matches!(post.status, None | Some(202))).collect();
    assert!(odd.is_empty(), "{odd:?}");

    // A server that only looks: nothing is half done.
    let server = stage.serve(&["--workers", "0"]).await;
    let jobs = Api::new(&server.url).all("/jobs").await;
    drop(server);
    let count = |state: &str| jobs.iter().filter(|job| job["state"] == state).count();
    let (ready, done) = (count("ready"), count("done"));
    assert_eq!(ready + done, jobs.len(), "{jobs:?}");
    assert!(ready > 0, "all jobs were done before the stop: it hit nothing");
    for job in &jobs {
        let pull = pulls.iter().find(|pull| job["token"].as_str().unwrap().contains(&pull.guid)).unwrap();
        let checks = stage.person.check_runs(&pull.repo, &pull.sha).await.unwrap();
        let check = checks.iter().find(|check| names(check, &pull.guid));
        if job["state"] == "done" {
            assert_eq!(check.unwrap()["status"], "completed", "{job}");
        } else {
            assert!(job["attempts"] == 0 && check.is_none(), "{job} {check:?}");
        }
    }

    let server = stage.serve(&["--workers", "8"]).await;
    let api = Api::new(&server.url);
    drained(&api).await;
    let summary = ledger.check(&stage, &api).await;
    eprintln!("stopped with {done} jobs done and {ready} waiting: {summary:?}");
}
