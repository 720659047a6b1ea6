//! Which kinds of jobs exist.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::job::{Done, Failure, Job, Task};
use crate::util::retry::Backoff;

type Running<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Run = dyn Fn(Value, Task) -> Running<Result<Done, Failure>> + Send + Sync;
type GiveUp = dyn Fn(Value, Task, Failure) -> Running<()> + Send + Sync;

/// Maps a kind to the code that runs it.
#[derive(Default, Clone)]
pub struct Registry {
    names: Vec<&'static str>,
    kinds: Vec<Kind>,
}

/// A job type without its type.
#[derive(Clone)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) timeout: Duration,
    pub(super) backoff: Backoff,
    /// Parses the stored input and runs the job with it.
    pub(super) run: Arc<Run>,
    /// Parses the stored input and says the job's last words.
    pub(super) give_up: Arc<GiveUp>,
}

impl Registry {
    /// Adds the job type `J`, to be run with `cx`. A second type of the same kind replaces the first.
    pub fn register<J: Job>(&mut self, cx: Arc<J::Cx>) {
        let last_cx = cx.clone();
        let kind = Kind {
            name: J::KIND,
            timeout: J::TIMEOUT,
            backoff: J::BACKOFF,
            run: Arc::new(move |payload, mut task| {
                let cx = cx.clone();
                Box::pin(async move {
                    let job: J = serde_json::from_value(payload)
                        .map_err(|e| Failure::permanent(format!("the stored input does not fit: {e}")))?;
                    job.run(&cx, &mut task).await
                })
            }),
            give_up: Arc::new(move |payload, mut task, failure| {
                let cx = last_cx.clone();
                Box::pin(async move {
                    // Without its input a job has nothing to say.
                    if let Ok(job) = serde_json::from_value::<J>(payload) {
                        job.give_up(&cx, &mut task, &failure).await;
                    }
                })
            }),
        };
        self.kinds.retain(|known| known.name != J::KIND);
        self.kinds.push(kind);
        self.names = self.kinds.iter().map(|kind| kind.name).collect();
    }

    /// The kinds that can be run.
    pub fn kinds(&self) -> &[&'static str] {
        &self.names
    }

    pub(super) fn find(&self, name: &str) -> Option<&Kind> {
        self.kinds.iter().find(|kind| kind.name == name)
    }
}
