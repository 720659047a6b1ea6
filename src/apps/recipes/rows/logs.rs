//! Table `recipe_run_logs`: what the runner wrote, in pieces of whole lines.

use chrono::{DateTime, Utc};

use crate::store::db::on;
use crate::store::{Db, Error};

/// Adds the piece `seq` (from 0) to the log of an attempt. A piece that is there already stays.
///
/// # Errors
/// [`Error::ForeignKey`] when there is no such attempt, or when the database refuses.
pub async fn append(db: &Db, run: i64, attempt: i32, seq: i32, content: &str, now: DateTime<Utc>) -> Result<(), Error> {
    let sql = "INSERT INTO recipe_run_logs (recipe_run_id, attempt, seq, written_at, content) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    // Postgres cannot store NUL, which only broken programs write.
    let content = content.replace('\0', "\u{fffd}");
    on!(w db, |pool| {
        sqlx::query(sql).bind(run).bind(attempt).bind(seq).bind(now).bind(content).execute(pool).await?;
    });
    Ok(())
}

/// Pieces of an attempt's log from `from` on, in order, at most `limit`: each with its number.
///
/// # Errors
/// When the database refuses.
pub async fn read(db: &Db, run: i64, attempt: i32, from: i32, limit: i64) -> Result<Vec<(i32, String)>, Error> {
    let sql = "SELECT seq, content FROM recipe_run_logs \
         WHERE recipe_run_id = $1 AND attempt = $2 AND seq >= $3 ORDER BY seq LIMIT $4";
    Ok(on!(r db, |pool| {
        sqlx::query_as(sql).bind(run).bind(attempt).bind(from).bind(limit).fetch_all(pool).await
    })?)
}

/// The number that the next piece of an attempt's log has.
///
/// # Errors
/// When the database refuses.
pub async fn end(db: &Db, run: i64, attempt: i32) -> Result<i32, Error> {
    let sql = "SELECT seq FROM recipe_run_logs WHERE recipe_run_id = $1 AND attempt = $2 ORDER BY seq DESC LIMIT 1";
    let last: Option<i32> =
        on!(r db, |pool| sqlx::query_scalar(sql).bind(run).bind(attempt).fetch_optional(pool).await)?;
    Ok(last.map_or(0, |last| last.saturating_add(1)))
}

/// Forgets the log of an attempt: it is begun anew after a crash.
///
/// # Errors
/// When the database refuses.
pub async fn clear(db: &Db, run: i64, attempt: i32) -> Result<(), Error> {
    let sql = "DELETE FROM recipe_run_logs WHERE recipe_run_id = $1 AND attempt = $2";
    on!(w db, |pool| {
        sqlx::query(sql).bind(run).bind(attempt).execute(pool).await?;
    });
    Ok(())
}
