//! One event as both sides know it.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::find::{action, event, name};
use crate::github::api::apps::HookDelivery;

/// An event: all attempts to deliver it, and what was received.
#[derive(Clone, Debug, Default)]
pub struct Event {
    /// `X-GitHub-Delivery`.
    pub guid: String,
    /// GitHub's attempts, oldest first.
    pub attempts: Vec<HookDelivery>,
    /// The local store's row.
    pub local: Option<Value>,
    /// `owner/repo`, where anybody knows it.
    pub repo: Option<String>,
}

/// Where an event stands in the list; the greatest is the newest.
pub type Place = (DateTime<Utc>, i64, i64);

impl Event {
    /// `X-GitHub-Event`.
    pub fn event(&self) -> &str {
        event(&self.attempts, self.local.as_ref())
    }

    /// The payload's `action`.
    pub fn action(&self) -> Option<&str> {
        action(&self.attempts, self.local.as_ref())
    }

    /// `event.action`, or the event alone.
    pub fn name(&self) -> String {
        name(self.event(), self.action())
    }

    /// Whether the first attempt is known, which is the one that is no redelivery.
    pub fn is_whole(&self) -> bool {
        self.attempts.first().is_some_and(|first| !first.redelivery)
    }

    /// When the local store received it first.
    pub fn received_at(&self) -> Option<DateTime<Utc>> {
        let text = self.local.as_ref()?["received_at"].as_str()?;
        Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc())
    }

    /// When it was sent first, as far as anybody knows.
    pub fn at(&self) -> DateTime<Utc> {
        let sent = self.attempts.first().map(|first| first.delivered_at);
        let at = match sent {
            Some(sent) if self.is_whole() => Some(sent),
            sent => sent.into_iter().chain(self.received_at()).min(),
        };
        at.unwrap_or_default()
    }

    /// Its place in the list. Times of the same second are told apart by GitHub's numbers, or by
    /// the store's where GitHub knows nothing of it: whether the store has it may be learnt later.
    pub fn place(&self) -> Place {
        let stored = || self.local.as_ref().and_then(|row| row["id"].as_i64()).unwrap_or_default();
        self.attempts.first().map_or_else(|| (self.at(), 0, stored()), |first| (self.at(), first.id, 0))
    }

    /// For sorting: newest first.
    pub fn newest_first(&self) -> Reverse<Place> {
        Reverse(self.place())
    }

    /// Whether it was delivered: an attempt of GitHub's was answered well, or, where GitHub knows
    /// nothing of it, its arrival.
    pub fn is_delivered(&self) -> bool {
        match &self.local {
            _ if !self.attempts.is_empty() => self.attempts.iter().any(HookDelivery::is_good),
            Some(local) => local["answer_status"].as_u64().is_some_and(|status| status < 400),
            None => false,
        }
    }

    /// Whether somebody asked for it again.
    pub fn is_redelivered(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.redelivery)
    }

    /// How often it was sent, as far as anybody knows.
    pub fn count(&self) -> u64 {
        let arrived = self.local.as_ref().and_then(|row| row["attempts"].as_u64()).unwrap_or_default();
        arrived.max(self.attempts.len() as u64)
    }

    /// As a document.
    pub fn to_json(&self) -> Value {
        json!({
            "guid": self.guid,
            "at": self.at(),
            "event": self.event(),
            "action": self.action(),
            "repo": self.repo,
            "delivered": self.is_delivered(),
            "redelivered": self.is_redelivered(),
            "github": self.attempts,
            "local": self.local,
        })
    }
}
