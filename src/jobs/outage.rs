//! The database goes and comes back: say each once, wait longer and longer in between.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::store;
use crate::util::retry::Backoff;

const SCHEDULE: Backoff =
    Backoff { base: Duration::from_millis(100), factor: 2, cap: Duration::from_secs(5), jitter: 0.2 };

/// How often in a row the database has refused.
#[derive(Debug, Default)]
pub(super) struct Outage(AtomicU32);

impl Outage {
    /// It refused. How long to wait before the next attempt.
    pub(super) fn wait(&self, error: &store::Error) -> Duration {
        let failures = self.0.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if failures == 1 {
            tracing::warn!(%error, "the job queue cannot be used, trying again");
        }
        SCHEDULE.delay(failures, None, fastrand::f64())
    }

    /// It answered.
    pub(super) fn over(&self) {
        if self.0.load(Ordering::Relaxed) > 0 {
            let failures = self.0.swap(0, Ordering::Relaxed);
            tracing::info!(failures, "the job queue can be used again");
        }
    }
}
