//! Tests of jobs: the runner, with jobs that do what the test tells them to.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use pforge::jobs::job::Retry;
use pforge::jobs::runner::JobEvent;
use pforge::jobs::{Done, Failure, Job, Registry, Runner, Task, Wake};
use pforge::store::jobs::{self, JobRow, JobState};
use pforge::store::{Db, migrate};
use pforge::util::Clock;
use pforge::util::calls::{self, ApiCall};
use pforge::util::retry::Backoff;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::pg::{Database, Server, TestDb, on_both, open};

on_both!(
    a_job_is_run_and_its_outcome_kept,
    panic_timeout_and_failure_are_attempts,
    the_schedule_is_kept_and_what_was_asked_for_respected,
    last_words_are_said_once,
    progress_outlives_an_attempt,
    a_job_knows_whether_it_was_begun_before,
    a_text_that_the_database_cannot_hold_ends_an_attempt_all_the_same,
    a_stored_input_that_does_not_fit_is_dead_at_once,
    unknown_kinds_are_left_alone,
    a_shutdown_drains,
    a_shutdown_leaves_what_takes_too_long,
    a_job_that_lost_its_lease_is_stopped,
    a_worker_that_stood_still_does_not_go_on,
    a_heartbeat_keeps_a_long_job,
    last_words_for_a_job_whose_workers_died,
    two_runners_share_the_work_in_order,
    attempts_leave_a_trace,
);

/// What a job shall do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Act {
    Succeed,
    Panic,
    Fail,
    FailForGood,
    Ask(u64),
    /// Saves, fails, and finds it again.
    Save,
    /// Says whether it was begun before.
    Tell,
    /// Saves and says what no text column of PostgreSQL can hold.
    Nul,
    /// Says that it runs, then waits for the gate.
    Wait,
}

#[derive(Serialize, Deserialize)]
struct Play {
    act: Act,
    text: String,
}

#[derive(Default)]
struct Stage {
    /// What happened, in order.
    log: Mutex<Vec<String>>,
    began: Notify,
    gate: Notify,
}

impl Stage {
    fn say(&self, line: String) {
        self.log.lock().unwrap().push(line);
    }

    fn lines(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

impl Job for Play {
    const KIND: &'static str = "test.play";
    const MAX_ATTEMPTS: u32 = 3;
    const TIMEOUT: Duration = Duration::from_secs(120);
    const BACKOFF: Backoff =
        Backoff { base: Duration::from_millis(5), factor: 1, cap: Duration::from_millis(5), jitter: 0.0 };
    type Cx = Stage;

    async fn run(&self, stage: &Stage, task: &mut Task) -> Result<Done, Failure> {
        stage.say(format!("{} {}", self.text, task.attempt));
        calls::tell(|| call(&self.text));
        match self.act {
            Act::Succeed => Ok(Done(format!("played {}", self.text))),
            Act::Panic => panic!("on purpose {}", self.text),
            Act::Fail => Err(Failure::transient("it failed")),
            Act::FailForGood => Err(Failure::permanent("it will not do")),
            Act::Ask(ms) if task.attempt == 1 => {
                Err(Failure { reason: "later".into(), retry: Retry::After(Duration::from_millis(ms)) })
            }
            Act::Ask(_) => Ok(Done(String::new())),
            Act::Save => match task.saved::<u32>("step") {
                Some(step) => Ok(Done(format!("found {step}"))),
                None => {
                    task.save("step", &task.attempt.clone()).await?;
                    panic!("after saving");
                }
            },
            Act::Tell if task.begun_before => Ok(Done("again".into())),
            Act::Tell => Err(Failure::permanent("the first time")),
            Act::Nul => {
                task.save("a\0", &"b\0").await?;
                if task.attempt == 1 { Err(Failure::transient("a\0b")) } else { Ok(Done("c\0".into())) }
            }
            Act::Wait => {
                stage.began.notify_one();
                stage.gate.notified().await;
                stage.say(format!("{} goes on", self.text));
                Ok(Done("waited".into()))
            }
        }
    }

    async fn give_up(&self, stage: &Stage, task: &mut Task, failure: &Failure) {
        stage.say(format!("{} gives up after {}: {}", self.text, task.attempt, failure.reason));
    }
}

/// Never ends, but may not take long.
#[derive(Serialize, Deserialize)]
struct Hang;

impl Job for Hang {
    const KIND: &'static str = "test.hang";
    const MAX_ATTEMPTS: u32 = 2;
    const TIMEOUT: Duration = Duration::from_millis(50);
    const BACKOFF: Backoff = Play::BACKOFF;
    type Cx = Stage;

    async fn run(&self, _: &Stage, _: &mut Task) -> Result<Done, Failure> {
        std::future::pending().await
    }
}

/// What a client would tell of a call.
fn call(path: &str) -> ApiCall {
    let (at, method, path) = (DateTime::UNIX_EPOCH, "GET".into(), path.to_owned());
    ApiCall { at, method, path, status: Some(200), ms: 1, attempt: 1, request_id: None, url: None, error: None }
}

async fn attempts_leave_a_trace(test: TestDb) {
    let mut running = Running::start(&test.db);
    let saves = queue(&test.db, None, &play(Act::Save, "/saves")).await;
    running.wake.wake();
    running.until(saves, "done").await;
    let fails = queue(&test.db, None, &play(Act::FailForGood, "/fails")).await;
    running.wake.wake();
    running.until(fails, "dead").await;
    let told = async |id| -> Vec<(u32, String, String, Vec<String>)> {
        let attempts = jobs::trace::of_job(&test.db, id).await.unwrap();
        assert!(attempts.iter().all(|attempt| attempt.started_at <= attempt.ended_at));
        let paths = |calls: Vec<ApiCall>| calls.into_iter().map(|call| call.path).collect();
        attempts.into_iter().map(|a| (a.attempt, a.outcome, a.said, paths(a.calls))).collect()
    };
    let calls = |path: &str| vec![path.to_owned()];
    let expected = [
        (1, "retry".to_owned(), "the job panicked: after saving".to_owned(), calls("/saves")),
        (2, "done".to_owned(), "found 1".to_owned(), calls("/saves")),
    ];
    assert_eq!(told(saves).await, expected, "each attempt has its own calls");
    assert_eq!(told(fails).await, [(1, "dead".to_owned(), "it will not do".to_owned(), calls("/fails"))]);
    running.stop().await;
}

fn play(act: Act, text: &str) -> Play {
    Play { act, text: text.into() }
}

async fn queue(db: &Db, key: Option<&str>, play: &Play) -> i64 {
    let new = play.queued(key.map(str::to_owned), uuid::Uuid::new_v4().to_string()).unwrap();
    jobs::enqueue(db, &[new], Clock::system().now()).await.unwrap()[0]
}

async fn row(db: &Db, id: i64) -> JobRow {
    jobs::get(db, id).await.unwrap().expect("the job is there")
}

/// A running runner.
struct Running {
    stage: Arc<Stage>,
    events: mpsc::UnboundedReceiver<JobEvent>,
    shutdown: CancellationToken,
    wake: Wake,
    task: JoinHandle<()>,
}

impl Running {
    fn start(db: &Db) -> Self {
        Self::with(db, Duration::from_secs(30), Duration::from_secs(20), Arc::default())
    }

    fn with(db: &Db, lease: Duration, drain: Duration, stage: Arc<Stage>) -> Self {
        Self::by(Clock::system(), db, lease, drain, stage)
    }

    fn by(clock: Clock, db: &Db, lease: Duration, drain: Duration, stage: Arc<Stage>) -> Self {
        let (told, events) = mpsc::unbounded_channel();
        let mut registry = Registry::default();
        registry.register::<Play>(stage.clone());
        registry.register::<Hang>(stage.clone());
        assert_eq!(registry.kinds(), ["test.play", "test.hang"]);
        let (shutdown, wake) = (CancellationToken::new(), Wake::default());
        let runner = Runner {
            db: db.clone(),
            registry,
            workers: 4,
            lease,
            retry_within: Duration::MAX,
            poll: Duration::from_millis(50),
            clock,
            wake: wake.clone(),
            observer: Arc::new(move |event| drop(told.send(event))),
        };
        let task = tokio::spawn(runner.run(shutdown.clone(), drain));
        Self { stage, events, shutdown, wake, task }
    }

    /// Waits for the job's end.
    async fn until(&mut self, id: i64, what: &str) -> JobEvent {
        let waiting = async {
            loop {
                let event = self.events.recv().await.expect("the runner runs");
                if event.id == id && event.what == what {
                    return event;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), waiting)
            .await
            .unwrap_or_else(|_| panic!("job {id} is never {what}"))
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap();
    }
}

async fn a_job_is_run_and_its_outcome_kept(test: TestDb) {
    let mut runner = Running::start(&test.db);
    let id = queue(&test.db, Some("k"), &play(Act::Succeed, "a")).await;
    runner.wake.wake();
    let started = runner.until(id, "started").await;
    assert_eq!((started.kind.as_str(), started.key.as_deref(), started.attempt), ("test.play", Some("k"), 1));
    assert_eq!(runner.until(id, "done").await.text, "played a");
    let row = row(&test.db, id).await;
    assert_eq!((row.state, row.outcome.as_deref(), row.attempts), (JobState::Done, Some("played a"), 1));
    assert!(row.finished_at.is_some() && row.lease_until.is_none());
    runner.stop().await;
}

async fn panic_timeout_and_failure_are_attempts(test: TestDb) {
    let mut runner = Running::start(&test.db);
    let play = |act| play(act, "a").queued(None, format!("{act:?}"));
    for (job, attempts, reason) in [
        (play(Act::Panic), 3, "the job panicked: on purpose a"),
        (play(Act::Fail), 3, "it failed"),
        (Hang.queued(None, "hang".into()), 2, "the job took longer than 50 ms"),
    ] {
        let id = jobs::enqueue(&test.db, &[job.unwrap()], Clock::system().now()).await.unwrap()[0];
        for _ in 1..attempts {
            assert_eq!(runner.until(id, "retry").await.text, reason);
        }
        assert_eq!(runner.until(id, "dead").await.attempt, attempts);
        let row = row(&test.db, id).await;
        assert_eq!((row.state, row.attempts, row.last_error.as_deref()), (JobState::Dead, attempts, Some(reason)));
    }
    runner.stop().await;
}

async fn the_schedule_is_kept_and_what_was_asked_for_respected(test: TestDb) {
    let mut runner = Running::start(&test.db);
    let id = queue(&test.db, None, &play(Act::Ask(400), "a")).await;
    let asked = Clock::system().now();
    runner.until(id, "done").await;
    let waited = row(&test.db, id).await.finished_at.unwrap() - asked;
    assert!(waited.num_milliseconds() >= 400, "{waited}");
    runner.stop().await;
}

async fn last_words_are_said_once(test: TestDb) {
    let mut runner = Running::start(&test.db);
    for (act, text, last) in [
        (Act::Fail, "a", "a gives up after 3: it failed"),
        (Act::FailForGood, "b", "b gives up after 1: it will not do"),
    ] {
        let id = queue(&test.db, None, &play(act, text)).await;
        runner.until(id, "dead").await;
        let said: Vec<String> =
            runner.stage.lines().into_iter().filter(|l| l.starts_with(text) && l.contains("gives up")).collect();
        assert_eq!(said, [last]);
    }
    runner.stop().await;
}

async fn progress_outlives_an_attempt(test: TestDb) {
    let mut runner = Running::start(&test.db);
    let id = queue(&test.db, None, &play(Act::Save, "a")).await;
    assert_eq!(runner.until(id, "done").await.text, "found 1");
    runner.stop().await;
}

async fn a_job_knows_whether_it_was_begun_before(test: TestDb) {
    let mut runner = Running::start(&test.db);
    let id = queue(&test.db, None, &play(Act::Tell, "a")).await;
    assert_eq!(runner.until(id, "dead").await.text, "the first time");
    for force in [false, true] {
        let put_back = jobs::retry(&test.db, id, force, Clock::system().now()).await.unwrap().unwrap();
        assert_eq!((put_back.state, put_back.attempts), (JobState::Ready, 0));
        runner.wake.wake();
        let done = runner.until(id, "done").await;
        assert_eq!((done.text.as_str(), done.attempt), ("again", 1));
        assert_eq!(row(&test.db, id).await.last_error, None);
    }
    runner.stop().await;
}

async fn a_text_that_the_database_cannot_hold_ends_an_attempt_all_the_same(test: TestDb) {
    let mut runner = Running::start(&test.db);
    let id = queue(&test.db, Some("k\0"), &play(Act::Nul, "a\0")).await;
    runner.wake.wake();
    runner.until(id, "retry").await;
    assert_eq!(row(&test.db, id).await.last_error.as_deref(), Some("a\u{fffd}b"));
    runner.until(id, "done").await;
    let row = row(&test.db, id).await;
    assert_eq!((row.outcome.as_deref(), row.key.as_deref()), (Some("c\u{fffd}"), Some("k\u{fffd}")));
    assert_eq!(row.payload["text"], "a\u{fffd}");
    assert_eq!(row.progress, serde_json::json!({ "a\u{fffd}": "b\u{fffd}" }));
    runner.stop().await;
}

async fn a_stored_input_that_does_not_fit_is_dead_at_once(test: TestDb) {
    let mut runner = Running::start(&test.db);
    let mut new = play(Act::Succeed, "a").queued(None, "t".into()).unwrap();
    new.payload = serde_json::json!({ "act": "Dance" });
    let id = jobs::enqueue(&test.db, &[new], Clock::system().now()).await.unwrap()[0];
    let dead = runner.until(id, "dead").await;
    assert!(dead.attempt == 1 && dead.text.contains("does not fit"), "{dead:?}");
    runner.stop().await;
}

async fn unknown_kinds_are_left_alone(test: TestDb) {
    let mut runner = Running::start(&test.db);
    let mut new = play(Act::Succeed, "a").queued(None, "t".into()).unwrap();
    new.kind = "test.newer".into();
    let newer = jobs::enqueue(&test.db, &[new], Clock::system().now()).await.unwrap()[0];
    let id = queue(&test.db, None, &play(Act::Succeed, "b")).await;
    runner.until(id, "done").await;
    let row = row(&test.db, newer).await;
    assert_eq!((row.state, row.attempts), (JobState::Ready, 0));
    runner.stop().await;
}

async fn a_shutdown_drains(test: TestDb) {
    let runner = Running::start(&test.db);
    let id = queue(&test.db, Some("k"), &play(Act::Wait, "a")).await;
    let next = queue(&test.db, Some("k"), &play(Act::Succeed, "b")).await;
    runner.stage.began.notified().await;
    runner.shutdown.cancel();
    runner.stage.gate.notify_one();
    runner.task.await.unwrap();
    assert_eq!(row(&test.db, id).await.state, JobState::Done);
    // A claim that was under way may still have leased it; then it is drained as well.
    assert_ne!(row(&test.db, next).await.state, JobState::Running, "nothing is left half done");
}

async fn a_shutdown_leaves_what_takes_too_long(test: TestDb) {
    let runner = Running::with(&test.db, Duration::from_secs(30), Duration::from_millis(50), Arc::default());
    let id = queue(&test.db, None, &play(Act::Wait, "a")).await;
    runner.stage.began.notified().await;
    let stage = runner.stage.clone();
    runner.stop().await;
    stage.gate.notify_one();
    assert_eq!(row(&test.db, id).await.state, JobState::Running, "until its lease ends");
    assert_eq!(stage.lines(), ["a 1"], "it was stopped");
}

async fn a_job_that_lost_its_lease_is_stopped(test: TestDb) {
    let lease = Duration::from_secs(3);
    let mut runner = Running::with(&test.db, lease, Duration::ZERO, Arc::default());
    let id = queue(&test.db, None, &play(Act::Wait, "a")).await;
    runner.stage.began.notified().await;
    // Another process takes over, by its clock.
    let later = Clock::system().now() + Duration::from_secs(60);
    let taken = jobs::claim(&test.db, "other", &["test.play"], 1, Duration::from_secs(30), later).await.unwrap();
    assert_eq!((taken[0].0.job, taken[0].0.attempt), (id, 2));
    runner.until(id, "lost").await;
    runner.stage.gate.notify_waiters();
    let end = jobs::Finish::Done("by the other".into());
    assert!(jobs::finish(&test.db, &taken[0].0, &end, later).await.unwrap());
    let stage = runner.stage.clone();
    runner.stop().await;
    assert_eq!(stage.lines(), ["a 1"]);
    assert_eq!(row(&test.db, id).await.outcome.as_deref(), Some("by the other"));
}

/// It would find what it waited for before its heartbeat finds the lease lost.
async fn a_worker_that_stood_still_does_not_go_on(test: TestDb) {
    let asleep = Arc::new(AtomicU64::new(0));
    let clock = Clock::from_fn({
        let asleep = asleep.clone();
        move || Utc::now() + Duration::from_secs(asleep.load(Ordering::Relaxed))
    });
    let mut runner = Running::by(clock.clone(), &test.db, Duration::from_secs(3), Duration::ZERO, Arc::default());
    let id = queue(&test.db, None, &play(Act::Wait, "a")).await;
    runner.stage.began.notified().await;
    // Taken over before the runner's own look could do that.
    let (later, lease) = (clock.now() + Duration::from_secs(60), Duration::from_secs(300));
    let taken = jobs::claim(&test.db, "other", &["test.play"], 1, lease, later).await.unwrap();
    asleep.store(60, Ordering::Relaxed);
    assert_eq!((taken[0].0.job, taken[0].0.attempt), (id, 2));
    runner.stage.gate.notify_one();
    runner.until(id, "lost").await;
    assert_eq!(runner.stage.lines(), ["a 1"]);
    runner.stop().await;
}

async fn a_heartbeat_keeps_a_long_job(test: TestDb) {
    let lease = Duration::from_secs(3);
    let mut runner = Running::with(&test.db, lease, Duration::from_secs(5), Arc::default());
    let id = queue(&test.db, None, &play(Act::Wait, "a")).await;
    runner.stage.began.notified().await;
    let first = row(&test.db, id).await.lease_until.unwrap();
    while row(&test.db, id).await.lease_until.unwrap() < first + lease / 2 {
        tokio::task::yield_now().await;
    }
    runner.stage.gate.notify_one();
    assert_eq!(runner.until(id, "done").await.attempt, 1);
    runner.stop().await;
}

async fn last_words_for_a_job_whose_workers_died(test: TestDb) {
    let id = queue(&test.db, None, &play(Act::Succeed, "a")).await;
    let mut at = Clock::system().now() - Duration::from_secs(3600);
    set_due(&test.db, id, at).await;
    for attempt in 1..=3 {
        let owner = format!("crashed-{attempt}");
        let claimed = jobs::claim(&test.db, &owner, &["test.play"], 1, Duration::from_secs(30), at).await.unwrap();
        assert_eq!(claimed[0].0.attempt, attempt);
        at += Duration::from_secs(60);
    }
    let mut runner = Running::start(&test.db);
    runner.until(id, "dead").await;
    assert_eq!(runner.stage.lines(), ["a gives up after 4: the worker died or hung in the last attempt"]);
    let row = row(&test.db, id).await;
    assert_eq!((row.state, row.attempts), (JobState::Dead, 3));
    runner.stop().await;
}

/// Makes a job due in the past.
async fn set_due(db: &Db, id: i64, at: DateTime<Utc>) {
    let sql = "UPDATE jobs SET run_at = $2 WHERE id = $1";
    match db {
        Db::Lite { w, .. } => sqlx::query(sql).bind(id).bind(at).execute(w).await.map(|_| ()),
        Db::Pg(pool) => sqlx::query(sql).bind(id).bind(at).execute(pool).await.map(|_| ()),
    }
    .unwrap();
}

async fn two_runners_share_the_work_in_order(test: TestDb) {
    const JOBS: usize = 120;
    let stage: Arc<Stage> = Arc::default();
    let mut ids = Vec::new();
    for number in 0..JOBS {
        let key = format!("key-{}", number % 10);
        ids.push(queue(&test.db, Some(&key), &play(Act::Succeed, &format!("{key} {number:03}"))).await);
    }
    let other = test.again().await;
    let start = |db| Running::with(db, Duration::from_secs(30), Duration::from_secs(20), stage.clone());
    let mut runners = [start(&test.db), start(&other)];
    let finished = async {
        let [one, two] = &mut runners;
        let mut done = 0;
        while done < JOBS {
            let event = tokio::select! {
                event = one.events.recv() => event,
                event = two.events.recv() => event,
            };
            done += usize::from(event.expect("the runners run").what == "done");
        }
    };
    tokio::time::timeout(Duration::from_secs(60), finished).await.expect("all are run");
    for runner in runners {
        runner.stop().await;
    }
    let lines = stage.lines();
    assert_eq!(lines.len(), JOBS, "each ran once");
    let mut last: HashMap<&str, &str> = HashMap::new();
    for line in &lines {
        let (key, number) = line.split_once(' ').unwrap();
        if let Some(earlier) = last.insert(key, number) {
            assert!(earlier < number, "{key}: {earlier} before {number}");
        }
    }
    for id in ids {
        assert_eq!(row(&test.db, id).await.state, JobState::Done);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_wakes_the_runners_of_other_processes() {
    let test = TestDb::postgres().await;
    let other = test.again().await;
    let (told, mut events) = mpsc::unbounded_channel();
    let mut registry = Registry::default();
    registry.register::<Play>(Arc::default());
    let runner = Runner {
        db: other,
        registry,
        workers: 1,
        lease: Duration::from_secs(30),
        retry_within: Duration::MAX,
        // So long that only a notification can be what woke it.
        poll: Duration::from_secs(3600),
        clock: Clock::system(),
        wake: Wake::default(),
        observer: Arc::new(move |event| drop(told.send(event))),
    };
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(runner.run(shutdown.clone(), Duration::from_secs(5)));
    for _ in 0..3 {
        let id = queue(&test.db, None, &play(Act::Succeed, "a")).await;
        loop {
            let event = tokio::time::timeout(Duration::from_secs(20), events.recv()).await.expect("woken").unwrap();
            if event.id == id && event.what == "done" {
                break;
            }
        }
    }
    shutdown.cancel();
    task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_postgres_only_delays() {
    let server = tokio::task::spawn_blocking(Server::start).await.unwrap();
    let database = Database::create(&server.url()).await;
    let db = open(&database.url).await;
    migrate::up(&db, Duration::from_secs(60), &|_| {}).await.unwrap();
    let mut runner = Running::start(&db);
    let during = queue(&db, None, &play(Act::Wait, "during")).await;
    let later = queue(&db, Some("k"), &play(Act::Ask(1), "later")).await;
    runner.stage.began.notified().await;
    runner.until(later, "done").await;
    let server = tokio::task::spawn_blocking(move || {
        server.stop();
        server
    });
    let server = server.await.unwrap();
    // Ends while its end cannot be written.
    runner.stage.gate.notify_one();
    while !runner.stage.lines().contains(&"during goes on".to_owned()) {
        tokio::task::yield_now().await;
    }
    let server = tokio::task::spawn_blocking(move || {
        server.go_on();
        server
    });
    let _server = server.await.unwrap();
    assert_eq!(runner.until(during, "done").await.attempt, 1);
    let after = loop {
        let new = play(Act::Succeed, "after").queued(None, "after".into()).unwrap();
        if let Ok(ids) = jobs::enqueue(&db, &[new], Clock::system().now()).await {
            break ids[0];
        }
    };
    runner.until(after, "done").await;
    runner.stop().await;
    db.close().await;
}
