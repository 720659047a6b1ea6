//! What GitHub could not deliver while nobody was here is fetched from its log and taken as if it
//! had been delivered. GitHub itself never tries again:
//! <https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries>
//!
//! Taken is an event (a GUID) of which no attempt was answered well and which the store does not
//! have. What was delivered elsewhere, or refused here after its signature was checked, is left.

use std::collections::HashSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use self::run::Run;
use super::shared::Shared;
use crate::github::Client;
use crate::store::marks::{self, Mark, Taken};
use crate::util::id;
use crate::util::retry::Backoff;
use crate::{github, store};

mod run;

/// Between two looks at the clocks while waiting.
const SLICE: Duration = Duration::from_secs(15);
/// The machine slept when its clock gained this much on the time that passed for us.
const ASLEEP: TimeDelta = TimeDelta::minutes(1);
/// Waits after a failure, up to the usual time between two runs.
const FIRST_RETRY: Duration = Duration::from_secs(2);

/// How to reconcile.
#[derive(Clone)]
pub struct Reconcile {
    /// Speaks as the App.
    pub github: Client,
    /// The App's id.
    pub app: u64,
    /// Time between two runs.
    pub every: Duration,
    /// Told after every run that found something to take, or that followed a sleep.
    pub tell: Arc<dyn Fn(Reconciled) + Send + Sync>,
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reconciled {
    /// Events that GitHub could not deliver and that we did not have.
    pub missed: u64,
    /// Of those, stored with the work that they want.
    pub processed: u64,
    /// Jobs that were queued for them.
    pub jobs: u64,
    /// Of those, nothing that the endpoint accepts.
    pub refused: u64,
    /// Of those, no longer shown by GitHub.
    pub gone: u64,
    /// Of those, left for the next run.
    pub left: u64,
    /// How long the machine slept before, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asleep_s: Option<u64>,
    /// How long the run took, in milliseconds.
    pub ms: u64,
}

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Github(#[from] github::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("another process took over")]
    Lost,
}

/// How a run ended.
enum Ended {
    Done(Reconciled),
    /// Another process does it, until then.
    Held(DateTime<Utc>),
    /// Another process has just done it.
    Fresh,
}

/// Reconciles now and then until `stop`. Never fails: trouble is told once and tried again.
pub async fn run(shared: Arc<Shared>, how: Reconcile, stop: CancellationToken) {
    let name = format!("reconcile:{}", how.app);
    let task = Task { name, owner: id::guid(), shared, how, refused: HashSet::new() };
    let lease = (task.name.clone(), task.owner.clone(), task.shared.api.db.clone());
    if stop.run_until_cancelled(task.forever()).await.is_none() {
        // Whoever comes next need not wait for it to run out.
        let (name, owner, db) = lease;
        let _ = marks::finish(&db, &name, &owner, None).await;
    }
}

struct Task {
    shared: Arc<Shared>,
    how: Reconcile,
    /// Its row among the marks.
    name: String,
    /// This process in that row.
    owner: String,
    /// GUIDs of what was looked at and is no delivery: told once.
    refused: HashSet<String>,
}

impl Task {
    async fn forever(mut self) {
        let retry = Backoff { base: FIRST_RETRY, factor: 2, cap: self.how.every.max(FIRST_RETRY), jitter: 0.2 };
        let (mut failures, mut first, mut slept) = (0_u32, true, None::<Duration>);
        loop {
            let wait = match self.once(first || slept.is_some()).await {
                Ok(Ended::Done(mut report)) => {
                    report.asleep_s = slept.take().map(|slept| slept.as_secs());
                    if failures > 0 {
                        tracing::info!(failures, "GitHub's log of deliveries can be read again");
                    }
                    (failures, first) = (0, false);
                    self.told(&report);
                    if report.left > 0 { Duration::ZERO } else { self.how.every }
                }
                Ok(Ended::Fresh) => self.how.every,
                Ok(Ended::Held(until)) => {
                    let left = (until - self.shared.api.clock.now()).to_std().unwrap_or_default();
                    tracing::debug!(?left, "another process reconciles");
                    (left + Duration::from_millis(100)).min(self.how.every)
                }
                Err(trouble) => {
                    failures = failures.saturating_add(1);
                    self.shared.metrics.reconciled(None);
                    let asked = match &trouble {
                        Trouble::Github(error) => error.retry_after(),
                        Trouble::Store(_) | Trouble::Lost => None,
                    };
                    if failures == 1 {
                        tracing::warn!(error = %trouble, "cannot fetch what GitHub could not deliver, trying again");
                    } else {
                        tracing::debug!(error = %trouble, failures, "cannot fetch what GitHub could not deliver");
                    }
                    retry.delay(failures, asked, fastrand::f64())
                }
            };
            if let Some(sleep) = self.pause(wait).await {
                tracing::info!(asleep_s = sleep.as_secs(), "the machine was asleep");
                slept = Some(slept.unwrap_or_default() + sleep);
            }
        }
    }

    fn told(&self, report: &Reconciled) {
        self.shared.metrics.reconciled(Some(report));
        let Reconciled { missed, processed, jobs, refused, gone, left, ms, .. } = *report;
        if missed == 0 && report.asleep_s.is_none() {
            tracing::debug!(ms, "nothing to reconcile");
            return;
        }
        tracing::info!(missed, processed, jobs, refused, gone, left, ms, "reconciled");
        self.shared.events.tell("reconciled", || report);
        (self.how.tell)(report.clone());
    }

    /// Waits; ends early after a sleep of the machine, with how long that was.
    async fn pause(&self, wait: Duration) -> Option<Duration> {
        let clock = &self.shared.api.clock;
        let end = Instant::now() + wait;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let (wall, passed) = (clock.now(), Instant::now());
            sleep(left.min(SLICE)).await;
            // The time that passes for a process stands still while the machine sleeps.
            let passed = TimeDelta::from_std(passed.elapsed()).unwrap_or_default();
            let gained = clock.now() - wall - passed;
            if gained > ASLEEP {
                return gained.to_std().ok();
            }
        }
    }

    /// One run, under the lease. `due` says that it is wanted even if another process has just
    /// done it.
    async fn once(&mut self, due: bool) -> Result<Ended, Trouble> {
        let shared = Arc::clone(&self.shared);
        let (db, clock, lease) = (&shared.api.db, &shared.api.clock, shared.limits.lease);
        let began = Instant::now();
        let mark = match marks::take(db, &self.name, &self.owner, lease, clock.now()).await? {
            Taken::Ours(mark) => mark,
            Taken::Held(until) => return Ok(Ended::Held(until)),
        };
        let half = TimeDelta::from_std(self.how.every / 2).unwrap_or_default();
        if !due && mark.done_at.is_some_and(|done| clock.now() - done < half) {
            marks::finish(db, &self.name, &self.owner, None).await?;
            return Ok(Ended::Fresh);
        }
        let mut run = Run::new(&shared, &self.how.github, &mut self.refused);
        let worked = {
            let mut work = pin!(run.work(mark.settled));
            let mut beat = interval(lease / 3);
            beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    worked = &mut work => break worked,
                    _ = beat.tick() => {
                        if !marks::keep(db, &self.name, &self.owner, lease, clock.now()).await? {
                            return Err(Trouble::Lost);
                        }
                    }
                }
            }
        };
        // What was taken before a failure is settled all the same.
        let done_at = worked.is_ok().then(|| clock.now());
        let mark = Mark { settled: run.settled, done_at };
        let finished = marks::finish(db, &self.name, &self.owner, Some(mark)).await;
        let mut report = run.report;
        report.ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        if worked.is_err() && report.processed > 0 {
            self.told(&report);
        }
        worked?;
        finished?;
        Ok(Ended::Done(report))
    }
}
