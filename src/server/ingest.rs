//! The webhook endpoints: limit → bytes → signature → headers → payload → decide → store → answer.
//!
//! Nothing is kept of a request whose signature is not right, and nothing is acknowledged that is
//! not durable.

use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::response::IntoResponse;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::Value;

use self::body::BodyError;
use self::judge::{Refusal, Verdict};
use super::events::DeliveryEvent;
use super::metrics::UNVERIFIED;
use super::reply;
use super::shared::Shared;
use crate::apps::http_api::ApiError;
use crate::apps::{App, Decision};
use crate::store;
use crate::store::ingest::{NewDelivery, Recorded};

mod body;
mod judge;

/// Bodies above this many bytes are judged on a thread of their own: hashing and parsing 25 MiB
/// takes tens of milliseconds, in which a worker thread would answer nobody else.
const HEAVY: usize = 256 * 1024;

/// The webhook endpoint of one app, with its fixed answers ready to send.
pub struct Hook {
    /// Path without a trailing slash.
    pub path: &'static str,
    app: Arc<dyn App>,
    name: &'static str,
    missing_signature: Answer,
    bad_signature: Answer,
}

/// Status and JSON body of an answer.
#[derive(Clone, Debug)]
struct Answer {
    status: StatusCode,
    body: Bytes,
}

impl Answer {
    fn new(status: StatusCode, body: &Value) -> Self {
        Self { status, body: Bytes::from(body.to_string()) }
    }

    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}

impl Hook {
    /// The endpoint of `app`.
    pub fn new(app: Arc<dyn App>) -> Self {
        let contract = app.hook();
        Self {
            path: contract.path.strip_suffix('/').unwrap_or(contract.path),
            name: app.name(),
            missing_signature: Answer::new(contract.missing_signature.0, &contract.missing_signature.1),
            bad_signature: Answer::new(contract.bad_signature.0, &contract.bad_signature.1),
            app,
        }
    }
}

/// Answers a request to the endpoint `hook`.
pub async fn receive(
    shared: &Arc<Shared>,
    hook: &Arc<Hook>,
    request: Request<Body>,
    id: &HeaderValue,
) -> Response<Body> {
    let began = Instant::now();
    if request.method() != Method::POST {
        let mut response = reply::method_not_allowed().await.into_response();
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    let log = Log { shared, app: hook.name, id: id.to_str().unwrap_or_default(), began };
    let (parts, mut body) = request.into_parts();
    let limits = &shared.limits;
    let bytes = match body::read(&parts.headers, &mut body, limits.body_bytes, limits.body_timeout).await {
        Ok(bytes) => bytes,
        Err(error) => {
            log.refused(error.status(), &error, None);
            if matches!(error, BodyError::TooLarge { .. }) && !parts.headers.contains_key(header::EXPECT) {
                // Closing at once would reset the connection under a sender that still writes, and
                // it would never see the answer.
                tokio::spawn(body::discard(body));
            }
            return error.into_response();
        }
    };
    let (parts, verdict) = match judge(shared, hook, parts, bytes).await {
        Ok(judged) => judged,
        Err(panic) => {
            log.refused(StatusCode::INTERNAL_SERVER_ERROR, &panic, None);
            return ApiError::internal().into_response();
        }
    };
    match verdict {
        Verdict::Refused(Refusal { answer, reason, verified }) => {
            let guid = parts.headers.get(crate::github::headers::DELIVERY).filter(|_| verified);
            log.refused(answer.status, &reason, guid);
            answer.into_response()
        }
        Verdict::Taken(delivery, decision) => record(&log, *delivery, decision).await,
    }
}

/// Verifies, reads and decides; heavy bodies on another thread.
async fn judge(
    shared: &Arc<Shared>,
    hook: &Arc<Hook>,
    parts: Parts,
    bytes: Bytes,
) -> Result<(Parts, Verdict), tokio::task::JoinError> {
    let heavy = bytes.len() > HEAVY;
    let (shared, hook) = (Arc::clone(shared), Arc::clone(hook));
    let work = move || {
        let verdict = judge::judge(&hook, &shared.keys, &parts.headers, bytes, &shared.api.clock);
        (parts, verdict)
    };
    if heavy { tokio::task::spawn_blocking(work).await } else { Ok(work()) }
}

/// Stores the delivery, then answers what was decided.
async fn record(log: &Log<'_>, delivery: NewDelivery, decision: Decision) -> Response<Body> {
    let answer = Answer::new(decision.status, &decision.body);
    let (guid, event) = (delivery.guid.clone(), delivery.event.clone());
    match store(log, delivery, decision).await {
        Ok(recorded) => {
            let mut response = answer.into_response();
            let (seen, jobs) = match recorded {
                Recorded::New { jobs, .. } => ("new", jobs),
                Recorded::Repeat { .. } => ("repeat", 0),
            };
            response.headers_mut().insert("x-pforge-delivery", HeaderValue::from_static(seen));
            if jobs > 0 {
                response.headers_mut().insert("x-pforge-jobs", HeaderValue::from(jobs));
            }
            response
        }
        Err(error) => {
            let response = ApiError::from(error).into_response();
            log.refused_delivery(response.status(), &guid, &event);
            response
        }
    }
}

/// Why a delivery that was brought in was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Untaken {
    /// It is none that the endpoint accepts; it never will.
    #[error("{0}")]
    Refused(String),
    /// It could not be stored; later it may.
    #[error(transparent)]
    Unstored(#[from] store::Error),
}

/// Takes a delivery that did not come as a request: it is judged, decided, stored and told as one
/// that did. `headers` and `body` are signed; `id` names it in the log.
///
/// # Errors
/// See [`Untaken`].
pub async fn take(
    shared: &Arc<Shared>,
    hook: &Arc<Hook>,
    id: &str,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Recorded, Untaken> {
    let log = Log { shared, app: hook.name, id, began: Instant::now() };
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.headers = headers;
    let judged = judge(shared, hook, parts, body).await;
    match judged.map_err(|panic| Untaken::Refused(panic.to_string()))? {
        (_, Verdict::Taken(delivery, decision)) => Ok(store(&log, *delivery, decision).await?),
        (_, Verdict::Refused(refusal)) => Err(Untaken::Refused(refusal.reason.into_owned())),
    }
}

/// Stores the delivery with what was decided, and tells of it.
async fn store(log: &Log<'_>, mut delivery: NewDelivery, decision: Decision) -> Result<Recorded, store::Error> {
    let shared = log.shared;
    let status = decision.status.as_u16();
    delivery.answer = decision.body;
    delivery.jobs = decision.jobs;
    let (guid, event) = (delivery.guid.clone(), delivery.event.clone());
    let (action, repo) = (delivery.action.clone(), delivery.repo.clone());
    let recorded = shared.writer.record(delivery).await?;
    let repeat = matches!(recorded, Recorded::Repeat { .. });
    let took = log.began.elapsed();
    let ms = took.as_secs_f64() * 1000.0;
    tracing::info!(
        request_id = log.id,
        app = log.app,
        guid,
        event,
        action = action.as_deref(),
        repo = repo.as_deref(),
        decision = status,
        repeat,
        ms = (ms * 100.0).round() / 100.0,
        "delivery"
    );
    shared.metrics.delivery(log.app, &event, status, took);
    shared.events.tell("delivery", || DeliveryEvent {
        app: log.app,
        guid: &guid,
        event: &event,
        action: action.as_deref(),
        repo: repo.as_deref(),
        answer_status: status,
        repeat,
        ms,
    });
    Ok(recorded)
}

/// Where and under which name a request is logged.
struct Log<'a> {
    shared: &'a Arc<Shared>,
    app: &'static str,
    id: &'a str,
    began: Instant,
}

impl Log<'_> {
    /// A request that did not become a delivery. The GUID is only named when the sender is who it
    /// says.
    fn refused(&self, status: StatusCode, reason: &dyn std::fmt::Display, guid: Option<&HeaderValue>) {
        let guid = guid.and_then(|guid| guid.to_str().ok()).map(|guid| guid.get(..128).unwrap_or(guid));
        tracing::warn!(request_id = self.id, app = self.app, guid, decision = status.as_u16(), %reason, "delivery refused");
        let event = if guid.is_some() { "other" } else { UNVERIFIED };
        self.shared.metrics.delivery(self.app, event, status.as_u16(), self.began.elapsed());
    }

    /// A delivery that could not be stored.
    fn refused_delivery(&self, status: StatusCode, guid: &str, event: &str) {
        tracing::error!(
            request_id = self.id,
            app = self.app,
            guid,
            event,
            decision = status.as_u16(),
            "delivery not stored"
        );
        self.shared.metrics.delivery(self.app, event, status.as_u16(), self.began.elapsed());
    }
}
