//! The job is cut off at each of its steps and taken up again: nothing is lost or done twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use pforge::apps::App;
use pforge::apps::payload::{Delivery, Payload};
use pforge::apps::recipes::rows::{Provider, bakeries, feedstocks, recipe_runs};
use pforge::apps::recipes::{Parts, Recipes};
use pforge::jobs::{Registry, Runner, Wake};
use pforge::store::Db;
use pforge::store::jobs::{JobFilter, JobRow, JobState, enqueue, list, retry};
use pforge::util::Clock;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::github::GitHub;
use super::world::{META, pull};
use crate::support::pg::TestDb;

const SPEC: &str = "o/staged-recipes";

/// Workers that a test can kill, on a clock that it can put forward.
struct Bench {
    github: GitHub,
    db: Db,
    app: Recipes,
    skipped: Arc<AtomicI64>,
    _database: TestDb,
}

impl Bench {
    /// One synchronize job, ready to run.
    async fn start(database: TestDb) -> Self {
        let (github, database) = (GitHub::start().await, database);
        let db = database.db.clone();
        feedstocks::insert(&db, SPEC, Provider::Github).await.unwrap();
        bakeries::insert(&db, "local", "local-test-bakery", "").await.unwrap();
        github.pull_files(&["recipes/x/meta.yaml"]);
        github.file("fork/staged-recipes/recipes/x/meta.yaml", META);
        let skipped = Arc::new(AtomicI64::new(0));
        let app = Recipes::new(Parts { github: Some(github.client()), ..Parts::new(db.clone(), Clock::system()) });
        let body = pull(SPEC, "abc1").to_string();
        let (payload, envelope) = Payload::json(body.as_bytes()).unwrap();
        let delivery = Delivery { event: "pull_request", guid: "g-1", hook_id: "1", payload, envelope };
        enqueue(&db, &app.decide(&delivery).jobs, Utc::now()).await.unwrap();
        Self { github, db, app, skipped, _database: database }
    }

    fn workers(&self) -> JoinHandle<()> {
        let mut registry = Registry::default();
        self.app.register(&mut registry);
        let skipped = Arc::clone(&self.skipped);
        let runner = Runner {
            db: self.db.clone(),
            registry,
            workers: 1,
            lease: Duration::from_secs(30),
            retry_within: Duration::MAX,
            poll: Duration::from_millis(10),
            clock: Clock::from_fn(move || Utc::now() + TimeDelta::seconds(skipped.load(Ordering::Relaxed))),
            wake: Wake::default(),
            observer: Arc::new(|_| {}),
        };
        tokio::spawn(runner.run(CancellationToken::new(), Duration::ZERO))
    }

    /// Puts the clock forward, past every lease and wait.
    fn skip(&self, seconds: i64) {
        self.skipped.fetch_add(seconds, Ordering::Relaxed);
    }

    async fn until(&self, what: impl Fn(&JobRow) -> bool) -> JobRow {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let kind = Some("recipes.synchronize".to_owned());
            let jobs = list(&self.db, &JobFilter { limit: 9, kind, ..JobFilter::default() }).await.unwrap();
            assert_eq!(jobs.len(), 1);
            if what(&jobs[0]) {
                return jobs[0].clone();
            }
            assert!(Instant::now() < until, "{:?}", jobs[0]);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn assert_done_once(&self, step: &str) {
        let checks = self.github.check_runs();
        assert_eq!(checks.len(), 1, "{step}: {checks:?}");
        assert_eq!(
            (checks[0]["status"].as_str(), checks[0]["conclusion"].as_str()),
            (Some("completed"), Some("success"))
        );
        assert_eq!(recipe_runs::count(&self.db).await.unwrap(), 2, "{step}");
        let recipes = self.github.recipe_checks();
        assert_eq!(recipes.len(), 2, "{step}: {recipes:?}");
        assert!(recipes.iter().all(|check| check["conclusion"] == "neutral"), "{step}: {recipes:?}");
    }
}

#[tokio::test]
async fn killed_at_any_step_it_resumes_without_duplicates() {
    let check_runs = "POST /repos/o/staged-recipes/check-runs";
    let steps = [
        (check_runs, 0),
        ("/pulls/3/files", 0),
        ("/contents/", 0),
        ("/app/hook/config", 0),
        ("/commits/abc1/check-runs", 0),
        (check_runs, 1),
        (check_runs, 2),
        ("PATCH", 0),
    ];
    for ((step, skip), after) in steps.into_iter().flat_map(|step| [(step, false), (step, true)]) {
        let bench = Bench::start(TestDb::sqlite().await).await;
        bench.github.hold_after(skip, step, after);
        let workers = bench.workers();
        tokio::time::timeout(Duration::from_secs(20), bench.github.held()).await.expect(step);
        workers.abort();
        assert!(workers.await.unwrap_err().is_cancelled());
        bench.skip(120);
        let workers = bench.workers();
        let job = bench.until(|job| matches!(job.state, JobState::Done | JobState::Dead)).await;
        assert_eq!((job.state, job.attempts), (JobState::Done, 2), "{step}: {job:?}");
        bench.assert_done_once(step).await;
        workers.abort();
    }
}

#[tokio::test]
async fn an_outage_of_github_is_waited_for() {
    for step in ["/check-runs", "/pulls/3/files", "/contents/"] {
        let bench = Bench::start(TestDb::sqlite().await).await;
        bench.github.fail(Some((step, 503)));
        let workers = bench.workers();
        let job = bench.until(|job| job.state == JobState::Ready && job.attempts == 1).await;
        assert!(job.last_error.as_deref().unwrap().contains("503"), "{job:?}");
        bench.github.fail(None);
        bench.skip(120);
        bench.until(|job| job.state == JobState::Done).await;
        bench.assert_done_once(step).await;
        workers.abort();
    }
}

#[tokio::test]
async fn when_it_gives_up_the_check_run_says_so() {
    let bench = Bench::start(TestDb::sqlite().await).await;
    bench.github.fail(Some(("/pulls/3/files", 404)));
    let workers = bench.workers();
    let job = bench.until(|job| job.state == JobState::Dead).await;
    assert_eq!(job.attempts, 1);
    let checks = bench.github.check_runs();
    assert_eq!((checks.len(), checks[0]["conclusion"].as_str()), (1, Some("failure")));
    let summary = checks[0]["output"]["summary"].as_str().unwrap();
    assert!(summary.contains("404") && !summary.contains("ghs_"), "{summary}");
    workers.abort();
}

/// GitHub is away while the job says its last words, and for a day after.
#[tokio::test]
async fn a_check_run_that_cannot_be_concluded_now_is_concluded_later() {
    let bench = Bench::start(TestDb::sqlite().await).await;
    bench.github.hold("POST /repos/o/staged-recipes/check-runs", true);
    let workers = bench.workers();
    tokio::time::timeout(Duration::from_secs(20), bench.github.held()).await.expect("the check run is opened");
    bench.github.fail(Some(("/repos/", 503)));
    workers.abort();
    bench.skip(120);
    let workers = bench.workers();
    for _ in 0..12 {
        let job = bench.until(|job| job.state != JobState::Running).await;
        if job.state == JobState::Dead {
            break;
        }
        // Longer than any wait between attempts: an hour and a fifth.
        bench.skip(5000);
        bench.until(|now| now.attempts > job.attempts || now.state == JobState::Dead).await;
    }
    bench.until(|job| job.state == JobState::Dead).await;
    assert_eq!(bench.github.check_runs()[0]["status"], "in_progress");
    bench.github.fail(None);
    let until = Instant::now() + Duration::from_secs(30);
    while bench.github.check_runs()[0]["status"] != "completed" {
        assert!(Instant::now() < until, "{:?}", bench.github.check_runs());
        bench.skip(4000);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let check = bench.github.check_runs().remove(0);
    assert_eq!(check["conclusion"], "failure", "{check}");
    assert!(check["output"]["summary"].as_str().unwrap().contains("503"), "{check}");
    workers.abort();
}

#[tokio::test]
async fn put_back_by_hand_it_finds_the_check_run_that_it_never_saved() {
    let bench = Bench::start(TestDb::sqlite().await).await;
    bench.github.hold("POST /repos/o/staged-recipes/check-runs", true);
    let workers = bench.workers();
    tokio::time::timeout(Duration::from_secs(20), bench.github.held()).await.expect("the check run is opened");
    workers.abort();
    // Nobody knows its id, and the second attempt cannot ask for it.
    bench.github.fail(Some(("/commits/abc1/check-runs", 404)));
    bench.skip(120);
    let workers = bench.workers();
    let job = bench.until(|job| job.state == JobState::Dead).await;
    assert_eq!(bench.github.check_runs()[0]["status"], "in_progress");
    bench.github.fail(None);
    let job = retry(&bench.db, job.id, false, Utc::now()).await.unwrap().unwrap();
    assert_eq!((job.state, job.attempts), (JobState::Ready, 0));
    bench.until(|job| job.state == JobState::Done).await;
    bench.assert_done_once("retried by hand").await;
    workers.abort();
}

#[tokio::test]
async fn it_finds_its_check_run_behind_a_newer_one_on_the_same_commit() {
    let bench = Bench::start(TestDb::sqlite().await).await;
    bench.github.hold("POST /repos/o/staged-recipes/check-runs", true);
    let workers = bench.workers();
    tokio::time::timeout(Duration::from_secs(20), bench.github.held()).await.expect("the check run is opened");
    workers.abort();
    bench.github.open_another();
    bench.skip(120);
    let workers = bench.workers();
    bench.until(|job| job.state == JobState::Done).await;
    let checks = bench.github.check_runs();
    assert_eq!(checks.len(), 2, "{checks:?}");
    assert_eq!((&checks[0]["conclusion"], &checks[1]["status"]), (&"success".into(), &"in_progress".into()));
    workers.abort();
}
