//! One exchange with GitHub: the single loop that every call goes through, whoever speaks.
//!
//! Knows limits, retries and redirects; does not know what a 401 means.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};
use url::Url;

use super::call::{Answer, Call};
use super::client::Tuning;
use super::error::{Error, said};
use super::etag::Etags;
use super::rate::{self, Account, Hold, Kind, Limit, Limits};
use crate::util::calls::{self, ApiCall};
use crate::util::{Clock, Secret, host};

const AGENT: &str = concat!("pforge/", env!("CARGO_PKG_VERSION"));
const API_VERSION: &str = "2022-11-28";
/// GitHub serves files of up to 100 MB; nothing that it answers is larger.
const MAX_BODY: usize = 128 << 20;
/// Shorter than servers keep an idle connection: a POST that meets its end cannot be repeated.
const IDLE: Duration = Duration::from_secs(45);
/// A renamed repository answers one redirect, a renamed owner and repository two.
const MAX_REDIRECTS: u8 = 5;
/// What GitHub calls a request, for its support.
const REQUEST_ID: &str = "x-github-request-id";
/// Longer addresses are no page of GitHub's.
const MAX_PAGE_URL: usize = 500;

/// The way to one GitHub, with what is known about its limits.
pub(super) struct Transport {
    http: reqwest::Client,
    base: Url,
    tuning: Tuning,
    clock: Clock,
    limits: Limits,
    gate: Semaphore,
    etags: Etags,
}

/// Why there is no answer.
struct Failure {
    reason: String,
    /// The request certainly did not reach GitHub.
    never_sent: bool,
}

/// What goes over the wire, the same for each attempt.
struct Wire<'a> {
    call: &'a Call,
    url: Url,
    headers: HeaderMap,
}

impl Transport {
    pub(super) fn new(mut base: Url, tuning: Tuning, clock: Clock) -> Result<Self, Error> {
        if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
            return Err(Error::Invalid("the address of GitHub's API is not an http(s) address".into()));
        }
        base.set_query(None);
        base.set_fragment(None);
        let path = format!("{}/", base.path().trim_end_matches('/'));
        base.set_path(&path);
        let mut builder = reqwest::Client::builder()
            .connect_timeout(tuning.connect_timeout)
            .timeout(tuning.timeout)
            .pool_idle_timeout(IDLE)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false);
        if host::is_own(&base) {
            // A proxy for the outside cannot reach this machine's own addresses.
            builder = builder.no_proxy();
            if base.scheme() == "http" {
                // Reading the system's certificates takes a while and fails where there are none.
                builder = builder.tls_certs_only([]);
            }
        }
        let http = builder.build().map_err(|error| Error::Invalid(format!("no HTTP client: {}", chain(&error))))?;
        let (limits, gate) = (Limits::new(tuning.budget), Semaphore::new(tuning.concurrency));
        Ok(Self { http, base, tuning, clock, limits, gate, etags: Etags::default() })
    }

    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    pub(super) fn tuning(&self) -> &Tuning {
        &self.tuning
    }

    /// Sends `call` until there is an answer that waiting does not improve. Any status is an
    /// answer; only a limit that lasts longer than our patience before sending is an error here.
    pub(super) async fn exchange(
        &self,
        call: &Call,
        bearer: Option<&Secret>,
        account: Account,
    ) -> Result<Answer, Error> {
        let mut wire = Wire { call, url: self.address(call)?, headers: headers(call, bearer)? };
        let etag_key = (account, wire.url.to_string(), call.accept);
        let conditional = call.conditional && call.method == Method::GET;
        let kept = if conditional { self.etags.answer(&etag_key) } else { None };
        if let Some(tag) = kept.as_ref().and_then(|answer| answer.headers.get(ETAG)) {
            wire.headers.insert(IF_NONE_MATCH, tag.clone());
        }
        let mut patience = self.tuning.patience;
        let mut attempt = 1;
        loop {
            patience = self.wait_for_limits(call, account, patience).await?;
            let outcome = self.attempt(&wire, attempt).await.map(|answer| Answer { attempts: attempt, ..answer });
            if let Ok(answer) = &outcome {
                let limit = self.learn(call, account, answer);
                if limit.is_some_and(|limit| limit.wait <= patience) && attempt < self.tuning.attempts {
                    attempt += 1;
                    continue;
                }
            }
            let last = attempt >= self.tuning.attempts;
            let asked = match outcome {
                Err(failure) if last || !(call.repeatable || failure.never_sent) => {
                    return Err(transport_error(call, failure.reason, attempt));
                }
                Err(_) => None,
                Ok(answer) if !last && call.repeatable && self.is_passing(&answer, patience) => {
                    self.retry_after(&answer)
                }
                Ok(answer) if answer.status == StatusCode::NOT_MODIFIED => return Ok(kept.unwrap_or(answer)),
                Ok(answer) => {
                    if conditional && answer.status == StatusCode::OK {
                        self.etags.keep(etag_key, &answer);
                    }
                    return Ok(answer);
                }
            };
            sleep(self.tuning.backoff.delay(attempt, asked, fastrand::f64())).await;
            attempt += 1;
        }
    }

    /// How long GitHub wants us to wait after `answer`, a failure.
    pub(super) fn retry_after(&self, answer: &Answer) -> Option<Duration> {
        let now = answer.date().unwrap_or_else(|| self.clock.now());
        match rate::limit(answer.status, &answer.headers, &said(&answer.body).message, now) {
            Some(limit) => Some(limit.wait),
            None => rate::retry_after(&answer.headers, now),
        }
    }

    /// Whether a gateway's failure is likely to be over soon. One that lasts longer than our
    /// patience is for the caller, who can do something else meanwhile.
    fn is_passing(&self, answer: &Answer, patience: Duration) -> bool {
        matches!(answer.status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
            && self.retry_after(answer).is_none_or(|wait| wait <= patience)
    }

    /// Waits until the account may send; returns the patience that is left.
    async fn wait_for_limits(&self, call: &Call, account: Account, patience: Duration) -> Result<Duration, Error> {
        let mut left = patience;
        loop {
            let path = call.shown_path();
            match self.limits.admit(account, &call.method, &path, left, Instant::now()) {
                Ok(wait) => {
                    if !wait.is_zero() {
                        sleep(wait).await;
                    }
                    return Ok(left.saturating_sub(wait));
                }
                Err(hold) if hold.wait > left => return Err(held(call, hold)),
                Err(hold) => {
                    sleep(hold.wait).await;
                    left = left.saturating_sub(hold.wait);
                }
            }
        }
    }

    /// Remembers what `answer` says about limits; the limit if that is why it failed.
    fn learn(&self, call: &Call, account: Account, answer: &Answer) -> Option<Limit> {
        let now = answer.date().unwrap_or_else(|| self.clock.now());
        let refused = !answer.status.is_success() && answer.status != StatusCode::NOT_MODIFIED;
        let message = if refused { said(&answer.body).message } else { String::new() };
        let limit = rate::limit(answer.status, &answer.headers, &message, now);
        let (known, status) = match (limit, rate::used_up(&answer.headers, now)) {
            (Some(limit), _) => (limit, answer.status),
            (None, Some(wait)) if !wait.is_zero() => (Limit { kind: Kind::Primary, wait }, StatusCode::FORBIDDEN),
            _ => return None,
        };
        let message = if message.is_empty() { "the rate limit is used up" } else { &message };
        self.limits.block(account, &call.shown_path(), known, (status, message), Instant::now());
        tracing::debug!(?account, kind = ?known.kind, wait = ?known.wait, "rate limit");
        limit
    }

    /// One request, and the redirects that it meets.
    async fn attempt(&self, wire: &Wire<'_>, attempt: u32) -> Result<Answer, Failure> {
        // The gate is never closed; without a permit the call would only be less polite.
        let _permit = self.gate.acquire().await.ok();
        let (at, started) = (self.clock.now(), Instant::now());
        let outcome = self.follow(wire).await;
        let (method, path) = (&wire.call.method, wire.call.shown_path());
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        match &outcome {
            Ok(answer) => tracing::debug!(%method, path, status = answer.status.as_u16(), ms, attempt, "github call"),
            Err(failure) => tracing::debug!(%method, path, reason = failure.reason, ms, attempt, "github call failed"),
        }
        calls::tell(|| told(wire.call, &outcome, at, ms, attempt));
        outcome
    }

    async fn follow(&self, wire: &Wire<'_>) -> Result<Answer, Failure> {
        let (mut url, mut headers) = (wire.url.clone(), wire.headers.clone());
        for _ in 0..=MAX_REDIRECTS {
            let answer = self.once(wire.call, url.clone(), headers.clone()).await?;
            // GitHub asks to repeat the call as it was, also for 301 and 302.
            if !matches!(answer.status.as_u16(), 301 | 302 | 307 | 308) {
                return Ok(answer);
            }
            let location = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok());
            let Some(target) = location.and_then(|text| url.join(text).ok()) else { return Ok(answer) };
            if target.origin() != self.base.origin() {
                // Files are served elsewhere, by an address that is its own proof. Nothing that
                // proves who we are may go there, nor may anything be written there.
                let downgrade = self.base.scheme() == "https" && target.scheme() != "https";
                if !wire.call.method.is_safe() || downgrade {
                    return Ok(answer);
                }
                headers.remove(AUTHORIZATION);
            }
            url = target;
        }
        Err(Failure { reason: "too many redirects".into(), never_sent: false })
    }

    async fn once(&self, call: &Call, url: Url, headers: HeaderMap) -> Result<Answer, Failure> {
        let server = server(&url);
        let failed = |error: reqwest::Error| Failure {
            never_sent: error.is_connect(),
            reason: reason(&error.without_url(), &server),
        };
        let mut request = self.http.request(call.method.clone(), url).headers(headers);
        if let Some(body) = &call.body {
            request = request.body(body.clone());
        }
        let mut response = request.send().await.map_err(failed)?;
        let (version, status) = (response.version(), response.status());
        let headers = std::mem::take(response.headers_mut());
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(Failure { reason: "the answer is too large".into(), never_sent: false });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { version, status, headers, body: Bytes::from(body), attempts: 1 })
    }

    /// The full address of a call; one that GitHub gave must lead to the same GitHub.
    fn address(&self, call: &Call) -> Result<Url, Error> {
        let invalid = |reason: &str| Error::Invalid(format!("{} {}: {reason}", call.method, call.shown_path()));
        let given = call.path.starts_with("http://") || call.path.starts_with("https://");
        let mut url = if given {
            Url::parse(&call.path).map_err(|_| invalid("not an address"))?
        } else {
            let text = format!("{}{}", self.base, call.path.trim_start_matches('/'));
            Url::parse(&text).map_err(|_| invalid("not a path"))?
        };
        if url.origin() != self.base.origin() {
            return Err(invalid("leads to another host than GitHub's API"));
        }
        if !given && !url.path().starts_with(self.base.path()) {
            return Err(invalid("leads out of the API"));
        }
        url.set_fragment(None);
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        Ok(url)
    }
}

/// What is told of one attempt of `call`: nothing of its body or its credentials.
fn told(call: &Call, outcome: &Result<Answer, Failure>, at: DateTime<Utc>, ms: u64, attempt: u32) -> ApiCall {
    let answer = outcome.as_ref().ok();
    let request_id = answer.and_then(|answer| answer.headers.get(REQUEST_ID)?.to_str().ok());
    ApiCall {
        at,
        method: call.method.to_string(),
        path: call.shown_path(),
        status: answer.map(|answer| answer.status.as_u16()),
        ms,
        attempt,
        request_id: request_id.map(str::to_owned),
        url: answer.and_then(|answer| made(call, answer)),
        error: outcome.as_ref().err().map(|failure| failure.reason.clone()),
    }
}

/// The page of what a writing call made or changed.
fn made(call: &Call, answer: &Answer) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Page {
        html_url: String,
    }
    if call.method.is_safe() || call.confidential || !answer.status.is_success() {
        return None;
    }
    let page: Page = serde_json::from_slice(&answer.body).ok()?;
    (page.html_url.len() <= MAX_PAGE_URL).then_some(page.html_url)
}

fn headers(call: &Call, bearer: Option<&Secret>) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static(call.accept));
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    headers.insert("x-github-api-version", HeaderValue::from_static(API_VERSION));
    if call.body.is_some() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Some(bearer) = bearer {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", bearer.expose()))
            .map_err(|_| Error::Credentials("the token cannot stand in a header".into()))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    for name in call.headers.keys() {
        headers.remove(name);
        for value in call.headers.get_all(name) {
            headers.append(name, value.clone());
        }
    }
    Ok(headers)
}

fn held(call: &Call, hold: Hold) -> Error {
    super::explain::status_error(
        call,
        super::explain::Refusal {
            status: hold.status.as_u16(),
            said: super::error::Said { message: hold.reason, ..Default::default() },
            retry_after: Some(hold.wait),
            ..Default::default()
        },
    )
}

fn transport_error(call: &Call, reason: String, attempts: u32) -> Error {
    let reason = if attempts > 1 { format!("{reason} (tried {attempts} times)") } else { reason };
    Error::Transport { method: call.method.to_string(), path: call.shown_path(), reason }
}

/// Whom `url` speaks to: the host, and the port unless it is the scheme's own.
fn server(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Why `server` did not answer, in a person's words.
fn reason(error: &reqwest::Error, server: &str) -> String {
    let text = chain(error);
    if text.contains("dns error") {
        return format!("there is no host {server}: is the name right, and is this machine online?");
    }
    match text.rsplit_once(": ") {
        Some((_, last)) if error.is_connect() => format!("cannot connect to {server}: {last}"),
        _ => text,
    }
}

/// The library's error and its causes on one line; addresses were taken out before.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::github::auth::Auth;

    fn address(base: &str, path: &str) -> Result<String, Error> {
        let base = Url::parse(base).expect("base");
        let transport = Transport::new(base, Tuning::default(), Clock::system()).expect("transport");
        transport.address(&Call::get(path, Auth::Anonymous).query("a", "b c")).map(String::from)
    }

    #[test]
    fn addresses_stay_inside_the_api() {
        let good = [
            ("https://api.github.com", "/app", "https://api.github.com/app?a=b+c"),
            ("https://api.github.com/", "app?x=1", "https://api.github.com/app?x=1&a=b+c"),
            ("https://ghes.example/api/v3", "/app", "https://ghes.example/api/v3/app?a=b+c"),
            ("https://ghes.example/api/v3/", "/app", "https://ghes.example/api/v3/app?a=b+c"),
            (
                "https://ghes.example/api/v3",
                "https://ghes.example/api/v3/x?p=2",
                "https://ghes.example/api/v3/x?p=2&a=b+c",
            ),
            ("http://127.0.0.1:9", "//evil.example/x", "http://127.0.0.1:9/evil.example/x?a=b+c"),
        ];
        for (base, path, expected) in good {
            assert_eq!(address(base, path).expect(path), expected);
        }
        let bad = [
            ("https://api.github.com", "https://evil.example/app"),
            ("https://api.github.com", "http://api.github.com/app"),
            ("https://api.github.com", "https://api.github.com:444/app"),
            ("https://ghes.example/api/v3", "/../../settings"),
            ("https://ghes.example/api/v3", "/%2e%2e/x"),
        ];
        for (base, path) in bad {
            assert!(matches!(address(base, path), Err(Error::Invalid(_))), "{path}");
        }
    }
}
