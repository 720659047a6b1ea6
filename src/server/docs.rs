//! `/docs`: Swagger UI from embedded files. Nothing is loaded from elsewhere.

use std::io::Read;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, header};

use super::shared::Shared;
use crate::apps::http_api::ApiError;

/// Version and licence: `templates/docs/README.md`.
const BUNDLE: &[u8] = include_bytes!("../../templates/docs/swagger-ui-bundle.js.gz");
const STYLE: &[u8] = include_bytes!("../../templates/docs/swagger-ui.css.gz");
const PAGE: &str = include_str!("../../templates/docs/index.html");
const INIT: &str = include_str!("../../templates/docs/init.js");

/// Scripts and styles only from here, no inline code, no frames, requests only to this server.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const CACHE: &str = "public, max-age=3600";

/// The page, its files, and the document that it shows.
pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/docs", get(page))
        .route("/docs/init.js", get(init))
        .route("/docs/swagger-ui-bundle.js", get(bundle))
        .route("/docs/swagger-ui.css", get(style))
        .route("/openapi.json", get(document))
}

async fn page() -> Response {
    ([(header::CONTENT_SECURITY_POLICY, POLICY), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")], Html(PAGE))
        .into_response()
}

async fn init() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, CACHE)], INIT).into_response()
}

async fn bundle(headers: HeaderMap) -> Result<Response, ApiError> {
    compressed(&headers, "text/javascript; charset=utf-8", BUNDLE)
}

async fn style(headers: HeaderMap) -> Result<Response, ApiError> {
    compressed(&headers, "text/css; charset=utf-8", STYLE)
}

async fn document(State(shared): State<Arc<Shared>>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], shared.openapi.clone()).into_response()
}

/// The file as it lies here for those who take gzip, unpacked for the others.
fn compressed(headers: &HeaderMap, kind: &'static str, gzip: &'static [u8]) -> Result<Response, ApiError> {
    let common = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, CACHE), (header::VARY, "accept-encoding")];
    if takes_gzip(headers) {
        return Ok((common, [(header::CONTENT_ENCODING, "gzip")], gzip).into_response());
    }
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(gzip).read_to_end(&mut plain).map_err(|_| ApiError::internal())?;
    Ok((common, plain).into_response())
}

/// Whether `Accept-Encoding` names gzip (or anything) with a weight above zero.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|entry| {
        let (coding, weight) = entry.split_once(';').unwrap_or((entry, ""));
        let refused = weight.trim().strip_prefix("q=").and_then(|q| q.trim().parse::<f32>().ok()) == Some(0.0);
        matches!(coding.trim().to_ascii_lowercase().as_str(), "gzip" | "x-gzip" | "*") && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_only_sent_to_those_who_take_it() {
        let cases = [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("*", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0, br", false),
            ("identity", false),
            ("", false),
        ];
        for (value, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, value.parse().expect("value"));
            assert_eq!(takes_gzip(&headers), expected, "{value:?}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn the_page_loads_nothing_from_elsewhere() {
        for text in [PAGE, INIT] {
            assert!(!text.contains("//") || !text.contains("http"), "{text}");
        }
        assert!(!PAGE.contains("<script>") && !PAGE.contains("style="), "the policy forbids inline code");
    }
}
