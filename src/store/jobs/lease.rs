//! Working on jobs: lease, keep, finish.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgListener;
use sqlx::types::Json;

use super::trace::{self, NewTrace};
use super::{COLUMNS, JobRow, Row};
use crate::store::db::{Db, on};
use crate::store::error::Error;
use crate::store::nul;

/// The channel of [`super::JOBS_QUEUED`].
const CHANNEL: &str = "pforge_jobs";

/// What a claim may take: due, and no earlier job of its key unfinished, and none of it running.
const CLAIMABLE: &str = "j.state = 'ready' AND j.run_at <= $1 AND (j.key IS NULL OR NOT EXISTS (\
     SELECT 1 FROM jobs p WHERE p.key = j.key AND p.state IN ('ready', 'running') AND (p.id < j.id OR p.state = 'running')))";

/// How often a claim is tried that collides; then there is nothing for it this time.
const CLAIM_TRIES: usize = 3;

/// Right to work on a job: finishing needs it, and fails when another worker has taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: i64,
    /// Who holds it.
    pub owner: String,
    /// Which attempt it is for; fences off a worker that came back too late.
    pub attempt: u32,
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub enum Finish {
    /// Done, with one line for people.
    Done(String),
    /// Failed; try again at this time.
    Retry(DateTime<Utc>, String),
    /// Failed for good.
    Dead(String),
}

/// Whether the lease still holds the job: fencing by owner and attempt.
const HELD: &str = "id = $1 AND lease_owner = $2 AND attempts = $3 AND state = 'running'";

/// Changes a running job if the lease still holds it. Whether it did.
macro_rules! held {
    ($db:expr, $lease:expr, $set:literal, $($value:expr),+) => {{
        let sql = format!("UPDATE jobs SET {} WHERE {HELD}", $set);
        let changed = on!(w $db, |pool| {
            sqlx::query(AssertSqlSafe(sql))
                .bind($lease.job)
                .bind(&$lease.owner)
                .bind(i32::try_from($lease.attempt).unwrap_or(i32::MAX))
                $(.bind($value))+
                .execute(pool)
                .await?
                .rows_affected()
        });
        Ok(changed == 1)
    }};
}

/// Leases up to `limit` due jobs of the given kinds, oldest first, at most one per key and never
/// one whose key has an earlier unfinished job. Also takes over jobs whose lease ran out; that
/// counts as a failed attempt.
///
/// A job whose lease ran out in its last attempt is leased once more, with an attempt above its
/// `max_attempts`: for last words, not for work. If that lease runs out too, it is dead.
///
/// `owner` must differ from claim to claim, for attempts count from 1 again after a [`super::retry`].
///
/// # Errors
/// When the database refuses.
pub async fn claim(
    db: &Db,
    owner: &str,
    kinds: &[&str],
    limit: u32,
    lease: Duration,
    now: DateTime<Utc>,
) -> Result<Vec<(Lease, JobRow)>, Error> {
    let until = now + lease;
    let (due, expired) = look(db, kinds, now).await?;
    if expired {
        take_over(db, now).await?;
    }
    if !due && !expired {
        return Ok(Vec::new());
    }
    let mut rows = Vec::new();
    for _ in 0..CLAIM_TRIES {
        match lease_due(db, owner, kinds, limit, until, now).await {
            // Another process leased a job of the same key in the same instant.
            Err(Error::Conflict(_)) => {}
            result => {
                rows = result?;
                break;
            }
        }
    }
    let mut claimed = Vec::with_capacity(rows.len());
    for row in rows {
        let row = JobRow::from_row(row)?;
        claimed.push((Lease { job: row.id, owner: owner.to_owned(), attempt: row.attempts }, row));
    }
    claimed.sort_by_key(|(_, row)| (row.run_at, row.id));
    Ok(claimed)
}

/// `kinds` as one value, and the test of a column against it.
fn one_of(db: &Db, place: &str) -> String {
    match db {
        Db::Lite { .. } => format!("IN (SELECT value FROM json_each({place}))"),
        Db::Pg(_) => format!("IN (SELECT jsonb_array_elements_text({place}))"),
    }
}

/// Whether anything is due, and whether any lease ran out: a look that writes nothing.
async fn look(db: &Db, kinds: &[&str], now: DateTime<Utc>) -> Result<(bool, bool), Error> {
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM jobs WHERE state = 'ready' AND run_at <= $1 AND kind {}), \
         EXISTS (SELECT 1 FROM jobs WHERE state = 'running' AND lease_until <= $1)",
        one_of(db, "$2")
    );
    Ok(on!(r db, |pool| sqlx::query_as(AssertSqlSafe(sql)).bind(now).bind(Json(kinds)).fetch_one(pool).await)?)
}

async fn take_over(db: &Db, now: DateTime<Utc>) -> Result<(), Error> {
    let bury = "UPDATE jobs SET state = 'dead', attempts = max_attempts, finished_at = $1, lease_owner = NULL, \
         lease_until = NULL, last_error = 'the worker died or hung in every attempt' \
         WHERE state = 'running' AND lease_until <= $1 AND attempts > max_attempts";
    let release = "UPDATE jobs SET state = 'ready', lease_owner = NULL, lease_until = NULL, \
         last_error = 'the lease ran out: the worker died or hung' \
         WHERE state = 'running' AND lease_until <= $1";
    on!(w db, |pool| {
        let mut tx = pool.begin_with(db.begin_writing()).await?;
        sqlx::query(bury).bind(now).execute(&mut *tx).await?;
        sqlx::query(release).bind(now).execute(&mut *tx).await?;
        tx.commit().await?;
    });
    Ok(())
}

async fn lease_due(
    db: &Db,
    owner: &str,
    kinds: &[&str],
    limit: u32,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Vec<Row>, Error> {
    let lock = if matches!(db, Db::Pg(_)) { "FOR UPDATE SKIP LOCKED" } else { "" };
    // MATERIALIZED: the picking must happen once, not once per row of the update.
    let sql = format!(
        "WITH picked AS MATERIALIZED (SELECT j.id FROM jobs j WHERE {CLAIMABLE} AND j.kind {} \
         ORDER BY j.run_at, j.id LIMIT $3 {lock}) \
         UPDATE jobs SET state = 'running', lease_owner = $4, lease_until = $5, attempts = attempts + 1 \
         WHERE id IN (SELECT id FROM picked) RETURNING {COLUMNS}",
        one_of(db, "$2")
    );
    Ok(on!(w db, |pool| {
        sqlx::query_as(AssertSqlSafe(sql))
            .bind(now)
            .bind(Json(kinds))
            .bind(i64::from(limit))
            .bind(owner)
            .bind(until)
            .fetch_all(pool)
            .await
    })?)
}

/// When the next job of these kinds becomes due or the next lease runs out, after `now`.
///
/// # Errors
/// When the database refuses.
pub async fn next_due(db: &Db, kinds: &[&str], now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Error> {
    let sql = format!(
        "SELECT (SELECT min(run_at) FROM jobs WHERE state = 'ready' AND run_at > $1 AND kind {}), \
         (SELECT min(lease_until) FROM jobs WHERE state = 'running' AND lease_until > $1)",
        one_of(db, "$2")
    );
    let (due, expires): (Option<DateTime<Utc>>, Option<DateTime<Utc>>) =
        on!(r db, |pool| sqlx::query_as(AssertSqlSafe(sql)).bind(now).bind(Json(kinds)).fetch_one(pool).await)?;
    Ok(due.into_iter().chain(expires).min())
}

/// Calls `queued` whenever another process may have queued jobs, as long as it is polled: on
/// PostgreSQL by `LISTEN`. On SQLite it only waits.
///
/// # Errors
/// When the connection breaks; the caller decides when to listen again.
pub async fn listen(db: &Db, queued: impl Fn() + Send + Sync) -> Result<(), Error> {
    let Db::Pg(pool) = db else {
        return std::future::pending().await;
    };
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    loop {
        // Whatever came before the channel was open, or while it was not, is found by a look.
        queued();
        listener.try_recv().await?;
    }
}

/// Prolongs a lease. `false` when it is lost: stop working.
///
/// # Errors
/// When the database refuses.
pub async fn heartbeat(db: &Db, lease: &Lease, for_: Duration, now: DateTime<Utc>) -> Result<bool, Error> {
    held!(db, lease, "lease_until = $4", now + for_)
}

/// Saves a job's own progress under its lease. `false` when the lease is lost.
///
/// # Errors
/// When the database refuses.
pub async fn save_progress(db: &Db, lease: &Lease, progress: &Value) -> Result<bool, Error> {
    held!(db, lease, "progress = $4", Json(nul::json(progress)))
}

/// Ends an attempt. `false` when the lease was lost, nothing is changed then.
///
/// # Errors
/// When the database refuses.
pub async fn finish(db: &Db, lease: &Lease, end: &Finish, now: DateTime<Utc>) -> Result<bool, Error> {
    finish_with(db, lease, end, now, None).await
}

/// As [`finish`], and writes down what the attempt did, in the same transaction: at the price of
/// one.
///
/// # Errors
/// When the database refuses.
pub async fn finish_with(
    db: &Db,
    lease: &Lease,
    end: &Finish,
    now: DateTime<Utc>,
    trace: Option<&NewTrace>,
) -> Result<bool, Error> {
    let (set, said, at) = match end {
        Finish::Done(outcome) => ("state = 'done', outcome = $4, finished_at = $5, last_error = NULL", outcome, now),
        Finish::Retry(at, error) => ("state = 'ready', last_error = $4, run_at = $5", error, *at),
        // Last words do not count as an attempt.
        Finish::Dead(error) => (
            "state = 'dead', last_error = $4, finished_at = $5, \
             attempts = CASE WHEN attempts > max_attempts THEN max_attempts ELSE attempts END",
            error,
            now,
        ),
    };
    let sql = format!("UPDATE jobs SET {set}, lease_owner = NULL, lease_until = NULL WHERE {HELD}");
    let attempt = i32::try_from(lease.attempt).unwrap_or(i32::MAX);
    let held = on!(w db, |pool| {
        let mut tx = pool.begin_with(db.begin_writing()).await?;
        let update = sqlx::query(AssertSqlSafe(sql)).bind(lease.job).bind(&lease.owner).bind(attempt);
        let changed = update.bind(nul::text(said)).bind(at).execute(&mut *tx).await?.rows_affected();
        if let Some(trace) = trace.filter(|_| changed == 1) {
            trace::insert!(tx, lease.job, trace);
        }
        tx.commit().await?;
        changed == 1
    });
    Ok(held)
}
