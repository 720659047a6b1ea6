//! `ETag` and `Cache-Control`: whoever has an answer already need not be sent it again.

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use crate::apps::http_api::ApiError;

/// Anybody may keep it, and asks before each use whether it is still so.
const PUBLIC: HeaderValue = HeaderValue::from_static("no-cache");
/// The same, but only for who asked with a key.
const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");
/// Nothing to keep.
const NEVER: HeaderValue = HeaderValue::from_static("no-store");

/// A middleware: gives the answers to GET an `ETag` made of their bytes, and answers 304 without a
/// body to who has them (`If-None-Match`). Streams pass as they are.
pub async fn revalidate(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let known: Vec<HeaderValue> = request.headers().get_all(header::IF_NONE_MATCH).iter().cloned().collect();
    let keep = if request.headers().contains_key("x-api-key") { PRIVATE } else { PUBLIC };
    let mut response = next.run(request).await;
    let good = reads && response.status() == StatusCode::OK;
    let streams = response.body().size_hint().exact().is_none();
    let policy = if good && !streams { keep } else { NEVER };
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(policy);
    if !good || streams || response.headers().contains_key(header::ETAG) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    // The body is in memory already.
    let Ok(bytes) = to_bytes(body, usize::MAX).await else { return ApiError::internal().into_response() };
    let tag = format!("\"{}\"", hex::encode(&digest(&SHA256, &bytes).as_ref()[..16]));
    if let Ok(tag) = HeaderValue::try_from(&tag) {
        head.headers.insert(header::ETAG, tag);
    }
    if matches(&known, &tag) {
        return (StatusCode::NOT_MODIFIED, kept(head.headers)).into_response();
    }
    Response::from_parts(head, Body::from(bytes))
}

/// Whether one of the client's tags is `tag`; a weak one (which a proxy that packs makes of ours) is.
fn matches(known: &[HeaderValue], tag: &str) -> bool {
    let lists = known.iter().filter_map(|value| value.to_str().ok());
    lists
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .any(|given| given == "*" || given.strip_prefix("W/").unwrap_or(given) == tag)
}

/// What a 304 repeats: all but what describes the body that it does not have.
fn kept(mut headers: HeaderMap) -> HeaderMap {
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_ENCODING] {
        headers.remove(name);
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_weakly() {
        for (known, expected) in [
            (vec![], false),
            (vec!["\"a\""], true),
            (vec!["W/\"a\""], true),
            (vec!["\"b\", \"a\""], true),
            (vec!["\"b\"", "\"a\""], true),
            (vec!["*"], true),
            (vec!["a"], false),
            (vec!["\"ab\""], false),
        ] {
            let values: Vec<HeaderValue> = known.iter().map(|value| HeaderValue::from_static(value)).collect();
            assert_eq!(matches(&values, "\"a\""), expected, "{known:?}");
        }
    }
}
