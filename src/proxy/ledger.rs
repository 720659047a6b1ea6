//! Which deliveries a session has had, so that what is fetched afterwards comes once.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// GUIDs remembered at most; the oldest goes first.
const CAPACITY: usize = 50_000;

/// How long after it was fetched a delivery may still come through the channel.
const OVERLAP: Duration = Duration::from_secs(60);

/// Counts attempts by GUID: a redelivery repeats the GUID and is wanted, a copy is not.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    had: HashMap<String, Had>,
    order: VecDeque<String>,
}

#[derive(Debug, Default)]
struct Had {
    /// Attempts that count as received.
    attempts: usize,
    /// Those of them that were fetched and have not come through the channel, and since when.
    fetched: Option<(usize, Instant)>,
}

impl Ledger {
    /// Notes an attempt that came by itself; whether it is new.
    pub fn came(&self, guid: &str) -> bool {
        let mut counts = self.counts();
        let had = counts.of(guid);
        if let Some((fetched @ 1.., since)) = &mut had.fetched
            && since.elapsed() < OVERLAP
        {
            *fetched -= 1;
            return false;
        }
        had.attempts += 1;
        true
    }

    /// Of `sent` attempts in GitHub's log, how many never came.
    pub fn missing(&self, guid: &str, sent: usize) -> usize {
        sent.saturating_sub(self.counts().had.get(guid).map_or(0, |had| had.attempts))
    }

    /// Notes that `missing` attempts were fetched, or need not be.
    pub fn fetched(&self, guid: &str, missing: usize) {
        let mut counts = self.counts();
        let had = counts.of(guid);
        had.attempts += missing;
        had.fetched = Some((missing, Instant::now()));
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn of(&mut self, guid: &str) -> &mut Had {
        if !self.had.contains_key(guid) {
            self.order.push_back(guid.to_owned());
            while self.order.len() > CAPACITY
                && let Some(oldest) = self.order.pop_front()
            {
                self.had.remove(&oldest);
            }
        }
        self.had.entry(guid.to_owned()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::Ledger;

    #[test]
    fn a_copy_is_told_from_a_redelivery() {
        let ledger = Ledger::default();
        assert!(ledger.came("a"));
        assert_eq!(ledger.missing("a", 1), 0);
        assert!(ledger.came("a"), "somebody asked for it again");
        assert_eq!((ledger.missing("a", 2), ledger.missing("a", 3)), (0, 1));
        assert_eq!(ledger.missing("b", 1), 1);
        ledger.fetched("b", 1);
        assert_eq!(ledger.missing("b", 1), 0);
        assert!(!ledger.came("b"), "the fetched one, late");
        assert!(ledger.came("b"), "another one");
        assert_eq!(ledger.missing("b", 2), 0);
    }
}
