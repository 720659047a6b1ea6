//! `/events`: what happens, as it happens (server-sent events).

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use http::StatusCode;
use serde::Serialize;
use tokio::sync::{Semaphore, broadcast};
use tokio_stream::wrappers::BroadcastStream;

use super::shared::Shared;
use crate::apps::http_api::{Admin, ApiError};

/// Listeners at a time.
const LISTENERS: usize = 64;
/// Events that a slow listener may be behind before it misses some.
const BACKLOG: usize = 1024;

/// Where events are told and listened to.
pub struct Events {
    sender: broadcast::Sender<Message>,
    listeners: Arc<Semaphore>,
}

#[derive(Clone)]
struct Message {
    name: &'static str,
    data: Arc<str>,
}

/// A delivery that was answered.
#[derive(Serialize)]
pub struct DeliveryEvent<'a> {
    /// Which app's hook received it.
    pub app: &'a str,
    /// `X-GitHub-Delivery`.
    pub guid: &'a str,
    /// `X-GitHub-Event`.
    pub event: &'a str,
    /// The payload's `action`.
    pub action: Option<&'a str>,
    /// The payload's `repository.full_name`.
    pub repo: Option<&'a str>,
    /// HTTP status of the answer.
    pub answer_status: u16,
    /// Whether the GUID was here before.
    pub repeat: bool,
    /// From the head of the request to the answer, in milliseconds.
    pub ms: f64,
}

impl Default for Events {
    fn default() -> Self {
        Self { sender: broadcast::channel(BACKLOG).0, listeners: Arc::new(Semaphore::new(LISTENERS)) }
    }
}

impl Events {
    /// Tells all listeners. Costs nothing when there are none.
    pub fn tell<T: Serialize>(&self, name: &'static str, event: impl FnOnce() -> T) {
        if self.sender.receiver_count() == 0 {
            return;
        }
        if let Ok(data) = serde_json::to_string(&event()) {
            // Fails only when the last listener left this moment.
            let _ = self.sender.send(Message { name, data: data.into() });
        }
    }
}

/// What happens, as it happens: events `delivery`, `job` and `reconciled`, each with one JSON object,
/// after a first event `ready`. A listener that is too slow gets `lagged` with the number it missed.
#[utoipa::path(
    get,
    path = "/events",
    tag = "server",
    security(("api_key" = [])),
    responses(
        (status = 200, description = "A stream that ends when the server does", content_type = "text/event-stream", body = String),
        (status = 503, description = "Too many listeners"),
    )
)]
pub async fn listen(_: Admin, State(shared): State<Arc<Shared>>) -> Result<Response, ApiError> {
    let permit = Arc::clone(&shared.events.listeners).try_acquire_owned();
    let permit =
        permit.map_err(|_| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "Too many listeners. Try again later."))?;
    let messages = BroadcastStream::new(shared.events.sender.subscribe()).map(|message| match message {
        Ok(Message { name, data }) => Event::default().event(name).data(data),
        Err(missed) => Event::default().event("lagged").data(missed.to_string()),
    });
    let ready = stream::once(async { Event::default().event("ready").data("{}") });
    let ended = shared.shutdown.clone().cancelled_owned();
    let events = ready.chain(messages).take_until(Box::pin(ended)).map(move |event| {
        // The listener's place is free when the stream is dropped.
        let _ = &permit;
        Ok::<_, Infallible>(event)
    });
    let mut response = Sse::new(events).keep_alive(KeepAlive::default()).into_response();
    // Proxies such as nginx would hold the stream back otherwise.
    response.headers_mut().insert("x-accel-buffering", http::HeaderValue::from_static("no"));
    Ok(response)
}
