//! The log of what was asked and answered, for tests and for people who look why something fails.

use std::collections::VecDeque;

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

/// How many exchanges are remembered.
const KEPT: usize = 5000;

/// One exchange.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Its number, from 1.
    pub number: u64,
    /// When it was answered, by the emulator's clock.
    pub at: DateTime<Utc>,
    /// Method.
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// Status of the answer; 0 when the connection was dropped.
    pub status: u16,
    /// Kind of caller: `anonymous`, `person`, `jwt`, `token`, or `refused`.
    pub auth: &'static str,
    /// `User-Agent` of the caller.
    pub agent: String,
    /// Whether a route was found.
    pub known: bool,
    /// Body of the request.
    pub request: Bytes,
    /// Body of the answer.
    pub response: Bytes,
    /// Media type of the answer.
    pub media_type: String,
}

/// The last exchanges.
#[derive(Debug, Default)]
pub struct CallLog {
    count: u64,
    exchanges: VecDeque<Exchange>,
}

impl CallLog {
    /// Adds an exchange and gives it its number.
    pub fn add(&mut self, mut exchange: Exchange) {
        self.count += 1;
        exchange.number = self.count;
        self.exchanges.push_back(exchange);
        if self.exchanges.len() > KEPT {
            self.exchanges.pop_front();
        }
    }

    /// Exchanges after number `after`, oldest first.
    pub fn after(&self, after: u64) -> impl Iterator<Item = &Exchange> {
        self.exchanges.iter().filter(move |e| e.number > after)
    }

    /// Exchanges for which there was no route.
    pub fn unknown(&self) -> impl Iterator<Item = &Exchange> {
        self.exchanges.iter().filter(|e| !e.known)
    }
}

impl Exchange {
    /// The exchange as JSON; bodies that are no JSON become strings, empty ones `null`.
    pub fn to_json(&self) -> Value {
        json!({
            "number": self.number,
            // To the microsecond: this is not GitHub's wire, and latencies are measured by it.
            "at": self.at.to_rfc3339_opts(SecondsFormat::Micros, true),
            "method": self.method,
            "path": self.target,
            "status": self.status,
            "auth": self.auth,
            "user_agent": self.agent,
            "known": self.known,
            "content_type": self.media_type,
            "request": body(&self.request),
            "response": body(&self.response),
        })
    }
}

fn body(bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(bytes).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned()))
}
