//! Answers that are not events: texts of one sentence.

use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use super::hub::Refusal;

/// Why a request is not served.
#[derive(Debug)]
pub struct Refused {
    status: StatusCode,
    text: String,
    wait: Option<Duration>,
}

impl Refused {
    /// A refusal with this text.
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), wait: None }
    }

    /// Tells when to come again.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.wait = Some(wait);
        self
    }

    /// What cannot be stored was not received: GitHub shows the delivery as failed.
    pub fn not_stored() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "the event cannot be stored").after(Duration::from_secs(10))
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        if let Refusal::Broken(error) = &refusal {
            tracing::error!(%error, "a channel cannot be opened");
            return Self::not_stored();
        }
        Self::new(StatusCode::SERVICE_UNAVAILABLE, refusal.to_string()).after(Duration::from_secs(600))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.text + "\n"));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        if let Some(wait) = self.wait {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs_f64().ceil() as u64));
        }
        response
    }
}

/// 200 without a body, as smee answers a post.
pub fn taken() -> Response {
    Response::new(Body::empty())
}
