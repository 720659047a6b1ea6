//! Reading a body within a size and a time.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use bytes::BytesMut;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::BodyExt;

use crate::apps::http_api::ApiError;

/// How much memory a sender gets for the mere promise of a body, in bytes.
const TRUST: usize = 256 * 1024;
/// How long the rest of a refused body is read, so that the sender sees the answer.
const LINGER: Duration = Duration::from_secs(2);

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Longer than allowed.
    #[error("The body is larger than {limit} bytes.")]
    TooLarge {
        /// What is allowed.
        limit: usize,
    },
    /// It did not arrive in time.
    #[error("The body did not arrive in time.")]
    TooSlow,
    /// It ended before its announced length, or its chunks are damaged.
    #[error("The body is not complete.")]
    Broken,
}

impl BodyError {
    /// HTTP status of the answer.
    pub fn status(self) -> StatusCode {
        match self {
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }
}

impl IntoResponse for BodyError {
    fn into_response(self) -> Response {
        let mut response = ApiError::new(self.status(), self.to_string()).into_response();
        // What is left of the body would be taken for the next request.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        response
    }
}

/// The whole body, when it has at most `limit` bytes and arrives within `patience`.
pub async fn read(headers: &HeaderMap, body: &mut Body, limit: usize, patience: Duration) -> Result<Bytes, BodyError> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(BodyError::TooLarge { limit });
    }
    match tokio::time::timeout(patience, collect(body, limit, announced.unwrap_or(0))).await {
        Ok(result) => result,
        Err(_) => Err(BodyError::TooSlow),
    }
}

async fn collect(body: &mut Body, limit: usize, announced: usize) -> Result<Bytes, BodyError> {
    // Most bodies arrive in one piece and are passed on without a copy.
    let mut only = Bytes::new();
    let mut joined = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
        if only.len() + joined.len() + data.len() > limit {
            return Err(BodyError::TooLarge { limit });
        }
        if joined.is_empty() && only.is_empty() {
            only = data;
            continue;
        }
        if joined.is_empty() {
            joined.reserve(announced.min(TRUST).max(only.len() + data.len()));
            joined.extend_from_slice(&std::mem::take(&mut only));
        }
        joined.extend_from_slice(&data);
    }
    Ok(if joined.is_empty() { only } else { joined.freeze() })
}

/// Reads and drops what is left of a refused body, for a short time.
pub async fn discard(mut body: Body) {
    let rest = async { while let Some(Ok(_)) = body.frame().await {} };
    // A sender that is not done by then has had its chance to read the answer.
    let _ = tokio::time::timeout(LINGER, rest).await;
}
