//! A cache whose misses are fetched once, however many ask at the same time.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::error::Error;

/// Above this many keys, those that nobody waits for and whose value is stale are dropped.
const PRUNE_ABOVE: usize = 256;

/// Values by key; each is fetched by one caller while the others wait for it.
pub(super) struct Flights<K, V> {
    slots: Mutex<HashMap<K, Arc<Slot<V>>>>,
}

struct Slot<V> {
    /// Fetches that have ended, well or not.
    ended: AtomicU64,
    state: tokio::sync::Mutex<State<V>>,
}

struct State<V> {
    value: Option<V>,
    /// How the last fetch failed, for those who waited for it.
    failure: Option<Error>,
}

impl<K, V> Default for Flights<K, V> {
    fn default() -> Self {
        Self { slots: Mutex::new(HashMap::new()) }
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Flights<K, V> {
    /// The value of `key` if it is `good`, else what `fetch` brings. Callers that come while a
    /// fetch is under way share its outcome, also its failure; the next caller tries anew.
    pub(super) async fn get<F>(&self, key: &K, good: impl Fn(&V) -> bool, fetch: F) -> Result<V, Error>
    where
        F: Future<Output = Result<V, Error>>,
    {
        let slot = self.slot(key, &good);
        let seen = slot.ended.load(Ordering::Acquire);
        let mut state = slot.state.lock().await;
        if let Some(value) = state.value.as_ref().filter(|value| good(value)) {
            return Ok(value.clone());
        }
        if slot.ended.load(Ordering::Acquire) > seen
            && let Some(failure) = &state.failure
        {
            return Err(failure.clone());
        }
        let outcome = fetch.await;
        (state.value, state.failure) = match &outcome {
            Ok(value) => (Some(value.clone()), None),
            Err(error) => (None, Some(error.clone())),
        };
        slot.ended.fetch_add(1, Ordering::Release);
        outcome
    }

    /// Drops the value of `key` if it `matches`: another may have replaced it meanwhile.
    pub(super) async fn forget(&self, key: &K, matches: impl Fn(&V) -> bool) {
        let slot = self.slots().get(key).cloned();
        if let Some(slot) = slot {
            let mut state = slot.state.lock().await;
            if state.value.as_ref().is_some_and(matches) {
                state.value = None;
            }
        }
    }

    fn slot(&self, key: &K, good: &impl Fn(&V) -> bool) -> Arc<Slot<V>> {
        let mut slots = self.slots();
        if let Some(slot) = slots.get(key) {
            return Arc::clone(slot);
        }
        if slots.len() >= PRUNE_ABOVE {
            slots.retain(|_, slot| match slot.state.try_lock() {
                Ok(state) => state.value.as_ref().is_some_and(good),
                Err(_) => true,
            });
        }
        let slot = Arc::new(Slot {
            ended: AtomicU64::new(0),
            state: tokio::sync::Mutex::new(State { value: None, failure: None }),
        });
        slots.insert(key.clone(), Arc::clone(&slot));
        slot
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<K, Arc<Slot<V>>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
