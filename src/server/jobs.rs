//! `/jobs`: the work queue.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use super::cursor::{Listing, Wanted};
use super::shared::Shared;
use crate::apps::http_api::{Admin, ApiError, Pairs};
use crate::store::jobs::trace::AttemptTrace;
use crate::store::jobs::{self, JobFilter, JobRow, JobState};

const STATES: [(&str, JobState); 4] =
    [("ready", JobState::Ready), ("running", JobState::Running), ("done", JobState::Done), ("dead", JobState::Dead)];

/// What a job's attempts did.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(example = json!({ "job": 7, "attempts": [] }))]
pub struct JobTrace {
    /// The job.
    pub job: i64,
    /// Its attempts that came to an end, oldest first, the newest 50.
    pub attempts: Vec<AttemptTrace>,
}

/// Jobs, newest first.
#[utoipa::path(
    get,
    path = "/jobs",
    tag = "jobs",
    security(("api_key" = [])),
    params(
        ("limit" = Option<i64>, Query, description = "Rows of a page, 1 to 1000; default 100", minimum = 1, maximum = 1000),
        ("after" = Option<String>, Query, description = "`next` of the page before"),
        ("state" = Option<JobState>, Query, description = "Only this state"),
        ("kind" = Option<String>, Query, description = "Only this kind"),
        ("key" = Option<String>, Query, description = "Only this key"),
        ("delivery_id" = Option<i64>, Query, description = "Only jobs of this delivery", minimum = 1),
    ),
    responses((status = 200, body = Listing<JobRow>, example = json!({ "items": [], "next": null })), (status = 422, description = "A parameter is not valid"))
)]
pub async fn list(
    _: Admin,
    State(shared): State<Arc<Shared>>,
    query: Pairs,
) -> Result<Json<Listing<JobRow>>, ApiError> {
    let wanted = Wanted::read(&query)?;
    let delivery_id = match query.get("delivery_id") {
        Some(_) => Some(query.integer("delivery_id", 0, 1..=i64::MAX)?),
        None => None,
    };
    let filter = JobFilter {
        state: query.choice("state", &STATES)?,
        kind: query.text("kind"),
        key: query.text("key"),
        delivery_id,
        before: wanted.before,
        limit: wanted.rows(),
    };
    let rows = jobs::list(&shared.api.db, &filter).await?;
    Ok(Json(wanted.page(rows, |row| row.id)))
}

/// A job.
#[utoipa::path(
    get,
    path = "/jobs/{id}",
    tag = "jobs",
    security(("api_key" = [])),
    params(("id" = i64, Path, description = "Row id")),
    responses((status = 200, body = JobRow), (status = 404, description = "There is none"))
)]
pub async fn get(
    _: Admin,
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Result<Json<JobRow>, ApiError> {
    let found = jobs::get(&shared.api.db, number(&id)?).await?;
    found.map(Json).ok_or_else(|| ApiError::not_found("job"))
}

/// What its attempts did: each with its end and the calls of GitHub's API that it made.
#[utoipa::path(
    get,
    path = "/jobs/{id}/trace",
    tag = "jobs",
    security(("api_key" = [])),
    params(("id" = i64, Path, description = "Row id")),
    responses((status = 200, body = JobTrace), (status = 404, description = "There is none"))
)]
pub async fn trace(
    _: Admin,
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Result<Json<JobTrace>, ApiError> {
    let job = jobs::get(&shared.api.db, number(&id)?).await?.ok_or_else(|| ApiError::not_found("job"))?.id;
    Ok(Json(JobTrace { job, attempts: jobs::trace::of_job(&shared.api.db, job).await? }))
}

/// Puts a dead job back in the queue, with fresh attempts; with `force` also one that is done.
#[utoipa::path(
    post,
    path = "/jobs/{id}/retry",
    tag = "jobs",
    security(("api_key" = [])),
    params(
        ("id" = i64, Path, description = "Row id"),
        ("force" = Option<bool>, Query, description = "Also a job that is done"),
    ),
    responses(
        (status = 200, body = JobRow),
        (status = 404, description = "There is none"),
        (status = 409, description = "It is running, or done and not forced"),
    )
)]
pub async fn retry(
    _: Admin,
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    query: Pairs,
) -> Result<Json<JobRow>, ApiError> {
    let (id, force) = (number(&id)?, query.flag("force", false)?);
    let row = jobs::retry(&shared.api.db, id, force, shared.api.clock.now()).await?;
    let row = row.ok_or_else(|| ApiError::not_found("job"))?;
    match row.state {
        JobState::Ready => {
            shared.wake.wake();
            Ok(Json(row))
        }
        JobState::Running => Err(ApiError::new(StatusCode::CONFLICT, "The job is running.")),
        JobState::Done => Err(ApiError::new(StatusCode::CONFLICT, "The job is done. Add force=true to run it again.")),
        JobState::Dead => Err(ApiError::new(StatusCode::CONFLICT, "The job died again.")),
    }
}

/// Deletes a job that is not running.
#[utoipa::path(
    delete,
    path = "/jobs/{id}",
    tag = "jobs",
    security(("api_key" = [])),
    params(("id" = i64, Path, description = "Row id")),
    responses(
        (status = 200, description = "Deleted", body = Value, example = json!({"ok": true})),
        (status = 404, description = "There is none"),
        (status = 409, description = "It is running"),
    )
)]
pub async fn discard(
    _: Admin,
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    match jobs::drop_job(&shared.api.db, number(&id)?).await? {
        Some(true) => Ok(Json(json!({ "ok": true }))),
        Some(false) => Err(ApiError::new(StatusCode::CONFLICT, "The job is running.")),
        None => Err(ApiError::not_found("job")),
    }
}

fn number(id: &str) -> Result<i64, ApiError> {
    id.parse().map_err(|_| ApiError::invalid(&["path", "id"], "value is not a valid integer", "type_error.integer"))
}
