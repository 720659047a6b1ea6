//! The target: deliveries in their order, kept while it is away.

use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::Receiver;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::forward::{Forwarder, Reply, Unanswered};
use super::incoming::Incoming;
use super::notice::{Notice, Notices, Seen};
use crate::util::retry::Backoff;

/// A target that answers 502, 503 or 504 so often is not away: it does not want this delivery.
const UNAVAILABLE: u32 = 8;

/// How long an answer is waited for after the end was asked for.
const GRACE: Duration = Duration::from_secs(3);

/// What waits for the target.
#[derive(Debug)]
pub enum Job {
    /// A delivery, and the room that it takes while it waits.
    Forward(Box<(Seen, Incoming, OwnedSemaphorePermit)>),
    /// Everything in GitHub's log up to here came before.
    Mark(i64),
}

/// Brings deliveries to one URL.
#[derive(Debug)]
pub struct Target {
    /// Posts.
    pub forwarder: Forwarder,
    /// Where to.
    pub url: Url,
    /// Waits between attempts while it is away.
    pub backoff: Backoff,
    /// Where it is told.
    pub notices: Notices,
    /// Ends the work; what still waits is told as failed.
    pub stop: CancellationToken,
}

impl Target {
    /// Forwards until the queue ends.
    pub async fn run(self, mut queue: Receiver<Job>) {
        let mut down = None;
        while let Some(job) = queue.recv().await {
            match job {
                Job::Mark(id) => self.notices.tell(Notice::Mark(id)),
                Job::Forward(job) => {
                    let (seen, incoming, room) = *job;
                    self.forward(seen, &incoming, &mut down).await;
                    drop(room);
                }
            }
        }
    }

    async fn forward(&self, seen: Seen, incoming: &Incoming, down: &mut Option<Instant>) {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let posted = tokio::select! {
                posted = self.forwarder.post(&self.url, incoming) => posted,
                () = self.grace() => return self.failed(seen, "stopped before it was answered"),
            };
            let (reason, refused) = match posted {
                Ok(reply) if is_away(&reply) && attempt < UNAVAILABLE => (format!("answered {}", reply.status), false),
                Ok(reply) => {
                    if let Some(since) = down.take() {
                        self.notices.tell(Notice::TargetUp { after: since.elapsed() });
                    }
                    // Marked first: whoever hears that it was forwarded can rely on it.
                    seen.attempt.into_iter().for_each(|id| self.notices.tell(Notice::Mark(id)));
                    return self.notices.tell(Notice::Forwarded { seen, reply });
                }
                // It took the delivery; sending it again may do the work twice.
                Err(late @ Unanswered::TimedOut(_)) => return self.failed(seen, &late.to_string()),
                Err(error) => (error.to_string(), matches!(error, Unanswered::Refused)),
            };
            if down.is_none() {
                *down = Some(Instant::now());
                self.notices.tell(Notice::TargetDown { seen: seen.clone(), reason, refused });
            }
            tokio::select! {
                () = sleep(self.backoff.delay(attempt, None, fastrand::f64())) => {}
                () = self.stop.cancelled() => return self.failed(seen, "stopped before the target was back"),
            }
        }
    }

    fn failed(&self, seen: Seen, reason: &str) {
        self.notices.tell(Notice::Failed { seen, reason: reason.to_owned() });
    }

    async fn grace(&self) {
        self.stop.cancelled().await;
        sleep(GRACE).await;
    }
}

/// Answers of something that stands before the target, or of one that is not ready.
fn is_away(reply: &Reply) -> bool {
    matches!(reply.status, 502..=504)
}
