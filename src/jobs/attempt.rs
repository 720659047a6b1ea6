//! One attempt of one job: run it under its lease, then write down how it ended.

use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use futures_util::FutureExt;

use super::job::{Done, Failure, Retry, Task};
use super::outage::Outage;
use super::registry::{Kind, Registry};
use super::runner::JobEvent;
use crate::store::Db;
use crate::store::jobs::trace::{self, NewTrace, Outcome};
use crate::store::jobs::{self, Finish, JobRow, Lease};
use crate::util::calls::Calls;
use crate::util::retry::Backoff;
use crate::util::{Clock, text};

/// Characters of an error or outcome that are kept.
const LONGEST: usize = 2000;
/// Last words may not take longer.
const LAST_WORDS: Duration = Duration::from_secs(60);

/// What all attempts of a runner use.
pub(super) struct Shared {
    pub(super) db: Db,
    pub(super) registry: Registry,
    pub(super) lease: Duration,
    pub(super) retry_within: Duration,
    pub(super) clock: Clock,
    pub(super) observer: Arc<dyn Fn(JobEvent) + Send + Sync>,
    pub(super) outage: Outage,
}

pub(super) struct Attempt {
    shared: Arc<Shared>,
    lease: Lease,
    row: JobRow,
    started: Instant,
    started_at: DateTime<Utc>,
    /// The calls that the work makes.
    calls: Calls,
    /// Until when no other worker can take over.
    held_until: Mutex<DateTime<Utc>>,
}

impl Attempt {
    pub(super) fn new(shared: Arc<Shared>, lease: Lease, row: JobRow) -> Self {
        let held_until = Mutex::new(row.lease_until.unwrap_or_else(|| shared.clock.now()));
        let started_at = shared.clock.now();
        Self { shared, lease, row, started: Instant::now(), started_at, calls: Calls::default(), held_until }
    }

    /// Runs to the end, or until the lease is lost: then another worker has the job, and whatever
    /// this one still did would be done twice.
    pub(super) async fn run(self) {
        // Only kinds of the registry are claimed.
        let Some(kind) = self.shared.registry.find(&self.row.kind) else { return };
        self.tell("started", String::new());
        let end = tokio::select! {
            // In this order: whenever the lease was prolonged, the work is asked to go on.
            biased;
            () = self.lose_lease() => None,
            end = self.while_held(self.calls.of(self.work(kind))) => Some(end),
        };
        // Without a heartbeat: where that could be written, the end can be.
        let end = match end {
            Some(end) => self.write_down(&end).await.then_some(end),
            None => None,
        };
        match end {
            Some(Finish::Done(outcome)) => self.tell("done", outcome),
            Some(Finish::Retry(_, error)) => self.tell("retry", error),
            Some(Finish::Dead(error)) => self.tell("dead", error),
            None => {
                let said = "the lease was lost to another worker".to_owned();
                let trace = self.trace(Outcome::Lost, said.clone());
                // Only for people to read: whatever the database says to it.
                if let Err(error) = trace::record(&self.shared.db, self.row.id, &trace).await {
                    tracing::debug!(job = self.row.id, %error, "the trace of a lost attempt is not kept");
                }
                self.tell("lost", said);
            }
        }
    }

    /// The job's code, and what follows from how it ended.
    async fn work(&self, kind: &Kind) -> Finish {
        let last = self.lease.attempt >= self.row.max_attempts;
        // Above the last attempt the lease is for last words only, see `jobs::claim`.
        let result = if self.lease.attempt > self.row.max_attempts {
            Err(Failure::permanent("the worker died or hung in the last attempt"))
        } else {
            let running = (kind.run)(self.row.payload.clone(), self.task(self.row.progress.clone()));
            guarded(running, kind.timeout).await.and_then(|result| result)
        };
        match result {
            Ok(Done(outcome)) => Finish::Done(text::truncate(&outcome, LONGEST)),
            Err(failure) if last || failure.retry == Retry::Never => {
                self.last_words(kind, &failure).await;
                Finish::Dead(text::truncate(&failure.reason, LONGEST))
            }
            Err(failure) => {
                let asked = match failure.retry {
                    Retry::After(wait) => Some(wait),
                    Retry::Backoff | Retry::Never => None,
                };
                let within = kind.backoff.cap.min(self.shared.retry_within);
                let wait = Backoff { cap: within, ..kind.backoff }.delay(self.lease.attempt, asked, fastrand::f64());
                Finish::Retry(self.shared.clock.now() + wait, text::truncate(&failure.reason, LONGEST))
            }
        }
    }

    /// Lets `work` go on only as long as the lease is known to last. A process that stood still for
    /// longer finds the answers that it waited for, and would at once do the next step of a job
    /// that another worker has done meanwhile. It asks for its lease first.
    async fn while_held<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|cx| if self.shared.clock.now() < *self.held_until() { work.as_mut().poll(cx) } else { Poll::Pending })
            .await
    }

    fn held_until(&self) -> MutexGuard<'_, DateTime<Utc>> {
        self.held_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn last_words(&self, kind: &Kind, failure: &Failure) {
        // What this very attempt saved is in the database only.
        let progress = match jobs::get(&self.shared.db, self.row.id).await {
            Ok(Some(row)) => row.progress,
            _ => self.row.progress.clone(),
        };
        let speaking = (kind.give_up)(self.row.payload.clone(), self.task(progress), failure.clone());
        if let Err(failure) = guarded(speaking, LAST_WORDS).await {
            tracing::warn!(job = self.row.id, kind = kind.name, reason = failure.reason, "giving up a job failed");
        }
    }

    fn task(&self, progress: serde_json::Value) -> Task {
        Task::new(self.shared.db.clone(), self.lease.clone(), &self.row, progress)
    }

    /// Whether the end is written; `false` when the lease is lost. While the database is away the
    /// end is known but not kept, so this goes on trying.
    async fn write_down(&self, end: &Finish) -> bool {
        let trace = match end {
            Finish::Done(outcome) => self.trace(Outcome::Done, outcome.clone()),
            Finish::Retry(_, error) => self.trace(Outcome::Retry, error.clone()),
            Finish::Dead(error) => self.trace(Outcome::Dead, error.clone()),
        };
        loop {
            let now = self.shared.clock.now();
            match jobs::finish_with(&self.shared.db, &self.lease, end, now, Some(&trace)).await {
                Ok(written) => {
                    self.shared.outage.over();
                    return written;
                }
                Err(error) => tokio::time::sleep(self.shared.outage.wait(&error)).await,
            }
        }
    }

    /// What this attempt did, which is over.
    fn trace(&self, outcome: Outcome, said: String) -> NewTrace {
        let (calls, more_calls) = self.calls.take();
        let ended_at = self.shared.clock.now();
        NewTrace {
            attempt: self.lease.attempt,
            started_at: self.started_at,
            ended_at,
            outcome,
            said,
            calls,
            more_calls,
        }
    }

    /// Prolongs the lease at each third of it. Returns when it is lost.
    async fn lose_lease(&self) {
        let mut renewed = Instant::now();
        let mut wait = self.shared.lease / 3;
        loop {
            tokio::time::sleep(wait).await;
            let (renewing, now) = (Instant::now(), self.shared.clock.now());
            match jobs::heartbeat(&self.shared.db, &self.lease, self.shared.lease, now).await {
                Ok(true) => {
                    self.shared.outage.over();
                    *self.held_until() = now + self.shared.lease;
                    renewed = renewing;
                    wait = self.shared.lease / 3;
                }
                Ok(false) => return,
                // Another process may have taken over: this one cannot know.
                Err(_) if renewed.elapsed() >= self.shared.lease => return,
                Err(error) => wait = self.shared.outage.wait(&error).min(self.shared.lease / 10),
            }
        }
    }

    fn tell(&self, what: &'static str, text: String) {
        let took_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (id, kind, key, attempt) = (self.row.id, self.row.kind.clone(), self.row.key.clone(), self.lease.attempt);
        (self.shared.observer)(JobEvent { id, kind, key, what, attempt, took_ms, text });
    }
}

/// Turns a panic and a timeout into a failure.
async fn guarded<T>(work: impl Future<Output = T>, timeout: Duration) -> Result<T, Failure> {
    match tokio::time::timeout(timeout, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(panic)) => {
            let message = panic.downcast_ref::<String>().map(String::as_str);
            let message = message.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message");
            Err(Failure::transient(format!("the job panicked: {message}")))
        }
        Err(_) => Err(Failure::transient(format!("the job took longer than {}", text::duration(timeout)))),
    }
}
