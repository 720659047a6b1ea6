//! From times to row ids. Rows are stored in the order of their arrival, so a time is found by
//! halving: an index of the times would cost every delivery that is stored.

use chrono::{DateTime, TimeDelta, Utc};

use super::super::db::{Db, on};
use super::super::error::Error;

/// How far the clock may have been set back between two rows. Rows that arrived in its shadow are
/// still looked at, and the condition on the time itself decides.
const SLACK: TimeDelta = TimeDelta::hours(2);

/// The first id that can have arrived at or after `since`, and the first of those that all arrived
/// after `until`.
pub(super) async fn of(
    db: &Db,
    since: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
) -> Result<(i64, Option<i64>), Error> {
    let first = match since.and_then(|since| since.checked_sub_signed(SLACK)) {
        // Nothing is that young.
        Some(since) => first_from(db, since).await?.unwrap_or(i64::MAX),
        None => 0,
    };
    let end = match until.and_then(|until| until.checked_add_signed(SLACK)) {
        Some(until) => first_from(db, until).await?,
        None => None,
    };
    Ok((first, end))
}

/// The first row at or after `time`, if rows are ordered by it.
async fn first_from(db: &Db, time: DateTime<Utc>) -> Result<Option<i64>, Error> {
    let ends = "SELECT min(id), max(id) FROM deliveries";
    let ends: (Option<i64>, Option<i64>) = on!(r db, |pool| sqlx::query_as(ends).fetch_one(pool).await)?;
    let (Some(mut low), Some(last)) = ends else { return Ok(None) };
    // Invariant: rows below `low` are earlier, rows from `high` on are not.
    let mut high = last.saturating_add(1);
    let sql = "SELECT id, received_at FROM deliveries WHERE id >= $1 ORDER BY id LIMIT 1";
    while low < high {
        let middle = low + (high - low) / 2;
        let row: Option<(i64, DateTime<Utc>)> =
            on!(r db, |pool| sqlx::query_as(sql).bind(middle).fetch_optional(pool).await)?;
        match row {
            Some((id, at)) if at < time => low = id + 1,
            _ => high = middle,
        }
    }
    Ok((low <= last).then_some(low))
}
