//! New channels, and which part of an address is one.

use std::time::Duration;

use http::header::LOCATION;
use http::{Method, StatusCode};
use reqwest::redirect::Policy;
use url::Url;

use super::http_client_for;
use crate::proxy::forward::chain;

/// How long a server may take to make a channel.
const PATIENCE: Duration = Duration::from_secs(15);
/// The largest answer that is read.
const MAX_ANSWER: usize = 4096;

/// Why there is no channel.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NoChannel {
    /// The server cannot be reached.
    #[error("cannot reach {server}: {reason}")]
    Unreachable {
        /// Which.
        server: String,
        /// Why, as a fragment.
        reason: String,
    },
    /// It answered something else than a channel.
    #[error("{server} answered {status} to /new and named no channel")]
    Refused {
        /// Which.
        server: String,
        /// With which status.
        status: StatusCode,
    },
}

/// Whether `url` names a server only, and no channel on it.
pub fn is_server(url: &Url) -> bool {
    url.path().trim_matches('/').is_empty()
}

/// Asks `server` for a new channel, with `query` for servers that know more than smee's.
///
/// # Errors
/// See [`NoChannel`].
pub async fn create(server: &Url, query: &[(&str, &str)]) -> Result<Url, NoChannel> {
    let shown = || server.as_str().trim_end_matches('/').to_owned();
    let unreachable = |reason: String| NoChannel::Unreachable { server: shown(), reason };
    let http = http_client_for(server, PATIENCE, Policy::none()).map_err(unreachable)?;
    let mut new = server.clone();
    new.set_path(&format!("{}/new", server.path().trim_end_matches('/')));
    if !query.is_empty() {
        new.query_pairs_mut().extend_pairs(query);
    }
    let mut status = StatusCode::NOT_FOUND;
    // smee's own client sends HEAD; servers that do not know it know GET.
    for method in [Method::HEAD, Method::GET] {
        let sent = http.request(method, new.clone()).timeout(PATIENCE).send().await;
        let mut answer = sent.map_err(|error| unreachable(chain(&error)))?;
        status = answer.status();
        let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let named = match location {
            Some(location) => Some(location),
            None if status.is_success() => {
                let mut text = Vec::new();
                while text.len() < MAX_ANSWER
                    && let Ok(Some(chunk)) = answer.chunk().await
                {
                    text.extend_from_slice(&chunk);
                }
                String::from_utf8(text).ok().map(|text| text.trim().to_owned()).filter(|text| text.starts_with("http"))
            }
            None => None,
        };
        if let Some(channel) = named.and_then(|named| server.join(&named).ok()).filter(|url| !is_server(url)) {
            return Ok(as_reached(server, channel));
        }
    }
    Err(NoChannel::Refused { server: shown(), status })
}

/// A server behind a proxy may not know that it is reached by https.
fn as_reached(server: &Url, mut channel: Url) -> Url {
    if server.scheme() == "https" && channel.scheme() == "http" && channel.host_str() == server.host_str() {
        // Both are special schemes: this cannot fail.
        let _ = channel.set_scheme("https");
    }
    channel
}

#[cfg(test)]
mod tests {
    use super::{Url, as_reached, is_server};

    #[test]
    fn servers_and_channels() {
        let url = |text| Url::parse(text).expect("url");
        for (text, server) in [("https://smee.io", true), ("https://smee.io//", true), ("https://smee.io/a", false)] {
            assert_eq!(is_server(&url(text)), server, "{text}");
        }
        for (server, channel, expected) in [
            ("https://a.example", "http://a.example/x", "https://a.example/x"),
            ("https://a.example", "http://b.example/x", "http://b.example/x"),
            ("http://a.example", "http://a.example/x", "http://a.example/x"),
        ] {
            assert_eq!(as_reached(&url(server), url(channel)), url(expected));
        }
    }
}
