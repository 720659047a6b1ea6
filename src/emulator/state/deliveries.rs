//! Deliveries: what was, or is to be, sent to the hook of an App.

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};

use crate::emulator::state::World;
use crate::util::Secret;

/// How many deliveries are remembered.
const KEPT: usize = 10_000;

/// How long github.com shows deliveries to their App; an Enterprise Server keeps them for 7 days.
///
/// Source: <https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks>
pub const RETENTION: TimeDelta = TimeDelta::days(3);

/// One attempt to deliver an event.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its id; every attempt has its own.
    pub id: i64,
    /// GUID of the event; attempts and Apps share it.
    pub guid: String,
    /// The App.
    pub app: i64,
    /// Event name.
    pub event: String,
    /// Its action.
    pub action: Option<String>,
    /// Installation through which the App is told.
    pub installation: Option<i64>,
    /// Repository that it is about.
    pub repository: Option<i64>,
    /// Whether it repeats an earlier attempt.
    pub redelivery: bool,
    /// Compact JSON.
    pub payload: Bytes,
    /// Deviations from a well-formed delivery, for demonstrations of what a receiver must refuse.
    pub tampering: Option<Tampering>,
    /// When it was sent.
    pub delivered_at: DateTime<Utc>,
    /// What came of it; `None` while it is under way.
    pub outcome: Option<Outcome>,
}

/// How a delivery differs from what GitHub would send.
#[derive(Clone, Debug, Default)]
pub struct Tampering {
    /// Send to this address instead of the hook's.
    pub url: Option<String>,
    /// Sign with this secret instead of the hook's.
    pub secret: Option<Secret>,
    /// Headers to add or replace; `None` removes one.
    pub headers: Vec<(String, Option<String>)>,
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// `OK`, `Invalid HTTP Response: 501`, `timed out`, `failed to connect to host`.
    pub status: String,
    /// HTTP status of the answer; 502 and 504 without one.
    pub status_code: u16,
    /// How long it took.
    pub duration: TimeDelta,
    /// Where it went.
    pub url: String,
    /// Headers that were sent.
    pub request_headers: Vec<(String, String)>,
    /// Headers of the answer.
    pub response_headers: Vec<(String, String)>,
    /// Body of the answer.
    pub response_body: Option<String>,
}

impl World {
    /// Files a delivery to be sent and gives its id.
    pub fn file_delivery(&mut self, mut delivery: Delivery) -> i64 {
        delivery.id = self.id();
        let id = delivery.id;
        self.deliveries.insert(id, delivery);
        self.outbox.push(id);
        while self.deliveries.len() > KEPT {
            self.deliveries.pop_first();
        }
        id
    }

    /// Files another attempt of delivery `id`, with the same GUID.
    pub fn redeliver(&mut self, id: i64) -> Option<i64> {
        let original = self.deliveries.get(&id)?.clone();
        let now = self.now();
        Some(self.file_delivery(Delivery {
            redelivery: true,
            delivered_at: now,
            outcome: None,
            tampering: None,
            ..original
        }))
    }

    /// Deliveries that `app` may still see, oldest first, before the one with id `before`: those that have ended and
    /// are not older than [`World::retention`].
    pub fn deliveries_of(&self, app: i64, before: i64) -> impl DoubleEndedIterator<Item = &Delivery> {
        let oldest = self.now() - self.retention;
        let shown = move |d: &&Delivery| d.app == app && d.outcome.is_some() && d.delivered_at > oldest;
        self.deliveries.range(..before).map(|(_, d)| d).filter(shown)
    }

    /// The delivery `id` of `app`, also one that is under way, unless it is older than [`World::retention`].
    pub fn delivery_of(&self, app: i64, id: i64) -> Option<&Delivery> {
        let oldest = self.now() - self.retention;
        self.deliveries.get(&id).filter(|d| d.app == app && d.delivered_at > oldest)
    }

    /// Deliveries that are still under way.
    pub fn pending_deliveries(&self) -> usize {
        self.deliveries.values().filter(|d| d.outcome.is_none()).count()
    }
}
