//! The whole site as one service: what happens to every request before and after its handler.
//!
//! Written by hand and not as a stack of layers, because the webhook endpoints must answer in a
//! few microseconds: they are matched here and never enter the router.

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use futures_util::FutureExt;
use http::uri::{PathAndQuery, Uri};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use tower::{Service, ServiceExt};
use tracing::Instrument;

use super::health::PROBES;
use super::shared::Shared;
use super::{ingest, reply};
use crate::apps::http_api::ApiError;

/// The whole site. Cheap to clone.
#[derive(Clone)]
pub struct Site {
    shared: Arc<Shared>,
    router: Router,
}

impl Site {
    pub(super) fn new(shared: Arc<Shared>, router: Router) -> Self {
        Self { shared, router }
    }

    /// Answers one request. Never fails and never panics.
    pub async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let id = request_id(request.headers());
        let answered = AssertUnwindSafe(self.route(request, &id)).catch_unwind().await;
        let mut response = answered.unwrap_or_else(|panic| {
            let request_id = id.to_str().unwrap_or_default();
            tracing::error!(request_id, panic = reply::panic_text(&*panic), "a request handler panicked");
            ApiError::internal().into_response()
        });
        response.headers_mut().insert("x-request-id", id);
        response
    }

    async fn route(&self, mut request: Request<Body>, id: &HeaderValue) -> Response<Body> {
        let probe = PROBES.contains(&request.uri().path().trim_end_matches('/'));
        if self.shared.https_only && !probe && came_over_plain_http(request.headers()) {
            return to_https(&request);
        }
        let permit = self.shared.permits.try_acquire();
        if permit.is_err() && !probe {
            self.shared.metrics.shed();
            return ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "Too many requests at a time. Try again later.")
                .into_response();
        }
        strip_slash(request.uri_mut());
        let path = request.uri().path();
        if let Some(hook) = self.shared.hooks.iter().find(|hook| hook.path == path) {
            return ingest::receive(&self.shared, hook, request, id).await;
        }
        let request_id = id.to_str().unwrap_or_default();
        let span = tracing::info_span!("request", request_id, method = %request.method(), path);
        let response = match self.router.clone().oneshot(request).instrument(span).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        reply::with_json_errors(response).await
    }
}

impl Service<Request<Body>> for Site {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let site = self.clone();
        Box::pin(async move { Ok(site.answer(request).await) })
    }
}

/// The caller's request id when it is harmless, else a new one (in order of time).
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let given = headers.get("x-request-id").filter(|value| {
        let harmless = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        (1..=128).contains(&value.len()) && value.as_bytes().iter().all(harmless)
    });
    match given {
        Some(id) => id.clone(),
        None => {
            let mut buffer = uuid::Uuid::encode_buffer();
            let text = uuid::Uuid::now_v7().hyphenated().encode_lower(&mut buffer);
            HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("-"))
        }
    }
}

fn came_over_plain_http(headers: &HeaderMap) -> bool {
    // A chain of proxies appends; the first value is what the client spoke.
    let value = headers.get("x-forwarded-proto").and_then(|value| value.to_str().ok());
    value.and_then(|list| list.split(',').next()).is_some_and(|proto| proto.trim().eq_ignore_ascii_case("http"))
}

fn to_https(request: &Request<Body>) -> Response<Body> {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    let location =
        host.and_then(|host| Uri::builder().scheme("https").authority(host).path_and_query(path).build().ok());
    match location {
        Some(uri) => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, uri.to_string())]).into_response(),
        None => ApiError::new(StatusCode::BAD_REQUEST, "The Host header is missing or not valid.").into_response(),
    }
}

/// Takes one slash off the end, so that each path has one spelling and needs no redirect (which
/// would turn a POST into a GET in many clients).
fn strip_slash(uri: &mut Uri) {
    let Some(stripped) = uri.path().strip_suffix('/').filter(|path| !path.is_empty()) else { return };
    let rewritten = match uri.query() {
        Some(query) => PathAndQuery::try_from(format!("{stripped}?{query}")),
        None => PathAndQuery::try_from(stripped),
    };
    if let Ok(path_and_query) = rewritten {
        let mut parts = std::mem::take(uri).into_parts();
        parts.path_and_query = Some(path_and_query);
        *uri = Uri::from_parts(parts).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slash_is_stripped_and_the_query_kept() {
        let cases = [
            ("/", "/"),
            ("/a", "/a"),
            ("/a/", "/a"),
            ("/a/?x=/", "/a?x=/"),
            ("/a//", "/a/"),
            ("//", "/"),
            ("http://host/a/", "http://host/a"),
        ];
        for (given, expected) in cases {
            let mut uri: Uri = given.parse().expect("uri");
            strip_slash(&mut uri);
            assert_eq!(uri.to_string(), expected, "{given}");
        }
    }

    #[test]
    fn only_a_harmless_request_id_is_taken_over() {
        for (given, taken) in [("abc-1_2.3", true), ("", false), ("a b", false), ("a\u{7f}", false), ("ä", false)] {
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_bytes(given.as_bytes()) {
                headers.insert("x-request-id", value);
            }
            assert_eq!(request_id(&headers).as_bytes() == given.as_bytes(), taken, "{given:?}");
        }
        let mut headers = HeaderMap::new();
        headers.insert("x-request-id", HeaderValue::from_str(&"a".repeat(129)).expect("value"));
        assert_eq!(request_id(&headers).len(), 36);
    }
}
