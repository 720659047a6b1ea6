//! The `jobs` table. What a job *does* is in [`crate::jobs`]; the working on it is in [`lease`].

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, QueryBuilder};

use super::blocks::Blocks;
use super::db::{Db, on};
use super::error::Error;
use super::nul;

mod lease;
pub mod trace;

pub use lease::{Finish, Lease, claim, finish, finish_with, heartbeat, listen, next_due, save_progress};

/// PostgreSQL: tells every process that jobs were queued, when the transaction commits.
pub(super) const JOBS_QUEUED: &str = "SELECT pg_notify('pforge_jobs', '')";

/// The columns of a [`Row`].
const COLUMNS: &str = "id, kind, key, token, state, payload, progress, attempts, max_attempts, run_at, created_at, \
     finished_at, lease_until, last_error, outcome, delivery_id";

/// A job to be queued.
#[derive(Clone, Debug, PartialEq)]
pub struct NewJob {
    /// Names the code that runs it, such as `recipes.synchronize`.
    pub kind: String,
    /// Its input, opaque here.
    pub payload: Value,
    /// Jobs with the same key run in the order of their ids, one at a time: `owner/repo#7`.
    pub key: Option<String>,
    /// Idempotency: a second job with the same token is not queued.
    pub token: String,
    /// Not before; now when absent.
    pub run_at: Option<DateTime<Utc>>,
    /// After this many failed attempts it is dead.
    pub max_attempts: u32,
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Waiting for its time, its key or a worker.
    Ready,
    /// Leased by a worker.
    Running,
    /// Finished.
    Done,
    /// Gave up after its last attempt, or failed for good.
    Dead,
}

/// A job as stored.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": 7, "kind": "recipes.synchronize", "key": "pangeo-forge/staged-recipes#3", "token": "delivery/9/recipes.synchronize",
    "state": "done", "payload": {}, "progress": {}, "attempts": 1, "max_attempts": 10, "run_at": "2022-09-19T16:31:43Z",
    "created_at": "2022-09-19T16:31:43Z", "finished_at": "2022-09-19T16:31:45Z", "lease_until": null, "last_error": null,
    "outcome": "2 recipe runs are queued", "delivery_id": 9
}))]
pub struct JobRow {
    /// Row id; order within a key.
    pub id: i64,
    /// See [`NewJob::kind`].
    pub kind: String,
    /// See [`NewJob::key`].
    pub key: Option<String>,
    /// See [`NewJob::token`].
    pub token: String,
    /// Where it stands.
    pub state: JobState,
    /// Its input.
    pub payload: Value,
    /// What the job saved of its own progress (ids of things it created); `{}` at first.
    pub progress: Value,
    /// Attempts begun so far.
    pub attempts: u32,
    /// See [`NewJob::max_attempts`].
    pub max_attempts: u32,
    /// Not before.
    pub run_at: DateTime<Utc>,
    /// When queued.
    pub created_at: DateTime<Utc>,
    /// When it became done or dead.
    pub finished_at: Option<DateTime<Utc>>,
    /// Until when the present worker holds it.
    pub lease_until: Option<DateTime<Utc>>,
    /// Why the last attempt failed. Of a job that waits it is there exactly when one was begun before.
    pub last_error: Option<String>,
    /// What the finished job says of its result, one line.
    pub outcome: Option<String>,
    /// The delivery that caused it.
    pub delivery_id: Option<i64>,
}

/// A row of `jobs` as the databases give it; see [`COLUMNS`].
type Row = (
    i64,
    String,
    Option<String>,
    String,
    String,
    Json<Value>,
    Json<Value>,
    i32,
    i32,
    DateTime<Utc>,
    DateTime<Utc>,
    Option<DateTime<Utc>>,
    Option<DateTime<Utc>>,
    Option<String>,
    Option<String>,
    Option<i64>,
);

impl JobState {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }

    fn from_text(text: &str) -> Result<Self, Error> {
        [Self::Ready, Self::Running, Self::Done, Self::Dead]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| Error::Other(format!("unknown job state {text:?}")))
    }
}

impl JobRow {
    fn from_row(row: Row) -> Result<Self, Error> {
        let (
            id,
            kind,
            key,
            token,
            state,
            payload,
            progress,
            attempts,
            max_attempts,
            run_at,
            created_at,
            finished_at,
            lease_until,
            last_error,
            outcome,
            delivery_id,
        ) = row;
        Ok(Self {
            id,
            kind,
            key,
            token,
            state: JobState::from_text(&state)?,
            payload: payload.0,
            progress: progress.0,
            attempts: u32::try_from(attempts).unwrap_or(0),
            max_attempts: u32::try_from(max_attempts).unwrap_or(0),
            run_at,
            created_at,
            finished_at,
            lease_until,
            last_error,
            outcome,
            delivery_id,
        })
    }
}

/// Which jobs to list; newest first.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// Only this state.
    pub state: Option<JobState>,
    /// Only this kind.
    pub kind: Option<String>,
    /// Only this key.
    pub key: Option<String>,
    /// Only jobs of this delivery.
    pub delivery_id: Option<i64>,
    /// Only ids below (cursor).
    pub before: Option<i64>,
    /// At most this many.
    pub limit: u32,
}

/// How full the queue is.
#[derive(Clone, Copy, Debug, Default, Serialize, utoipa::ToSchema)]
pub struct QueueDepth {
    /// Jobs waiting.
    pub ready: u64,
    /// Jobs leased.
    pub running: u64,
    /// Jobs that gave up.
    pub dead: u64,
    /// Seconds that the oldest due job has waited.
    pub oldest_due_seconds: f64,
}

/// Queues `jobs` outside of a delivery; those whose token is known already are left out.
/// Returns the ids of the new ones.
///
/// # Errors
/// When the database refuses.
pub async fn enqueue(db: &Db, jobs: &[NewJob], now: DateTime<Utc>) -> Result<Vec<i64>, Error> {
    let insert = "INSERT INTO jobs (kind, key, token, payload, max_attempts, run_at, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (token) DO NOTHING RETURNING id";
    let mut ids = Vec::with_capacity(jobs.len());
    on!(w db, |pool| {
        let mut tx = pool.begin_with(db.begin_writing()).await?;
        for job in jobs {
            let id: Option<i64> = sqlx::query_scalar(insert)
                .bind(nul::text(&job.kind))
                .bind(job.key.as_deref().map(nul::text))
                .bind(nul::text(&job.token))
                .bind(Json(nul::json(&job.payload)))
                .bind(i32::try_from(job.max_attempts).unwrap_or(i32::MAX))
                .bind(job.run_at.unwrap_or(now))
                .bind(now)
                .fetch_optional(&mut *tx)
                .await?;
            ids.extend(id);
        }
        if !ids.is_empty() && matches!(db, Db::Pg(_)) {
            sqlx::query(JOBS_QUEUED).execute(&mut *tx).await?;
        }
        tx.commit().await?;
    });
    Ok(ids)
}

/// One job.
///
/// # Errors
/// When the database refuses.
pub async fn get(db: &Db, id: i64) -> Result<Option<JobRow>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM jobs WHERE id = $1");
    let row: Option<Row> = on!(r db, |pool| sqlx::query_as(AssertSqlSafe(sql)).bind(id).fetch_optional(pool).await)?;
    row.map(JobRow::from_row).transpose()
}

/// The job with this token.
///
/// # Errors
/// When the database refuses.
pub async fn by_token(db: &Db, token: &str) -> Result<Option<JobRow>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM jobs WHERE token = $1");
    let row: Option<Row> =
        on!(r db, |pool| sqlx::query_as(AssertSqlSafe(sql)).bind(nul::text(token)).fetch_optional(pool).await)?;
    row.map(JobRow::from_row).transpose()
}

/// Jobs, newest first.
///
/// # Errors
/// When the database refuses.
pub async fn list(db: &Db, filter: &JobFilter) -> Result<Vec<JobRow>, Error> {
    let blocks = Blocks::new(db, "job", &[("key", &filter.key), ("kind", &filter.kind)], 0, filter.before);
    let rows: Vec<Row> = on!(r db, |pool| {
        let mut sql = QueryBuilder::new(format!("SELECT {COLUMNS} FROM "));
        blocks.push_from(&mut sql, "jobs", "NOT INDEXED");
        if let Some(state) = filter.state {
            // As text, not as a parameter: only then do the partial indexes apply.
            sql.push(format!(" AND state = '{}'", state.as_str()));
        }
        if let Some(kind) = &filter.kind {
            sql.push(" AND kind = ").push_bind(nul::text(kind));
        }
        if let Some(key) = &filter.key {
            sql.push(" AND key = ").push_bind(nul::text(key));
        }
        if let Some(delivery) = filter.delivery_id {
            sql.push(" AND delivery_id = ").push_bind(delivery);
        }
        if let Some(before) = filter.before {
            sql.push(" AND id < ").push_bind(before);
        }
        blocks.push_order(&mut sql);
        sql.push(" LIMIT ").push_bind(i64::from(filter.limit));
        sql.build_query_as().fetch_all(pool).await
    })?;
    rows.into_iter().map(JobRow::from_row).collect()
}

/// Puts a dead (or, with `force`, a done) job back in the queue with fresh attempts.
/// `None` when there is no such job; the row as it is afterwards otherwise.
///
/// # Errors
/// When the database refuses.
pub async fn retry(db: &Db, id: i64, force: bool, now: DateTime<Utc>) -> Result<Option<JobRow>, Error> {
    let from = if force { "('dead', 'done')" } else { "('dead')" };
    // Attempts count from 1 again, but that there were some must not be forgotten.
    let sql = format!(
        "UPDATE jobs SET state = 'ready', attempts = 0, run_at = $2, finished_at = NULL, outcome = NULL, \
         last_error = coalesce(last_error, 'put back after it was done') WHERE id = $1 AND state IN {from}"
    );
    let read = format!("SELECT {COLUMNS} FROM jobs WHERE id = $1");
    // Read before the commit: afterwards a worker may have it already.
    let (changed, row): (u64, Option<Row>) = on!(w db, |pool| {
        let mut tx = pool.begin_with(db.begin_writing()).await?;
        let changed = sqlx::query(AssertSqlSafe(sql)).bind(id).bind(now).execute(&mut *tx).await?.rows_affected();
        let row = sqlx::query_as(AssertSqlSafe(read)).bind(id).fetch_optional(&mut *tx).await?;
        if changed > 0 && matches!(db, Db::Pg(_)) {
            sqlx::query(JOBS_QUEUED).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        (changed, row)
    });
    tracing::debug!(id, changed, "job put back");
    row.map(JobRow::from_row).transpose()
}

/// Deletes a job that is not running. `None` when there is no such job, `Some(false)` when it is
/// running and was left alone.
///
/// # Errors
/// When the database refuses.
pub async fn drop_job(db: &Db, id: i64) -> Result<Option<bool>, Error> {
    let sql = "DELETE FROM jobs WHERE id = $1 AND state <> 'running'";
    let deleted = on!(w db, |pool| sqlx::query(sql).bind(id).execute(pool).await?.rows_affected());
    if deleted > 0 { Ok(Some(true)) } else { Ok(get(db, id).await?.map(|_| false)) }
}

/// How full the queue is.
///
/// # Errors
/// When the database refuses.
pub async fn depth(db: &Db, now: DateTime<Utc>) -> Result<QueueDepth, Error> {
    let sql = "SELECT (SELECT count(*) FROM jobs WHERE state = 'ready'), \
         (SELECT count(*) FROM jobs WHERE state = 'running'), \
         (SELECT count(*) FROM jobs WHERE state = 'dead'), \
         (SELECT min(run_at) FROM jobs WHERE state = 'ready' AND run_at <= $1)";
    let (ready, running, dead, oldest): (i64, i64, i64, Option<DateTime<Utc>>) =
        on!(r db, |pool| sqlx::query_as(sql).bind(now).fetch_one(pool).await)?;
    Ok(QueueDepth {
        ready: ready.unsigned_abs(),
        running: running.unsigned_abs(),
        dead: dead.unsigned_abs(),
        oldest_due_seconds: oldest.and_then(|at| (now - at).to_std().ok()).unwrap_or_default().as_secs_f64(),
    })
}
