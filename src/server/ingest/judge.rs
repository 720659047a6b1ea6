//! What becomes of a received request: pure, so that it may run on any thread.

use std::borrow::Cow;

use axum::body::Bytes;
use http::{HeaderMap, HeaderName, StatusCode, header};
use serde_json::{Map, Value, json};

use super::{Answer, Hook};
use crate::apps::payload::{Payload, PayloadError};
use crate::apps::{Decision, Delivery};
use crate::github::headers::{DELIVERY, EVENT, HOOK_ID, SIGNATURE_1, SIGNATURE_256};
use crate::github::signature::Key;
use crate::store::ingest::NewDelivery;
use crate::util::Clock;

/// Longest `X-GitHub-Delivery`; GitHub's are UUIDs of 36.
const GUID_MAX: usize = 128;
/// Longest `X-GitHub-Event`.
const EVENT_MAX: usize = 64;
/// Longest `X-GitHub-Hook-ID`.
const HOOK_ID_MAX: usize = 64;

/// What becomes of a request.
pub enum Verdict {
    /// It is a delivery: store it (with answer and jobs from the decision), then answer.
    Taken(Box<NewDelivery>, Decision),
    /// It is none. Nothing of it is stored.
    Refused(Refusal),
}

/// Why a request is not a delivery.
pub struct Refusal {
    /// What is answered.
    pub answer: Answer,
    /// For the log.
    pub reason: Cow<'static, str>,
    /// Whether the signature was right.
    pub verified: bool,
}

impl Refusal {
    fn unverified(answer: &Answer, reason: &'static str) -> Self {
        Self { answer: answer.clone(), reason: Cow::Borrowed(reason), verified: false }
    }

    fn malformed(status: StatusCode, reason: Cow<'static, str>) -> Self {
        Self { answer: Answer::new(status, &json!({ "detail": reason })), reason, verified: true }
    }
}

/// Verifies, reads, and asks the app.
pub fn judge(hook: &Hook, keys: &[Key], headers: &HeaderMap, body: Bytes, clock: &Clock) -> Verdict {
    match take(hook, keys, headers, body, clock) {
        Ok((delivery, decision)) => Verdict::Taken(Box::new(delivery), decision),
        Err(refusal) => Verdict::Refused(refusal),
    }
}

fn take(
    hook: &Hook,
    keys: &[Key],
    headers: &HeaderMap,
    body: Bytes,
    clock: &Clock,
) -> Result<(NewDelivery, Decision), Refusal> {
    let received_at = clock.now();
    verify(hook, keys, headers, &body)?;
    let event = token(headers, EVENT, EVENT_MAX, |byte| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-".contains(&byte)
    })?
    .ok_or_else(|| missing("X-GitHub-Event"))?;
    let guid = token(headers, DELIVERY, GUID_MAX, |byte| byte.is_ascii_graphic())?
        .ok_or_else(|| missing("X-GitHub-Delivery"))?;
    let hook_id = token(headers, HOOK_ID, HOOK_ID_MAX, |byte| byte.is_ascii_graphic())?.unwrap_or_default();
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (payload, envelope) = payload(content_type, &body)?;
    let delivery = Delivery { event, guid, hook_id, payload, envelope };
    let decision = hook.app.decide(&delivery);
    let new = NewDelivery {
        app: hook.name,
        hook_id: hook_id.to_owned(),
        guid: guid.to_owned(),
        event: event.to_owned(),
        action: delivery.envelope.action,
        repo: delivery.envelope.repo,
        installation_id: delivery.envelope.installation_id,
        received_at,
        headers: kept(headers),
        content_type: content_type.to_owned(),
        answer_status: decision.status.as_u16(),
        answer: Value::Null,
        jobs: Vec::new(),
        body: body.clone(),
    };
    Ok((new, decision))
}

fn verify(hook: &Hook, keys: &[Key], headers: &HeaderMap, body: &[u8]) -> Result<(), Refusal> {
    let mut given = headers.get_all(SIGNATURE_256).into_iter();
    let Some(signature) = given.next() else {
        return Err(Refusal::unverified(&hook.missing_signature, "no signature"));
    };
    // Two signatures are one too many: whichever were checked, another program on the way might
    // have checked the other.
    if given.next().is_some() || !keys.iter().any(|key| key.verify(signature.as_bytes(), body)) {
        return Err(Refusal::unverified(&hook.bad_signature, "the signature is wrong"));
    }
    Ok(())
}

/// The value of a header that is given at most once and holds only what `allowed` says.
fn token<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
    longest: usize,
    allowed: fn(u8) -> bool,
) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).into_iter();
    let Some(value) = values.next() else { return Ok(None) };
    let valid = values.next().is_none()
        && (1..=longest).contains(&value.len())
        && value.as_bytes().iter().all(|byte| allowed(*byte));
    match value.to_str() {
        Ok(text) if valid => Ok(Some(text)),
        _ => Err(Refusal::malformed(StatusCode::BAD_REQUEST, Cow::Owned(format!("The header {name} is not valid.")))),
    }
}

fn missing(name: &str) -> Refusal {
    Refusal::malformed(StatusCode::BAD_REQUEST, Cow::Owned(format!("Request does not include the header {name}.")))
}

fn payload<'a>(content_type: &str, body: &'a [u8]) -> Result<(Payload<'a>, crate::apps::payload::Envelope), Refusal> {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let read: Result<_, PayloadError> = if kind.eq_ignore_ascii_case("application/json") {
        Payload::json(body)
    } else if kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        Payload::form(body)
    } else {
        let reason = "The content type must be application/json or application/x-www-form-urlencoded.";
        return Err(Refusal::malformed(StatusCode::UNSUPPORTED_MEDIA_TYPE, Cow::Borrowed(reason)));
    };
    read.map_err(|error| Refusal::malformed(StatusCode::BAD_REQUEST, Cow::Owned(error.to_string())))
}

/// The headers as they are stored: without what could be used to forge or to log in.
fn kept(headers: &HeaderMap) -> Value {
    let secret = |name: &HeaderName| {
        [SIGNATURE_256, SIGNATURE_1].contains(&name.as_str())
            || [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE].contains(name)
            || name.as_str() == "x-api-key"
    };
    let mut map = Map::with_capacity(headers.len());
    for name in headers.keys().filter(|name| !secret(name)) {
        let mut values = headers.get_all(name).into_iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        let mut text = values.next().unwrap_or_default().into_owned();
        for value in values {
            text.push_str(", ");
            text.push_str(&value);
        }
        map.insert(name.as_str().to_owned(), Value::String(text));
    }
    Value::Object(map)
}
