//! SIGKILL, again and again, while requests are answered and jobs run.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pforge::emulator::faults::Fault;
use serde_json::json;

use super::ledger::{Ledger, names};
use super::line::Line;
use super::stage::{Stage, drained};
use crate::support::pg::TestDb;
use crate::support::world::{Api, Serve, eventually};

const ROUNDS: usize = 20;
/// Deliveries that are posted in a round, if the server lives long enough.
const A_ROUND: usize = 20;
/// How long an answer to a delivery is under way.
const ANSWERS_TAKE: Duration = Duration::from_millis(10);
/// Feedstocks, so that no installation creates more than GitHub allows in a minute.
const REPOS: usize = 25;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_or_doubled_on_sqlite() {
    nothing_is_lost_or_doubled(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_or_doubled_on_postgres() {
    let database = TestDb::empty_postgres().await;
    nothing_is_lost_or_doubled(Some(database.url.clone())).await;
}

async fn nothing_is_lost_or_doubled(database_url: Option<String>) {
    let begun = Instant::now();
    let stage = Stage::start(REPOS, database_url).await;
    let server = stage.serve(&["--workers", "0"]).await;
    stage.register(&Api::new(&server.url)).await;
    drop(server);
    let mut waiting: VecDeque<_> = stage.pulls(ROUNDS * A_ROUND).await.into_iter().map(Arc::new).collect();
    let ledger = Arc::new(Ledger::default());
    for round in 1..=ROUNDS {
        let mut server = stage.serve(&["--workers", "8"]).await;
        let batch = waiting.len().min(A_ROUND);
        let (answers, more) = {
            let mut random = stage.random.lock().unwrap();
            // Half of the kills in the midst of the requests, half when jobs are at work as well.
            (random.usize(..batch), if random.bool() { random.u64(..15) } else { random.u64(..400) })
        };
        let queue = Arc::new(Mutex::new(waiting.drain(..batch).collect()));
        // Between what is stored and what the sender knows of it is time to die as well.
        let line = Line::start(&server.url, ANSWERS_TAKE).await;
        let (mut clients, mut posts) = ledger.load(&Api::new(&line.url), &queue);
        for _ in 0..answers {
            posts.recv().await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(more)).await;
        line.cut();
        tokio::task::block_in_place(|| server.kill());
        while clients.join_next().await.is_some() {}
        let (mut accepted, mut broken) = (answers, 0);
        while let Ok(post) = posts.try_recv() {
            accepted += usize::from(post.accepted());
            broken += usize::from(!post.accepted());
        }
        eprintln!("round {round}: killed {more} ms after {answers} answers; {accepted} accepted, {broken} broken");
        // What was not even begun comes again, and some of what broke, as a person would redeliver it.
        waiting.extend(queue.lock().unwrap().drain(..));
        let again = ledger.in_vain();
        let mut random = stage.random.lock().unwrap();
        for delivery in again.into_iter().filter(|_| random.bool()) {
            waiting.push_front(delivery);
        }
    }
    let server = stage.serve(&["--workers", "8"]).await;
    let api = Api::new(&server.url);
    drained(&api).await;
    let summary = ledger.check(&stage, &api).await;
    eprintln!("{ROUNDS} kills in {:?}: {summary:?}", begun.elapsed());
    assert!(summary.broken_posts > 0 && summary.jobs_begun_again > 0, "no kill hit anything: {summary:?}");
}

/// The moment that is hardest: GitHub has opened the check run, and nobody knows. Two pull requests
/// with the same commit, so that the check run to be found again is not the newest of its name.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn check_runs_that_nobody_knows_of_are_found_again() {
    let stage = Stage::start(1, None).await;
    let server = stage.serve(&["--workers", "0"]).await;
    stage.register(&Api::new(&server.url)).await;
    drop(server);
    let first = stage.pulls(1).await.remove(0);
    let pulls = [stage.sibling(&first), first].map(Arc::new);
    let ledger = Ledger::default();
    let mut server = stage.serve(&["--workers", "2"]).await;
    let api = Api::new(&server.url);
    let opened = async |count: usize| {
        let runs = stage.person.check_runs(&pulls[0].repo, &pulls[0].sha).await.unwrap();
        let ours = pulls.iter().filter(|pull| runs.iter().any(|run| names(run, &pull.guid))).count();
        (ours == count).then_some(())
    };
    // A token is got first; from then on GitHub's answers do not arrive.
    let warm = Arc::new(stage.pulls(1).await.remove(0));
    assert!(ledger.post(&api, &warm).await.accepted());
    drained(&api).await;
    stage.line.hold();
    for pull in &pulls {
        assert!(ledger.post(&api, pull).await.accepted());
    }
    eventually("both check runs to be opened", || opened(2)).await;
    tokio::task::block_in_place(|| server.kill());
    stage.line.delay(Duration::ZERO);
    let server = stage.serve(&["--workers", "2"]).await;
    let api = Api::new(&server.url);
    drained(&api).await;
    let summary = ledger.check(&stage, &api).await;
    eprintln!("{summary:?}");
}

/// GitHub opened the check run, its answer made no sense, and the job gave up. Told to try again,
/// it finds the check run of the first time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_job_that_is_tried_again_finds_its_check_run() {
    let stage = Stage::start(1, None).await;
    let server = stage.serve(&["--workers", "1"]).await;
    let api = Api::new(&server.url);
    stage.register(&api).await;
    let nonsense = Fault {
        method: Some("POST".into()),
        path: Some("/repos/*/check-runs".into()),
        count: Some(1),
        after: true,
        status: Some(422),
        ..Fault::default()
    };
    stage.person.fault(&nonsense).await.unwrap();
    let ledger = Ledger::default();
    let pull = Arc::new(stage.pulls(1).await.remove(0));
    assert!(ledger.post(&api, &pull).await.accepted());
    drained(&api).await;
    let job = api.get("/jobs").await["items"][0].clone();
    assert_eq!((&job["state"], &job["attempts"]), (&"dead".into(), &1.into()), "{job}");
    api.post(&format!("/jobs/{}/retry", job["id"]), &json!({})).await;
    drained(&api).await;
    ledger.check(&stage, &api).await;
}

/// Also before it is ready: a migration is killed at any moment, and the next start goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_start_that_was_killed_is_made_up_for() {
    for database_url in [None, Some(TestDb::empty_postgres().await)].iter().map(|db| db.as_ref().map(|d| d.url.clone()))
    {
        let stage = Stage::start(1, database_url).await;
        for _ in 0..12 {
            let mut server = Serve::spawn(&stage.site, &[]);
            let moment = stage.random.lock().unwrap().u64(..150);
            tokio::time::sleep(Duration::from_millis(moment)).await;
            tokio::task::block_in_place(|| server.kill());
        }
        let server = stage.serve(&[]).await;
        let api = Api::new(&server.url);
        stage.register(&api).await;
        let ledger = Ledger::default();
        let pull = Arc::new(stage.pulls(1).await.remove(0));
        assert!(ledger.post(&api, &pull).await.accepted());
        drained(&api).await;
        ledger.check(&stage, &api).await;
    }
}
