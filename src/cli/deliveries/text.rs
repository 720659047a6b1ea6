//! How deliveries read.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::cli::job::field;
use crate::cli::ui::{Cell, Tone};
use crate::github::api::apps::HookDelivery;
use crate::util::text::duration;

/// GitHub gives a receiver ten seconds; from two on it is time to look why.
const SLOW: Duration = Duration::from_secs(2);

/// The first eight characters of a GUID.
pub fn short(guid: &str) -> &str {
    guid.get(..8).unwrap_or(guid)
}

/// A time as lists show it, in UTC.
pub fn clock(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// How long the receiver took.
pub fn took(attempt: &HookDelivery) -> Option<Duration> {
    attempt.duration.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}

/// Whether so much of GitHub's ten seconds was used that somebody should look.
pub fn slow(attempt: &HookDelivery) -> bool {
    took(attempt).is_some_and(|took| took >= SLOW)
}

/// What was answered to an attempt: status and time.
pub fn answered(attempt: &HookDelivery) -> Cell {
    let code = match attempt.status_code {
        0 => attempt.status.clone(),
        code => code.to_string(),
    };
    let text = took(attempt).map_or_else(|| code.clone(), |took| format!("{code}  {}", duration(took)));
    let tone = match attempt.status_code {
        200..300 if slow(attempt) => Tone::Warn,
        200..300 => Tone::Good,
        300..500 => Tone::Warn,
        _ => Tone::Bad,
    };
    Cell::toned(text, tone)
}

/// What became of an event locally.
pub fn local_status(row: &Value) -> Cell {
    match field(row, "status") {
        // As the jobs say it: delivered it was.
        "failed" => Cell::toned("dead", Tone::Bad),
        "refused" => Cell::toned("refused", Tone::Bad),
        "queued" => Cell::toned("queued", Tone::Warn),
        "done" => Cell::toned("done", Tone::Good),
        status => Cell::toned(status, Tone::Dim),
    }
}

/// Headers without what could be used to forge or to log in.
pub fn masked(headers: &Map<String, Value>) -> Map<String, Value> {
    let hide = |name: &str| {
        let name = name.to_ascii_lowercase();
        ["signature", "authorization", "cookie", "api-key", "token"].iter().any(|secret| name.contains(secret))
    };
    let shown = |(name, value): (&String, &Value)| match value.as_str().filter(|_| hide(name)) {
        Some(text) => {
            let kind = text.split_once('=').map_or(String::new(), |(kind, _)| format!("{kind}="));
            (name.clone(), Value::from(format!("{kind}********")))
        }
        None => (name.clone(), value.clone()),
    };
    headers.iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{masked, short};

    #[test]
    fn what_proves_who_speaks_is_hidden() {
        let headers = json!({
            "X-Hub-Signature-256": "sha256=0123",
            "x-hub-signature": "sha1=0123",
            "Authorization": "Bearer x",
            "Set-Cookie": "s",
            "X-GitHub-Event": "push",
        });
        let expected = json!({
            "X-Hub-Signature-256": "sha256=********",
            "x-hub-signature": "sha1=********",
            "Authorization": "********",
            "Set-Cookie": "********",
            "X-GitHub-Event": "push",
        });
        assert_eq!(Some(&masked(headers.as_object().expect("an object"))), expected.as_object());
        assert_eq!((short("0123456789"), short("ä")), ("01234567", "ä"));
    }
}
