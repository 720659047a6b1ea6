//! `/deliveries`: what was received.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};

use super::cursor::{Listing, Wanted};
use super::shared::Shared;
use crate::apps::http_api::{Admin, ApiError, Pairs};
use crate::store::deliveries::search::search;
use crate::store::deliveries::{self, DeliveryDetail, DeliveryFilter, DeliveryRow, DeliveryStatus};

const STATUSES: [(&str, DeliveryStatus); 5] = [
    ("ignored", DeliveryStatus::Ignored),
    ("queued", DeliveryStatus::Queued),
    ("done", DeliveryStatus::Done),
    ("failed", DeliveryStatus::Failed),
    ("refused", DeliveryStatus::Refused),
];

/// Deliveries, newest first.
#[utoipa::path(
    get,
    path = "/deliveries",
    tag = "deliveries",
    security(("api_key" = [])),
    params(
        ("limit" = Option<i64>, Query, description = "Rows of a page, 1 to 1000; default 100", minimum = 1, maximum = 1000),
        ("after" = Option<String>, Query, description = "`next` of the page before"),
        ("event" = Option<String>, Query, description = "Only this event"),
        ("action" = Option<String>, Query, description = "Only this action"),
        ("repo" = Option<String>, Query, description = "Only this repository, `owner/name`"),
        ("status" = Option<DeliveryStatus>, Query, description = "Only this status"),
        ("guid" = Option<String>, Query, description = "Only GUIDs that begin so"),
        ("since" = Option<DateTime<Utc>>, Query, description = "Only what arrived at or after this time (RFC 3339)"),
        ("until" = Option<DateTime<Utc>>, Query, description = "Only what arrived before this time (RFC 3339)"),
        ("text" = Option<String>, Query, description = "Only payloads that hold this text, whatever the case of its letters. A page may then hold fewer rows than `limit`, and none, although there is a next"),
    ),
    responses((status = 200, body = Listing<DeliveryRow>, example = json!({ "items": [], "next": null })), (status = 422, description = "A parameter is not valid"))
)]
pub async fn list(
    _: Admin,
    State(shared): State<Arc<Shared>>,
    query: Pairs,
) -> Result<Json<Listing<DeliveryRow>>, ApiError> {
    let wanted = Wanted::read(&query)?;
    let filter = DeliveryFilter {
        event: query.text("event"),
        action: query.text("action"),
        repo: query.text("repo"),
        status: query.choice("status", &STATUSES)?,
        guid: query.text("guid"),
        since: query.time("since")?,
        until: query.time("until")?,
        before: wanted.before,
        limit: wanted.rows(),
    };
    if let Some(text) = query.get("text") {
        let found = search(&shared.api.db, &filter, text).await?;
        return Ok(Json(wanted.page_to(found.rows, found.reached, |row| row.id)));
    }
    let rows = deliveries::list(&shared.api.db, &filter).await?;
    Ok(Json(wanted.page(rows, |row| row.id)))
}

/// A delivery with its attempts and jobs.
#[utoipa::path(
    get,
    path = "/deliveries/{guid}",
    tag = "deliveries",
    security(("api_key" = [])),
    params(("guid" = String, Path, description = "`X-GitHub-Delivery`")),
    responses((status = 200, body = DeliveryDetail), (status = 404, description = "There is none"))
)]
pub async fn get(
    _: Admin,
    State(shared): State<Arc<Shared>>,
    Path(guid): Path<String>,
) -> Result<Json<DeliveryDetail>, ApiError> {
    let found = deliveries::get(&shared.api.db, &guid).await?;
    found.map(Json).ok_or_else(|| ApiError::not_found("delivery"))
}

/// The exact bytes received, with their content type.
#[utoipa::path(
    get,
    path = "/deliveries/{guid}/payload",
    tag = "deliveries",
    security(("api_key" = [])),
    params(("guid" = String, Path, description = "`X-GitHub-Delivery`")),
    responses((status = 200, description = "The body of the delivery, byte for byte"), (status = 404, description = "There is none"))
)]
pub async fn payload(
    _: Admin,
    State(shared): State<Arc<Shared>>,
    Path(guid): Path<String>,
) -> Result<Response, ApiError> {
    let found = deliveries::payload(&shared.api.db, &guid).await?;
    let (kind, bytes) = found.ok_or_else(|| ApiError::not_found("delivery"))?;
    let kind = HeaderValue::try_from(kind).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    // The bytes come from outside: a browser must neither guess their type nor run them.
    let policy = HeaderValue::from_static("default-src 'none'; sandbox");
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    Ok((headers, bytes).into_response())
}
