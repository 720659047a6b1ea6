//! Answers that no handler wrote itself.

use std::any::Any;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::response::IntoResponse;
use http::{Response, StatusCode, header};
use serde_json::json;

use crate::apps::http_api::ApiError;

/// Longest plain-text error that is wrapped, in bytes; the framework's are far shorter.
const TEXT_MAX: usize = 4096;

/// 404 for a path that is not served.
pub async fn not_found() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "Not Found")
}

/// 405 for a method that a path does not serve.
pub async fn method_not_allowed() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
}

/// Wraps an error that the framework answered as plain text (a path or query that does not
/// parse) as `{"detail": …}`, like all others.
pub async fn with_json_errors(response: Response<Body>) -> Response<Body> {
    let plain =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    let status = response.status();
    if !plain || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let text = to_bytes(body, TEXT_MAX).await.unwrap_or_default();
    let detail = String::from_utf8_lossy(&text);
    let mut wrapped = Json(json!({ "detail": detail })).into_response();
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    wrapped.headers_mut().extend(parts.headers);
    *wrapped.status_mut() = status;
    wrapped
}

/// What a panic said.
pub fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text")
}
