//! The `deliveries` table, read side. Writing is [`super::ingest`].

use std::collections::HashSet;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use sqlx::{AssertSqlSafe, QueryBuilder};

use super::blocks::Blocks;
use super::content::Content;
use super::db::{Db, on};
use super::error::Error;
use super::jobs::{self, JobFilter};
use super::nul;

pub mod search;
mod span;

/// The columns of a [`Row`]. The status is not stored: it follows from the answer and the jobs. States
/// are named and never excluded, so that an index of the few unfinished jobs applies.
const COLUMNS: &str = "d.id, d.app, d.hook_id, d.guid, d.event, d.action, d.repo, d.installation_id, d.received_at, \
     CASE WHEN EXISTS (SELECT 1 FROM jobs j WHERE j.delivery_id = d.id AND j.state = 'dead') THEN 'failed' \
     WHEN EXISTS (SELECT 1 FROM jobs j WHERE j.delivery_id = d.id AND j.state IN ('ready', 'running')) THEN 'queued' \
     WHEN d.accepted THEN 'done' WHEN d.answer_status >= 400 THEN 'refused' ELSE 'ignored' END, \
     d.answer_status, (SELECT count(*) FROM delivery_attempts a WHERE a.delivery_id = d.id) + 1, d.size";

/// GUIDs that are looked up by one statement.
const LOOKED_UP: usize = 200;

/// A row of `deliveries` as the databases give it.
type Row = (
    i64,
    String,
    String,
    String,
    String,
    Option<String>,
    Option<String>,
    Option<i64>,
    DateTime<Utc>,
    String,
    i32,
    i64,
    i64,
);

/// What became of a delivery, derived from its answer and its jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryStatus {
    /// Stored and answered; it wanted no work.
    Ignored,
    /// Work is queued or running.
    Queued,
    /// All its work is done.
    Done,
    /// Some of its work is dead.
    Failed,
    /// The answer was an error (4xx or 5xx): the event was refused after it was verified.
    Refused,
}

/// A delivery as listed.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": 9, "app": "recipes", "hook_id": "1", "guid": "0b989ba4-242f-11e5-81e1-c7b6966d2516", "event": "pull_request",
    "action": "opened", "repo": "pangeo-forge/staged-recipes", "installation_id": 42,
    "received_at": "2022-09-19T16:31:43Z", "status": "done", "answer_status": 202, "attempts": 1, "size": 22871
}))]
pub struct DeliveryRow {
    /// Row id, in order of arrival.
    pub id: i64,
    /// Which app's hook received it, such as `recipes`.
    pub app: String,
    /// `X-GitHub-Hook-ID`, or the empty string.
    pub hook_id: String,
    /// `X-GitHub-Delivery`.
    pub guid: String,
    /// `X-GitHub-Event`.
    pub event: String,
    /// The payload's `action`.
    pub action: Option<String>,
    /// The payload's `repository.full_name`.
    pub repo: Option<String>,
    /// The payload's `installation.id`.
    pub installation_id: Option<i64>,
    /// When its first attempt arrived.
    pub received_at: DateTime<Utc>,
    /// What became of it.
    pub status: DeliveryStatus,
    /// HTTP status of the (first) answer.
    pub answer_status: u16,
    /// How often it arrived; 1 without redelivery.
    pub attempts: u32,
    /// Size of the body in bytes.
    pub size: i64,
}

/// One arrival of a delivery.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct AttemptRow {
    /// 1 for the first.
    pub number: u32,
    /// When it arrived.
    pub received_at: DateTime<Utc>,
    /// HTTP status of the answer.
    pub answer_status: u16,
    /// Whether its body equals the first one's.
    pub same_body: bool,
    /// Whether it queued the work again (because the first attempt's work had failed).
    pub requeued: bool,
}

/// A delivery with all that is known of it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": 9, "app": "recipes", "hook_id": "1", "guid": "0b989ba4-242f-11e5-81e1-c7b6966d2516", "event": "pull_request",
    "action": "opened", "repo": "pangeo-forge/staged-recipes", "installation_id": 42,
    "received_at": "2022-09-19T16:31:43Z", "status": "done", "answer_status": 202, "attempts": 1, "size": 22871,
    "headers": { "x-github-event": "pull_request" }, "answer": { "status": "ok" },
    "history": [{ "number": 1, "received_at": "2022-09-19T16:31:43Z", "answer_status": 202, "same_body": true, "requeued": false }],
    "jobs": []
}))]
pub struct DeliveryDetail {
    /// As listed.
    #[serde(flatten)]
    pub row: DeliveryRow,
    /// Request headers of the first attempt, names in lower case, without the signatures.
    pub headers: Value,
    /// The first answer's body.
    pub answer: Value,
    /// Its arrivals, oldest first.
    pub history: Vec<AttemptRow>,
    /// Its jobs, oldest first.
    pub jobs: Vec<jobs::JobRow>,
}

/// Which deliveries to list; newest first.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// Only this event.
    pub event: Option<String>,
    /// Only this action.
    pub action: Option<String>,
    /// Only this repository.
    pub repo: Option<String>,
    /// Only this status.
    pub status: Option<DeliveryStatus>,
    /// Only GUIDs that begin so.
    pub guid: Option<String>,
    /// Only what arrived first at or after this.
    pub since: Option<DateTime<Utc>>,
    /// Only what arrived first before this.
    pub until: Option<DateTime<Utc>>,
    /// Only ids below (cursor).
    pub before: Option<i64>,
    /// At most this many.
    pub limit: u32,
}

impl DeliveryStatus {
    const ALL: [Self; 5] = [Self::Ignored, Self::Queued, Self::Done, Self::Failed, Self::Refused];

    /// As shown and as asked for.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ignored => "ignored",
            Self::Queued => "queued",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Refused => "refused",
        }
    }

    fn from_text(text: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|status| status.as_str() == text);
        found.ok_or_else(|| Error::Other(format!("unknown delivery status {text:?}")))
    }

    /// The condition that is this status, so put that an index leads to the rows: what failed or
    /// is queued is found from the (few) jobs, what is done or refused by a partial index.
    fn condition(self) -> &'static str {
        match self {
            Self::Failed => " AND d.id IN (SELECT j.delivery_id FROM jobs j WHERE j.state = 'dead')",
            Self::Queued => {
                " AND d.id IN (SELECT j.delivery_id FROM jobs j WHERE j.state = 'ready' \
                 UNION ALL SELECT j.delivery_id FROM jobs j WHERE j.state = 'running') \
                 AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.delivery_id = d.id AND j.state = 'dead')"
            }
            Self::Done => {
                " AND d.accepted AND NOT EXISTS \
                 (SELECT 1 FROM jobs j WHERE j.delivery_id = d.id AND j.state <> 'done')"
            }
            Self::Refused => " AND d.answer_status >= 400 AND NOT d.accepted",
            Self::Ignored => " AND d.answer_status < 400 AND NOT d.accepted",
        }
    }
}

impl DeliveryRow {
    fn from_row(row: Row) -> Result<Self, Error> {
        let (id, app, hook_id, guid, event, action, repo, installation_id, received_at, status, answer, attempts, size) =
            row;
        Ok(Self {
            id,
            app,
            hook_id,
            guid,
            event,
            action,
            repo,
            installation_id,
            received_at,
            status: DeliveryStatus::from_text(&status)?,
            answer_status: u16::try_from(answer).unwrap_or(0),
            attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
            size,
        })
    }
}

/// Deliveries, newest first.
///
/// # Errors
/// When the database refuses.
pub async fn list(db: &Db, filter: &DeliveryFilter) -> Result<Vec<DeliveryRow>, Error> {
    let (first, end) = span::of(db, filter.since, filter.until).await?;
    let values = [("repo", &filter.repo), ("action", &filter.action), ("event", &filter.event)];
    let blocks = Blocks::new(db, "delivery", &values, first, end.into_iter().chain(filter.before).min());
    let rows: Vec<Row> = on!(r db, |pool| {
        let mut sql = QueryBuilder::new(format!("SELECT {COLUMNS} FROM "));
        // A narrow index instead of the rows with their bodies.
        blocks.push_from(&mut sql, "deliveries", "INDEXED BY deliveries_listed");
        for (column, value) in [("event", &filter.event), ("action", &filter.action), ("repo", &filter.repo)] {
            if let Some(value) = value {
                sql.push(format!(" AND d.{column} = ")).push_bind(nul::text(value));
            }
        }
        if let Some(status) = filter.status {
            sql.push(status.condition());
        }
        if let Some(prefix) = &filter.guid {
            // The index of GUIDs is in the order of their bytes.
            let prefix = nul::text(prefix).into_owned();
            let end = format!("{prefix}{}", char::MAX);
            // SQLite would go through the rows in their order otherwise.
            let lite = matches!(db, Db::Lite { .. });
            sql.push(if lite { " AND d.id IN (SELECT d.id FROM deliveries d WHERE d.guid >= " } else { " AND (d.guid >= " });
            sql.push_bind(prefix).push(" AND d.guid < ").push_bind(end).push(")");
        }
        if let Some(since) = filter.since {
            sql.push(" AND d.received_at >= ").push_bind(since).push(" AND d.id >= ").push_bind(first);
        }
        if let Some(until) = filter.until {
            sql.push(" AND d.received_at < ").push_bind(until);
        }
        if let Some(end) = end {
            sql.push(" AND d.id < ").push_bind(end);
        }
        if let Some(before) = filter.before {
            sql.push(" AND d.id < ").push_bind(before);
        }
        blocks.push_order(&mut sql);
        sql.push(" LIMIT ").push_bind(i64::from(filter.limit));
        sql.build_query_as().fetch_all(pool).await
    })?;
    rows.into_iter().map(DeliveryRow::from_row).collect()
}

/// The delivery with this GUID (the newest, when several hooks received it).
///
/// # Errors
/// When the database refuses or the stored bytes do not decompress.
pub async fn get(db: &Db, guid: &str) -> Result<Option<DeliveryDetail>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM deliveries d WHERE d.guid = $1 ORDER BY d.id DESC LIMIT 1");
    let row: Option<Row> =
        on!(r db, |pool| sqlx::query_as(AssertSqlSafe(sql)).bind(nul::text(guid)).fetch_optional(pool).await)?;
    match row {
        Some(row) => detail(db, DeliveryRow::from_row(row)?).await,
        None => Ok(None),
    }
}

/// The delivery with this row id.
///
/// # Errors
/// When the database refuses or the stored bytes do not decompress.
pub async fn get_by_id(db: &Db, id: i64) -> Result<Option<DeliveryDetail>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM deliveries d WHERE d.id = $1");
    let row: Option<Row> = on!(r db, |pool| sqlx::query_as(AssertSqlSafe(sql)).bind(id).fetch_optional(pool).await)?;
    match row {
        Some(row) => detail(db, DeliveryRow::from_row(row)?).await,
        None => Ok(None),
    }
}

/// The headers, names in lower case and signatures left out, and the exact bytes of a delivery.
///
/// # Errors
/// When the database refuses or the stored bytes do not decompress.
pub async fn raw(db: &Db, id: i64) -> Result<Option<(Value, Bytes)>, Error> {
    let Some(content) = content(db, id).await? else { return Ok(None) };
    let (head, body) = content.unpack()?;
    Ok(Some((head.headers, body)))
}

/// The exact bytes received with this GUID, and their `Content-Type`.
///
/// # Errors
/// When the database refuses or the stored bytes do not decompress.
pub async fn payload(db: &Db, guid: &str) -> Result<Option<(String, Bytes)>, Error> {
    let sql = "SELECT id FROM deliveries WHERE guid = $1 ORDER BY id DESC LIMIT 1";
    let id: Option<i64> = on!(r db, |pool| sqlx::query_scalar(sql).bind(nul::text(guid)).fetch_optional(pool).await)?;
    let Some(content) = (match id {
        Some(id) => content(db, id).await?,
        None => None,
    }) else {
        return Ok(None);
    };
    let (head, body) = content.unpack()?;
    let content_type = head.headers.get("content-type").and_then(Value::as_str).unwrap_or("application/octet-stream");
    Ok(Some((content_type.to_owned(), body)))
}

/// Which of these GUIDs the app `app` has, whichever hook they came through.
///
/// # Errors
/// When the database refuses.
pub async fn known(db: &Db, app: &str, guids: &[&str]) -> Result<HashSet<String>, Error> {
    let mut known = HashSet::new();
    for some in guids.chunks(LOOKED_UP) {
        let found: Vec<String> = on!(r db, |pool| {
            let mut sql = QueryBuilder::new("SELECT guid FROM deliveries WHERE app = ");
            sql.push_bind(app).push(" AND guid IN (");
            let mut places = sql.separated(", ");
            for guid in some {
                places.push_bind(nul::text(guid));
            }
            sql.push(")").build_query_scalar().fetch_all(pool).await
        })?;
        known.extend(found);
    }
    Ok(known)
}

async fn content(db: &Db, id: i64) -> Result<Option<Content>, Error> {
    let sql = "SELECT size, head_size, compressed, content FROM deliveries WHERE id = $1";
    let row: Option<(i64, i64, bool, Vec<u8>)> =
        on!(r db, |pool| sqlx::query_as(sql).bind(id).fetch_optional(pool).await)?;
    Ok(row.map(|(size, head_size, compressed, bytes)| Content { head_size, size, compressed, bytes }))
}

/// `None` when the delivery was deleted meanwhile.
async fn detail(db: &Db, row: DeliveryRow) -> Result<Option<DeliveryDetail>, Error> {
    let Some(content) = content(db, row.id).await? else { return Ok(None) };
    let (head, _) = content.unpack()?;
    let sql = "SELECT number, received_at, answer_status, same_body, requeued FROM delivery_attempts \
         WHERE delivery_id = $1 ORDER BY number";
    let further: Vec<(i32, DateTime<Utc>, i32, bool, bool)> =
        on!(r db, |pool| sqlx::query_as(sql).bind(row.id).fetch_all(pool).await)?;
    let mut history = vec![AttemptRow {
        number: 1,
        received_at: row.received_at,
        answer_status: row.answer_status,
        same_body: true,
        requeued: false,
    }];
    history.extend(further.into_iter().map(|(number, received_at, answer, same_body, requeued)| AttemptRow {
        number: u32::try_from(number).unwrap_or(u32::MAX),
        received_at,
        answer_status: u16::try_from(answer).unwrap_or(0),
        same_body,
        requeued,
    }));
    let filter = JobFilter { delivery_id: Some(row.id), limit: u32::MAX, ..JobFilter::default() };
    let mut jobs = jobs::list(db, &filter).await?;
    jobs.reverse();
    Ok(Some(DeliveryDetail { row, headers: head.headers, answer: head.answer, history, jobs }))
}
