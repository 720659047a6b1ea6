//! The pages: complete documents without anything from elsewhere. Nothing is written into them
//! here, so that there is nothing to inject; what a channel's page shows comes over its event
//! stream.

use std::sync::LazyLock;

use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, StatusCode, header};

const LANDING: &str = include_str!("../../../templates/relay/landing.html");
const CHANNEL: &str = include_str!("../../../templates/relay/channel.html");

/// The policies under which the pages run: their own script and style, and nobody else's.
static LANDING_POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| policy(LANDING));
static CHANNEL_POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| policy(CHANNEL));

/// What a relay is, and a way to a new channel.
pub fn landing() -> Response {
    shown(LANDING, &LANDING_POLICY)
}

/// The page of any channel.
pub fn channel() -> Response {
    shown(CHANNEL, &CHANNEL_POLICY)
}

/// No icon; browsers ask for one.
pub fn icon() -> Response {
    (StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, "max-age=86400")]).into_response()
}

fn shown(page: &'static str, policy: &Option<HeaderValue>) -> Response {
    let Some(policy) = policy else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy.clone()),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        // The address of a channel is all that it takes to read it.
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
        (HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex")),
    ];
    (headers, Html(page)).into_response()
}

fn policy(page: &str) -> Option<HeaderValue> {
    let listed = |tag: &str| {
        let (begin, end) = (format!("<{tag}>"), format!("</{tag}>"));
        let texts = page.split(&begin).skip(1).filter_map(|part| part.split(&end).next());
        let hashes = texts.map(|text| {
            let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
            format!("'sha256-{}'", STANDARD.encode(digest))
        });
        let all = hashes.collect::<Vec<_>>().join(" ");
        if all.is_empty() { "'none'".to_owned() } else { all }
    };
    let text = format!(
        "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; img-src data:; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'",
        listed("script"),
        listed("style")
    );
    HeaderValue::try_from(text).ok()
}

#[cfg(test)]
mod tests {
    use super::{CHANNEL, LANDING, policy};

    #[test]
    fn the_pages_take_nothing_from_elsewhere_and_write_no_markup() {
        for page in [LANDING, CHANNEL] {
            for word in
                ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "src=", "@import", " on"]
            {
                let found = page.match_indices(word).filter(|(at, _)| {
                    word != " on"
                        || page[at + 3..].split('=').next().is_some_and(|name| {
                            !name.is_empty() && name.len() < 12 && name.bytes().all(|b| b.is_ascii_lowercase())
                        })
                });
                assert_eq!(found.count(), 0, "{word}");
            }
            assert!(!page.contains("style=\""), "an inline style is not covered by a hash");
            let policy = policy(page).expect("a header");
            assert!(policy.to_str().expect("text").contains("style-src 'sha256-"));
        }
    }
}
