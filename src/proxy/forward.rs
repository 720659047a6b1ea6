//! The last leg: one POST to a URL, with the bytes and headers as they came.

use std::error::Error as StdError;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::hop::is_hop;
use super::incoming::Incoming;

/// GitHub waits this long for an answer:
/// <https://docs.github.com/en/webhooks/using-webhooks/best-practices-for-using-webhooks>.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How much of an answer is kept, in bytes.
const KEPT: usize = 64 << 10;

/// Headers that the next request makes itself.
const OWN: [&str; 2] = ["content-length", "host"];

/// Posts deliveries. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Forwarder {
    http: reqwest::Client,
}

/// What the target answered.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, at most 64 KiB of it.
    pub body: Bytes,
    /// From the request to the end of the answer.
    pub took: Duration,
}

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unanswered {
    /// Nobody listens there.
    #[error("connection refused")]
    Refused,
    /// It took longer than allowed.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// Anything else, as a fragment.
    #[error("{0}")]
    Failed(String),
}

impl Reply {
    /// Whether GitHub would count it as delivered.
    pub fn is_good(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Forwarder {
    /// A forwarder. Redirects that keep the method (307, 308) are followed.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new() -> Result<Self, Unanswered> {
        let policy = reqwest::redirect::Policy::custom(|attempt| {
            let keeps_body = matches!(attempt.status().as_u16(), 307 | 308);
            if keeps_body && attempt.previous().len() <= 3 { attempt.follow() } else { attempt.stop() }
        });
        Self::with(policy)
    }

    /// A forwarder for which a redirect is an answer: what it posts must reach nobody else.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn without_redirects() -> Result<Self, Unanswered> {
        Self::with(reqwest::redirect::Policy::none())
    }

    fn with(policy: reqwest::redirect::Policy) -> Result<Self, Unanswered> {
        let client = reqwest::Client::builder().timeout(PATIENCE).redirect(policy).no_proxy().build();
        client.map(|http| Self { http }).map_err(|error| Unanswered::Failed(chain(&error)))
    }

    /// Posts `delivery` to `target` once.
    ///
    /// # Errors
    /// See [`Unanswered`]; an error status is an answer.
    pub async fn post(&self, target: &Url, delivery: &Incoming) -> Result<Reply, Unanswered> {
        let begun = Instant::now();
        let mut headers = HeaderMap::new();
        let passed = |name: &str| !is_hop(name) && !OWN.contains(&name);
        for (name, value) in delivery.headers.iter().filter(|(name, _)| passed(name)) {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                headers.append(name, value);
            }
        }
        let sent = self.http.post(target.clone()).headers(headers).body(delivery.body.clone()).send().await;
        let mut response = sent.map_err(|error| unanswered(&error, PATIENCE))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        while body.len() < KEPT
            && let Some(chunk) = response.chunk().await.map_err(|error| unanswered(&error, PATIENCE))?
        {
            body.extend_from_slice(&chunk);
        }
        body.truncate(KEPT);
        Ok(Reply { status, headers, body: body.into(), took: begun.elapsed() })
    }
}

/// Why a request that was allowed `patience` has no answer.
pub(super) fn unanswered(error: &reqwest::Error, patience: Duration) -> Unanswered {
    if error.is_timeout() {
        return Unanswered::TimedOut(patience);
    }
    let mut source = error.source();
    while let Some(cause) = source {
        let refused = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        if refused == Some(std::io::ErrorKind::ConnectionRefused) {
            return Unanswered::Refused;
        }
        source = cause.source();
    }
    Unanswered::Failed(chain(error))
}

/// What the system's resolver says before the reason.
const LOOKUP: &str = "failed to lookup address information: ";

/// The innermost reason; the outer ones repeat the address.
pub(super) fn chain(error: &reqwest::Error) -> String {
    let mut reason: &dyn StdError = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    if let Some(said) = reason.to_string().strip_prefix(LOOKUP) {
        let host = error.url().and_then(Url::host_str).unwrap_or("the host");
        return format!("{host} is not found: {said}");
    }
    // Without the number of the system.
    let system = reason.downcast_ref::<std::io::Error>().filter(|error| error.raw_os_error().is_some());
    system.map_or_else(|| reason.to_string(), |error| error.kind().to_string())
}
