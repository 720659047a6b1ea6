//! GitHub's log of deliveries, read from its newest end: which events never arrived.
//!
//! An attempt that failed says little: another may have been good. So attempts are grouped by the
//! GUID of their event, as GitHub's own advice has it:
//! <https://docs.github.com/en/webhooks/using-webhooks/automatically-redelivering-failed-deliveries-for-a-github-app-webhook>

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::api::apps::HookDelivery;

/// What was read of the log so far.
#[derive(Debug, Default)]
pub struct Log {
    groups: HashMap<String, Group>,
    newest: Option<DateTime<Utc>>,
    oldest: Option<DateTime<Utc>>,
}

/// All attempts of one event: they share the GUID.
#[derive(Debug)]
struct Group {
    /// Whether any attempt was answered well.
    good: bool,
    /// Whether the first attempt was seen; the others are called redeliveries.
    whole: bool,
    newest: HookDelivery,
    first_at: DateTime<Utc>,
    attempts: u32,
}

/// An event that no attempt could deliver.
#[derive(Clone, Debug)]
pub struct Missed {
    /// The newest attempt.
    pub newest: HookDelivery,
    /// When the first attempt was made.
    pub first_at: DateTime<Utc>,
    /// How many attempts there were.
    pub attempts: u32,
}

impl Log {
    /// Adds a page.
    pub fn add(&mut self, page: &[HookDelivery]) {
        for attempt in page {
            let at = attempt.delivered_at;
            self.newest = self.newest.max(Some(at));
            self.oldest = Some(self.oldest.map_or(at, |oldest| oldest.min(at)));
            let group = self.groups.entry(attempt.guid.clone()).or_insert_with(|| Group {
                good: false,
                whole: false,
                newest: attempt.clone(),
                first_at: at,
                attempts: 0,
            });
            group.good |= attempt.is_good();
            group.whole |= !attempt.redelivery;
            group.first_at = group.first_at.min(at);
            group.attempts += 1;
            if (group.newest.delivered_at, group.newest.id) < (at, attempt.id) {
                group.newest = attempt.clone();
            }
        }
    }

    /// Whether everything since `since` was read: so far back, and of every event that failed all
    /// attempts, for an earlier one may have been good.
    pub fn reaches(&self, since: DateTime<Utc>) -> bool {
        self.oldest.is_some_and(|oldest| oldest < since) && self.groups.values().all(|group| group.good || group.whole)
    }

    /// When the newest attempt was made.
    pub fn newest(&self) -> Option<DateTime<Utc>> {
        self.newest
    }

    /// The events without a good attempt, in the order in which they happened.
    pub fn missed(self) -> Vec<Missed> {
        let failed = self.groups.into_values().filter(|group| !group.good);
        let mut missed: Vec<Missed> =
            failed.map(|Group { newest, first_at, attempts, .. }| Missed { newest, first_at, attempts }).collect();
        // Times are whole seconds; ids grow.
        missed.sort_by_key(|missed| (missed.first_at, missed.newest.id));
        missed
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + second, 0).expect("a time")
    }

    fn attempt(id: i64, guid: &str, second: i64, redelivery: bool, status: &str, code: u16) -> HookDelivery {
        serde_json::from_value(json!({
            "id": id, "guid": guid, "delivered_at": at(second), "redelivery": redelivery, "duration": 0.1,
            "status": status, "status_code": code, "event": "push", "action": null,
        }))
        .expect("a delivery")
    }

    #[test]
    fn an_event_is_missed_when_no_attempt_was_good() {
        let mut log = Log::default();
        log.add(&[
            attempt(9, "late", 90, true, "timed out", 504),
            attempt(8, "mended", 80, true, "OK", 200),
            attempt(7, "broken", 70, false, "failed to connect to host", 502),
            attempt(6, "spoilt", 60, true, "Invalid HTTP Response: 500", 500),
        ]);
        log.add(&[
            attempt(5, "late", 50, false, "Invalid HTTP Response: 503", 503),
            attempt(4, "mended", 40, false, "timed out", 504),
            attempt(3, "spoilt", 30, false, "OK", 202),
            attempt(2, "fine", 20, false, "OK", 200),
        ]);
        assert_eq!(log.newest(), Some(at(90)));
        let missed: Vec<_> =
            log.missed().into_iter().map(|m| (m.newest.guid, m.newest.id, m.first_at, m.attempts)).collect();
        assert_eq!(missed, [("late".to_owned(), 9, at(50), 2), ("broken".to_owned(), 7, at(70), 1)]);
    }

    #[test]
    fn a_failed_redelivery_is_followed_to_its_first_attempt() {
        let mut log = Log::default();
        assert!(!log.reaches(at(10)), "nothing was read");
        log.add(&[attempt(9, "a", 90, true, "timed out", 504), attempt(8, "b", 80, true, "OK", 200)]);
        assert!(!log.reaches(at(50)), "not so far back");
        assert!(!log.reaches(at(85)), "the first attempt of a may have been good");
        log.add(&[attempt(7, "a", 70, false, "timed out", 504)]);
        assert!(log.reaches(at(85)));
        assert!(!log.reaches(at(70)), "more may have happened in that second");
    }
}
