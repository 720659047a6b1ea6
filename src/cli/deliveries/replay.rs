//! Posting events again: with which headers, in which rhythm, and what the answer is compared with.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::recorded::Recorded;
use crate::github::headers::{DELIVERY, SIGNATURE_1, SIGNATURE_256};
use crate::github::signature::Key;
use crate::proxy::incoming::HookIds;
use crate::proxy::{Incoming, Reply};
use crate::util::text::truncate;

/// Characters of a body that are shown of a difference.
const SHOWN: usize = 200;

/// How fast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// The next as soon as the last was answered.
    Max,
    /// So many times as fast as it happened.
    Times(f64),
}

impl Speed {
    /// Reads `10x`, `0.5x` or `max`, for clap.
    ///
    /// # Errors
    /// When it is none.
    pub fn argument(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Self::Max);
        }
        let factor = text.strip_suffix('x').and_then(|number| number.parse::<f64>().ok());
        let factor = factor.filter(|factor| factor.is_finite() && *factor > 0.0);
        factor.map(Self::Times).ok_or_else(|| "not a speed such as 1x, 10x, 0.5x or max".to_owned())
    }

    /// How long after the first event one is posted that happened at `at`.
    pub fn offset(self, first: Option<DateTime<Utc>>, at: Option<DateTime<Utc>>) -> Duration {
        let (Self::Times(factor), Some(first), Some(at)) = (self, first, at) else { return Duration::ZERO };
        let apart = (at - first).to_std().unwrap_or_default();
        Duration::try_from_secs_f64(apart.as_secs_f64() / factor).unwrap_or(Duration::MAX)
    }
}

/// What is posted for `event`: its own headers with `guid`, signed with `key`; without a key,
/// without a signature. `app` is the App's id.
pub fn incoming(event: &Recorded, guid: &str, app: i64, key: Option<&Key>) -> Incoming {
    let ids = HookIds { hook: event.hook(), app };
    // Every header that GitHub sends is there, whatever was kept.
    let unsigned = Key::new(b"");
    let mut made = Incoming::signed(&event.event, guid, ids, key.unwrap_or(&unsigned), event.body.clone());
    let own = |name: &str| {
        [DELIVERY, SIGNATURE_1, SIGNATURE_256].contains(&name)
            || name.starts_with("x-forwarded-")
            || name.starts_with("x-pforge-")
            || (name == "content-type" && !event.exact)
    };
    for (name, value) in event.headers.iter().filter(|(name, _)| !own(name)) {
        made.set_header(name, value.clone());
    }
    if key.is_none() {
        made.headers.retain(|(name, _)| name != SIGNATURE_256);
    }
    made
}

/// The body of an answer: JSON, or text.
pub fn body(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap_or_else(|_| match String::from_utf8_lossy(&reply.body).into_owned() {
        text if text.is_empty() => Value::Null,
        text => Value::String(text),
    })
}

/// How the answer differs from the first one, each difference on a line; nothing when it does not.
pub fn differences(first: &(u16, Value), now: (u16, &Value)) -> Vec<String> {
    let mut told = Vec::new();
    if first.0 != now.0 {
        told.push(format!("status {} → {}", first.0, now.0));
    }
    compare("", &first.1, now.1, &mut told);
    told
}

fn compare(path: &str, first: &Value, now: &Value, told: &mut Vec<String>) {
    let short = |value: &Value| truncate(&value.to_string(), SHOWN);
    let place = if path.is_empty() { "body" } else { path };
    match (first, now) {
        (Value::Object(first), Value::Object(now)) => {
            for (name, value) in first {
                compare(&format!("{path}.{name}"), value, now.get(name).unwrap_or(&Value::Null), told);
            }
            for (name, value) in now.iter().filter(|(name, _)| !first.contains_key(*name)) {
                compare(&format!("{path}.{name}"), &Value::Null, value, told);
            }
        }
        // An empty body is none.
        (Value::Null, Value::String(text)) | (Value::String(text), Value::Null) if text.is_empty() => {}
        (first, now) if first == now => {}
        (first, now) => told.push(format!("{place} {} → {}", short(first), short(now))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(second: i64) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(1_700_000_000 + second, 0)
    }

    #[test]
    fn the_rhythm_is_kept_and_scaled() {
        let speed = |text| Speed::argument(text).expect("a speed");
        for (text, apart, expected) in
            [("1x", 7, 7.0), ("10x", 7, 0.7), ("0.5x", 7, 14.0), ("max", 7, 0.0), ("2x", -7, 0.0)]
        {
            let offset = speed(text).offset(at(0), at(apart));
            assert!((offset.as_secs_f64() - expected).abs() < 1e-6, "{text} {apart}: {offset:?}");
        }
        assert_eq!(speed("2x").offset(None, at(7)), Duration::ZERO);
        for text in ["", "x", "10", "0x", "-1x", "infx", "NaNx", "fast"] {
            assert!(Speed::argument(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_posted_is_signed_anew_and_has_its_own_headers() {
        let headers = [
            ("user-agent", "GitHub-Hookshot/abc"),
            ("x-github-hook-id", "5"),
            ("x-github-delivery", "old"),
            ("x-hub-signature-256", "sha256=bad"),
            ("x-pforge-source", "reconcile"),
            ("x-forwarded-for", "1.2.3.4"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let event = Recorded {
            guid: "old".into(),
            event: "ping".into(),
            action: None,
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            body: "payload=%7B%7D".into(),
            exact: true,
            at: None,
            answer: None,
        };
        let key = Key::new(b"secret");
        let posted = incoming(&event, "new", 7, Some(&key));
        assert_eq!(posted.verify(&[key]), Some(true));
        for (name, expected) in [
            ("x-github-delivery", Some("new")),
            ("x-github-event", Some("ping")),
            ("x-github-hook-id", Some("5")),
            ("user-agent", Some("GitHub-Hookshot/abc")),
            ("content-type", Some("application/x-www-form-urlencoded")),
            ("x-pforge-source", None),
            ("x-forwarded-for", None),
        ] {
            assert_eq!(posted.header(name), expected, "{name}");
        }
        assert_eq!(incoming(&event, "new", 7, None).header(SIGNATURE_256), None);
        // What GitHub tells is JSON, however it was sent.
        let told = Recorded { exact: false, body: "{}".into(), ..event };
        assert_eq!(incoming(&told, "new", 7, None).header("content-type"), Some("application/json"));
    }

    #[test]
    fn differences_name_their_place() {
        let first = (202, json!({ "status": "ok", "jobs": 1, "same": [1] }));
        assert_eq!(differences(&first, (202, &first.1)), Vec::<String>::new());
        let now = json!({ "status": "no", "same": [1], "more": true });
        assert_eq!(
            differences(&first, (500, &now)),
            ["status 202 → 500", ".status \"ok\" → \"no\"", ".jobs 1 → null", ".more null → true"]
        );
        assert_eq!(differences(&(200, Value::Null), (200, &json!(""))), Vec::<String>::new());
        assert_eq!(differences(&(200, json!("a")), (200, &json!("b"))), ["body \"a\" → \"b\""]);
    }
}
