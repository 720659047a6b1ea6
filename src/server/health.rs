//! Is it alive, is it ready, how is it doing.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::{Value, json};

use super::metrics;
use super::shared::Shared;
use crate::apps::http_api::ApiError;
use crate::store;

/// Paths that answer whatever the load and over plain HTTP: orchestrators ask them from inside.
pub const PROBES: [&str; 3] = ["/healthz", "/health", "/readyz"];

/// The database must answer a probe within this time.
const PATIENCE: Duration = Duration::from_secs(2);
/// A due job that waits longer than this says that nobody works on the queue, in seconds.
const QUEUE_AGE_MAX: f64 = 600.0;

/// The server is up.
#[utoipa::path(get, path = "/", tag = "health", responses((status = 200, description = "Up", body = Value, example = json!({"status": "ok"}))))]
pub async fn root() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// The server is up.
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, description = "Up", body = Value, example = json!({"status": "ok"}))))]
pub async fn healthz() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// The server is up.
#[utoipa::path(get, path = "/health", tag = "health", responses((status = 200, description = "Up", body = Value, example = json!({"status": "healthy"}))))]
pub async fn health() -> Json<Value> {
    Json(json!({ "status": "healthy" }))
}

/// The server can take deliveries: its database answers, the schema is right, the queue moves.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "health",
    responses(
        (status = 200, description = "Ready", body = Value, example = json!({"status": "ready", "checks": {"database": "ok"}})),
        (status = 503, description = "Not ready; `checks` says why", body = Value, example = json!({"status": "not ready", "checks": {"database": "unavailable"}})),
    )
)]
pub async fn readyz(State(shared): State<Arc<Shared>>) -> Response {
    let (ready, checks) = match tokio::time::timeout(PATIENCE, check(&shared)).await {
        Ok(result) => result,
        Err(_) => (false, json!({ "database": format!("no answer within {} s", PATIENCE.as_secs()) })),
    };
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let word = if ready { "ready" } else { "not ready" };
    (status, Json(json!({ "status": word, "checks": checks }))).into_response()
}

async fn check(shared: &Shared) -> (bool, Value) {
    let db = &shared.api.db;
    let database = db.ping().await.map_err(|error| error.to_string());
    let migrations = store::migrate::check(db).await.map_err(|error| error.to_string());
    let queue = match store::jobs::depth(db, shared.api.clock.now()).await {
        Ok(depth) if shared.works && depth.oldest_due_seconds > QUEUE_AGE_MAX => {
            Err(format!("the oldest due job has waited for {:.0} s", depth.oldest_due_seconds))
        }
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    };
    let stopping = if shared.shutdown.is_cancelled() { Err("shutting down".to_owned()) } else { Ok(()) };
    let checks = [("database", database), ("migrations", migrations), ("queue", queue), ("server", stopping)];
    let ready = checks.iter().all(|(_, result)| result.is_ok());
    let texts =
        checks.into_iter().map(|(name, result)| (name.to_owned(), Value::from(result.err().unwrap_or("ok".into()))));
    (ready, Value::Object(texts.collect()))
}

/// Counters for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "health", responses((status = 200, description = "OpenMetrics text", content_type = "application/openmetrics-text", body = String)))]
pub async fn metrics(State(shared): State<Arc<Shared>>) -> Result<Response, ApiError> {
    let depth = store::jobs::depth(&shared.api.db, shared.api.clock.now());
    // The counters are worth telling also when the database is away.
    let depth = match tokio::time::timeout(PATIENCE, depth).await {
        Ok(Ok(depth)) => depth,
        Ok(Err(_)) | Err(_) => store::jobs::QueueDepth::default(),
    };
    let text = shared.metrics.encode(depth).map_err(|_| ApiError::internal())?;
    Ok(([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response())
}
