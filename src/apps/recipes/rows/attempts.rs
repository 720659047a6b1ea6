//! Table `recipe_run_attempts`: each time that a run was asked for, and what became of it.
//!
//! A run has at most one open attempt. The row of the run itself shows the newest one: `begin` and
//! `end` write both in one transaction.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::words::{Conclusion, RunStatus};
use crate::store::db::on;
use crate::store::{Db, Error};

/// One attempt at a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({
    "recipe_run_id": 1, "number": 1, "requested_by": "octocat", "comment_id": 1234567890,
    "requested_at": "2022-09-19T16:31:40Z", "started_at": "2022-09-19T16:31:43Z", "ended_at": "2022-09-19T16:42:10Z",
    "cancel_requested_at": null, "conclusion": "success", "job_name": "a-3-1", "job_id": null, "reason": null,
    "trace": null
}))]
pub struct Attempt {
    /// The run.
    pub recipe_run_id: i64,
    /// 1 for the first.
    pub number: i32,
    /// Who asked for it: a login, or `api`.
    pub requested_by: Option<String>,
    /// The comment that asked for it.
    pub comment_id: Option<i64>,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// When the runner was started.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// When somebody asked to stop it.
    pub cancel_requested_at: Option<DateTime<Utc>>,
    /// How it ended; present exactly when it has.
    pub conclusion: Option<Conclusion>,
    /// Name of the job at the bakery.
    pub job_name: Option<String>,
    /// The bakery's own id of the job.
    pub job_id: Option<String>,
    /// Why it failed, in one line.
    pub reason: Option<String>,
    /// Why it failed, whole.
    pub trace: Option<String>,
}

/// An attempt that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAttempt {
    /// What asks for it; asking twice with the same token is asking once.
    pub token: String,
    /// See [`Attempt::requested_by`].
    pub requested_by: Option<String>,
    /// See [`Attempt::comment_id`].
    pub comment_id: Option<i64>,
}

/// What became of a request; with the attempt's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requested {
    /// A new attempt.
    New(i32),
    /// The attempt that this token asked for before.
    Same(i32),
    /// Another one is not over yet.
    Busy(i32),
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// How.
    pub conclusion: Conclusion,
    /// See [`Attempt::reason`].
    pub reason: Option<String>,
    /// See [`Attempt::trace`].
    pub trace: Option<String>,
    /// Where the dataset of a success can be opened.
    pub dataset_public_url: Option<String>,
}

macro_rules! columns {
    () => {
        "recipe_run_id, number, requested_by, comment_id, requested_at, started_at, ended_at, \
         cancel_requested_at, conclusion, job_name, job_id, reason, trace"
    };
}

type Columns = (
    i64,
    i32,
    Option<String>,
    Option<i64>,
    DateTime<Utc>,
    Option<DateTime<Utc>>,
    Option<DateTime<Utc>>,
    Option<DateTime<Utc>>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

impl Attempt {
    fn read(row: Columns) -> Result<Self, Error> {
        Ok(Self {
            recipe_run_id: row.0,
            number: row.1,
            requested_by: row.2,
            comment_id: row.3,
            requested_at: row.4,
            started_at: row.5,
            ended_at: row.6,
            cancel_requested_at: row.7,
            conclusion: row.8.as_deref().map(Conclusion::read).transpose()?,
            job_name: row.9,
            job_id: row.10,
            reason: row.11,
            trace: row.12,
        })
    }
}

/// Asks for an attempt at a run.
///
/// # Errors
/// [`Error::ForeignKey`] when there is no such run, or when the database refuses.
pub async fn request(db: &Db, run: i64, new: &NewAttempt, now: DateTime<Utc>) -> Result<Requested, Error> {
    let known = "SELECT number FROM recipe_run_attempts WHERE recipe_run_id = $1 AND token = $2";
    let open = "SELECT number FROM recipe_run_attempts WHERE recipe_run_id = $1 AND ended_at IS NULL";
    let insert = "INSERT INTO recipe_run_attempts (recipe_run_id, number, token, requested_by, comment_id, requested_at) \
         SELECT $1, COALESCE(max(number), 0) + 1, $2, $3, $4, $5 FROM recipe_run_attempts WHERE recipe_run_id = $1 \
         RETURNING number";
    on!(w db, |pool| {
        let mut tx = pool.begin_with(db.begin_writing()).await?;
        let same: Option<i32> = sqlx::query_scalar(known).bind(run).bind(&new.token).fetch_optional(&mut *tx).await?;
        if let Some(number) = same {
            return Ok(Requested::Same(number));
        }
        let busy: Option<i32> = sqlx::query_scalar(open).bind(run).fetch_optional(&mut *tx).await?;
        if let Some(number) = busy {
            return Ok(Requested::Busy(number));
        }
        // Two processes at once: the index of open attempts lets one through, the other is tried again.
        let number: i32 = sqlx::query_scalar(insert)
            .bind(run)
            .bind(&new.token)
            .bind(&new.requested_by)
            .bind(new.comment_id)
            .bind(now)
            .fetch_one(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(Requested::New(number))
    })
}

/// The runner is started: the run is in progress from `now` on. `false` when the attempt is over.
///
/// # Errors
/// [`Error::Conflict`] when another attempt has this job name, or when the database refuses.
pub async fn begin(db: &Db, run: i64, number: i32, job_name: Option<&str>, now: DateTime<Utc>) -> Result<bool, Error> {
    let attempt = "UPDATE recipe_run_attempts SET started_at = $3, job_name = $4 \
         WHERE recipe_run_id = $1 AND number = $2 AND ended_at IS NULL";
    let shown = "UPDATE recipe_runs SET status = $2, started_at = $3, completed_at = NULL, conclusion = NULL, \
         dataset_public_url = NULL WHERE id = $1";
    on!(w db, |pool| {
        let mut tx = pool.begin_with(db.begin_writing()).await?;
        let changed =
            sqlx::query(attempt).bind(run).bind(number).bind(now).bind(job_name).execute(&mut *tx).await?.rows_affected();
        if changed > 0 {
            let status = RunStatus::InProgress.as_str();
            sqlx::query(shown).bind(run).bind(status).bind(now).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(changed > 0)
    })
}

/// A remote bakery took the job. `false` when the attempt is over.
///
/// # Errors
/// When the database refuses.
pub async fn submitted(db: &Db, run: i64, number: i32, job_id: &str) -> Result<bool, Error> {
    let sql = "UPDATE recipe_run_attempts SET job_id = $3 \
         WHERE recipe_run_id = $1 AND number = $2 AND ended_at IS NULL";
    let done =
        on!(w db, |pool| sqlx::query(sql).bind(run).bind(number).bind(job_id).execute(pool).await?.rows_affected());
    Ok(done > 0)
}

/// The attempt is over, and so is the run. `false` when it was over before: then nothing changes.
///
/// # Errors
/// When the database refuses.
pub async fn end(db: &Db, run: i64, number: i32, end: &End, now: DateTime<Utc>) -> Result<bool, Error> {
    let attempt = "UPDATE recipe_run_attempts SET ended_at = $3, conclusion = $4, reason = $5, trace = $6 \
         WHERE recipe_run_id = $1 AND number = $2 AND ended_at IS NULL";
    let shown = "UPDATE recipe_runs SET status = $2, completed_at = $3, conclusion = $4, dataset_public_url = $5 \
         WHERE id = $1";
    let conclusion = end.conclusion.as_str();
    on!(w db, |pool| {
        let mut tx = pool.begin_with(db.begin_writing()).await?;
        let changed = sqlx::query(attempt)
            .bind(run)
            .bind(number)
            .bind(now)
            .bind(conclusion)
            .bind(&end.reason)
            .bind(&end.trace)
            .execute(&mut *tx)
            .await?
            .rows_affected();
        if changed > 0 {
            sqlx::query(shown)
                .bind(run)
                .bind(RunStatus::Completed.as_str())
                .bind(now)
                .bind(conclusion)
                .bind(&end.dataset_public_url)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(changed > 0)
    })
}

/// A run is over that nobody attempted here: its bakery was asked by others, or it could not be
/// started. `false` when it was over before, or when there are attempts at it.
///
/// # Errors
/// When the database refuses.
pub async fn end_unattempted(db: &Db, run: i64, end: &End, now: DateTime<Utc>) -> Result<bool, Error> {
    let sql = "UPDATE recipe_runs SET status = $2, completed_at = $3, conclusion = $4, dataset_public_url = $5 \
         WHERE id = $1 AND status <> $2 \
         AND NOT EXISTS (SELECT 1 FROM recipe_run_attempts WHERE recipe_run_id = $1)";
    let done = on!(w db, |pool| {
        sqlx::query(sql)
            .bind(run)
            .bind(RunStatus::Completed.as_str())
            .bind(now)
            .bind(end.conclusion.as_str())
            .bind(&end.dataset_public_url)
            .execute(pool)
            .await?
            .rows_affected()
    });
    Ok(done > 0)
}

/// Asks the open attempt of a run to stop; its number, or `None` when none is open.
///
/// # Errors
/// When the database refuses.
pub async fn cancel(db: &Db, run: i64, now: DateTime<Utc>) -> Result<Option<i32>, Error> {
    let sql = "UPDATE recipe_run_attempts SET cancel_requested_at = COALESCE(cancel_requested_at, $2) \
         WHERE recipe_run_id = $1 AND ended_at IS NULL RETURNING number";
    Ok(on!(w db, |pool| sqlx::query_scalar(sql).bind(run).bind(now).fetch_optional(pool).await)?)
}

/// One attempt.
///
/// # Errors
/// When the database refuses.
pub async fn get(db: &Db, run: i64, number: i32) -> Result<Option<Attempt>, Error> {
    let sql = concat!("SELECT ", columns!(), " FROM recipe_run_attempts WHERE recipe_run_id = $1 AND number = $2");
    let row: Option<Columns> = on!(r db, |pool| sqlx::query_as(sql).bind(run).bind(number).fetch_optional(pool).await)?;
    row.map(Attempt::read).transpose()
}

/// The newest attempt at a run.
///
/// # Errors
/// When the database refuses.
pub async fn newest(db: &Db, run: i64) -> Result<Option<Attempt>, Error> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM recipe_run_attempts WHERE recipe_run_id = $1 ORDER BY number DESC LIMIT 1"
    );
    let row: Option<Columns> = on!(r db, |pool| sqlx::query_as(sql).bind(run).fetch_optional(pool).await)?;
    row.map(Attempt::read).transpose()
}

/// The attempt of a run that is not over.
///
/// # Errors
/// When the database refuses.
pub async fn open(db: &Db, run: i64) -> Result<Option<Attempt>, Error> {
    let sql = concat!("SELECT ", columns!(), " FROM recipe_run_attempts WHERE recipe_run_id = $1 AND ended_at IS NULL");
    let row: Option<Columns> = on!(r db, |pool| sqlx::query_as(sql).bind(run).fetch_optional(pool).await)?;
    row.map(Attempt::read).transpose()
}

/// The attempt whose job at a bakery has this name.
///
/// # Errors
/// When the database refuses.
pub async fn by_job_name(db: &Db, job_name: &str) -> Result<Option<Attempt>, Error> {
    let sql = concat!("SELECT ", columns!(), " FROM recipe_run_attempts WHERE job_name = $1");
    let row: Option<Columns> = on!(r db, |pool| sqlx::query_as(sql).bind(job_name).fetch_optional(pool).await)?;
    row.map(Attempt::read).transpose()
}

/// All attempts at a run, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn list(db: &Db, run: i64) -> Result<Vec<Attempt>, Error> {
    let sql = concat!("SELECT ", columns!(), " FROM recipe_run_attempts WHERE recipe_run_id = $1 ORDER BY number");
    let rows: Vec<Columns> = on!(r db, |pool| sqlx::query_as(sql).bind(run).fetch_all(pool).await)?;
    rows.into_iter().map(Attempt::read).collect()
}
