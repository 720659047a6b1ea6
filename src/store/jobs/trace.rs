//! The `job_trace` table: what the attempts of jobs did.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::types::Json;

use crate::store::db::{Db, on};
use crate::store::error::Error;
use crate::util::calls::ApiCall;

/// Attempts that are kept of one job, the newest.
pub const KEPT: i64 = 50;

pub(super) const INSERT: &str = "INSERT INTO job_trace (job_id, attempt, started_at, ended_at, outcome, said, calls, more_calls) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
pub(super) const TRIM: &str = "DELETE FROM job_trace WHERE job_id = $1 AND id <= \
     (SELECT id FROM job_trace WHERE job_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)";

/// A row as the databases give it.
type Row = (i32, DateTime<Utc>, DateTime<Utc>, String, String, Json<Vec<ApiCall>>, i32);

/// How an attempt ended, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Well.
    Done,
    /// It failed and is tried again.
    Retry,
    /// It failed for good.
    Dead,
    /// Another worker took over.
    Lost,
}

/// What an attempt did, to be written down.
#[derive(Clone, Debug)]
pub struct NewTrace {
    /// Which attempt.
    pub attempt: u32,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
    /// How it ended.
    pub outcome: Outcome,
    /// What the job said at the end: its outcome or its error.
    pub said: String,
    /// The calls of GitHub's API, oldest first.
    pub calls: Vec<ApiCall>,
    /// How many more there were.
    pub more_calls: u32,
}

/// What an attempt did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AttemptTrace {
    /// Which attempt; counts from 1 again after the job was put back.
    pub attempt: u32,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
    /// `done`, `retry`, `dead`, or `lost` when another worker took over.
    pub outcome: String,
    /// What the job said at the end: its outcome or its error.
    pub said: String,
    /// The calls of GitHub's API, oldest first: `at`, `method`, `path`, `status`, `ms`, `attempt`,
    /// and where there is one `request_id`, `url` (of what it made) and `error`.
    #[schema(value_type = Vec<serde_json::Value>)]
    pub calls: Vec<ApiCall>,
    /// How many more calls there were than are kept.
    pub more_calls: u32,
}

impl Outcome {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Retry => "retry",
            Self::Dead => "dead",
            Self::Lost => "lost",
        }
    }
}

/// Writes a trace in a transaction, and drops those of long ago.
macro_rules! insert {
    ($tx:expr, $job:expr, $trace:expr) => {{
        use $crate::store::jobs::trace::{INSERT, KEPT, TRIM};
        use $crate::store::nul;
        let calls = serde_json::to_value(&$trace.calls).unwrap_or_default();
        let count = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        sqlx::query(INSERT)
            .bind($job)
            .bind(count($trace.attempt))
            .bind($trace.started_at)
            .bind($trace.ended_at)
            .bind($trace.outcome.as_str())
            .bind(nul::text(&$trace.said))
            .bind(sqlx::types::Json(nul::json(&calls)))
            .bind(count($trace.more_calls))
            .execute(&mut *$tx)
            .await?;
        sqlx::query(TRIM).bind($job).bind(KEPT).execute(&mut *$tx).await?;
    }};
}
pub(super) use insert;

/// Writes down what an attempt did whose end is not its own to write.
///
/// # Errors
/// When the database refuses, or there is no such job (any more).
pub async fn record(db: &Db, job: i64, trace: &NewTrace) -> Result<(), Error> {
    on!(w db, |pool| {
        let mut tx = pool.begin_with(db.begin_writing()).await?;
        insert!(tx, job, trace);
        tx.commit().await?;
    });
    Ok(())
}

/// What the attempts of a job did, oldest first, up to [`KEPT`]. Those that a kill of the process
/// ended are not among them.
///
/// # Errors
/// When the database refuses.
pub async fn of_job(db: &Db, job: i64) -> Result<Vec<AttemptTrace>, Error> {
    let sql = "SELECT attempt, started_at, ended_at, outcome, said, calls, more_calls FROM job_trace \
         WHERE job_id = $1 ORDER BY id";
    let rows: Vec<Row> = on!(r db, |pool| sqlx::query_as(sql).bind(job).fetch_all(pool).await)?;
    let count = |number: i32| u32::try_from(number).unwrap_or(0);
    let read = |(attempt, started_at, ended_at, outcome, said, calls, more): Row| AttemptTrace {
        attempt: count(attempt),
        started_at,
        ended_at,
        outcome,
        said,
        calls: calls.0,
        more_calls: count(more),
    };
    Ok(rows.into_iter().map(read).collect())
}
