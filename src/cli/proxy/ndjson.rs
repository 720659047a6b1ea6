//! A session as NDJSON: one object a line, with its `type`.

use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};
use url::Url;

use super::told::{Ready, Sink, Summary, Told, Webhook};
use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::proxy::forward::Reply;
use crate::proxy::{Notice, Seen};

/// Writes every line to standard output; the first is `ready`.
pub struct Ndjson<'a> {
    cx: &'a Cx,
    ready: Mutex<bool>,
}

impl<'a> Ndjson<'a> {
    /// For the streams of `cx`.
    pub fn new(cx: &'a Cx) -> Self {
        Self { cx, ready: Mutex::new(false) }
    }

    /// The object for what is told; `None` for what has none.
    pub fn object(told: &Told) -> Option<Value> {
        Some(match told {
            Told::Ready(ready) => of_ready(ready),
            Told::Notice(notice) => of_notice(notice)?,
            Told::Stopped(summary) => of_summary(summary),
        })
    }
}

impl Sink for Ndjson<'_> {
    fn tell(&self, told: &Told) -> Result {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        *ready |= matches!(told, Told::Ready(_));
        // Nothing stands before `ready`.
        if !*ready {
            if let Told::Notice(Notice::Reconnecting { reason, .. }) = told {
                self.cx.ui.status(format!("not connected yet: {reason}"));
            }
            return Ok(());
        }
        let Some(mut object) = Self::object(told) else { return Ok(()) };
        object["at"] = json!(self.cx.clock.now());
        self.cx.ui.event(&object)
    }
}

fn of_ready(ready: &Ready) -> Value {
    let app = ready.app.as_ref();
    let public = ready.public.as_ref().map(Url::as_str);
    let webhook = match &ready.webhook {
        Webhook::Updated { previous } => json!({ "state": "updated", "previous": previous, "now": public }),
        Webhook::AlreadyOurs => json!({ "state": "unchanged", "now": public }),
        Webhook::Untouched { now } => json!({ "state": "untouched", "now": now }),
        Webhook::Unknown => json!({ "state": "unknown" }),
    };
    json!({
        "type": "ready",
        "via": ready.via.name(),
        "url": public,
        "target": ready.target.as_str(),
        "app": app.map(|app| json!({ "name": app.name, "id": app.id, "installations": app.installations })),
        "webhook": webhook,
        "mended": ready.mended,
        "pid": std::process::id(),
    })
}

fn of_notice(notice: &Notice) -> Option<Value> {
    let ms = |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    Some(match notice {
        Notice::Connected { again } => json!({ "type": "connected", "again": again }),
        Notice::Reconnecting { reason, wait } => {
            json!({ "type": "reconnecting", "reason": reason, "wait_ms": ms(*wait) })
        }
        Notice::Gap { filled } => json!({ "type": "gap", "filled": filled }),
        Notice::GapOpen { reason } => json!({ "type": "gap", "filled": null, "error": reason }),
        Notice::Received(seen) => {
            let more = json!({
                "about": seen.about,
                "bytes": seen.bytes,
                "signature": seen.verdict.name(),
                "origin": seen.origin.name(),
                "attempt": seen.attempt,
            });
            of_seen("received", seen, more)
        }
        Notice::Forwarded { seen, reply } => {
            let more = json!({
                "status": reply.status,
                "ok": reply.is_good(),
                "ms": ms(reply.took),
                "delivery": header(reply, "x-pforge-delivery"),
                "jobs": header(reply, "x-pforge-jobs").and_then(|jobs| jobs.parse::<u64>().ok()),
            });
            of_seen("forwarded", seen, more)
        }
        Notice::Failed { seen, reason } => of_seen("failed", seen, json!({ "reason": reason })),
        Notice::TargetDown { seen, reason, .. } => of_seen("target_down", seen, json!({ "reason": reason })),
        Notice::TargetUp { after } => json!({ "type": "target_up", "after_ms": ms(*after) }),
        Notice::Mark(_) => return None,
    })
}

fn of_seen(kind: &str, seen: &Seen, more: Value) -> Value {
    let mut object = Map::new();
    for (name, value) in [
        ("type", json!(kind)),
        ("number", json!(seen.number)),
        ("guid", json!(seen.guid)),
        ("event", json!(seen.event)),
        ("action", json!(seen.action)),
    ] {
        object.insert(name.to_owned(), value);
    }
    if let Value::Object(more) = more {
        object.extend(more);
    }
    Value::Object(object)
}

fn of_summary(summary: &Summary) -> Value {
    json!({
        "type": "stopped",
        "received": summary.received,
        "ok": summary.ok,
        "failed": summary.failed,
        "refused": summary.refused,
        "webhook_restored": summary.restored,
        "webhook_not_restored": summary.not_restored,
    })
}

/// A header of an answer as text.
pub fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    reply.headers.get(name).and_then(|value| value.to_str().ok())
}
