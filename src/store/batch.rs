//! One transaction of the writer: many deliveries and their jobs.
//!
//! Each statement is a message to another thread (SQLite) or machine (PostgreSQL), so a batch is
//! few statements of many rows. Their texts differ by the number of rows only and stay prepared.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::query::QueryAs;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, Database, FromRow, Postgres, Sqlite, Transaction};

use super::content::Content;
use super::db::{Db, Dialect, on};
use super::ingest::{NewDelivery, Packed, Recorded};
use super::jobs::{JOBS_QUEUED, NewJob};
use super::nul;

const DELIVERY: &str = "INSERT INTO deliveries (app, hook_id, guid, event, action, repo, installation_id, received_at, \
     answer_status, accepted, size, head_size, compressed, content) VALUES ";
const DELIVERY_COLUMNS: usize = 14;
const DELIVERY_END: &str = " ON CONFLICT DO NOTHING";
const DELIVERY_RETURNING: &str = " RETURNING id, app, hook_id, guid";
const DELIVERIES_BETWEEN: &str = "SELECT id, app, hook_id, guid FROM deliveries WHERE id > $1 AND id <= $2";

const JOB: &str = "INSERT INTO jobs (delivery_id, kind, key, token, payload, max_attempts, run_at, created_at) VALUES ";
const JOB_COLUMNS: usize = 8;
const JOB_END: &str = " ON CONFLICT (token) DO NOTHING RETURNING delivery_id";

const LOCK: &str = "SELECT id FROM deliveries WHERE guid = $1 AND app = $2 AND hook_id = $3 FOR UPDATE";
const FIND: &str = "SELECT id, answer_status, size, head_size, compressed, content, \
     (SELECT count(*) FROM delivery_attempts a WHERE a.delivery_id = d.id) \
     FROM deliveries d WHERE guid = $1 AND app = $2 AND hook_id = $3";
const REQUEUE: &str = "UPDATE jobs SET state = 'ready', attempts = 0, run_at = $2, finished_at = NULL \
     WHERE delivery_id = $1 AND state = 'dead'";
const ATTEMPT: &str = "INSERT INTO delivery_attempts (delivery_id, number, received_at, answer_status, requeued, \
     same_body, size, head_size, compressed, content) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

/// The texts for 1, 2, … rows.
pub(super) struct Statements {
    deliveries: Vec<Arc<str>>,
    jobs: Vec<Arc<str>>,
}

impl Statements {
    pub(super) fn new(dialect: Dialect, most: usize) -> Self {
        let texts =
            |begin, columns, end: String| (1..=most).map(|rows| many(dialect, begin, columns, rows, &end)).collect();
        let deliveries = match dialect {
            Dialect::Sqlite => texts(DELIVERY, DELIVERY_COLUMNS, DELIVERY_END.to_owned()),
            Dialect::Postgres => texts(DELIVERY, DELIVERY_COLUMNS, format!("{DELIVERY_END}{DELIVERY_RETURNING}")),
        };
        Self { deliveries, jobs: texts(JOB, JOB_COLUMNS, JOB_END.to_owned()) }
    }
}

/// `begin ($1, $2), ($3, $4) end`; on SQLite `begin (?, ?), (?, ?) end`, because sqlx looks up the
/// name of every numbered parameter at every execution.
fn many(dialect: Dialect, begin: &str, columns: usize, rows: usize, end: &str) -> Arc<str> {
    let place = |number: usize| match dialect {
        Dialect::Sqlite => "?".to_owned(),
        Dialect::Postgres => format!("${number}"),
    };
    let mut text = begin.to_owned();
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        let places: Vec<String> = (1..=columns).map(|column| place(row * columns + column)).collect();
        text.push_str(&places.join(", "));
        text.push(')');
    }
    text.push_str(end);
    text.into()
}

/// A job and the delivery that it is queued for.
type Queued<'a> = (i64, &'a NewJob, DateTime<Utc>);
type Found = (i64, i32, i64, i64, bool, Vec<u8>, i64);

/// A query of this transaction's database, which the compiler cannot tell from its later use.
fn query_for<'q, DB: Database, O: for<'r> FromRow<'r, DB::Row>>(
    _: &Transaction<'_, DB>,
    text: &Arc<str>,
) -> QueryAs<'q, DB, O, DB::Arguments> {
    sqlx::query_as(AssertSqlSafe(text.clone()))
}

/// Inserts rows in statements of at most as many rows as there are texts; what they return.
macro_rules! insert {
    ($tx:expr, $texts:expr, $rows:expr, |$query:ident, $row:ident| $bind:block -> $returned:ty) => {{
        let mut returned: Vec<$returned> = Vec::with_capacity($rows.len());
        for chunk in $rows.chunks($texts.len()) {
            let mut $query = query_for::<_, $returned>($tx, &$texts[chunk.len() - 1]);
            for $row in chunk {
                $query = $bind;
            }
            returned.extend($query.fetch_all(&mut **$tx).await?);
        }
        returned
    }};
}

/// Inserts [`Queued`] jobs; the deliveries of those that were new.
macro_rules! insert_jobs {
    ($tx:expr, $statements:expr, $rows:expr) => {
        insert!($tx, $statements.jobs, $rows, |query, row| {
            let (delivery, job, now): &Queued<'_> = row;
            query
                .bind(delivery)
                .bind(nul::text(&job.kind))
                .bind(job.key.as_deref().map(nul::text))
                .bind(nul::text(&job.token))
                .bind(Json(nul::json(&job.payload)))
                .bind(i32::try_from(job.max_attempts).unwrap_or(i32::MAX))
                .bind(job.run_at.unwrap_or(*now))
                .bind(now)
        } -> (i64,))
    };
}

/// Inserts the deliveries of a batch that are new.
trait InsertDeliveries {
    /// The ids of the new rows, in the order of `batch`; `None` for a delivery that was there.
    async fn insert(&mut self, statements: &Statements, batch: &[Packed]) -> Result<Vec<Option<i64>>, sqlx::Error>;
}

/// Binds a delivery's columns.
macro_rules! bind_delivery {
    ($query:expr, $row:expr) => {{
        let Packed { delivery: d, content } = $row;
        $query
            .bind(d.app)
            .bind(&d.hook_id)
            .bind(&d.guid)
            .bind(&d.event)
            .bind(&d.action)
            .bind(&d.repo)
            .bind(d.installation_id)
            .bind(d.received_at)
            .bind(i32::from(d.answer_status))
            .bind(!d.jobs.is_empty())
            .bind(content.size)
            .bind(content.head_size)
            .bind(content.compressed)
            .bind(content.bytes.as_slice())
    }};
}

/// A new row: id, app, hook id, GUID.
type Inserted = (i64, String, String, String);

/// Gives each new row's id to the delivery that it is of. Of several arrivals of one delivery
/// within the batch, the first takes the row.
fn assign(inserted: Vec<Inserted>, batch: &[Packed]) -> Vec<Option<i64>> {
    let mut inserted: HashMap<(String, String, String), i64> =
        inserted.into_iter().map(|(id, app, hook_id, guid)| ((app, hook_id, guid), id)).collect();
    let key = |d: &NewDelivery| (d.app.to_owned(), d.hook_id.clone(), d.guid.clone());
    batch.iter().map(|row| inserted.remove(&key(&row.delivery))).collect()
}

impl InsertDeliveries for Transaction<'_, Sqlite> {
    /// Without RETURNING, whose rows would each be a message from SQLite's thread: the ids that
    /// one statement gives are consecutive, for nobody else writes
    /// (<https://www.sqlite.org/autoinc.html>).
    async fn insert(&mut self, statements: &Statements, batch: &[Packed]) -> Result<Vec<Option<i64>>, sqlx::Error> {
        let mut ids = Vec::with_capacity(batch.len());
        for chunk in batch.chunks(statements.deliveries.len()) {
            let mut query = sqlx::query(AssertSqlSafe(statements.deliveries[chunk.len() - 1].clone()));
            for row in chunk {
                query = bind_delivery!(query, row);
            }
            let done = query.execute(&mut **self).await?;
            let (last, count) = (done.last_insert_rowid(), done.rows_affected() as i64);
            if count == chunk.len() as i64 {
                ids.extend((last - count + 1..=last).map(Some));
                continue;
            }
            let inserted = match count {
                0 => Vec::new(),
                _ => sqlx::query_as(DELIVERIES_BETWEEN).bind(last - count).bind(last).fetch_all(&mut **self).await?,
            };
            ids.extend(assign(inserted, chunk));
        }
        Ok(ids)
    }
}

impl InsertDeliveries for Transaction<'_, Postgres> {
    async fn insert(&mut self, statements: &Statements, batch: &[Packed]) -> Result<Vec<Option<i64>>, sqlx::Error> {
        let inserted =
            insert!(self, statements.deliveries, batch, |query, row| { bind_delivery!(query, row) } -> Inserted);
        Ok(assign(inserted, batch))
    }
}

/// Writes all of `batch` or nothing; the results stand in its order.
pub(super) async fn write(db: &Db, statements: &Statements, batch: &[Packed]) -> Result<Vec<Recorded>, sqlx::Error> {
    on!(w db, |pool| {
        let mut transaction = pool.begin_with(db.begin_writing()).await?;
        let tx = &mut transaction;

        let ids = InsertDeliveries::insert(tx, statements, batch).await?;

        let jobs: Vec<Queued<'_>> = batch
            .iter()
            .zip(&ids)
            .filter_map(|(row, id)| id.map(|id| (row, id)))
            .flat_map(|(Packed { delivery: d, .. }, id)| d.jobs.iter().map(move |job| (id, job, d.received_at)))
            .collect();
        let queued = insert_jobs!(tx, statements, jobs);
        let mut counts: HashMap<i64, u32> = HashMap::new();
        for (delivery,) in queued {
            *counts.entry(delivery).or_default() += 1;
        }

        let mut results = Vec::with_capacity(batch.len());
        let mut work = !counts.is_empty();
        for (row, id) in batch.iter().zip(&ids) {
            if let Some(delivery) = *id {
                results.push(Recorded::New { delivery, jobs: counts.get(&delivery).copied().unwrap_or(0) });
                continue;
            }
            let Packed { delivery: d, content } = row;
            if matches!(db, Db::Pg(_)) {
                // The row is locked, so that the attempts of several processes get different
                // numbers; in a statement of its own, for one that waits still counts what was
                // there when it began.
                sqlx::query(LOCK).bind(&d.guid).bind(d.app).bind(&d.hook_id).execute(&mut **tx).await?;
            }
            let (delivery, first_status, size, head_size, compressed, bytes, attempts): Found =
                sqlx::query_as(FIND)
                    .bind(&d.guid)
                    .bind(d.app)
                    .bind(&d.hook_id)
                    .fetch_one(&mut **tx)
                    .await?;
            let mut again = sqlx::query(REQUEUE).bind(delivery).bind(d.received_at).execute(&mut **tx).await?.rows_affected();
            if first_status >= 400 && !d.jobs.is_empty() {
                // The first was refused and queued nothing; this one is accepted.
                let jobs: Vec<Queued<'_>> = d.jobs.iter().map(|job| (delivery, job, d.received_at)).collect();
                let queued = insert_jobs!(tx, statements, jobs);
                again += queued.len() as u64;
                sqlx::query("UPDATE deliveries SET accepted = $2 WHERE id = $1")
                    .bind(delivery)
                    .bind(true)
                    .execute(&mut **tx)
                    .await?;
            }
            let first = Content { head_size, size, compressed, bytes };
            let same_body = first.same_body(content).map_err(|e| sqlx::Error::Decode(Box::new(e)))?;
            let (number, requeued) = (attempts + 2, again > 0);
            let kept = (!same_body).then_some(content);
            sqlx::query(ATTEMPT)
                .bind(delivery)
                .bind(i32::try_from(number).unwrap_or(i32::MAX))
                .bind(d.received_at)
                .bind(i32::from(d.answer_status))
                .bind(requeued)
                .bind(same_body)
                .bind(kept.map(|c| c.size))
                .bind(kept.map(|c| c.head_size))
                .bind(kept.map(|c| c.compressed))
                .bind(kept.map(|c| c.bytes.as_slice()))
                .execute(&mut **tx)
                .await?;
            work |= requeued;
            results.push(Recorded::Repeat { delivery, attempt: u32::try_from(number).unwrap_or(u32::MAX), requeued });
        }

        if work && matches!(db, Db::Pg(_)) {
            // Tells the other processes when, and only if, this commits.
            sqlx::query(JOBS_QUEUED).execute(&mut **tx).await?;
        }
        transaction.commit().await?;
        Ok(results)
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn places_are_numbered_through() {
        let many = |dialect| super::many(dialect, "I ", 2, 3, " E").to_string();
        assert_eq!(many(super::Dialect::Postgres), "I ($1, $2), ($3, $4), ($5, $6) E");
        assert_eq!(many(super::Dialect::Sqlite), "I (?, ?), (?, ?), (?, ?) E");
        assert_eq!(super::DELIVERY.matches(',').count() + 1, super::DELIVERY_COLUMNS);
        assert_eq!(super::JOB.matches(',').count() + 1, super::JOB_COLUMNS);
    }
}
