//! Calls to other services, told to whoever does the work that needs them.
//!
//! The one who works opens a [`Calls`] around it; the client that calls says so with [`tell`]. Both
//! need not know of each other, and where nobody listens nothing is done.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Calls that are kept of one piece of work; more are only counted.
const KEPT: usize = 200;

tokio::task_local! {
    static LISTENING: Calls;
}

/// One request and its answer: what a person needs to look it up, and nothing that is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiCall {
    /// When it was sent.
    pub at: DateTime<Utc>,
    /// HTTP method.
    pub method: String,
    /// Path, without host and query.
    pub path: String,
    /// HTTP status of the answer; `None` when there was none.
    pub status: Option<u16>,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// 1 for the first attempt of the same request.
    pub attempt: u32,
    /// The service's name for it (`X-GitHub-Request-Id`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The page of what a writing call made or changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Why there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The calls of one piece of work. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Calls(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    calls: Vec<ApiCall>,
    dropped: u32,
}

impl Calls {
    /// Runs `work` and keeps the calls that it makes. Tasks that it spawns are not part of it.
    pub async fn of<T>(&self, work: impl Future<Output = T>) -> T {
        LISTENING.scope(self.clone(), work).await
    }

    /// What was kept so far, oldest first, and how many more there were. They are kept no longer.
    pub fn take(&self) -> (Vec<ApiCall>, u32) {
        let kept = std::mem::take(&mut *self.kept());
        (kept.calls, kept.dropped)
    }

    fn keep(&self, call: ApiCall) {
        let mut kept = self.kept();
        if kept.calls.len() < KEPT {
            kept.calls.push(call);
        } else {
            kept.dropped += 1;
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells of a call, if anybody listens.
pub fn tell(call: impl FnOnce() -> ApiCall) {
    // Fails only when nobody does.
    let _ = LISTENING.try_with(|calls| calls.keep(call()));
}

#[cfg(test)]
mod tests {
    use super::{ApiCall, Calls, DateTime, KEPT, tell};

    fn call(path: &str) -> ApiCall {
        let at = DateTime::UNIX_EPOCH;
        let (method, path) = ("GET".to_owned(), path.to_owned());
        ApiCall { at, method, path, status: Some(200), ms: 1, attempt: 1, request_id: None, url: None, error: None }
    }

    #[tokio::test]
    async fn only_the_calls_of_the_work_are_kept() {
        let (one, two) = (Calls::default(), Calls::default());
        tell(|| unreachable!("nobody listens"));
        let work = |calls: Calls, name: &'static str| async move {
            let inner = async {
                tell(|| call(name));
                tokio::task::yield_now().await;
                tell(|| call(name));
            };
            calls.of(inner).await;
        };
        tokio::join!(work(one.clone(), "/one"), work(two.clone(), "/two"));
        assert_eq!(one.take(), (vec![call("/one"), call("/one")], 0));
        assert_eq!(two.take(), (vec![call("/two"), call("/two")], 0));
        assert_eq!(one.take(), (vec![], 0), "taken");
    }

    #[tokio::test]
    async fn there_is_an_end_to_keeping() {
        let calls = Calls::default();
        calls.of(async { (0..KEPT + 3).for_each(|_| tell(|| call("/"))) }).await;
        let (kept, dropped) = calls.take();
        assert_eq!((kept.len(), dropped), (KEPT, 3));
    }
}
