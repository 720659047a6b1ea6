//! What a job is.

use std::future::Future;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::store::jobs::{JobRow, Lease, NewJob};
use crate::store::{self, Db};
use crate::util::retry::Backoff;

/// A kind of work. The value is its input, stored as JSON; the code may run several times for
/// one value (after a crash, a lost lease, a retry), so every step must be idempotent.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Stable name in the database: `app.verb`.
    const KIND: &'static str;
    /// After this many failed attempts the job is dead.
    const MAX_ATTEMPTS: u32 = 10;
    /// One attempt may not take longer.
    const TIMEOUT: Duration = Duration::from_secs(300);
    /// When to try again.
    const BACKOFF: Backoff =
        Backoff { base: Duration::from_secs(2), factor: 3, cap: Duration::from_secs(3600), jitter: 0.2 };
    /// What the code needs to do its work: clients, settings.
    type Cx: Send + Sync + 'static;

    /// Does the work.
    fn run(&self, cx: &Self::Cx, task: &mut Task) -> impl Future<Output = Result<Done, Failure>> + Send;

    /// Last words, called once when the job is about to become dead: leave nothing hanging.
    fn give_up(&self, cx: &Self::Cx, task: &mut Task, failure: &Failure) -> impl Future<Output = ()> + Send {
        let _ = (cx, task, failure);
        async {}
    }

    /// This job as a row to queue. `token` makes it unique (see [`NewJob::token`]).
    ///
    /// # Errors
    /// When the value has no JSON form.
    fn queued(&self, key: Option<String>, token: String) -> Result<NewJob, serde_json::Error> {
        Ok(NewJob {
            kind: Self::KIND.to_owned(),
            payload: serde_json::to_value(self)?,
            key,
            token,
            run_at: None,
            max_attempts: Self::MAX_ATTEMPTS,
        })
    }
}

/// How a job ended well: one line for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done(pub String);

/// How an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What failed and why, one line, without secrets.
    pub reason: String,
    /// Whether and when it is worth another attempt.
    pub retry: Retry,
}

/// Whether a failed attempt is worth another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// By the job's schedule.
    Backoff,
    /// Not before this long (`Retry-After`).
    After(Duration),
    /// Never: trying again cannot help.
    Never,
}

impl Failure {
    /// A failure that may pass.
    pub fn transient(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), retry: Retry::Backoff }
    }

    /// A failure that will not pass by itself.
    pub fn permanent(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), retry: Retry::Never }
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Self::transient(error.to_string())
    }
}

/// The attempt that a job is run for.
#[derive(Debug)]
pub struct Task {
    /// Row id.
    pub id: i64,
    /// The job's unique token: use it to recognise what an earlier attempt created.
    pub token: String,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// Whether an attempt was begun before this one, also one from before the job was put back with
    /// fresh attempts: then something may exist that was created and never saved. Look first.
    pub begun_before: bool,
    /// After this attempt there is none.
    pub max_attempts: u32,
    /// Row id of the delivery that caused it.
    pub delivery_id: Option<i64>,
    /// What earlier attempts saved; `{}` at first.
    progress: Value,
    lease: Lease,
    db: Db,
}

impl Task {
    /// The attempt that `lease` gives the right to.
    pub(super) fn new(db: Db, lease: Lease, row: &JobRow, progress: Value) -> Self {
        Self {
            id: row.id,
            token: row.token.clone(),
            attempt: lease.attempt,
            begun_before: lease.attempt > 1 || row.last_error.is_some(),
            max_attempts: row.max_attempts,
            delivery_id: row.delivery_id,
            progress,
            lease,
            db,
        }
    }

    /// What earlier attempts saved under `name`.
    pub fn saved<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        self.progress.get(name).and_then(|value| T::deserialize(value).ok())
    }

    /// Saves `value` under `name` durably, so that an attempt after a crash finds it.
    ///
    /// # Errors
    /// When the database refuses, or the lease was lost: another worker has this job now, stop.
    pub async fn save<T: Serialize + Sync>(&mut self, name: &str, value: &T) -> Result<(), Failure> {
        let value = serde_json::to_value(value).map_err(|e| Failure::permanent(e.to_string()))?;
        if !self.progress.is_object() {
            self.progress = Value::Object(serde_json::Map::new());
        }
        if let Some(map) = self.progress.as_object_mut() {
            map.insert(name.to_owned(), value);
        }
        if store::jobs::save_progress(&self.db, &self.lease, &self.progress).await? {
            Ok(())
        } else {
            Err(Failure::transient("the lease was lost to another worker"))
        }
    }
}
