//! Answers kept for conditional requests: a 304 costs nothing of the rate limit.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::header::ETAG;

use super::call::Answer;
use super::rate::Account;

/// Answers kept at most; the oldest goes first.
const CAPACITY: usize = 256;
/// Larger bodies are not kept.
const MAX_BODY: usize = 1 << 20;

/// Whose answer it is, and to what: address and media type.
pub(super) type Key = (Account, String, &'static str);

#[derive(Default)]
pub(super) struct Etags(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    answers: HashMap<Key, Answer>,
    order: VecDeque<Key>,
}

impl Etags {
    /// The answer to ask about: it has an `ETag`.
    pub(super) fn answer(&self, key: &Key) -> Option<Answer> {
        self.kept().answers.get(key).cloned()
    }

    /// Keeps `answer` if it can be asked for again.
    pub(super) fn keep(&self, key: Key, answer: &Answer) {
        if !answer.headers.contains_key(ETAG) || answer.body.len() > MAX_BODY {
            return;
        }
        let mut kept = self.kept();
        if kept.answers.insert(key.clone(), answer.clone()).is_none() {
            kept.order.push_back(key);
        }
        while kept.order.len() > CAPACITY
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.answers.remove(&oldest);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode, Version};

    use super::*;

    fn key(number: usize) -> Key {
        (Account::App, number.to_string(), "json")
    }

    fn answer(tag: bool, size: usize) -> Answer {
        let mut headers = HeaderMap::new();
        if tag {
            headers.insert(ETAG, "\"1\"".parse().expect("header"));
        }
        Answer {
            version: Version::HTTP_11,
            status: StatusCode::OK,
            headers,
            body: Bytes::from(vec![0; size]),
            attempts: 1,
        }
    }

    #[test]
    fn the_oldest_goes_and_what_cannot_be_asked_for_is_not_kept() {
        let etags = Etags::default();
        for number in 0..=CAPACITY {
            etags.keep(key(number), &answer(true, 1));
            etags.keep(key(number), &answer(true, 2));
        }
        assert!(etags.answer(&key(0)).is_none());
        assert_eq!(etags.answer(&key(1)).map(|a| a.body.len()), Some(2));
        assert!(etags.answer(&key(CAPACITY)).is_some());
        for (number, answer) in [(1000, answer(false, 1)), (1001, answer(true, MAX_BODY + 1))] {
            etags.keep(key(number), &answer);
            assert!(etags.answer(&key(number)).is_none(), "{number}");
        }
    }
}
