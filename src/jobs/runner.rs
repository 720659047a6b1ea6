//! The workers: lease, run, drain. One attempt of one job is [`super::attempt`].

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::attempt::{Attempt, Shared};
use super::outage::Outage;
use super::registry::Registry;
use crate::store::jobs::{self, JobRow, Lease};
use crate::store::{self, Db};
use crate::util::Clock;
use crate::util::id;

/// Tells the runner that there may be work. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<tokio::sync::Notify>);

impl Wake {
    /// There may be work.
    pub fn wake(&self) {
        self.0.notify_one();
    }
}

/// How a job's attempt went, for metrics, logs and `/events`.
#[derive(Clone, Debug, serde::Serialize)]
pub struct JobEvent {
    /// Row id.
    pub id: i64,
    /// Its kind.
    pub kind: String,
    /// Its key.
    pub key: Option<String>,
    /// `started`, `done`, `retry`, `dead`, or `lost` when another worker has taken over.
    pub what: &'static str,
    /// Which attempt.
    pub attempt: u32,
    /// How long the attempt took.
    pub took_ms: u64,
    /// The outcome line or the error.
    pub text: String,
}

/// Runs jobs until told to stop.
pub struct Runner {
    /// Where the jobs are.
    pub db: Db,
    /// What can be run.
    pub registry: Registry,
    /// Jobs at a time.
    pub workers: usize,
    /// How long a lease lasts; renewed at a third of it.
    pub lease: Duration,
    /// No schedule makes a job wait longer for its next attempt; what GitHub asks for counts all the same.
    pub retry_within: Duration,
    /// How often to look without being woken (jobs due later, other processes).
    pub poll: Duration,
    /// The clock.
    pub clock: Clock,
    /// Wakes the runner.
    pub wake: Wake,
    /// Told of every attempt.
    pub observer: Arc<dyn Fn(JobEvent) + Send + Sync>,
}

impl Runner {
    /// Runs until `shutdown`, then makes no further claim and waits up to `drain` for running jobs;
    /// what is still running then goes back to the queue when its lease ends.
    pub async fn run(self, shutdown: CancellationToken, drain: Duration) {
        let wake = self.wake.clone();
        let (workers, poll) = (self.workers, self.poll);
        let shared = Arc::new(Shared {
            outage: Outage::default(),
            db: self.db,
            registry: self.registry,
            lease: self.lease,
            retry_within: self.retry_within,
            clock: self.clock,
            observer: self.observer,
        });
        let mut claims = Claims::new();
        let mut running = JoinSet::new();
        let listening = listen(&shared, &wake);
        let working = async {
            while !shutdown.is_cancelled() {
                let free = workers.saturating_sub(running.len());
                let wait = if free == 0 {
                    None
                } else {
                    match claims.claim(&shared, free).await {
                        Ok(claimed) => {
                            shared.outage.over();
                            let found = claimed.len();
                            for (lease, row) in claimed {
                                running.spawn(Attempt::new(shared.clone(), lease, row).run());
                            }
                            if found == free { None } else { Some(claims.until_due(&shared, poll).await) }
                        }
                        Err(error) => Some(shared.outage.wait(&error)),
                    }
                };
                tokio::select! {
                    () = shutdown.cancelled() => {}
                    () = wake.0.notified(), if wait.is_some() => {}
                    Some(_) = running.join_next(), if !running.is_empty() => {
                        // Whatever else ended meanwhile is one look at the queue as well.
                        while running.try_join_next().is_some() {}
                    }
                    () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {}
                }
            }
        };
        tokio::select! {
            () = working => {}
            () = listening => {}
        }
        let drained = tokio::time::timeout(drain, async { while running.join_next().await.is_some() {} }).await;
        if drained.is_err() {
            tracing::warn!(
                jobs = running.len(),
                "stopped before these jobs were done; they run again when their lease ends"
            );
            running.shutdown().await;
        }
    }
}

/// Makes claims under an owner name that is never used twice.
struct Claims {
    process: String,
    count: u64,
}

impl Claims {
    fn new() -> Self {
        Self { process: id::guid(), count: 0 }
    }

    async fn claim(&mut self, shared: &Shared, free: usize) -> Result<Vec<(Lease, JobRow)>, store::Error> {
        self.count += 1;
        let owner = format!("{}/{}", self.process, self.count);
        let limit = u32::try_from(free).unwrap_or(u32::MAX);
        jobs::claim(&shared.db, &owner, shared.registry.kinds(), limit, shared.lease, shared.clock.now()).await
    }

    /// How long nothing can become claimable by itself, `poll` at most.
    async fn until_due(&self, shared: &Shared, poll: Duration) -> Duration {
        let now = shared.clock.now();
        match jobs::next_due(&shared.db, shared.registry.kinds(), now).await {
            Ok(Some(at)) => (at - now).to_std().unwrap_or_default().clamp(Duration::from_millis(1), poll),
            _ => poll,
        }
    }
}

/// Passes on what other processes announce. Never ends.
async fn listen(shared: &Shared, wake: &Wake) {
    let outage = Outage::default();
    loop {
        let queued = || {
            outage.over();
            wake.wake();
        };
        if let Err(error) = jobs::listen(&shared.db, queued).await {
            tokio::time::sleep(outage.wait(&error)).await;
        }
    }
}
