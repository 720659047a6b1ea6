//! The runner's lines on their way to the table of logs: in pieces, while it runs.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::apps::recipes::rows::logs;
use crate::store::Db;
use crate::util::Clock;

/// A line is kept after this long at the latest.
const FLUSH_EVERY: Duration = Duration::from_millis(500);
/// A piece of this size is kept at once, in bytes.
const PIECE: usize = 16 * 1024;
/// How often a piece is tried that the database does not take; then it is lost.
const TRIES: u32 = 20;

/// Keeps the log of an attempt.
pub(super) struct LogWriter {
    db: Db,
    clock: Clock,
    run: i64,
    attempt: i32,
    seq: i32,
    pending: String,
    /// Bytes that are still kept; `None` after the end was cut off.
    left: Option<usize>,
}

impl LogWriter {
    /// A writer of an empty log.
    pub(super) fn new(db: Db, clock: Clock, run: i64, attempt: i32) -> Self {
        Self { db, clock, run, attempt, seq: 0, pending: String::new(), left: Some(usize::MAX) }
    }

    /// It keeps at most `bytes`.
    pub(super) fn bounded(self, bytes: u64) -> Self {
        Self { left: Some(usize::try_from(bytes).unwrap_or(usize::MAX)), ..self }
    }

    /// Keeps lines until nobody writes any more.
    pub(super) async fn run(&mut self, mut lines: mpsc::Receiver<String>) {
        let mut due: Option<Instant> = None;
        loop {
            let flush = sleep_until(due.unwrap_or_else(Instant::now));
            tokio::select! {
                line = lines.recv() => {
                    let Some(line) = line else { break };
                    self.take(&line);
                    due = due.or_else(|| Some(Instant::now() + FLUSH_EVERY));
                    if self.pending.len() >= PIECE {
                        self.flush().await;
                        due = None;
                    }
                }
                () = flush, if due.is_some() => {
                    self.flush().await;
                    due = None;
                }
            }
        }
        self.flush().await;
    }

    fn take(&mut self, line: &str) {
        let Some(left) = self.left else { return };
        let length = line.len() + 1;
        if let Some(left) = left.checked_sub(length) {
            self.left = Some(left);
            self.pending.push_str(line);
        } else {
            self.left = None;
            self.pending.push_str("[the log is longer; the rest is not kept]");
        }
        self.pending.push('\n');
    }

    async fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        for wait in 0..TRIES {
            let now = self.clock.now();
            match logs::append(&self.db, self.run, self.attempt, self.seq, &self.pending, now).await {
                Ok(()) => break,
                Err(error) if wait + 1 == TRIES => {
                    tracing::warn!(run = self.run, %error, "a piece of a log is lost");
                }
                // Meanwhile the runner waits: its lines have nowhere to go.
                Err(_) => tokio::time::sleep(FLUSH_EVERY).await,
            }
        }
        self.seq += 1;
        self.pending.clear();
    }
}
