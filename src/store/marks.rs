//! The `marks` table: where a task that is done again and again has come to, and a lease, so that
//! of several processes on one database one does it at a time.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::db::{Db, on};
use super::error::Error;

/// How far a task has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// Everything before this time is settled; `None` before the first run.
    pub settled: Option<DateTime<Utc>>,
    /// When it was last done to its end, by whichever process.
    pub done_at: Option<DateTime<Utc>>,
}

/// What became of the wish to do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is ours until the lease runs out.
    Ours(Mark),
    /// Another process does it, or died doing it: its lease ends then.
    Held(DateTime<Utc>),
}

/// Takes the lease of the task `name` for `owner`, unless another holds it.
///
/// # Errors
/// When the database refuses.
pub async fn take(db: &Db, name: &str, owner: &str, lease: Duration, now: DateTime<Utc>) -> Result<Taken, Error> {
    let take = "INSERT INTO marks (name, lease_owner, lease_until) VALUES ($1, $2, $3) \
         ON CONFLICT (name) DO UPDATE SET lease_owner = excluded.lease_owner, lease_until = excluded.lease_until \
         WHERE marks.lease_until IS NULL OR marks.lease_until <= $4 OR marks.lease_owner = excluded.lease_owner \
         RETURNING settled, done_at";
    type Ours = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);
    let ours: Option<Ours> = on!(w db, |pool| {
        sqlx::query_as(take).bind(name).bind(owner).bind(now + lease).bind(now).fetch_optional(pool).await
    })?;
    if let Some((settled, done_at)) = ours {
        return Ok(Taken::Ours(Mark { settled, done_at }));
    }
    let held = "SELECT lease_until FROM marks WHERE name = $1";
    let until: Option<Option<DateTime<Utc>>> =
        on!(w db, |pool| sqlx::query_scalar(held).bind(name).fetch_optional(pool).await)?;
    Ok(Taken::Held(until.flatten().unwrap_or(now)))
}

/// Makes the lease last `lease` from `now`; whether it was still held.
///
/// # Errors
/// When the database refuses.
pub async fn keep(db: &Db, name: &str, owner: &str, lease: Duration, now: DateTime<Utc>) -> Result<bool, Error> {
    let sql = "UPDATE marks SET lease_until = $3 WHERE name = $1 AND lease_owner = $2";
    let kept = on!(w db, |pool| {
        sqlx::query(sql).bind(name).bind(owner).bind(now + lease).execute(pool).await?.rows_affected()
    });
    Ok(kept == 1)
}

/// Gives the lease back, and sets the mark where one is given; nothing when it was lost meanwhile.
///
/// # Errors
/// When the database refuses.
pub async fn finish(db: &Db, name: &str, owner: &str, mark: Option<Mark>) -> Result<(), Error> {
    let sql = "UPDATE marks SET lease_owner = NULL, lease_until = NULL, settled = COALESCE($3, settled), \
         done_at = COALESCE($4, done_at) WHERE name = $1 AND lease_owner = $2";
    let mark = mark.unwrap_or_default();
    on!(w db, |pool| {
        sqlx::query(sql).bind(name).bind(owner).bind(mark.settled).bind(mark.done_at).execute(pool).await?.rows_affected()
    });
    Ok(())
}
